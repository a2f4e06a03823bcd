"""The nose: bridge, tip and wings (AU38), and the wrinkles of AU9."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from data_engine.faces.actions import Sided
from data_engine.faces.curves import Field, Value, between, bump, coverage, plateau, ridge, smoothstep, used
from data_engine.faces.person.features import NOSE_TIP_Y
from data_engine.faces.person.identity import Identity
from data_engine.faces.studio.surface import Surface

NOSTRIL = np.array([0.17, 0.11, 0.10], np.float32)
"""A nostril's colour as a share of the skin's."""
BASE = 0.115
"""How far below the tip the nose ends."""
WING_X = 0.150
"""Where the middle of a usual wing is."""


class NoseShape(NamedTuple):
    """Where the nose ends and how wide its wings are."""

    tip_y: Value
    wings: Value
    """Width of the wings; 1 is usual."""
    nostrils: Value
    """Size of the nostrils; 1 is usual."""


def nose_shape(person: Identity, au: Sided) -> NoseShape:
    """Return the nose's shape: AU9 and AU10 pull it up, AU38, AU9 and AU12 widen the wings, AU38 the nostrils."""
    wings = person.nose_width * (1 + 0.24 * au[38] + 0.11 * au[9] + 0.08 * au[12] + 0.03 * au[10] - 0.05 * au[28])
    tip_y = NOSE_TIP_Y + person.nose_length - 0.045 * au[9] - 0.015 * au[10]
    return NoseShape(tip_y, wings, 0.6 + 0.4 * person.nostril_show + 0.55 * au[38] + 0.10 * au[9])


class Nose:
    """The nose on one surface."""

    def __init__(self, face: Surface, person: Identity) -> None:
        self.face = face.window(top=person.eye_y - 0.25, bottom=0.45 + person.nose_length, lateral=0.38)
        self.person = person
        self.shape = nose_shape(person, self.face.au)

    def sculpt(self) -> None:
        """Raise bridge, tip and wings; fold the wings' edges and the root."""
        face, person, (tip_y, wings, _) = self.face, self.person, self.shape
        down = smoothstep((face.y - person.eye_y + 0.02) / (NOSE_TIP_Y + person.nose_length - person.eye_y))
        width = (0.062 + 0.055 * down) * person.nose_bridge_width
        rise = 0.45 * person.nose_bridge + (1 - 0.45 * person.nose_bridge) * down
        bridge = ridge(face.x / width) * rise * smoothstep((face.y - person.eye_y + 0.16) / 0.20)
        bridge = bridge * smoothstep((tip_y + 0.13 - face.y) / 0.11)
        ball = 0.085 + 0.045 * person.nose_tip
        tip = bump(face.x / (ball * 1.25 * person.nose_width), (face.y - tip_y) / ball)
        wing = bump((face.lateral - WING_X * wings) / 0.058, (face.y - tip_y - 0.040) / 0.062)
        hump = bump(face.x / 0.05, (face.y - 0.5 * (person.eye_y + NOSE_TIP_Y + person.nose_length)) / 0.08)
        face.relief[...] += person.nose_height * (0.155 * bridge + (0.13 + 0.05 * person.nose_tip) * tip)
        face.relief[...] += 0.105 * wing + 0.03 * person.nose_hump * hump
        self._shade(wing)
        if used(face.au[9]):
            self._wrinkle()

    def _shade(self, wing: Field) -> None:
        """The groove around each wing, the dark side of the bridge, and the shade under the nose."""
        face, (tip_y, wings, _) = self.face, self.shape
        across, down = face.lateral - (WING_X - 0.010) * wings, (face.y - tip_y - 0.035) * 1.05
        groove = ridge((np.sqrt(across * across + down * down) - 0.078) / 0.020)
        groove = groove * (face.lateral > WING_X * wings) * smoothstep((face.y - tip_y + 0.06) / 0.05)
        under = bump(face.x / (0.14 * wings), (face.y - tip_y - BASE - 0.025) / 0.028)
        side = ridge((face.lateral - 0.105 * self.person.nose_bridge_width) / 0.05)
        side = side * between(face.y, self.person.eye_y - 0.1, 0.15, tip_y + 0.05, 0.1)
        face.crease[...] += 0.40 * groove + 0.28 * under + 0.07 * side
        if used(face.au[38]):  # the flaring wing stands off: bulges and is set off more sharply
            au38 = face.au[38]
            face.relief[...] += 0.05 * au38 * wing
            face.crease[...] += 0.55 * au38 * groove + 0.12 * au38 * under

    def _wrinkle(self) -> None:
        """AU9: lines across the root and down its sides, as many and as deep as this skin folds; it heaps up."""
        face, person, au9 = self.face, self.person, self.face.au[9]
        root_y = person.eye_y + 0.02
        face.relief[...] += 0.035 * au9 * bump((face.lateral - 0.10) / 0.07, (face.y - root_y - 0.08) / 0.09)
        flank = ridge((face.y - root_y - 0.19 + 0.9 * (face.lateral - 0.12)) / 0.018)
        lines = 0.9 * flank * between(face.lateral, 0.08, 0.04, 0.24, 0.06)
        if person.nose_lines:
            places = (face.y - root_y + 0.05 - 0.072 * k - 0.25 * face.lateral for k in range(person.nose_lines))
            lines = lines + plateau(face.lateral / 0.12) * sum(ridge(place / 0.016) for place in places)
        fold = (0.12 + 0.62 * person.line_depth) * au9 * lines
        face.crease[...] += fold
        face.relief[...] -= 0.030 * fold

    def detail(self) -> None:
        """Paint the nostrils: slanted, dark, soft towards the wing."""
        face, (tip_y, wings, nostrils) = self.face, self.shape
        across = face.lateral - 0.075 * wings
        down = (face.y - tip_y - BASE + 0.012 + 0.30 * across) * (2.3 / (0.7 + 0.3 * nostrils))
        hole = coverage(
            0.040 * (0.65 + 0.35 * nostrils) * wings - np.sqrt(across * across + down * down), face.edge + 0.014
        )
        face.cover(hole * 0.88 * face.front, self.person.skin * NOSTRIL)
