"""Things held before the face: a cup, a telephone, a microphone, a book, with the fingers that hold them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from data_engine.faces.curves import Field, bump, clamp, coverage, ridge
from data_engine.faces.occluders.canvas import (
    Patch,
    anchors,
    box,
    capsule,
    colour,
    layered,
    rounded,
    seen_from_front,
    turned,
    two_deepest,
)
from data_engine.faces.person.identity import Identity
from data_engine.faces.studio.projection import Camera

THINGS = ("cup", "telephone", "microphone", "book", "telephone at the ear")


@dataclass(frozen=True, eq=False)
class Thing:
    """One of THINGS around a middle, in a hand at one side of it. Inside, `right` grows towards the hand."""

    kind: str
    middle: tuple[float, float]
    """(u, v) on the upright head."""
    tilt: float
    side: float
    """Which side the hand is on: 1 the image right, −1 the left."""
    colour: Field
    second: Field
    grip: Grip
    worn: bool = False

    @classmethod
    def on(cls, camera: Camera, kind: str, rng: np.random.Generator) -> Thing:
        """Choose place, tilt and colours before the camera's person."""
        at, side = anchors(camera.person), float(rng.choice([-1, 1]))
        x, y, lean, sway = {
            "cup": (0.0, at.mouth + 0.34, 0.0, 0.15),
            "telephone": (0.12 * side, at.mouth + 0.15, 0.0, 0.15),
            "microphone": (0.0, at.mouth + 0.10, -0.35 * side, 0.5),
            "book": (0.0, at.nose_tip + 0.68, 0.0, 0.1),
            "telephone at the ear": (0.66 * side, 0.5 * (at.nose_tip + at.mouth), 0.28 * side, 0.1),
        }[kind]
        place = x + float(rng.uniform(-0.06, 0.06)), y + float(rng.uniform(-0.05, 0.08))
        grey = np.full(3, rng.uniform(0.05, 0.9))
        return cls(
            kind=kind,
            middle=seen_from_front(camera, *place),
            tilt=lean + float(rng.uniform(-sway, sway)),
            side=side,
            colour=(grey if rng.random() < 0.5 else 0.6 * rng.uniform(0.05, 0.95, 3) + 0.4 * grey).astype(np.float32),
            second=(0.2 + 0.6 * rng.random() + 0.2 * rng.uniform(-1, 1, 3)).astype(np.float32),
            grip=Grip(camera.person, **GRIPS.get(kind, {})),
        )

    def area(self, across: Field, down: Field) -> Field:
        """The thing and the hand that holds it."""
        right, low = self._upright(across, down)
        return np.maximum(self._body(right, low), self.grip.area(right, low))

    def _upright(self, u: Field, v: Field) -> tuple[Field, Field]:
        right, low = turned(u - self.middle[0], v - self.middle[1], self.tilt)
        return self.side * right, low

    def _body(self, right: Field, low: Field) -> Field:
        """Distance into the thing itself."""
        if self.kind == "cup":
            handle = 0.055 - np.abs(np.sqrt(((right + 0.42) / 0.9) ** 2 + (low / 1.2) ** 2) - 0.20)
            return np.maximum(box(right, low, 0.40 - 0.10 * low, 0.48, 0.07), handle)
        if self.kind == "microphone":
            ball = 0.235 - np.sqrt(right * right + (low / 1.08) ** 2)
            return np.maximum(ball, capsule(right, low, (0.0, 0.2), (0.0, 1.9), 0.16, 0.12))
        if self.kind == "book":
            return box(right, low, 0.78, 0.60, 0.02)
        return box(right, low, 0.40, 0.82, 0.09)

    def colours(self, patch: Patch) -> Field:
        """The thing, and the hand over it with its shadow."""
        right, low = self._upright(patch.across, patch.down)
        body, hand = self._body(right, low), self.grip.area(right, low)
        shadow = 1 - 0.35 * ridge(clamp(-hand) / 0.06)
        return layered(
            self._surface(patch, right, low, body) * shadow,
            (coverage(hand, 2 * patch.pixel), self.grip.colours(patch, right, low)),
        )

    def _surface(self, patch: Patch, right: Field, low: Field, body: Field) -> Field:
        plain, second = self.colour[:, None, None], self.second[:, None, None]
        if self.kind == "cup":
            shade, gloss = patch.light(np.sqrt(clamp(0.25 - right * right, 0.003, 9)))
            band = coverage(0.12 - np.abs(low - 0.05), 0.02)
            rim = ridge((low + 0.45) / 0.02)
            return layered(plain, (band, second)) * (shade * (1 - 0.35 * rim)) + 0.25 * gloss
        if self.kind == "microphone":
            shade, gloss = patch.light(rounded(body, 0.22))
            mesh = 0.5 + 0.5 * np.sin(right * 90) * np.sin(low * 90)
            ring = coverage(0.03 - np.abs(low - 0.23), 0.02)
            head = coverage(0.22 - low, 0.03)
            return (
                layered(0.12 * plain, (head, 0.55 * plain * (0.5 + 0.6 * mesh)), (ring, second)) * shade + 0.3 * gloss
            )
        if self.kind == "book":
            shade, _ = patch.light(0.02 * rounded(body, 0.03) / 0.03)
            title = coverage(0.10 - np.abs(low + 0.25), 0.02) * (np.abs(right) < 0.55) * (np.sin(right * 37) > -0.5)
            picture = bump(right / 0.35, (low - 0.2) / 0.25)
            return layered(plain, (0.8 * picture, 1 - second), (title, second)) * (
                shade * (1 - 0.3 * ridge((right + 0.7) / 0.03))
            )
        shade, gloss = patch.light(0.05 * rounded(body, 0.08) / 0.08)
        lenses = coverage(0.055 - np.hypot(right + 0.24, np.abs(low + 0.62) - 0.075), 0.02)
        return layered(0.6 * plain, (lenses, colour(0.02, 0.02, 0.03))) * shade + 0.2 * gloss * (1 - lenses)


class Grip(NamedTuple):
    """Four fingers, palm and forearm of a hand that holds a thing from its right side."""

    person: Identity
    edge: float = 0.42
    """Where the side of the thing is."""
    top: float = -0.10
    """Height of the first finger."""
    reach: float = 0.30
    """How far the fingers reach over the thing."""

    def tips(self) -> list[tuple[float, float]]:
        """The fingers' ends, from the first to the little one."""
        shorter = (0.04, 0.0, 0.03, 0.09)
        return [(self.edge - self.reach + short, self.top + 0.192 * k) for k, short in enumerate(shorter)]

    def fingers(self, right: Field, low: Field) -> list[Field]:
        """Distance into each finger."""
        return [capsule(right, low, (self.edge + 0.06, y + 0.04), (x, y), 0.10, 0.085) for x, y in self.tips()]

    def arm(self, right: Field, low: Field) -> Field:
        """Distance into palm and forearm."""
        first, wrist = (self.edge + 0.10, self.top + 0.06), (self.edge + 0.24, self.top + 0.95)
        palm = capsule(right, low, first, wrist, 0.14, 0.24)
        return np.maximum(palm, capsule(right, low, wrist, (wrist[0] + 0.4, wrist[1] + 1.9), 0.24, 0.36))

    def area(self, right: Field, low: Field) -> Field:
        """Distance into the hand."""
        return np.maximum(np.maximum.reduce(self.fingers(right, low)), self.arm(right, low))

    def colours(self, patch: Patch, right: Field, low: Field) -> Field:
        """Skin with dark lines between the fingers, and nails."""
        fingers, skin = self.fingers(right, low), self.person.skin[:, None, None]
        nearest, next_one = two_deepest(fingers)
        round_ = 0.15 * rounded(nearest, 0.09) / 0.09
        shade, gloss = patch.light(np.maximum(round_, 0.22 * rounded(self.arm(right, low), 0.2) / 0.2))
        between = ridge(clamp(-next_one) / 0.02) * (nearest < 0.05) * (nearest > -0.02)
        nails = sum(coverage(1 - ((right - x) / 0.06) ** 2 - ((low - y) / 0.055) ** 2, 0.6) for x, y in self.tips())
        lit = skin * (shade * (1 - 0.4 * between)) + 0.04 * gloss
        return layered(lit, (0.45 * clamp(np.asarray(nails)), (0.7 * skin + colour(0.24, 0.17, 0.17)) * shade))


GRIPS: dict[str, dict[str, float]] = {
    "cup": {"edge": 0.42, "top": -0.22, "reach": 0.42},
    "microphone": {"edge": 0.17, "top": 0.42, "reach": 0.30},
    "book": {"edge": 0.80, "top": -0.05, "reach": 0.30},
}
