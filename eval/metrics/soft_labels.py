"""Soft labels: answers and scores against the distribution of the annotators' votes (`Sample.soft`).

Cross-entropy −Σ g · ln p and KL divergence, which is the cross-entropy less the entropy of gold, are in nats; the
Jensen–Shannon divergence (Lin 1991, IEEE TIT 37:145) is in bits, 0 to 1. Training on votes: Barsoum et al. 2016, ICMI
(FERPlus). An answer without scores has a label all the same, which the votes can agree with.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from emollm.labels import canonical
from eval.metrics.counts import Array, ratio
from eval.metrics.distribution import FLOOR, cross_entropy, entropy, js_divergence, outside, read_scores, top
from eval.metrics.family import Case, Context, Family, FamilyMetric, Line, Measured

BARSOUM = "Barsoum et al. 2016, ICMI"


def measure(cases: Sequence[Case], context: Context) -> Measured:
    """Keep top-1 agreement, the votes for the answer, most votes, scores or not, cross-entropy, KL and JS."""
    lines = [None if case.sample.soft is None else _line(case, context.label_set) for case in cases]
    known = [line for line in lines if line is not None]
    without = sum(not line[3] for line in known)
    notices = []
    if without:
        notices.append(f"{without:,} of {len(known):,} samples have no scores: divergences are about the others alone")
    voted = [case for case in cases if case.sample.soft is not None]
    notices += outside((case.sample.soft for case in voted), context.label_set, "votes")
    notices += outside((case.prediction.scores for case in voted if case.prediction), context.label_set, "scores")
    if num_zero := sum(_is_floored(case, context.label_set) for case in voted):
        notices.append(
            f"labels with votes got no probability in {num_zero:,} of {len(voted):,} samples: their cross-entropy is "
            f"that of {FLOOR:.1e}"
        )
    return Measured(lines, pins={"floor": FLOOR}, notices=notices)


def _is_floored(case: Case, label_set: str | None) -> bool:
    """Tell whether a label that has votes is given less than the floor, by scores that there are."""
    given = read_scores(case.prediction.scores, label_set) if case.prediction else None
    votes = read_votes(case.sample.soft or {}, label_set)
    return given is not None and any(given.get(label, 0.0) < FLOOR for label, share in votes.items() if share > 0)


def _line(case: Case, label_set: str | None) -> Line:
    gold = read_votes(case.sample.soft or {}, label_set)
    label = case.score.label_pred
    votes = (float(label in top(gold)), gold.get(label or "", 0.0), max(gold.values()))
    given = read_scores(case.prediction.scores, label_set) if case.prediction else None
    if given is None:
        return (*votes, 0.0, None, None, None)
    cost = cross_entropy(gold, given)
    return (*votes, 1.0, cost, cost - entropy(gold.values()), js_divergence(gold, given))


def read_votes(soft: Mapping[str, float], label_set: str | None) -> dict[str, float]:
    """Return the votes of each label, adding up to 1, in the words of the label set."""
    votes: dict[str, float] = {}
    total = sum(soft.values())
    for word, share in soft.items():
        label = canonical(word, label_set) or word.strip().lower()
        votes[label] = votes.get(label, 0.0) + share / total
    return votes


def sums(lines: Array) -> Array:
    """Return the lines, 0 for what is not known, and a 1 for each sample: (n, 8)."""
    return np.concatenate([np.nan_to_num(lines), np.ones((len(lines), 1))], axis=-1)


def _mean(column: int, of: int = -1) -> Callable[[Array], Array]:
    """Return the function of sums that is the mean of a column over all samples, or over those with scores."""
    return lambda sums: ratio(sums[..., column], sums[..., of])


def _has_scores(lines: Array) -> Array:
    return lines[:, 3]


FAMILY = Family(
    name="soft_labels",
    title="Soft labels",
    about="Answers and scores against how the annotators voted.",
    measure=measure,
    sums=sums,
    metrics={
        "soft_top1": FamilyMetric(
            "Top-1 agreement", "Answers that name the label with the most votes, or one of them / samples with votes.",
            _mean(0), source=BARSOUM, is_headline=True,
        ),
        "soft_votes": FamilyMetric(
            "Votes for the answer",
            "Mean share of the annotators who gave the label of the answer. What always naming the label with the "
            "most votes would reach stands beside it.",
            _mean(1),
        ),
        "soft_votes_best": FamilyMetric(
            "Votes for the top label", "Mean share of the votes for the label with the most: no answer reaches more.",
            _mean(2), better="", is_detail=True,
        ),
        "soft_cross_entropy": FamilyMetric(
            "Cross-entropy", "Mean of −Σ votes · ln score, in nats, over samples with scores.", _mean(4, of=3),
            better="lower", unit="number", source=BARSOUM, counts_in=_has_scores,
        ),
        "soft_kl": FamilyMetric(
            "KL divergence", "Mean of Σ votes · ln (votes / score), in nats, over samples with scores.", _mean(5, of=3),
            better="lower", unit="number", source="Kullback and Leibler 1951", counts_in=_has_scores,
        ),
        "soft_js": FamilyMetric(
            "Jensen–Shannon divergence", "Mean divergence of scores and votes in bits, 0 to 1, over samples with "
            "scores.", _mean(6, of=3), better="lower", unit="number", source="Lin 1991, IEEE TIT 37:145",
            counts_in=_has_scores,
        ),
    },
)  # fmt: skip
