"""Eyes: lids (AU5, AU7, AU43), the lids' folds, crow's feet (AU6), and what is painted around them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from data_engine.faces.actions import Sided
from data_engine.faces.curves import Field, Value, between, bump, clamp, coverage, dome, limit, ridge, smoothstep, used
from data_engine.faces.parts.eyeball import LOWER, UPPER, eyeball
from data_engine.faces.person.identity import Identity
from data_engine.faces.spec import FaceSpec
from data_engine.faces.studio.surface import Surface

LASH = np.array([0.06, 0.045, 0.04], np.float32)


class Lids(NamedTuple):
    """The opening of one eye. `across` runs from −1 at the inner corner to 1 at the outer one."""

    person: Identity
    upper: Value
    """Height of the upper lid's arch over the line between the corners, in face units."""
    lower: Value
    """Depth of the lower lid under that line."""
    closed: Value

    def axis(self, across: Field) -> Field:
        """Height of the line through both corners."""
        return self.person.eye_y - self.person.eye_tilt * across

    def lower_y(self, across: Field) -> Field:
        """Height of the lower lid's rim; it hangs lowest a little outside the middle."""
        t = clamp(across, -1, 1)
        arch = 1 - t * t
        t = t - 0.15 * arch
        return self.axis(across) + self.lower * (1 - t * t)

    def upper_y(self, across: Field) -> Field:
        """Height of the upper lid's rim; AU43 brings it down to the lower one."""
        t = clamp(across, -1, 1)
        t = np.abs(t - self.person.eye_skew * (1 - t * t))
        open_y = self.axis(across) - self.upper * dome(clamp(1 - t * t * np.sqrt(t)))
        if not used(self.closed):
            return open_y
        return open_y * (1 - self.closed) + (self.lower_y(across) - 0.004) * self.closed


def lids(person: Identity, au: Sided, x: Field) -> Lids:
    """Return the lids' shape at places x.

    AU5 raises the upper lid, AU7 and AU6 lift the lower one, AU4 and AU9 weigh on the eye, AU43 closes it; the upper
    lid follows the gaze down and up.
    """
    size = person.eye_opening * (1 + person.eye_uneven * clamp(x * 8, -1, 1))
    narrow = 0.33 * au[7] + 0.22 * au[4] + 0.24 * au[6] + 0.12 * au[9] + 0.06 * au[12]
    upper = UPPER * size * limit(1 + 0.78 * au[5] - narrow - 0.50 * au[64] + 0.12 * au[63], 0.1, 2.0)
    lifted = 0.92 * au[7] + 0.58 * au[6] + 0.25 * au[9] + 0.10 * au[12]
    lower = LOWER * size * limit(1 + 0.10 * au[5] - lifted + 0.10 * au[64], 0.0, 2.0)
    return Lids(person, upper, lower, limit(au[43]))


class Eyes:
    """Both eyes on one surface."""

    def __init__(self, face: Surface, person: Identity, spec: FaceSpec) -> None:
        self.person, self.spec = person, spec
        self.socket = face.window(top=person.eye_y - 0.45, bottom=person.eye_y + 0.42, lateral=0.95)
        half = 1.35 * person.eye_half_width
        self.face = self.socket.window(top=person.eye_y - 0.26, bottom=person.eye_y + 0.20, lateral=person.eye_x + half)
        self.across = (self.face.lateral - person.eye_x) / person.eye_half_width
        self.lids = lids(person, self.face.au, self.face.x)
        self.upper_y, self.lower_y = self.lids.upper_y(self.across), self.lids.lower_y(self.across)

    def sculpt(self) -> None:
        """Sink the socket, round the eyeball, fold the lids and the skin around them."""
        person, face, au = self.person, self.socket, self.socket.au
        out, down = face.lateral - person.eye_x, face.y - person.eye_y
        inner = bump((out + 0.15) / 0.11, (down + 0.03) / 0.11)  # the hollow beside the root of the nose
        sink = bump((out + 0.03) / 0.21, (down + 0.06) / 0.12)
        ball = bump(out / 0.16, down / 0.09)
        depth = 0.6 + 0.8 * person.eye_depth
        face.relief[...] += 0.050 * ball - depth * (0.085 * sink + 0.045 * inner)
        face.crease[...] += depth * (0.08 * sink + 0.07 * inner)
        if used(au[6], au[7]):
            bag = bump(out / 0.17, (down - 0.085) / 0.032)
            face.relief[...] += (0.022 * au[6] + 0.056 * au[7]) * bag
        self._fold_lids()
        self._fold_below()
        self._fold_crows_feet()

    def _fold_lids(self) -> None:
        """The fold over the upper lid: deep or hardly there, high or hooded; AU5 tucks it away, AU4 weighs on it."""
        person, face, au, across = self.person, self.face, self.face.au, self.across
        arch = clamp(1 - across * across)
        hood = person.lid_hood * clamp(across + 0.2)
        over = person.lid_fold + 0.014 + 0.022 * limit(au[43] + 0.6 * au[64])
        fold_y = self.lids.axis(across) - (self.lids.upper + over) * (0.25 + 0.75 * arch) + 0.02 * au[4] + 0.03 * hood
        line = ridge((face.y - fold_y) / 0.013) * smoothstep((1.2 - np.abs(across)) / 0.25)
        depth = (0.08 + 0.62 * person.lid_crease) * limit(1 - 0.5 * au[5] - 0.6 * au[43], 0.2, 1.0)
        face.crease[...] += line * (depth + 0.2 * hood)
        face.relief[...] += 0.020 * (0.5 + person.lid_hood) * ridge((face.y - fold_y + 0.045) / 0.035) * (across < 1.2)

    def _fold_below(self) -> None:
        """The furrow below the lower lid and the bag over it: at rest by the person, deepened by AU6 and AU7."""
        person, face, au, across = self.person, self.face, self.face.au, self.across
        wide = smoothstep((1.1 - np.abs(across)) / 0.4)
        near = ridge((face.y - self.lower_y - 0.042) / 0.014) * wide
        far = ridge((face.y - self.lower_y - 0.095 + 0.03 * au[6] + 0.03 * across) / 0.026) * wide
        squeezed = person.line_depth * 0.8 + 0.2
        near_depth = 0.10 + squeezed * (0.66 * au[7] + 0.18 * au[6])
        far_depth = 0.22 * person.eye_bags + 0.08 + squeezed * 0.78 * au[6]
        face.crease[...] += near_depth * near + far_depth * far
        face.relief[...] += 0.020 * person.eye_bags * ridge((face.y - self.lower_y - 0.06) / 0.025) * wide

    def _fold_crows_feet(self) -> None:
        """Lines that fan out from the outer corner: AU6 and age; how many and how deep is the person's own."""
        person = self.person
        depth = person.line_depth * (0.9 * self.socket.au[6] + 0.15 * person.wrinkles)
        if not person.crows_feet or not used(depth):
            return
        face = self.socket.window(top=person.eye_y - 0.2, bottom=person.eye_y + 0.25, lateral=0.9)
        depth = person.line_depth * (0.9 * face.au[6] + 0.15 * person.wrinkles)
        out = face.lateral - person.eye_x - person.eye_half_width
        count, tilt = person.crows_feet, person.crows_feet_tilt
        slopes = [tilt + 0.42 * (k - 0.5 * (count - 1)) for k in range(count)]
        lines = sum(ridge((face.y - person.eye_y - 0.015 - slope * out) / 0.012) for slope in slopes)
        fold = depth * lines * between(out, 0.02, 0.05, 0.20, 0.08)
        face.crease[...] += fold
        face.relief[...] -= 0.012 * fold

    def pigment(self) -> None:
        """Paint eye shadow on the upper lid."""
        person, face, across = self.person, self.face, self.across
        if not person.eye_shadow:
            return
        reach = UPPER + person.lid_fold + 0.055
        up = (self.lids.axis(across) - face.y) / reach
        area = smoothstep((up + 0.1) / 0.3) * smoothstep((1.25 - up) / 0.6) * smoothstep((1.25 - np.abs(across)) / 0.4)
        face.cover(area * (0.55 * person.eye_shadow) * face.front, person.eye_shadow_colour)

    def detail(self) -> None:
        """Paint the eyeballs, then the rims of the lids with their lashes."""
        person, face, across = self.person, self.face, np.abs(self.across)
        opening = coverage(np.minimum(face.y - self.upper_y, self.lower_y - face.y), face.edge) * (across < 1)
        if opening.size:
            ball = eyeball(face, person, self.spec, self.across, face.y - self.upper_y, self.lower_y - face.y)
            face.cover(opening * face.front, ball)
        lined = max(person.eyeliner, 0.6 * person.mascara)
        flick = 1.06 + 0.10 * person.eyeliner
        thick = 0.010 + 0.008 * lined + 0.004 * person.mascara + 0.4 * face.pixel
        upper = ridge((face.y - self.upper_y + 0.003) / thick) * smoothstep((flick - across) / 0.12)
        upper = upper * (0.70 + 0.25 * lined) * clamp(0.8 + 0.25 * self.across, 0.4, 1)
        lower = ridge((face.y - self.lower_y) / (0.008 + 0.3 * face.pixel)) * smoothstep((1.0 - across) / 0.15)
        lashes = LASH + person.hair * np.float32(0.25 * (1 - lined))
        face.cover(np.maximum(upper, lower * (0.28 + 0.4 * person.eyeliner)) * face.front, lashes)
