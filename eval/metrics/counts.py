"""Counts: all that the metrics need from a sample, as numbers that add up over samples.

A metric is a function of summed counts. A resample of the data is then one matrix product, and the metric of a
thousand resamples one call: every array of `Counts` may carry leading axes (resamples).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from emollm.claims.checker import VERDICTS
from eval.intervals import Cells, sum_up
from eval.scored import Scored

Array = npt.NDArray[np.float64]


class Counts(NamedTuple):
    """Sums over samples. K labels, A action units."""

    confusion: Array  # (..., K, K + 1) gold × predicted; last column: no label of the set could be read
    word_sets: Array  # (..., 2) sum of the samples' open-vocabulary F1, number of samples with open-vocabulary gold
    aus: Array  # (..., A, 4) hits, false alarms, misses, rejections
    au_sets: Array  # (..., 2) sum of the samples' AU-set F1, number of samples with measured AUs
    claims: Array  # (..., 3) in the order of VERDICTS, over samples with measured AUs
    omissions: Array  # (..., 2) present AUs, of these without a positive claim
    joint: Array  # (..., 2, 2) label wrong/right × explanation not true/true, over samples with both golds
    answers: Array  # (..., 5) samples, predictions, well-formed answers, answers with a label, words


class Tally(NamedTuple):
    """The same of each of n samples by itself."""

    confusion: Cells
    word_sets: Array  # (n, 2)
    aus: Array  # (n, A, 4)
    au_sets: Array  # (n, 2)
    claims: Array  # (n, 3)
    omissions: Array  # (n, 2)
    joint: Array  # (n, 2, 2)
    answers: Array  # (n, 5)


def tally(rows: Sequence[Scored], labels: Sequence[str], aus: Sequence[str]) -> Tally:
    """Count each sample by itself."""
    n, width = len(rows), len(labels) + 1
    column, au_index = ({name: i for i, name in enumerate(names)} for names in (labels, aus))
    counts = Tally(
        confusion=Cells(np.full(n, -1, dtype=np.intp), (len(labels), width)),
        word_sets=np.zeros((n, 2)),
        aus=np.zeros((n, len(aus), 4)),
        au_sets=np.zeros((n, 2)),
        claims=np.zeros((n, 3)),
        omissions=np.zeros((n, 2)),
        joint=np.zeros((n, 2, 2)),
        answers=np.zeros((n, 5)),
    )
    for i, row in enumerate(rows):
        words = len(row.said.split())
        if row.judged == "model":
            counts.answers[i] = (1, row.completion is not None, row.well_formed, row.predicted is not None, words)
        if row.gold is not None:
            counts.confusion.place[i] = column[row.gold] * width + column.get(row.predicted or "", len(labels))
        if row.labels_f1 is not None:
            counts.word_sets[i] = (row.labels_f1, 1)
        if row.au_hits is not None:
            _tally_aus(counts, i, row, au_index)
        if row.correct is not None and row.au_hits is not None:
            counts.joint[i, int(row.correct), int(row.is_true)] = 1
    return counts


def _tally_aus(counts: Tally, i: int, row: Scored, au_index: dict[str, int]) -> None:
    kinds = (row.au_hits, row.au_false_alarms, row.au_misses, row.au_rejections)
    for kind, aus in enumerate(kinds):
        for au in aus or ():
            counts.aus[i, au_index[au], kind] = 1
    counts.au_sets[i] = (row.au_set_f1 or 0.0, 1)
    counts.claims[i] = [row.num_claims(verdict) for verdict in VERDICTS]
    if row.judged == "model":
        counts.omissions[i] = (len(row.au_hits or ()) + len(row.au_misses or ()), len(row.omitted))


def total(tally: Tally) -> Counts:
    """Sum over the samples."""
    return Counts._make(sum_up(block) for block in tally)


def ratio(part: Array, whole: Array) -> Array:
    """Return part / whole, and NaN (not known) where the whole is 0."""
    known = np.asarray(whole) > 0
    return np.where(known, np.divide(part, np.where(known, whole, 1.0)), np.nan)


def mean_known(values: Array) -> Array:
    """Return the mean over the last axis of what is not NaN; NaN where nothing is known."""
    known = ~np.isnan(values)
    return ratio(np.where(known, values, 0.0).sum(axis=-1), known.sum(axis=-1))
