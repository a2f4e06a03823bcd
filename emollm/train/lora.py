"""What is trained: a LoRA adapter or all weights, and a table that shows it.

Example:

    print(trainable_table(model))
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import msgspec

from emollm.train.limits import Count, Share

VISION = ("visual", "vision", "connector", "multi_modal_projector")
"""Parts of module names that belong to seeing, in every family."""


class Lora(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A LoRA adapter, in PEFT's words."""

    r: Count = 16
    alpha: Count = 32
    dropout: Share = 0.05
    target_modules: str | list[str] = "all-linear"
    vision: bool = True
    """Adapt the vision tower too; a detector of small muscle movements usually has to."""


def peft_config(lora: Lora) -> Any:
    """Return the adapter as PEFT takes it."""
    from peft import LoraConfig

    return LoraConfig(
        r=lora.r,
        lora_alpha=lora.alpha,
        lora_dropout=lora.dropout,
        target_modules=lora.target_modules,
        exclude_modules=None if lora.vision else rf".*({'|'.join(VISION)}).*",
        task_type="CAUSAL_LM",
    )


def freeze_vision(model: Any) -> None:
    """Keep the vision tower and its connector as they are."""
    for name, parameter in model.named_parameters():
        if is_vision(name):
            parameter.requires_grad_(False)


def is_vision(name: str) -> bool:
    """Tell whether a parameter or module belongs to seeing."""
    return any(part in name for part in VISION)


def trainable_table(model: Any) -> str:
    """Return a table of the model's parts: how many parameters each has, and how many of them learn."""
    parts: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for name, parameter in model.named_parameters():
        # ZeRO-3 leaves empty shells behind and keeps the true size here.
        size = getattr(parameter, "ds_numel", parameter.numel())
        for part in (_part(name), "all"):
            parts[part][0] += size
            parts[part][1] += size if parameter.requires_grad else 0
    rows = [f"{'part':<10}{'parameters':>16}{'trained':>16}"]
    for part in ("vision", "language", "adapter", "all"):
        if part in parts:
            total, trained = parts[part]
            rows.append(f"{part:<10}{total:>16,}{trained:>16,}  {trained / max(1, total):.1%}")
    return "\n".join(rows)


def _part(name: str) -> str:
    if "lora_" in name:
        return "adapter"
    return "vision" if is_vision(name) else "language"
