"""Stand-ins: the architectures that recipes name, shrunk to a few hundred thousand random weights.

    model, processor = build_stand_in("qwen2_5_vl", texts)

Each is the stock model class and the stock processor class, as a hub folder of that family would give them, so that a
recipe's own code path can be walked without its weights.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from emollm.vlm.processors import import_transformers, processor_class, save_processor, without_video
from emollm.vlm.tiny import Family, train_tokenizer

SIZE, PATCH, WIDTH = 64, 16, 64
"""Pixels per side of the picture and of a patch; width of every layer, which quantised ones need divisible by 64."""
VOCAB = 400

CHAT = (
    "{{ bos_token }}{% for message in messages %}<|im_start|>{{ message.role }}\n"
    "{% for part in message.content %}{% if part.type == 'image' %}IMAGE{% else %}{{ part.text }}{% endif %}"
    "{% endfor %}<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)

QWEN = {
    "image_token": "<|image_pad|>",
    "video_token": "<|video_pad|>",
    "vision_start_token": "<|vision_start|>",
    "vision_end_token": "<|vision_end|>",
}
IDEFICS = {
    "image_token": "<image>",
    "fake_image_token": "<fake_token_around_image>",
    "global_image_token": "<global-img>",
}
TOKENS: dict[str, tuple[dict[str, str], str]] = {
    "qwen2_5_vl": (QWEN, "<|vision_start|><|image_pad|><|vision_end|>"),
    "qwen3_vl": (QWEN, "<|vision_start|><|image_pad|><|vision_end|>"),
    "idefics3": (IDEFICS, "<image>"),
    "smolvlm": (IDEFICS, "<image>"),
    "llava": ({"image_token": "<image>"}, "<image>"),
    "llava_onevision": ({"image_token": "<image>", "video_token": "<video>"}, "<image>"),
    "internvl": (
        {
            "start_image_token": "<img>",
            "end_image_token": "</img>",
            "context_image_token": "<IMG_CONTEXT>",
            "video_token": "<video>",
        },
        "<IMG_CONTEXT>",
    ),
    "gemma3": (
        {"image_token": "<image_soft_token>", "boi_token": "<start_of_image>", "eoi_token": "<end_of_image>"},
        "<start_of_image>",
    ),
    "paligemma": ({"image_token": "<image>"}, "<image>"),
}
"""What each family calls its tokens, and what its chat template writes for a picture."""

STAND_INS = tuple(TOKENS)


def build_stand_in(arch: str, texts: Iterable[str], seed: int = 0) -> tuple[Any, Any]:
    """Return a model of random weights and its processor."""
    transformers = import_transformers()
    tokens, picture = TOKENS[arch]
    chat = CHAT.replace("IMAGE", picture)
    tokenizer = train_tokenizer(texts, Family(tokens, "<|im_end|>", chat), VOCAB)
    tokenizer.bos_token = "<|endoftext|>"
    config, processor = BUILDERS[arch](tokenizer)
    processor.chat_template = chat
    transformers.set_seed(seed)
    model = transformers.AutoModelForImageTextToText.from_config(config)
    model.generation_config = transformers.GenerationConfig(
        eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id
    )
    return model, processor


def save_stand_in(arch: str, texts: Iterable[str], directory: Path) -> Path:
    """Write a stand-in as a folder that `load_model` takes."""
    model, processor = build_stand_in(arch, texts)
    model.save_pretrained(directory)
    save_processor(processor, directory)
    return directory


def _text(tokenizer: Any, **more: Any) -> dict[str, Any]:
    return {
        "vocab_size": -(-(len(tokenizer) + 8) // 64) * 64,
        "hidden_size": WIDTH,
        "intermediate_size": 2 * WIDTH,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "head_dim": 16,
        "max_position_embeddings": 2048,
        "initializer_range": 0.06,
        "bos_token_id": tokenizer.bos_token_id,
        "eos_token_id": tokenizer.eos_token_id,
        "pad_token_id": tokenizer.pad_token_id,
    } | more


def _vision(**more: Any) -> dict[str, Any]:
    return {
        "hidden_size": WIDTH,
        "intermediate_size": 2 * WIDTH,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "patch_size": PATCH,
        "image_size": SIZE,
    } | more


def _qwen(tokenizer: Any, config: Any, text: dict[str, Any], vision: dict[str, Any]) -> Any:
    from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil

    pixels = {"shortest_edge": SIZE**2, "longest_edge": SIZE**2}
    pictures = Qwen2VLImageProcessorPil(patch_size=PATCH, temporal_patch_size=2, merge_size=2, size=pixels)
    sizes = {
        "hidden_size": WIDTH,
        "intermediate_size": 2 * WIDTH,
        "depth": 2,
        "num_heads": 4,
        "patch_size": PATCH,
        "out_hidden_size": WIDTH,
    }
    ids = {f"{name}_id": getattr(tokenizer, f"{name}_id") for name in QWEN}
    made = config(text_config=_text(tokenizer) | text, vision_config=sizes | vision, **ids, tie_word_embeddings=True)
    make = without_video(processor_class(made.model_type))
    return made, make(pictures, tokenizer, chat_template=tokenizer.chat_template)


def _qwen2_5_vl(tokenizer: Any) -> Any:
    import transformers

    rope = {"rope_type": "default", "rope_theta": 1e6, "mrope_section": [2, 3, 3]}
    vision = {"window_size": 32, "fullatt_block_indexes": [1]}
    return _qwen(tokenizer, transformers.Qwen2_5_VLConfig, {"rope_parameters": rope}, vision)


def _qwen3_vl(tokenizer: Any) -> Any:
    import transformers

    rope = {"rope_type": "default", "rope_theta": 5e6, "mrope_section": [3, 3, 2], "mrope_interleaved": True}
    vision = {"num_position_embeddings": (SIZE // PATCH) ** 2, "deepstack_visual_indexes": [0]}
    return _qwen(tokenizer, transformers.Qwen3VLConfig, {"rope_parameters": rope}, vision)


def _idefics(tokenizer: Any, config: Any, pictures: Any, processor: Any) -> Any:
    edge = {"longest_edge": SIZE}
    made = config(
        text_config=_text(tokenizer, model_type="llama"),
        vision_config=_vision(),
        image_token_id=tokenizer.image_token_id,
        scale_factor=2,
        tie_word_embeddings=True,
    )
    shown = pictures(size={"longest_edge": 2 * SIZE}, max_image_size=edge, do_image_splitting=True)
    return made, processor(shown, tokenizer, image_seq_len=4, chat_template=tokenizer.chat_template)


def _idefics3(tokenizer: Any) -> Any:
    import transformers
    from transformers.models.idefics3.image_processing_pil_idefics3 import Idefics3ImageProcessorPil as Pictures

    return _idefics(tokenizer, transformers.Idefics3Config, Pictures, transformers.Idefics3Processor)


def _smolvlm(tokenizer: Any) -> Any:
    import transformers
    from transformers.models.smolvlm.image_processing_pil_smolvlm import SmolVLMImageProcessorPil as Pictures

    made = without_video(processor_class("smolvlm"))
    return _idefics(tokenizer, transformers.SmolVLMConfig, Pictures, made)


def _llava(tokenizer: Any) -> Any:
    import transformers
    from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

    config = transformers.LlavaConfig(
        text_config=_text(tokenizer, model_type="llama"),
        vision_config=_vision(model_type="clip_vision_model", projection_dim=WIDTH),
        image_token_index=tokenizer.image_token_id,
        vision_feature_layer=-2,
        tie_word_embeddings=False,
    )
    size = {"height": SIZE, "width": SIZE}
    pictures = CLIPImageProcessorPil(size={"shortest_edge": SIZE}, crop_size=size)
    more = {"patch_size": PATCH, "vision_feature_select_strategy": "default", "num_additional_image_tokens": 1}
    return config, transformers.LlavaProcessor(pictures, tokenizer, **more)


def _llava_onevision(tokenizer: Any) -> Any:
    import transformers
    from transformers.models.llava_onevision.image_processing_pil_llava_onevision import (
        LlavaOnevisionImageProcessorPil,
    )

    grid = [[SIZE, SIZE], [SIZE, 2 * SIZE], [2 * SIZE, SIZE]]
    config = transformers.LlavaOnevisionConfig(
        text_config=_text(tokenizer, model_type="qwen2"),
        vision_config=_vision(model_type="siglip_vision_model", vision_use_head=False),
        image_token_index=tokenizer.image_token_id,
        video_token_index=tokenizer.video_token_id,
        image_grid_pinpoints=grid,
        tie_word_embeddings=True,
    )
    size = {"height": SIZE, "width": SIZE}
    pictures = LlavaOnevisionImageProcessorPil(size=size, image_grid_pinpoints=grid)
    more = {"num_image_tokens": (SIZE // PATCH) ** 2, "vision_feature_select_strategy": "full"}
    return config, without_video(processor_class("llava_onevision"))(pictures, tokenizer, **more)


def _internvl(tokenizer: Any) -> Any:
    import transformers
    from transformers.models.got_ocr2.image_processing_pil_got_ocr2 import GotOcr2ImageProcessorPil

    config = transformers.InternVLConfig(
        text_config=_text(tokenizer, model_type="qwen2"),
        vision_config=_vision(model_type="internvl_vision", image_size=[SIZE, SIZE], patch_size=[PATCH, PATCH]),
        image_token_id=tokenizer.context_image_token_id,
        downsample_ratio=0.5,
        tie_word_embeddings=True,
    )
    pictures = GotOcr2ImageProcessorPil(size={"height": SIZE, "width": SIZE}, max_patches=2)
    make = without_video(processor_class("internvl"))
    return config, make(pictures, tokenizer, image_seq_length=(SIZE // PATCH) ** 2 // 4)


def _gemma3(tokenizer: Any) -> Any:
    import transformers
    from transformers.models.gemma3.image_processing_pil_gemma3 import Gemma3ImageProcessorPil

    config = transformers.Gemma3Config(
        text_config=_text(tokenizer, sliding_window=512),
        vision_config=_vision(model_type="siglip_vision_model", vision_use_head=False),
        image_token_index=tokenizer.image_token_id,
        boi_token_index=tokenizer.boi_token_id,
        eoi_token_index=tokenizer.eoi_token_id,
        mm_tokens_per_image=4,
        tie_word_embeddings=True,
    )
    pictures = Gemma3ImageProcessorPil(size={"height": SIZE, "width": SIZE})
    return config, transformers.Gemma3Processor(pictures, tokenizer, image_seq_length=4)


def _paligemma(tokenizer: Any) -> Any:
    import transformers
    from transformers.models.siglip.image_processing_pil_siglip import SiglipImageProcessorPil

    pictures = SiglipImageProcessorPil(size={"height": SIZE, "width": SIZE})
    pictures.image_seq_length = (SIZE // PATCH) ** 2
    processor = transformers.PaliGemmaProcessor(pictures, tokenizer, chat_template=tokenizer.chat_template)
    config = transformers.PaliGemmaConfig(
        # The processor has added its tokens of places (<loc0000> …) to the vocabulary.
        text_config=_text(tokenizer, model_type="gemma", vocab_size=-(-len(tokenizer) // 64) * 64),
        vision_config=_vision(model_type="siglip_vision_model", vision_use_head=False, projection_dim=WIDTH),
        image_token_index=processor.image_token_id,
        projection_dim=WIDTH,
        tie_word_embeddings=True,
    )
    return config, processor


BUILDERS: dict[str, Callable[[Any], tuple[Any, Any]]] = {
    "qwen2_5_vl": _qwen2_5_vl,
    "qwen3_vl": _qwen3_vl,
    "idefics3": _idefics3,
    "smolvlm": _smolvlm,
    "llava": _llava,
    "llava_onevision": _llava_onevision,
    "internvl": _internvl,
    "gemma3": _gemma3,
    "paligemma": _paligemma,
}
