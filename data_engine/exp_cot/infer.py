"""Inference: what the action units alone are compatible with, and how that stands to the label, if there is one.

    reading = infer(view, "emfacs", "basic7")       # sees no label
    finding = settle(reading, ("anger",))           # says whether the label agrees

A label decides which class a text ends with; it never decides what the text says the action units show.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

from data_engine.exp_cot.view import View
from emollm import facs
from emollm.facs import Match
from emollm.facs.ranking import MOUTH_OPENING
from emollm.labels import COMPOUND_PARTS, LABEL_SETS, canonical

FITS = 0.5
"""A pattern fits from this score on (`facs.Codebook.rank`, 0 to 1)."""

FITS_WHOLE = 0.3
"""A pattern that is there as a whole fits from this score on: detectors on photos often add actions to a smile."""

CLOSE = 0.08
"""Two patterns within this of each other fit about equally well."""

CASES = {
    "one": "one pattern fits, and it is the label's",
    "two": "several patterns fit about equally well, and one of them is the label's",
    "none": "no pattern fits; the label is neither shown nor contradicted",
    "other": "another pattern than the label's fits",
    "apart": "a pattern fits, and the codebook has none for the label",
    "unlisted": "no pattern fits, and the codebook has none for the label",
    "rest": "no action unit is present, and the label is neutral",
    "plain": "no pattern fits, and the label is neutral",
    "silent": "no action unit is present, and the label is an emotion",
    "open": "no pattern fits and no label is given: the text names none",
    "outside": "no label is given, and the label set has none for the pattern that fits: the text names none",
}
"""How action units can stand to a label."""

UNREAD = "unread"
"""The case of a text that ends with no label, as its reader named none, although a pattern is there."""

AGREES = frozenset({"one", "two", "rest", "plain"})
"""The cases in which the action units support the label."""

DISAGREES = frozenset({"none", "other", "silent"})
"""The cases in which they could have supported it and do not."""

NEUTRAL = "neutral"

MIN_MEASURED = 6
"""With fewer action units measured, a face without any is not called neutral unless its label says so."""


class Reading(NamedTuple):
    """What the action units fit, best first; `fits` is empty where nothing fits or nothing is there.

    Where the codebook has no pattern for any emotion of the label set, `fits` are its own emotions.
    """

    is_at_rest: bool
    is_known: bool
    """Enough was measured to call a face at rest neutral."""
    fits: tuple[Match, ...]
    described: frozenset[str]
    """Labels that the codebook has a pattern for."""


class Finding(NamedTuple):
    """The labels of a text and how the action units stand to them."""

    labels: tuple[str, ...]
    """Those given, or the best-fitting one where none is; empty in the cases `open` and `outside`."""
    case: str
    best: Match | None = None
    """The pattern of a label, or the best-fitting other one in the cases `other`, `apart` and `outside`."""
    rival: Match | None = None
    """In case `two`, another pattern that fits about as well."""
    next_best: Match | None = None
    """In case `one`, the pattern that fits less well but better than the others, if one fits at all."""

    @property
    def shown(self) -> tuple[str, ...]:
        """The labels whose patterns fit, the one that is explained first."""
        matches = (self.best, self.rival) if self.case in ("one", "two") else ()
        return tuple(match.label for match in matches if match)


AUTO = "auto"
"""The codebook that suits the label set."""


@cache
def choose_codebook(named: str, label_set: str) -> str:
    """Return the codebook that is named; with `auto`, `compound` for sets of compound emotions and else `emfacs`."""
    if named != AUTO:
        return named
    return "compound" if COMPOUND_PARTS.keys() & LABEL_SETS[label_set].labels else "emfacs"


def infer(view: View, codebook: str, label_set: str) -> Reading:
    """Return the patterns of the codebook that fit, named in the words of the label set, or see `Reading`."""
    is_known = len(view.measured) >= MIN_MEASURED and canonical(NEUTRAL, label_set) == NEUTRAL
    described = _described(codebook, label_set)
    if not view.present:
        return Reading(True, is_known, (), described)
    is_foreign = described <= {NEUTRAL}
    fits = []
    for match in facs.CODEBOOKS[codebook].rank(view.present, view.measured):
        if match.score < FITS_WHOLE:
            break
        label = match.label if is_foreign else canonical(match.label, label_set)
        if label not in (None, NEUTRAL) and _fits(match, view, codebook):
            fits.append(match._replace(label=label))
    return Reading(False, is_known, tuple(fits), described)


@cache
def _described(codebook: str, label_set: str) -> frozenset[str]:
    labels = (canonical(label, label_set) for label in facs.CODEBOOKS[codebook].prototypes)
    return frozenset(label for label in labels if label)


def _fits(match: Match, view: View, codebook: str) -> bool:
    """Tell whether a match is more than a single action that could mean anything, the opening of the mouth aside.

    A single one is enough where a prototype asks for no more. The score alone cannot tell: it says little about what
    was not measured.
    """
    is_whole = any(
        prototype.required <= view.present.keys() and all(group & view.present.keys() for group in prototype.one_of)
        for prototype in facs.CODEBOOKS[codebook].prototypes[match.label]
    )
    return is_whole or (match.score >= FITS and len(set(match.found) - MOUTH_OPENING) >= 2)


def settle(reading: Reading, labels: Sequence[str]) -> Finding | None:
    """Compare a reading with the given labels; without any, the best pattern gives one.

    One of several is enough for the action units to agree. Returns None for a face at rest that is neither labelled nor
    measured enough to be called neutral.
    """
    given = tuple(dict.fromkeys(labels))
    is_described = NEUTRAL in given or not reading.described.isdisjoint(given)
    if reading.is_at_rest:
        if not given:
            return Finding((NEUTRAL,), "rest") if reading.is_known else None
        return Finding(given, "rest" if NEUTRAL in given else "silent" if is_described else "unlisted")
    if not reading.fits:
        if not given:
            return Finding((), "open")
        return Finding(given, "plain" if NEUTRAL in given else "none" if is_described else "unlisted")
    best = reading.fits[0]
    if not given and best.label not in reading.described:
        return Finding((), "outside", best)
    given = given or (best.label,)
    close = [match for match in reading.fits if best.score - match.score <= CLOSE]
    own = next((match for match in close if match.label in given), None)
    if own is None:
        return Finding(given, "other" if is_described else "apart", best)
    other = next((match for match in reading.fits if match.label != own.label), None)
    is_close = other is not None and best.score - other.score <= CLOSE
    return Finding(given, "two", own, other) if is_close else Finding(given, "one", own, None, other)
