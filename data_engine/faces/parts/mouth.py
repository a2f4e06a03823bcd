"""The mouth on the face: lips in relief and colour, dimples and folds at its corners."""

from __future__ import annotations

import numpy as np

from data_engine.faces.curves import Field, between, bump, clamp, coverage, limit, plateau, ridge, smoothstep, used
from data_engine.faces.parts.cavity import cavity
from data_engine.faces.parts.lips import mouth_shape
from data_engine.faces.person.identity import Identity
from data_engine.faces.studio.surface import Surface

LIP_SHADE = np.array([0.88, 0.58, 0.58], np.float32)
LIP_RED = np.array([0.72, 0.18, 0.22], np.float32)
PARTED = 0.004
"""Lips closer than this, in face units, are closed."""


class MouthRegion:
    """The mouth and the skin around it, on one surface."""

    def __init__(self, face: Surface, person: Identity) -> None:
        self.face = face.window(top=person.mouth_y - 0.40, bottom=person.mouth_y + 0.50, lateral=0.66)
        self.person = person
        self.shape = mouth_shape(person, face.actions, self.face.au, self.face.x)
        self.across = np.abs(self.shape.across(self.face.x))
        self.curves = self.shape.curves(self.face.x)
        self.is_open = self.shape.opening > PARTED

    def sculpt(self) -> None:
        """Raise the lips, press them, draw the corners in, fold the skin around."""
        face, au, curves, width = self.face, self.face.au, self.curves, self.shape.half_width
        across = face.x / width
        beside = plateau(across / 0.92)
        full = limit(self.shape.fullness, 0.0, 1.3)
        mound = ridge((face.y - curves.line) / 0.15) * beside
        forward = 0.050 + 0.075 * au[18] + 0.110 * au[22] + 0.02 * au[17] - 0.05 * au[28] - 0.02 * au[20]
        upper_middle = 0.45 * curves.upper_top + 0.55 * curves.upper_rim
        lower_middle = 0.5 * (curves.lower_rim + curves.lower_bottom)
        upper = ridge((face.y - upper_middle) / 0.032) * beside
        lower = ridge((face.y - lower_middle) / 0.042) * plateau(across / 0.75)
        groove = ridge((face.y - curves.line) / 0.02) * beside
        face.relief[...] += forward * mound + full * (0.018 * upper + 0.040 * lower - 0.025 * groove)
        below = ridge((face.y - curves.lower_bottom - 0.035) / 0.035) * plateau(across / 0.72)
        face.crease[...] += (0.24 - 0.10 * au[16]) * below  # the shade under the lower lip
        if used(au[24], au[28], au[23]):
            self._press()
        self._cut_philtrum()
        self._fold_corners()
        if used(au[18], au[23], au[28], au[22]):
            self._fold_lips()

    def _press(self) -> None:
        """AU24 bulges the skin over and under the lips, AU23 tightens it flat, AU28 draws it in over the teeth."""
        face, au, curves = self.face, self.face.au, self.curves
        wide = plateau(self.across / 0.95)
        above = ridge((face.y - curves.upper_top + 0.045) / 0.035) * wide
        under = ridge((face.y - curves.lower_bottom - 0.045) / 0.035) * wide
        bulge = 0.070 * au[24] - 0.035 * au[23] - 0.055 * au[28]
        face.relief[...] += bulge * (above + under)
        rims = ridge((face.y - curves.upper_top) / 0.014) + ridge((face.y - curves.lower_bottom) / 0.014)
        face.crease[...] += (0.34 * au[24] + 0.56 * au[23]) * rims * wide
        if used(au[28]):  # the red is rolled in, a dark seam stays
            face.crease[...] += 0.45 * au[28] * ridge((face.y - curves.line) / 0.035) * wide

    def _cut_philtrum(self) -> None:
        """The upright groove from the nose to the cupid's bow."""
        face, person = self.face, self.person
        nose_end = 0.30 + person.nose_length
        groove = ridge(face.x / 0.030) * between(face.y, nose_end, 0.04, self.curves.upper_top + 0.01, 0.05)
        face.relief[...] -= 0.026 * person.philtrum * groove
        face.crease[...] += 0.10 * person.philtrum * groove

    def _fold_corners(self) -> None:
        """At the corners: the pit of AU14, the dimple of some smiles, and the line that AU15 and age draw down."""
        face, au, shape, person = self.face, self.face.au, self.shape, self.person
        depth, corner_y = 0.35 + 0.65 * person.line_depth, shape.y + shape.corner_drop
        out, down = face.lateral - shape.half_width, face.y - corner_y
        corner = bump((out - 0.008) / 0.028, down / 0.026)
        face.crease[...] += (0.20 + 0.20 * au[12] + 0.45 * au[15] + 0.20 * au[20] + 0.55 * au[24]) * corner
        if used(au[14]):
            pit = bump((out - 0.030) / 0.036, (down + 0.004) / 0.050)
            rim = ridge((out - 0.085 + 1.6 * down * down) / 0.022) * plateau(down / 0.10)
            face.crease[...] += au[14] * (0.85 * pit + (0.32 + 0.45 * person.line_depth) * rim)
            face.relief[...] += au[14] * (0.065 * bump((out - 0.130) / 0.055, down / 0.10) - 0.070 * pit)
        if used(au[13]):
            face.relief[...] += 0.085 * au[13] * bump((out - 0.055) / 0.085, (down + 0.075) / 0.085)
            face.crease[...] += 0.75 * au[13] * bump((out - 0.020) / 0.030, (down + 0.012) / 0.034)
        if person.dimples and used(au[12]):
            dimple = person.dimples * au[12] * bump((out - 0.105) / 0.026, (down - 0.015) / 0.045)
            face.crease[...] += 0.7 * dimple
            face.relief[...] -= 0.05 * dimple
        below = smoothstep(down / 0.05) * smoothstep((shape.y + 0.26 - face.y) / 0.1)
        line = ridge((out - 0.030 - 0.10 * (face.y - shape.y)) / 0.018) * below
        face.crease[...] += (0.80 * depth * au[15] + 0.12 * person.wrinkles) * line
        if used(au[15], au[20]):
            pouch = bump((out - 0.075) / 0.055, (down - 0.06) / 0.075)
            face.relief[...] += (0.060 * au[15] - 0.03 * au[20]) * pouch

    def _fold_lips(self) -> None:
        """Upright lines around tightened lips: AU18, AU23, AU28, few or many by the person."""
        face, au, person = self.face, self.face.au, self.person
        lines = 0.5 + 0.5 * np.cos(clamp(face.x, -0.4, 0.4) * (70 + 40 * person.lip_lines))
        around = ridge((np.abs(face.y - self.shape.y) - 0.09) / 0.05) * plateau(face.x / 0.2)
        depth = 0.25 + 0.75 * person.lip_lines
        face.crease[...] += depth * (0.34 * au[18] + 0.36 * au[23] + 0.16 * au[28]) * lines * around

    def pigment(self) -> None:
        """Colour both lips, darker towards where they meet; wet or painted lips mirror the light."""
        face, curves, person = self.face, self.curves, self.person
        colour = self._lip_colour()
        soft = face.edge + 0.016 - 0.010 * person.lipstick
        inside = face.front * smoothstep((1.02 - self.across) / 0.08) * (0.80 + 0.15 * person.lipstick)
        upper = coverage(np.minimum(face.y - curves.upper_top, curves.upper_rim - face.y), soft) * inside
        lower = coverage(np.minimum(face.y - curves.lower_rim, curves.lower_bottom - face.y), soft) * inside
        seam = ridge((face.y - np.where(upper > lower, curves.upper_rim, curves.lower_rim)) / 0.035)
        tone = 1 - 0.22 * seam
        face.cover(upper, colour[:, None, None] * (tone * np.float32(0.86)))
        face.cover(lower, colour[:, None, None] * tone)
        face.gloss[...] *= 1 + (0.8 + 1.6 * person.lipstick) * np.maximum(upper, lower)

    def _lip_colour(self) -> Field:
        """Between the skin's own reddish tone and red, under lipstick."""
        person = self.person
        red = LIP_RED * np.float32(0.35 + 0.65 * float(person.skin.mean()))
        bare = person.skin * LIP_SHADE * np.float32(1 - person.lip_colour) + red * np.float32(person.lip_colour)
        colour: Field = bare + (person.lipstick_colour - bare) * np.float32(0.85 * person.lipstick)
        return colour

    def detail(self) -> None:
        """Paint what shows between the lips, then the line where they meet."""
        face, curves = self.face, self.curves
        pressed = 0.006 * limit(face.au[24] + face.au[28] + 0.5 * face.au[23])
        line = ridge((face.y - curves.line) / (0.009 + 0.35 * face.pixel + pressed))
        line = line * smoothstep((1.08 - self.across) / 0.12)
        if self.is_open:
            gap = np.minimum(face.y - curves.upper_rim, curves.lower_rim - face.y)
            hole = coverage(gap, face.edge) * (self.across < 1)
            face.cover(hole * face.front, cavity(face, self.person, curves, self.across))
            line = line * (1 - hole) * 0.35
        face.cover(line * 0.74 * face.front, self._lip_colour() * np.float32(0.22))
