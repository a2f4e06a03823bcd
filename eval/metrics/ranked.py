"""Samples in the order of a score, each counted as often as it was drawn: what curves over thresholds are made of.

    steps = descending(score, weights, events)     # samples of one score are one step, in no order of their own
    steps.weight, steps.events                      # (..., S) each, the highest score first

Samples of equal score belong together, so that no number depends on the order of the lines.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from eval.metrics.counts import Array


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
