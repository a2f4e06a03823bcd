"""What a person looks like apart from the features: the build of the head, the complexion, the clothes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from data_engine.faces.curves import Field
from data_engine.faces.person.streams import BUILD, COMPLEXION, GREY_HAIR, WARDROBE

GARMENTS = ("crew neck", "v-neck", "collar", "turtleneck", "off the shoulder", "hood")
PATTERNS = ("plain", "stripes", "checks", "knit", "dots")
HEADWEAR = ("hijab", "cap", "beanie", "hat", "hood", "headband")
BEARDS = ("full", "goatee", "moustache", "jaw line", "chin")


@dataclass(frozen=True, eq=False)
class Build:
    """The head's shape. 1 is usual where nothing else is said."""

    forehead_width: float
    cheek_width: float
    """How far the cheekbones stand out of the outline, 0–1."""
    jaw_taper: float
    neck_width: float
    """Half width in half widths of the head."""
    ear_size: float
    ear_angle: float
    """How far the ears stand off, 0–1."""


@dataclass(frozen=True, eq=False)
class Complexion:
    """The skin and what grows on it; numbers are 0–1."""

    ruddiness: float
    blotches: float
    under_eyes: float
    """How dark the skin under the eyes is."""
    oiliness: float
    moles: float
    pores: float
    beard_shape: str
    beard_length: float


@dataclass(frozen=True, eq=False)
class Wardrobe:
    """What is worn below and on the head; colours are RGB in 0–1."""

    garment: str
    pattern: str
    cloth: Field
    cloth_two: Field
    headwear: str | None
    headwear_colour: Field
    headwear_y: float
    """Lower edge of the headwear on the forehead, in face units."""
    earrings: float
    """Radius, in face units; 0 is none."""


def build(seed: int, male: bool) -> Build:
    """Draw the head of the person with this seed."""
    rng = np.random.default_rng([seed, BUILD])
    return Build(
        forehead_width=float(rng.uniform(0.93, 1.04)),
        cheek_width=float(rng.beta(2, 2)),
        jaw_taper=float(rng.uniform(0.90, 1.06)) if male else float(rng.uniform(0.85, 1.0)),
        neck_width=float(rng.uniform(0.60, 0.78)) if male else float(rng.uniform(0.48, 0.62)),
        ear_size=float(rng.uniform(0.85, 1.2)),
        ear_angle=float(rng.beta(2, 2)),
    )


def complexion(seed: int, age: float) -> Complexion:
    """Draw the skin of the person with this seed."""
    rng = np.random.default_rng([seed, COMPLEXION])
    return Complexion(
        ruddiness=float(rng.uniform(0, 1)),
        blotches=float(rng.beta(1.5, 2)),
        under_eyes=float(np.clip(rng.beta(1.5, 2.5) + 0.25 * age, 0, 1)),
        oiliness=float(rng.beta(1.5, 2)),
        moles=float(rng.beta(1, 2.5)),
        pores=float(rng.beta(1.5, 2)),
        beard_shape=str(rng.choice(BEARDS, p=(0.5, 0.2, 0.16, 0.06, 0.08))),
        beard_length=float(rng.beta(1.2, 2)),
    )


def greyed(seed: int, hair: Field, age: float) -> Field:
    """Mix grey into the hair of the person with this seed, the more the older."""
    rng = np.random.default_rng([seed, GREY_HAIR])
    share = float(np.clip(2.2 * (age - 0.5) + rng.normal(0, 0.2), 0, 1)) if age > 0.35 else 0.0
    mixed: Field = (1 - share) * hair + share * np.array([0.64, 0.63, 0.61]) * rng.uniform(0.85, 1.25)
    return mixed


def wardrobe(seed: int, male: bool) -> Wardrobe:
    """Draw the clothes of the person with this seed."""
    rng = np.random.default_rng([seed, WARDROBE])
    worn = rng.random() < (0.13 if male else 0.17)
    odds = (0.0, 0.4, 0.3, 0.1, 0.15, 0.05) if male else (0.5, 0.1, 0.13, 0.07, 0.08, 0.12)
    return Wardrobe(
        garment=str(
            rng.choice(GARMENTS, p=(0.3, 0.18, 0.25, 0.12, 0.03, 0.12) if male else (0.24, 0.24, 0.15, 0.12, 0.2, 0.05))
        ),
        pattern=str(rng.choice(PATTERNS, p=(0.52, 0.14, 0.1, 0.18, 0.06))),
        cloth=_cloth(rng),
        cloth_two=_cloth(rng),
        headwear=str(rng.choice(HEADWEAR, p=odds)) if worn else None,
        headwear_colour=_cloth(rng),
        headwear_y=float(rng.uniform(-0.78, -0.56)),
        earrings=float((not male) * (rng.random() < 0.4) * rng.uniform(0.03, 0.07)),
    )


def _cloth(rng: np.random.Generator) -> Field:
    """Dark, muted, light or bright."""
    grey = rng.choice([0.06, 0.2, 0.45, 0.85], p=[0.35, 0.25, 0.2, 0.2]) * rng.uniform(0.7, 1.15)
    vivid = rng.beta(1, 2.5)
    hue = rng.uniform(0, 1, 3)
    colour: Field = np.clip((1 - vivid) * grey + vivid * hue * max(grey * 1.6, 0.25), 0.02, 0.97).astype(np.float32)
    return colour
