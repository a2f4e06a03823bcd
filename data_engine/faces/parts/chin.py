"""The chin: its boss, flattened by AU16, the fold above it, and the dimpled skin that AU17 pushes up."""

from __future__ import annotations

import numpy as np

from data_engine.faces.curves import bump, clamp, plateau, ridge, used
from data_engine.faces.parts.lips import mouth_shape
from data_engine.faces.person.identity import Identity
from data_engine.faces.studio.surface import Surface


def chin_y(person: Identity) -> float:
    """Return the height of the middle of the chin's boss, in face units."""
    return person.mouth_y + 0.53 * (person.head_half_height - person.mouth_y)


class Chin:
    """The chin on one surface."""

    def __init__(self, face: Surface, person: Identity) -> None:
        self.face = face.window(top=person.mouth_y - 0.05, bottom=1.35, lateral=0.55)
        self.person, self.middle_y = person, chin_y(person)
        shape = mouth_shape(person, face.actions, self.face.au, self.face.x)
        self.lip_y = shape.y + 0.06 + 0.4 * shape.lower_sink

    def sculpt(self) -> None:
        """Raise the chin, fold the skin between chin and lower lip."""
        face, person, au16, au17 = self.face, self.person, self.face.au[16], self.face.au[17]
        boss = bump(face.x / person.chin_width, (face.y - self.middle_y + 0.03 * au17) / 0.12)
        height = 0.05 + 0.05 * person.chin_height
        groove = bump(face.x / 0.20, (face.y - self.lip_y - 0.115 - 0.03 * au16 + 0.03 * au17) / 0.035)
        face.relief[...] += height * (1 + 1.1 * au17) * (1 - 0.45 * au16) * boss - (0.05 - 0.03 * au16) * groove
        fold_y = self.lip_y + 0.105 + 0.035 * au16 - 0.02 * au17 + 0.35 * face.x * face.x
        fold = ridge((face.y - fold_y) / 0.022) * plateau(face.x / 0.17)
        depth = 0.08 + 0.10 * person.chin_height + (0.35 + 0.65 * person.line_depth) * (0.25 * au16 + 0.55 * au17)
        face.crease[...] += depth * fold
        if used(au16):  # the depressors bulge beside the chin
            beside = bump((face.lateral - 0.19) / 0.06, (face.y - self.lip_y - 0.07) / 0.06)
            face.relief[...] += 0.045 * au16 * beside
        if person.chin_cleft:
            cleft = ridge(face.x / 0.022) * plateau((face.y - self.middle_y - 0.02) / 0.09)
            face.crease[...] += 0.25 * person.chin_cleft * cleft
        if used(au17):
            self._dimple()

    def _dimple(self) -> None:
        """The orange-peel skin over a contracted mentalis, coarse on some chins and hardly there on others."""
        face, person = self.face, self.person
        peel = 1.6 * np.sin(43 * face.x + 3.1 * np.sin(31 * face.y)) * np.sin(41 * face.y + 2.3 * np.sin(37 * face.x))
        depth = 0.24 + 0.50 * person.chin_pits
        pits = depth * face.au[17] * clamp(peel, -1, 1.5) * bump(face.x / 0.16, (face.y - self.middle_y + 0.02) / 0.10)
        face.crease[...] += 0.55 * clamp(pits)
        face.relief[...] -= 0.014 * pits
