"""The configurations of published bases, so that a training can be planned before anything is fetched.

    config, origin = find_config("Qwen/Qwen2.5-VL-7B-Instruct")
    model = build_without_weights(config)          # every shape, no memory

A folder's own config.json comes first, then the hub, then the table below: the sizes that the bases' config.json give.
A model of these sizes has just the parameters that are published with the weights, which a test holds.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from emollm.errors import ModelError
from emollm.vlm.processors import import_transformers


class Base(NamedTuple):
    """A published base: its model type, its parameters, and its sizes where they are not the type's defaults."""

    model_type: str
    num_parameters: int
    text: dict[str, Any]
    vision: dict[str, Any]
    top: dict[str, Any]


def _qwen2_5(width: int, inner: int, layers: int, heads: int, groups: int, vocabulary: int) -> dict[str, Any]:
    return {
        "hidden_size": width,
        "intermediate_size": inner,
        "num_hidden_layers": layers,
        "num_attention_heads": heads,
        "num_key_value_heads": groups,
        "vocab_size": vocabulary,
        "max_position_embeddings": 128_000,
    }


def _qwen3(width: int, inner: int, layers: int = 36, heads: int = 32) -> dict[str, Any]:
    sizes = _qwen2_5(width, inner, layers, heads, groups=8, vocabulary=151_936)
    return sizes | {"head_dim": 128, "max_position_embeddings": 262_144}


QWEN2_5_EYES = {"depth": 32, "hidden_size": 1280, "intermediate_size": 3420, "num_heads": 16}
QWEN3_EYES = {
    "depth": 24,
    "hidden_size": 1024,
    "intermediate_size": 4096,
    "deepstack_visual_indexes": [5, 11, 17],
}
QWEN3_LARGE_EYES = {
    "depth": 27,
    "hidden_size": 1152,
    "intermediate_size": 4304,
    "deepstack_visual_indexes": [8, 16, 24],
}
CLIP_L_336 = {
    "model_type": "clip_vision_model",
    "hidden_size": 1024,
    "intermediate_size": 4096,
    "num_hidden_layers": 24,
    "num_attention_heads": 16,
    "image_size": 336,
    "patch_size": 14,
}
BASES = {
    "Qwen/Qwen2.5-VL-3B-Instruct": Base(
        "qwen2_5_vl",
        3_754_622_976,
        _qwen2_5(2048, 11_008, layers=36, heads=16, groups=2, vocabulary=151_936),
        QWEN2_5_EYES | {"out_hidden_size": 2048},
        {"tie_word_embeddings": True},
    ),
    "Qwen/Qwen2.5-VL-7B-Instruct": Base(
        "qwen2_5_vl",
        8_292_166_656,
        _qwen2_5(3584, 18_944, layers=28, heads=28, groups=4, vocabulary=152_064),
        QWEN2_5_EYES | {"out_hidden_size": 3584},
        {"tie_word_embeddings": False},
    ),
    "Qwen/Qwen3-VL-2B-Instruct": Base(
        "qwen3_vl",
        2_127_532_032,
        _qwen3(2048, 6144, layers=28, heads=16),
        QWEN3_EYES | {"out_hidden_size": 2048},
        {"tie_word_embeddings": True},
    ),
    "Qwen/Qwen3-VL-4B-Instruct": Base(
        "qwen3_vl",
        4_437_815_808,
        _qwen3(2560, 9728),
        QWEN3_EYES | {"out_hidden_size": 2560},
        {"tie_word_embeddings": True},
    ),
    "Qwen/Qwen3-VL-8B-Instruct": Base(
        "qwen3_vl",
        8_767_123_696,
        _qwen3(4096, 12_288),
        QWEN3_LARGE_EYES | {"out_hidden_size": 4096},
        {"tie_word_embeddings": False},
    ),
    "llava-hf/llava-1.5-7b-hf": Base(
        "llava",
        7_063_427_072,
        {"model_type": "llama", "vocab_size": 32_064, "max_position_embeddings": 4096},
        CLIP_L_336,
        {"vision_feature_layer": -2, "tie_word_embeddings": False},
    ),
}
"""The bases that the recipes name."""


def find_config(source: str) -> tuple[Any, str]:
    """Return a model's configuration and where it was found: 'config.json', 'hub' or 'table'.

    The hub is asked only for a name that neither its cache nor the table knows: without a network it would keep a plan
    waiting. Raises ModelError where a folder has none, and where nothing knows the name.
    """
    from emollm.vlm.load import located, read_config

    if Path(located(source)).is_dir():
        return read_config(source), "config.json"
    if source not in BASES:
        return read_config(source), "hub"
    try:
        return read_config(source, is_local=True), "hub"
    except ModelError:
        return published_config(source), "table"


def published_config(name: str) -> Any:
    """Return the configuration of a base in the table."""
    transformers = import_transformers()
    base = BASES[name]
    make = type(transformers.AutoConfig.for_model(base.model_type))
    return make(text_config=base.text, vision_config=base.vision, **base.top)


def build_without_weights(config: Any) -> Any:
    """Return the model of a configuration with every shape and no numbers in it: seconds, whatever its size."""
    import torch

    transformers = import_transformers()
    with torch.device("meta"):
        return transformers.AutoModelForImageTextToText.from_config(config)
