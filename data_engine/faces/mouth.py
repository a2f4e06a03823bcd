"""The mouth on the face: lips in relief and colour, dimples and folds at its corners, teeth and tongue inside."""

from __future__ import annotations

import numpy as np

from data_engine.faces.curves import Field, between, bump, clamp, coverage, plateau, power24, ridge, smoothstep
from data_engine.faces.identity import Identity
from data_engine.faces.lips import mouth_shape
from data_engine.faces.surface import Surface, used

LIP_SHADE = np.array([0.88, 0.58, 0.58], np.float32)
LIP_RED = np.array([0.72, 0.18, 0.22], np.float32)
TEETH = np.array([0.92, 0.90, 0.84], np.float32)
TONGUE = np.array([0.62, 0.27, 0.28], np.float32) * np.float32(0.85)
GUM_DARK = np.array([0.16, 0.045, 0.05], np.float32)
PARTED = 0.004
"""Lips closer than this, in face units, are closed."""


class MouthRegion:
    """The mouth and the skin around it, on one surface."""

    def __init__(self, face: Surface, person: Identity) -> None:
        self.face = face.window(top=0.10, bottom=1.20, lateral=0.72)
        self.person = person
        self.shape = mouth_shape(person, face.actions, self.face.au)
        self.across = np.abs(self.shape.across(self.face.x))
        self.curves = self.shape.curves(self.face.x)
        self.is_open = self.shape.opening > PARTED

    def sculpt(self) -> None:
        """Raise the lips, press them, draw the corners in, fold the skin around."""
        face, au, curves, width = self.face, self.face.au, self.curves, self.shape.half_width
        full = self.shape.fullness
        lips = ridge((face.y - curves.line) / 0.13) * plateau(face.x / (width * 0.9))
        pout = curves.lower_bottom - 0.5 * (curves.lower_bottom - curves.lower_rim)
        lower = ridge((face.y - pout) / 0.045) * plateau(face.x / (width * 0.7))
        groove = ridge((face.y - curves.line) / 0.02) * plateau(face.x / width)
        face.relief[...] += full * ((0.055 + 0.03 * au[18] + 0.05 * au[22] + 0.02 * au[17]) * lips)
        face.relief[...] += full * (0.035 * lower - 0.03 * groove)
        if used(au[24], au[28]):
            above = bump(face.x / 0.25, (face.y - self.shape.y + 0.10) / 0.05)
            below = bump(face.x / 0.22, (face.y - self.shape.y - 0.12) / 0.05)
            face.relief[...] += (0.03 * au[24] + 0.02 * au[28]) * (above + below)
        face.relief[...] -= 0.025 * ridge(face.x / 0.03) * between(face.y, 0.34, 0.04, 0.50, 0.05)  # philtrum
        self._fold_corners()
        if used(au[18], au[23], au[28]):
            self._fold_lips()

    def _fold_corners(self) -> None:
        """The dimple of AU14 and AU12 at the corners, and the line that AU15 and age draw down from them."""
        face, au, shape, age = self.face, self.face.au, self.shape, self.person.wrinkles
        corner_y = shape.y + shape.corner_drop
        corner = bump((self.across - 1.03) * shape.half_width / 0.030, (face.y - corner_y) / 0.030)
        face.crease[...] += (0.22 + 0.18 * au[12] + 0.75 * au[14] + 0.35 * au[15] + 0.25 * au[20]) * corner
        face.relief[...] -= 0.05 * (au[14] + 0.25 * au[12]) * corner
        down = smoothstep((face.y - corner_y) / 0.05) * smoothstep((shape.y + 0.26 - face.y) / 0.1)
        line = ridge((face.lateral - shape.half_width - 0.035 - 0.10 * (face.y - shape.y)) / 0.016)
        face.crease[...] += (0.55 * au[15] + 0.10 * age) * line * down

    def _fold_lips(self) -> None:
        """Fine upright lines around tightened lips: AU18, AU23, AU28."""
        face, au = self.face, self.face.au
        lines = 0.5 + 0.5 * np.cos(clamp(face.x, -0.4, 0.4) * 95)
        around = ridge((np.abs(face.y - self.shape.y) - 0.09) / 0.05) * plateau(face.x / 0.2)
        face.crease[...] += (0.21 * au[18] + 0.14 * au[23] + 0.175 * au[28]) * lines * around

    def pigment(self) -> None:
        """Colour both lips."""
        face, curves, colour = self.face, self.curves, self._lip_colour()
        soft = face.edge + 0.010
        inside = face.front * (self.across < 1) * 0.92
        upper = coverage(np.minimum(face.y - curves.upper_top, curves.upper_rim - face.y), soft)
        lower = coverage(np.minimum(face.y - curves.lower_rim, curves.lower_bottom - face.y), soft)
        face.cover(upper * inside, colour * np.float32(0.88))
        face.cover(lower * inside, colour)

    def _lip_colour(self) -> Field:
        """Between the skin's own reddish tone and red."""
        person = self.person
        red = LIP_RED * np.float32(0.35 + 0.65 * float(person.skin.mean()))
        return person.skin * LIP_SHADE * np.float32(1 - person.lip_colour) + red * np.float32(person.lip_colour)

    def detail(self) -> None:
        """Paint what shows between the lips, then the line where they meet."""
        face, curves = self.face, self.curves
        line = ridge((face.y - curves.line) / (0.011 + 0.4 * face.pixel)) * smoothstep((1.10 - self.across) / 0.12)
        if self.is_open:
            gap = np.minimum(face.y - curves.upper_rim, curves.lower_rim - face.y)
            hole = coverage(gap, face.edge) * (self.across < 1)
            face.cover(hole * face.front, self._cavity())
            line = line * (1 - hole) * 0.35
        face.cover(line * 0.72 * face.front, self._lip_colour() * np.float32(0.25))

    def _cavity(self) -> Field:
        """Teeth and tongue in the dark of the mouth: (3, H, W)."""
        face, curves, shape, mean = self.face, self.curves, self.shape, self.face.actions.mean
        cavity = np.broadcast_to(GUM_DARK[:, None, None], (3, *face.x.shape)).copy()
        if shape.opening > 0.08:
            sink = 0.86 * shape.opening + 0.085 * mean(16) * mean(25)
            tongue = bump(face.x / 0.16, (face.y - shape.y - 0.95 * sink) / max(0.03, 0.4 * sink))
            cavity += tongue * (TONGUE - GUM_DARK)[:, None, None]
        teeth_end = curves.upper_rim + 0.020 + 0.055 * min(1.0, shape.opening / 0.09)
        teeth = coverage(np.minimum(face.y - curves.upper_rim, teeth_end - face.y), face.edge) * (self.across < 0.86)
        if mean(27) > 0.3 or mean(16) > 0.3:
            row = np.minimum(curves.lower_rim - face.y, face.y - curves.lower_rim + 0.035)
            teeth = clamp(teeth + 0.8 * coverage(row, face.edge) * (self.across < 0.66))
        gaps = 0.25 * power24(0.5 + 0.5 * np.cos(face.x * (2 * np.pi / 0.062)))
        cavity += teeth * (1 - gaps) * (TEETH[:, None, None] - cavity)
        cavity *= (0.45 + 0.5 * clamp(face.shade)) * (1 - 0.35 * ridge((face.y - curves.upper_rim) / 0.02))
        return cavity
