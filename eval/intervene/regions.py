"""Where the regions of a face lie in a picture: by its landmarks, by its box, or as on an aligned face.

    layout = find_layout(face, picture.size)
    layout.mask("mouth")                        # (H, W) bool
    layout.control(hidden, cited, rng)          # as many pixels elsewhere on the face

A region is a few boxes, generous enough to hold what its action units change: AU12 moves the cheek beside the lips,
AU1 folds the forehead. With landmarks the boxes stand upright on the line between the eyes; with a face box alone, or
with nothing, they lie as on an aligned face that fills it.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from random import Random
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from emollm.records import Box, Face

Mask = npt.NDArray[np.bool_]
"""(H, W), True where something is hidden."""


class Around(NamedTuple):
    """The box around some of the 68 landmarks of dlib, grown by so many eye distances."""

    points: tuple[int, ...]
    side: float = 0.0
    up: float = 0.0
    down: float = 0.0


class Place(NamedTuple):
    """Where a region is: around landmarks, and as left, top, right, bottom in shares of an aligned face."""

    around: tuple[Around, ...]
    aligned: tuple[Box, ...]


_BROWS, _LIPS = tuple(range(17, 27)), tuple(range(48, 60))
_MOUTH = Around(_LIPS, side=0.25, up=0.2, down=0.18)
_CHIN = Around((6, 7, 8, 9, 10, 57), side=0.05, up=0.15, down=0.08)

PLACES: dict[str, Place] = {
    "brows": Place(
        (Around(_BROWS, side=0.1, up=0.55, down=0.1), Around((21, 22, 27), side=0.05)), ((0.08, 0.13, 0.92, 0.4),)
    ),
    "eyes": Place(
        (Around(tuple(range(36, 42)), 0.15, 0.12, 0.2), Around(tuple(range(42, 48)), 0.15, 0.12, 0.2)),
        ((0.1, 0.34, 0.44, 0.49), (0.56, 0.34, 0.9, 0.49)),
    ),
    "nose": Place((Around(tuple(range(27, 36)), side=0.25, up=0.2, down=0.08),), ((0.32, 0.33, 0.68, 0.67),)),
    "cheeks": Place(
        (Around((1, 3, 36, 41, 31), up=0.05), Around((15, 13, 45, 46, 35), up=0.05)),
        ((0.01, 0.4, 0.4, 0.75), (0.6, 0.4, 0.99, 0.75)),
    ),
    "mouth": Place((_MOUTH,), ((0.22, 0.67, 0.78, 0.88),)),
    "chin": Place((_CHIN,), ((0.27, 0.78, 0.73, 1.0),)),
    "jaw": Place((_MOUTH, _CHIN), ((0.22, 0.67, 0.78, 0.88), (0.27, 0.78, 0.73, 1.0))),
}
"""The regions that a picture can lose. A dropped jaw shows in the mouth, so hiding it hides both; head, neck and
shoulders are no part of the face, and the face as a whole is no region of it."""

PLACE_NAMES = tuple(PLACES)

EYES = (slice(36, 42), slice(42, 48))
"""Landmarks of the two eyes, the subject's right one first."""


class Layout(NamedTuple):
    """The boxes of each region in a frame that may be turned against the picture."""

    width: int
    height: int
    boxes: dict[str, list[Box]]
    """Left, top, right, bottom in the frame."""
    face: Box
    """All of the face, in the frame."""
    turn: float
    """Radians by which the frame is turned, clockwise in the image."""
    by: str
    """`landmarks`, `box` or `picture`: what it follows from."""

    def mask(self, *regions: str) -> Mask:
        """Return the pixels of the regions (H, W)."""
        return self._inside([box for region in regions for box in self.boxes[region]])

    def control(self, hidden: Mask, cited: Collection[str], rng: Random) -> tuple[Mask, str] | None:
        """Return as many pixels as `hidden` around another region of the face, none of them in a cited region.

        Also returns that region, drawn by `rng`. None: the rest of the face is smaller than what is hidden.
        """
        free = self._inside([self.face]) & ~hidden & ~self.mask(*cited)
        num_pixels = int(hidden.sum())
        parts = [(region, free & self._inside([box])) for region in PLACES if region not in cited
                 for box in self.boxes[region]]  # fmt: skip
        others = sorted({region for region, part in parts if part.any()})
        if not others or int(free.sum()) < num_pixels:
            return None
        region = rng.choice(others)
        rows, columns = np.nonzero(rng.choice([part for name, part in parts if name == region and part.any()]))
        down, across = np.indices((self.height, self.width), dtype=np.float64)
        away = np.hypot(down - rows.mean(), across - columns.mean())
        away[~free] = np.inf
        chosen = np.zeros(self.height * self.width, np.bool_)
        chosen[np.argsort(away, axis=None, kind="stable")[:num_pixels]] = True
        return chosen.reshape(self.height, self.width), region

    def _inside(self, boxes: Sequence[Box]) -> Mask:
        y, x = np.indices((self.height, self.width), dtype=np.float64) + 0.5
        cos, sin = math.cos(self.turn), math.sin(self.turn)
        across, down = x * cos + y * sin, y * cos - x * sin
        found = np.zeros((self.height, self.width), np.bool_)
        for left, top, right, bottom in boxes:
            found |= (across >= left) & (across < right) & (down >= top) & (down < bottom)
        return found


def find_layout(face: Face | None, size: tuple[int, int]) -> Layout:
    """Return where the regions lie in a picture of `size` (width, height)."""
    if face is not None and face.landmarks is not None and len(face.landmarks) == 68:
        layout = _by_landmarks(np.array(face.landmarks, np.float64), size)
        if layout is not None:
            return layout
    if face is not None and face.box is not None and min(face.box[2:]) > 0:
        return _aligned(face.box, size, "box")
    return _aligned((0.0, 0.0, float(size[0]), float(size[1])), size, "picture")


def _by_landmarks(points: npt.NDArray[np.float64], size: tuple[int, int]) -> Layout | None:
    """Put the boxes around the landmarks (68, 2); None where both eyes are at one place."""
    first, second = (points[eye].mean(axis=0) for eye in EYES)
    along = second - first
    # Of a face in profile the eyes are close together; its height is not.
    unit = max(float(np.hypot(*along)), 0.4 * float(np.hypot(*(points[8] - (first + second) / 2))))
    if not unit or not np.hypot(*along):
        return None
    turn = math.atan2(along[1], along[0])
    cos, sin = math.cos(turn), math.sin(turn)
    turned = points @ np.array([[cos, -sin], [sin, cos]])
    boxes = {name: [_around(turned, one, unit) for one in place.around] for name, place in PLACES.items()}
    (left, top), (right, bottom) = turned.min(axis=0).tolist(), turned.max(axis=0).tolist()
    face = (left, top - 0.55 * unit, right, bottom)
    return Layout(*size, boxes, face, turn, "landmarks")


def _around(points: npt.NDArray[np.float64], around: Around, unit: float) -> Box:
    chosen = points[list(around.points)]
    (left, top), (right, bottom) = chosen.min(axis=0).tolist(), chosen.max(axis=0).tolist()
    side = around.side * unit
    return left - side, top - around.up * unit, right + side, bottom + around.down * unit


def _aligned(box: Box, size: tuple[int, int], by: str) -> Layout:
    x, y, width, height = box
    boxes = {
        name: [(x + left * width, y + top * height, x + right * width, y + bottom * height)
               for left, top, right, bottom in place.aligned]
        for name, place in PLACES.items()
    }  # fmt: skip
    return Layout(*size, boxes, (x, y, x + width, y + height), 0.0, by)
