"""A reward: a function of what was heard, its range, where it comes from and what it pays."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

from emollm.train.rewards.heard import Heard


class Reward(NamedTuple):
    """One reward. Calling it gives a number from `low` to `high`, or None.

    None means that the sample lacks the gold, or that the question did not ask for what is rewarded. It depends on
    the sample and on how it was asked alone, never on the completion: no text escapes a low reward by being odd.
    """

    function: Callable[[Heard], float | None]
    low: float
    high: float
    source: str
    """The paper or system it comes from; `ours`: defined here."""
    help: str
    """What it pays, in a line."""
    needs_wheels: bool = False
    """Whether it compares labels on emotion wheels, whose tables are a file of the recipe's."""

    def __call__(self, heard: Heard) -> float | None:
        """Return the reward, held within its range. Raises ValueError where the function gives NaN or infinity."""
        value = self.function(heard)
        if value is None:
            return None
        if not math.isfinite(value):
            raise ValueError(f"a reward must be a finite number or None, not {value}")
        return min(max(float(value), self.low), self.high)
