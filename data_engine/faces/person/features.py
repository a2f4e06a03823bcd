"""What a face at rest looks like from person to person: brows, eyes, nose, mouth, chin, and what is painted on them.

Lengths are in face units (the pupils are about 0.76 apart), y grows downwards, colours are RGB in 0–1.
The proportions follow the means of adult faces: tip of the nose 0.60, mouth 1.05 pupil distances below the eyes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from data_engine.faces.curves import Field
from data_engine.faces.person.streams import FEATURES, MAKEUP

NOSE_TIP_Y = 0.19
"""Height of the tip of a nose of length 0."""

LIPSTICKS = np.array(
    [(0.70, 0.44, 0.40), (0.72, 0.32, 0.36), (0.74, 0.10, 0.14), (0.45, 0.07, 0.14), (0.36, 0.16, 0.15)]
)
"""Nude, rose, red, wine, brown."""
EYE_SHADOWS = np.array(
    [(0.42, 0.30, 0.24), (0.25, 0.20, 0.19), (0.55, 0.38, 0.40), (0.30, 0.33, 0.42), (0.52, 0.44, 0.30)]
)
"""Brown, smoky, rose, grey-blue, gold."""
MADE_UP = {False: 0.5, True: 0.03}
"""How often women and men wear makeup, by whether they are men."""


@dataclass(frozen=True, eq=False)
class Features:
    """The parts of the face at rest."""

    # Brows
    brow_height: float
    """Of the middle line over the line through the pupils."""
    brow_slope: float
    """How much higher the tail is than the inner end."""
    brow_arch: float
    brow_peak: float  # where along the brow the arch is highest, 0 inner end – 1 tail
    brow_inner_x: float
    brow_tail_x: float
    brow_thickness: float  # half of it
    brow_taper: float  # 0–1, how much thinner the tail is
    brow_density: float  # 0–1
    brow_darkness: float  # factor on the hair's colour
    brow_uneven: float
    """How much lower the left brow is than the right one."""
    # Eyes
    eye_x: float
    eye_y: float
    eye_half_width: float
    eye_opening: float  # 1 is usual
    eye_tilt: float
    """How much higher the outer corner is than the middle."""
    eye_skew: float  # −1 – 1, towards the outer corner: where the upper lid is highest
    eye_uneven: float
    """Share by which the left eye is more open than the right one."""
    lid_fold: float
    """Distance of the fold from the rim of the upper lid; small on hooded lids."""
    lid_crease: float  # 0–1, how deep the fold is; 0 is a single lid
    lid_hood: float  # 0–1, how far skin hangs over the outer lid
    eye_depth: float  # 0–1, how deep the eyes lie
    eye_bags: float  # 0–1
    iris_share: float  # of the eye's width
    # Nose
    nose_width: float
    nose_length: float
    """How much lower the tip lies than NOSE_TIP_Y."""
    nose_height: float
    nose_bridge: float  # 0–1, how high the bridge is
    nose_bridge_width: float
    nose_hump: float  # 0–1
    nose_tip: float  # 0 pointed – 1 bulbous
    nostril_show: float  # 0–1, how much is seen from the front
    # Cheeks
    cheek_fullness: float  # 0–1
    cheekbones: float  # 0–1
    nasolabial: float  # 0–1, the fold at rest
    # Mouth
    mouth_half_width: float
    mouth_y: float
    mouth_corner: float
    """How far the corners lie below the middle at rest."""
    mouth_uneven: float
    """How much lower the left corner is than the right one."""
    upper_lip: float  # fullness, 1 is usual
    lower_lip: float
    cupids_bow: float  # 0–1
    lip_colour: float  # 0 the skin's own, 1 red
    philtrum: float  # 0–1
    # Chin
    chin_width: float
    chin_height: float  # 0–1, of the boss
    chin_cleft: float  # 0–1


@dataclass(frozen=True, eq=False)
class Makeup:
    """What is painted on the face; 0 is nothing."""

    eyeliner: float
    mascara: float
    eye_shadow: float
    eye_shadow_colour: Field
    lipstick: float
    lipstick_colour: Field
    blush: float


def features(seed: int, male: bool, age: float, head_half_height: float) -> Features:
    """Draw the features of the person with this seed. `age` 0–1; the chin ends at `head_half_height`.

    The order of the draws is part of the person: append, never insert.
    """
    draw = _Draw(np.random.default_rng([seed, FEATURES]))
    eye_x, eye_y = draw.around(0.378, 0.014), draw.around(-0.195, 0.018)
    mouth_y = eye_y + (head_half_height - eye_y) * draw.within(0.58, 0.635)
    tip_y = min(eye_y + 2 * eye_x * draw.within(0.50, 0.68), mouth_y - 0.29)
    hood = draw.share(1.2, 2.0) * (0.6 + 0.4 * age) if draw.chance(0.6) else 0.0
    return Features(
        **_brows(draw, male, eye_x),
        eye_x=eye_x,
        eye_y=eye_y,
        lid_hood=hood,
        **_eyes(draw, age, hood),
        nose_length=tip_y - NOSE_TIP_Y,
        **_nose(draw),
        cheek_fullness=draw.within(0, 1),
        cheekbones=draw.within(0, 1),
        nasolabial=draw.share(1.3, 2.5) * (0.45 + 0.55 * age),
        mouth_y=mouth_y,
        **_mouth(draw, male),
        chin_width=draw.within(0.14, 0.24),
        chin_height=draw.within(0, 1),
        chin_cleft=draw.within(0.3, 1) if draw.chance(0.1) else 0.0,
    )


class _Draw:
    """A random stream that gives plain floats."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng

    def within(self, low: float, high: float) -> float:
        return float(self.rng.uniform(low, high))

    def around(self, middle: float, deviation: float) -> float:
        """Normal, at most two standard deviations off."""
        return float(middle + deviation * np.clip(self.rng.standard_normal(), -2, 2))

    def share(self, a: float, b: float) -> float:
        """0–1, by a beta distribution."""
        return float(self.rng.beta(a, b))

    def chance(self, share: float) -> bool:
        return bool(self.rng.random() < share)


def _brows(draw: _Draw, male: bool, eye_x: float) -> dict[str, float]:
    return {
        "brow_height": 2 * eye_x * (draw.within(0.22, 0.32) if male else draw.within(0.25, 0.38)),
        "brow_slope": draw.around(0.02, 0.022),
        "brow_arch": draw.within(0.0, 0.045) if male else draw.within(0.005, 0.07),
        "brow_peak": draw.within(0.5, 0.72),
        "brow_inner_x": draw.within(0.095, 0.185),
        "brow_tail_x": eye_x + draw.within(0.235, 0.315),
        "brow_thickness": draw.within(0.028, 0.055) if male else draw.within(0.013, 0.040),
        "brow_taper": draw.within(0.45, 0.85),
        "brow_density": draw.within(0.55, 1.0) if male else draw.within(0.35, 1.0),
        "brow_darkness": draw.within(0.55, 1.15),
        "brow_uneven": draw.around(0, 0.007),
    }


def _eyes(draw: _Draw, age: float, hood: float) -> dict[str, float]:
    return {
        "eye_half_width": draw.around(0.178, 0.011),
        "eye_opening": draw.around(1.03, 0.13),
        "eye_tilt": draw.around(0.010, 0.018),
        "eye_skew": draw.around(0.0, 0.10),
        "eye_uneven": draw.around(0, 0.03),
        "lid_fold": draw.within(0.006, 0.045) * (1 - 0.5 * hood),
        "lid_crease": draw.within(0, 1) if draw.chance(0.8) else draw.within(0, 0.15),
        "eye_depth": draw.within(0, 1),
        "eye_bags": draw.share(1.1, 2.2) * (0.5 + 0.5 * age),
        "iris_share": draw.within(0.40, 0.45),
    }


def _nose(draw: _Draw) -> dict[str, float]:
    return {
        "nose_width": draw.around(1.0, 0.10),
        "nose_height": draw.within(0.65, 1.25),
        "nose_bridge": draw.within(0.1, 1),
        "nose_bridge_width": draw.within(0.8, 1.35),
        "nose_hump": draw.share(1, 3),
        "nose_tip": draw.within(0, 1),
        "nostril_show": draw.within(0.2, 1),
    }


def _mouth(draw: _Draw, male: bool) -> dict[str, float]:
    return {
        "mouth_half_width": draw.around(0.305, 0.020),
        "mouth_corner": draw.around(-0.002, 0.011),
        "mouth_uneven": draw.around(0, 0.005),
        "upper_lip": draw.around(0.85, 0.22) if male else draw.around(1.0, 0.24),
        "lower_lip": draw.around(0.95, 0.18) if male else draw.around(1.05, 0.20),
        "cupids_bow": draw.within(0, 1),
        "lip_colour": draw.within(0, 0.45) if male else draw.within(0.05, 0.65),
        "philtrum": draw.within(0.1, 1),
    }


def makeup(seed: int, male: bool) -> Makeup:
    """Draw what the person with this seed wears on the face."""
    rng = np.random.default_rng([seed, MAKEUP])
    wears = rng.random() < MADE_UP[male]

    def amount(share: float, low: float) -> float:
        """Worn by this share of those with makeup, at least `low` of it."""
        drawn, strength = rng.random() < share, float(rng.uniform(low, 1))
        return strength if wears and drawn else 0.0

    return Makeup(
        eyeliner=amount(0.5, 0.4),
        mascara=amount(0.75, 0.4),
        eye_shadow=amount(0.45, 0.25),
        eye_shadow_colour=rng.choice(EYE_SHADOWS).astype(np.float32),
        lipstick=amount(0.65, 0.4),
        lipstick_colour=(rng.choice(LIPSTICKS) * rng.uniform(0.85, 1.1)).astype(np.float32),
        blush=amount(0.5, 0.3),
    )
