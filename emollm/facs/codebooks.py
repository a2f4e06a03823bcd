"""Codebooks: which AUs speak for which emotion, according to whom.

    CODEBOOKS["emfacs"].rank(present(face), face.aus or ())[0].label      # "happiness"

A codebook is an interpretation, not a measurement: two codebooks may read the same face differently.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property

from emollm.facs.codes import read_codes
from emollm.facs.compounds import COMPOUNDS
from emollm.facs.prototypes import PROTOTYPES, Prototype
from emollm.facs.ranking import Match, Pattern, codes, evidence, fit, mask, patterns
from emollm.records import AU


@dataclass(frozen=True)
class Codebook:
    """Labels and their prototypes. `neutral` has none; a codebook that lists it ranks it too.

    `min_share` is the share of a prototype's measured AUs that must be present for the label to score at all.
    """

    name: str
    source: str
    prototypes: dict[str, tuple[Prototype, ...]]
    note: str = ""
    min_share: float = 0.0

    @cached_property
    def aus(self) -> dict[str, tuple[str, ...]]:
        """Label to every AU that one of its prototypes names, in the order of their numbers."""
        return {
            label: tuple(sorted(frozenset().union(*(_named(prototype) for prototype in prototypes))))
            for label, prototypes in self.prototypes.items()
        }

    def rank(self, present: Mapping[str, AU], measured: Collection[str]) -> list[Match]:
        """Return how well the present AUs fit each label, best first.

        The score of a label is that of its best prototype,

            found / (found + missing + against) * sqrt(known share)      (* 0.9 for a major variant)

        `found` and `missing` count the AUs that the prototype asks for, a group of alternatives as one of them;
        `against` counts the present AUs that no prototype of the label names. An AU that was not measured is neither
        found nor missing; `known share` is the part of the prototype that was measured.

        Not every AU counts 1. AU25, AU26 and AU27 count half, because speech opens the mouth too, and a blink counts
        nothing. An AU that is weaker than asked, or whose side is not known where one side is asked for, counts 0.4;
        on both sides it then counts nothing. An optional AU counts nothing, unless a study tells the share of people
        who show it: present, that share is found and the rest against; absent, that share is missing.

        Neutral scores 1 when AUs were measured and none is present, and 0 otherwise. Ties keep the codebook's order.
        """
        seen = evidence(present, measured)
        matches = [fit(label, known, bits, seen, self.min_share) for label, known, bits in self._prepared]
        if "neutral" in self.prototypes:
            is_still = bool(seen.measured) and not seen.present
            matches.insert(0, Match("neutral", float(is_still), (), (), codes(seen.present)))
        matches.sort(key=lambda match: -match.score)
        return matches

    @cached_property
    def _prepared(self) -> list[tuple[str, tuple[Pattern, ...], int]]:
        return [
            (label, patterns(prototypes), mask(self.aus[label]))
            for label, prototypes in self.prototypes.items()
            if prototypes
        ]


def _named(prototype: Prototype) -> frozenset[str]:
    return prototype.required.union(prototype.optional, *prototype.one_of)


def _listed(rows: dict[str, str]) -> dict[str, tuple[Prototype, ...]]:
    """Make one prototype a label from plain lists of AUs, such as `1+2+5`."""
    return {
        label: (Prototype(label, frozenset(code.au for code in read_codes(row))),) if row else ()
        for label, row in rows.items()
    }


def _emfacs() -> dict[str, tuple[Prototype, ...]]:
    contempt = tuple(prototype for prototype in PROTOTYPES["contempt"] if prototype.is_unilateral)
    return {"neutral": (), **PROTOTYPES, "contempt": contempt}


def _compound(label: str) -> Prototype:
    compound = COMPOUNDS[label]
    fractions = tuple(compound.optional.items())
    return Prototype(label, compound.required, optional=frozenset(compound.optional), fractions=fractions)


CODEBOOKS: dict[str, Codebook] = {
    book.name: book
    for book in (
        Codebook(
            "emfacs",
            "FACS Investigator's Guide 2002, Table 10-1; contempt from Matsumoto and Ekman 2008",
            _emfacs(),
            "Contempt is one-sided: without values for each side it never scores in full.",
        ),
        Codebook(
            "merr",
            "MERR, Emotion-LLaMA 2024, and MER-Factory",
            _listed(
                {
                    "neutral": "",
                    "happiness": "6+12+14",
                    "sadness": "1+4+14+15",
                    "surprise": "1+2+5+26",
                    "fear": "1+2+4+5+7+20+26",
                    "anger": "4+5+7+10+17+23",
                    "contempt": "10+12+14+17",
                    "worry": "20+28",
                    "disgust": "9+15",
                }
            ),
            "At least half of a label's AUs must be present. The original also wants a mean intensity of 0.8 or more. "
            "OpenFace gives no intensity of AU28, so there worry rests on AU20 alone. AU14 in happiness and sadness is "
            "not usual, and contempt is not one-sided here.",
            min_share=0.5,
        ),
        Codebook(
            "spatial",
            "Guided interpretable facial expression recognition via spatial AU cues, 2024",
            _listed(
                {
                    "neutral": "",
                    "happiness": "6+12+25",
                    "sadness": "1+4+6+15+17",
                    "surprise": "1+2+5+26+27",
                    "fear": "1+2+4+5+20+25+26+27",
                    "disgust": "9+10+16+17+25+26",
                    "anger": "4+5+7+10+17+23+24+25+26",
                }
            ),
            "Disgust has AU10. The published code points to AU5 there, most likely a slip of one place in its table: "
            "the survey it follows (Martinez et al. 2017) has AU10. Lists hold every AU seen with a label, also those "
            "that exclude each other, so no face reaches 1 for fear, surprise or anger.",
        ),
        Codebook(
            "compound",
            "Du, Tao and Martinez, PNAS 111, E1454, 2014",
            {"neutral": (), **{label: (_compound(label),) for label in COMPOUNDS}},
            "Required AUs were shown by more than 70 % of the subjects. Several categories share them (appalled and "
            "hatred; sadness and sadly angry) and differ by optional AUs only.",
        ),
    )
}
