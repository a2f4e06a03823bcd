"""What shows between parted lips: the upper teeth, fixed to the skull; the lower ones, on the jaw; gums and tongue."""

from __future__ import annotations

import numpy as np

from data_engine.faces.curves import Field, bump, clamp, coverage, ridge, smoothstep
from data_engine.faces.parts.lips import LipCurves, jaw_gap
from data_engine.faces.person.identity import Identity
from data_engine.faces.studio.surface import Surface, blend

TEETH = np.array([0.84, 0.79, 0.68], np.float32)
WHITE_TEETH = np.array([0.95, 0.93, 0.90], np.float32)
GUM = np.array([0.62, 0.30, 0.30], np.float32)
TONGUE = np.array([0.56, 0.25, 0.26], np.float32)
DARK = np.array([0.13, 0.04, 0.045], np.float32)
UPPER_HEIGHT, LOWER_HEIGHT = 0.115, 0.090
"""Length of the teeth, in face units."""
GAPS_X = (0.0, 0.098, 0.178, 0.262, 0.335)
"""Where two teeth meet, from the midline out: incisors, canine, premolars."""
ROW_END_X = 0.40


def cavity(face: Surface, person: Identity, curves: LipCurves, across: Field) -> Field:
    """Return the colours inside the mouth, (3, H, W)."""
    y, opening = face.y, jaw_gap(face.actions, person)
    upper_edge = person.mouth_y + person.tooth_show + 0.15 * face.lateral * face.lateral
    lower_edge = upper_edge - 0.012 + opening
    inside: Field = np.broadcast_to(DARK[:, None, None], (3, *face.x.shape)).copy()
    if opening > 0.05:
        blend(inside, _tongue(face, lower_edge, opening), TONGUE)
    colour = TEETH + (WHITE_TEETH - TEETH) * np.float32(person.tooth_white)
    row = smoothstep((ROW_END_X - face.lateral) / 0.10)
    tone = _gaps(face, person) * (1 - 0.35 * clamp(face.lateral / 0.34) ** 2)
    lower = coverage(np.minimum(y - lower_edge, lower_edge + LOWER_HEIGHT - y), face.edge) * row
    blend(inside, lower, colour[:, None, None] * (0.80 * tone))
    blend(inside, coverage(y - lower_edge - LOWER_HEIGHT, face.edge) * row, GUM * np.float32(0.7))
    upper = coverage(np.minimum(upper_edge - y, y - upper_edge + UPPER_HEIGHT), face.edge) * row
    blend(inside, upper, colour[:, None, None] * tone)
    blend(inside, coverage(upper_edge - UPPER_HEIGHT - y, face.edge) * row, GUM)
    under_lip = 1 - 0.40 * ridge((y - curves.upper_rim) / 0.030) - 0.20 * ridge((curves.lower_rim - y) / 0.02)
    corners = 1 - 0.55 * smoothstep((across - 0.62) / 0.38)
    narrow = 0.40 + 0.60 * smoothstep((curves.lower_rim - curves.upper_rim) / 0.075)
    inside *= (0.35 + 0.6 * clamp(face.shade)) * under_lip * corners * narrow
    return inside


def _gaps(face: Surface, person: Identity) -> Field:
    """How bright the teeth are next to their gaps: about 1, darker in fine lines where two meet."""
    width = 0.007 + 0.25 * face.pixel
    lines = np.add.reduce([ridge((face.lateral - x) / width) for x in GAPS_X])
    bright: Field = 1 - (0.10 + 0.28 * person.tooth_gaps) * lines
    return bright


def _tongue(face: Surface, lower_edge: Field, opening: float) -> Field:
    """Coverage by the tongue, which lies behind the lower teeth."""
    return clamp(1.6 * bump(face.x / 0.19, (face.y - lower_edge - 0.03) / (0.02 + 0.42 * opening)))
