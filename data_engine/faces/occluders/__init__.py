"""What can lie over a face: a mask, sunglasses, a hand, hair, a scarf, a thing in front, a censor's bar or blur.

    occluder = occluder_of(Camera.of(FaceSpec(occluder="hand", occluder_seed=2), 112))
    occluder.area(u, v) > 0          # what it hides; the same distance paints it

`FaceSpec.occluder` names the family, `occluder_seed` the member: seed modulo the number of KINDS is the kind, and the
whole seed draws its colours and its exact place. A new occluder is a class with `area` and `colours`, and a line here.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from data_engine.faces.curves import Field, clamp, coverage, ridge
from data_engine.faces.occluders.canvas import Occluder, Patch
from data_engine.faces.occluders.censor import CENSORS, Censor
from data_engine.faces.occluders.cloth import MASKS, SCARVES, Mask, Scarf
from data_engine.faces.occluders.eyewear import SUNGLASSES, Sunglasses
from data_engine.faces.occluders.hand import HOLDS, Hand
from data_engine.faces.occluders.locks import LOCKS, Locks
from data_engine.faces.occluders.things import THINGS, Thing
from data_engine.faces.studio.projection import Camera
from data_engine.faces.studio.surface import Head, blend, bounds

__all__ = ["FAMILIES", "KINDS", "Occluder", "cover", "occluder_of", "paint_occluder"]

FAMILIES: dict[str, tuple[tuple[str, ...], Callable[[Camera, str, np.random.Generator], Occluder]]] = {
    "mask": (MASKS, Mask.on),
    "sunglasses": (SUNGLASSES, Sunglasses.on),
    "hand": (tuple(HOLDS), Hand.on),
    "hair": (LOCKS, Locks.on),
    "scarf": (SCARVES, Scarf.on),
    "thing": (THINGS, Thing.on),
    "censor": (CENSORS, Censor.on),
}
"""Name of each family: the kinds in it, and how one is put on a person."""
KINDS = {family: kinds for family, (kinds, _) in FAMILIES.items()}
STREAM = 77
"""Number of the occluders' random stream."""
SHADOW = 0.05
"""How far the shadow of what lies on the face reaches, in face units."""


def occluder_of(camera: Camera) -> Occluder | None:
    """Return what hides a part of the camera's face, or None. It does not depend on the AUs."""
    spec = camera.spec
    if spec.occluder is None:
        return None
    kinds, put_on = FAMILIES[spec.occluder]
    still = Camera(camera.person, spec, camera.size, jaw_drop=0.0)
    return put_on(still, kinds[spec.occluder_seed % len(kinds)], np.random.default_rng([spec.occluder_seed, STREAM]))


def paint_occluder(picture: Field, head: Head, camera: Camera, u: Field, v: Field) -> None:
    """Paint what hides a part of the face over the whole picture, whose pixels lie at (u, v) on the upright head."""
    occluder = occluder_of(camera)
    if occluder is None:
        return
    rows, columns = (head.rows, head.columns) if occluder.worn else _reach(occluder, camera, u, v)
    place, ball_z = picture[:, rows, columns], _over(head, head.ball_z, u)[rows, columns]
    across, down = (head.surface.x, head.surface.y) if occluder.worn else (u[rows, columns], v[rows, columns])
    if min(across.shape) < 2:
        return
    inside = occluder.area(across, down)
    covered = cover(occluder, head, inside)
    if not isinstance(occluder, Censor):
        falls = head.surface.front * head.inside if occluder.worn else 1.0
        place *= 1 - 0.35 * ridge(clamp(-inside) / SHADOW) * (1 - covered) * falls
    patch = Patch(place, across, down, inside, ball_z, camera.pixel, camera.spec)
    blend(place, covered, occluder.colours(patch))


def _reach(occluder: Occluder, camera: Camera, u: Field, v: Field) -> tuple[slice, slice]:
    """Return the rows and columns that an occluder and its shadow lie in, found on every fourth pixel."""
    near = occluder.area(u[::4, ::4], v[::4, ::4]) > -(3 * SHADOW + 6 * camera.pixel)
    rows, columns = bounds(near)
    return slice(4 * rows.start, 4 * rows.stop), slice(4 * columns.start, 4 * columns.stop)


def _over(head: Head, values: Field, picture: Field) -> Field:
    """Lay what is known around the head over a picture of zeros."""
    whole = np.zeros_like(picture)
    whole[head.rows, head.columns] = values
    return whole


def cover(occluder: Occluder, head: Head, inside: Field) -> Field:
    """Return how much of each pixel an occluder covers, 0–1, from the distance into its area."""
    covered = coverage(inside, 2 * head.surface.edge)
    return covered * (head.surface.front * head.inside) if occluder.worn else covered
