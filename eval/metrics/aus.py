"""Action-unit metrics: AUs the explanation says are there, against AUs measured at or above the threshold.

An AU that was not measured counts nowhere. The face that no explanation describes counts as all misses.
"""

from __future__ import annotations

import numpy as np

from eval.metrics.counts import Array, Counts, mean_known, ratio


def au_support(counts: Counts) -> Array:
    """Samples in which the AU is present."""  # (..., A)
    return np.asarray(counts.aus[..., 0] + counts.aus[..., 2])


def au_precision(counts: Counts) -> Array:
    """Hits / samples in which the AU was named; NaN where it was never named."""  # (..., A)
    return ratio(counts.aus[..., 0], counts.aus[..., 0] + counts.aus[..., 1])


def au_recall(counts: Counts) -> Array:
    """Hits / samples in which the AU is present; NaN where it never is."""  # (..., A)
    return ratio(counts.aus[..., 0], au_support(counts))


def au_f1(counts: Counts) -> Array:
    """2 · hits / (2 · hits + false alarms + misses); NaN for an AU that is never present."""  # (..., A)
    hits, false_alarms, misses = (counts.aus[..., kind] for kind in range(3))
    return np.where(au_support(counts) > 0, ratio(2 * hits, 2 * hits + false_alarms + misses), np.nan)


def au_macro_f1(counts: Counts) -> Array:
    """Mean F1 over the AUs that are present at least once."""
    return mean_known(au_f1(counts))


def au_micro_f1(counts: Counts) -> Array:
    """F1 of the hits, false alarms and misses of all AUs together."""
    hits, false_alarms, misses, _ = np.moveaxis(counts.aus.sum(axis=-2), -1, 0)
    return ratio(2 * hits, 2 * hits + false_alarms + misses)


def au_set_f1(counts: Counts) -> Array:
    """Mean over samples of the F1 between the set of named and the set of present AUs."""
    return ratio(counts.au_sets[..., 0], counts.au_sets[..., 1])
