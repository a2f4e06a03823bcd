"""Find faces in whole pictures: the finder net at several sizes of the picture, then the best of overlapping squares.

for square, score in finder.find(Grey(pixels)):
    ...
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from data_engine.detectors.tiny.crops import Grey, Square, normalised
from data_engine.detectors.tiny.layers import Array, Net
from data_engine.detectors.tiny.nets import FINDER_SIZE, FINDER_STRIDE

STEP = 1.6
"""How much smaller each next size of the picture is."""
SMALLEST = 1.12
"""First size looked for, in sides of the smallest face; half a step would be 1.26, but small faces are hard to find."""
LARGEST_FACE = 1.1
"""Side of the largest face that is looked for, in long sides of the picture."""
PAD = 16
"""Pixels of nothing around the scaled picture, so that faces at its edge are seen."""
MIN_SCORE = 0.15
"""Squares below it are not looked at more closely."""
OVERLAP = 0.35
"""Two squares that share this much of their area (intersection over union) are one face."""
WITHIN = 0.5
"""A face whose square lies this much in that of a surer one is a part of it: a mouth, an eye."""
MAX_CANDIDATES = 64


class Candidate(NamedTuple):
    """Where a face may be, and how likely it is, 0–1."""

    square: Square
    score: float


class Finder:
    """Looks for faces of at least `min_face` pixels."""

    def __init__(self, net: Net, min_face: float = 24.0, max_side: int = 640) -> None:
        self.net = net
        self.min_face = min_face
        self.max_side = max_side
        """Larger pictures are looked at as if they were this large: their smallest faces are not found."""

    def find(self, grey: Grey) -> list[Candidate]:
        """Return squares that may hold a face, the likeliest first."""
        found = [candidate for size in self.sizes(grey) for candidate in self._at(grey, size)]
        return best_of(sorted(found, key=lambda candidate: -candidate.score)[: 4 * MAX_CANDIDATES])[:MAX_CANDIDATES]

    def sizes(self, grey: Grey) -> list[float]:
        """Return the sizes of face, in pixels of the picture, that are looked for one after the other."""
        long = max(grey.width, grey.height)
        smallest = max(SMALLEST * self.min_face, FINDER_SIZE * long / self.max_side)
        largest = LARGEST_FACE * long
        num = max(1, math.ceil(math.log(largest / smallest, STEP) + 0.5))  # each serves half a step around
        return [smallest * STEP**place for place in range(num)]

    def _at(self, grey: Grey, size: float) -> list[Candidate]:
        """Look for faces of about this size."""
        scale = FINDER_SIZE / size
        picture = normalised(scaled(grey, scale))
        height, width = picture.shape
        padded = np.zeros((_round_up(height + 2 * PAD), _round_up(width + 2 * PAD)), np.float32)
        padded[PAD : PAD + height, PAD : PAD + width] = picture
        outputs = self.net(padded[None, :, :, None])[0]
        score = 1 / (1 + np.exp(-outputs[..., 0]))
        rows, columns = np.nonzero((score >= MIN_SCORE) & (score >= _largest_around(score)))
        told = outputs[rows, columns]
        x = ((columns + told[:, 2] + 0.5) * FINDER_STRIDE - PAD) / scale - 0.5
        y = ((rows + told[:, 3] + 0.5) * FINDER_STRIDE - PAD) / scale - 0.5
        side = size * 2 ** np.clip(told[:, 1], -2, 2)
        places = zip(x.tolist(), y.tolist(), side.tolist(), score[rows, columns].tolist(), strict=True)
        return [Candidate(Square(*place), likely) for *place, likely in places]


def _round_up(pixels: int) -> int:
    return -(-pixels // FINDER_STRIDE) * FINDER_STRIDE


def scaled(grey: Grey, scale: float) -> Array:
    """Return the whole picture at another size, averaged where it shrinks, 0–255."""
    from PIL import Image

    size = max(1, round(grey.width * scale)), max(1, round(grey.height * scale))
    return np.asarray(grey.image.resize(size, Image.Resampling.BILINEAR, reducing_gap=2.0), np.float32)


def _largest_around(score: Array) -> Array:
    """The largest of each cell and its eight neighbours."""
    padded = np.pad(score, 1, constant_values=-1)
    height, width = score.shape
    shifts = [padded[i : i + height, j : j + width] for i in range(3) for j in range(3)]
    largest: Array = np.maximum.reduce(shifts)
    return largest


def shared(first: Square, second: Square) -> float:
    """Return the area that two squares share, as if they were upright."""
    across = min(first.x + first.side / 2, second.x + second.side / 2) - max(
        first.x - first.side / 2, second.x - second.side / 2
    )
    down = min(first.y + first.side / 2, second.y + second.side / 2) - max(
        first.y - first.side / 2, second.y - second.side / 2
    )
    return max(0.0, across) * max(0.0, down)


def overlap(first: Square, second: Square) -> float:
    """Return the intersection over union of two squares."""
    both = shared(first, second)
    return both / (first.side**2 + second.side**2 - both)


def within(first: Square, second: Square) -> float:
    """Return how much of the smaller square lies in the other."""
    return shared(first, second) / min(first.side, second.side) ** 2


def best_of(
    candidates: list[Candidate], alike: Callable[[Square, Square], float] = overlap, limit: float = OVERLAP
) -> list[Candidate]:
    """Keep the first of each group of squares that are `alike`; the list comes with the best first."""
    kept: list[Candidate] = []
    for candidate in candidates:
        if all(alike(candidate.square, other.square) < limit for other in kept):
            kept.append(candidate)
    return kept
