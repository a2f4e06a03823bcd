"""Sentiment on the non-zero protocol of MOSI, MOSEI and SIMS: is what is felt positive or negative?

Samples whose gold is neutral are left out; of the others, weighted F1 of two classes (first) and accuracy. As published
(Lian et al. 2025, AffectGPT, ICML: MER-UniBench), the test is "positive or not", so that every answer of neutral counts
as negative, and is right on negative samples. In the corrected variant neutral is none of the two. An answer that is
missing or cannot be read is wrong in both.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from eval.metrics import confusion
from eval.metrics.counts import Array
from eval.metrics.family import Case, Context, Family, FamilyMetric, Line, Measured

LABEL_SET = "sentiment3"
CLASSES = ("negative", "positive")
ANSWERS = (*CLASSES, "neutral")
SOURCE = "Lian et al. 2025, AffectGPT, ICML"


def measure(cases: Sequence[Case], context: Context) -> Measured:
    """Keep the class of gold and of the answer: 0 negative, 1 positive, 2 neutral, None missing or unreadable."""
    if context.label_set != LABEL_SET:
        return Measured([None] * len(cases))
    lines: list[Line | None] = [
        (_place(case.score.label_gold), _place(case.score.label_pred)) if case.score.label_gold in CLASSES else None
        for case in cases
    ]
    neutral = sum(case.score.label_gold == "neutral" for case in cases)
    answered = [line[1] for line in lines if line is not None]
    notices = []
    if neutral:
        notices.append(
            f"neutral gold in {neutral:,} of {len(cases):,} samples: left out, as the non-zero protocol asks"
        )
    if neither := answered.count(_NEUTRAL):
        notices.append(f"neutral in {neither:,} answers, which as published count as negative")
    if silent := answered.count(None):
        notices.append(f"no answer, or none that can be read, for {silent:,} samples, which count as wrong")
    return Measured(lines, notices=notices)


_NEUTRAL = float(ANSWERS.index("neutral"))


def _place(label: str | None) -> float | None:
    return float(ANSWERS.index(label)) if label in ANSWERS else None


def sums(lines: Array) -> Array:
    """Return the confusion as published, where neutral is negative, and corrected: (n, 2, 2, 3)."""
    gold, said = lines.T
    readings = (np.where(said == _NEUTRAL, other, said) for other in (CLASSES.index("negative"), np.nan))
    return np.stack([confusion.one_hot(gold, reading, len(CLASSES)) for reading in readings], axis=1)


def _published(sums: Array) -> Array:
    return np.asarray(sums[..., 0, :, :])


def _corrected(sums: Array) -> Array:
    return np.asarray(sums[..., 1, :, :])


FAMILY = Family(
    name="sentiment",
    title="Sentiment, non-zero protocol",
    about="Positive or negative, on samples that are one of them.",
    measure=measure,
    sums=sums,
    metrics={
        "sentiment_wf1": FamilyMetric(
            "Sentiment weighted F1", "F1 of both classes weighted by their samples; neutral is negative.",
            lambda sums: confusion.weighted_f1(_published(sums)), source=SOURCE, is_headline=True,
        ),
        "sentiment_accuracy": FamilyMetric(
            "Sentiment accuracy", "Right answers / samples; neutral is negative.",
            lambda sums: confusion.accuracy(_published(sums)), source=SOURCE,
        ),
        "sentiment_wf1_corrected": FamilyMetric(
            "Sentiment weighted F1, corrected", "The same with an answer of neutral counted as wrong.",
            lambda sums: confusion.weighted_f1(_corrected(sums)), is_headline=True,
        ),
        "sentiment_accuracy_corrected": FamilyMetric(
            "Sentiment accuracy, corrected", "The same with an answer of neutral counted as wrong.",
            lambda sums: confusion.accuracy(_corrected(sums)),
        ),
    },
)  # fmt: skip
