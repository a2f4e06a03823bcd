"""Ears: a small relief, drawn once, that sits at the side of the head and turns with it."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from data_engine.faces.curves import Field, bump, clamp, coverage, ridge, smoothstep
from data_engine.faces.person.identity import Identity
from data_engine.faces.studio.projection import Camera
from data_engine.faces.studio.shading import light_direction, meter
from data_engine.faces.studio.surface import blend, bounds

ROOT = (0.965, -0.01, -0.10)
"""Where the left ear grows from the ball of the head: half its height lies between brow and nose base."""
TALL, WIDE = 32, 24
"""Size of the relief in texels."""


@lru_cache(maxsize=1)
def ear_relief() -> tuple[Field, Field]:
    """Return the ear's outline and its shading, each (TALL, WIDE): across from the root outwards, down from the top."""
    down, across = np.meshgrid(np.linspace(-1, 1, TALL), np.linspace(0, 1, WIDE), indexing="ij")
    width = np.where(down < 0.1, 1.0, 1 - 0.52 * np.maximum(down - 0.1, 0) ** 1.2)  # the lobe is narrower than the top
    rim = np.sqrt((np.maximum(across - 0.25, 0) / (0.72 * width)) ** 2 + (down / 0.97) ** 2)
    outline = coverage((1 - rim).astype(np.float32), 0.14) * smoothstep(across / 0.25)
    helix = ridge((rim - 0.86) / 0.10) * (down < 0.55)
    groove = ridge((rim - 0.66) / 0.08) * (down < 0.4)
    concha = bump((across - 0.30) / 0.22, (down - 0.12) / 0.34)
    tragus = bump((across - 0.06) / 0.10, (down - 0.15) / 0.14)
    shade = 0.92 + 0.16 * helix - 0.22 * groove - 0.45 * concha + 0.30 * tragus - 0.10 * (1 - across)
    return outline.astype(np.float32), clamp(shade, 0.3, 1.15).astype(np.float32)


def paint_ears(picture: Field, camera: Camera, u: Field, v: Field, behind: bool) -> None:
    """Paint the ears before the head is painted, if `behind`: those that turn away; or after it: the others."""
    for side in (-1, 1):
        turned_away = side * camera.spec.yaw > 0.08
        if turned_away == behind:
            _paint_ear(picture, camera, u, v, side)


def _paint_ear(picture: Field, camera: Camera, u: Field, v: Field, side: int) -> None:
    person = camera.person
    half = person.head_half_width
    root = camera.rotation @ np.array([side * ROOT[0], ROOT[1], ROOT[2]], np.float32)
    sideways = 0.35 + 0.35 * person.ear_angle
    direction = camera.rotation @ np.array([side * sideways, 0, -np.sqrt(1 - sideways**2)], np.float32)
    width, height = 0.25 * person.ear_size * float(direction[0]), 0.245 * person.ear_size
    if side * width < 0.02:
        return
    x, y = half * float(root[0]), person.head_half_height * float(root[1])
    rows, columns = bounds((np.abs(u - x - width / 2) < 0.5 * abs(width)) & (np.abs(v - y) < height))
    if rows.stop - rows.start < 2 or columns.stop - columns.start < 1:
        return
    across, down = (u[rows, columns] - x) / width, (v[rows, columns] - y + 0.12 * (u[rows, columns] - x)) / height
    texel = (clamp((down + 1) / 2) * (TALL - 1) + 0.5).astype(np.int32) * WIDE + (
        clamp(across) * (WIDE - 1) + 0.5
    ).astype(np.int32)
    outline, shade = (part.ravel().take(texel) for part in ear_relief())
    blend(picture[:, rows, columns], outline, _flesh(person)[:, None, None] * (shade * _light(camera, side)))
    if person.wardrobe.earrings:
        drop = np.sqrt((u[rows, columns] - x - 0.45 * width) ** 2 + (v[rows, columns] - y - 0.78 * height) ** 2)
        blend(
            picture[:, rows, columns],
            coverage(person.wardrobe.earrings - drop, camera.pixel * 1.5),
            np.array([0.9, 0.82, 0.6], np.float32),
        )


def _flesh(person: Identity) -> Field:
    """The ear's colour is the skin's, redder."""
    redder: Field = person.skin * np.array([1.0, 0.90, 0.88], np.float32)
    return redder


def _light(camera: Camera, side: int) -> float:
    """How bright an ear is on the light's side and on the other one."""
    spec = camera.spec
    x, y, z = light_direction(spec)
    facing = 0.55 * side * x - 0.2 * y + 0.6 * z
    bright = spec.ambient + (1 - spec.ambient) * 1.15 * max(0.0, min(1.0, 0.25 + 0.8 * facing))
    return bright * meter(spec)
