"""emollm-tiny: a vision-language model of a standard architecture, built here, a few million parameters.

    model, processor = build_tiny(texts)
    save_tiny(model, processor, Path("tiny"))      # AutoModelForImageTextToText and AutoProcessor load it

Nothing is downloaded: the tokenizer is trained on `texts`, the weights are random until `emollm.vlm.eyes` and
`emollm.train.sft` teach them. Every width is a multiple of 64, which quantised layers need.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from emollm.errors import ConfigError, did_you_mean
from emollm.vlm.processors import import_transformers, processor_class, save_processor, without_video

MODEL_MAX_TOKENS = 2048
CLAUSE = r"[^.,:()<>\n]*[.,:()<>\n]+"
"""No token reaches past the end of a clause."""


class Shape(NamedTuple):
    """The size of a tiny model. Pixels per side, layers, and widths."""

    image_size: int = 96
    patch_size: int = 16
    width: int = 128
    text_layers: int = 4
    vision_layers: int = 4
    vocab_size: int = 2048
    init_std: float = 0.06
    """Spread of the random weights; at 0.02 small Qwen-type models often never start to look at the picture."""

    @property
    def merged(self) -> int:
        """Image tokens per side: two by two patches make one token."""
        return self.image_size // self.patch_size // 2


TINY = Shape()


class Family(NamedTuple):
    """What an architecture wants its tokens to be called, and how its chat is written."""

    tokens: dict[str, str]
    end: str
    chat_template: str


CHATML = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n"
    "{% if message.content is string %}{{ message.content }}{% else %}{% for part in message.content %}"
    "{% if part.type == 'image' %}IMAGE{% else %}{{ part.text }}{% endif %}{% endfor %}{% endif %}"
    "END\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def _chat(image: str, end: str) -> str:
    return CHATML.replace("IMAGE", image).replace("END", end)


FAMILIES = {
    "qwen3_vl": Family(
        tokens={
            "image_token": "<|image_pad|>",
            "video_token": "<|video_pad|>",
            "vision_start_token": "<|vision_start|>",
            "vision_end_token": "<|vision_end|>",
        },
        end="<|im_end|>",
        chat_template=_chat("<|vision_start|><|image_pad|><|vision_end|>", "<|im_end|>"),
    ),
    "idefics3": Family(
        tokens={
            "image_token": "<image>",
            "fake_image_token": "<fake_token_around_image>",
            "global_image_token": "<global-img>",
        },
        end="<end_of_utterance>",
        chat_template=_chat("<image>", "<end_of_utterance>"),
    ),
}
"""Architectures that a tiny model can have; idefics3 is the control that needs no special processor."""


def build_tiny(texts: Iterable[str], arch: str = "qwen3_vl", shape: Shape = TINY, seed: int = 0) -> tuple[Any, Any]:
    """Return an untrained model and its processor. The same texts, shape and seed give the same weights.

    Raises ConfigError for an unknown architecture or a picture size that the patches do not divide.
    """
    if arch not in FAMILIES:
        raise ConfigError(f"architecture '{arch}' cannot be built{did_you_mean(arch, FAMILIES)}; {', '.join(FAMILIES)}")
    if shape.image_size % (2 * shape.patch_size) or shape.width % 64:
        raise ConfigError(
            f"image size {shape.image_size} must be a multiple of twice the patch size {shape.patch_size}, "
            f"and width {shape.width} of 64"
        )
    transformers = import_transformers()
    tokenizer = train_tokenizer(texts, FAMILIES[arch], shape.vocab_size)
    build = _qwen3_vl if arch == "qwen3_vl" else _idefics3
    config, processor = build(tokenizer, shape)
    transformers.set_seed(seed)
    model = transformers.AutoModelForImageTextToText.from_config(config)
    model.generation_config = transformers.GenerationConfig(
        eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id
    )
    return model, processor


def save_tiny(model: Any, processor: Any, directory: Path) -> None:
    """Write the model (safetensors) and everything it takes to load it."""
    model.save_pretrained(directory)
    save_processor(processor, directory)


def train_tokenizer(texts: Iterable[str], family: Family, vocab_size: int) -> Any:
    """Train a byte-level BPE tokenizer: any text can be written, ours in few tokens.

    Tokens may span words up to the next punctuation, so that a phrase such as " the inner corners of the brows are " is
    one step for the model: explanations take a third of the tokens, and training and generation a third of the time.
    """
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

    transformers = import_transformers()
    specials = ["<|endoftext|>", "<|im_start|>", family.end, *family.tokens.values()]
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(CLAUSE), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size, special_tokens=specials, initial_alphabet=sorted(alphabet), show_progress=False
    )
    tokenizer.train_from_iterator(texts, trainer)
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        eos_token=family.end,
        pad_token="<|endoftext|>",
        additional_special_tokens=["<|im_start|>"],
        extra_special_tokens=family.tokens,
        chat_template=family.chat_template,
        padding_side="left",
        model_max_length=MODEL_MAX_TOKENS,
        clean_up_tokenization_spaces=False,
    )


def _text_sizes(tokenizer: Any, shape: Shape) -> dict[str, Any]:
    return {
        # A vocabulary that is a multiple of 64 keeps the output layer quantisable.
        "vocab_size": -(-len(tokenizer) // 64) * 64,
        "hidden_size": shape.width,
        "intermediate_size": 3 * shape.width,
        "num_hidden_layers": shape.text_layers,
        "num_attention_heads": shape.width // 32,
        "num_key_value_heads": shape.width // 32,
        "head_dim": 32,
        "max_position_embeddings": MODEL_MAX_TOKENS,
        "initializer_range": shape.init_std,
        "eos_token_id": tokenizer.eos_token_id,
        "pad_token_id": tokenizer.pad_token_id,
    }


def _vision_sizes(shape: Shape) -> dict[str, Any]:
    return {
        "hidden_size": shape.width,
        "intermediate_size": 2 * shape.width,
        "patch_size": shape.patch_size,
        "initializer_range": 0.02,
    }


def _qwen3_vl(tokenizer: Any, shape: Shape) -> tuple[Any, Any]:
    import transformers

    rope = {"rope_type": "default", "rope_theta": 1e4, "mrope_section": [6, 5, 5], "mrope_interleaved": True}
    vision = {
        "depth": shape.vision_layers,
        "num_heads": shape.width // 32,
        "temporal_patch_size": 1,
        "spatial_merge_size": 2,
        "out_hidden_size": shape.width,
        "num_position_embeddings": (shape.image_size // shape.patch_size) ** 2,
        "deepstack_visual_indexes": [],
    }
    config = transformers.Qwen3VLConfig(
        text_config=_text_sizes(tokenizer, shape) | {"rope_parameters": rope},
        vision_config=_vision_sizes(shape) | vision,
        image_token_id=tokenizer.image_token_id,
        video_token_id=tokenizer.video_token_id,
        vision_start_token_id=tokenizer.vision_start_token_id,
        vision_end_token_id=tokenizer.vision_end_token_id,
        tie_word_embeddings=True,
    )
    from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil

    pixels = shape.image_size**2
    image_processor = Qwen2VLImageProcessorPil(
        patch_size=shape.patch_size,
        temporal_patch_size=1,
        merge_size=2,
        size={"shortest_edge": pixels, "longest_edge": pixels},
        image_mean=[0.5] * 3,
        image_std=[0.5] * 3,
    )
    make = without_video(processor_class("qwen3_vl"))
    return config, make(image_processor, tokenizer, chat_template=tokenizer.chat_template)


def _idefics3(tokenizer: Any, shape: Shape) -> tuple[Any, Any]:
    import transformers
    from transformers.models.idefics3.image_processing_pil_idefics3 import Idefics3ImageProcessorPil

    vision = {"image_size": shape.image_size, "num_hidden_layers": shape.vision_layers}
    edge = {"longest_edge": shape.image_size}
    image_processor = Idefics3ImageProcessorPil(
        size=edge, max_image_size=edge, do_image_splitting=False, image_mean=[0.5] * 3, image_std=[0.5] * 3
    )
    processor = transformers.Idefics3Processor(
        image_processor, tokenizer, image_seq_len=shape.merged**2, chat_template=tokenizer.chat_template
    )
    text = _text_sizes(tokenizer, shape) | {"rope_parameters": {"rope_type": "default", "rope_theta": 1e4}}
    config = transformers.Idefics3Config(
        text_config=text | {"model_type": "llama"},
        vision_config=_vision_sizes(shape) | vision | {"num_attention_heads": shape.width // 32},
        image_token_id=tokenizer.image_token_id,
        scale_factor=2,
        tie_word_embeddings=True,
    )
    return config, processor
