"""How strong an AU is: FACS letters, words for them, and when an AU counts as present.

Example:

    letter(2.6)                 # "C"
    present(face)               # {"AU06": AU(...), "AU12": AU(...)}
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from emollm.facs.units import EXPRESSIVE
from emollm.records import AU, Face

LETTERS = "ABCDE"
"""The five strengths of FACS, A the weakest; the scale is ordinal: C and D cover more than A, B and E."""

STRENGTH_WORDS: dict[str, tuple[str, ...]] = {
    "A": ("trace", "faint", "barely visible", "barely perceptible", "very slight"),
    "B": ("slight", "mild", "subtle", "weak", "light"),
    "C": ("marked", "pronounced", "moderate", "clear", "noticeable", "distinct"),
    "D": ("severe", "strong", "extreme", "intense"),
    "E": ("maximal", "maximum", "fullest"),
}
"""Words for each letter, the first is the default; no word stands for two letters."""

THRESHOLDS: dict[str, float] = {"intensity": 1.0, "probability": 0.5, "presence": 0.5}
"""The value from which an AU of each kind counts as present; intensity 1.0 is a full A."""


def letter(intensity: float) -> str | None:
    """Return the FACS letter of an intensity on the 0-5 scale, None below 0.5 (nothing to score).

    The cuts lie halfway between the numbers coders give the letters (A = 1 … E = 5): 0.5, 1.5, 2.5, 3.5 and 4.5.
    """
    if intensity < 0.5:
        return None
    return LETTERS[min(int(intensity - 0.5), 4)]


def is_present(au: AU, thresholds: Mapping[str, float] = THRESHOLDS) -> bool:
    """Tell whether the AU's value reaches the threshold of its kind."""
    return au.value >= thresholds[au.kind]


def present(face: Face, thresholds: Mapping[str, float] = THRESHOLDS) -> dict[str, AU]:
    """Return the present movements of a face (no head, eye or visibility codes), in the order of their numbers."""
    aus = face.aus
    if not aus:
        return {}
    codes = [code for code, au in aus.items() if au.value >= thresholds[au.kind] and code in EXPRESSIVE]
    codes.sort()
    return {code: aus[code] for code in codes}


def side(au: AU, thresholds: Mapping[str, float] = THRESHOLDS) -> Literal["left", "right"] | None:
    """Return the one side on which the AU is present; None when it is on both, on neither, or not known."""
    if au.left is None or au.right is None:
        return None
    threshold = thresholds[au.kind]
    left, right = au.left >= threshold, au.right >= threshold
    if left == right:
        return None
    return "left" if left else "right"
