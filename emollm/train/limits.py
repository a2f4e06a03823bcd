"""The ranges of the numbers in a recipe, as types that msgspec checks.

`recipe.check_values` puts those of TRL's own arguments in place of the bare `int` and `float` they are declared with.
"""

from __future__ import annotations

from typing import Annotated, Any, TypeAlias

import msgspec

Count: TypeAlias = Annotated[int, msgspec.Meta(ge=1)]
Natural: TypeAlias = Annotated[int, msgspec.Meta(ge=0)]
Above: TypeAlias = Annotated[float, msgspec.Meta(gt=0)]
AtLeast: TypeAlias = Annotated[float, msgspec.Meta(ge=0)]
Share: TypeAlias = Annotated[float, msgspec.Meta(ge=0, lt=1)]
Seed: TypeAlias = Annotated[int, msgspec.Meta(ge=0, lt=2**32)]
"""NumPy takes no larger seed."""

TRAINER: dict[str, Any] = {
    "max_steps": Count,
    "num_train_epochs": Above,
    "per_device_train_batch_size": Count,
    "gradient_accumulation_steps": Count,
    "learning_rate": Above,
    "warmup_steps": AtLeast,
    "weight_decay": AtLeast,
    "adam_beta1": Share,
    "adam_beta2": Share,
    "adam_epsilon": Above,
    "max_grad_norm": AtLeast,
    "label_smoothing_factor": Share,
    "logging_steps": Above,
    "save_steps": Above,
    "save_total_limit": Count | None,
    "dataloader_num_workers": Natural,
    "seed": Seed,
    "data_seed": Seed | None,
}
"""Arguments of the trainer that would otherwise fail after the model is loaded, or train nothing without a word.

Without `max_steps` the epochs count; TRL's -1 for it is not needed."""
