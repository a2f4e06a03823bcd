"""Haircuts: twelve cuts, each drawn with its own lengths, volumes and edges."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from data_engine.faces.person.streams import HAIRCUT


@dataclass(frozen=True)
class Haircut:
    """How the hair grows and is cut. Lengths are in face units, volumes are shares of the head's radius."""

    name: str
    top: float = 0.06
    """How far the hair stands off the crown."""
    side: float = 0.04
    """How far it stands off the sides."""
    ends_y: float = 0.35
    """Where it ends at the sides and behind."""
    widening: float = -0.3
    """How much wider it gets per unit downwards; below 0 it follows the skull to the nape."""
    inner: float = 2.0
    """How far from the midline the locks at the sides hang, in half widths of the head; above 1 behind the ears."""
    in_front: bool = False
    """Whether the locks fall in front of the shoulders."""
    covers_ears: bool = False
    hairline_y: float = -0.82
    temples: float = 0.3
    """How far the hairline steps back at the temples, 0–1."""
    peak: float = 0.0
    """How far it comes down in the middle."""
    sideburn_y: float = 0.0
    fringe_y: float | None = None
    """Lower edge of the fringe, if there is one; brows lie about −0.4."""
    fringe_slant: float = 0.0
    fringe_gaps: float = 0.5
    """How ragged its edge is, 0–1."""
    parting_x: float = 0.0
    curl: float = 0.0
    """0 straight, 1 curled."""
    wave: float = 0.0
    fuzz: float = 0.02
    """How far single hairs leave the outline."""
    density: float = 1.0
    """1 is opaque; a shaved head shows the skin."""
    shine: float = 0.15
    bun: float = 0.0
    """Radius of the knot on the crown."""


Range = tuple[float, float]

CUTS: dict[str, Mapping[str, Range]] = {
    "bald": {"density": (0.0, 0.0), "top": (-0.03, -0.03), "side": (-0.03, -0.03), "fuzz": (0.0, 0.0)},
    "shaved": {"top": (-0.01, 0.01), "side": (-0.02, 0.0), "density": (0.45, 0.85), "fuzz": (0.005, 0.01),
               "temples": (0.2, 0.9), "shine": (0.0, 0.03), "sideburn_y": (-0.05, 0.1)},
    "receding": {"top": (0.0, 0.04), "side": (0.02, 0.06), "hairline_y": (-1.12, -0.98), "temples": (0.2, 0.6),
                 "density": (0.7, 0.95), "sideburn_y": (-0.05, 0.15)},
    "short": {"top": (0.03, 0.14), "side": (0.01, 0.06), "temples": (0.1, 0.8), "peak": (-0.04, 0.05),
              "sideburn_y": (-0.05, 0.25), "fuzz": (0.015, 0.05)},
    "quiff": {"top": (0.12, 0.26), "side": (0.0, 0.03), "temples": (0.3, 0.8), "sideburn_y": (-0.05, 0.2),
              "fuzz": (0.02, 0.05), "wave": (0.0, 0.6)},
    "mop": {"top": (0.08, 0.2), "side": (0.06, 0.16), "temples": (0.0, 0.3), "fringe_y": (-0.62, -0.38),
            "fringe_slant": (-0.35, 0.35), "fringe_gaps": (0.3, 1.0), "sideburn_y": (0.1, 0.3), "wave": (0.2, 1.0),
            "fuzz": (0.02, 0.06), "ends_y": (0.35, 0.6)},
    "curly": {"top": (0.10, 0.34), "side": (0.08, 0.34), "curl": (0.6, 1.0), "fuzz": (0.04, 0.10),
              "temples": (0.0, 0.5), "ends_y": (0.2, 0.6), "widening": (-0.2, 0.1), "shine": (0.02, 0.1)},
    "bob": {"top": (0.05, 0.12), "side": (0.06, 0.16), "ends_y": (0.45, 1.0), "widening": (-0.05, 0.15),
            "inner": (0.72, 0.98), "temples": (0.0, 0.3), "fuzz": (0.01, 0.03)},
    "long": {"top": (0.04, 0.12), "side": (0.04, 0.14), "ends_y": (1.2, 2.2), "widening": (-0.02, 0.12),
             "inner": (0.70, 1.0), "temples": (0.0, 0.4), "fuzz": (0.01, 0.03)},
    "wavy": {"top": (0.06, 0.18), "side": (0.10, 0.28), "ends_y": (0.9, 2.0), "widening": (0.0, 0.2),
             "inner": (0.68, 1.0), "temples": (0.0, 0.3), "wave": (0.6, 1.6), "fuzz": (0.03, 0.07)},
    "tied": {"top": (0.02, 0.06), "side": (0.01, 0.03), "temples": (0.0, 0.5), "ends_y": (0.3, 0.5),
             "fuzz": (0.01, 0.03)},
    "mane": {"top": (0.14, 0.36), "side": (0.22, 0.50), "ends_y": (0.6, 1.4), "widening": (0.0, 0.15),
             "inner": (0.80, 1.05), "curl": (0.7, 1.0), "fuzz": (0.06, 0.12), "shine": (0.02, 0.08)},
}  # fmt: skip
"""Cut to the ranges that its numbers are drawn from; what is not named keeps its default."""

MEN = dict(zip(CUTS, (0.09, 0.14, 0.11, 0.27, 0.11, 0.10, 0.09, 0.01, 0.02, 0.03, 0.02, 0.01), strict=True))
WOMEN = dict(zip(CUTS, (0.01, 0.01, 0.00, 0.06, 0.03, 0.06, 0.07, 0.19, 0.19, 0.16, 0.14, 0.08), strict=True))
COVERS_EARS = ("mop", "bob", "long", "wavy", "mane")
WITH_FRINGE = {"bob": 0.5, "long": 0.35, "wavy": 0.2, "tied": 0.25, "short": 0.3, "curly": 0.2}
"""Share of each cut that comes with a fringe."""


def haircut(seed: int, male: bool, age: float) -> Haircut:
    """Draw the haircut of the person with this seed."""
    rng = np.random.default_rng([seed, HAIRCUT])
    odds = np.array([*(MEN if male else WOMEN).values()])
    odds[:3] *= 0.4 + 1.6 * age
    name = str(rng.choice([*CUTS], p=odds / odds.sum()))
    numbers = {key: float(rng.uniform(*ends)) for key, ends in CUTS[name].items()}
    if "hairline_y" not in numbers:
        numbers["hairline_y"] = float(rng.uniform(-0.92, -0.70)) - 0.08 * age
    if rng.random() < WITH_FRINGE.get(name, 0):
        numbers |= {
            "fringe_y": float(rng.uniform(-0.66, -0.36)),
            "fringe_slant": float(rng.normal(0, 0.18)),
            "fringe_gaps": float(rng.uniform(0, 1)),
        }
    return Haircut(
        name=name,
        parting_x=float(rng.uniform(-0.5, 0.5)),
        in_front=bool(rng.random() < 0.6),
        covers_ears=name in COVERS_EARS and bool(numbers.get("inner", 0) < 0.97),
        bun=float(rng.uniform(0.2, 0.4)) if name == "tied" and rng.random() < 0.4 else 0.0,
        **{"shine": float(rng.uniform(0.03, 0.3)), **numbers},
    )
