"""Expressions: which AUs to draw for an emotion, a compound emotion, or none in particular.

    rng = np.random.default_rng(0)
    express("happiness", rng)        # {"AU06": 2.9, "AU12": 4.1, …}

The tables are those of `emollm.facs`; `plan` asks here what each picture of a data set shows.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from data_engine.faces.actions import DRAWN_CODES, FULL, Intensity
from emollm.facs import COMPOUNDS, LETTERS, PROTOTYPES, Prototype, excluded, read_codes

AUs = dict[str, Intensity]
"""AU codes, and how strong they are."""

EXPRESSIBLE = frozenset({"neutral", *PROTOTYPES, *COMPOUNDS})
"""Labels that can be drawn."""

ONE_SIDED = ("AU01", "AU02", "AU04", "AU06", "AU07", "AU09", "AU10", "AU11", "AU12", "AU14", "AU15", "AU20", "AU43")
"""AUs that people also show on one side only."""

OPPOSED = (("AU12", "AU15"), ("AU18", "AU20"), ("AU22", "AU24"), ("AU24", "AU26"), ("AU24", "AU27"), ("AU25", "AU28"),
           ("AU26", "AU28"), ("AU27", "AU28"))  # fmt: skip
"""Pairs whose parts cancel out in the picture, beyond those that FACS excludes."""

WEAKEST, CLEAR = 1.5, 2.5
"""Least intensity of the AUs that an emotion consists of, and that of a typical expression."""
OPTIONAL = (1.0, FULL)
UNSCORED = (0.2, 0.95)
ANY = (1.0, FULL)
"""Ranges of intensities: of the AUs that may come along, of what is too little to count as present, of any AU."""

SMILES = ("12", "6+12", "12+25", "6+12+25", "12+25+26", "6+12+25+26", "6+7+12+25", "12+14", "10+12+25", "12+16+25")
"""Closed and open smiles."""
HABITS = (
    "1+2", "1+2+5", "1+4", "4+7", "5+7", "4+9+10", "6+9", "9+17", "10", "11", "11+15", "13", "13+17", "14", "14+17",
    "15+17", "16+25", "10+16+25", "17+24", "17+23", "18", "18+25", "20+25", "22+25", "22+25+26", "23", "24", "7+23+38",
    "25", "25+26", "25+27", "1+2+5+25+27", "28", "28+17", "34", "34+23", "9+38", "5+38", "38", "43", "6+7+43", "7+43",
    "4+6+7+9+43", "43+12", "20", "22", "16+17",
)  # fmt: skip
"""What faces do in talk, thought, effort and pain."""
RARE = (
    "AU07", "AU11", "AU14", "AU16", "AU23", "AU24", "AU38", "AU43",
    *("AU13", "AU18", "AU22", "AU27", "AU28", "AU34") * 2,
)  # fmt: skip
"""AUs that emotions seldom bring along, and that nets find hard; those that others drive out come twice."""

COMPOUND_SHARE = 0.5
"""How often a basic emotion is drawn as Du et al. 2014 saw it, otherwise as the FACS Investigator's Guide says."""
RARE_SHARE, ONE_SIDED_SHARE = 0.45, 0.22
"""How often a mixture gets a rare AU, and an AU that has sides loses one."""
VARIANT_SHARE, OPTIONAL_SHARE = 0.2, 0.4
"""How often a variant is drawn instead of a prototype, and how often each of its optional AUs."""
TRACE_SHARE = 0.3
"""How often a neutral face moves a little, below what FACS counts as present."""


def express(label: str, rng: np.random.Generator, typical: bool = False) -> AUs:
    """Draw an expression of an emotion, a compound or neutral. `typical` ones are clear and no mere variants."""
    if label == "neutral":
        return {} if typical or rng.random() > TRACE_SHARE else {str(rng.choice(DRAWN_CODES)): rng.uniform(0.1, 0.7)}
    if label in COMPOUNDS and (label not in PROTOTYPES or rng.random() < COMPOUND_SHARE):
        return {**_compound(label, rng, CLEAR if typical else WEAKEST)}
    rows = [row for row in PROTOTYPES[label] if not row.is_variant]
    if not typical and rng.random() < VARIANT_SHARE:
        rows = [row for row in PROTOTYPES[label] if row.is_variant] or rows
    return _prototype(rows[rng.integers(len(rows))], rng, CLEAR if typical else WEAKEST)


def mixture(rng: np.random.Generator) -> AUs:
    """Draw from everything a face can do, each AU often enough to be learned.

    8 % neutral, 15 % smiles, 27 % other habits, 22 % compounds, 28 % any AUs together; nearly half of those that are
    not neutral get one more AU of those that are rare elsewhere. One in six shows an AU on one side only.
    """
    kind = rng.random()
    if kind < 0.08:
        return express("neutral", rng)
    if kind < 0.50:
        aus = _habit(SMILES if kind < 0.23 else HABITS, rng)
    else:
        aus = _compound(str(rng.choice(list(COMPOUNDS))), rng, WEAKEST) if kind < 0.72 else _random(rng)
    if rng.random() < RARE_SHARE:
        core = set(aus)
        rare = str(rng.choice(RARE))
        aus = possible({rare: _intensity(rng), **aus}, {rare} if rng.random() < 0.6 else core, rng)
    return _one_sided(aus, rng)


def _one_sided(aus: dict[str, float], rng: np.random.Generator) -> AUs:
    """Now and then leave out one side of one AU."""
    sided = [code for code in aus if code in ONE_SIDED]
    if not sided or rng.random() >= ONE_SIDED_SHARE:
        return {**aus}
    code = str(rng.choice(sided))
    return {**aus, code: (aus[code], 0.0) if rng.random() < 0.5 else (0.0, aus[code])}


def _habit(table: tuple[str, ...], rng: np.random.Generator) -> dict[str, float]:
    """One row of a table of combinations, each AU of it at any intensity."""
    codes = [code.au for code in read_codes(str(rng.choice(table)))]
    return possible({code: _intensity(rng) for code in codes}, codes, rng)


def _random(rng: np.random.Generator) -> dict[str, float]:
    """One to five AUs, any of them."""
    codes = rng.choice(DRAWN_CODES, rng.integers(1, 6), replace=False).tolist()
    return possible({code: _intensity(rng) for code in codes}, codes[:1], rng)


def _intensity(rng: np.random.Generator) -> float:
    """From a trace to the maximum; now and then too little to count as present."""
    return float(rng.uniform(*(UNSCORED if rng.random() < 0.10 else ANY)))


def _compound(name: str, rng: np.random.Generator, weakest: float) -> dict[str, float]:
    """The required AUs of Du et al. 2014, and each optional one as often as their subjects showed it."""
    row = COMPOUNDS[name]
    aus: dict[str, float] = {code: rng.uniform(weakest, FULL) for code in sorted(row.required)}
    aus |= {code: rng.uniform(*OPTIONAL) for code, share in row.optional.items() if rng.random() < share}
    return possible(aus, row.required, rng)


def _prototype(row: Prototype, rng: np.random.Generator, weakest: float) -> AUs:
    """The AUs of one combination of the FACS Investigator's Guide."""
    least = {code: LETTERS.index(letter) + 0.5 for code, letter in row.at_least}
    core = sorted(row.required) + [str(rng.choice(sorted(group))) for group in row.one_of]
    aus: dict[str, float] = {
        code: rng.uniform(max(weakest, least.get(code, 0.0)), FULL) for code in core if code in DRAWN_CODES
    }
    for code in sorted(row.optional - aus.keys()):
        if code in DRAWN_CODES and rng.random() < OPTIONAL_SHARE:
            aus[code] = rng.uniform(*OPTIONAL)
    drawn = possible(aus, core, rng)
    if row.is_unilateral:
        is_left = rng.random() < 0.5
        return {code: (value, 0.0) if is_left else (0.0, value) for code, value in drawn.items()}
    return {**drawn}


def possible(aus: dict[str, float], core: Iterable[str], rng: np.random.Generator) -> dict[str, float]:
    """Drop what excludes each other, keeping `core` where one may choose; a lowered jaw or lip parts the lips."""
    aus, core = dict(aus), set(core)
    if "AU26" in aus and "AU25" not in aus and "AU28" not in aus and rng.random() < 0.8:
        aus["AU25"] = rng.uniform(*OPTIONAL)
    if "AU16" in aus and "AU24" not in aus and "AU28" not in aus and rng.random() < 0.8:
        aus.setdefault("AU25", rng.uniform(*OPTIONAL))
    if "AU27" in aus:
        aus["AU25"] = max(aus.get("AU25", 0.0), 0.8 * FULL)
    while pairs := _impossible(aus):
        first, second = pairs[0]
        if (first in core) == (second in core):
            del aus[first if rng.random() < 0.5 else second]
        else:
            del aus[second if first in core else first]
    return aus


def _impossible(aus: dict[str, float]) -> list[tuple[str, str]]:
    return excluded(aus) + [pair for pair in OPPOSED if pair[0] in aus and pair[1] in aus]
