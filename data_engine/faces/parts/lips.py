"""The lips as curves: where the mouth lies, how far it is open, how full the lips are, under every AU that moves it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from data_engine.faces.actions import Actions, Sided
from data_engine.faces.curves import Field, Value, clamp, dome, limit, ridge, used
from data_engine.faces.person.identity import Identity


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
    square: Value
    """How square the lower lip is pulled, 0–1: the depressors pull beside the middle."""
    bent: Value
    """How far the upper lip bends up beside the middle, in face units."""
    roundness: float
    """How round rather than almond-shaped the opening is, 0–1: a gape, a funnel, a pucker."""
    beak: float
    """How far the middle of the upper lip hangs over the lower one, in face units."""
    bow: float
    """Depth of the cupid's bow, 0–1."""
    fullness: Value
    """How much of the lips is seen; 1 at rest."""

    def across(self, x: Field) -> Field:
        """Turn places across the face into places across the mouth."""
        return x / self.half_width

    def curves(self, x: Field) -> LipCurves:
        """Return the lips' curves at the places x across the face."""
        across = clamp(np.abs(self.across(x)))
        square_of = across * across
        arch = 1 - square_of
        line = self.y + self.corner_drop * square_of - self.middle_rise * arch + self.beak * ridge(x / 0.055)
        low = arch
        if used(self.square):
            beside = square_of * arch * 4  # 1 at 0.7 of the way to the corner
            line = line + 0.016 * self.square * beside
            low = arch + self.square * (1 - square_of * square_of - arch)
        profile = inner = dome(arch, self.roundness)
        if self.roundness:  # the opening ends before the corners
            inner = dome(clamp(1 - square_of * (1 + 0.14 * self.roundness) ** 2), self.roundness)
        upper_rim = line - self.upper_lift * inner
        if used(self.bent):
            upper_rim = upper_rim - self.bent * profile * ridge((across - 0.45) / 0.35)
        below = profile if low is arch else dome(low, self.roundness)
        lower_rim = line + self.lower_sink * (inner if low is arch else below)
        bow = 1 + self.bow * (0.12 * ridge((np.abs(x) - 0.085) / 0.06) - 0.34 * ridge(x / 0.045))
        upper_top = upper_rim - self.upper_height * profile * bow
        lower_bottom = line + self.lower_sink * below + self.lower_height * (0.5 * (low + below))
        return LipCurves(line, upper_top, upper_rim, lower_rim, lower_bottom)


def mouth_shape(person: Identity, actions: Actions, au: Sided, x: Field) -> Mouth:
    """Return the mouth's shape at places x. The corners move by sides; jaw and parting of the lips have none."""
    mean = actions.mean
    opening, parted = lip_opening(actions, person), min(1.0, mean(25))
    half_width, corner_drop = _corners(person, au)
    upper_height, lower_height, fullness = _red(person, actions, au)
    raised = 0.065 * au[10] + 0.03 * au[9] + 0.062 * au[12] + 0.03 * au[22]
    lowered = 0.120 * au[16] + 0.020 * au[12] + 0.03 * au[22]
    return Mouth(
        y=mouth_y(person, actions),
        half_width=half_width,
        corner_drop=corner_drop + person.mouth_uneven * clamp(x * 6, -1, 1),
        middle_rise=0.012 * mean(12) + 0.058 * au[17],
        opening=opening,
        upper_lift=0.16 * opening + parted * raised,
        lower_sink=0.84 * opening * (1 - 0.40 * limit(au[12])) + parted * lowered,
        upper_height=upper_height,
        lower_height=lower_height,
        square=limit(au[16]),
        bent=0.034 * au[10] + 0.020 * au[11] + 0.015 * au[9],
        roundness=min(1.0, 2.6 * jaw_gap(actions, person) + 0.8 * mean(22) + 0.5 * mean(18)),
        beak=0.014 * person.cupids_bow * (1 - parted),
        bow=person.cupids_bow * (1 - 0.6 * min(1.0, mean(12))),
        fullness=fullness,
    )


def mouth_y(person: Identity, actions: Actions) -> float:
    """Return the height of the middle of the mouth: AU17 pushes it up, AU9 and AU10 pull it up, the jaw drops it."""
    mean = actions.mean
    return person.mouth_y - 0.052 * mean(17) + 0.015 * actions.jaw_drop - 0.02 * mean(9) - 0.008 * mean(10)


def _red(person: Identity, actions: Actions, au: Sided) -> tuple[Value, Value, Value]:
    """Heights of the red of the upper and the lower lip, and how much of both is seen."""
    mean = actions.mean
    smile = person.smile_thins * au[12]
    rolled_in = limit(1 - 0.66 * au[23], 0.12) * limit(1 - 0.58 * au[24], 0.15) * limit(1 - 0.90 * au[28], 0.06)
    rolled_out = (1 + 0.22 * au[18]) * (1 + 0.90 * au[22])
    fullness = rolled_in * rolled_out * (1 - 0.20 * smile) * (1 - 0.36 * au[20]) * (1 - 0.12 * au[14])
    closed = 1.0 - min(1.0, 2 * mean(25))
    stretched = 1 - 0.12 * min(1.0, mean(26)) - 0.22 * min(1.0, mean(27))
    upper = 0.060 * person.upper_lip * fullness * (1 - 0.22 * au[10] - 0.2 * au[9] - 0.10 * smile)
    lower = 0.078 * person.lower_lip * fullness * stretched * (1 + 0.12 * au[17]) * (1 + 0.18 * au[16])
    return upper + 0.030 * closed * au[10], lower + 0.018 * closed * au[16], fullness


def _corners(person: Identity, au: Sided) -> tuple[Value, Value]:
    """How far the corners are from the midline, and how far below the middle of the mouth."""
    outwards = 0.115 * au[12] + 0.01 * au[13] + 0.02 * au[15] + 0.132 * au[20]
    inwards = (
        0.155 * au[18] + 0.095 * au[22] + 0.055 * au[23] + 0.025 * au[24] + 0.075 * au[27] + 0.040 * au[28]
        + 0.042 * au[14] + 0.015 * au[26] + 0.020 * au[13]
    )  # fmt: skip
    up = 0.140 * person.smile_rise * au[12] + 0.110 * au[13] + 0.016 * au[14] + 0.015 * au[10]
    down = 0.115 * au[15] + 0.045 * au[20] + 0.021 * au[26] + 0.05 * au[27] + 0.015 * au[17] + 0.018 * au[24]
    return limit(person.mouth_half_width + outwards - inwards, 0.10, 0.6), person.mouth_corner + down - up


def lip_opening(actions: Actions, person: Identity) -> float:
    """Return how far the lips are apart, in face units: a dropped jaw opens them only with AU25 or AU27."""
    mean = actions.mean
    if mean(25) <= 0 and mean(27) <= 0:
        return 0.0
    parted = 0.060 * mean(25) * (1 - 0.3 * min(1.0, max(mean(23), mean(24)))) + 0.075 * mean(22) * mean(25)
    return parted + jaw_gap(actions, person)


def jaw_gap(actions: Actions, person: Identity) -> float:
    """Return how far the rows of teeth are apart in face units, less what the head's own stretch adds."""
    mean = actions.mean
    parted = min(1.0, mean(25))
    return person.teeth_apart * parted + 0.11 * mean(26) * min(1.0, 0.35 + parted) + 0.29 * actions.stretch
