"""Light on the relief: diffuse light that wraps a little around the head, and a small highlight."""

from __future__ import annotations

import numpy as np

from data_engine.faces.curves import Field, clamp, power24
from data_engine.faces.spec import FaceSpec
from data_engine.faces.surface import Head

WRAP = 0.25
"""How far diffuse light reaches past the terminator, as a cosine."""


def illuminate(head: Head, spec: FaceSpec, radius: float) -> None:
    """Fill `shade` and `gloss` from the slope of ball and relief together. `radius` is the ball's, in face units."""
    face = head.surface
    depth = head.ball_z * radius + 0.9 * face.relief * face.front
    face.shade[...], face.gloss[...] = light_on(depth, face.pixel, spec)


def light_on(depth: Field, pixel: float, spec: FaceSpec) -> tuple[Field, Field]:
    """Return how bright a surface is, about 1 in full light, and how much it mirrors the light, 0–1."""
    down, across = slopes(depth, pixel)
    length = 1 / np.sqrt(1 + across * across + down * down)
    light = _unit(np.array(spec.light, np.float32))
    halfway = _unit(light + np.array([0, 0, 1], np.float32))
    diffuse = clamp((_facing(light, across, down) * length + WRAP) / (1 + WRAP))
    shade = spec.ambient + (1 - spec.ambient) * 1.25 * diffuse
    return shade, power24(clamp(_facing(halfway, across, down) * length))


def slopes(depth: Field, pixel: float) -> tuple[Field, Field]:
    """Return how steeply the surface rises downwards and to the right, at most 3 either way."""
    return clamp(np.gradient(depth, pixel, axis=0), -3, 3), clamp(np.gradient(depth, pixel, axis=1), -3, 3)


def _facing(direction: Field, across: Field, down: Field) -> Field:
    """The dot product of a direction with the surface's normal (−across, −down, 1), not yet of unit length."""
    x, y, z = (float(part) for part in direction)
    return z - across * x - down * y


def _unit(vector: Field) -> Field:
    unit: Field = vector / float(np.linalg.norm(vector))
    return unit
