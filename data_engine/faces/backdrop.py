"""What is behind and below the face: the wall, the neck, the collar, the ears."""

from __future__ import annotations

import math

import numpy as np

from data_engine.faces.curves import Field, clamp, coverage
from data_engine.faces.projection import Camera
from data_engine.faces.surface import blend, bounds
from data_engine.faces.texture import noise


def wall(camera: Camera, down: Field) -> Field:
    """Return the empty backdrop, a soft gradient: (3, S, S)."""
    person = camera.person
    low = clamp((down + 1.5) / 3)[None]  # (1, S, 1)
    gradient = person.backdrop_top[:, None, None] * (1 - low) + person.backdrop_bottom[:, None, None] * low
    return gradient * (1 + 0.06 * noise(person.texture_seed + 5, 6, camera.size))


def paint_bust(picture: Field, camera: Camera, across: Field, down: Field) -> None:
    """Paint neck and clothes; they do not turn with the head."""
    person, edge = camera.person, 2.6 * camera.pixel
    off = np.abs(across)
    rows = slice(int(np.searchsorted(down[:, 0], 0.25)), camera.size)
    low = down[rows]
    half_width = 0.50 * person.head_half_width + 0.35 * clamp(low - 1.12) ** 1.5
    neck = coverage(np.minimum(half_width - off, low - 0.35), edge)
    chin_shadow = 0.25 * np.exp(-3 * clamp(low - 0.95, 0, 3))
    blend(picture[:, rows], neck, person.skin[:, None, None] * (0.62 - chin_shadow - 0.2 * clamp(1.2 * off)))
    rows = slice(int(np.searchsorted(down[:, 0], 1.1)), camera.size)
    collar = 1.30 + 0.20 * off + 0.16 * np.exp(-((across / 0.42) ** 4))
    lit = 0.8 + 0.2 * np.clip(-across * 2 * _light_x(camera), -1, 1)
    cloth = (person.backdrop_bottom[::-1] * np.float32(0.55) + np.float32(0.05))[:, None, None] * lit
    blend(picture[:, rows], coverage(down[rows] - collar, edge), cloth)


def _light_x(camera: Camera) -> float:
    x, y, z = camera.spec.light
    return x / math.sqrt(x * x + y * y + z * z)


def paint_ears(picture: Field, camera: Camera, u: Field, v: Field) -> None:
    """Paint the ears at the sides of the head; the one that has turned away is not seen."""
    person, spec = camera.person, camera.spec
    y = 0.25 * math.sin(spec.pitch)
    light = 0.75 * (0.5 + 0.5 * spec.ambient)
    for side in (-1, 1):
        turned = side * math.sin(spec.yaw)
        if turned > 0.35:
            continue
        x = side * 0.985 * person.head_half_width
        width = 0.115 * (1 - 0.7 * max(0.0, turned))
        rows, columns = bounds((np.abs(u - x) < 0.2) & (np.abs(v - y) < 0.35))
        off_x, off_y = u[rows, columns] - x, v[rows, columns] - y
        ear = coverage(1 - np.sqrt((off_x / width) ** 2 + (off_y / 0.22) ** 2), 7.8 * camera.pixel)
        shell = 1 - 0.3 * np.exp(-((off_x / 0.05) ** 2 + (off_y / 0.13) ** 2))
        blend(picture[:, rows, columns], ear, person.skin[:, None, None] * (light * shell))
