"""The lips as curves: where the mouth lies, how far it is open, how full the lips are, under every AU that moves it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from data_engine.faces.actions import Actions, Sided
from data_engine.faces.curves import Field, Value, clamp, ridge
from data_engine.faces.identity import Identity


class LipCurves(NamedTuple):
    """Heights of the lips' five curves at the same places across the mouth, in face units."""

    line: Field
    """Where closed lips meet."""
    upper_top: Field
    upper_rim: Field
    lower_rim: Field
    lower_bottom: Field


class Mouth(NamedTuple):
    """The mouth's shape in face units. `across` runs from −1 at the right corner to 1 at the left one."""

    y: float
    half_width: Value
    corner_drop: Value
    """How far the corners lie below the middle."""
    middle_rise: Value
    opening: float
    """How far the lips are apart in the middle."""
    upper_lift: Value
    """How far the upper lip's rim lies above the line."""
    lower_sink: Value
    upper_height: Value
    lower_height: Value
    fullness: Value
    """How much of the lips is seen; 1 at rest."""

    def across(self, x: Field) -> Field:
        """Turn places across the face into places across the mouth."""
        return x / self.half_width

    def curves(self, x: Field) -> LipCurves:
        """Return the lips' curves at the places x across the face."""
        across = clamp(np.abs(self.across(x)))
        arch = 1 - across * across
        line = self.y + self.corner_drop * across**1.9 - self.middle_rise * arch
        profile = arch**0.75
        upper_rim, lower_rim = line - self.upper_lift * profile, line + self.lower_sink * profile
        bow = 1 - 0.20 * ridge(x / 0.04) + 0.10 * ridge((np.abs(x) - 0.085) / 0.06)
        upper_top = upper_rim - self.upper_height * profile * bow
        return LipCurves(line, upper_top, upper_rim, lower_rim, lower_rim + self.lower_height * arch**0.9)


def mouth_shape(person: Identity, actions: Actions, au: Sided) -> Mouth:
    """Return the mouth's shape. The corners move by sides; the jaw and the parting of the lips have none."""
    mean = actions.mean
    opening = lip_opening(actions)
    fullness = (
        (1 - 0.55 * au[23]) * (1 - 0.62 * au[24]) * (1 - 0.88 * au[28]) * (1 - 0.22 * au[12])
        * (1 - 0.30 * au[20]) * (1 + 0.35 * au[18]) * (1 + 0.55 * au[22])
    )  # fmt: skip
    half_width, corner_drop = _corners(person, au)
    lower_height = (1 + 0.30 * au[16]) * (1 - 0.15 * mean(26) - 0.25 * mean(27)) * (1 + 0.10 * au[17])
    return Mouth(
        y=person.mouth_y - 0.035 * mean(17) + 0.02 * actions.jaw_drop - 0.02 * mean(9),
        half_width=half_width,
        corner_drop=corner_drop,
        middle_rise=0.018 * mean(12) + 0.035 * au[17],
        opening=opening,
        upper_lift=0.112 * opening + mean(25) * (0.055 * au[10] + 0.03 * au[9] + 0.02 * au[12]),
        lower_sink=0.86 * opening + 0.085 * au[16] * mean(25),
        upper_height=0.062 * person.upper_lip * fullness * (1 - 0.25 * au[10] - 0.2 * au[9]),
        lower_height=0.080 * person.lower_lip * fullness * lower_height,
        fullness=fullness,
    )


def _corners(person: Identity, au: Sided) -> tuple[Value, Value]:
    """How far the corners are from the midline, and how far below the middle of the mouth."""
    outwards = 0.115 * au[12] + 0.02 * au[13] + 0.03 * au[14] + 0.02 * au[15] + 0.125 * au[20]
    inwards = 0.125 * au[18] + 0.09 * au[22] + 0.035 * au[23] + 0.03 * au[24] + 0.04 * au[27] + 0.05 * au[28]
    up = 0.145 * au[12] + 0.105 * au[13] + 0.01 * au[14] + 0.02 * au[10]
    down = 0.10 * au[15] + 0.02 * au[20] + 0.021 * au[26] + 0.06 * au[27] + 0.015 * au[17]
    return person.mouth_half_width + outwards - inwards, down - up


def lip_opening(actions: Actions) -> float:
    """Return how far the lips are apart, in face units: a dropped jaw opens them only with AU25 or AU27."""
    mean = actions.mean
    if mean(25) <= 0 and mean(27) <= 0:
        return 0.0
    parted = 0.055 * mean(25) * (1 - 0.3 * max(mean(23), mean(24))) + 0.05 * mean(22) * mean(25)
    return parted + 0.13 * mean(26) * min(1.0, 0.35 + mean(25)) + 0.33 * mean(27)
