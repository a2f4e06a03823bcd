"""The ranges of the numbers in a recipe, as types that msgspec checks.

`recipe.check_values` puts those of TRL's own arguments in place of the bare `int` and `float` they are declared with.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

import msgspec

Count: TypeAlias = Annotated[int, msgspec.Meta(ge=1)]
Natural: TypeAlias = Annotated[int, msgspec.Meta(ge=0)]
Above: TypeAlias = Annotated[float, msgspec.Meta(gt=0)]
AtLeast: TypeAlias = Annotated[float, msgspec.Meta(ge=0)]
Share: TypeAlias = Annotated[float, msgspec.Meta(ge=0, lt=1)]
Part: TypeAlias = Annotated[float, msgspec.Meta(ge=0, le=1)]
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
    "neftune_noise_alpha": AtLeast | None,
    "logging_strategy": Literal["no", "steps", "epoch"],
    "logging_steps": Above,
    "save_strategy": Literal["no", "steps", "epoch"],
    "save_steps": Above,
    "save_total_limit": Count | None,
    "dataloader_num_workers": Natural,
    "seed": Seed,
    "data_seed": Seed | None,
}
"""Arguments of the trainer that would otherwise fail after the model is loaded, or train nothing without a word.

Without `max_steps` the epochs count; TRL's -1 for it is not needed."""

ROLLOUT: dict[str, Any] = {
    "num_generations": Annotated[int, msgspec.Meta(ge=2)],
    "max_completion_length": Count,
    "steps_per_generation": Count | None,
    "generation_batch_size": Count | None,
    "num_iterations": Count,
    "temperature": Above,
    "top_p": Annotated[float, msgspec.Meta(gt=0, le=1)],
    "top_k": Natural,
    "min_p": Part | None,
    "repetition_penalty": Above,
    "beta": AtLeast,
    "scale_rewards": Literal["group", "batch", "none"] | bool,
    "importance_sampling_level": Literal["token", "sequence"],
    "multi_objective_aggregation": Literal["sum_then_normalize", "normalize_then_sum"],
    "cache_implementation": Literal["dynamic", "offloaded", "static", "offloaded_static", "quantized"] | None,
    "vllm_mode": Literal["colocate", "server"],
    "epsilon": AtLeast,
    "epsilon_high": AtLeast | None,
    "delta": Above | None,
    "top_entropy_quantile": Part,
    "ref_model_mixup_alpha": Part,
    "ref_model_sync_steps": Count,
    "vllm_gpu_memory_utilization": Annotated[float, msgspec.Meta(gt=0, le=1)],
    "vllm_tensor_parallel_size": Count,
    "vllm_max_model_length": Count | None,
}
"""Those of a trainer that samples: a group of one has no mean to be compared with."""

_Dpo: TypeAlias = Literal[
    "sigmoid",
    "sigmoid_norm",
    "hinge",
    "ipo",
    "exo_pair",
    "nca_pair",
    "robust",
    "bco_pair",
    "sppo_hard",
    "aot",
    "aot_unpaired",
    "apo_zero",
    "apo_down",
    "discopop",
    "sft",
]
LOSSES: dict[str, dict[str, Any]] = {
    "SFTConfig": {"loss_type": Literal["nll", "dft"]},
    "GRPOConfig": {"loss_type": Literal["grpo", "dapo", "dr_grpo", "bnpo", "cispo", "sapo", "luspo", "vespo"]},
    "DPOConfig": {
        "loss_type": list[_Dpo],
        "f_divergence_type": Literal["reverse_kl", "forward_kl", "js_divergence", "alpha_divergence"],
    },
}
"""The losses of each of TRL's classes of arguments: an unknown one would be refused in the first step, or later."""
