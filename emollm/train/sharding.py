"""Sharding: what a training splits over its processes, and which checkpoints it can go on from.

    check_goes_on(checkpoint, sharding_of(trainer))

Of a checkpoint that was split in another way, a trainer finds the weights but not the state of the optimizer, and
begins that anew without a word.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from emollm.errors import ConfigError
from emollm.train.consolidate import parts_of


class Sharding(NamedTuple):
    """What splits weights, gradients and optimizer, and over how many processes; None where any number will do."""

    by: str | None
    num_processes: int | None = None

    def __str__(self) -> str:
        if self.by is None:
            return "without sharding"
        return f"with {self.by}" + (f" over {self.num_processes} processes" if self.num_processes else "")


WHOLE = Sharding(None)
FSDP = Sharding("FSDP")


def sharding_of(trainer: Any) -> Sharding:
    """Return how a trainer of transformers splits."""
    if trainer.is_fsdp_enabled:
        return FSDP
    if not trainer.is_deepspeed_enabled:
        return WHOLE
    return _zero(trainer.args.deepspeed_plugin.zero_stage, trainer.args.world_size)


def sharding_in(checkpoint: Path) -> Sharding:
    """Return how a checkpoint was split, by its files."""
    if any(checkpoint.glob("pytorch_model_fsdp*")) or any(checkpoint.glob("optimizer.bin")):
        return FSDP
    parts = parts_of(checkpoint)
    if parts is None:
        return WHOLE
    stage = 3 if any(parts.glob("*zero_pp_rank_*model_states.pt")) else 2
    return _zero(stage, len(list(parts.glob("*zero_pp_rank_*optim_states.pt"))))


def check_goes_on(checkpoint: Path, now: Sharding) -> None:
    """Raise ConfigError where a training that is split so cannot go on from a checkpoint."""
    before = sharding_in(checkpoint)
    if before != now:
        raise ConfigError(
            f"{checkpoint}: was written {before}, and this runs {now}; "
            "take the launcher of that run, or use --overwrite to start again"
        )


def _zero(stage: int, num_processes: int) -> Sharding:
    # Stages 1 and 2 differ in gradients alone, of which a checkpoint has none.
    return Sharding("DeepSpeed ZeRO-3" if stage == 3 else "DeepSpeed ZeRO-1 or 2", num_processes)
