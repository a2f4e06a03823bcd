"""The nose: bridge, tip and wings (AU38), and the wrinkles of AU9."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from data_engine.faces.actions import Sided
from data_engine.faces.curves import Value, between, bump, coverage, plateau, ridge, smoothstep
from data_engine.faces.identity import Identity
from data_engine.faces.surface import Surface, used

NOSTRIL = np.float32(0.13)
"""A nostril's colour as a share of the skin's."""


class NoseShape(NamedTuple):
    """Where the nose ends and how wide its wings are."""

    tip_y: Value
    wings: Value
    """Width of the wings; 1 is usual."""
    nostrils: Value
    """Size of the nostrils; 1 is usual."""


def nose_shape(person: Identity, au: Sided) -> NoseShape:
    """Return the nose's shape: AU9 and AU10 pull it up, AU38, AU9 and AU12 widen the wings, AU38 the nostrils."""
    wings = person.nose_width * (1 + 0.16 * au[38] + 0.10 * au[9] + 0.05 * au[12])
    tip_y = 0.19 + person.nose_length - 0.045 * au[9] - 0.012 * au[10]
    return NoseShape(tip_y, wings, wings * (1 + 0.30 * au[38]))


class Nose:
    """The nose on one surface."""

    def __init__(self, face: Surface, person: Identity) -> None:
        self.face = face.window(top=-0.42, bottom=0.62, lateral=0.50)
        self.person = person
        self.shape = nose_shape(person, self.face.au)

    def sculpt(self) -> None:
        """Raise bridge, tip and wings; fold the wings' edges and the root."""
        face, person, (tip_y, wings, _) = self.face, self.person, self.shape
        width = 0.075 + 0.05 * smoothstep((face.y + 0.1) / 0.4)
        bridge = ridge(face.x / width) * smoothstep((face.y + 0.34) / 0.45) * smoothstep((tip_y + 0.16 - face.y) / 0.12)
        tip = bump(face.x / (0.13 * person.nose_width), (face.y - tip_y) / 0.095)
        wing = bump((face.lateral - 0.135 * wings) / 0.065, (face.y - tip_y - 0.045) / 0.065)
        face.relief[...] += 0.16 * person.nose_height * (bridge + tip) + 0.12 * wing
        self._fold_wings()
        if used(face.au[9]):
            self._wrinkle()

    def _fold_wings(self) -> None:
        """The groove around each wing, and the shadow under the nose."""
        face, (tip_y, wings, _) = self.face, self.shape
        across, down = face.lateral - 0.125 * wings, (face.y - tip_y - 0.04) * 1.05
        groove = ridge((np.sqrt(across * across + down * down) - 0.075) / 0.018)
        groove = groove * (face.lateral > 0.13 * wings) * (face.y > tip_y - 0.02)
        under = bump(face.x / 0.12, (face.y - tip_y - 0.135) / 0.02)
        face.crease[...] += 0.35 * groove + 0.21 * under

    def _wrinkle(self) -> None:
        """AU9: three lines across the root and one down each side."""
        face, au9 = self.face, self.face.au[9]
        root = sum(ridge((face.y + 0.20 - 0.075 * k - 0.25 * face.lateral) / 0.013) for k in range(3))
        flank = ridge((face.y - 0.02 + 0.9 * (face.lateral - 0.12)) / 0.016)
        lines = root * plateau(face.lateral / 0.13) + 0.9 * flank * between(face.lateral, 0.08, 0.04, 0.24, 0.06)
        face.crease[...] += 0.95 * au9 * lines
        face.relief[...] -= 0.015 * au9 * lines

    def detail(self) -> None:
        """Paint the nostrils."""
        face, (tip_y, wings, nostrils) = self.face, self.shape
        across, down = face.lateral - 0.072 * wings, (face.y - tip_y - 0.105) * 1.9
        hole = coverage(0.042 * nostrils - np.sqrt(across * across + down * down), face.edge + 0.012)
        face.cover(hole * 0.85 * face.front, self.person.skin * NOSTRIL)
