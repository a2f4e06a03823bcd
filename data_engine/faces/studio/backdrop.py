"""What is behind the person: a plain studio wall, or a room or a street that the lens blurs.

A scene is put together from soft shapes on a coarse grid and stretched over the picture: the coarser the grid, the
more it is out of focus.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from data_engine.faces.curves import Field, clamp, smoothstep
from data_engine.faces.spec import FaceSpec
from data_engine.faces.studio.projection import Camera
from data_engine.faces.studio.texture import enlarge, noise

SCENES = 31
"""Number of the random stream of scenes."""
BLOOD = np.array([0.07, 0.01, -0.02], np.float32)
"""Red, green and blue light that blood adds to the skin's shadows."""
GRIDS = (7, 10, 14, 20, 30, 46)
"""Sides of the coarse scene, in points, from far out of focus to nearly sharp."""


def wall(camera: Camera) -> Field:
    """Return the backdrop without anybody before it, (3, S, S) light."""
    if camera.spec.backdrop is not None:
        return np.ascontiguousarray(enlarge(scene(camera.spec.backdrop), (camera.size, camera.size)))
    person, (_, down) = camera.person, camera.frame()
    low = clamp((down + 1.5) / 3)[None]  # (1, S, 1)
    gradient = person.backdrop_top[:, None, None] * (1 - low) + person.backdrop_bottom[:, None, None] * low
    return gradient * (1 + 0.06 * noise(person.texture_seed + 5, 6, camera.size))


def bounce(spec: FaceSpec) -> Field:
    """Return how much red, green and blue light falls into the skin's shadows besides the grey of `shade`, (3,).

    Blood scatters red light into them, and what stands around throws its own colour.
    """
    if spec.backdrop is None:
        return BLOOD
    around = scene(spec.backdrop).mean(axis=(1, 2))
    colour: Field = BLOOD + np.float32(0.25) * (around - around.mean())
    return colour


@lru_cache(maxsize=2048)
def scene(seed: int) -> Field:
    """Return the scene with this seed on a coarse grid, (3, h, w)."""
    rng = np.random.default_rng([seed, SCENES])
    kind = str(rng.choice([*SHARES], p=[*SHARES.values()]))
    side = 14 if kind == "studio" else int(rng.choice(GRIDS))
    across = np.broadcast_to(np.linspace(0, 1, side, dtype=np.float32), (side, side))
    picture = _KINDS[kind](rng, across, across.T) * float(rng.uniform(0.55, 1.15))
    kept: Field = np.clip(picture, 0.01, 1.0).astype(np.float32)
    return kept


SHAPES = np.array([(0.9, 0.25), (0.25, 0.9), (0.5, 0.5)])
"""Heights and widths of boxes: shelves and posts, boards, blocks."""
SHARES = {
    "studio": 0.24, "room": 0.22, "window": 0.12, "street": 0.14, "green": 0.13, "lights": 0.07, "sky": 0.08,
}  # fmt: skip
"""How often each kind of scene is drawn."""


def _colour(rng: np.random.Generator, low: float, high: float, vivid: float = 0.25) -> Field:
    """A colour (3, 1, 1) of a brightness within a range, muted unless `vivid` is high."""
    bright, vivid = rng.uniform(low, high), vivid * rng.uniform(0.1, 1)
    hue = rng.uniform(0, 1, 3)
    colour: Field = (bright * ((1 - vivid) + vivid * hue / max(float(hue.mean()), 0.2))).astype(np.float32)
    return np.clip(colour, 0, 1)[:, None, None]


def _fade(rng: np.random.Generator, across: Field, down: Field, low: float, high: float, vivid: float) -> Field:
    """A gradient between two colours in any direction."""
    angle = rng.uniform(0, 2 * np.pi)
    along = clamp(0.5 + (across - 0.5) * np.cos(angle) + (down - 0.5) * np.sin(angle))
    faded: Field = (_colour(rng, low, high, vivid) * (1 - along) + _colour(rng, low, high, vivid) * along).astype(
        np.float32
    )
    return faded


def _boxes(rng: np.random.Generator, picture: Field, count: int, low: float, high: float, vivid: float) -> None:
    """Lay upright and level rectangles over a picture."""
    side = picture.shape[-1]
    for _ in range(count):
        top, left = (rng.uniform(-0.2, 1, 2) * side).astype(int).tolist()
        tall, wide = (rng.uniform(0.1, 1, 2) * SHAPES[int(rng.integers(3))] * side).astype(int).tolist()
        rows, columns = slice(max(top, 0), max(top + tall + 1, 0)), slice(max(left, 0), max(left + wide + 1, 0))
        picture[:, rows, columns] = _colour(rng, low, high, vivid)


def _discs(rng: np.random.Generator, picture: Field, across: Field, down: Field, count: int, strength: float) -> None:
    """Add bright discs, as lamps out of focus are."""
    for _ in range(count):
        x, y = rng.uniform(0, 1, 2)
        radius = rng.uniform(0.02, 0.09)
        disc = clamp((radius - np.hypot(across - x, down - y)) * (0.9 * len(down)) + 0.5)
        picture += disc * strength * rng.uniform(0.3, 1) * _colour(rng, 0.7, 1.0, 0.5)


def _blobs(rng: np.random.Generator, cells: tuple[int, ...], side: int) -> Field:
    """The sum of noises with so many blobs across."""
    total: Field = np.sum([noise(int(rng.integers(1 << 30)), count, side) for count in cells], axis=0, dtype=np.float32)
    return total


def _studio(rng: np.random.Generator, across: Field, down: Field) -> Field:
    picture = _fade(rng, across, down, 0.05, 0.95, 0.2 * float(rng.random()) ** 2)
    x, y = rng.uniform(0.2, 0.8, 2)
    spot = np.exp(-((across - x) ** 2 + (down - y) ** 2) / 0.15).astype(np.float32)
    lit: Field = picture * (0.75 + rng.uniform(0, 0.5) * spot)
    return lit


def _room(rng: np.random.Generator, across: Field, down: Field) -> Field:
    picture = _fade(rng, across, down, 0.25, 0.8, 0.3)
    _boxes(rng, picture, int(rng.integers(3, 9)), 0.08, 0.8, 0.4)
    return picture


def _window(rng: np.random.Generator, across: Field, down: Field) -> Field:
    picture = _fade(rng, across, down, 0.10, 0.45, 0.3)
    left, width = rng.uniform(-0.1, 0.7), rng.uniform(0.25, 0.6)
    pane = clamp(np.minimum(across - left, left + width - across) * 25) * clamp(
        (float(rng.uniform(0.5, 1.1)) - down) * 25
    )
    bars = 1 - 0.7 * (np.abs((across - left) / width - 0.5) < 0.035)
    picture += (pane * bars) * (_colour(rng, 0.85, 1.0, 0.1) - picture)
    _boxes(rng, picture, int(rng.integers(0, 3)), 0.05, 0.4, 0.3)
    return picture


def _street(rng: np.random.Generator, across: Field, down: Field) -> Field:
    horizon = rng.uniform(0.35, 0.75)
    ground = smoothstep((down - horizon) / 0.06)
    picture = _fade(rng, across, down, 0.5, 0.95, 0.15)
    for _ in range(int(rng.integers(2, 6))):
        left, width, top = rng.uniform(-0.2, 0.9), rng.uniform(0.1, 0.4), rng.uniform(-0.1, horizon)
        house = (across > left) & (across < left + width) & (down > top)
        picture += house * (_colour(rng, 0.15, 0.75, 0.3) - picture)
    picture += ground * (_colour(rng, 0.2, 0.6, 0.2) - picture)
    _boxes(rng, picture, int(rng.integers(0, 4)), 0.05, 0.9, 0.5)
    return picture


def _green(rng: np.random.Generator, across: Field, down: Field) -> Field:
    leaves = _blobs(rng, (5, 11, 22), len(down)) / np.float32(1.7)
    dark, light = np.array([[0.10, 0.18, 0.08], [0.55, 0.68, 0.35]], np.float32) * rng.uniform(0.7, 1.2, (2, 3))
    mix = clamp(0.45 + 0.25 * leaves)
    picture: Field = (dark[:, None, None] * (1 - mix) + light[:, None, None] * mix).astype(np.float32)
    _discs(rng, picture, across, down, int(rng.integers(0, 8)), 0.5)
    return picture


def _lights(rng: np.random.Generator, across: Field, down: Field) -> Field:
    picture = _fade(rng, across, down, 0.02, 0.20, 0.6)
    _boxes(rng, picture, int(rng.integers(0, 3)), 0.02, 0.25, 0.5)
    _discs(rng, picture, across, down, int(rng.integers(5, 22)), 0.8)
    return picture


def _sky(rng: np.random.Generator, across: Field, down: Field) -> Field:  # noqa: ARG001 - all scenes are asked alike
    blue = np.array([0.45, 0.62, 0.85], np.float32)[:, None, None] * rng.uniform(0.8, 1.15)
    clouds = clamp(0.4 + 0.35 * _blobs(rng, (4, 9), len(down)))
    picture: Field = (blue + clouds * (np.float32(0.92) - blue) * (1 - 0.3 * down)).astype(np.float32)
    if rng.random() < 0.5:
        ground = smoothstep((down - rng.uniform(0.5, 0.9)) / 0.08)
        picture += ground * (_colour(rng, 0.15, 0.6, 0.4) - picture)
    return picture


_KINDS = {
    "studio": _studio, "room": _room, "window": _window, "street": _street, "green": _green, "lights": _lights,
    "sky": _sky,
}  # fmt: skip
