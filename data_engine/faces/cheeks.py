"""Cheeks: the nasolabial fold (AU9 to AU12), the raised cheek (AU6, AU12) and the puffed one (AU34)."""

from __future__ import annotations

import numpy as np

from data_engine.faces.curves import between, bump, clamp, ridge
from data_engine.faces.identity import Identity
from data_engine.faces.lips import mouth_shape
from data_engine.faces.nose import nose_shape
from data_engine.faces.surface import Surface, used


class Cheeks:
    """Both cheeks on one surface."""

    def __init__(self, face: Surface, person: Identity) -> None:
        self.face = face.window(top=-0.42, bottom=1.05)
        self.person = person
        self.mouth_y = mouth_shape(person, face.actions, face.au).y

    def sculpt(self) -> None:
        """Fill the cheeks, hollow what is below the cheekbone, fold from nose to mouth."""
        face, person, au = self.face, self.person, self.face.au
        apple = bump((face.lateral - 0.46) / 0.20, (face.y - 0.12 + 0.03 * (au[6] + au[12])) / 0.15)
        hollow = bump((face.lateral - 0.60) / 0.14, (face.y - 0.42) / 0.20)
        face.relief[...] += (0.06 * person.cheek_fullness + 0.10 * au[12] + 0.085 * au[6] + 0.05 * au[9]) * apple
        face.relief[...] -= 0.05 * (1 - person.cheek_fullness) * hollow
        if used(au[34]):
            face.relief[...] += 0.26 * au[34] * bump((face.lateral - 0.50) / 0.20, (face.y - 0.50) / 0.19)
        self._fold_nasolabial()

    def _fold_nasolabial(self) -> None:
        """The fold from the nose's wing (0) past the mouth's corner (1); each AU deepens its own part of it."""
        face = self.face.window(top=0.05, bottom=0.95, lateral=0.80)
        au = face.au
        nose = nose_shape(self.person, au)
        start_y = nose.tip_y + 0.02
        along = (face.y - start_y) / (self.mouth_y + 0.10 - 0.13 * au[12] - start_y)
        on = clamp(along)
        belly = 0.050 * au[12] + 0.035 * au[20] + 0.03 * au[10]
        line_x = 0.155 * nose.wings + (0.20 + 0.135 * au[12]) * on**0.75 - 0.02 * au[15] * on
        if used(au[10], au[12], au[20]):
            line_x = line_x + 0.9 * belly * np.sin(3.1 * on)
        weight = 0.26 * self.person.wrinkles + 0.05 + 0.85 * au[12] + 0.15 * au[20]
        depth = weight * between(along, -0.05, 0.15, 1.0, 0.3)
        if used(au[9], au[10]):
            depth = depth + (0.65 * au[9] + 0.75 * au[10]) * between(along, -0.25, 0.2, 0.72, 0.3)
        if used(au[11]):
            depth = depth + 0.85 * au[11] * between(along, -0.1, 0.2, 0.6, 0.25)
        if used(au[15]):
            depth = depth + 0.35 * au[15] * between(along, 0.5, 0.2, 1.2, 0.3)
        fold = ridge((face.lateral - line_x) / 0.020) * depth
        face.crease[...] += 0.62 * fold
        face.relief[...] += 0.035 * depth * ridge((face.lateral - line_x - 0.085) / 0.075) - 0.028 * fold
