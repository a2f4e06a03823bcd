"""What several tests of rendered faces share."""

from __future__ import annotations

import numpy as np

SMOOTH = 11
"""A person without glasses, beard and fringe."""
PLACES = {"AU34": (3, 4, 12, 13, 48, 54)}
"""Landmarks near AUs that have no anchors of their own."""


def near(points: np.ndarray, radius: float, size: int) -> np.ndarray:
    """Pixels within a radius of any of the points, (S, S)."""
    y, x = np.mgrid[:size, :size]
    return np.any([np.hypot(x - px, y - py) < radius for px, py in points], axis=0)
