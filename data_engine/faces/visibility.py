"""What of a face cannot be seen: covered, turned away, or outside the picture.

    hidden_sides(FaceSpec(occluder="hand"), 112)["mouth"]       # (0.9, 1.0): shares of the subject's left and right
    hidden_regions(FaceSpec(occluder="mask"), 112)              # ["nose", "mouth", "chin", "jaw"]
    visibility_codes(FaceSpec(occluder="mask"), 112)            # ("AU72",)

Each region of the face has places that stand for it. A place is hidden when the area of the occluder covers it (the
same area that is painted), or the person's own hair, scarf, cap or hat does; when the face turns it away from the
viewer; or when it lies beyond the picture's border. The nose hides nothing: on a turned head the picture shows what
lies behind it too, narrower.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from data_engine.faces.curves import Field, Mask, clamp
from data_engine.faces.head import hair, headwear
from data_engine.faces.landmarks import face_places
from data_engine.faces.occluders import occluder_of
from data_engine.faces.person.identity import Identity
from data_engine.faces.spec import FaceSpec
from data_engine.faces.studio.projection import Camera
from emollm.records import Region

HIDDEN_SHARE = 0.7
"""A region counts as hidden when this share of its places cannot be seen, on both sides."""
GRAZING = 0.12
"""A place is turned away when the cosine between its direction and the viewer's is below this."""
SCORABLE = 20
"""Pixels from ear to ear below which a face is too small to score: FACS code 74. Our own choice."""

# Landmarks 17 to 67, counted from 17, and places on the subject's left (x > 0) where no landmark lies, once for each
# side; those at x = 0 lie on both sides.
_LANDMARKS: dict[Region, slice] = {
    "brows": slice(0, 10),
    "nose": slice(10, 19),
    "eyes": slice(19, 31),
    "mouth": slice(31, 51),
}
_PLACES: dict[Region, list[tuple[float, float]]] = {
    "brows": [(0.0, -0.40), (0.0, -0.55), (0.25, -0.58), (0.48, -0.55)],
    "cheeks": [(0.30, 0.06), (0.50, 0.02), (0.44, 0.10), (0.34, 0.20), (0.50, 0.35), (0.40, 0.42)],
    "chin": [(0.0, 0.80), (0.12, 0.85), (0.0, 0.92), (0.14, 0.95)],
    "jaw": [(0.60, 0.55), (0.50, 0.70), (0.40, 0.82), (0.20, 0.96), (0.0, 0.98)],
}
FACS_2002 = {"AU70": ("brows",), "AU71": ("eyes",), "AU72": ("mouth", "chin")}
"""Visibility codes of FACS and the regions that are hidden when they are scored."""


def hidden_sides(spec: FaceSpec, size: int = 112) -> dict[Region, tuple[float, float]]:
    """Return for each region how much of it is hidden, 0–1, on the subject's left and on the right."""
    camera = Camera.of(spec, size)
    places = region_places(camera.person, spec)
    hidden = is_hidden(camera, np.concatenate(list(places.values())))
    shares: dict[Region, tuple[float, float]] = {}
    start = 0
    for name, xy in places.items():
        mine, x = hidden[start : start + len(xy)], xy[:, 0]
        shares[name] = float(mine[x > -0.01].mean()), float(mine[x < 0.01].mean())
        start += len(xy)
    return shares


def hidden_regions(spec: FaceSpec, size: int = 112) -> list[Region]:
    """Return the regions that are hidden on both sides."""
    return [name for name, sides in hidden_sides(spec, size).items() if min(sides) >= HIDDEN_SHARE]


def visibility_codes(spec: FaceSpec, size: int = 112, hidden: Sequence[Region] | None = None) -> tuple[str, ...]:
    """Return the visibility codes of FACS: AU70 brows and forehead, AU71 eyes, AU72 lower face, AU73 the entire face
    not visible (instead of the others), AU74 too small to score. `hidden` are the `hidden_regions` where known."""
    unseen, camera = set(hidden_regions(spec, size) if hidden is None else hidden), Camera.of(spec, size)
    codes = [code for code, regions in FACS_2002.items() if unseen.issuperset(regions)]
    if len(codes) == len(FACS_2002):
        codes = ["AU73"]
    if 2 * camera.person.head_half_width / camera.pixel < SCORABLE:
        codes.append("AU74")
    return tuple(codes)


def is_hidden(camera: Camera, places: Field) -> Mask:
    """Tell for places on the face, (N, 2), which of them the viewer cannot see."""
    x, y = places[:, 0], places[:, 1]
    pixels = camera.to_pixels(x, y)
    outside = ((pixels < 0) | (pixels > camera.size - 1)).any(axis=1)
    u, v = camera.pixels_to_head(pixels)
    hidden: Mask = outside | (facing(camera, x, y) < GRAZING)
    hidden |= hair.covers(camera.person, x, y) | headwear.covers(camera, u, v)
    occluder = occluder_of(camera)
    if occluder is not None:
        here = (x, y) if occluder.worn else (u, v)
        hidden |= occluder.area(*here) > 0
    return hidden


def facing(camera: Camera, x: Field, y: Field) -> Field:
    """Return how much places on the face look at the viewer: 1 straight, 0 across, below 0 away."""
    ball_x, ball_y = x / camera.person.head_half_width, y / camera.person.head_half_height
    ball_z = np.sqrt(clamp(1 - ball_x * ball_x - ball_y * ball_y))
    towards: Field = camera.rotation[2] @ np.stack([ball_x, ball_y, ball_z])
    return towards


def region_places(person: Identity, spec: FaceSpec) -> dict[Region, Field]:
    """Return places that stand for each region, (N, 2) face units."""
    points = face_places(person, spec.actions())
    regions = {name: points[part] for name, part in _LANDMARKS.items()}
    for name, places in _PLACES.items():
        both = [(side * x, y) for x, y in places for side in ((1, -1) if x else (1,))]
        more = np.array(both, np.float32)
        regions[name] = np.concatenate([regions[name], more]) if name in regions else more
    return regions
