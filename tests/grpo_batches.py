"""Batches as TRL's GRPOTrainer has them when it computes an update, and small models for them.

case = build_case("qwen3_vl")
trainer._get_per_token_logps_and_entropies(case.model, **case.batch)
"""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from stand_ins import build_stand_in

from emollm.train.shared_prefix import PICTURES
from emollm.vlm.turns import Turn, encode_prompts

PROMPT_OF_ROW = (0, 1, 0, 0, 1)
"""Two groups of unequal size, and apart; the first prompt has one picture and the second two."""
LENGTHS = (7, 9, 3, 8, 5)
"""Tokens of the completions."""
TEXTS = ["Which expression is this? ", "Two faces: what do both show, and what sets them apart? "]


class Case(NamedTuple):
    """A model with TRL's head and a batch as TRL's trainer gives it to the method under test."""

    model: Any
    processor: Any
    batch: dict[str, Any]


def build_case(family: str, num_pictures: tuple[int, int] = (1, 2)) -> Case:
    from trl.trainer.utils import add_fused_lm_head

    model, processor = build_stand_in(COUSINS.get(family, family), TEXTS)
    if family in COUSINS:
        model = build_cousin(family, model)
    add_fused_lm_head(model, outputs=("log_probs", "entropy"))
    return Case(model, processor, make_batch(processor, num_pictures))


COUSINS = {"qwen2_vl": "qwen2_5_vl", "smolvlm": "idefics3", "mistral": "llava", "qwen3": "llava"}
"""Models, and language models, whose batches look like those of a family that has a stand-in."""


def build_cousin(family: str, model: Any) -> Any:
    import transformers

    known = model.config.to_dict()
    names = ("image_token_id", "image_token_index", "video_token_id", "scale_factor", "vision_feature_layer")
    parts = {name: known[name] for name in names if name in known}
    text = {name: value for name, value in known["text_config"].items() if name != "layer_types"}
    vision = known["vision_config"]
    if family in ("mistral", "qwen3"):
        text |= {"model_type": family, "sliding_window": None}
    if family == "qwen2_vl":
        text.pop("model_type")
        vision = {"depth": 1, "embed_dim": 64, "hidden_size": 64, "num_heads": 4, "mlp_ratio": 2, "patch_size": 16}
    transformers.set_seed(0)
    configs = {"qwen2_vl": transformers.Qwen2VLConfig, "smolvlm": transformers.SmolVLMConfig}
    config = configs.get(family, transformers.LlavaConfig)
    return transformers.AutoModelForImageTextToText.from_config(config(text_config=text, vision_config=vision, **parts))


def make_batch(processor: Any, num_pictures: tuple[int, int]) -> dict[str, Any]:
    from PIL import Image

    rng = torch.Generator().manual_seed(7)
    pixels = torch.randint(0, 256, (sum(num_pictures), 64, 64, 3), generator=rng, dtype=torch.uint8).numpy()
    pictures = [Image.fromarray(values) for values in pixels]
    shown = (tuple(pictures[: num_pictures[0]]), tuple(pictures[num_pictures[0] :]))
    turns = [
        Turn([{"role": "user", "content": [{"type": "image"}] * len(some) + [{"type": "text", "text": text}]}], some)
        for some, text in zip(shown, TEXTS, strict=True)
    ]
    inputs = encode_prompts(processor, [turns[at] for at in PROMPT_OF_ROW])
    prompts, prompt_mask = inputs.pop("input_ids"), inputs.pop("attention_mask")
    mask = (torch.arange(max(LENGTHS))[None] < torch.tensor(LENGTHS)[:, None]).long()
    letters = processor.tokenizer(" the quick brown fox jumps over it.", add_special_tokens=False)["input_ids"]
    completions = torch.tensor(letters)[torch.randint(0, len(letters), mask.shape, generator=rng)]
    batch = {name: value for name, value in inputs.items() if name in PICTURES}
    if "mm_token_type_ids" in inputs:
        batch["mm_token_type_ids"] = torch.cat([inputs["mm_token_type_ids"], torch.zeros_like(mask)], 1)
    counts = [num_pictures[at] for at in PROMPT_OF_ROW]
    batch |= {"num_images": counts} if sum(counts) else {}
    if sum(counts) and batch["pixel_values"].ndim == 4 and len(batch["pixel_values"]) != sum(counts):
        flat = [list(shown[at]) for at in PROMPT_OF_ROW]
        tiles = processor.image_processor(images=flat, crop_to_patches=True, return_tensors="pt")["num_patches"]
        batch["num_tiles"] = [int(part.sum()) for part in torch.split(tiles, counts)]
    return batch | {
        "input_ids": torch.cat([prompts, completions], 1),
        "attention_mask": torch.cat([prompt_mask, mask], 1),
        "logits_to_keep": mask.shape[1],
    }
