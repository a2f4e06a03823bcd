"""Brows and forehead: AU1, AU2 and AU4, the lines across the forehead and between the brows."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from data_engine.faces.actions import Sided
from data_engine.faces.curves import Field, Value, between, bump, clamp, coverage, plateau, ridge, smoothstep
from data_engine.faces.identity import Identity
from data_engine.faces.surface import Surface, used

TAIL_X = 0.66
"""Where every brow ends, in face units from the midline."""
PEAK = 0.6
"""Where along the brow its arch is highest: 0 is the inner end, 1 the tail."""


class Brow(NamedTuple):
    """The middle line of a brow: heights at its inner end, its peak and its tail, in face units."""

    inner_x: Value
    inner_y: Value
    peak_y: Value
    tail_y: Value

    def along(self, lateral: Field) -> Field:
        """How far along the brow a place is, 0 at the inner end, 1 at the tail."""
        return (lateral - self.inner_x) / (TAIL_X - self.inner_x)

    def y(self, along: Field) -> Field:
        """Height of the middle line: the parabola through inner end, peak and tail."""
        t = clamp(along, -0.15, 1.1)
        inner = self.inner_y * ((t - PEAK) * (t - 1) / PEAK)
        peak = self.peak_y * (t * (t - 1) / (PEAK * (PEAK - 1)))
        return inner + peak + self.tail_y * (t * (t - PEAK) / (1 - PEAK))


def brow(person: Identity, au: Sided) -> Brow:
    """Return the brow's shape: AU1 lifts the inner end, AU2 the tail, AU4 lowers and draws it inwards."""
    inner = -0.385 - 0.115 * au[1] - 0.03 * au[2] + 0.105 * au[4] * (1 - 0.5 * au[1]) + 0.04 * au[9]
    peak = -0.415 - 0.045 * au[1] - 0.085 * au[2] + 0.075 * au[4] * (1 - 0.4 * au[2]) + 0.02 * au[9]
    tail = -0.365 - 0.01 * au[1] - 0.135 * au[2] + 0.02 * au[4] + 0.015 * au[6]
    return Brow(
        inner_x=person.brow_inner_x - 0.055 * au[4],
        inner_y=person.brow_y + inner,
        peak_y=person.brow_y + peak - 0.040 * person.brow_arch,
        tail_y=person.brow_y + tail,
    )


class Brows:
    """Both brows and the forehead above them, on one surface."""

    def __init__(self, face: Surface, person: Identity) -> None:
        self.face = face.window(top=-1.0, bottom=0.10, lateral=0.90)
        self.person = person
        shape = brow(person, self.face.au)
        self.along = shape.along(self.face.lateral)
        self.y = shape.y(self.along)

    def sculpt(self) -> None:
        """Raise the brow ridge, fold the forehead and the glabella."""
        face, au = self.face, self.face.au
        rim = ridge((face.y - self.y - 0.02) / 0.10) * between(self.along, -0.4, 0.5, 1.15, 0.4)
        face.relief[...] += (0.075 + 0.05 * au[4]) * rim
        self._fold_forehead()
        self._fold_glabella()

    def _fold_forehead(self) -> None:
        """Three lines that follow the brows: AU1 in the middle, AU2 at the sides, age all across."""
        face, au = self.face, self.face.au
        lines = sum(ridge((face.y - (self.y * 0.35 - 0.443 - 0.05525 * k)) / 0.014) for k in range(3))
        depth = 0.22 * self.person.wrinkles * plateau(face.x / 0.6)
        if used(au[1]):
            depth = depth + 0.85 * au[1] * plateau(face.x / 0.28)
        if used(au[2]):
            depth = depth + 0.85 * au[2] * between(face.lateral, 0.22, 0.2, 0.78, 0.2)
        fold = lines * depth
        face.crease[...] += fold
        face.relief[...] -= 0.012 * fold

    def _fold_glabella(self) -> None:
        """The upright lines between the brows: AU4 and age."""
        face = self.face.window(top=-0.75, bottom=0.02, lateral=0.35)
        au4 = face.au[4]
        lines = ridge((face.lateral - 0.055) / 0.013) * between(face.y, -0.52, 0.08, -0.24, 0.07)
        face.crease[...] += (0.95 * au4 + 0.12 * self.person.wrinkles) * lines
        if used(au4):
            face.relief[...] += au4 * (0.05 * bump(face.x / 0.08, (face.y + 0.36) / 0.10) - 0.02 * lines)

    def pigment(self) -> None:
        """Colour the hairs of the brows."""
        face, along = self.face, self.along
        thickness = self.person.brow_thickness * (1.05 - 0.75 * clamp(along) ** 2) * (1 + 0.2 * face.au[4])
        hairs = coverage(thickness - np.abs(face.y - self.y), face.edge * 1.5 + 0.012)
        hairs = hairs * smoothstep((along + 0.06) / 0.14) * smoothstep((1.05 - along) / 0.2)
        mask = clamp(hairs * face.front * (0.80 + 0.12 * face.grain), 0, 0.95)
        face.cover(mask, self.person.hair * np.float32(0.75))
