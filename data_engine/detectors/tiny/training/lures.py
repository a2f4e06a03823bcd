"""Lures: what the finder takes for faces and is none. The points net learns to see through them.

lures = find_lures(finder, elsewhere, lessons)
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from data_engine.detectors.tiny.crops import Grey, Square, square_around
from data_engine.detectors.tiny.finder import Finder, overlap
from data_engine.detectors.tiny.layers import Array
from data_engine.detectors.tiny.training.drawing import Lessons
from data_engine.workers import spread
from emollm.stage import track

CHUNK = 64
NO_FACE = 0.25
"""A square that shares less than this with the face (intersection over union) does not show it."""


class Lures(NamedTuple):
    """Pictures, and places in them."""

    pictures: NDArray[np.uint8]
    """(N, SIZE, SIZE) grey."""
    squares: Array
    """(M, 4): place of the picture, middle x and y, side in pixels."""


def find_lures(finder: Finder, elsewhere: NDArray[np.uint8], lessons: Lessons, workers: int) -> Lures:
    """Let the finder look at pictures without faces, and beside the faces of pictures with one."""
    faces = [None] * len(elsewhere) + [square_around(points) for points in lessons.points]
    pictures = np.concatenate([elsewhere, lessons.pictures])
    starts = range(0, len(pictures), CHUNK)
    chunks = ((start, pictures[start : start + CHUNK], faces[start : start + CHUNK]) for start in starts)
    found = track(spread(partial(_find, finder), chunks, workers), "lures", total=len(starts))
    return Lures(pictures, np.array([row for rows in found for row in rows], np.float32).reshape(-1, 4))


def _find(
    finder: Finder, chunk: tuple[int, NDArray[np.uint8], Iterable[Square | None]]
) -> list[tuple[int, float, float, float]]:
    start, pictures, faces = chunk
    rows = []
    for place, (picture, face) in enumerate(zip(pictures, faces, strict=True), start):
        for square, _ in finder.find(Grey(picture)):
            if face is None or overlap(square, face) < NO_FACE:
                rows.append((place, square.x, square.y, square.side))
    return rows
