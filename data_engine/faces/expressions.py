"""Expressions: which AUs to draw for an emotion, a compound emotion, or none in particular.

    rng = np.random.default_rng(0)
    express("happiness", rng)        # {"AU06": 2.9, "AU12": 4.1, …}

The tables are those of `emollm.facs`; `plan` asks here what each picture of a data set shows.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from data_engine.faces.actions import DRAWN_CODES, FULL
from emollm.facs import COMPOUNDS, LETTERS, PROTOTYPES, Prototype, excluded

AUs = dict[str, float | tuple[float, float]]
"""AU code to FACS intensity 0–5, or (left, right)."""

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
ANY = (0.75, FULL)
"""Ranges of intensities of the AUs that may come along, and of AUs drawn for no emotion."""

COMPOUND_SHARE = 0.5
"""How often a basic emotion is drawn as Du et al. 2014 saw it, otherwise as the FACS Investigator's Guide says."""
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
    """Draw from everything a face can do: 45 % compounds, 47 % random AUs, 8 % neutral; one in eight one-sided."""
    kind = rng.random()
    if kind >= 0.92:
        return {}
    aus: AUs = {**(_compound(str(rng.choice(list(COMPOUNDS))), rng, WEAKEST) if kind < 0.45 else _random(rng))}
    sided = [code for code in aus if code in ONE_SIDED]
    if sided and rng.random() < 0.16:
        code = sided[rng.integers(len(sided))]
        value = float(np.max(aus[code]))
        aus[code] = (value, 0.0) if rng.random() < 0.5 else (0.0, value)
    return aus


def _random(rng: np.random.Generator) -> dict[str, float]:
    """One to five AUs, any of them."""
    codes = rng.choice(DRAWN_CODES, rng.integers(1, 6), replace=False).tolist()
    return possible({code: rng.uniform(*ANY) for code in codes}, codes[:1], rng)


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
