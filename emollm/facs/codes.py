"""Names of AUs: what tools call them, what records call them, and the shorthand of FACS coders.

Example:

    au_name(" AU06_c")          # "AU06"
    read_codes("1+2+R12A")      # [Code("AU01"), Code("AU02"), Code("AU12", side "R", letter "A")]
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from emollm.facs.units import UNITS

_NAME = re.compile(
    r"\s*(?:AU|AD|action[\s_-]?(?:unit|descriptor))[\s_-]*0*(?P<number>[1-9][0-9]?)"
    r"(?:[\s_-]*(?:r|c|intensity|presence|occurrence|prob|probability|score))?\s*",
    re.IGNORECASE | re.ASCII,
)

_CODE = re.compile(
    r"\s*(?P<prefix>[LRUTBASM])?(?:(?:AU|AD|SC)[\s_-]*)?0*(?P<number>[1-9][0-9]?)(?P<letter>[A-E])?\s*",
    re.IGNORECASE | re.ASCII,
)

_SIDES = {"L": "left", "R": "right"}


class Code(NamedTuple):
    """One scored unit in FACS shorthand; `R12A` is a trace of AU12 on the right side.

    `prefix`: L left, R right, U one side (either), T top lip, B bottom lip, A asymmetric, S symmetric, M movement,
    or an empty string. `letter`: A to E, or an empty string when no strength is given.
    """

    au: str
    prefix: str = ""
    letter: str = ""

    @property
    def side(self) -> str | None:
        """`left`, `right`, or None when both sides or an unknown one move."""
        return _SIDES.get(self.prefix)


@lru_cache(maxsize=4096)
def au_name(text: str) -> str | None:
    """Return the record's name of an AU however a tool spells it, or None when the text names none.

    Knows `AU1`, `AU01`, `au_1`, `AU 1`, `AU01_r`, ` AU01_c`, `au_1_intensity`, `action unit 1`, `AD19`.
    Sides and strengths (`L12`, `AU12D`) are `read_code`'s.
    """
    match = _NAME.fullmatch(text)
    return _known(match["number"]) if match else None


def prose(code: str) -> str:
    """Return the name as it is written in a sentence: `AU05` becomes `AU5`."""
    return f"AU{int(code[2:])}"


@lru_cache(maxsize=4096)
def read_code(text: str) -> Code | None:
    """Read one code of FACS shorthand: `12`, `AU12`, `L12C`, `AU12D`, `U14`. None when it is none."""
    match = _CODE.fullmatch(text)
    au = _known(match["number"]) if match else None
    if match is None or au is None:
        return None
    return Code(au, (match["prefix"] or "").upper(), (match["letter"] or "").upper())


def read_codes(text: str) -> list[Code]:
    """Read codes joined by `+`, such as `AU1+2+R12A`. Empty when any part is no code."""
    codes = [code for part in text.split("+") if (code := read_code(part)) is not None]
    return codes if len(codes) == text.count("+") + 1 else []


def _known(number: str) -> str | None:
    code = f"AU{int(number):02d}"
    return code if code in UNITS else None
