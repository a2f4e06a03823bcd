"""Smooth random textures for skin, hair and backdrop: one seed, one texture, at any size."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from data_engine.faces.curves import Field, smoothstep

WHOLE = slice(None)


def noise(seed: int, cells: int, size: int, rows: slice = WHOLE, columns: slice = WHOLE) -> Field:
    """Return a window of a size × size texture of `cells` × `cells` blobs, about standard normal."""
    corner, weight = _cells(cells, size)
    grid = _grid(seed, cells)
    top, down = corner[rows], weight[rows, None]
    strips = grid[top] + (grid[top + 1] - grid[top]) * down  # (H, cells)
    left, across = corner[columns], weight[columns]
    return strips[:, left] + (strips[:, left + 1] - strips[:, left]) * across  # (H, W)


@lru_cache(maxsize=64)
def _grid(seed: int, cells: int) -> Field:
    return np.random.default_rng(seed).standard_normal((cells, cells), dtype=np.float32)


@lru_cache(maxsize=64)
def _cells(cells: int, size: int) -> tuple[np.ndarray[tuple[int], np.dtype[np.intp]], Field]:
    """For every pixel of a side: the cell it lies in, and how far into it, eased."""
    place = np.linspace(0, cells - 1.001, size).astype(np.float32)
    corner = place.astype(np.intp)
    return corner, smoothstep((place - corner).astype(np.float32))
