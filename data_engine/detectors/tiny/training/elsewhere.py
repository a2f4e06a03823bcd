"""Pictures of other things, made up: what a face finder must not take for a face.

    pictures = draw_elsewhere(seed=0, num=1000)         # (1000, 128, 128) uint8

Leaves that cover each other, stripes, windows, writing, strands, discs with dots (almost faces), clouds of every grain.
The edges in photographs are much like those of leaves whose sizes follow a power law (Lee, Mumford & Huang 2001).
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from data_engine.detectors.tiny.training.camera import photograph
from data_engine.workers import spread
from emollm.stage import track

if TYPE_CHECKING:
    from PIL.ImageDraw import ImageDraw

Generator = np.random.Generator
SIZE = 128
CHUNK = 64


def draw_elsewhere(seed: int, num: int, workers: int = os.cpu_count() or 1) -> NDArray[np.uint8]:
    """Draw pictures without faces, (num, SIZE, SIZE) grey, on all cores."""
    starts = range(0, num, CHUNK)
    parts = [*track(spread(partial(_draw_chunk, seed, num), starts, workers), "elsewhere", total=len(starts))]
    return np.concatenate(parts)


def _draw_chunk(seed: int, num: int, start: int) -> NDArray[np.uint8]:
    return np.stack([draw_one(np.random.default_rng([seed, i])) for i in range(start, min(start + CHUNK, num))])


def draw_one(rng: Generator) -> NDArray[np.uint8]:
    """Draw one picture without faces: things before a ground, photographed."""
    from PIL import Image, ImageDraw, ImageFilter

    ground = Image.fromarray(_clouds(rng))
    draw = ImageDraw.Draw(ground)
    for kind in rng.choice(len(THINGS), rng.integers(1, 4)):
        THINGS[kind](draw, rng)
    if rng.random() < 0.3:
        ground = ground.filter(ImageFilter.GaussianBlur(rng.uniform(0.5, 5)))
        THINGS[rng.integers(len(THINGS))](ImageDraw.Draw(ground), rng)
    return photograph(np.asarray(ground), rng)


def _clouds(rng: Generator) -> NDArray[np.uint8]:
    """A ground of soft blobs of several grains."""
    from PIL import Image

    cloud = np.zeros((SIZE, SIZE, 3), np.float32) + rng.uniform(0, 255, 3)
    for cells in (2, 4, 9, 30, 90):
        strength = rng.uniform(0, 60) / math.sqrt(cells)
        blobs = rng.normal(0, strength, (cells, cells)).astype(np.float32)
        cloud += np.asarray(Image.fromarray(blobs).resize((SIZE, SIZE), Image.Resampling.BICUBIC))[..., None]
    return np.clip(cloud, 0, 255).astype(np.uint8)


def _colour(rng: Generator) -> tuple[int, int, int]:
    red, green, blue = (int(part) for part in rng.uniform(0, 255, 3))
    return red, green, blue


def _leaves(draw: ImageDraw, rng: Generator) -> None:
    for _ in range(rng.integers(10, 120)):
        radius = min(60.0, 2.0 / max(rng.random(), 1e-3) ** 0.7)
        _leaf(draw, rng, rng.uniform(0, SIZE, 2), radius)


def _leaf(draw: ImageDraw, rng: Generator, middle: NDArray[np.float64], radius: float) -> None:
    """An ellipse or a polygon of 3 to 7 corners."""
    x, y = middle.tolist()
    if rng.random() < 0.4:
        flat = rng.uniform(0.4, 1.0)
        draw.ellipse((x - radius, y - radius * flat, x + radius, y + radius * flat), fill=_colour(rng))
        return
    angles = np.sort(rng.uniform(0, 2 * math.pi, rng.integers(3, 8)))
    corners = np.stack([x + radius * np.cos(angles), y + radius * np.sin(angles)], 1)
    draw.polygon([tuple(corner) for corner in corners.tolist()], fill=_colour(rng))


def _stripes(draw: ImageDraw, rng: Generator) -> None:
    width, colour, tilt = rng.uniform(2, 16), _colour(rng), rng.normal(0, 60)
    is_flat = rng.random() < 0.5
    for start in np.arange(-SIZE, 2 * SIZE, width * rng.uniform(1.5, 4)).tolist():
        ends = (-5, start, SIZE + 5, start + tilt) if is_flat else (start, -5, start + tilt, SIZE + 5)
        draw.line(ends, fill=colour, width=int(width / 2) + 1)


def _windows(draw: ImageDraw, rng: Generator) -> None:
    across, down = rng.uniform(8, 40, 2)
    light, dark = _colour(rng), _colour(rng)
    for row in range(-1, int(SIZE / down) + 1):
        for column in range(-1, int(SIZE / across) + 1):
            x, y = column * across + rng.normal(0, 0.5), row * down + rng.normal(0, 0.5)
            draw.rectangle((x, y, x + 0.6 * across, y + 0.7 * down), fill=light if rng.random() < 0.7 else dark)


def _writing(draw: ImageDraw, rng: Generator) -> None:
    letters = [chr(rng.integers(33, 126)) for _ in range(12)]
    for _ in range(rng.integers(2, 14)):
        x, y = rng.uniform(-20, SIZE, 2).tolist()
        draw.text((x, y), "".join(letters[: rng.integers(1, 12)]), fill=_colour(rng), font_size=rng.uniform(7, 50))


def _strands(draw: ImageDraw, rng: Generator) -> None:
    """Hair, grass, fabric: many lines of nearly one direction."""
    colour, angle, bend = np.array(_colour(rng)), rng.uniform(0, math.pi), rng.normal(0, 20)
    along = np.array([math.cos(angle), math.sin(angle)])
    for _ in range(rng.integers(40, 250)):
        start = rng.uniform(-30, SIZE + 30, 2)
        end = start + along * rng.uniform(20, 80) + rng.normal(0, 4, 2)
        middle = (start + end) / 2 + bend * along[::-1] * (1, -1)
        shade = tuple(int(part) for part in np.clip(colour * rng.uniform(0.6, 1.4), 0, 255))
        draw.line([tuple(place.tolist()) for place in (start, middle, end)], fill=shade, width=int(rng.integers(1, 3)))


def _almost_faces(draw: ImageDraw, rng: Generator) -> None:
    """Two dots and a bar in a disc, but upside down, far apart, one of them missing, or without the disc."""
    for _ in range(rng.integers(1, 5)):
        x, y = rng.uniform(10, SIZE - 10, 2).tolist()
        radius = rng.uniform(8, 45)
        if rng.random() < 0.7:
            height = radius * rng.uniform(0.9, 1.4)
            draw.ellipse((x - radius, y - height, x + radius, y + height), fill=_colour(rng))
        for dx, dy in _wrong_dots(rng):
            dot = radius * rng.uniform(0.08, 0.2)
            px, py = x + dx * radius, y + dy * radius
            draw.ellipse((px - dot, py - dot, px + dot, py + dot), fill=_colour(rng))
        if rng.random() < 0.4:
            draw.line((x - radius / 3, y - radius / 2, x + radius / 3, y - radius / 2), fill=_colour(rng), width=3)


def _wrong_dots(rng: Generator) -> list[tuple[float, float]]:
    kind = rng.integers(4)
    if kind == 0:
        return [(-0.4, 0.4), (0.4, 0.4)]
    if kind == 1:
        return [(rng.uniform(-0.6, 0.6), rng.uniform(-0.6, 0.6))]
    if kind == 2:
        return [(-0.1, -0.3), (0.1, -0.3), (0.0, 0.1)]
    return [(rng.uniform(-0.8, 0.8), rng.uniform(-0.8, 0.8)) for _ in range(6)]


THINGS: tuple[Callable[[ImageDraw, Generator], None], ...] = (
    _leaves,
    _leaves,
    _stripes,
    _windows,
    _writing,
    _strands,
    _almost_faces,
)
