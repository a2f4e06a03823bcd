"""Load a vision-language model, with or without an adapter.

Example:

    model, processor = load_model("Qwen/Qwen2.5-VL-3B-Instruct", adapter="runs/sft-lora")
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from emollm.errors import ModelError, did_you_mean
from emollm.vlm.processors import import_transformers, load_processor

DTYPES = ("auto", "float32", "bfloat16", "float16")


def load_model(
    source: str | Path,
    adapter: str | Path | None = None,
    *,
    device: str | None = None,
    dtype: str = "auto",
    trainable: bool = False,
) -> tuple[Any, Any]:
    """Return a model in evaluation mode and its processor, from a directory or a hub name.

    Only safetensors are read, and no code of the repository is run. `device` defaults to the GPU where there is one.
    `dtype` "auto" keeps what was saved. With `trainable`, the model stays where the trainer can place it, and the
    adapter stays trainable.
    Raises ModelError for anything that is no vision-language model with a working processor.
    """
    source = str(source)
    transformers = import_transformers()
    config = _config(source)
    processor_source = str(adapter) if adapter is not None and _has_processor(Path(adapter)) else source
    processor = _processor(processor_source, config.model_type)
    try:
        model = transformers.AutoModelForImageTextToText.from_pretrained(
            source, dtype=_dtype(dtype), use_safetensors=True
        )
    except (OSError, ValueError, KeyError) as error:
        raise ModelError(f"{source}: {_first_line(error)}") from None
    if adapter is not None:
        model = _with_adapter(model, Path(adapter), trainable)
    if trainable:
        _keep_names(model)
        return model, processor
    return model.to(device or default_device()).eval(), processor


def default_device() -> str:
    """Return 'cuda', 'mps' or 'cpu': the best that is there."""
    import torch

    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def _config(source: str) -> Any:
    transformers = import_transformers()
    path = Path(source)
    if path.is_dir() and (path / "adapter_config.json").exists():
        base = json.loads((path / "adapter_config.json").read_text(encoding="utf-8")).get("base_model_name_or_path")
        raise ModelError(f"{source}: is an adapter; use --model {base} --adapter {source}")
    if path.is_dir() and not (path / "config.json").exists():
        raise ModelError(f"{source}: has no config.json; give the directory that the training wrote")
    if not path.is_dir() and (source.count("/") > 1 or source.startswith((".", "~", "/"))):
        raise ModelError(f"{source}: no such directory")
    try:
        return transformers.AutoConfig.from_pretrained(source)
    except (OSError, ValueError) as error:
        raise ModelError(f"{source}: no such directory, and no model of that name: {_first_line(error)}") from None


def _processor(source: str, model_type: str) -> Any:
    try:
        return load_processor(source, model_type)
    except (OSError, ValueError, TypeError) as error:
        raise ModelError(f"{source}: the processor cannot be loaded: {_first_line(error)}") from None


def _has_processor(directory: Path) -> bool:
    return (directory / "tokenizer_config.json").exists() and any(
        (directory / name).exists() for name in ("processor_config.json", "preprocessor_config.json")
    )


def _with_adapter(model: Any, adapter: Path, trainable: bool) -> Any:
    """Put a PEFT adapter on its base. Raises ModelError where it was trained on something of another shape."""
    from peft import PeftModel

    if adapter.is_dir() and not (adapter / "adapter_model.safetensors").exists():
        raise ModelError(f"{adapter}: has no adapter_model.safetensors; give the directory that the training wrote")
    try:
        return PeftModel.from_pretrained(model, str(adapter), is_trainable=trainable)
    except (OSError, ValueError, RuntimeError) as error:
        raise ModelError(f"{adapter}: does not fit this base: {_first_line(error)}") from None


def _keep_names(model: Any) -> None:
    """Under ZeRO-3, forget the renaming that loading left behind: saving would write names no other engine knows."""
    from transformers.integrations import is_deepspeed_zero3_enabled

    if is_deepspeed_zero3_enabled():
        model._weight_conversions = None


def _dtype(name: str) -> Any:
    import torch

    if name not in DTYPES:
        raise ModelError(f"dtype '{name}' is not known{did_you_mean(name, DTYPES)}; one of {', '.join(DTYPES)}")
    return name if name == "auto" else getattr(torch, name)


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
