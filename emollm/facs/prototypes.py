"""Prototypes: the combinations of AUs by which FACS describes an emotion.

    PROTOTYPES["surprise"][0].required        # frozenset({"AU01", "AU02", "AU05"})

Who uses them: `codebooks` ranks emotions by them, the renderer draws emotions from them. Sources: FACS Investigator's
Guide 2002, Table 10-1; parted lips in happiness and AU4 in disgust from the FACS manual of 1978, Table 11-1; AU7 in
fear from the EMFACS lists in use (EMFACS itself is unpublished), AU7 in happiness from amusement below.

Contempt is not in the table of 2002: one-sided AU12 and AU14 are the usual reading, with one of them alone and the
two-sided pair from Matsumoto and Ekman 2008, 4+14+25 from Cordaro et al. 2018.
"""

from __future__ import annotations

from typing import NamedTuple

from emollm.facs.codes import read_code, read_codes


class Prototype(NamedTuple):
    """One combination. All of `required` and one AU of each group of `one_of` belong to it; `optional` may come along.

    `at_least` gives the weakest letter that counts in full. `is_unilateral`: the required AUs are on one side only.
    `is_variant`: a major variant, less typical than the prototypes themselves. `fractions` gives the share of people
    who show an optional AU, 0 to 1, where a study counted them.
    """

    label: str
    required: frozenset[str]
    one_of: tuple[frozenset[str], ...] = ()
    optional: frozenset[str] = frozenset()
    at_least: tuple[tuple[str, str], ...] = ()
    is_unilateral: bool = False
    is_variant: bool = False
    fractions: tuple[tuple[str, float], ...] = ()


# FACS shorthand, one row a prototype: `~` variant, `U` one-sided, `(a/b)` one of them, `[a/b]` optional.
_ROWS: dict[str, tuple[str, ...]] = {
    "happiness": ("6+12[7/25/26]", "12C[7/25/26]"),
    "sadness": (
        "1+4+11+15B[54/64/25/26]",
        "1+4+15[54/64/25/26]",
        "6+15[54/64/25/26]",
        "~1+4+11[54/64/25/26]",
        "~1+4+15B+17[54/64/25/26]",
        "~11+15B[54/64/25/26]",
        "~11+17[54/64/25/26]",
    ),
    "surprise": ("1+2+5B+(26/27)[25]", "~1+2+5B[25]", "~1+2+(26/27)[25]", "~5+(26/27)[25]"),
    "fear": ("1+2+4+5+20[7/25/26/27]", "1+2+4+5[7/20/25/26/27]", "~1+2+5[25/26/27]", "~5+20[25/26/27]"),
    "disgust": ("(9/10)[4/25/26]", "9+16[15/26]", "10+16[25/26]", "(9/10)+17[4]"),
    "anger": ("4+5+7+10+22+23[25/26]", "4+5+7+10+23[25/26]", "4+5+7+17+(23/24)", "4+5+7+(23/24)[25/26]"),
    "contempt": ("U12+U14", "~U12", "~U14", "~12+14", "~4+14+25"),
}


def _prototype(label: str, row: str) -> Prototype:
    core, _, optional = row.removeprefix("~").removesuffix("]").partition("[")
    parts = core.split("+")
    codes = [code for part in parts if (code := read_code(part)) is not None]
    return Prototype(
        label,
        frozenset(code.au for code in codes),
        tuple(_alternatives(part.strip("()")) for part in parts if part.startswith("(")),
        _alternatives(optional),
        tuple((code.au, code.letter) for code in codes if code.letter),
        any(code.prefix == "U" for code in codes),
        row.startswith("~"),
    )


def _alternatives(text: str) -> frozenset[str]:
    return frozenset(code.au for part in text.split("/") if (code := read_code(part)) is not None)


def _anger_variants(prototypes: tuple[Prototype, ...]) -> tuple[Prototype, ...]:
    """Each prototype of anger without one of AU4, AU5, AU7 and AU10, as the guide's note on variants says."""
    return tuple(
        prototype._replace(required=prototype.required - {code}, is_variant=True)
        for prototype in prototypes
        for code in ("AU04", "AU05", "AU07", "AU10")
        if code in prototype.required
    )


PROTOTYPES: dict[str, tuple[Prototype, ...]] = {
    label: tuple(_prototype(label, row) for row in rows) for label, rows in _ROWS.items()
}
"""Emotion to its prototypes, the most typical first."""

PROTOTYPES["anger"] += _anger_variants(PROTOTYPES["anger"])

STATES: dict[str, frozenset[str]] = {
    state: frozenset(code.au for code in read_codes(codes))
    for state, codes in (
        ("amusement", "6+7+12+25+26+53"),
        ("boredom", "43+55"),
        ("confusion", "4+7+56"),
        ("contentment", "12+43"),
        ("coyness", "6+7+12+25+26+52+54+61"),
        ("desire", "19+25+26+43"),
        ("embarrassment", "7+12+15+52+54+64"),
        ("interest", "1+2+12"),
        ("pride", "53+64"),
        ("shame", "54+64"),
        ("sympathy", "1+17+24+57"),
        ("pain", "4+6+7+9+17+18+23+24"),
    )
}
"""Other states and the codes seen in them, from Keltner, Sauter, Tracy and Cowen 2019; not ranked by any codebook."""
