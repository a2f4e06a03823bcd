"""Valence and arousal: how well the numbers that a model states follow those of the annotators.

CCC = 2 · cov(x, y) / (var x + var y + (mean x − mean y)²), with population moments (Lin 1989, Biometrics 45:255), the
score of the ABAW challenges. It is at most 1; a constant answer has 0, as has one that does not move with the gold.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

import numpy as np

from emollm.records import Prediction
from eval.metrics.counts import Array, ratio
from eval.metrics.family import Case, Context, Family, FamilyMetric, Line, Measured

AXES = ("valence", "arousal")
SOURCE = "Lin 1989; Kollias et al., ABAW"

_STATED = {axis: re.compile(rf'{axis}"?\s*(?:is|of|=|:)?\s*([-+\u2212]?\d*\.?\d+)', re.IGNORECASE) for axis in AXES}


def measure(cases: Sequence[Case], _: Context) -> Measured:
    """Keep gold and stated valence, gold and stated arousal."""
    lines: list[Line | None] = []
    for case in cases:
        gold = [getattr(case.sample, axis) for axis in AXES]
        stated = [read_axis(case.prediction, axis) for axis in AXES]
        lines.append(None if gold == [None, None] else (gold[0], stated[0], gold[1], stated[1]))
    return Measured(lines)


def read_axis(prediction: Prediction | None, axis: str) -> float | None:
    """Return what a prediction gives an axis, in its field or in words ("valence: -0.4"); None: nothing in -1 to 1."""
    if prediction is None:
        return None
    value = getattr(prediction, axis)
    if value is None and (found := _STATED[axis].search(prediction.completion)):
        value = float(found[1].replace("\u2212", "-"))
    return value if value is not None and math.isfinite(value) and -1.0 <= value <= 1.0 else None


def sums(lines: Array) -> Array:
    """Return the sums of both axes' pairs, and how many have gold: (n, 2, 8)."""
    axes = [
        np.concatenate([pair_sums(x, y), ~np.isnan(x)[:, None]], axis=-1) for x, y in (lines[:, :2].T, lines[:, 2:].T)
    ]
    return np.stack(axes, axis=1)


def pair_sums(first: Array, second: Array) -> Array:
    """Return n, x, y, x², y², xy and |x − y| of each pair (n, 7), all 0 where one of the two is not known."""
    known = ~(np.isnan(first) | np.isnan(second))
    x, y = np.where(known, first, 0.0), np.where(known, second, 0.0)
    return np.stack([known.astype(np.float64), x, y, x * x, y * y, x * y, np.abs(x - y)], axis=-1)


def ccc(pairs: Array) -> Array:
    """Return the concordance of summed pairs (..., 7); NaN where nothing is known or neither side varies."""
    n, x, y, xx, yy, xy, _ = np.moveaxis(pairs, -1, 0)
    mean_x, mean_y = ratio(x, n), ratio(y, n)
    spread = ratio(xx, n) - mean_x**2 + ratio(yy, n) - mean_y**2 + (mean_x - mean_y) ** 2
    return ratio(2 * (ratio(xy, n) - mean_x * mean_y), spread)


FAMILY = Family(
    name="dimensional",
    title="Valence and arousal",
    about="Numbers that the model states, compared with the annotators'.",
    measure=measure,
    sums=sums,
    metrics={
        "ccc_valence": FamilyMetric(
            "CCC valence", "Concordance of stated and gold valence, where one is stated.",
            lambda sums: ccc(sums[..., 0, :7]), unit="number", source=SOURCE,
        ),
        "ccc_arousal": FamilyMetric(
            "CCC arousal", "Concordance of stated and gold arousal, where one is stated.",
            lambda sums: ccc(sums[..., 1, :7]), unit="number", source=SOURCE,
        ),
        "ccc": FamilyMetric(
            "CCC", "Mean of the concordances of valence and arousal.",
            lambda sums: ccc(sums[..., :7]).mean(axis=-1), unit="number", source=SOURCE, is_headline=True,
        ),
        "dimensional_coverage": FamilyMetric(
            "Valence and arousal stated", "Numbers from −1 to 1 that could be read / numbers that have gold.",
            lambda sums: ratio(sums[..., 0].sum(axis=-1), sums[..., 7].sum(axis=-1)),
        ),
    },
)  # fmt: skip
