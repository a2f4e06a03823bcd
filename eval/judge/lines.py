"""Votes as lines of numbers, and the metrics of their sums.

    line = to_line(MODES, judged, human=7.0, target="judge_clue_overlap")
    sums = add_up(to_array([line]))                   # (n, F)
    metrics(MODES)["judge_clue_overlap"].function(sums.sum(axis=0))

A line holds for each number the mean of its votes and the variance of that mean, then the verdicts asked for and read,
the human score, and what the judge says of the same. What could not be read is not known: it is in no mean.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import numpy as np

from eval.judge.asking import Judged
from eval.judge.mode import Mode
from eval.metrics.counts import Array, ratio
from eval.metrics.family import FamilyMetric, Line, Unit

Z = 1.959963984540054
"""The 97.5 % point of the normal distribution."""
PPI = "Angelopoulos et al. 2023, Science 382:669"

_TAIL = 9
"""Sums behind those of the numbers: asked, read, and seven of judge and people."""


def to_line(modes: Mapping[str, Mode], judged: Judged, human: float | None = None, target: str = "") -> Line:
    """Return the line of one sample."""
    line: list[float | None] = []
    for name in (name for mode in modes.values() for name in mode.numbers):
        line += _mean_and_noise([vote for vote in judged.votes.get(name, ()) if vote is not None])
    said, _ = _mean_and_noise([vote for vote in judged.votes.get(target, ()) if vote is not None])
    return (*line, judged.asked, judged.read, human, said)


def _mean_and_noise(votes: list[float]) -> tuple[float | None, float | None]:
    """Return the mean of the votes and its variance; one vote does not tell how far others would differ."""
    if not votes:
        return None, None
    return float(np.mean(votes)), float(np.var(votes, ddof=1)) / len(votes) if len(votes) > 1 else None


def add_up(lines: Array) -> Array:
    """Return numbers that add up (n, F): known and value, known and variance of each number, then the tail."""
    pairs, (asked, read, human, said) = lines[:, :-4], lines[:, -4:].T
    known = ~np.isnan(pairs)
    columns = np.stack([known.astype(np.float64), np.where(known, pairs, 0.0)], axis=-1).reshape(len(lines), -1)
    both, alone = ~np.isnan(said) & ~np.isnan(human), ~np.isnan(said) & np.isnan(human)
    x, y = np.where(both, said, 0.0), np.where(both, human, 0.0)
    tail = [asked, read, alone, np.where(alone, said, 0.0), both, x, y, x * x + y * y, x * y]
    return np.concatenate([columns, np.stack(tail, axis=-1)], axis=1)


def is_known(column: int, lines: Array) -> Array:
    """Return which lines (n, D) have a number in a column, 0 or 1."""
    return np.asarray(~np.isnan(lines[:, column]), dtype=np.float64)


def is_scored(lines: Array) -> Array:
    """Return which lines have a score of both judge and people, 0 or 1."""
    return np.asarray(~np.isnan(lines[:, -2:]).any(axis=1), dtype=np.float64)


# --- functions of sums (..., F) ---------------------------------------------------------------------------------------


def mean(place: int, sums: Array) -> Array:
    """Return the mean of the number at a place."""
    return ratio(sums[..., 4 * place + 1], sums[..., 4 * place])


def noise(place: int, sums: Array) -> Array:
    """Return half the 95 % interval of the mean over the judge's own samples: how far it moves if asked again."""
    return Z * ratio(np.sqrt(sums[..., 4 * place + 3]), sums[..., 4 * place + 2])


def coverage(sums: Array) -> Array:
    """Return verdicts read / verdicts asked for."""
    return ratio(sums[..., -_TAIL + 1], sums[..., -_TAIL])


def ppi_mean(sums: Array) -> Array:
    """Return the judge's mean where there is no human score, plus the mean of human − judge where there is one.

    Without samples of the first kind, it is the human mean.
    """
    _, _, num_alone, alone, n, x, y, _, _ = _tail(sums)
    corrected = ratio(alone, num_alone) + ratio(y - x, n)
    return np.where(num_alone > 0, corrected, ratio(y, n))


def weighted_kappa(sums: Array) -> Array:
    """Return Cohen's κ with quadratic weights: 1 − observed / expected squared distance of judge and people.

    κ = 2 cov / (var x + var y + (mean x − mean y)²) with population moments (Cohen 1968; Fleiss and Cohen 1973).
    """
    *_, n, x, y, squares, xy = _tail(sums)
    distance, apart = ratio(squares - 2 * xy, n), ratio(squares, n) - 2 * ratio(x, n) * ratio(y, n)
    return 1 - ratio(distance, np.where(apart > 1e-12, apart, 0.0))


def alpha(sums: Array) -> Array:
    """Return Krippendorff's α for interval data of two coders (Krippendorff 2011, Computing α-reliability).

    α = 1 − (N − 1) · Σ (x − y)² / (N · Σ (v − v̄)²), with v the N = 2n values of both.
    """
    *_, n, x, y, squares, xy = _tail(sums)
    num, spread = 2 * n, squares - ratio((x + y) ** 2, 2 * n)
    return 1 - ratio((num - 1) * (squares - 2 * xy), np.where(spread > 1e-12, num * spread, 0.0))


def _tail(sums: Array) -> tuple[Array, ...]:
    return tuple(np.moveaxis(sums[..., -_TAIL:], -1, 0))


# --- the metrics ------------------------------------------------------------------------------------------------------


def metrics(modes: Mapping[str, Mode], prefix: str = "judge") -> dict[str, FamilyMetric]:
    """Return the metrics of the modes' numbers, in their order."""
    found: dict[str, FamilyMetric] = {}
    numbers = {name: number for mode in modes.values() for name, number in mode.numbers.items()}
    for place, (name, number) in enumerate(numbers.items()):
        unit: Unit = "share" if (number.low, number.high) == (0, 1) else "number"
        found[name] = FamilyMetric(
            number.title,
            number.definition,
            partial(mean, place),
            number.better,
            unit,
            number.source,
            number.is_headline,
            counts_in=partial(is_known, 2 * place),
        )
        found[f"{name}_noise"] = FamilyMetric(
            f"{number.title}: ± by the judge",
            "Half the 95 % interval over the judge's own verdicts: how far the number moves if the same explanations "
            "are judged again. The other interval is over subjects.",
            partial(noise, place),
            "",
            unit,
            is_detail=True,
            counts_in=partial(is_known, 2 * place + 1),
        )
    return found | {
        f"{prefix}_coverage": FamilyMetric("Verdicts read", "Verdicts that could be read / asked for.", coverage),
        f"{prefix}_kappa": FamilyMetric(
            "Judge and people: weighted κ", "Cohen's κ with quadratic weights of judge and people, where both scored.",
            weighted_kappa, unit="number", source="Cohen 1968", counts_in=is_scored,
        ),
        f"{prefix}_alpha": FamilyMetric(
            "Judge and people: α", "Krippendorff's α for intervals, of judge and people, where both scored.",
            alpha, unit="number", source="Krippendorff 2011", counts_in=is_scored,
        ),
        f"{prefix}_ppi": FamilyMetric(
            "Corrected by human scores", "Prediction-powered mean: the judge's mean where nobody scored, plus the mean "
            "of human − judge where somebody did.", ppi_mean, unit="number", source=PPI,
        ),
    }  # fmt: skip
