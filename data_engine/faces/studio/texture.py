"""Smooth random textures for skin, hair and backdrop: one seed, one texture, at any size."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from data_engine.faces.curves import Field, smoothstep


def noise(seed: int, cells: int, size: int) -> Field:
    """Return a size × size texture of `cells` × `cells` blobs, about standard normal."""
    corner, weight = _cells(cells, size)
    grid = _grid(seed, cells)
    strips = grid[corner] + (grid[corner + 1] - grid[corner]) * weight[:, None]  # (size, cells)
    return strips[:, corner] + (strips[:, corner + 1] - strips[:, corner]) * weight  # (size, size)


@lru_cache(maxsize=64)
def _grid(seed: int, cells: int) -> Field:
    return np.random.default_rng(seed).standard_normal((cells, cells), dtype=np.float32)


@lru_cache(maxsize=64)
def _cells(cells: int, size: int) -> tuple[np.ndarray[tuple[int], np.dtype[np.intp]], Field]:
    """For every pixel of a side: the cell it lies in, and how far into it, eased."""
    place = np.linspace(0, cells - 1.001, size).astype(np.float32)
    corner = place.astype(np.intp)
    return corner, smoothstep((place - corner).astype(np.float32))


ATLAS = 512
"""Side of an atlas in texels; it tiles."""


@lru_cache(maxsize=16)
def atlas(kind: str) -> Field:
    """Return a texture that tiles, ATLAS × ATLAS texels in one row: one of PATTERNS.

    All people share the few atlases; each person sees them from a place of its own.
    """
    rng = np.random.default_rng([list(PATTERNS).index(kind), ATLAS])
    sizes = PATTERNS[kind]
    pattern = sum(share * _filtered(rng, down, across) for share, down, across in sizes)
    return np.ascontiguousarray((pattern / np.std(pattern)).astype(np.float32).ravel())


PATTERNS = {
    "pores": [(0.8, 0.7, 0.7), (0.6, 2.2, 2.2)],
    "blotches": [(0.8, 9.0, 9.0), (0.6, 24.0, 24.0)],
    "freckles": [(1.0, 1.6, 1.6)],
    "moles": [(1.0, 2.6, 2.6)],
    "strands": [(0.7, 30.0, 1.1), (0.4, 40.0, 4.0), (0.6, 50.0, 9.0)],
    "locks": [(1.0, 60.0, 7.0), (0.6, 40.0, 18.0)],
    "curls": [(0.8, 4.0, 4.0), (0.5, 9.0, 9.0)],
    "cloth": [(0.7, 1.0, 1.0), (0.7, 14.0, 14.0)],
}
"""Kind to the blobs it is mixed of: (share, size downwards, size across), sizes in texels."""


def _filtered(rng: np.random.Generator, down: float, across: float) -> Field:
    """White noise blurred by Gaussians of these standard deviations, around the edges, to variance 1."""
    frequency = 2 * np.pi * np.fft.fftfreq(ATLAS)
    keep = np.exp(-((down * frequency[:, None]) ** 2 + (across * frequency[None, : ATLAS // 2 + 1]) ** 2) / 2)
    blurred: Field = np.fft.irfft2(np.fft.rfft2(rng.standard_normal((ATLAS, ATLAS))) * keep, s=(ATLAS, ATLAS))
    return blurred / np.std(blurred)


Texels = np.ndarray[tuple[int, ...], np.dtype[np.int32]]


def texels(x: Field, y: Field, density: float, seed: int) -> Texels:
    """Return which texel of an atlas lies at each place, `density` texels to the face unit, for one person's seed."""
    left, top = seed % 509, seed // 509 % 503
    across = (x * density + (left + 4 * ATLAS)).astype(np.int32) & (ATLAS - 1)
    down = (y * density + (top + 4 * ATLAS)).astype(np.int32) & (ATLAS - 1)
    place: Texels = (down << 9) | across
    return place


def enlarge(coarse: Field, shape: tuple[int, ...], step: int | None = None) -> Field:
    """Stretch a coarse picture (…, h, w) to (…, height, width) of `shape`, straight between its points.

    `step` pixels lie between two points of the coarse picture, and its border goes on beyond the last one; None
    spreads the points from edge to edge. No matrix products: their threads would cost more than they save.
    """
    height, width = shape
    if step is None:
        return _spread(_spread(coarse.swapaxes(-1, -2), height).swapaxes(-1, -2), width)
    rows = _interleave(coarse.swapaxes(-1, -2), step).swapaxes(-1, -2)[..., :height, :]
    return _interleave(rows, step)[..., :width]


def _interleave(coarse: Field, step: int) -> Field:
    """Stretch the last axis by a whole factor."""
    rise = np.zeros_like(coarse)
    np.subtract(coarse[..., 1:], coarse[..., :-1], out=rise[..., :-1])
    fine = np.empty((*coarse.shape, step), np.float32)
    for part in range(step):
        fine[..., part] = coarse + rise * np.float32(part / step)
    return fine.reshape(*coarse.shape[:-1], coarse.shape[-1] * step)


def _spread(coarse: Field, size: int) -> Field:
    """Stretch the last axis to `size` pixels."""
    left, across = _places(coarse.shape[-1], size)
    start = coarse.take(left, axis=-1)
    return start + (coarse.take(left + 1, axis=-1) - start) * across


@lru_cache(maxsize=128)
def _places(cells: int, size: int) -> tuple[np.ndarray[tuple[int], np.dtype[np.intp]], Field]:
    """For every pixel of a side: the point of the coarse picture before it, and how far it lies behind that."""
    place = np.linspace(0, cells - 1.0, size)
    corner = np.minimum(place.astype(np.intp), cells - 2)
    return corner, (place - corner).astype(np.float32)


def box_blur(field: Field, radius: int) -> Field:
    """Blur both axes of a field (h, w) by boxes of 2 · radius + 1 pixels, the border repeated."""
    return _box_rows(_box_rows(field, radius).T, radius).T


def _box_rows(field: Field, radius: int) -> Field:
    padded = np.concatenate([*[field[:1]] * radius, field, *[field[-1:]] * radius])
    total = padded[: len(field)].copy()
    for offset in range(1, 2 * radius + 1):
        total += padded[offset : offset + len(field)]
    total /= 2 * radius + 1
    return total
