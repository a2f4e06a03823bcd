"""The chin: its boss, flattened by AU16, the fold above it, and the dimpled skin that AU17 pushes up."""

from __future__ import annotations

import numpy as np

from data_engine.faces.curves import bump, clamp, plateau, ridge
from data_engine.faces.identity import Identity
from data_engine.faces.lips import mouth_shape
from data_engine.faces.surface import Surface, used

CHIN_Y = 0.88


class Chin:
    """The chin on one surface."""

    def __init__(self, face: Surface, person: Identity) -> None:
        self.face = face.window(top=0.40, bottom=1.30, lateral=0.60)
        self.mouth_y = mouth_shape(person, face.actions, self.face.au).y

    def sculpt(self) -> None:
        """Raise the chin, fold the skin between chin and lower lip."""
        face, au16, au17 = self.face, self.face.au[16], self.face.au[17]
        boss = bump(face.x / 0.19, (face.y - CHIN_Y + 0.03 * au17) / 0.11)
        groove = bump(face.x / 0.20, (face.y - self.mouth_y - 0.175 - 0.03 * au16 + 0.03 * au17) / 0.035)
        face.relief[...] += 0.075 * (1 + 0.7 * au17) * (1 - 0.4 * au16) * boss - 0.05 * groove
        fold_y = self.mouth_y + 0.165 + 0.035 * au16 - 0.02 * au17 + 0.35 * face.x * face.x
        fold = ridge((face.y - fold_y) / 0.020) * plateau(face.x / 0.17)
        face.crease[...] += (0.15 + 0.25 * au16 + 0.55 * au17) * fold
        if used(au17):
            self._dimple()

    def _dimple(self) -> None:
        """The orange-peel skin over a contracted mentalis."""
        face = self.face
        peel = 1.6 * np.sin(43 * face.x + 3.1 * np.sin(31 * face.y)) * np.sin(41 * face.y + 2.3 * np.sin(37 * face.x))
        pits = 0.5 * face.au[17] * clamp(peel, -1, 1.5) * bump(face.x / 0.16, (face.y - CHIN_Y + 0.02) / 0.10)
        face.crease[...] += 0.55 * clamp(pits)
        face.relief[...] -= 0.012 * pits
