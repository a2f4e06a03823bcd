"""How one person's face moves: how far, and which folds it throws. No two faces show an AU alike.

The intensity of an AU stays what was asked; a person with a gain of 0.8 shows it less, one with shallow lines
shows it smoothly. Whoever reads the face cannot lean on one sign.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from data_engine.faces.person.streams import EXPRESSIVENESS

GAINS = (0.8, 1.25)
"""Least and most of how far a group of muscles moves; 1 is usual."""
GROUPS = {
    "brows": (1, 2, 4),
    "lids": (5, 7),
    "nose": (9, 10, 11, 38),
    "cheeks": (6, 34),
    "corners": (12, 13, 14, 15, 20),
    "lips": (16, 17, 18, 22, 23, 24, 25, 28),
    "jaw": (26, 27),
}
"""AUs that one person moves much or little together; the eyes close alike on all faces."""


@dataclass(frozen=True, eq=False)
class Expressiveness:
    """How one person's face moves and folds. Depths are 0 (smooth skin) to about 1 (deep)."""

    gains: Mapping[int, float]
    """AU number to how far it moves the face; 1 where it is missing."""
    line_depth: float
    """Of all folds together."""
    forehead_lines: int  # 0–4
    forehead_wave: float
    """How far the forehead's lines sag and rise, in face units."""
    glabella_lines: int  # 0–2
    glabella_lean: float  # −1 – 1, how the upright lines lean
    nose_lines: int  # 0–3
    crows_feet: int  # 0–4
    crows_feet_tilt: float
    dimples: float  # 0–1, beside the corners of a smile
    smile_rise: float  # how much up rather than out the corners go; 1 is usual
    smile_thins: float  # how much thinner a smile makes the lips; 1 is usual
    frown_squeeze: float  # how much together rather than down the brows go; 1 is usual
    chin_pits: float  # 0–1
    lip_lines: float  # 0–1, the upright ones around the lips
    # Teeth
    tooth_show: float
    """How far the upper teeth's edge lies below the line of the closed lips, in face units."""
    teeth_apart: float
    """Gap between the rows when only the lips part, in face units."""
    tooth_white: float  # 0–1
    tooth_gaps: float  # 0–1


def expressiveness(seed: int, age: float) -> Expressiveness:
    """Draw how the face of the person with this seed moves; `age` 0–1 brings more and deeper lines."""
    rng = np.random.default_rng([seed, EXPRESSIVENESS])

    def within(low: float, high: float) -> float:
        return float(rng.uniform(low, high))

    gains = {number: gain for group in GROUPS.values() for gain in [within(*GAINS)] for number in group}
    depth = float(np.clip(0.08 + 0.85 * rng.beta(1.3, 1.7) + 0.35 * (age - 0.3), 0.06, 1.15))
    return Expressiveness(
        gains=gains,
        line_depth=depth,
        forehead_lines=int(rng.choice(5, p=[0.15, 0.2, 0.25, 0.25, 0.15])),
        forehead_wave=within(0, 0.03),
        glabella_lines=int(rng.choice(3, p=[0.35, 0.25, 0.4])),
        glabella_lean=within(-1, 1),
        nose_lines=int(rng.choice(4, p=[0.2, 0.2, 0.3, 0.3])),
        crows_feet=int(rng.choice(5, p=[0.3, 0.1, 0.2, 0.25, 0.15])),
        crows_feet_tilt=within(-0.2, 0.25),
        dimples=within(0.2, 1) if rng.random() < 0.35 else 0.0,
        smile_rise=within(0.5, 1.25),
        smile_thins=within(0.5, 1.4),
        frown_squeeze=within(0.5, 1.5),
        chin_pits=within(0, 1),
        lip_lines=within(0, 1),
        tooth_show=within(-0.015, 0.045),
        teeth_apart=max(0.0, within(-0.02, 0.03)),
        tooth_white=within(0, 1),
        tooth_gaps=within(0, 1),
    )
