"""Scenes: several people in one wide picture, each at their own place and distance.

    scene = Scene((first, second), 1.5, (Seat(0.4, 0.5, 0.3), Seat(1.1, 0.46, 0.22)))
    scene.draw(0.6, size=224)           # (224, 336, 3) uint8
    scene.faces(0.6, size=224)          # the truth, ids "0" and "1" from left to right

Everybody is painted on the same backdrop under the same light, those who are further away first, so nobody stands in
a box. One person without a seat fills the picture, which is then that of `render`.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, fields, replace

import numpy as np

from data_engine.faces.curves import Field, smoothstep
from data_engine.faces.film.motion import Motion
from data_engine.faces.picture import paint_person, render
from data_engine.faces.spec import FaceSpec
from data_engine.faces.studio.backdrop import wall
from data_engine.faces.studio.developing import Pixels, develop
from data_engine.faces.studio.projection import HALF_FRAME, HEADROOM, Camera
from data_engine.faces.truth import truth
from emollm.records import Box, Face

OWN = ("identity", "aus", "yaw", "pitch", "roll", "gaze", "occluder", "occluder_seed", "zoom", "shift", "seed")
"""Fields of FaceSpec that are a person's own; all others are light, camera and backdrop, which a scene shares."""
WIDTHS = {1: 1.0, 2: 1.5, 3: 2.0, 4: 2.5}
"""Number of people to the width of their picture, in heights."""
MOST = max(WIDTHS)
HAIR_HALF_WIDTH = 1.1
"""Half the width of a head with its hair, in face units; no neighbour comes nearer."""
DEPTHS = (0.62, 1.0)
"""How large a head is drawn, from furthest to nearest, as a share of what its place has room for."""
REACHING = ("hand", "thing", "censor")
"""Occluders that are larger than a head."""
SHOULDERS = 1.75
"""Half the width of the shoulders, in face units."""


@dataclass(frozen=True)
class Seat:
    """Where a person's head is, in heights of the picture."""

    x: float
    """The middle of the head, from the left."""
    y: float
    """The middle of the head, from the top."""
    unit: float
    """How large a face unit is drawn; a head is about 2 of them high."""


@dataclass(frozen=True)
class Scene:
    """Who is in a picture or clip, from left to right."""

    people: tuple[Motion, ...]
    width: float = 1.0
    """In heights of the picture."""
    seats: tuple[Seat, ...] = ()

    def draw(self, time_s: float, size: int) -> Pixels:
        """Draw the scene at a moment: (size, width, 3) uint8."""
        specs = [motion.at(time_s) for motion in self.people]
        if not self.seats:
            return render(specs[0], size)
        width = self.pixel_width(size)
        tiles = [Tile.of(spec, seat, size) for spec, seat in zip(specs, self.seats, strict=True)]
        margin = max(max(tile.overhang(width, size) for tile in tiles), 0)
        canvas = np.pad(_backdrop(specs[0], width, size), ((0, 0), (margin, margin), (margin, margin)), mode="edge")
        for tile in sorted(tiles, key=lambda tile: -tile.camera.pixel):
            tile.paint(canvas, margin)
        inner = np.ascontiguousarray(canvas[:, margin : margin + size, margin : margin + width])
        nearest = min(tile.camera.pixel for tile in tiles)
        return develop(inner, replace(specs[0], zoom=2 * HALF_FRAME / (width - 1) / nearest))

    def faces(self, time_s: float, size: int) -> list[Face]:
        """Return what is known of each face at a moment, from left to right."""
        specs = [motion.at(time_s) for motion in self.people]
        if not self.seats:
            return [truth(specs[0], size)]
        width = self.pixel_width(size)
        tiles = [Tile.of(spec, seat, size) for spec, seat in zip(specs, self.seats, strict=True)]
        return [tile.truth(face_id(place), width, size) for place, tile in enumerate(tiles)]

    def pixel_width(self, size: int) -> int:
        """Return the width of the picture in pixels; even, as video wants it, where the height is."""
        return size if not self.seats else 2 * round(self.width * size / 2)


@dataclass(frozen=True)
class Tile:
    """A square window around a person, large enough to reach the lower edge of the picture."""

    camera: Camera
    left: int
    top: int

    @property
    def side(self) -> int:
        """Pixels."""
        return self.camera.size

    @classmethod
    def of(cls, spec: FaceSpec, seat: Seat, size: int) -> Tile:
        """Place a person in a picture of this height: the head's middle is that of the tile."""
        reach = max(1.6, (1 - seat.y) / seat.unit + 0.2)  # face units from the middle to the tile's edge
        side = 2 * round(reach * seat.unit * size) + 1
        zoom = HALF_FRAME / reach
        placed = replace(spec, zoom=zoom, shift=(0.0, HEADROOM / zoom))
        return cls(Camera.of(placed, side), round(seat.x * size) - side // 2, round(seat.y * size) - side // 2)

    def overhang(self, width: int, height: int) -> int:
        """Return how many pixels the tile reaches out of the picture, at most on any side."""
        return max(-self.left, -self.top, self.left + self.side - width, self.top + self.side - height)

    def paint(self, canvas: Field, margin: int) -> None:
        """Paint the person onto a canvas (3, H, W) that has a margin around the picture."""
        rows = slice(self.top + margin, self.top + margin + self.side)
        columns = slice(self.left + margin, self.left + margin + self.side)
        window = canvas[:, rows, columns]
        before = window.copy()
        paint_person(window, self.camera)
        window += (before - window) * _beside(self.camera)

    def truth(self, face: str, width: int, height: int) -> Face:
        """Return what is known of the face, in pixels of the whole picture.

        A region beyond the picture's border does not count as hidden: the seats that are drawn keep faces inside.
        """
        known = truth(self.camera.spec, self.side)
        known.face = face
        if known.box is not None:
            known.box = _clipped(known.box, self.left, self.top, width, height)
        if known.landmarks is not None:
            known.landmarks = [(round(x + self.left, 1), round(y + self.top, 1)) for x, y in known.landmarks]
        return known


def face_id(place: int) -> str:
    """Return the face's id in records for a place from the left."""
    # Records leave a default out only where it is the very same object, as an interned "0" is.
    return sys.intern(str(place))


def _beside(camera: Camera) -> Field:
    """Tell how far each pixel lies beside the shoulders, (S, S): 0 above and inside, 1 outside."""
    across, down = camera.frame()
    low = np.clip(down - 1.0, 0, 1)
    edge = SHOULDERS + 0.12 * low - 0.4 * smoothstep((1.95 - down) / 0.5)
    beside: Field = smoothstep((np.abs(across) - edge) / 0.08 + 0.5) * (down > 1.0)
    return beside


def _clipped(box: Box, left: int, top: int, width: int, height: int) -> Box:
    """Move a box and cut off what lies outside the picture."""
    x, y = max(0.0, box[0] + left), max(0.0, box[1] + top)
    right, bottom = min(float(width - 1), box[0] + left + box[2]), min(float(height - 1), box[1] + top + box[3])
    return round(x, 1), round(y, 1), round(max(0.0, right - x), 1), round(max(0.0, bottom - y), 1)


def _backdrop(spec: FaceSpec, width: int, height: int) -> Field:
    """Return the middle rows of a square backdrop: (3, height, width)."""
    side = max(width, height)
    top = (side - height) // 2
    return wall(Camera.of(replace(spec, zoom=1.0, shift=(0.0, 0.0)), side))[:, top : top + height, :width]


def draw_seats(num: int, rng: np.random.Generator) -> tuple[Seat, ...]:
    """Draw places for people side by side, from left to right, at different distances from the camera."""
    slot = WIDTHS[num] / num
    seats = []
    for place in range(num):
        unit = slot / (2 * HAIR_HALF_WIDTH) * rng.uniform(*DEPTHS)
        free = slot / 2 - HAIR_HALF_WIDTH * unit
        x = (place + 0.5) * slot + rng.uniform(-free, free)
        # A head and its hair need 1.35 units above the middle; people who stand hold theirs about equally high.
        y = max(1.35 * unit, 0.46 + rng.normal(0, 0.03))
        seats.append(Seat(round(x, 4), round(y, 4), round(unit, 4)))
    return tuple(seats)


def beside_others(spec: FaceSpec) -> FaceSpec:
    """Return a person without what would reach over a neighbour."""
    return replace(spec, occluder=None) if spec.occluder in REACHING else spec


def same_picture(spec: FaceSpec, other: FaceSpec) -> FaceSpec:
    """Return a person under the light, before the camera and the backdrop of another."""
    return replace(spec, **{f.name: getattr(other, f.name) for f in fields(FaceSpec) if f.name not in OWN})
