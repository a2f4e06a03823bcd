"""Which AUs exclude, bring along, or go with each other.

    excluded({"AU26": 2.0, "AU27": 1.0})       # [("AU26", "AU27")]

Exclusions are the `@` pairs of the FACS manual; the statistical pairs are those of Zhang, Dong, Hu and Ji, CVPR 2018.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from emollm.facs.codes import Code, read_codes
from emollm.facs.strength import LETTERS, letter


class Entailment(NamedTuple):
    """What one AU does to others. `always`: brings them. `usual`: mostly comes with them.

    `appearance`: looks like them without being them; `at_least` is the letter from which on.
    """

    au: str
    brings: tuple[str, ...]
    how: str
    at_least: str = "A"


def _pair(text: str) -> tuple[Code, Code]:
    first, second = read_codes(text.replace("@", "+"))
    return first, second


EXCLUSIONS: tuple[tuple[Code, Code], ...] = tuple(
    _pair(text)
    for row in (
        "5@7E 5@43 5@45 5@46 8@24 8@34 16@B28 18@28 19@24 19@31 19@36 19@37 S22@S28 T22@T28 B22@B28 24@25 24@33 24@37",
        "25@34 26@27 26@31 27@31 27@32 28@31 28@32 31@36 31@37 32@37 33@34 33@35 34@35 36@37 38@39 43@45 43@46 45@46",
        "51@52 53@54 55@56 57@58 61@62 61@65 61@66 62@65 62@66 63@64 65@66",
    )
    for text in row.split()
)
"""Pairs that cannot be scored together. A letter is the weakest strength that excludes; T and B are one lip, S both."""

ENTAILMENTS: tuple[Entailment, ...] = (
    Entailment("AU27", ("AU25",), "always"),
    Entailment("AU26", ("AU25",), "usual"),
    Entailment("AU20", ("AU25",), "usual"),
    Entailment("AU09", ("AU04", "AU10"), "appearance"),
    Entailment("AU12", ("AU06",), "appearance", "E"),
)

POSITIVE_PAIRS: tuple[tuple[str, str], ...] = (
    ("AU01", "AU02"),
    ("AU04", "AU07"),
    ("AU04", "AU09"),
    ("AU07", "AU09"),
    ("AU06", "AU12"),
    ("AU09", "AU17"),
    ("AU15", "AU17"),
    ("AU15", "AU24"),
    ("AU17", "AU24"),
    ("AU23", "AU24"),
)
"""Pairs seen together more often than by chance."""

NEGATIVE_PAIRS: tuple[tuple[str, str], ...] = (
    ("AU02", "AU06"),
    ("AU02", "AU07"),
    ("AU12", "AU15"),
    ("AU12", "AU17"),
)
"""Pairs seen together less often than by chance."""


def excluded(aus: Mapping[str, float]) -> list[tuple[str, str]]:
    """Return the pairs of scored AUs that exclude each other. Intensities are 0-5, scored from 0.5 (the least A).

    An intensity of AU22 or AU28 is taken to be that of both lips, so the pairs about one lip hold as well.
    """
    letters = {code: scored for code, value in aus.items() if (scored := letter(value))}
    pairs = ((first, second) for first, second in EXCLUSIONS if _scored(first, letters) and _scored(second, letters))
    return list(dict.fromkeys((first.au, second.au) for first, second in pairs))


def _scored(code: Code, letters: Mapping[str, str]) -> bool:
    scored = letters.get(code.au)
    return scored is not None and LETTERS.index(scored) >= LETTERS.index(code.letter or "A")
