"""Calibration: is the model right as often as its scores say? From `Prediction.scores`, read as probabilities.

The answer of the scores is the label with the highest one; where several tie, each is right in its part. Expected
calibration error (ECE): Guo et al. 2017, ICML, with 15 bins of equal width. Brier score: Brier 1950, Monthly Weather
Review 78:1, in its first form, the sum over all labels, 0 to 2. Negative log-likelihood (NLL) in nats.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from eval.metrics.counts import Array, ratio
from eval.metrics.distribution import FLOOR, cross_entropy, outside, read_scores, top
from eval.metrics.family import Case, Context, Each, Family, FamilyMetric, Line, Measured

NUM_BINS = 15
BIN_NAMES = tuple(f"{k / NUM_BINS:.2f} – {(k + 1) / NUM_BINS:.2f}" for k in range(NUM_BINS))
"""Of the highest score, closed above."""
GUO = "Guo et al. 2017, ICML"


def measure(cases: Sequence[Case], context: Context) -> Measured:
    """Keep whether there are scores, the highest one, whether it is right and the answer, Brier and NLL."""
    lines: list[Line | None] = []
    num_zero = 0
    for case in cases:
        gold = case.score.label_gold
        given = read_scores(case.prediction.scores, context.label_set) if case.prediction else None
        if gold is None or given is None:
            lines.append(None if gold is None else (0.0, None, None, None, None, None))
            continue
        best, chance = top(given), given.get(gold, 0.0)
        num_zero += chance < FLOOR
        brier = sum(share**2 for share in given.values()) - 2.0 * chance + 1.0
        agrees = float(case.score.label_pred in best)
        lines.append(
            (1.0, given[best[0]], (gold in best) / len(best), agrees, brier, cross_entropy({gold: 1.0}, given))
        )
    if not any(line is not None and line[0] for line in lines):
        return Measured([None] * len(cases))
    stated = (case.prediction.scores for case in cases if case.prediction and case.score.label_gold is not None)
    notices = [*_notices(lines, num_zero), *outside(stated, context.label_set, "scores")]
    return Measured(lines, {"bins": NUM_BINS, "floor": FLOOR}, notices=notices, parts=BIN_NAMES)


def _notices(lines: Sequence[Line | None], num_zero: int) -> list[str]:
    """Say what the numbers leave out, and where the floor decides."""
    known = [line for line in lines if line is not None]
    notices = []
    if without := sum(not line[0] for line in known):
        notices.append(
            f"{without:,} of {len(known):,} samples have no scores: the numbers below are about the others alone"
        )
    if num_zero:
        scored = len(known) - without
        notices.append(f"{num_zero:,} of {scored:,} gold labels got no probability: their NLL is that of {FLOOR:.1e}")
    return notices


def sums(lines: Array) -> Array:
    """Return samples, those with scores, agreement, Brier, NLL, then n, confidence and right of each bin: (n, 50)."""
    scored = lines[:, 0]
    confidence, right, *others = np.nan_to_num(lines[:, 1:]).T
    # Bins are (0, 1/15], (1/15, 2/15], … as in the paper.
    place = np.clip(np.ceil(confidence * NUM_BINS) - 1, 0, NUM_BINS - 1).astype(np.intp)
    bins = np.zeros((len(lines), NUM_BINS, 3))
    bins[np.arange(len(lines)), place] = np.stack([scored, confidence, right], axis=-1)
    return np.concatenate(
        [np.stack([np.ones_like(scored), scored, *others], axis=-1), bins.reshape(len(lines), -1)], -1
    )


def _bins(sums: Array) -> tuple[Array, Array, Array]:
    """Return n, confidence and right of each bin, (..., 15) each."""
    n, confidence, right = np.moveaxis(sums[..., 5:].reshape(*sums.shape[:-1], NUM_BINS, 3), -1, 0)
    return n, confidence, right


def ece(sums: Array) -> Array:
    """Return Σ over bins of |right − confidence| / samples with scores."""
    _, confidence, right = _bins(sums)
    return ratio(np.abs(right - confidence).sum(axis=-1), sums[..., 1])


def overconfidence(sums: Array) -> Array:
    """Return mean confidence − accuracy: above 0 the model promises too much."""
    _, confidence, right = _bins(sums)
    return ratio(confidence.sum(axis=-1), sums[..., 1]) - ratio(right.sum(axis=-1), sums[..., 1])


def _has_scores(lines: Array) -> Array:
    return lines[:, 0]


def _in_bin(lines: Array) -> Array:
    """Return in which bin each sample is (n, 15)."""
    return _bins(sums(lines))[0]


def _mean_of_bins(place: int) -> tuple[Callable[[Array], Array], Each]:
    """Return the mean over all samples with scores, and in each bin, of confidence (1) or of being right (2)."""
    return (
        lambda sums: ratio(_bins(sums)[place].sum(axis=-1), sums[..., 1]),
        Each(lambda sums: ratio(_bins(sums)[place], _bins(sums)[0]), _in_bin),
    )


_CONFIDENCE, _RIGHT = _mean_of_bins(1), _mean_of_bins(2)


FAMILY = Family(
    name="calibration",
    title="Calibration",
    about="Whether the model is right as often as its scores say.",
    measure=measure,
    sums=sums,
    metrics={
        "ece": FamilyMetric(
            "ECE",
            f"Expected calibration error: mean distance of accuracy from confidence over {NUM_BINS} bins of equal "
            "width. Its interval lies too high for few samples.",
            ece, better="lower", source=GUO, is_headline=True, counts_in=_has_scores,
        ),
        "overconfidence": FamilyMetric(
            "Overconfidence", "Mean highest score − how often it is right.", overconfidence, better="", source=GUO,
            counts_in=_has_scores,
        ),
        "brier": FamilyMetric(
            "Brier score", "Mean squared distance of the scores from gold, summed over labels: 0 to 2.",
            lambda sums: ratio(sums[..., 3], sums[..., 1]), better="lower", unit="number",
            source="Brier 1950, Monthly Weather Review 78:1", counts_in=_has_scores,
        ),
        "nll": FamilyMetric(
            "NLL", "Mean of −ln of what the gold label was given, in nats.",
            lambda sums: ratio(sums[..., 4], sums[..., 1]), better="lower", unit="number", counts_in=_has_scores,
        ),
        "scored_accuracy": FamilyMetric(
            "Accuracy where scored", "How often the label with the highest score is right; in each bin, the height of "
            "the reliability diagram.", _RIGHT[0], source=GUO, counts_in=_has_scores, is_detail=True, each=_RIGHT[1],
        ),
        "mean_confidence": FamilyMetric(
            "Mean confidence", "Mean highest score.", _CONFIDENCE[0], better="", source=GUO, counts_in=_has_scores,
            is_detail=True, each=_CONFIDENCE[1],
        ),
        "score_agreement": FamilyMetric(
            "Answer has the highest score", "Answers that name the label with the highest score / samples with scores.",
            lambda sums: ratio(sums[..., 2], sums[..., 1]), better="", counts_in=_has_scores, is_detail=True,
        ),
        "score_coverage": FamilyMetric(
            "Scores given", "Samples with scores / samples with a gold label.",
            lambda sums: ratio(sums[..., 1], sums[..., 0]), better="",
        ),
    },
)  # fmt: skip
