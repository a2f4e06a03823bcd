"""Cases for the families of metrics: samples with what a model said about them."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence

import numpy as np

from emollm import facs
from emollm.records import Prediction, Sample
from eval.metrics.counts import Array
from eval.metrics.family import Case, Context, Family, Measured, whole
from eval.rows import score_case


def context(label_set: str | None = None) -> Context:
    """Return what holds for all samples."""
    return Context(label_set, facs.THRESHOLDS, Namespace())


def case(sample: Sample, said: Prediction | str | None, label_set: str | None = None) -> Case:
    """Return a sample with what was said about it."""
    prediction = Prediction(id=sample.id, completion=said, model="m") if isinstance(said, str) else said
    return score_case(sample, prediction, context(label_set))


def labelled(gold: str, said: str | None, label_set: str | None = "basic7", **scores: float) -> Case:
    """Return a sample with a gold label, what was said, and how likely the model holds each label."""
    sample = Sample(id="s", label=gold, label_set=label_set)
    if said is None:
        return case(sample, None, label_set)
    return case(sample, Prediction(id="s", completion=said, model="m", scores=scores or None), label_set)


def metrics(family: Family, cases: Sequence[Case], label_set: str | None = "basic7") -> dict[str, float]:
    """Measure and return every metric of a family."""
    measured = family.measure(cases, context(label_set))
    sums = whole(family, measured.lines)
    return {name: float(metric.function(sums)) for name, metric in family.metrics.items()}


def measured(family: Family, cases: Sequence[Case], label_set: str | None = "basic7") -> Measured:
    """Measure."""
    return family.measure(cases, context(label_set))


def softmax(numbers: Array) -> Array:
    """Return rows of numbers as probabilities."""
    powers = np.exp(numbers)
    return np.asarray(powers / powers.sum(axis=-1, keepdims=True))
