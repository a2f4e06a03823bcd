"""The 68 landmarks of dlib, from the same curves that draw the face.

    points = landmarks(FaceSpec(aus={"AU12": 5.0}), size=112)       # (68, 2) pixels, x and y

0–16 jaw, 17–21 and 22–26 brows, 27–35 nose, 36–41 and 42–47 eyes, 48–59 outer and 60–67 inner lips; all of them
run from the left of the image, the subject's right, except the lower rims, which run back.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from data_engine.faces.actions import Actions
from data_engine.faces.curves import Field
from data_engine.faces.parts.brows import brow
from data_engine.faces.parts.eyes import lids
from data_engine.faces.parts.lips import mouth_shape
from data_engine.faces.parts.nose import BASE, nose_shape
from data_engine.faces.person.identity import Identity
from data_engine.faces.spec import FaceSpec
from data_engine.faces.studio.projection import Camera


def landmarks(spec: FaceSpec, size: int = 112) -> Field:
    """Return the 68 landmarks in pixels, (68, 2) float32; they may lie outside the picture or behind something."""
    camera = Camera.of(spec, size)
    jaw = camera.jaw(17)
    places = face_places(camera.person, spec.actions())
    return np.concatenate([jaw, camera.to_pixels(places[:, 0], places[:, 1])]).astype(np.float32)


def face_places(person: Identity, actions: Actions) -> Field:
    """Return landmarks 17 to 67 as places on the face, (51, 2) face units: all but the jaw."""
    parts = (_brows, _nose, _eyes, _mouth)
    return np.concatenate([part(person, actions) for part in parts])


def _brows(person: Identity, actions: Actions) -> Field:
    side = _field([-1] * 5 + [1] * 5)
    along = _field([1, 0.75, 0.5, 0.25, 0, 0, 0.25, 0.5, 0.75, 1])
    shape = brow(person, actions.at(side), side)
    return _places(side * (shape.inner_x + along * (shape.tail_x - shape.inner_x)), shape.y(along))


def _nose(person: Identity, actions: Actions) -> Field:
    x = _field([0, 0, 0, 0, -0.14, -0.07, 0, 0.07, 0.14])
    shape = nose_shape(person, actions.at(x))
    tip_y = shape.tip_y + np.zeros_like(x)
    root_y = person.eye_y - 0.02
    bridge = root_y + (tip_y[3] - root_y) * _field([0, 1 / 3, 2 / 3, 1])
    y = np.concatenate([bridge, tip_y[4:] + BASE + _field([-0.025, 0, 0.015, 0, -0.025])])
    return _places(x * shape.wings, y)


def _eyes(person: Identity, actions: Actions) -> Field:
    side = _field([-1] * 6 + [1] * 6)
    across = _field([1, 0.4, -0.4, -1, -0.4, 0.4, -1, -0.4, 0.4, 1, 0.4, -0.4])
    is_upper = np.array([True] * 4 + [False] * 2 + [True] * 4 + [False] * 2)
    shape = lids(person, actions.at(side), side)
    y = np.where(is_upper, shape.upper_y(across), shape.lower_y(across))
    return _places(side * (person.eye_x + across * person.eye_half_width), y)


def _mouth(person: Identity, actions: Actions) -> Field:
    rim = [-1, -0.6, -0.25, 0, 0.25, 0.6, 1]
    across = _field([*rim, *rim[-2:0:-1], -0.9, -0.3, 0, 0.3, 0.9, 0.3, 0, -0.3])
    shape = mouth_shape(person, actions, actions.at(across), across)
    x = across * shape.half_width
    curves = shape.curves(x)
    upper, lower = np.concatenate([curves.upper_top[:7], curves.lower_bottom[7:12]]), curves.lower_rim[17:]
    return _places(x, np.concatenate([upper, curves.upper_rim[12:17], lower]))


def _field(values: Sequence[float]) -> Field:
    return np.array(values, np.float32)


def _places(x: Field, y: Field) -> Field:
    return np.stack([x, y], axis=1)
