"""What is known of a rendered face because it was drawn: AUs, box, pose, landmarks, hidden regions.

    face = truth(FaceSpec(aus={"AU12": (4.0, 1.0)}), size=112)
    face.aus["AU12"]                        # AU(value=4.0, kind="intensity", left=4.0, right=1.0)

Hidden AUs keep the values that were drawn; `hidden` says which regions nobody could read them from.
"""

from __future__ import annotations

import numpy as np

from data_engine.faces.actions import DRAWN_CODES, Intensity
from data_engine.faces.codes import head_and_eye_codes
from data_engine.faces.landmarks import landmarks
from data_engine.faces.spec import FaceSpec
from data_engine.faces.studio.projection import Camera
from data_engine.faces.visibility import hidden_regions
from emollm import __version__
from emollm.records import AU, Box, Detector, Face

RENDERER = Detector(name="renderer", version=__version__)
DIGITS = 3
"""Decimals of an intensity in a record."""


def truth(spec: FaceSpec, size: int = 112) -> Face:
    """Return the face's record. Every drawn AU is measured, absent ones as 0, hidden ones too: see `hidden`.

    Head and eye codes follow from pose and gaze; those below a trace are left out.
    """
    measured = {code: spec.aus.get(code, 0.0) for code in DRAWN_CODES} | head_and_eye_codes(spec)
    return Face(
        box=head_box(spec, size),
        confidence=1.0,
        aus={code: _au(value) for code, value in measured.items()},
        hidden=hidden_regions(spec, size),
        pose=(round(spec.yaw, 4), round(spec.pitch, 4), round(spec.roll, 4)),
        landmarks=[(round(x, 1), round(y, 1)) for x, y in landmarks(spec, size).tolist()],
        detector=RENDERER,
    )


def _au(value: Intensity) -> AU:
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
