"""Hair over the face: a fringe, hair swept over one eye, a curtain over one half, loose locks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from data_engine.faces.curves import Field, clamp, ridge
from data_engine.faces.head.hair import head_cover
from data_engine.faces.occluders.canvas import Anchors, Patch, anchors
from data_engine.faces.person.identity import Identity
from data_engine.faces.studio.projection import Camera

LOCKS = ("fringe", "swept", "curtain", "loose")
SHAVED = 0.7
"""Below this density of the hair, the skin shows."""
KNOTS = np.linspace(-1.0, 1.0, 33)


def _roots(person: Identity) -> float:
    """Height at which the hair comes out: above the hairline, from under what is worn on the head, or, as a wig on a
    shaved head, on the crown."""
    wardrobe, cut = person.wardrobe, head_cover(person)
    if wardrobe.headwear is not None:
        return max(cut.hairline_y, wardrobe.headwear_y + 0.05)
    return cut.hairline_y - 0.12 if cut.density > SHAVED else -1.3


@dataclass(frozen=True, eq=False)
class Locks:
    """Hair that hangs over the face in one of the ways of LOCKS."""

    kind: str
    at: Anchors
    hair: Field
    side: float
    """1 over the subject's left, −1 over the right."""
    teeth: Field
    """The uneven ends: a length for every one of KNOTS."""
    strands: Field
    """Loose locks, a row each: x at the top, x at the end, height of the end, half width."""
    top: float
    worn: bool = True

    @classmethod
    def on(cls, camera: Camera, kind: str, rng: np.random.Generator) -> Locks:
        """Choose the side and the ends for the camera's person."""
        at, person = anchors(camera.person), camera.person
        count = int(rng.integers(5, 9))
        starts = rng.uniform(-0.55, 0.55, count)
        strands = np.stack(
            [
                starts,
                starts * rng.uniform(0.6, 1.2, count) + rng.uniform(-0.25, 0.25, count),
                rng.uniform(at.eyes - 0.05, at.mouth, count),
                rng.uniform(0.035, 0.075, count),
            ],
            axis=1,
        ).astype(np.float32)
        return cls(
            kind=kind,
            at=at,
            hair=person.hair,
            side=float(rng.choice([-1, 1])),
            teeth=rng.uniform(-0.07, 0.07, len(KNOTS)).astype(np.float32),
            strands=strands,
            top=_roots(person),
        )

    def area(self, across: Field, down: Field) -> Field:
        """From the hairline to the ends of the hair."""
        inside = {"fringe": self._fringe, "swept": self._swept, "curtain": self._curtain, "loose": self._loose}[
            self.kind
        ](across, down)
        below: Field = np.minimum(inside, down - self.top - 0.15 * across * across)
        return below

    def _ends(self, place: Field) -> Field:
        ends: Field = np.interp(place, KNOTS, self.teeth).astype(np.float32)
        return ends

    def _fringe(self, x: Field, y: Field) -> Field:
        edge = self.at.eyes - 0.06 + 0.10 * x * x + self._ends(x)
        return np.minimum(0.7 * (edge - y), 0.86 - np.abs(x))

    def _swept(self, x: Field, y: Field) -> Field:
        """Parted on the other side and drawn over this eye down to the cheek."""
        toward = self.side * x
        edge = self.at.eyes - 0.45 + 0.85 * clamp(toward + 0.45, 0, 9) ** 1.2 + self._ends(x)
        inside: Field = np.minimum(0.6 * (edge - y), toward + 0.75)
        return inside

    def _curtain(self, x: Field, y: Field) -> Field:
        """Over one half of the face from the parting to the jaw."""
        edge = 0.02 + 0.14 * clamp(y + 0.6) + 0.05 * np.sin(3 * y) + 0.6 * self._ends(y)
        inside: Field = np.minimum(self.side * x - edge, self.at.chin + 0.1 - y)
        return inside

    def _loose(self, x: Field, y: Field) -> Field:
        inside = np.full_like(x, -9)
        for start, end, stop, half_width in self.strands.tolist():
            share = clamp((y - self.top) / (stop - self.top))
            middle = start + (end - start) * share * share + 0.03 * np.sin(5 * y + 9 * start)
            inside = np.maximum(inside, np.minimum(half_width * (1.15 - share) - np.abs(x - middle), stop - y))
        return inside

    def colours(self, patch: Patch) -> Field:
        """Strands that run with the hair, dark between them, with a soft shine."""
        x, y = patch.across, patch.down
        run = {"fringe": x, "swept": x - 0.55 * self.side * y, "curtain": x - 0.10 * self.side * y, "loose": x}[
            self.kind
        ]
        wave = run * (1 + 0.12 * np.sin(3 * y + 7 * run))
        strands = 0.5 + 0.3 * np.sin(wave * 61) + 0.2 * np.sin(wave * 143 + 2 * self._ends(wave) * 20)
        shade, _ = patch.light(0.9 * patch.ball_z + 0.004 * np.sin(wave * 61))
        shine = 0.10 * strands * ridge((y - self.at.eyes + 0.35) / 0.16)
        ends = 1 - 0.25 * ridge(patch.inside / 0.03)
        colours: Field = self.hair[:, None, None] * (shade * ends * (0.62 + 0.5 * strands)) + shine * shade
        return colours
