"""What the rounds came to, side by side: read from the files that `emollm score` and `emollm compare` wrote.

outcome = read_outcome(folder / "round-2", 2, "accuracy")
print("\\n".join(table([...], "accuracy")))
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from emollm.errors import ConfigError
from emollm.train.rounds.data import count

SHOWN = ("accuracy", "au_micro_f1", "claim_precision", "right_for_true_reasons")
"""Metrics that are shown beside the one that decides."""


class Outcome(NamedTuple):
    """A round: what it learnt from, how it was measured, and its difference from the round before."""

    number: int
    gold: int
    own: int
    metrics: Mapping[str, Any]
    """Metric to value, low and high: shares from 0 to 1."""
    difference: Mapping[str, Any] | None
    """Of the metric that decides: first, second, low, high, second_is. None in the first round."""

    @property
    def is_better(self) -> bool:
        """Whether the paired interval over the round before lies on the better side of 0."""
        return self.difference is not None and self.difference["second_is"] == "better"

    def verdict(self) -> str:
        """Write the difference in points, with its interval."""
        one = self.difference
        if one is None:
            return ""
        change = 100 * (one["second"] - one["first"])
        return f"{change:+.1f} [{100 * one['low']:+.1f}, {100 * one['high']:+.1f}] {one['second_is']}"

    def told(self) -> dict[str, Any]:
        """Return the round for a manifest."""
        metrics = {name: self.metrics[name]["value"] for name in SHOWN if name in self.metrics}
        difference = dict(self.difference) if self.difference else None
        return {"round": self.number, "gold": self.gold, "own": self.own} | metrics | {"difference": difference}


def read_outcome(folder: Path, number: int, metric: str) -> Outcome:
    """Read a round's scores. Raises ConfigError where the metric that decides cannot be computed."""
    metrics = json.loads((folder / "score" / "results.json").read_text("utf-8"))["metrics"]
    if metrics[metric]["value"] is None:
        known = ", ".join(name for name in SHOWN if metrics[name]["value"] is not None)
        raise ConfigError(f"{folder}: metric: the held-out samples lack what {metric} compares with; take {known}")
    path = folder / "compare.json"
    compared = json.loads(path.read_text("utf-8"))["differences"][metric] if path.exists() else None
    gold = count(folder.parent / "gold.jsonl")
    return Outcome(number, gold, count(folder / "train.jsonl") - gold, metrics, compared)


def table(outcomes: Sequence[Outcome], metric: str) -> Iterator[str]:
    """Yield the rounds as lines: values in points, intervals of 95 %."""
    shown = [name for name in SHOWN if name != metric]
    widths = [max(len(name), 6) for name in shown]
    heads = "".join(f"  {name:>{width}}" for name, width in zip(shown, widths, strict=True))
    yield f"{'round':<6}{'gold':>7}{'own':>7}  {metric:<24}{'over the round before':<36}{heads}"
    for one in outcomes:
        values = "".join(
            f"  {_points(one.metrics[name]['value']):>{width}}" for name, width in zip(shown, widths, strict=True)
        )
        number = one.metrics[metric]
        interval = f"{_points(number['value'])} [{_points(number['low'])}, {_points(number['high'])}]"
        yield f"{one.number:<6}{one.gold:>7,}{one.own:>7,}  {interval:<24}{one.verdict():<36}{values}"


def _points(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.1f}"
