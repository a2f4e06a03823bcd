"""Samples in the order of a score, each counted as often as it was drawn: what curves over thresholds are made of.

    steps = descending(score, weights, events)     # samples of one score are one step, in no order of their own
    steps.weight, steps.events                      # (..., S) each, the highest score first

Samples of equal score belong together, so that no number depends on the order of the lines.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from eval.metrics.counts import Array, ratio


class Steps(NamedTuple):
    """The samples of each different score, the highest first."""

    score: Array  # (S,)
    weight: Array  # (..., S) how many samples
    events: Array  # (..., S) how many of what is counted


def descending(score: Array, weights: Array, events: Array) -> Steps:
    """Gather samples (n,) with weights (..., n) by their score; `events` (n,) are counted as often as the sample."""
    order = np.argsort(-score, kind="stable")
    ranked = score[order]
    starts = np.flatnonzero(np.concatenate([[True], ranked[1:] != ranked[:-1]]))
    weighted = weights[..., order]
    return Steps(
        ranked[starts],
        np.add.reduceat(weighted, starts, axis=-1),
        np.add.reduceat(weighted * events[order], starts, axis=-1),
    )


def auc(score: Array, label: Array, weights: Array) -> Array:
    """Return the area under the ROC curve (...) of scores (n,) for labels (n,) 0 or 1, under weights (..., n).

    It is the share of pairs of a 1 and a 0 in which the 1 has the higher score, equal scores counting half (Hanley and
    McNeil 1982, Radiology 143:29). Samples with a NaN count nowhere. NaN where only one label is drawn.
    """
    known = ~(np.isnan(score) | np.isnan(label))
    if not known.any():
        return np.full(weights.shape[:-1], np.nan)
    steps = descending(score[known], weights[..., known], label[known])
    negative = steps.weight - steps.events
    below = negative.sum(axis=-1, keepdims=True) - np.cumsum(negative, axis=-1)
    won = (steps.events * (below + negative / 2)).sum(axis=-1)
    return ratio(won, steps.events.sum(axis=-1) * negative.sum(axis=-1))
