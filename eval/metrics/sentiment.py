"""Sentiment on the non-zero protocol of MOSI, MOSEI and SIMS: is what is felt positive or negative?

Samples whose gold is neutral are left out; of the others, weighted F1 of two classes (first) and accuracy. As published
(Lian et al. 2025, AffectGPT, ICML: MER-UniBench), the test is "positive or not", so that every answer of neutral counts
as negative, and is right on negative samples. In the corrected variant an answer of neither is no answer.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from eval.metrics import confusion
from eval.metrics.counts import Array
from eval.metrics.family import Case, Context, Family, FamilyMetric, Line, Measured

LABEL_SET = "sentiment3"
CLASSES = ("negative", "positive")
SOURCE = "Lian et al. 2025, AffectGPT, ICML"


def measure(cases: Sequence[Case], context: Context) -> Measured:
    """Keep the class of gold and of the answer: 0 negative, 1 positive, None neither."""
    if context.label_set != LABEL_SET:
        return Measured([None] * len(cases))
    lines: list[Line | None] = [
        (_place(case.score.label_gold), _place(case.score.label_pred)) if case.score.label_gold in CLASSES else None
        for case in cases
    ]
    neutral = sum(case.score.label_gold == "neutral" for case in cases)
    neither = sum(line is not None and line[1] is None for line in lines)
    notices = []
    if neutral:
        notices.append(
            f"neutral gold in {neutral:,} of {len(cases):,} samples: left out, as the non-zero protocol asks"
        )
    if neither:
        notices.append(f"neither positive nor negative: {neither:,} answers, which as published count as negative")
    return Measured(lines, notices=notices)


def _place(label: str | None) -> float | None:
    return float(CLASSES.index(label)) if label in CLASSES else None


def sums(lines: Array) -> Array:
    """Return the confusion as published, where whatever is not positive is negative, and corrected: (n, 2, 2, 3)."""
    gold, said = lines.T
    return np.stack([confusion.one_hot(gold, np.nan_to_num(said), 2), confusion.one_hot(gold, said, 2)], axis=1)


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
            "Sentiment weighted F1", "F1 of both classes weighted by their samples; what is not positive is negative.",
            lambda sums: confusion.weighted_f1(_published(sums)), source=SOURCE, is_headline=True,
        ),
        "sentiment_accuracy": FamilyMetric(
            "Sentiment accuracy", "Right answers / samples; what is not positive is negative.",
            lambda sums: confusion.accuracy(_published(sums)), source=SOURCE,
        ),
        "sentiment_wf1_corrected": FamilyMetric(
            "Sentiment weighted F1, corrected", "The same with an answer of neither class counted as wrong.",
            lambda sums: confusion.weighted_f1(_corrected(sums)), is_headline=True,
        ),
        "sentiment_accuracy_corrected": FamilyMetric(
            "Sentiment accuracy, corrected", "The same with an answer of neither class counted as wrong.",
            lambda sums: confusion.accuracy(_corrected(sums)),
        ),
    },
)  # fmt: skip
