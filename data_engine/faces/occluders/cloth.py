"""What is tied before mouth and nose: masks and scarves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from data_engine.faces.curves import Field, bump, clamp, coverage, ridge
from data_engine.faces.occluders.canvas import Anchors, Patch, anchors, capsule, colour, layered, seen_from_front
from data_engine.faces.studio.projection import Camera

MASKS = ("surgical", "respirator", "cloth", "under the nose", "at the chin")
SCARVES = ("over the nose", "under the nose", "at the chin")

FABRICS = np.array(
    [
        [0.60, 0.76, 0.84],
        [0.86, 0.88, 0.89],
        [0.09, 0.09, 0.10],
        [0.55, 0.74, 0.66],
        [0.83, 0.66, 0.70],
        [0.30, 0.33, 0.40],
    ],
    np.float32,
)
"""Blue, white, black, green, pink, grey."""


@dataclass(frozen=True, eq=False)
class Mask:
    """A face mask with its loops to the ears, in one of the ways of MASKS."""

    kind: str
    at: Anchors
    fabric: Field
    weave: Weave
    worn: bool = True

    @classmethod
    def on(cls, camera: Camera, kind: str, rng: np.random.Generator) -> Mask:
        """Choose fabric and pattern for the camera's person."""
        odds = {"surgical": [0.6, 0.2, 0.1, 0.05, 0.05, 0], "respirator": [0, 0.75, 0.25, 0, 0, 0]}
        fabric = FABRICS[rng.choice(len(FABRICS), p=odds.get(kind))]
        weave = Weave.any(rng) if kind == "cloth" else Weave("plain", FABRICS[1], 0.1, 0.0)
        return cls(kind, anchors(camera.person), fabric * np.float32(rng.uniform(0.9, 1.05)), weave)

    def area(self, across: Field, down: Field) -> Field:
        """The fabric and the loops."""
        lateral = np.abs(across)
        upper, lower = self._upper(across), self.at.chin + 0.12 - 0.62 * lateral * lateral
        fabric = np.minimum(np.minimum(down - upper, lower - down), 0.74 - lateral)
        middle = 0.5 * (self.at.nose_tip + self.at.mouth)
        low = 0.55 * self.at.mouth + 0.45 * self.at.chin
        if self.kind == "at the chin":
            middle = low
        loops = [capsule(lateral, down, (0.70, y), (0.95, 0.05), 0.011) for y in (middle, low)]
        return np.maximum(fabric, np.maximum(*loops))

    def _upper(self, across: Field) -> Field:
        """Height of the upper edge."""
        if self.kind == "under the nose":
            return self.at.nose_base + 0.035 + 0.10 * across * across
        if self.kind == "at the chin":
            return self.at.lip_bottom + 0.06 + 0.15 * across * across
        bridge = 0.42 * self.at.nose_tip + 0.58 * self.at.eyes
        return bridge + 0.10 + 0.26 * across * across - 0.10 * ridge(across / 0.15)

    def colours(self, patch: Patch) -> Field:
        """Pleats, a seam or a pattern, lit by a form of its own."""
        x, y, at = patch.across, patch.down, self.at
        tent = bump(x / 0.34, (y - at.nose_tip - 0.14) / 0.34)
        cloth = np.broadcast_to(self.weave.over(self.fabric, x, y), (3, *x.shape))
        if self.kind == "respirator":
            shade, _ = patch.light(0.85 * patch.ball_z + 0.22 * tent - 0.10 * np.abs(x))
            seam = 0.75 * ridge(x / 0.012) + 0.3 * ridge((patch.inside - 0.05) / 0.012)
            return cloth * (shade * (1 - 0.4 * clamp(seam)))
        pleats = (np.sin((y - 0.10 * x * x) * 34) > 0.80) * (np.abs(y - at.mouth + 0.05) < 0.30)
        if self.kind == "cloth":
            pleats = 0.8 * ridge(x / 0.015)
        wire = ridge((patch.inside - 0.045) / 0.018) * (np.abs(x) < 0.25) * (y < at.nose_tip)
        hem = ridge((patch.inside - 0.03) / 0.01)
        shade, _ = patch.light(0.85 * patch.ball_z + 0.12 * tent + 0.012 * np.sin(x * 13 + 9 * y))
        colours: Field = cloth * (shade * (1 - 0.16 * pleats - 0.10 * wire - 0.12 * hem))
        return colours


@dataclass(frozen=True)
class Weave:
    """The pattern of a cloth: a second colour in stripes, checks, dots or knitted rows."""

    kind: str
    colour: Field
    period: float
    """In face units."""
    slope: float

    @classmethod
    def any(cls, rng: np.random.Generator) -> Weave:
        """Draw a pattern."""
        kind = str(rng.choice(["plain", "stripes", "checks", "dots", "knit"]))
        second = (0.25 + 0.5 * rng.uniform(0, 1) + 0.25 * rng.uniform(-1, 1, 3)).astype(np.float32)
        return cls(kind, second, float(rng.uniform(0.08, 0.24)), float(rng.uniform(-0.6, 0.6)))

    def over(self, base: Field, across: Field, down: Field) -> Field:
        """Return the cloth's colour, (3, H, W) or (3, 1, 1) where it is plain."""
        turn = 2 * np.pi / self.period
        a, b = np.sin((across + self.slope * down) * turn), np.sin((down - self.slope * across) * turn)
        if self.kind == "plain":
            return base[:, None, None]
        if self.kind == "stripes":
            share = clamp(0.5 + 3 * b)
        elif self.kind == "checks":
            share = 0.5 * (clamp(0.5 + 4 * a) + clamp(0.5 + 4 * b))
        elif self.kind == "dots":
            share = clamp(4 * (a * b - 0.5))
        else:
            share = 0.35 * clamp(0.5 + np.sin(across * 70 + 3 * np.abs(np.sin(down * 35))))
        return layered(base[:, None, None], (share, self.colour[:, None, None]))


@dataclass(frozen=True, eq=False)
class Scarf:
    """A scarf around the lower face, in one of the ways of SCARVES."""

    top: float
    """Height of its upper edge before the middle of the face."""
    middle: float
    """Where the middle of the face is seen."""
    half_width: float
    wool: Field
    weave: Weave
    phase: float
    worn: bool = False

    @classmethod
    def on(cls, camera: Camera, kind: str, rng: np.random.Generator) -> Scarf:
        """Choose the wool and how the scarf lies on the camera's person."""
        at = anchors(camera.person)
        heights = {
            "over the nose": 0.5 * (at.eyes + at.nose_tip) + 0.06,
            "under the nose": at.nose_base + 0.03,
            "at the chin": at.lip_bottom + 0.05,
        }
        middle, top = seen_from_front(camera, 0.0, heights[kind])
        wool = (rng.uniform(0.08, 0.9) * (0.5 + 0.5 * rng.random(3))).astype(np.float32)
        half_width, phase = 1.02 * camera.person.head_half_width, float(rng.uniform(0, 6))
        return cls(top, middle, half_width, wool, Weave.any(rng), phase)

    def area(self, across: Field, down: Field) -> Field:
        """From its upper edge down to the shoulders."""
        edge = self.top - 0.10 * (across - self.middle) ** 2 + 0.02 * np.sin(across * 7 + self.phase)
        width = self.half_width + 0.25 * clamp(down - 0.95) + 0.02 * np.sin(down * 9 + self.phase)
        above, beside = clamp(edge + 0.2 - down, 0, 9), clamp(np.abs(across) - width + 0.2, 0, 9)
        rounding = 0.2 - np.sqrt(above * above + beside * beside)
        inside: Field = np.minimum(np.minimum(np.minimum(down - edge, width - np.abs(across)), rounding), 1.75 - down)
        return inside

    def colours(self, patch: Patch) -> Field:
        """Folds that run around the neck."""
        u, v = patch.across, patch.down
        round_ = np.sqrt(clamp(1.15 - (u / (1.25 * self.half_width)) ** 2, 0.02, 2))
        lie = v - 0.28 * u * u + 0.10 * np.sin(2.2 * u + self.phase)
        folds = 0.035 * np.sin(lie * 17 + self.phase) + 0.02 * np.sin(lie * 31 - 2 * u)
        shade, _ = patch.light(0.8 * round_ + folds)
        hem = 1 - 0.3 * ridge((patch.inside - 0.03) / 0.015)
        deep = 1 - 0.35 * coverage(v - 1.2, 0.5)
        colours: Field = self.weave.over(self.wool, u, lie) * (shade * hem * deep) + colour(0.01, 0.01, 0.01)
        return colours
