"""Identity: one integer seed gives one synthetic person, always the same.

    person = identity(61)

Lengths are in face units (a head is about 1.7 wide and 2.3 high), colours are RGB in 0–1.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from data_engine.faces.curves import Field
from data_engine.faces.person.expressiveness import Expressiveness, expressiveness
from data_engine.faces.person.features import Features, Makeup, features, makeup
from data_engine.faces.person.haircuts import Haircut, haircut
from data_engine.faces.person.looks import Build, Complexion, Wardrobe, build, complexion, greyed, wardrobe

PALE, TAN, DEEP = (np.array(c) for c in ((0.97, 0.81, 0.72), (0.80, 0.58, 0.45), (0.44, 0.29, 0.22)))
HAIR_COLOURS = np.array(
    [
        [0.07, 0.05, 0.045],
        [0.16, 0.10, 0.07],
        [0.32, 0.20, 0.12],
        [0.55, 0.40, 0.22],
        [0.62, 0.60, 0.58],
        [0.42, 0.18, 0.09],
    ]
)
"""Black, dark brown, brown, blond, grey, red."""
IRIS_COLOURS = np.array([[0.20, 0.12, 0.07], [0.33, 0.22, 0.10], [0.30, 0.42, 0.55], [0.34, 0.42, 0.28]])
"""Dark brown, hazel, blue, green."""


@dataclass(frozen=True, eq=False)
class Identity(Features, Expressiveness, Makeup, Build, Complexion):
    """What stays the same from picture to picture of one person."""

    seed: int
    # Head
    head_half_width: float
    head_half_height: float
    jaw_roundness: float  # exponent of the jaw's outline: 2 is an ellipse, more is squarer
    jaw_width: float  # 1 is as wide as the skull
    # Skin and eyes
    iris: Field
    skin: Field
    melanin: float  # 0–1
    wrinkles: float  # 0–1, grows with age
    freckles: float  # 0–1
    texture_seed: int
    # Hair
    hair: Field
    cut: Haircut
    beard: float  # 0–1
    stubble: float  # 0–1
    # What is worn, and where
    glasses: bool
    glasses_radius: float
    wardrobe: Wardrobe
    backdrop_top: Field
    backdrop_bottom: Field


def skin_colour(melanin: float) -> Field:
    """Return the colour on the path pale – tan – deep for melanin 0–1."""
    if melanin < 0.5:
        return (PALE * (1 - 2 * melanin) + TAN * 2 * melanin).astype(np.float32)
    return (TAN * (2 - 2 * melanin) + DEEP * (2 * melanin - 1)).astype(np.float32)


@lru_cache(maxsize=256)
def identity(seed: int) -> Identity:
    """Draw the person with this seed. The order of the draws is part of the person: append, never insert."""
    rng = np.random.default_rng(seed)

    def within(low: float, high: float) -> float:
        return float(rng.uniform(low, high))

    melanin = float(np.clip(rng.beta(1.6, 1.6), 0, 1))
    hair_odds = np.array([0.45, 0.3, 0.15, 0.06, 0.08, 0.06] if melanin < 0.45 else [0.72, 0.2, 0.01, 0.0, 0.07, 0.0])
    if melanin < 0.25:
        hair_odds = np.array([0.2, 0.3, 0.25, 0.3, 0.08, 0.10])
    hair = HAIR_COLOURS[rng.choice(6, p=hair_odds / hair_odds.sum())] * within(0.85, 1.15)
    iris = IRIS_COLOURS[rng.choice(4, p=[0.55, 0.2, 0.15, 0.1] if melanin < 0.4 else [0.9, 0.1, 0, 0])]
    male = rng.random() < 0.5
    height, age = within(1.12, 1.26), float(rng.beta(1.3, 2.2))
    hair = greyed(seed, hair, age)
    return Identity(
        seed=seed,
        melanin=melanin,
        skin=skin_colour(melanin),
        hair=hair.astype(np.float32),
        iris=iris.astype(np.float32),
        head_half_width=within(0.77, 0.91),
        head_half_height=height,
        jaw_roundness=within(2.1, 2.9) if male else within(2.0, 2.4),
        jaw_width=within(0.90, 1.0) if male else within(0.82, 0.94),
        wrinkles=age,
        cut=haircut(seed, male, age),
        beard=float(male and rng.random() < 0.35) * within(0.35, 1),
        stubble=float(male) * within(0, 0.5),
        glasses=bool(rng.random() < 0.18),
        glasses_radius=within(0.17, 0.23),
        wardrobe=wardrobe(seed, male),
        texture_seed=int(rng.integers(1 << 31)),
        freckles=within(0, 1) ** 3,
        backdrop_top=_backdrop(rng),
        backdrop_bottom=_backdrop(rng),
        **vars(features(seed, male, age, height)),
        **vars(expressiveness(seed, age)),
        **vars(makeup(seed, male)),
        **vars(build(seed, male)),
        **vars(complexion(seed, age)),
    )


def _backdrop(rng: np.random.Generator) -> Field:
    """A muted colour."""
    hue = rng.uniform(0.1, 0.9, 3)
    return (0.35 * hue + 0.65 * rng.uniform(0.15, 0.85)).astype(np.float32)


def groups(person: Identity) -> dict[str, str]:
    """Return what a report may be split by. `age` is how wrinkled the face is drawn, not a number of years."""
    return {
        "age": _third(person.wrinkles, "young", "middle", "old"),
        "skin": _third(person.melanin, "light", "medium", "dark"),
        "glasses": "yes" if person.glasses else "no",
        "beard": "yes" if person.beard > 0 else "no",
    }


def _third(value: float, low: str, middle: str, high: str) -> str:
    return low if value < 1 / 3 else middle if value < 2 / 3 else high
