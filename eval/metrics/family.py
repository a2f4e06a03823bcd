"""A family of metrics: what it reads from each sample, and the numbers that follow from the sum over samples.

    measured = family.measure(cases, context)          # a line of numbers for each sample, kept in samples.jsonl
    sums = family.sums(lines).sum(axis=0)              # numbers that add up, so that a resample is a matrix product
    family.metrics["ccc_valence"].function(sums)

A new family is a module with a `FAMILY`, a name in `families.py`, and golden cases in tests/data/families/.
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np

from emollm.records import Prediction, Sample
from emollm.scoring import SampleScore
from eval.metrics.counts import Array

Unit = Literal["share", "words", "number"]

Line = tuple[float | None, ...]
"""What a family keeps of one sample. None: that number is not known, and reads as NaN."""


class Case(NamedTuple):
    """One sample, what was said about it, and what every score reads from that."""

    sample: Sample
    prediction: Prediction | None
    """None: the model said nothing about it."""
    score: SampleScore


class Context(NamedTuple):
    """What holds for all samples."""

    label_set: str | None
    thresholds: Mapping[str, float]
    options: Namespace
    """The options of the families, as given on the command line."""


class Measured(NamedTuple):
    """What a family found in the samples."""

    lines: Sequence[Line | None]
    """One a case. None: there is no gold for this family, and the sample does not count in it."""
    pins: Mapping[str, Any] = {}
    """What the numbers depend on besides the samples: tables, judges, prompts, each with its hash."""
    details: Sequence[Any] | None = None
    """For people to look at: one value a case, which JSON can hold, or None."""
    notices: Sequence[str] = ()
    """What a reader must know before the first number: how many answers could not be read, and the like."""


class FamilyMetric(NamedTuple):
    """What a number is called, what it means and where that is written, and which way is better."""

    title: str
    definition: str
    function: Callable[[Array], Array]
    """Of sums (..., F) to values (...)."""
    better: Literal["higher", "lower", ""] = "higher"
    unit: Unit = "share"
    source: str = ""
    is_headline: bool = False
    """Shown large in the report."""


def as_they_are(lines: Array) -> Array:
    """Return the lines: they add up already."""
    return lines


class Family(NamedTuple):
    """Metrics that are computed from the same numbers."""

    name: str
    title: str
    about: str
    """One sentence for the report."""
    measure: Callable[[Sequence[Case], Context], Measured]
    metrics: Mapping[str, FamilyMetric]
    sums: Callable[[Array], Array] = as_they_are
    """Lines (n, D) to numbers that add up over samples (n, F)."""
    add_arguments: Callable[[ArgumentParser], None] | None = None
    is_asked_for: bool = False
    """Computed only where --metrics names it, because it costs money or time."""


def to_array(lines: Sequence[Line]) -> Array:
    """Return lines as an array (n, D), None as NaN."""
    return np.array([[np.nan if value is None else value for value in line] for line in lines], dtype=np.float64)


def block(family: Family, lines: Sequence[Line | None]) -> Array:
    """Return the numbers of all samples that add up (n, F), 0 for samples that do not count."""
    known = [i for i, line in enumerate(lines) if line is not None]
    sums = family.sums(to_array([line for line in lines if line is not None]))
    blocks = np.zeros((len(lines), *sums.shape[1:]))
    blocks[known] = sums
    return blocks
