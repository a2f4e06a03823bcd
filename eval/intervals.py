"""Bootstrap intervals: how far a number could have come out otherwise with other subjects of the same kind.

    draws = resample(per_sample_blocks, clusters, num_resamples=1000, seed=0)
    low, high = percentile_interval(metric(draws))

Whole clusters (subjects) are drawn with replacement, because pictures of one person are not independent.
The same seed and clusters give the same draws, so the difference of two models is paired by drawing twice.
Percentile bootstrap: Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Index = npt.NDArray[np.intp]

Key = TypeVar("Key", int, str, tuple[str, str])


class Cells(NamedTuple):
    """A block (n, *shape) in which each sample is a single 1, or nothing: where it stands, without the zeros around it.

    Written out, the confusion of 60 labels is 3,660 numbers a sample.
    """

    place: Index  # (n,) in the flat shape; -1: nothing
    shape: tuple[int, ...]


Block: TypeAlias = Array | Cells
"""Numbers of each sample that add up: (n, ...)."""

FEW_CLUSTERS = 20
"""Below this many clusters a percentile interval is known to be too narrow; the results say so."""

_MAX_WEIGHTS = 2_000_000
"""Weights (resamples × clusters, or × samples) held at once: 16 MB."""


def add_interval_argument(parser: argparse.ArgumentParser) -> None:
    """Add --num-resamples."""
    help = "resamples of the bootstrap behind each interval (default: 1000)"
    parser.add_argument("--num-resamples", type=positive, default=1000, metavar="N", help=help)


def positive(text: str) -> int:
    """Read a whole number above 0 from the command line."""
    if not text.isascii() or not text.isdigit() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"'{text}' is not a number above 0")
    return int(text)


def number_clusters(keys: Sequence[Key]) -> Index:
    """Return for each sample the number of its cluster, 0, 1, … in the order of the keys.

    The draws go by these numbers, so that they do not depend on the order of the samples.
    """
    numbers = {key: number for number, key in enumerate(sorted(set(keys)))}
    return np.array([numbers[key] for key in keys], dtype=np.intp)


def resample(blocks: Sequence[Block], clusters: Index, *, num_resamples: int, seed: int) -> list[Array]:
    """Return each block (n, ...) summed over each resample of the clusters: (num_resamples, ...)."""
    num_clusters = int(clusters.max()) + 1 if len(clusters) else 0
    sums = [weighted(block, clusters, num_clusters) for block in blocks]
    draws = [np.zeros((num_resamples, *shape_of(block))) for block in blocks]
    start = 0
    for weights in _weights(num_clusters, num_clusters, num_resamples, seed):  # (chunk, C)
        end = start + len(weights)
        for draw, sum_under in zip(draws, sums, strict=True):
            draw[start:end] = sum_under(weights)
        start = end
    return draws


def draw_weights(clusters: Index, *, num_resamples: int, seed: int) -> Iterator[Array]:
    """Yield how often each sample is drawn (chunk, n), some resamples at a time: the draws of `resample`."""
    num_clusters = int(clusters.max()) + 1 if len(clusters) else 0
    for weights in _weights(num_clusters, len(clusters), num_resamples, seed):
        yield weights[:, clusters]


def shape_of(block: Block) -> tuple[int, ...]:
    """Return the shape of one sample's numbers."""
    return block.shape if isinstance(block, Cells) else block.shape[1:]


def sum_up(block: Block) -> Array:
    """Return the sum over the samples: (...)."""
    if isinstance(block, Cells):
        counts = np.bincount(block.place[block.place >= 0], minlength=math.prod(block.shape))
        return counts.astype(np.float64).reshape(block.shape)
    return np.asarray(block.sum(axis=0))


def weighted(block: Block, clusters: Index, num_clusters: int) -> Callable[[Array], Array]:
    """Return what sums a block (n, ...) under weights of the clusters (R, C): (R, ...)."""
    shape = shape_of(block)
    if not isinstance(block, Cells):
        sums = _sum_by_cluster(block, clusters, num_clusters)
        return lambda weights: (weights @ sums).reshape(len(weights), *shape)
    width, known = math.prod(shape), block.place >= 0
    filled, counts = np.unique(clusters[known] * width + block.place[known], return_counts=True)
    cluster, place = np.divmod(filled, max(width, 1))

    def sum_cells(weights: Array) -> Array:
        rows = [np.bincount(place, row[cluster] * counts, width) for row in weights]
        return np.array(rows, dtype=np.float64).reshape(len(weights), *shape)

    return sum_cells


def _sum_by_cluster(block: Array, clusters: Index, num_clusters: int) -> Array:
    """Return the block (n, ...) summed over the samples of each cluster, and flat: (C, F)."""
    flat = block.reshape(len(block), math.prod(block.shape[1:]))
    if num_clusters == len(block):
        return np.asarray(flat[np.argsort(clusters)])
    sums = np.zeros((num_clusters, flat.shape[1]))
    np.add.at(sums, clusters, flat)
    return sums


def _weights(num_clusters: int, width: int, num_resamples: int, seed: int) -> Iterator[Array]:
    """Yield how often each cluster was drawn, so many resamples at a time that arrays of `width` stay small."""
    if num_clusters == 0:
        return
    rng = np.random.default_rng(seed % 2**64)
    for rows in chunks(num_resamples, width):
        drawn = rng.integers(0, num_clusters, size=(rows, num_clusters))
        drawn += np.arange(rows)[:, None] * num_clusters
        counts = np.bincount(drawn.ravel(), minlength=rows * num_clusters)
        yield counts.reshape(rows, num_clusters).astype(np.float64)


def chunks(num_draws: int, width: int) -> Iterator[int]:
    """Yield how many draws to make at once, so that arrays of `width` a draw stay small."""
    chunk = max(1, _MAX_WEIGHTS // max(1, width))
    for start in range(0, num_draws, chunk):
        yield min(chunk, num_draws - start)


def percentile_interval(draws: Array, confidence: float = 0.95) -> tuple[Array, Array]:
    """Return the low and high ends over the first axis of `draws` (R, ...); NaN draws are left out."""
    ordered = np.sort(draws, axis=0)  # NaN last
    known = np.sum(~np.isnan(draws), axis=0)
    tail = (1.0 - confidence) / 2.0
    low, high = (_quantile(ordered, known, q) for q in (tail, 1.0 - tail))
    return low, high


def _quantile(ordered: Array, known: npt.NDArray[np.int_], q: float) -> Array:
    if len(ordered) == 0:
        return np.full(ordered.shape[1:], np.nan)
    position = q * np.maximum(known - 1, 0)
    below = np.floor(position).astype(np.intp)
    above = np.minimum(below + 1, np.maximum(known - 1, 0))
    lower = np.take_along_axis(ordered, below[None], axis=0)[0]
    upper = np.take_along_axis(ordered, above[None], axis=0)[0]
    return np.asarray(lower + (position - below) * (upper - lower))
