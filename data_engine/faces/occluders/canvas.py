"""What all occluders share: where they lie, how light falls on them, the shapes that they are made of.

Distances are signed and positive inside a shape, in face units.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np

from data_engine.faces.actions import Actions
from data_engine.faces.curves import Field, Value, clamp
from data_engine.faces.landmarks import face_places
from data_engine.faces.person.identity import Identity
from data_engine.faces.spec import FaceSpec
from data_engine.faces.studio.projection import Camera, nose_lift
from data_engine.faces.studio.shading import light_on

NOSE_TIP, NOSE_BASE, LIP_TOP, LIP_BOTTOM = 30 - 17, 33 - 17, 51 - 17, 57 - 17
"""Rows of `face_places`."""


@dataclass(frozen=True, eq=False)
class Patch:
    """The pixels around an occluder, (H, W) each, in the occluder's own coordinates."""

    picture: Field
    """What was painted so far, (3, H, W)."""
    across: Field
    down: Field
    inside: Field
    """Signed distance into the occluder."""
    ball_z: Field
    """Height of the bare head towards the viewer, 0–1; nothing that an AU moves."""
    pixel: float
    spec: FaceSpec

    def light(self, depth: Field) -> tuple[Field, Field]:
        """Return shade, about 1 in full light, and gloss, 0–1, of a form of this depth."""
        return light_on(depth, self.pixel, self.spec)


class Occluder(Protocol):
    """Something that hides a part of the face. It moves with the head, but no AU moves it."""

    @property
    def worn(self) -> bool:
        """True: it lies on the face, and its coordinates are places on the face (x, y). False: it is held before the
        face, and its coordinates are those of the upright head as the viewer sees it (u, v)."""
        ...

    def area(self, across: Field, down: Field) -> Field:
        """Return the signed distance into what it hides; the shape of the two coordinates."""
        ...

    def colours(self, patch: Patch) -> Field:
        """Return what it looks like, (3, H, W) in 0–1."""
        ...


class Anchors(NamedTuple):
    """Heights on a person's neutral face, in face units."""

    eyes: float
    nose_tip: float
    nose_base: float
    mouth: float
    lip_bottom: float
    chin: float


def anchors(person: Identity) -> Anchors:
    """Return where the parts of the person's neutral face lie."""
    y = face_places(person, Actions.of({}))[:, 1].tolist()
    mouth = 0.5 * (y[LIP_TOP] + y[LIP_BOTTOM])
    return Anchors(person.eye_y, y[NOSE_TIP], y[NOSE_BASE], mouth, y[LIP_BOTTOM], person.head_half_height)


def seen_from_front(camera: Camera, x: Value, y: Value) -> tuple[float, float]:
    """Return about where the viewer sees one place on the face: (u, v) of the upright head."""
    seen_x, seen_y = place_x, place_y = np.array([x], np.float32), np.array([y], np.float32)
    # Nine rounds leave some way to go where the nose is seen from the side. They stay, because all pictures drawn so
    # far are held by them; what lies there is said by `area`, not by this place.
    for _ in range(9):
        lift = nose_lift(camera.person, seen_x, seen_y)
        seen_x, seen_y = place_x + lift * camera.nose_shift[0], place_y + lift * camera.nose_shift[1]
    u, v = camera.pixels_to_head(camera.shifted_to_pixels(seen_x, seen_y))
    return float(u[0]), float(v[0])


def capsule(across: Field, down: Field, start: tuple[float, float], end: tuple[float, float], *radii: float) -> Field:
    """Distance into a rod with round ends; two radii let it taper from its start to its end."""
    step = end[0] - start[0], end[1] - start[1]
    off_x, off_y = across - start[0], down - start[1]
    along = clamp((off_x * step[0] + off_y * step[1]) / max(step[0] ** 2 + step[1] ** 2, 1e-9))
    rest_x, rest_y = off_x - along * step[0], off_y - along * step[1]
    inside: Field = radii[0] + (radii[-1] - radii[0]) * along - np.sqrt(rest_x * rest_x + rest_y * rest_y)
    return inside


def box(across: Field, down: Field, half_width: Value, half_height: float, rounding: float = 0.0) -> Field:
    """Distance into a box around (0, 0) with round corners."""
    out_x, out_y = np.abs(across) - half_width + rounding, np.abs(down) - half_height + rounding
    corner = np.sqrt(clamp(out_x, 0, 99) ** 2 + clamp(out_y, 0, 99) ** 2)
    return rounding - corner - np.minimum(np.maximum(out_x, out_y), 0)


def rounded(inside: Field, radius: float) -> Field:
    """Depth of a body that is round at its rim: from the distance into its outline, (H, W)."""
    rim = clamp(inside, 0, radius) - radius
    return np.sqrt(clamp(radius * radius - rim * rim, 0, 99))


def two_deepest(distances: Sequence[Field]) -> tuple[Field, Field]:
    """Return for every pixel the largest and the second largest of the distances into several shapes."""
    first, second = np.maximum(*distances[:2]), np.minimum(*distances[:2])
    for distance in distances[2:]:
        second = np.maximum(second, np.minimum(first, distance))
        first = np.maximum(first, distance)
    return first, second


def turned(across: Field, down: Field, angle: float) -> tuple[Field, Field]:
    """Turn coordinates so that a shape upright in them is tilted clockwise in the image by the angle, in radians."""
    cos, sin = float(np.cos(angle)), float(np.sin(angle))
    return cos * across + sin * down, cos * down - sin * across


def layered(base: Field, *layers: tuple[Field, Field]) -> Field:
    """Lay colours over each other: (coverage (H, W), colour (3, …)) from below to above; returns (3, H, W)."""
    for cover, colour in layers:
        base = base + cover * (colour - base)
    return base


def colour(*rgb: float) -> Field:
    """A colour of full shape: (3, 1, 1)."""
    return np.array(rgb, np.float32)[:, None, None]
