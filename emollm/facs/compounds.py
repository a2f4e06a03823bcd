"""Compound emotions: the 21 categories of Du, Tao and Martinez, PNAS 111, E1454, 2014.

    COMPOUNDS["happily surprised"].required         # frozenset({"AU01", "AU02", "AU12", "AU25"})
    COMPOUNDS["happily surprised"].optional         # {"AU05": 0.64, "AU26": 0.67}

The table is also a model for drawing faces: required AUs nearly always, optional ones with their fraction.
Which data set uses which of them: label sets `cexpr7`, `rafdb_compound11` and `du22` in `emollm.labels`.
"""

from __future__ import annotations

from typing import NamedTuple

from emollm.facs.codes import read_codes


class Compound(NamedTuple):
    """AUs shown by more than 70 % of the subjects, and those shown by a fraction of them, 0 to 1."""

    required: frozenset[str]
    optional: dict[str, float]


def _compound(required: str, optional: dict[int, int]) -> Compound:
    """Build a row from FACS shorthand and AU number to percent of subjects."""
    codes = frozenset(code.au for code in read_codes(required))
    return Compound(codes, {f"AU{number:02d}": percent / 100 for number, percent in optional.items()})


COMPOUNDS: dict[str, Compound] = {
    "happiness": _compound("12+25", {6: 51}),
    "sadness": _compound("4+15", {1: 60, 6: 50, 11: 26, 17: 67}),
    "fear": _compound("1+4+20+25", {2: 57, 5: 63, 26: 33}),
    "anger": _compound("4+7+24", {10: 26, 17: 52, 23: 29}),
    "surprise": _compound("1+2+25+26", {5: 66}),
    "disgust": _compound("9+10+17", {4: 31, 24: 26}),
    "happily surprised": _compound("1+2+12+25", {5: 64, 26: 67}),
    "happily disgusted": _compound("10+12+25", {4: 32, 6: 61, 9: 59}),
    "sadly fearful": _compound("1+4+20+25", {2: 46, 5: 24, 6: 34, 15: 30}),
    "sadly angry": _compound("4+15", {6: 26, 7: 48, 11: 20, 17: 50}),
    "sadly surprised": _compound("1+4+25+26", {2: 27, 6: 31}),
    "sadly disgusted": _compound("4+10", {1: 49, 6: 61, 9: 20, 11: 35, 15: 54, 17: 47, 25: 43}),
    "fearfully angry": _compound("4+20+25", {5: 40, 7: 39, 10: 30, 11: 33}),
    "fearfully surprised": _compound("1+2+5+20+25", {4: 47, 10: 35, 11: 22, 26: 51}),
    "fearfully disgusted": _compound("1+4+10+20+25", {2: 64, 5: 50, 6: 26, 9: 28, 15: 33}),
    "angrily surprised": _compound("4+25+26", {5: 35, 7: 50, 10: 34}),
    "angrily disgusted": _compound("4+10+17", {7: 60, 9: 57, 24: 36}),
    "disgustedly surprised": _compound("1+2+5+10", {4: 45, 9: 37, 17: 66, 24: 33}),
    "appalled": _compound("4+10", {6: 25, 9: 56, 17: 67, 24: 36}),
    "hatred": _compound("4+10", {7: 57, 9: 27, 17: 63, 24: 37}),
    "awed": _compound("1+2+5+25", {4: 21, 20: 62, 26: 56}),
}
