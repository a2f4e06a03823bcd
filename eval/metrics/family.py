"""A family of metrics: what it reads from each sample, and the numbers that follow from the sum over samples.

    measured = family.measure(cases, context)          # a line of numbers for each sample, kept in samples.jsonl
    sums = whole(family, measured.lines)               # numbers that add up, so that a resample is a matrix product
    family.metrics["ccc_valence"].function(sums)

Where the order of the samples matters (a curve over thresholds, a rank) nothing adds up: such a family has `ranks` in
place of `sums`, a function of the lines and of how often each one counts.

A new family is a module with a `FAMILY`, a name in `families.py`, and golden cases in tests/data/families/.
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np

from emollm.records import Prediction, Sample
from emollm.scoring import SampleScore
from eval.intervals import Block, Cells, Index, draw_weights, resample, sum_up
from eval.metrics.counts import Array
from eval.scored import Judged

Unit = Literal["share", "words", "number"]

Line = tuple[float | None, ...]
"""What a family keeps of one sample. None: that number is not known, and reads as NaN."""


class Case(NamedTuple):
    """One sample, what was said about it, and what every score reads from that."""

    sample: Sample
    prediction: Prediction | None
    """None: the model said nothing about it."""
    score: SampleScore
    detected: Sample | None = None
    """What a detector measured in the same picture or clip, where detectors are judged; None: it found no face."""


class Context(NamedTuple):
    """What holds for all samples."""

    label_set: str | None
    thresholds: Mapping[str, float]
    options: Namespace
    """The options of the families, as given on the command line."""
    judged: Judged = "model"
    aus: tuple[str, ...] | None = None
    """The AUs that count, in this order; None: each that is measured."""


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
    parts: Sequence[str] = ()
    """What metrics have a value for one by one, AUs for example; see `FamilyMetric.each`."""
    is_waiting: bool = False
    """Whether somebody has still to answer, a batch service for example: the same command goes on later."""


class Each(NamedTuple):
    """A number for each of the parts of a family (K of them), in a table of their own."""

    function: Callable[[Array], Array]
    """Of sums (..., F) to values (..., K)."""
    counts_in: Callable[[Array], Array]
    """Lines (n, D) to which of them each part is computed over (n, K), 0 or 1."""


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
    """Printed in every table of a terminal, and shown large in the report."""
    is_detail: bool = False
    """Only in results.json and in a folded table of the report: one of many of its kind."""
    counts_in: Callable[[Array], Array] | None = None
    """Lines (n, D) to which of them it is computed over (n,), 0 or 1; None: all of the family."""
    each: Each | None = None
    """The same for each of `Measured.parts`."""


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
    sums: Callable[[Array], Block] = as_they_are
    """Lines (n, D) to numbers that add up over samples (n, ...)."""
    ranks: Callable[[Array, Array], Array] | None = None
    """In place of `sums`, where nothing adds up: lines (n, D), and how often each counts (..., n), to numbers (..., F).
    """
    add_arguments: Callable[[ArgumentParser], None] | None = None
    preview: Callable[[Sequence[Case], Context], str] | None = None
    """What --dry-run prints in place of measuring, where that costs money."""
    promise: Callable[[Context], Mapping[str, Any]] | None = None
    """The pins that the options decide, where measuring costs money: they are compared before it begins."""
    inputs: tuple[str, ...] = ()
    """Options that name files of answers which it reads besides the predictions: other files make other scores."""
    of: tuple[Judged, ...] = ("model",)
    """Whose numbers these are."""
    is_asked_for: bool = False
    """Computed only where --metrics names it: it costs money or time, or matters to few of those whose data have its
    gold."""


def to_array(lines: Sequence[Line]) -> Array:
    """Return lines as an array (n, D), None as NaN."""
    return np.array([[np.nan if value is None else value for value in line] for line in lines], dtype=np.float64)


def block(family: Family, lines: Sequence[Line | None]) -> Block:
    """Return the numbers of all samples that add up (n, ...), 0 for samples that do not count."""
    known = [i for i, line in enumerate(lines) if line is not None]
    sums = family.sums(to_array([line for line in lines if line is not None]))
    if isinstance(sums, Cells):
        place = np.full(len(lines), -1, dtype=np.intp)
        place[known] = sums.place
        return Cells(place, sums.shape)
    blocks = np.zeros((len(lines), *sums.shape[1:]))
    blocks[known] = sums
    return blocks


def whole(family: Family, lines: Sequence[Line | None]) -> Array:
    """Return the numbers (F,) of all samples, each counted once."""
    if family.ranks is None:
        return sum_up(block(family, lines))
    known = to_array([line for line in lines if line is not None])
    return family.ranks(known, np.ones(len(known)))


def drawn(family: Family, lines: Sequence[Line | None], clusters: Index, *, num_resamples: int, seed: int) -> Array:
    """Return the numbers (num_resamples, F) of resamples of the clusters (n,)."""
    if family.ranks is None:
        [draws] = resample([block(family, lines)], clusters, num_resamples=num_resamples, seed=seed)
        return draws
    known = np.array([line is not None for line in lines], dtype=np.bool_)
    numbers = to_array([line for line in lines if line is not None])
    weights = draw_weights(clusters, num_resamples=num_resamples, seed=seed)
    return np.concatenate([family.ranks(numbers, chunk[:, known]) for chunk in weights])
