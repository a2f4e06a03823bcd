"""Draw a face: from a spec to pixels.

    pixels = render(FaceSpec(identity=61, aus={"AU12": 4.0}), size=112)      # (112, 112, 3) uint8

First the relief is sculpted, then skin is painted on it, then light falls, then eyes, teeth and lashes are added.
"""

from __future__ import annotations

import numpy as np

from data_engine.faces.curves import Field
from data_engine.faces.head.beard import paint_long_beard
from data_engine.faces.head.bust import paint_bust
from data_engine.faces.head.ears import paint_ears
from data_engine.faces.head.hair import Hair
from data_engine.faces.head.headwear import paint_headwear
from data_engine.faces.head.spectacles import paint_spectacles
from data_engine.faces.occluders import paint_occluder
from data_engine.faces.parts.brows import Brows
from data_engine.faces.parts.cheeks import Cheeks
from data_engine.faces.parts.chin import Chin
from data_engine.faces.parts.eyes import Eyes
from data_engine.faces.parts.mouth import MouthRegion
from data_engine.faces.parts.nose import Nose
from data_engine.faces.parts.skin import paint_skin, shine_on
from data_engine.faces.spec import FaceSpec
from data_engine.faces.studio.backdrop import bounce, wall
from data_engine.faces.studio.developing import Pixels, develop
from data_engine.faces.studio.projection import Camera
from data_engine.faces.studio.shading import illuminate
from data_engine.faces.studio.surface import Head, blend, find_head


def render(spec: FaceSpec, size: int = 112) -> Pixels:
    """Draw one face: (size, size, 3) uint8 RGB. Equal specs give equal pixels on one machine."""
    camera = Camera.of(spec, size)
    picture = wall(camera)
    paint_person(picture, camera)
    return develop(picture, spec)


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
