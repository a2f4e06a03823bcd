"""What can lie over a face: glasses (worn by the person), a medical mask, sunglasses, a hand."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from data_engine.faces.curves import Field, bump, clamp, coverage, ridge
from data_engine.faces.identity import Identity
from data_engine.faces.shading import light_on
from data_engine.faces.spec import FaceSpec
from data_engine.faces.surface import Head, blend

FRAME = np.array([0.06, 0.06, 0.07], np.float32)
LENS = np.array([0.05, 0.05, 0.06], np.float32)
FABRIC = np.array([0.62, 0.76, 0.82], np.float32)


def paint_glasses(picture: Field, head: Head, person: Identity) -> None:
    """Paint the rims, the bridge and the temples of ordinary glasses; the lenses are clear."""
    face = head.surface
    across, down = face.lateral - person.eye_x - 0.01, face.y - person.eye_y
    rim = ridge((_rounded(across / 1.18, (down - 0.03) * 1.1) - person.glasses_radius) / 0.016)
    bridge = ridge((down + 0.02) / 0.014) * (face.lateral < person.eye_x - 0.98 * person.glasses_radius)
    temple = ridge((down + 0.02) / 0.016) * (face.lateral > person.eye_x + 1.1 * person.glasses_radius)
    mask = clamp(np.maximum(rim, bridge) + temple) * face.front * head.inside
    blend(picture, 0.93 * mask, FRAME)


def _rounded(across: Field, down: Field) -> Field:
    """Distance from the middle of a rounded square: (across⁴ + down⁴)^¼."""
    across2, down2 = across * across, down * down
    return np.sqrt(np.sqrt(across2 * across2 + down2 * down2))


Area = Callable[[Field, Field, Identity], Field]
"""From x and y on the face to the signed distance, in face units, into the area that an occluder hides."""


def mask_area(x: Field, y: Field, person: Identity) -> Field:  # noqa: ARG001 - all areas are asked alike
    """A medical mask: from the bridge of the nose down past the chin."""
    upper_edge = 0.13 + 0.30 * x * x - 0.10 * ridge(x / 0.15)
    inside: Field = np.minimum(y - upper_edge, 1.15 - y)
    return inside


def sunglasses_area(x: Field, y: Field, person: Identity) -> Field:
    """Two dark lenses."""
    return 0.225 - _rounded((np.abs(x) - person.eye_x - 0.01) / 1.15, (y - person.eye_y - 0.03) * 1.15)


def hand_area(x: Field, y: Field, person: Identity) -> Field:  # noqa: ARG001
    """Four fingers of the subject's left hand over mouth and cheek."""
    fingers = [
        np.minimum(0.075 - np.abs(y - 0.30 - 0.16 * i - 0.25 * (x - 0.5)), x + 0.05 - 0.06 * i) for i in range(4)
    ]
    inside: Field = np.maximum.reduce(fingers)
    return inside


AREAS: dict[str, Area] = {"mask": mask_area, "sunglasses": sunglasses_area, "hand": hand_area}


def paint_occluder(picture: Field, head: Head, person: Identity, spec: FaceSpec, occluder: str) -> None:
    """Paint what hides a part of the face."""
    face = head.surface
    area = coverage(AREAS[occluder](face.x, face.y, person), 2 * face.edge)
    if occluder == "hand":
        knuckles = 0.75 + 0.25 * np.cos(face.y * (2 * np.pi / 0.16))
        blend(picture, area * (head.u < 1.3), person.skin[:, None, None] * (0.92 * knuckles))
        return
    on_face = face.front * head.inside
    if occluder == "mask":
        pleats = 1 - 0.12 * (np.sin(face.y * 40) > 0.85)
        # The fabric hangs over nose and mouth: it is lit by a form of its own, which no AU moves.
        form = 0.85 * head.ball_z + 0.10 * bump(face.x / 0.30, (face.y - 0.30) / 0.28)
        shade, _ = light_on(form, face.pixel, spec)
        blend(picture, area * on_face, FABRIC[:, None, None] * (shade * pleats))
        return
    bridge = ridge((face.y - person.eye_y + 0.06) / 0.02) * (face.lateral < person.eye_x)
    blend(picture, np.maximum(area, bridge) * on_face, LENS[:, None, None] * (1 + 6 * face.gloss))
