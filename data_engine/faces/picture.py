"""Draw a face: from a spec to pixels.

    pixels = render(FaceSpec(identity=61, aus={"AU12": 4.0}), size=112)      # (112, 112, 3) uint8

First the relief is sculpted, then skin is painted on it, then light falls, then eyes, teeth and lashes are added.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from data_engine.faces.backdrop import bounce, wall
from data_engine.faces.beard import paint_long_beard
from data_engine.faces.brows import Brows
from data_engine.faces.bust import paint_bust
from data_engine.faces.cheeks import Cheeks
from data_engine.faces.chin import Chin
from data_engine.faces.curves import Field
from data_engine.faces.ears import paint_ears
from data_engine.faces.eyes import Eyes
from data_engine.faces.hair import Hair
from data_engine.faces.headwear import paint_headwear
from data_engine.faces.mouth import MouthRegion
from data_engine.faces.nose import Nose
from data_engine.faces.occluders import paint_occluder
from data_engine.faces.projection import HALF_FRAME, Camera
from data_engine.faces.shading import illuminate
from data_engine.faces.skin import paint_skin, shine_on
from data_engine.faces.spec import FaceSpec
from data_engine.faces.spectacles import paint_spectacles
from data_engine.faces.surface import Head, blend, find_head

Pixels = NDArray[np.uint8]
LUMA = (0.299, 0.587, 0.114)
"""Shares of red, green and blue in brightness."""
MIDDLE_GREY = 0.45
KNEE = 0.78
"""Above this brightness, highlights are pressed together instead of cut off."""


def render(spec: FaceSpec, size: int = 112) -> Pixels:
    """Draw one face: (size, size, 3) uint8 RGB. Equal specs give equal pixels on one machine."""
    camera = Camera.of(spec, size)
    picture = empty_picture(camera)
    paint_person(picture, camera)
    return develop(picture, spec)


def empty_picture(camera: Camera) -> Field:
    """Return the backdrop alone, (3, S, S) light."""
    return wall(camera, camera.frame()[1])


def paint_person(picture: Field, camera: Camera) -> None:
    """Paint a person onto a picture (3, S, S), or onto a window of S × S pixels of a larger one, in place."""
    spec, person = camera.spec, camera.person
    across, down = camera.frame()
    u, v = camera.tilted(across, down)
    hair = Hair(camera, u, v)
    hair.paint_behind(picture)
    paint_bust(picture, camera, across, down)
    hair.paint_before_shoulders(picture)
    if not hair.cut.covers_ears:
        paint_ears(picture, camera, u, v, behind=True)
    paint_long_beard(picture, camera, u, v)
    head = find_head(camera, spec.actions(), u, v)
    if min(head.inside.shape) > 1:
        draw_face(head, camera)
        place = picture[:, head.rows, head.columns]
        blend(place, head.inside, head.surface.colour)
        hair.paint_on(picture, head)
        if not hair.cut.covers_ears:
            paint_ears(picture, camera, u, v, behind=False)
        paint_headwear(picture, head, camera, u, v)
        if person.glasses and spec.occluder != "sunglasses":
            paint_spectacles(place, head, person, spec)
        if spec.occluder:
            paint_occluder(picture, head, camera, u, v)


def draw_face(head: Head, camera: Camera) -> None:
    """Sculpt the face, colour it, light it, and paint what is not skin."""
    face, person = head.surface, camera.person
    brows, eyes, nose, mouth, cheeks = (
        Brows(face, person),
        Eyes(face, person, camera.spec),
        Nose(face, person),
        MouthRegion(face, person),
        Cheeks(face, person),
    )
    for region in (brows, eyes, nose, mouth, cheeks, Chin(face, person)):
        region.sculpt()
    np.minimum(face.crease, 1.25, out=face.crease)
    illuminate(head, camera.spec, min(person.head_half_width, person.head_half_height))
    paint_skin(head, person)
    for painted in (cheeks, eyes, mouth, brows):
        painted.pigment()
    shine_on(face, person, bounce(camera.spec))
    for part in (eyes, mouth, nose):
        part.detail()


def develop(picture: Field, spec: FaceSpec) -> Pixels:
    """Turn light (3, S, S) into pixels (S, S, 3): lens, exposure, colours, sensor noise, 8 bits. In place."""
    if spec.blur > 0:
        spread(picture, spec.blur * (picture.shape[-1] - 1) / (2 * HALF_FRAME) * spec.zoom)
    gain = np.array(spec.tint, np.float32) * np.float32(2.0 ** (spec.exposure / 2.2))
    picture *= gain[:, None, None]
    if spec.saturation != 1:
        grey = LUMA[0] * picture[0] + LUMA[1] * picture[1] + LUMA[2] * picture[2]
        picture -= grey
        picture *= spec.saturation
        picture += grey
    if spec.contrast != 1:
        picture -= MIDDLE_GREY
        picture *= spec.contrast
        picture += MIDDLE_GREY
    shoulder = np.maximum(picture - KNEE, 0)
    picture -= shoulder * shoulder / (shoulder + (1 - KNEE))
    np.clip(picture, 0, 1, out=picture)
    if spec.sensor_noise > 0:
        picture += spec.sensor_noise * sensor_noise(spec.seed, picture.size).reshape(picture.shape)
        np.clip(picture, 0, 1, out=picture)
    picture *= 255
    picture += 0.5
    return np.ascontiguousarray(picture.astype(np.uint8).transpose(1, 2, 0))


def spread(picture: Field, sigma: float) -> None:
    """Blur a picture in place by about a Gaussian of `sigma` pixels: three points each way, as often as it takes."""
    passes = min(8, max(1, round(2 * sigma * sigma)))
    share = np.float32(min(1 / 3, sigma * sigma / (2 * passes)))
    for _ in range(passes):
        for lines in (picture, picture.swapaxes(-1, -2)):
            step = np.diff(lines, axis=-1) * share
            lines[..., :-1] += step
            lines[..., 1:] -= step


def sensor_noise(seed: int, count: int) -> Field:
    """Return `count` standard normal numbers: a stretch of one long row of them, from a place that the seed gives."""
    row = _noise_row()
    if count > len(row) // 2:
        return np.random.default_rng(seed).standard_normal(count, dtype=np.float32)
    start = int(np.random.default_rng(seed).integers(len(row) - count))
    return row[start : start + count]


@lru_cache(maxsize=1)
def _noise_row() -> Field:
    return np.random.default_rng(0).standard_normal(1 << 20, dtype=np.float32)
