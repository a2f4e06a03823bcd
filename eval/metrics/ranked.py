"""Samples in the order of a score, each counted as often as it was drawn: what curves over thresholds are made of.

    steps = descending(score, weights, events)     # samples of one score are one step, in no order of their own
    steps.weight, steps.events                      # (..., S) each, the highest score first

Samples of equal score belong together, so that no number depends on the order of the lines.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from eval.intervals import Index
from eval.metrics.counts import Array, ratio


class Steps(NamedTuple):
    """The samples of each different score, the highest first."""

    score: Array  # (S,)
    weight: Array  # (..., S) how many samples
    events: Array  # (..., S) how many of what is counted


def descending(score: Array, weights: Array, events: Array) -> Steps:
    """Gather samples (n,) with weights (..., n) by their score; `events` (n,) are counted as often as the sample."""
    ranked, step = np.unique(-score, return_inverse=True)
    has_any = np.flatnonzero(events)
    counted = _by_step(step, weights, len(ranked))
    return Steps(-ranked, counted, _by_step(step[has_any], weights[..., has_any] * events[has_any], len(ranked)))


def _by_step(step: Index, weights: Array, num_steps: int) -> Array:
    """Return the sum of the weights (..., n) of each step (..., S)."""
    draws = weights.shape[:-1]
    rows = [np.bincount(step, row, num_steps) for row in weights.reshape(math.prod(draws), len(step))]
    return np.array(rows, dtype=np.float64).reshape(*draws, num_steps)


def auc(score: Array, label: Array, weights: Array) -> Array:
    """Return the area under the ROC curve (...) of scores (n,) for labels (n,) 0 or 1, under weights (..., n).

    It is the share of pairs of a 1 and a 0 in which the 1 has the higher score, equal scores counting half (Hanley and
    McNeil 1982, Radiology 143:29). Samples with a NaN count nowhere. NaN where only one label is drawn.
    """
    known = ~(np.isnan(score) | np.isnan(label))
    if not known.any():
        return np.full(weights.shape[:-1], np.nan)
    if not known.all():
        score, label, weights = score[known], label[known], weights[..., known]
    values, step = np.unique(score, return_inverse=True)
    counts = _by_step(step + label.astype(np.intp) * len(values), weights, 2 * len(values))
    negative, positive = np.split(counts, 2, axis=-1)
    below = np.cumsum(negative, axis=-1) - negative / 2
    return ratio((positive * below).sum(axis=-1), positive.sum(axis=-1) * negative.sum(axis=-1))
