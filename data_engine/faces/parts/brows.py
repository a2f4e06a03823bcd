"""Brows and forehead: AU1, AU2 and AU4, the lines across the forehead and between the brows."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from data_engine.faces.actions import Sided
from data_engine.faces.curves import Field, Value, between, bump, clamp, coverage, plateau, ridge, smoothstep, used
from data_engine.faces.person.identity import Identity
from data_engine.faces.studio.surface import Surface

ROOMY = 0.26
"""From this distance between eye and brow on, AU4 lowers the brow freely; a low brow has less way to go."""
HAIR_PERIOD, HAIR_LEAN = 0.034, 1.6
"""Distance of the strokes of hair across, in face units, and how much they lean towards the tail."""


class Brow(NamedTuple):
    """The middle line of a brow: heights at its inner end, its peak and its tail, in face units."""

    inner_x: Value
    tail_x: float
    peak: float
    """Where along the brow its arch is highest: 0 is the inner end, 1 the tail."""
    inner_y: Value
    peak_y: Value
    tail_y: Value

    def along(self, lateral: Field) -> Field:
        """How far along the brow a place is, 0 at the inner end, 1 at the tail."""
        return (lateral - self.inner_x) / (self.tail_x - self.inner_x)

    def y(self, along: Field) -> Field:
        """Height of the middle line: the parabola through inner end, peak and tail."""
        t, peak = clamp(along, -0.15, 1.1), self.peak
        inner = self.inner_y * ((t - peak) * (t - 1) / peak)
        middle = self.peak_y * (t * (t - 1) / (peak * (peak - 1)))
        return inner + middle + self.tail_y * (t * (t - peak) / (1 - peak))


def brow(person: Identity, au: Sided, x: Field) -> Brow:
    """Return the brow's shape at places x: AU1 lifts the inner end, AU2 the tail, AU4 lowers and draws it inwards."""
    rest = person.eye_y - person.brow_height + person.brow_uneven * clamp(x * 8, -1, 1)
    drop = min(1.2, 0.25 + 0.75 * person.brow_height / ROOMY) * (1.25 - 0.25 * person.frown_squeeze)
    inner = -0.115 * au[1] - 0.03 * au[2] + 0.105 * drop * au[4] * (1 - 0.5 * au[1]) + 0.035 * drop * au[9]
    middle = -0.045 * au[1] - 0.095 * au[2] + 0.080 * drop * au[4] * (1 - 0.4 * au[2]) + 0.018 * au[9]
    tail = -0.01 * au[1] - 0.142 * au[2] + 0.025 * au[4] + 0.020 * au[6]
    peak, slope = person.brow_peak, person.brow_slope
    return Brow(
        inner_x=person.brow_inner_x - min(0.05 * person.frown_squeeze, 0.6 * person.brow_inner_x) * au[4],
        tail_x=person.brow_tail_x,
        peak=peak,
        inner_y=rest + inner + 0.6 * slope,
        peak_y=rest + middle - person.brow_arch - slope * (peak - 0.5),
        tail_y=rest + tail - 0.4 * slope + 0.025,
    )


class Brows:
    """Both brows and the forehead above them, on one surface."""

    def __init__(self, face: Surface, person: Identity) -> None:
        self.face = face.window(top=-1.0, bottom=0.05, lateral=0.90)
        self.person = person
        shape = brow(person, self.face.au, self.face.x)
        self.along = shape.along(self.face.lateral)
        self.y = shape.y(self.along)

    def sculpt(self) -> None:
        """Raise the brow ridge, fold the forehead and the glabella."""
        face, au = self.face, self.face.au
        beside = between(self.along, -0.4, 0.5, 1.15, 0.4)
        face.relief[...] += (0.055 + 0.03 * self.person.eye_depth + 0.05 * au[4]) * (
            beside * ridge((face.y - self.y - 0.02) / 0.10)
        )
        if used(au[4]):  # the lowered brow shades the lid
            face.crease[...] += 0.34 * au[4] * beside * ridge((face.y - self.y - 0.085) / 0.05)
        self._fold_forehead()
        self._fold_glabella()

    def _fold_forehead(self) -> None:
        """Lines that follow the brows: AU1 in the middle, AU2 at the sides, age all across; the skin heaps up below."""
        face, person, au = self.face, self.person, self.face.au
        depth = 0.18 * person.wrinkles * plateau(face.x / 0.6)
        raised: Value = 0.0
        if used(au[1]):
            raised = au[1] * plateau(face.x / 0.28)
        if used(au[2]):
            raised = raised + au[2] * between(face.lateral, 0.22, 0.2, 0.78, 0.2)
        if used(raised):
            depth = depth + 0.75 * raised
            face.relief[...] += 0.022 * raised * ridge((face.y - self.y + 0.10) / 0.05)
        if not person.forehead_lines or (person.wrinkles < 0.1 and not used(raised)):
            return
        wave = person.forehead_wave * np.sin(5 * face.x + 7 * person.glabella_lean)
        first = 0.35 * self.y + 0.65 * (person.eye_y - person.brow_height) - 0.085 + wave
        lines = sum(ridge((face.y - first + 0.062 * k) / 0.016) for k in range(person.forehead_lines))
        fold = person.line_depth * lines * depth
        face.crease[...] += fold
        face.relief[...] -= 0.020 * fold

    def _fold_glabella(self) -> None:
        """Between the brows: AU4 heaps the skin up and folds it into upright lines, two, one or none."""
        person = self.person
        top = person.eye_y - person.brow_height
        face = self.face.window(top=top - 0.28, bottom=person.eye_y + 0.10, lateral=0.35)
        au4 = face.au[4]
        if used(au4):
            face.relief[...] += 0.05 * au4 * bump(face.x / 0.08, (face.y - top) / 0.10)
        depth = person.line_depth * (0.70 * au4 + 0.12 * person.wrinkles)
        if not person.glabella_lines or not used(depth):
            return
        lean = 0.12 * person.glabella_lean * (face.y - top)
        across = face.lateral - 0.052 - lean if person.glabella_lines == 2 else face.x - 0.3 * lean - 0.02
        lines = ridge(across / 0.017) * between(face.y, top - 0.14, 0.08, top + 0.13, 0.08)
        face.crease[...] += depth * lines
        face.relief[...] -= 0.035 * depth * lines

    def pigment(self) -> None:
        """Colour the hairs of the brows, stroke by stroke where pixels are fine enough."""
        face, person, along = self.face, self.person, self.along
        thickness = person.brow_thickness * (1.08 - person.brow_taper * clamp(along) ** 2) * (1 + 0.2 * face.au[4])
        off = face.y - self.y
        fine = min(1.0, max(0.0, 1.7 - face.pixel / 0.008))
        phase = (face.lateral + (HAIR_LEAN * along - 0.4) * off) * (2 * np.pi / HAIR_PERIOD)
        strokes = fine * np.sin(phase + 1.5 * face.grain)
        edge = face.edge + 0.010 + 0.35 * person.brow_thickness
        hairs = coverage(thickness * (1 + 0.16 * strokes + 0.08 * face.grain) - np.abs(off), edge)
        hairs = hairs * smoothstep((along + 0.08) / 0.24) * smoothstep((1.06 - along) / 0.2)
        density = person.brow_density * (0.88 + 0.10 * face.grain + 0.14 * strokes)
        face.cover(clamp(hairs * face.front * density, 0, 0.95), person.hair * np.float32(0.8 * person.brow_darkness))
