"""Cheeks: the nasolabial fold (AU9 to AU12), the raised cheek (AU6, AU12) and the puffed one (AU34)."""

from __future__ import annotations

import numpy as np

from data_engine.faces.curves import Value, between, bump, clamp, dome, ridge, used
from data_engine.faces.parts.lips import mouth_y
from data_engine.faces.parts.nose import nose_shape
from data_engine.faces.person.identity import Identity
from data_engine.faces.studio.surface import Surface

BLUSH = np.array([0.78, 0.34, 0.34], np.float32)


class Cheeks:
    """Both cheeks on one surface."""

    def __init__(self, face: Surface, person: Identity) -> None:
        self.face = face.window(top=person.eye_y - 0.2, bottom=1.05)
        self.person = person
        self.mouth_y = mouth_y(person, face.actions)
        self.apple_y = person.eye_y + 0.33

    def sculpt(self) -> None:
        """Fill the cheeks, hollow what is below the cheekbone, fold from nose to mouth."""
        face, person, au = self.face, self.person, self.face.au
        smile: Value = 0.11 * au[12] + 0.130 * au[6] + 0.05 * au[9] + 0.03 * au[13] + 0.02 * au[10]
        apple = bump((face.lateral - 0.45) / 0.20, (face.y - self.apple_y + 0.035 * (au[6] + au[12])) / 0.15)
        bone = bump((face.lateral - 0.58) / 0.14, (face.y - self.apple_y + 0.06) / 0.09)
        hollow = bump((face.lateral - 0.58) / 0.15, (face.y - self.mouth_y + 0.10) / 0.20)
        face.relief[...] += (0.02 + 0.06 * person.cheek_fullness + smile) * apple + 0.05 * person.cheekbones * bone
        face.relief[...] -= 0.065 * (1 - person.cheek_fullness) * hollow
        face.crease[...] += 0.10 * (1 - person.cheek_fullness) * hollow
        if used(au[6]):  # the raised cheek ends in a rim below the eye
            rim = bump((face.lateral - 0.42) / 0.17, (face.y - person.eye_y - 0.165) / 0.045)
            face.relief[...] += 0.085 * au[6] * rim
        if used(au[34]):
            face.relief[...] += (
                0.36 * au[34] * bump((face.lateral - 0.48) / 0.20, (face.y - self.mouth_y + 0.06) / 0.19)
            )
        if used(au[20]):
            self._stretch()
        self._fold_nasolabial()

    def _stretch(self) -> None:
        """AU20: the pulled skin heaps up beside the mouth in one or two upright folds."""
        face, person, au20 = self.face, self.person, self.face.au[20]
        tall = ridge((face.y - self.mouth_y - 0.03) / 0.15)
        out = face.lateral - person.mouth_half_width - 0.132 * au20
        heap, fold = ridge((out - 0.125) / 0.05) * tall, ridge((out - 0.065) / 0.022) * tall
        face.relief[...] += au20 * (0.070 * heap - 0.040 * fold)
        face.crease[...] += (0.15 + 0.50 * person.line_depth) * au20 * fold

    def _fold_nasolabial(self) -> None:
        """The fold from the nose's wing (0) past the mouth's corner (1); each AU deepens its own part of it."""
        person = self.person
        face = self.face.window(top=0.05, bottom=self.mouth_y + 0.32, lateral=0.70)
        au = face.au
        nose = nose_shape(person, au)
        start_y = nose.tip_y + 0.02
        along = (face.y - start_y) / (self.mouth_y + 0.08 - 0.13 * au[12] - start_y)
        on = clamp(along)
        belly = 0.050 * au[12] + 0.035 * au[20] + 0.03 * au[10] + 0.035 * au[11]
        line_x = 0.175 * nose.wings + (0.18 + 0.135 * au[12]) * dome(on) - 0.02 * au[15] * on
        if used(au[10], au[11], au[12], au[20]):
            line_x = line_x + 0.9 * belly * np.sin(3.1 * on)
        fleshy = 0.35 + 0.65 * person.line_depth
        weight = 0.40 * person.nasolabial + 0.04 + fleshy * (0.80 * au[12] + 0.15 * au[20] + 0.15 * au[13])
        depth = weight * between(along, -0.05, 0.15, 1.0, 0.3)
        if used(au[9], au[10]):
            depth = depth + fleshy * (0.70 * au[9] + 0.75 * au[10]) * between(along, -0.25, 0.2, 0.72, 0.3)
        if used(au[11]):
            depth = depth + (0.88 + 0.50 * person.line_depth) * au[11] * between(along, -0.1, 0.2, 0.70, 0.25)
        if used(au[15]):
            depth = depth + 0.35 * fleshy * au[15] * between(along, 0.5, 0.2, 1.2, 0.3)
        fold = ridge((face.lateral - line_x) / 0.022) * depth
        face.crease[...] += 0.55 * fold
        heap = ridge((face.lateral - line_x - 0.080) / 0.070)
        if used(au[11]):
            depth = depth + 1.25 * au[11] * between(along, -0.2, 0.25, 0.75, 0.25)
        face.relief[...] += 0.045 * depth * heap - 0.030 * fold

    def pigment(self) -> None:
        """Paint blush over the cheeks."""
        if not self.person.blush:
            return
        face = self.face
        area = bump((face.lateral - 0.50) / 0.16, (face.y - self.apple_y + 0.25 * (face.lateral - 0.5)) / 0.11)
        face.cover(
            0.40 * self.person.blush * area * face.front, BLUSH * np.float32(0.4 + 0.6 * self.person.skin.mean())
        )
