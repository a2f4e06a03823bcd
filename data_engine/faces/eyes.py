"""Eyes: lids (AU5, AU7, AU43), the lids' folds, crow's feet (AU6), the eyeball and its gaze."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from data_engine.faces.actions import Sided
from data_engine.faces.curves import Field, Value, between, bump, clamp, coverage, ridge, smoothstep
from data_engine.faces.identity import Identity
from data_engine.faces.spec import FaceSpec
from data_engine.faces.surface import Surface, used

LASH = np.array([0.06, 0.045, 0.04], np.float32)
SCLERA = np.array([0.93, 0.91, 0.89], np.float32)
IRIS_RADIUS, PUPIL_RADIUS, GLINT_RADIUS = 0.092, 0.040, 0.017


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
        """Height of the lower lid's rim."""
        t = clamp(across, -1, 1)
        return self.axis(across) + self.lower * (1 - t * t)

    def upper_y(self, across: Field) -> Field:
        """Height of the upper lid's rim; AU43 brings it down to the lower one."""
        t = np.abs(clamp(across, -1, 1))
        open_y = self.axis(across) - self.upper * clamp(1 - t**2.3) ** 0.85
        if not used(self.closed):
            return open_y
        return open_y * (1 - self.closed) + (self.lower_y(across) - 0.004) * self.closed


def lids(person: Identity, au: Sided) -> Lids:
    """Return the lids' shape: AU5 raises the upper lid, AU7 and AU6 lift the lower one, AU43 closes the eye."""
    upper = 0.088 * person.eye_opening * (1 + 0.85 * au[5] - 0.30 * au[7] - 0.15 * au[4] - 0.12 * au[6])
    lower = 0.050 * person.eye_opening * (1 + 0.12 * au[5] - 0.75 * au[7] - 0.85 * au[6])
    return Lids(person, upper, lower, au[43])


class Eyes:
    """Both eyes on one surface."""

    def __init__(self, face: Surface, person: Identity, spec: FaceSpec) -> None:
        self.person, self.spec = person, spec
        self.socket = face.window(top=-0.62, bottom=0.28, lateral=0.95)
        half = 1.35 * person.eye_half_width
        self.face = self.socket.window(top=person.eye_y - 0.30, bottom=person.eye_y + 0.20, lateral=person.eye_x + half)
        self.across = (self.face.lateral - person.eye_x) / person.eye_half_width
        self.lids = lids(person, self.face.au)
        self.upper_y, self.lower_y = self.lids.upper_y(self.across), self.lids.lower_y(self.across)

    def sculpt(self) -> None:
        """Sink the socket, round the eyeball, fold the lids and the skin around them."""
        person, face, au = self.person, self.socket, self.socket.au
        sink = bump((face.lateral - person.eye_x + 0.03) / 0.20, (face.y - person.eye_y + 0.05) / 0.12)
        ball = bump((face.lateral - person.eye_x) / 0.16, (face.y - person.eye_y) / 0.09)
        face.relief[...] += 0.045 * ball - 0.10 * sink
        if used(au[6], au[7]):
            bag = bump((face.lateral - person.eye_x) / 0.18, (face.y - person.eye_y - 0.10) / 0.035)
            face.relief[...] += (0.035 * au[6] + 0.030 * au[7]) * bag
        self._fold_lids()
        self._fold_crows_feet()

    def _fold_lids(self) -> None:
        """The crease over the upper lid, and the one under the eye that AU6, AU7 and age deepen."""
        person, face, au, across = self.person, self.face, self.face.au, self.across
        arch = 1 - clamp(across, -1, 1) ** 2
        fold_y = self.lids.axis(across) - self.lids.upper - 0.035 - 0.02 * au[43] + 0.02 * au[4] - 0.02 * arch
        upper = ridge((face.y - fold_y) / 0.014) * smoothstep((1.15 - np.abs(across)) / 0.2)
        face.crease[...] += upper * (0.25 + 0.5 * person.lid_crease) * (1 - 0.6 * au[5])
        lower = ridge((face.y - self.lower_y - 0.060 - 0.01 * au[6]) / 0.014)
        lower = lower * smoothstep((1.05 - np.abs(across)) / 0.3)
        face.crease[...] += (0.30 * au[6] + 0.30 * au[7] + 0.18 * person.wrinkles) * lower

    def _fold_crows_feet(self) -> None:
        """Three lines that fan out from the outer corner: AU6 and age."""
        person, face = self.person, self.socket
        corner = person.eye_x + person.eye_half_width
        out = face.lateral - corner
        lines = sum(ridge((face.y - person.eye_y - 0.01 - slope * out) / 0.012) for slope in (-0.35, 0.05, 0.45))
        face.crease[...] += (0.75 * face.au[6] + 0.15 * person.wrinkles) * lines * between(out, 0.02, 0.05, 0.20, 0.08)

    def detail(self) -> None:
        """Paint the eyeballs, then the rims of the lids with their lashes."""
        face, across = self.face, np.abs(self.across)
        opening = coverage(np.minimum(face.y - self.upper_y, self.lower_y - face.y), face.edge) * (across < 1)
        face.cover(opening * face.front, self._eyeball())
        upper = ridge((face.y - self.upper_y) / (0.014 + 0.5 * face.pixel)) * smoothstep((1.06 - across) / 0.1)
        lower = ridge((face.y - self.lower_y) / (0.010 + 0.4 * face.pixel)) * smoothstep((1.0 - across) / 0.1)
        face.cover(np.maximum(upper * 0.92, lower * 0.45) * face.front, LASH)

    def _eyeball(self) -> Field:
        """Sclera, iris, pupil and glint, with the upper lid's shadow on them: (3, H, W)."""
        person, face, (gaze_x, gaze_y) = self.person, self.face, self.spec.gaze
        middle_x = np.where(face.x > 0, np.float32(person.eye_x), np.float32(-person.eye_x)) + gaze_x * 0.085
        off_x, off_y = face.x - middle_x, face.y - (person.eye_y - 0.012 + gaze_y * 0.05)
        radius = np.sqrt(off_x * off_x + off_y * off_y)
        under_lid = face.y - self.upper_y
        shadow = 1 - 0.45 * ridge(under_lid / 0.045) - 0.15 * np.abs(clamp(self.across, -1, 1)) ** 3
        eyeball: Field = SCLERA[:, None, None] * ((0.55 + 0.45 * clamp(face.shade, 0, 1.1)) * shadow)
        rim = 1 - 0.55 * ridge((radius - 0.086) / 0.012)
        tone = (1.25 + 0.6 * clamp(radius / 0.09)) * rim * (1 - 0.35 * ridge(under_lid / 0.04))
        _lay(eyeball, coverage(IRIS_RADIUS - radius, face.edge), person.iris[:, None, None] * tone)
        _lay(eyeball, coverage(PUPIL_RADIUS - radius, face.edge), 0.03)
        glint_x, glint_y = off_x - 0.028 * float(np.sign(self.spec.light[0])), off_y + 0.033
        glint = GLINT_RADIUS - np.sqrt(glint_x * glint_x + glint_y * glint_y)
        _lay(eyeball, coverage(glint, face.edge), 1.0)
        return eyeball


def _lay(picture: Field, mask: Field, colour: Value) -> None:
    """Lay a grey or a (3, H, W) colour over a picture in place."""
    picture += mask * (colour - picture)
