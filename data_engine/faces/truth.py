"""What is known of a rendered face because it was drawn: AUs, box, hidden regions.

    face = truth(FaceSpec(aus={"AU12": (4.0, 1.0)}), size=112)
    face.aus["AU12"]                        # AU(value=4.0, kind="intensity", left=4.0, right=1.0)

Hidden AUs keep the values that were drawn; `hidden` says which regions nobody could read them from.
"""

from __future__ import annotations

import numpy as np

from data_engine.faces.actions import DRAWN_CODES
from data_engine.faces.curves import Field
from data_engine.faces.identity import Identity, identity
from data_engine.faces.landmarks import face_places
from data_engine.faces.occluders import AREAS
from data_engine.faces.projection import Camera
from data_engine.faces.spec import FaceSpec
from emollm import __version__
from emollm.records import AU, Box, Detector, Face, Region

RENDERER = Detector(name="renderer", version=__version__)
DIGITS = 3
"""Decimals of an intensity in a record."""
HIDDEN_SHARE = 0.7
"""A region counts as hidden when this share of its places is covered."""

# Landmarks 17 to 67, counted from 17, and further places where no landmark lies.
_LANDMARKS: dict[Region, slice] = {
    "brows": slice(0, 10),
    "nose": slice(10, 19),
    "eyes": slice(19, 31),
    "mouth": slice(31, 51),
}
_PLACES: dict[Region, list[tuple[float, float]]] = {
    "cheeks": [(-0.46, 0.12), (0.46, 0.12), (-0.50, 0.35), (0.50, 0.35)],
    "chin": [(0.0, 0.80), (-0.12, 0.85), (0.12, 0.85), (0.0, 0.92)],
    "jaw": [(-0.60, 0.55), (0.60, 0.55), (-0.40, 0.80), (0.40, 0.80), (0.0, 0.98)],
}


def truth(spec: FaceSpec, size: int = 112) -> Face:
    """Return the face's record. Every drawn AU is measured, absent ones as 0, hidden ones too: see `hidden`."""
    return Face(
        box=head_box(spec, size),
        confidence=1.0,
        aus={code: _au(spec.aus.get(code, 0.0)) for code in DRAWN_CODES},
        hidden=hidden_regions(spec),
        detector=RENDERER,
    )


def _au(value: float | tuple[float, float]) -> AU:
    if not isinstance(value, tuple):
        return AU(value=round(value, DIGITS), kind="intensity")
    left, right = (round(side, DIGITS) for side in value)
    if left == right:
        return AU(value=left, kind="intensity")
    return AU(value=max(left, right), kind="intensity", left=left, right=right)


def head_box(spec: FaceSpec, size: int) -> Box:
    """Return the box around the head's outline without the hair, inside the picture: x, y, width, height in pixels."""
    angle = np.linspace(0, 2 * np.pi, 65, dtype=np.float32)
    outline = Camera.of(spec, size).ball_to_pixels(np.cos(angle), np.sin(angle))
    left, top = np.clip(outline.min(axis=0), 0, size - 1).tolist()
    right, bottom = np.clip(outline.max(axis=0), 0, size - 1).tolist()
    return round(left, 1), round(top, 1), round(right - left, 1), round(bottom - top, 1)


def hidden_regions(spec: FaceSpec) -> list[Region]:
    """Return the regions of the face that the occluder covers."""
    if spec.occluder is None:
        return []
    person, covers = identity(spec.identity), AREAS[spec.occluder]
    places = region_places(person, spec)
    shares = {name: (covers(xy[:, 0], xy[:, 1], person) > 0).mean() for name, xy in places.items()}
    return [name for name, share in shares.items() if share >= HIDDEN_SHARE]


def region_places(person: Identity, spec: FaceSpec) -> dict[Region, Field]:
    """Return places that stand for each region, (N, 2) face units."""
    points = face_places(person, spec.actions())
    return {name: points[part] for name, part in _LANDMARKS.items()} | {
        name: np.array(places, np.float32) for name, places in _PLACES.items()
    }
