"""Ambivalence or hesitancy (BAH): F1 of both classes, and average precision of its presence in both definitions.

As published (González-González et al. 2026, ICLR, bah_metrics), precision over recall is integrated by trapezoids
at the thresholds 0, 0.001, …, 0.999, precision being 0 where nothing reaches the threshold. The step-wise sum
Σ (R_k − R_{k−1}) · P_k over all different scores is what scikit-learn's average_precision_score computes; it needs no
grid and does not interpolate. The score is that of `ambivalence` in `Prediction.scores`; samples without one come last.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from eval.metrics import confusion
from eval.metrics.counts import Array, ratio
from eval.metrics.distribution import read_scores
from eval.metrics.family import Case, Context, Family, FamilyMetric, Line, Measured
from eval.metrics.ranked import Steps, descending

LABEL_SET = "bah2"
CLASSES = ("no ambivalence", "ambivalence")
GRID = np.arange(0, 1, 0.001)
LAST = -1.0
"""The score of a sample that was given none: no threshold is so low."""
SOURCE = "BAH, ICLR 2026; bah_metrics"


def measure(cases: Sequence[Case], context: Context) -> Measured:
    """Keep the class of gold and of the answer (1: ambivalence), and the score of ambivalence."""
    if context.label_set != LABEL_SET:
        return Measured([None] * len(cases))
    lines: list[Line | None] = [None if case.score.label_gold not in CLASSES else _line(case) for case in cases]
    known = [line for line in lines if line is not None]
    scored = sum(line[2] is not None for line in known)
    if 0 < scored < len(known):
        without = f"{len(known) - scored:,} of {len(known):,} samples have no score of ambivalence: they come last"
        return Measured(lines, notices=[without])
    return Measured(lines)


def _line(case: Case) -> Line:
    gold, said = (
        float(CLASSES.index(x)) if x in CLASSES else None for x in (case.score.label_gold, case.score.label_pred)
    )
    given = read_scores(case.prediction.scores, LABEL_SET) if case.prediction else None
    return gold, said, None if given is None else given[CLASSES[1]]


def ranks(lines: Array, weights: Array) -> Array:
    """Return the confusion (2 × 3, flat), then both average precisions; NaN without any score: (..., 8)."""
    gold, said, score = lines.T
    matrices = confusion.one_hot(gold, said, 2).reshape(len(lines), -1)
    if np.isnan(score).all():
        unknown = np.full((*weights.shape[:-1], 2), np.nan)
        return np.concatenate([weights @ matrices, unknown], axis=-1)
    score = np.where(np.isnan(score), LAST, score)
    both = [step_ap(descending(score, weights, gold)), grid_ap(score, weights, gold)]
    return np.concatenate([weights @ matrices, np.stack(both, axis=-1)], axis=-1)


def step_ap(steps: Steps) -> Array:
    """Return Σ (R_k − R_{k−1}) · P_k, the highest score first; NaN where gold has no positive."""
    found = steps.events.cumsum(axis=-1)
    precision = np.nan_to_num(ratio(found, steps.weight.cumsum(axis=-1)))
    return ratio((steps.events * precision).sum(axis=-1), found[..., -1])


def grid_ap(score: Array, weights: Array, gold: Array) -> Array:
    """Return the area under precision over recall at the thresholds of `GRID`, by trapezoids."""
    reached = np.searchsorted(GRID, score, side="right").astype(np.float64)  # how many thresholds each score reaches
    steps = descending(reached, weights, gold)
    is_reached = steps.score > 0
    found, named = steps.events[..., is_reached].cumsum(axis=-1), steps.weight[..., is_reached].cumsum(axis=-1)
    positives = (weights * gold).sum(axis=-1)
    recall, precision = ratio(found, positives[..., None]), np.nan_to_num(ratio(found, named))
    if steps.score[0] < len(GRID):  # no score reaches the last threshold: there nothing is found, with precision 0
        nothing = np.zeros((*recall.shape[:-1], 1))
        recall, precision = (np.concatenate([nothing, curve], axis=-1) for curve in (recall, precision))
    area = (np.diff(recall, axis=-1) * (precision[..., 1:] + precision[..., :-1]) / 2.0).sum(axis=-1)
    return np.where(positives > 0, area, np.nan)


def _matrix(numbers: Array) -> Array:
    return numbers[..., :6].reshape(*numbers.shape[:-1], 2, 3)


FAMILY = Family(
    name="ambivalence",
    title="Ambivalence or hesitancy",
    about="Whether somebody is of two minds: F1 of both classes, and how well the scores rank its presence.",
    measure=measure,
    ranks=ranks,
    metrics={
        "ah_f1_pos": FamilyMetric(
            "F1 of ambivalence", "F1 of the presence of ambivalence or hesitancy.",
            lambda numbers: confusion.f1(_matrix(numbers))[..., 1], source=SOURCE,
        ),
        "ah_f1_neg": FamilyMetric(
            "F1 of none", "F1 of the absence of ambivalence or hesitancy.",
            lambda numbers: confusion.f1(_matrix(numbers))[..., 0], source=SOURCE,
        ),
        "ah_macro_f1": FamilyMetric(
            "Ambivalence macro F1", "Mean of both F1.",
            lambda numbers: confusion.macro_f1(_matrix(numbers)), source=SOURCE, is_headline=True,
        ),
        "ah_weighted_f1": FamilyMetric(
            "Ambivalence weighted F1", "Both F1 weighted by their samples.",
            lambda numbers: confusion.weighted_f1(_matrix(numbers)), source=SOURCE,
        ),
        "ah_ap_grid": FamilyMetric(
            "AP of ambivalence, as published",
            "Precision over recall by trapezoids at thresholds 0.001 apart, precision 0 where nothing is found.",
            lambda numbers: numbers[..., 7], source=SOURCE,
        ),
        "ah_ap": FamilyMetric(
            "AP of ambivalence", "Average precision by steps over the different scores, without a grid.",
            lambda numbers: numbers[..., 6], source="scikit-learn, average_precision_score", is_headline=True,
        ),
    },
)  # fmt: skip
