"""A hand of the person before the face: palm, fingers, thumb, wrist and sleeve, seen from its back."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from data_engine.faces.curves import Field, bump, clamp, ridge, smoothstep
from data_engine.faces.occluders.canvas import (
    Anchors,
    Patch,
    anchors,
    capsule,
    colour,
    layered,
    rounded,
    seen_from_front,
    two_deepest,
)
from data_engine.faces.person.identity import Identity
from data_engine.faces.studio.projection import Camera

FINGERS = ((0.335, 0.80, 0.088), (0.115, 0.90, 0.092), (-0.11, 0.83, 0.088), (-0.325, 0.66, 0.077))
"""Index to little finger: where it begins across the palm, its length and its radius; a hand is 2 units long."""
PALM_LENGTH, PALM_HALF_WIDTH = 1.02, 0.43
WRIST_RADIUS = 0.29


class Hold(NamedTuple):
    """How a left hand lies before the face: the place under it, what part of it lies there, where it points."""

    x: float
    y: Callable[[Anchors], float]
    reach: float
    """How far along the hand, from the wrist, the place lies."""
    points: tuple[float, float]
    """Direction of the fingers, to the image right and down."""
    curl: float
    """How far the fingers are bent: 1 leaves a fist."""
    arm: tuple[float, float]
    """Direction of the forearm, away from the wrist."""


HOLDS = {
    "mouth": Hold(0.0, lambda at: at.mouth - 0.02, 1.10, (-0.94, -0.30), 0.0, (0.75, 0.65)),
    "cheek": Hold(0.52, lambda at: at.nose_tip + 0.1, 1.20, (-0.30, -0.95), 0.1, (0.15, 1.0)),
    "eye": Hold(0.38, lambda at: at.eyes, 1.15, (-0.22, -0.97), 0.0, (0.25, 1.0)),
    "forehead": Hold(0.05, lambda at: at.eyes - 0.36, 1.25, (-0.98, -0.18), 0.05, (0.55, 0.85)),
    "chin": Hold(0.02, lambda at: at.chin - 0.28, 0.95, (-0.55, -0.83), 0.85, (0.35, 0.95)),
    "face": Hold(0.05, lambda at: at.eyes + 0.10, 1.05, (-0.12, -0.99), 0.0, (0.15, 1.0)),
}


@dataclass(frozen=True, eq=False)
class Hand:
    """One hand. Inside, `along` runs from the wrist to the finger tips and `across` towards the thumb."""

    person: Identity
    wrist: tuple[float, float]
    """(u, v) on the upright head."""
    points: tuple[float, float]
    thumb: tuple[float, float]
    arm: tuple[float, float]
    curl: float
    spread: float
    """Angle between neighbouring fingers, in radians."""
    scale: float
    sleeve: Field
    bare: float
    """How much of the forearm the sleeve leaves bare, in face units."""
    worn: bool = False

    @classmethod
    def on(cls, camera: Camera, kind: str, rng: np.random.Generator) -> Hand:
        """Choose left or right, size, spread and the exact place for the camera's person."""
        hold, side = HOLDS[kind], float(rng.choice([-1, 1]))
        scale = float(rng.uniform(0.84, 1.0)) * camera.person.head_half_width / 0.86
        turn = math.atan2(hold.points[1], hold.points[0]) + float(rng.uniform(-0.2, 0.2))
        points = side * math.cos(turn), math.sin(turn)
        height = hold.y(anchors(camera.person))
        place = side * hold.x + float(rng.uniform(-0.05, 0.05)), height + float(rng.uniform(-0.04, 0.04))
        u, v = seen_from_front(camera, *place)
        return cls(
            person=camera.person,
            wrist=(u - scale * hold.reach * points[0], v - scale * hold.reach * points[1]),
            points=points,
            thumb=(-side * points[1], side * points[0]),
            arm=(side * hold.arm[0], hold.arm[1]),
            curl=hold.curl,
            spread=float(rng.uniform(0.0, 0.07)),
            scale=scale,
            sleeve=rng.uniform(0.05, 0.8, 3).astype(np.float32),
            bare=float(rng.uniform(0.05, 0.6)),
        )

    def area(self, across: Field, down: Field) -> Field:
        """Hand and forearm."""
        along, side = self._in_hand(across, down)
        parts = [self._palm(along, side), *self._fingers(along, side), self._thumb(along, side)]
        inside: Field = np.maximum(self.scale * np.maximum.reduce(parts), self._forearm(across, down))
        return inside

    def _in_hand(self, u: Field, v: Field) -> tuple[Field, Field]:
        off_u, off_v = (u - self.wrist[0]) / self.scale, (v - self.wrist[1]) / self.scale
        return (
            off_u * self.points[0] + off_v * self.points[1],
            off_u * self.thumb[0] + off_v * self.thumb[1],
        )

    def _palm(self, along: Field, side: Field) -> Field:
        """The back of the hand, narrower at the wrist; its far end is an arch of knuckles."""
        half_width = 0.28 + (PALM_HALF_WIDTH - 0.28) * smoothstep(along / 0.6)
        end = PALM_LENGTH - 0.30 * (side - 0.08) ** 2
        inside: Field = np.minimum(half_width - np.abs(side), np.minimum(end - along, along + 0.25))
        return inside

    def _fingers(self, along: Field, side: Field) -> list[Field]:
        """Distance into each finger, index first."""
        fingers = []
        for place, (base, length, radius) in enumerate(FINGERS):
            angle = self.spread * (1.5 - place)
            reach = length * (1 - 0.72 * self.curl) - radius
            start = 0.90 - 0.25 * (base - 0.08) ** 2
            tip = start + reach * math.cos(angle), base + reach * math.sin(angle)
            fingers.append(capsule(along, side, (start, base), tip, 1.05 * radius, 0.88 * radius))
        return fingers

    def _thumb(self, along: Field, side: Field) -> Field:
        tip = (0.92, 0.62 - 0.16 * self.curl + self.spread)
        base = capsule(along, side, (0.22, 0.22), (0.60, 0.44), 0.17, 0.12)
        return np.maximum(base, capsule(along, side, (0.60, 0.44), tip, 0.115, 0.09))

    def _forearm(self, u: Field, v: Field) -> Field:
        length = 3.0 / math.hypot(*self.arm)
        elbow = self.wrist[0] + length * self.arm[0], self.wrist[1] + length * self.arm[1]
        return self.scale * capsule(
            u / self.scale, v / self.scale, self._scaled(self.wrist), self._scaled(elbow), WRIST_RADIUS, 0.46
        )

    def _scaled(self, place: tuple[float, float]) -> tuple[float, float]:
        return place[0] / self.scale, place[1] / self.scale

    def colours(self, patch: Patch) -> Field:
        """Skin over bones, creases at the joints, nails; the sleeve over the forearm."""
        along, side = self._in_hand(patch.across, patch.down)
        palm, fingers, thumb = self._palm(along, side), self._fingers(along, side), self._thumb(along, side)
        forearm = self._forearm(patch.across, patch.down)
        depth = np.maximum.reduce(
            [0.10 * rounded(palm, 0.30) / 0.30 + 0.06, *(0.16 * rounded(f, 0.085) / 0.085 for f in fingers)]
        )
        depth = np.maximum(depth, 0.15 * rounded(thumb, 0.11) / 0.11)
        depth = np.maximum(depth, 0.24 * rounded(forearm, 0.28) / 0.28)
        depth = depth + self._bones(along, side)
        shade, gloss = patch.light(self.scale * depth)
        skin = self._skin(along, side, fingers, thumb, palm) * shade + 0.05 * gloss
        return self._with_sleeve(skin, patch, shade, forearm)

    def _bones(self, along: Field, side: Field) -> Field:
        """Knuckles, and the tendons that run to them."""
        depth = np.zeros_like(along)
        for base, _, _ in FINGERS:
            knuckle = 0.93 - 0.25 * (base - 0.08) ** 2
            depth += 0.035 * bump((along - knuckle) / 0.08, (side - base) / 0.075)
            tendon = ridge((side - base * (0.35 + 0.65 * clamp(along))) / 0.035)
            depth += 0.007 * tendon * smoothstep((along - 0.2) / 0.3) * smoothstep((0.95 - along) / 0.1)
        return depth

    def _skin(self, along: Field, side: Field, fingers: list[Field], thumb: Field, palm: Field) -> Field:
        """The person's skin with the lines between the fingers and over their joints, and the nails: (3, H, W)."""
        dark, nails = np.zeros_like(along), np.zeros_like(along)
        for place, (base, length, radius) in enumerate(FINGERS):
            reach, mine = length * (1 - 0.72 * self.curl), fingers[place]
            start = 0.90 - 0.25 * (base - 0.08) ** 2
            line = base + (along - start) * math.tan(self.spread * (1.5 - place))
            for joint in (0.42, 0.70):
                crease = ridge((along - start - joint * reach) / 0.014) + 0.6 * ridge(
                    (along - start - joint * reach - 0.04) / 0.012
                )
                dark += 0.28 * crease * (mine > 0)
            nails += clamp(
                3 - 3 * (((side - line) / (0.62 * radius)) ** 2 + ((along - start - reach + 0.13) / 0.085) ** 2)
            )
        nearest, next_one = two_deepest([*fingers, thumb])
        between = ridge(clamp(0.01 - next_one, 0, 9) / 0.02) * (nearest < 0.05) * (palm < 0.03)
        red = 0.5 * clamp(
            smoothstep((along - 1.3) / 0.5) + sum(bump((along - 0.95) / 0.09, (side - f[0]) / 0.08) for f in FINGERS)
        )
        skin = self.person.skin[:, None, None] * (0.98 - 0.30 * clamp(dark) - 0.35 * between)
        skin = skin * (1 - red * colour(-0.02, 0.07, 0.07))
        nail = self.person.skin[:, None, None] * 0.55 + colour(0.42, 0.30, 0.30) * (
            0.35 + 0.65 * float(self.person.skin.mean())
        )
        return layered(skin, (0.75 * clamp(nails) * (1 - self.curl), nail))

    def _with_sleeve(self, skin: Field, patch: Patch, shade: Field, forearm: Field) -> Field:
        off_u, off_v = patch.across - self.wrist[0], patch.down - self.wrist[1]
        length = math.hypot(*self.arm)
        along = (off_u * self.arm[0] + off_v * self.arm[1]) / length
        covered = clamp((along - self.bare) / 0.03) * (forearm > -0.02)
        folds = (
            1
            - 0.25 * ridge(np.sin(along * 11 + 3 * patch.across) / 0.35)
            - 0.3 * ridge((along - self.bare - 0.03) / 0.02)
        )
        return layered(skin, (covered, self.sleeve[:, None, None] * (shade * folds)))
