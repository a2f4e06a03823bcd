"""Groups: GRPO compares the answers to one question with each other, so a rollout must hold whole groups of them.

check_groups({"per_device_train_batch_size": 9, "num_generations": 4}, world=2)      # ConfigError: 4 do not divide 18
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from emollm.errors import ConfigError

MOST_NAMED = 4
"""Sizes of a group that are proposed."""


def check_groups(values: Mapping[str, Any], world: int) -> None:
    """Raise ConfigError where a rollout does not hold whole groups, in the words of the recipe, with what would do.

    A rollout is per_device_train_batch_size x processes (`world`) x accumulated steps, or generation_batch_size.
    """
    size = values.get("num_generations") or 8
    batch = values.get("per_device_train_batch_size") or 8
    steps = values.get("steps_per_generation") or values.get("gradient_accumulation_steps") or 1
    given = values.get("generation_batch_size")
    rollout = given or batch * world * steps
    if rollout % size == 0:
        return
    key, rest = ("generation_batch_size", 1) if given else ("per_device_train_batch_size", world * steps)
    made_of = key if given else f"{key} {batch} x {world} process(es) x {steps} accumulated"
    groups = _listed(_divisors(rollout, size))
    raise ConfigError(
        f"num_generations: {size} answers to a question do not divide a rollout of {rollout:,} ({made_of}); "
        + (f"num_generations {groups} would do, or " if groups else "take ")
        + f"{key} {_listed(_multiples(rollout // rest, size // math.gcd(size, rest)))}"
    )


def _divisors(rollout: int, size: int) -> list[int]:
    """Return the sizes of a group that divide a rollout, the nearest ones to what was asked for."""
    possible = [number for number in range(2, rollout + 1) if rollout % number == 0]
    return sorted(sorted(possible, key=lambda number: abs(number - size))[:MOST_NAMED])


def _multiples(number: int, unit: int) -> list[int]:
    """Return the multiples of a unit next to a number."""
    below = number // unit * unit
    return [multiple for multiple in (below, below + unit) if multiple]


def _listed(numbers: Sequence[int]) -> str:
    """Return numbers as text: 2, 4 or 8."""
    *others, last = [*map(str, numbers)] or [""]
    return f"{', '.join(others)} or {last}" if others else last
