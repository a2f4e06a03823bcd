"""Draw a face: from a spec to pixels.

    pixels = render(FaceSpec(identity=61, aus={"AU12": 4.0}), size=112)      # (112, 112, 3) uint8

First the relief is sculpted, then skin is painted on it, then light falls, then eyes, teeth and lashes are added.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from data_engine.faces.backdrop import paint_bust, paint_ears, wall
from data_engine.faces.brows import Brows
from data_engine.faces.cheeks import Cheeks
from data_engine.faces.chin import Chin
from data_engine.faces.curves import Field, clamp
from data_engine.faces.eyes import Eyes
from data_engine.faces.hair import ENDS_Y, paint_hair, paint_hair_behind
from data_engine.faces.mouth import MouthRegion
from data_engine.faces.nose import Nose
from data_engine.faces.occluders import paint_glasses, paint_occluder
from data_engine.faces.projection import Camera
from data_engine.faces.shading import illuminate
from data_engine.faces.skin import paint_skin
from data_engine.faces.spec import FaceSpec
from data_engine.faces.surface import Head, blend, find_head

Pixels = NDArray[np.uint8]


def render(spec: FaceSpec, size: int = 112) -> Pixels:
    """Draw one face: (size, size, 3) uint8 RGB. Equal specs give equal pixels on one machine."""
    camera = Camera.of(spec, size)
    person = camera.person
    across, down = camera.frame()
    u, v = camera.tilted(across, down)
    picture = wall(camera, down)
    paint_hair_behind(picture, camera, u, v)
    paint_bust(picture, camera, across, down)
    if person.hair_style not in ENDS_Y:
        paint_ears(picture, camera, u, v)
    head = find_head(camera, spec.actions(), u, v)
    if min(head.inside.shape) > 1:
        draw_face(head, camera)
        place = picture[:, head.rows, head.columns]
        blend(place, head.inside, head.surface.colour)
        paint_hair(place, head, camera)
        if person.glasses:
            paint_glasses(place, head, person)
        if spec.occluder:
            paint_occluder(place, head, person, spec, spec.occluder)
    return develop(picture, spec)


def draw_face(head: Head, camera: Camera) -> None:
    """Sculpt the face, colour it, light it, and paint what is not skin."""
    face, person = head.surface, camera.person
    brows, eyes, nose, mouth = (
        Brows(face, person),
        Eyes(face, person, camera.spec),
        Nose(face, person),
        MouthRegion(face, person),
    )
    for region in (brows, eyes, nose, mouth, Cheeks(face, person), Chin(face, person)):
        region.sculpt()
    np.minimum(face.crease, 1.25, out=face.crease)
    illuminate(head, camera.spec, min(person.head_half_width, person.head_half_height))
    paint_skin(head, person, camera.size)
    mouth.pigment()
    brows.pigment()
    face.colour[...] *= face.shade
    face.colour[...] += 0.10 * face.gloss * (1 - clamp(face.crease))
    for part in (eyes, mouth, nose):
        part.detail()


def develop(picture: Field, spec: FaceSpec) -> Pixels:
    """Turn light (3, S, S) into pixels (S, S, 3): tint, sensor noise, 8 bits. Works in the picture's own memory."""
    picture *= np.array(spec.tint, np.float32)[:, None, None]
    np.clip(picture, 0, 1, out=picture)
    if spec.sensor_noise > 0:
        noise = np.random.default_rng(spec.seed).standard_normal(picture.shape, dtype=np.float32)
        noise *= spec.sensor_noise
        picture += noise
        np.clip(picture, 0, 1, out=picture)
    picture *= 255
    picture += 0.5
    return np.ascontiguousarray(picture.astype(np.uint8).transpose(1, 2, 0))
