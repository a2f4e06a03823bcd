"""Pictures with faces somewhere in them, for the finder: one render as it is, or several pasted over other things.

crowds = draw_crowds(seed=0, lessons, elsewhere, num=1000)
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from data_engine.detectors.tiny.crops import Square, square_around
from data_engine.detectors.tiny.training.drawing import Lessons

MAX_FACES = 4
SIZE = 128


class Crowds(NamedTuple):
    """Pictures and the faces in them."""

    pictures: NDArray[np.uint8]
    """(N, SIZE, SIZE) grey."""
    faces: NDArray[np.float32]
    """(N, MAX_FACES, 3): middle x, y and side of the square around the landmarks in pixels; side 0 is no face."""


def draw_crowds(seed: int, lessons: Lessons, elsewhere: NDArray[np.uint8], num: int) -> Crowds:
    """Compose pictures: 25 % one render alone, 40 % faces pasted over other things, 15 % people whose face is covered
    by other things, 20 % no people at all."""
    rng = np.random.default_rng(seed)
    rows = [_compose(lessons, elsewhere, rng) for _ in range(num)]
    return Crowds(np.stack([picture for picture, _ in rows]), np.stack([faces for _, faces in rows]))


def _compose(
    lessons: Lessons, elsewhere: NDArray[np.uint8], rng: np.random.Generator
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    faces = np.zeros((MAX_FACES, 3), np.float32)
    kind = rng.random()
    canvas = elsewhere[rng.integers(len(elsewhere))].astype(np.float32)
    if kind < 0.40:
        place = int(rng.integers(len(lessons.pictures)))
        square = square_around(lessons.points[place])
        if kind < 0.25:
            faces[0] = square.x, square.y, square.side
            return lessons.pictures[place], faces
        return _covered(lessons.pictures[place], square, canvas, rng), faces
    if kind < 0.80:
        for number in range(rng.integers(1, MAX_FACES + 1)):
            faces[number] = _paste(canvas, lessons, faces, rng)
    return canvas.astype(np.uint8), faces


def _covered(
    picture: NDArray[np.uint8], square: Square, other: NDArray[np.float32], rng: np.random.Generator
) -> NDArray[np.uint8]:
    """Lay other things over a face, so that hair, neck and clothes stay: they are no face."""
    rows, columns = np.mgrid[:SIZE, :SIZE].astype(np.float32)
    wide, high = square.side * rng.uniform(0.45, 0.7, 2)
    off = np.hypot((columns - square.x) / wide, (rows - square.y + 0.12 * square.side) / high)
    over = np.clip((1.2 - off) / rng.uniform(0.05, 0.4), 0, 1)
    covered: NDArray[np.uint8] = (picture + over * (other - picture)).astype(np.uint8)
    return covered


def _paste(
    canvas: NDArray[np.float32], lessons: Lessons, faces: NDArray[np.float32], rng: np.random.Generator
) -> tuple[float, float, float]:
    """Paste one more head onto the canvas where there is room, without the edges of its picture."""
    from PIL import Image

    place = int(rng.integers(len(lessons.pictures)))
    square = square_around(lessons.points[place])
    side = float(np.exp(rng.uniform(np.log(10), np.log(64))))
    scale = side / square.side
    whole = max(8, round(SIZE * scale))
    head = np.asarray(Image.fromarray(lessons.pictures[place]).resize((whole, whole)), np.float32)
    x, y = rng.uniform(0, SIZE, 2).tolist()
    if any(np.hypot(x - fx, y - fy) < 0.75 * (side + fs) for fx, fy, fs in faces.tolist() if fs > 0):
        return 0.0, 0.0, 0.0
    left, top = round(x - square.x * scale), round(y - square.y * scale)
    alpha = _around_head(whole, square.x * scale, square.y * scale, side, rng)
    rows = slice(max(0, top), min(SIZE, top + whole))
    columns = slice(max(0, left), min(SIZE, left + whole))
    if rows.start >= rows.stop or columns.start >= columns.stop:
        return 0.0, 0.0, 0.0
    inside = (slice(rows.start - top, rows.stop - top), slice(columns.start - left, columns.stop - left))
    canvas[rows, columns] += alpha[inside] * (head[inside] - canvas[rows, columns])
    return left + square.x * scale, top + square.y * scale, side


def _around_head(whole: int, x: float, y: float, side: float, rng: np.random.Generator) -> NDArray[np.float32]:
    """How much of a pasted picture is laid over: a soft ellipse around the head, or all of it down to the shoulders."""
    rows, columns = np.mgrid[:whole, :whole].astype(np.float32)
    above = 0.25 * side
    height = side * rng.uniform(0.95, 1.3) * np.where(rows > y, rng.choice([1.0, 3.0]), 1.0)
    off = np.hypot((columns - x) / (side * rng.uniform(0.7, 1.1)), (rows - y + above) / height)
    alpha: NDArray[np.float32] = np.clip((1 - off) / rng.uniform(0.03, 0.3), 0, 1).astype(np.float32)
    return alpha
