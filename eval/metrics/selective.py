"""Coverage and risk: how often the model is right on the samples that it is most sure of, by `Prediction.scores`.

Samples are ranked by their highest score. The risk at a coverage is the share of wrong answers among that share of the
samples, and AURC the mean risk over all coverages 1/n, 2/n, …, 1 (Geifman, Uziel and El-Yaniv 2019, ICLR). What no
order can avoid is subtracted in the excess, E-AURC. Samples of one score come in any order, and the risk among them is
the mean over these orders. A sample without scores comes last and counts as wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from eval.metrics.counts import Array, ratio
from eval.metrics.distribution import read_scores, top
from eval.metrics.family import Case, Context, Each, Family, FamilyMetric, Line, Measured
from eval.metrics.ranked import Steps, descending

COVERAGES = (0.5, 0.7, 0.8, 0.9)
CURVE = tuple(k / 20 for k in range(1, 21))
"""Coverages at which the curve is drawn."""
CURVE_NAMES = tuple(f"{100 * coverage:.0f} %" for coverage in CURVE)
LAST = -1.0
"""The rank of a sample without scores."""
SOURCE = "Geifman et al. 2019, ICLR"


def measure(cases: Sequence[Case], context: Context) -> Measured:
    """Keep the highest score and whether it is right, in part where several labels tie."""
    lines: list[Line | None] = []
    for case in cases:
        gold = case.score.label_gold
        given = read_scores(case.prediction.scores, context.label_set) if case.prediction else None
        if gold is None or given is None:
            lines.append(None if gold is None else (LAST, 0.0))
            continue
        best = top(given)
        lines.append((given[best[0]], (gold in best) / len(best)))
    known = [line for line in lines if line is not None]
    without = sum(line[0] == LAST for line in known)
    if without == len(known):
        return Measured([None] * len(cases))
    notices = [f"{without:,} of {len(known):,} samples have no scores: they come last, as wrong"] if without else []
    return Measured(lines, notices=notices, parts=CURVE_NAMES)


def ranks(lines: Array, weights: Array) -> Array:
    """Return AURC, its least value, and the accuracy at each of `COVERAGES` and of `CURVE`: (..., 26)."""
    steps = descending(lines[:, 0], weights, 1.0 - lines[:, 1])
    total, wrong = steps.weight.sum(axis=-1), steps.events.sum(axis=-1)
    ends = np.stack([aurc(steps), least_aurc(total, wrong)], axis=-1)
    return np.concatenate([ends, accuracies(steps, (*COVERAGES, *CURVE))], axis=-1)


def aurc(steps: Steps) -> Array:
    """Return the mean risk over all coverages.

    Of m samples of one score with e wrong ones, behind M samples with E wrong ones, the j-th is expected to bring the
    risk (E + j·e/m) / (M + j). Their sum is e + (E − M·e/m) · (H(M+m) − H(M)), H being the harmonic numbers.
    """
    weight, wrong = steps.weight, steps.events
    reached = weight.cumsum(axis=-1)
    behind, wrong_behind = reached - weight, wrong.cumsum(axis=-1) - wrong
    share = wrong / np.where(weight > 0, weight, 1.0)
    spread = np.diff(_harmonic(weight)[reached.round().astype(np.intp)], axis=-1, prepend=0.0)
    return ratio((wrong + (wrong_behind - behind * share) * spread).sum(axis=-1), reached[..., -1])


def least_aurc(total: Array, wrong: Array) -> Array:
    """Return the AURC of an order with all wrong answers last: Σ over them of k / (right + k), divided by n."""
    right = np.floor(total - wrong + 1e-9)
    harmonic = _harmonic(np.atleast_1d(total)[..., None])
    spread = harmonic[total.round().astype(np.intp)] - harmonic[right.astype(np.intp)]
    return ratio((total - right) - right * spread, total)


def accuracies(steps: Steps, coverages: Sequence[float]) -> Array:
    """Return the accuracy among the ⌈coverage · n⌉ samples that come first, for each coverage: (..., coverages)."""
    reached, wrong = steps.weight.cumsum(axis=-1), steps.events.cumsum(axis=-1)
    wanted = np.ceil(np.array(coverages) * reached[..., -1:] - 1e-9)
    rows = zip(reached.reshape(-1, reached.shape[-1]), wanted.reshape(-1, len(coverages)), strict=True)
    place = np.array([np.searchsorted(row, there) for row, there in rows]).reshape(wanted.shape)
    place = place.clip(max=reached.shape[-1] - 1)
    surplus = np.take_along_axis(reached, place, -1) - wanted
    last, num_last = (np.take_along_axis(counts, place, -1) for counts in (steps.events, steps.weight))
    among = np.take_along_axis(wrong, place, -1) - surplus * np.nan_to_num(ratio(last, num_last))
    return 1.0 - ratio(among, wanted)


def _harmonic(weight: Array) -> Array:
    """Return H(0), H(1), … up to the most samples there are."""
    most = int(weight.sum(axis=-1).max(initial=0).round())
    return np.concatenate([[0.0], (1.0 / np.arange(1, most + 1)).cumsum()])


def _curve(numbers: Array) -> Array:
    return numbers[..., -len(CURVE) :]


def _pick(column: int) -> Callable[[Array], Array]:
    return lambda numbers: numbers[..., column]


FAMILY = Family(
    name="selective",
    title="Coverage and risk",
    about="How much surer answers are also better ones: the accuracy when the model may leave out the rest.",
    measure=measure,
    ranks=ranks,
    metrics={
        "aurc": FamilyMetric(
            "AURC", "Area under the risk–coverage curve: mean share of wrong answers over all coverages.", _pick(0),
            better="lower", source=SOURCE, is_headline=True,
        ),
        "e_aurc": FamilyMetric(
            "Excess AURC", "AURC beyond that of the best order of the same answers.",
            lambda numbers: numbers[..., 0] - numbers[..., 1], better="lower", source=SOURCE, is_detail=True,
        ),
        "selective_accuracy": FamilyMetric(
            "Accuracy", "Right answers among the samples with the highest scores, by the share of all that these are; "
            "of all samples, by the label with the highest score.", _pick(-1), source="El-Yaniv and Wiener 2010, JMLR "
            "11:1605", is_detail=True, each=Each(_curve, lambda lines: np.ones((len(lines), len(CURVE)))),
        ),
        **{
            f"accuracy_at_{coverage * 100:.0f}": FamilyMetric(
                f"Accuracy at {coverage * 100:.0f} % coverage",
                f"Right answers among the {coverage * 100:.0f} % of the samples with the highest scores.",
                _pick(2 + i), source="El-Yaniv and Wiener 2010, JMLR 11:1605", is_detail=coverage < 0.8,
            )
            for i, coverage in enumerate(COVERAGES)
        },
    },
)  # fmt: skip
