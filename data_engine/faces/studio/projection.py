"""The head in space: from pixels to places on the face, and from places on the face back to pixels.

A place on the face is (x, y) in face units on a plane in front of it: x grows to the image right, which is the
subject's left, y grows downwards, (0, 0) is the middle of the head. The head is an ellipsoid with the outline
of temples, cheekbones and jaw, whose lower half is stretched when the jaw drops. It is seen without perspective,
except that the nose, which stands out most, shifts against the rest when the head turns.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np

from data_engine.faces.curves import Field, Mask, bump, clamp, ridge, smoothstep
from data_engine.faces.person.identity import Identity, identity
from data_engine.faces.spec import FaceSpec

HALF_FRAME = 1.36
"""Half the side of the picture at zoom 1, in face units."""
HEADROOM = 0.10
"""How far the head's middle lies below the picture's middle, in face units, to make room for hair."""
JAW_LINE_Y = 0.40
"""Below this height of the upright head a dropping jaw stretches it."""
JAW_DROP = 0.24
"""Share of its half height by which the head gets longer when the jaw drops fully."""
TABLE, TABLE_REACH = 512, 1.25
"""Length of the table of the head's outline, and how far up and down it reaches, in half heights of the head."""
HIGHEST_NOSE, HALVINGS = 0.5, 14
"""More than the height of any nose, in face units; halved so often it is far less than a pixel."""
OUTLINE = 0.999
"""How far out on the ball the jaw lies; 1 is the very edge."""


@dataclass(frozen=True)
class Camera:
    """How one spec maps between pixels and head for one size of picture."""

    person: Identity
    spec: FaceSpec
    size: int
    jaw_drop: float
    """`Actions.jaw_drop`: 1 is fully down."""

    @classmethod
    def of(cls, spec: FaceSpec, size: int) -> Self:
        """Return the camera for a picture of size × size pixels."""
        return cls(identity(spec.identity), spec, size, spec.actions().jaw_drop)

    @property
    def pixel(self) -> float:
        """The side of a pixel in face units."""
        return 2 * HALF_FRAME / (self.size - 1) / self.spec.zoom

    def frame(self) -> tuple[Field, Field]:
        """Return the upright picture's coordinates in face units: x of shape (1, S), y of shape (S, 1)."""
        side = np.linspace(-HALF_FRAME, HALF_FRAME, self.size, dtype=np.float32)
        across = side / self.spec.zoom - self.spec.shift[0]
        down = (side + np.float32(HEADROOM)) / self.spec.zoom - self.spec.shift[1]
        return across[None, :], down[:, None]

    def tilted(self, across: Field, down: Field) -> tuple[Field, Field]:
        """Undo the roll: turn picture coordinates into coordinates of the upright head, shape (S, S)."""
        cos, sin = math.cos(self.spec.roll), math.sin(self.spec.roll)
        return cos * across + sin * down, cos * down - sin * across

    def pixels_to_head(self, pixels: Field) -> tuple[Field, Field]:
        """Return the coordinates (u, v) of the upright head at places in the picture, given in pixels (N, 2)."""
        across, down = self.frame()
        return self.tilted(across[0, 0] + self.pixel * pixels[:, 0], down[0, 0] + self.pixel * pixels[:, 1])

    def on_ball(self, u: Field, v: Field) -> tuple[Field, Field]:
        """Turn head coordinates into coordinates of the unit ball: undo the jaw's drop, its outline, the size."""
        height = self.person.head_half_height
        v = np.where(v > JAW_LINE_Y, JAW_LINE_Y + (v - JAW_LINE_Y) / self._stretch, v)
        ball_y = v / np.float32(height)
        return u / (self.person.head_half_width * self._width(ball_y, u > 0)), ball_y

    def off_ball(self, ball_x: Field, ball_y: Field) -> tuple[Field, Field]:
        """The inverse of `on_ball`."""
        v = ball_y * self.person.head_half_height
        v = np.where(v > JAW_LINE_Y, JAW_LINE_Y + (v - JAW_LINE_Y) * self._stretch, v)
        return ball_x * self.person.head_half_width * self._width(ball_y, ball_x > 0), v

    def _width(self, ball_y: Field, on_right: Mask) -> Field:
        """How wide the head is against an ellipsoid on the right or left of the image, looked up in a table."""
        place = clamp((ball_y + TABLE_REACH) * ((TABLE - 1) / (2 * TABLE_REACH)), 0, TABLE - 1.001)
        line = place.astype(np.int32)
        rest, line = place - line, line + TABLE * on_right
        before = self._outlines.take(line)
        width: Field = before + (self._outlines.take(line + 1) - before) * rest.astype(np.float32)
        return width

    @cached_property
    def _outlines(self) -> Field:
        """The outline on the left of the image, then on the right, each TABLE long, from TABLE_REACH above."""
        ball_y = np.linspace(-TABLE_REACH, TABLE_REACH, TABLE, dtype=np.float32)
        front = outline(self.person, ball_y)
        turn = math.sin(self.spec.yaw)
        sides = (far_outline(self.person, ball_y, -turn), far_outline(self.person, ball_y, turn))
        return np.concatenate([front * side for side in sides])

    @property
    def _stretch(self) -> float:
        """How much longer the lower face is than at rest."""
        height = self.person.head_half_height
        return (height * (1 + JAW_DROP * self.jaw_drop) - JAW_LINE_Y) / (height - JAW_LINE_Y)

    def to_face(self, ball_x: Field, ball_y: Field, ball_z: Field) -> tuple[Field, Field, Field]:
        """Turn the ball back by yaw and pitch. Returns x and y on the face and how much a place faces forward."""
        turn = self.rotation.tolist()
        x, y, z = (turn[0][i] * ball_x + turn[1][i] * ball_y + turn[2][i] * ball_z for i in range(3))
        x, y = x * self.person.head_half_width, y * self.person.head_half_height
        if self.spec.yaw or self.spec.pitch:
            lift = nose_lift(self.person, x, y)
            x, y = x - lift * self.nose_shift[0], y - lift * self.nose_shift[1]
        return x, y, z

    def to_pixels(self, x: Field, y: Field) -> Field:
        """Return where places on the face are in the picture: (N, 2) pixels, the exact inverse of `to_face`."""
        return self.shifted_to_pixels(*self._nose_shifted(x, y))

    def _nose_shifted(self, x: Field, y: Field) -> tuple[Field, Field]:
        """Undo what `to_face` does about the nose. Of several places that the picture shows alike: any.

        What is looked for is how high the nose is where the place is seen. That lies between 0 and the highest nose;
        each round halves the span. Going on from place to place instead would not settle on a head that turns far.
        """
        across, down = self.nose_shift
        if not (across or down):
            return x, y
        low, high = np.zeros_like(x), np.full_like(x, HIGHEST_NOSE)
        for _ in range(HALVINGS):
            middle = 0.5 * (low + high)
            is_higher = nose_lift(self.person, x + middle * across, y + middle * down) > middle
            low, high = np.where(is_higher, middle, low), np.where(is_higher, high, middle)
        lift = 0.5 * (low + high)
        return x + lift * across, y + lift * down

    def shifted_to_pixels(self, seen_x: Field, seen_y: Field) -> Field:
        """Return where places are in the picture, (N, 2) pixels, that the turned nose has shifted already."""
        ball_x, ball_y = seen_x / self.person.head_half_width, seen_y / self.person.head_half_height
        ball_z = np.sqrt(clamp(1 - ball_x * ball_x - ball_y * ball_y))
        turned = self.rotation @ np.stack([ball_x, ball_y, ball_z])
        return self.ball_to_pixels(turned[0], turned[1])

    def ball_to_pixels(self, ball_x: Field, ball_y: Field) -> Field:
        """Return where places of the ball, as the viewer sees it, are in the picture: (N, 2) pixels."""
        u, v = self.off_ball(ball_x, ball_y)
        cos, sin = math.cos(self.spec.roll), math.sin(self.spec.roll)
        across = (cos * u - sin * v + self.spec.shift[0]) * self.spec.zoom
        down = (sin * u + cos * v + self.spec.shift[1]) * self.spec.zoom - HEADROOM
        return (np.stack([across, down], axis=1) + HALF_FRAME) / (2 * HALF_FRAME) * (self.size - 1)

    def jaw(self, count: int) -> Field:
        """Return places along the jaw from ear to ear over the chin, image left to right: (count, 2) pixels.

        Where the jaw has turned out of sight, the outline of the head takes its place.
        """
        angle = np.linspace(0, np.pi, count, dtype=np.float32)
        edge = self.rotation @ (OUTLINE * np.stack([-np.cos(angle), np.sin(angle), 0 * angle]))
        beyond = np.where(edge[2] < 0, OUTLINE / np.maximum(np.hypot(edge[0], edge[1]), 0.1), 1).astype(np.float32)
        return self.ball_to_pixels(edge[0] * beyond, edge[1] * beyond)

    @cached_property
    def rotation(self) -> Field:
        """The 3 × 3 matrix that turns the head by yaw after pitch."""
        cy, sy = math.cos(self.spec.yaw), math.sin(self.spec.yaw)
        cp, sp = math.cos(self.spec.pitch), math.sin(self.spec.pitch)
        yaw = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
        pitch = np.array([[1, 0, 0], [0, cp, -sp], [0, sp, cp]])
        turn: Field = (yaw @ pitch).astype(np.float32)
        return turn

    @property
    def nose_shift(self) -> tuple[float, float]:
        """How far a nose one unit high moves across and down when the head turns."""
        _, _, (x, y, z) = self.rotation.tolist()
        return 0.9 * x / max(z, 0.45), 0.9 * y / max(z, 0.45)


def outline(person: Identity, ball_y: Field) -> Field:
    """Return how wide the head is against an ellipsoid at each height, seen from the front."""
    low = clamp(ball_y, 0, 0.999)
    round_, power = np.sqrt(1 - low * low), person.jaw_roundness
    square = (1 - low**power) ** (1 / power)
    below = square / round_ * (1 - (1 - person.jaw_width) * smoothstep(low * 1.25))
    below = below * (1 + (person.jaw_taper - 1) * smoothstep((low - 0.25) / 0.55))
    above = 1 + (person.forehead_width - 1) * smoothstep(clamp(-ball_y) * 2.2)
    cheekbones = (0.045 * person.cheek_width - 0.015) * ridge((ball_y - 0.06) / 0.22)
    width: Field = np.where(ball_y > 0, below, above).astype(np.float32) + cheekbones
    return width


def far_outline(person: Identity, ball_y: Field, turn: float) -> Field:
    """Return the factor on one side of the outline when the head turns away from the viewer there.

    `turn` is the sine of the angle; the outline becomes that of brow, cheekbone, mouth and chin.
    """
    if turn <= 0:
        return np.ones_like(ball_y)
    eye = ridge((ball_y - person.eye_y / person.head_half_height) / 0.12)
    cheek, mouth, chin = (ridge((ball_y - y) / width) for y, width in ((0.08, 0.13), (0.46, 0.17), (0.80, 0.13)))
    factor: Field = 1 + turn * (-0.055 * eye + 0.035 * cheek - 0.060 * mouth + 0.040 * chin)
    return factor


def nose_lift(person: Identity, x: Field, y: Field) -> Field:
    """Return how far the nose stands out of the face, in face units."""
    tip_y = 0.18 + person.nose_length
    tip = 0.26 * person.nose_height * bump(x / (0.15 * person.nose_width), (y - tip_y) / 0.16)
    bridge: Field = 0.12 * ridge(x / 0.10) * smoothstep((y + 0.30) / 0.4) * smoothstep((tip_y + 0.10 - y) / 0.14)
    return tip + bridge
