"""Squares cut out of pictures: around a face, or upright by its landmarks.

    square = square_around(points)                     # Square: middle, side, turn
    crop = Grey(pixels).cut(square.placement(), 64)     # (64, 64) float32, mean 0, standard deviation 1

A placement is a 2 × 3 matrix that takes a place in the crop (x right, y down, 0–1 across the crop) to pixels of the
picture, where the middle of the first pixel is (0, 0).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from data_engine.detectors.protocol import Pixels
from data_engine.detectors.tiny.layers import Array

if TYPE_CHECKING:
    from PIL.Image import Image

MARGIN = 1.4
"""Side of the square that the points net sees, in sides of the square around the landmarks."""
PASSES = 2
"""How often the landmarks are placed: each time in the square that the last ones gave."""
EYES, MOUTH = (slice(36, 42), slice(42, 48)), slice(48, 60)
MAX_FACTOR = 64
ANCHORS = np.array([(0.32, 0.32), (0.68, 0.32), (0.50, 0.68)], np.float32)
"""Where the aligned face has the middles of its eyes and of its mouth, as shares of the crop: brows and chin fit in."""


class Square(NamedTuple):
    """A square in a picture, perhaps turned."""

    x: float
    y: float
    side: float
    turn: float = 0.0
    """Radians, clockwise."""

    def wider(self, factor: float) -> Square:
        """Return the same square `factor` times as wide."""
        return self._replace(side=self.side * factor)

    def placement(self) -> Array:
        """Return the placement of a crop of this square."""
        cos, sin = self.side * math.cos(self.turn), self.side * math.sin(self.turn)
        return np.array(
            [[cos, -sin, self.x - (cos - sin) / 2], [sin, cos, self.y - (sin + cos) / 2]],
            np.float32,
        )


def square_around(points: Array, turn: float = 0.0) -> Square:
    """Return the smallest square, turned by `turn`, that holds the 68 landmarks (68, 2)."""
    cos, sin = math.cos(turn), math.sin(turn)
    upright = points @ np.array([[cos, -sin], [sin, cos]], np.float32)
    low, high = upright.min(axis=0), upright.max(axis=0)
    x, y = ((low + high) / 2).tolist()
    return Square(cos * x - sin * y, sin * x + cos * y, float((high - low).max()), turn)


def eye_line(points: Array) -> float:
    """Return the angle of the line through the eyes, radians, clockwise positive."""
    right, left = points[EYES[0]].mean(axis=0), points[EYES[1]].mean(axis=0)
    across, down = (left - right).tolist()
    return math.atan2(down, across)


def aligned(points: Array) -> Array:
    """Return the placement that brings eyes and mouth to ANCHORS best, without skew (Umeyama 1991, two dimensions)."""
    seen = np.stack([points[EYES[0]].mean(axis=0), points[EYES[1]].mean(axis=0), points[MOUTH].mean(axis=0)])
    seen_middle, wanted_middle = seen.mean(axis=0), ANCHORS.mean(axis=0)
    seen, wanted = seen - seen_middle, ANCHORS - wanted_middle
    # As complex numbers, scale and turn are one factor, and its least-squares fit is one division.
    to, start = seen[:, 0] + 1j * seen[:, 1], wanted[:, 0] + 1j * wanted[:, 1]
    factor = (start.conj() @ to) / (start.conj() @ start)
    turn = np.array([[factor.real, -factor.imag], [factor.imag, factor.real]])
    return np.column_stack([turn, seen_middle - turn @ wanted_middle]).astype(np.float32)


def place(placement: Array, points: Array) -> Array:
    """Take places in the crop, (N, 2) as shares of it, to pixels of the picture."""
    placed: Array = points @ placement[:, :2].T + placement[:, 2]
    return placed


class Grey:
    """A picture in grey, with the smaller versions of it that were needed so far."""

    def __init__(self, pixels: Pixels) -> None:
        from PIL import Image

        self.image: Image = Image.fromarray(pixels).convert("L")
        self.width, self.height = self.image.size
        self.mean = round(float(np.asarray(self.image).mean()))
        self._smaller = {1: self.image}

    def smaller(self, factor: int) -> Image:
        """Return the picture at 1/factor of its size, averaged."""
        if factor not in self._smaller:
            self._smaller[factor] = self.image.reduce(factor)
        return self._smaller[factor]

    def cut(self, placement: Array, side: int) -> Array:
        """Cut a crop of side × side pixels and normalise it: (side, side) float32.

        What lies outside the picture has the picture's mean. Large faces are averaged down, not skipped through.
        """
        from PIL import Image

        per_pixel = placement / np.array([side, side, 1], np.float32)
        factor = min(MAX_FACTOR, max(1, round(float(np.hypot(*per_pixel[:, 0])))))
        per_pixel[:, 2] += 0.5  # Pillow counts from the edge of the first pixel, a placement from its middle
        (a, b, c), (d, e, f) = (per_pixel / factor).tolist()
        crop = self.smaller(factor).transform(
            (side, side),
            Image.Transform.AFFINE,
            (a, b, c, d, e, f),
            Image.Resampling.BILINEAR,
            fillcolor=self.mean,
        )
        return normalised(np.asarray(crop, np.float32))


def normalised(crop: Array) -> Array:
    """Return the crop with mean 0 and standard deviation 1."""
    even: Array = (crop - crop.mean()) / (crop.std() + 1e-3)
    return even
