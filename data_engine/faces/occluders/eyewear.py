"""Sunglasses, worn before the eyes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from data_engine.faces.curves import Field, bump, clamp, smoothstep
from data_engine.faces.occluders.canvas import Patch, capsule, layered
from data_engine.faces.studio.projection import Camera


class Lens(NamedTuple):
    """The outline of one lens: a superellipse whose lower half may be narrower and which may rise outwards."""

    half_width: float
    half_height: float
    roundness: float  # exponent: 2 is an ellipse, more is squarer
    narrowing: float  # how much narrower its lower end is
    rise: float  # how much higher its outer end is, a slope
    lower: float  # how far its middle lies below the eye


LENSES = {
    "square": Lens(0.275, 0.205, 4.0, 0.12, 0.06, 0.035),
    "aviator": Lens(0.285, 0.245, 2.6, 0.30, -0.05, 0.065),
    "round": Lens(0.235, 0.235, 2.0, 0.0, 0.0, 0.03),
    "cat eye": Lens(0.285, 0.190, 3.0, 0.15, 0.22, 0.02),
    "large": Lens(0.325, 0.285, 2.8, 0.10, 0.0, 0.07),
    "shield": Lens(0.70, 0.215, 4.5, 0.12, 0.0, 0.03),
}
SUNGLASSES = tuple(LENSES)
TINTS = np.array([[0.035, 0.035, 0.04], [0.13, 0.075, 0.045], [0.05, 0.075, 0.055], [0.06, 0.06, 0.13]], np.float32)
"""Black, brown, green, blue."""
MIRRORS = np.array([[0.30, 0.48, 0.75], [0.75, 0.56, 0.28], [0.66, 0.68, 0.70], [0.72, 0.35, 0.30]], np.float32)
"""Blue, gold, silver, red."""
FRAMES = np.array([[0.04, 0.04, 0.045], [0.25, 0.14, 0.08], [0.62, 0.52, 0.32], [0.70, 0.70, 0.72]], np.float32)
"""Black, tortoise, gold, steel."""


@dataclass(frozen=True, eq=False)
class Sunglasses:
    """Dark or mirrored glasses that hide the eyes."""

    lens: Lens
    eye_x: float
    eye_y: float
    tint: Field
    mirrored: bool
    fading: float
    """How much lighter the lenses are at their lower end, 0–1."""
    frame: Field
    worn: bool = True

    @classmethod
    def on(cls, camera: Camera, kind: str, rng: np.random.Generator) -> Sunglasses:
        """Choose frame and lenses for the camera's person."""
        lens, person = LENSES[kind], camera.person
        mirrored = bool(rng.random() < 0.25)
        tint = (MIRRORS if mirrored else TINTS)[rng.integers(4)]
        fading = float(rng.random() < 0.35) * float(rng.uniform(0.3, 1.0))
        eye_x = 0.0 if kind == "shield" else person.eye_x + 0.015
        return cls(lens, eye_x, person.eye_y + lens.lower, tint, mirrored, fading, FRAMES[rng.integers(4)])

    def area(self, across: Field, down: Field) -> Field:
        """Both lenses with their rims, the bridge between them and the temples beside them."""
        lateral, lens = np.abs(across), self.lens
        outer = self.eye_x + lens.half_width
        top = self.eye_y - 0.45 * lens.half_height
        thin = np.maximum(
            capsule(lateral, down, (0.0, top), (self.eye_x, top), 0.022),
            capsule(lateral, down, (outer - 0.03, top), (1.0, top + 0.03), 0.026),
        )
        return np.maximum(self._lens(lateral, down), thin)

    def _lens(self, lateral: Field, down: Field) -> Field:
        """Distance into a lens, about right near its rim."""
        lens, off = self.lens, lateral - self.eye_x
        low = down - self.eye_y + lens.rise * off
        width = lens.half_width * (1 - lens.narrowing * smoothstep(low / lens.half_height))
        radius = ((np.abs(off) / width) ** lens.roundness + (np.abs(low) / lens.half_height) ** lens.roundness) ** (
            1 / lens.roundness
        )
        inside: Field = (1 - radius) * min(lens.half_width, lens.half_height)
        return inside

    def colours(self, patch: Patch) -> Field:
        """Tinted or mirroring lenses, a bright window in each, a rim around."""
        x, y = patch.across, patch.down
        lateral = np.abs(x)
        height = clamp((y - self.eye_y) / self.lens.half_height * 0.5 + 0.5)
        glass = self.tint[:, None, None] * (1 + 2.5 * self.fading * height)
        if self.mirrored:
            horizon = smoothstep((height - 0.55 + 0.12 * np.sin(7 * x)) / 0.15)
            glass = self.tint[:, None, None] * (1.15 - 0.75 * horizon + 0.2 * height)
        side = float(np.sign(patch.spec.light[0]) or 1)
        window = bump((x - np.sign(x) * self.eye_x - side * 0.09) / 0.06, (y - self.eye_y + 0.09) / 0.045)
        rim = clamp(1.5 - self._lens(lateral, y) / 0.02)
        shade, gloss = patch.light(0.85 * patch.ball_z + 0.02 * rim)
        frame = self.frame[:, None, None] * (0.4 + 0.6 * shade) + 0.25 * gloss
        return layered(glass, (0.22 * window, np.ones((3, 1, 1), np.float32)), (rim, frame))
