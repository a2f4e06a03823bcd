"""The AUs of one face as the renderer uses them: by number, each side apart, on a scale where 1 is full.

    actions = Actions.of({"AU12": 5.0, "AU14": (4.0, 0.0)})
    actions.mean(12), actions.left[14], actions.right[14]        # 1.0, 0.8, 0.0

Outside, AUs are codes and FACS intensities (`"AU12": 5.0`); inside, where they stand in formulas, `au[12]` is 0 to 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType

import numpy as np

from data_engine.faces.curves import Field, Value

DRAWN = (1, 2, 4, 5, 6, 7, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 20, 22, 23, 24, 25, 26, 27, 28, 34, 38, 43)
"""The AUs that change the picture. `codes` turns AU45 and AU46 into AU43, head and eye codes into pose and gaze."""

DRAWN_CODES = tuple(f"AU{number:02d}" for number in DRAWN)

FULL = 5.0
"""Intensity of a complete action on the FACS 0–5 scale: 1 on the scale inside."""

GAZED = (63, 64)
"""Eyes up and down: the lids follow the gaze, so the inside knows it as AUs."""

TRACE = 0.2
"""Intensity A on the scale inside."""

Intensity = float | tuple[float, float]
"""On the FACS 0–5 scale, or that of the subject's left and right."""

Sided = Mapping[int, Value]
"""AU number to value: floats for one side or a symmetric face, fields where the sides differ."""


@dataclass(frozen=True)
class Actions:
    """AU number to strength for the subject's left and right side, 1 is full; every drawn AU is there."""

    left: dict[int, float]
    right: dict[int, float]

    @classmethod
    def of(
        cls,
        aus: Mapping[str, Intensity],
        gains: Mapping[int, float] = MappingProxyType({}),
        gaze_down: float = 0.0,
    ) -> Actions:
        """Read `{"AU12": value}` or `{"AU12": (left, right)}` on the FACS 0–5 scale.

        `gains` are how far a person moves by each AU, 1 where missing; `gaze_down` is −1 (up) to 1.
        """
        left, right = dict.fromkeys((*DRAWN, *GAZED), 0.0), dict.fromkeys((*DRAWN, *GAZED), 0.0)
        for code, value in aus.items():
            sides = value if isinstance(value, tuple) else (value, value)
            number = int(code[2:])
            scale = gains.get(number, 1.0) / FULL
            left[number], right[number] = float(sides[0]) * scale, float(sides[1]) * scale
        for side in (left, right):
            side[63], side[64] = max(0.0, -gaze_down), max(0.0, gaze_down)
        return cls(left, right)

    def mean(self, number: int) -> float:
        """The mean of both sides, for what has no sides: the jaw, the parting of the lips."""
        return 0.5 * (self.left[number] + self.right[number])

    @cached_property
    def jaw_drop(self) -> float:
        """How far the jaw is down, 1 is fully, 1.2 at most: a little by AU26, as far as it goes by AU27."""
        return min(1.2, 0.36 * self.mean(26) + self.stretch)

    @property
    def stretch(self) -> float:
        """How far AU27 pulls the mouth open; its trace lies beyond the most that AU26 lets the jaw fall, as in FACS."""
        au27 = self.mean(27)
        return 0.40 * min(1.0, au27 / TRACE) + 0.60 * au27

    def at(self, x: Field) -> Sided:
        """Give every AU its value at the places x across the face (positive on the subject's left).

        The sides blend into each other over 0.06 face units on both sides of the midline.
        """
        uneven = [number for number in DRAWN if self.left[number] != self.right[number]]
        values: dict[int, Value] = dict(self.left)
        if uneven:
            leftness = np.clip(x / 0.12 + 0.5, 0, 1)
            for number in uneven:
                values[number] = self.right[number] + (self.left[number] - self.right[number]) * leftness
        return values
