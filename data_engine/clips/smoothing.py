"""Medians of neighbouring rows: they take spikes out and leave rises where they are.

smoothed(values)                            # (N, A), the median of 5 rows, mirrored at both ends
smoothed_within(values, stretches, 5)       # the same, never across the border of a stretch
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from data_engine.sources.blocks import Numbers

MIN_ROWS_TO_SMOOTH = 3


def smoothed(values: Numbers) -> Numbers:
    """Return the median of 5 neighbouring rows, (N, A); mirrored at both ends so that a spike there falls, too."""
    if len(values) < MIN_ROWS_TO_SMOOTH:
        return values
    padded = np.pad(values, ((2, 2), (0, 0)), mode="reflect")
    return _median_of_5(*(padded[shift : shift + len(values)] for shift in range(5)))


def smoothed_within(values: Numbers, stretches: npt.NDArray[np.int64], width: int) -> Numbers:
    """Return the median of `width` (5, 3 or 1) neighbouring rows of the same stretch, (N, A).

    `stretches` (N,) numbers the stretches of rows; each is mirrored at its ends.
    """
    if width == 1:
        return values
    rows = np.arange(len(values))
    first = np.searchsorted(stretches, stretches, side="left")
    last = np.searchsorted(stretches, stretches, side="right") - 1
    neighbours = []
    for shift in range(-(width // 2), width // 2 + 1):
        places = np.maximum(rows + shift, 2 * first - rows - shift)
        places = np.minimum(places, 2 * last - places)
        neighbours.append(values[np.clip(places, first, last)])
    return _median_of_5(*neighbours) if width == 5 else _median_of_3(*neighbours)


def _median_of_3(a: Numbers, b: Numbers, c: Numbers) -> Numbers:
    return np.maximum(np.minimum(a, b), np.minimum(c, np.maximum(a, b)))


def _median_of_5(a: Numbers, b: Numbers, c: Numbers, d: Numbers, e: Numbers) -> Numbers:
    """By comparisons: ten times as fast as sorting windows."""
    low = np.maximum(np.minimum(a, b), np.minimum(c, d))
    high = np.minimum(np.maximum(a, b), np.maximum(c, d))
    return _median_of_3(low, high, e)
