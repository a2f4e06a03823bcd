"""Scope: which claims of a clause the words around them reach: negation, hedges, suppositions, strength and side.

Only `reader` calls this; the words are in `cues`, negation in `negation`.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from emollm.claims.anchor import Anchor
from emollm.claims.clause import LIST, Clause, chain_before
from emollm.claims.negation import NOT_THERE, end, negate
from emollm.labels import FORMS


def apply_cues(clause: Clause) -> bool:
    """Let every cue of a clause act on the anchors it reaches; tell whether what follows is only supposed."""
    is_supposed = False
    for place, token in enumerate(clause.words):
        if token.kind in _CUES:
            _CUES[token.kind](clause, place)
            is_supposed = is_supposed or token.kind == "if"
    return is_supposed


# --- what is not said to be so ----------------------------------------------------------------------------------------


def _hedge(clause: Clause, place: int) -> None:
    cue = clause.words[place]
    if NOT_THERE.match(clause.lowered, cue.end):
        # "AU20 may be present"
        for anchor in chain_before(clause.anchors, cue.start, clause.lowered):
            anchor.is_hedged = True
    limit = _next_comma(clause, place)
    for anchor in clause.anchors:
        anchor.is_hedged |= cue.end <= anchor.key < limit


def _suppose(clause: Clause, place: int) -> None:
    """Drop what follows "if"; `reader` drops the rest of the sentence."""
    for anchor in clause.anchors:
        anchor.is_dropped |= anchor.start >= clause.words[place].end


def _wish(clause: Clause, place: int) -> None:  # noqa: ARG001 - a wish reaches the whole clause
    for anchor in clause.anchors:
        anchor.is_dropped = True


_COPULA = re.compile(r"\b(?:is|are|was|were|be|being|been)\b")
_TAKEN_UP = re.compile(r"\b(?:which|this|that|these|it|they|all of)\b")
_POINTED_AT = re.compile(
    r"\b(?:the|this|these|those|his|her|their|its|such|both|visible|observed|present)\s+(?:[\w\-+]+[\s,]+){0,4}$"
)


def _generalize(clause: Clause, place: int) -> None:
    """Drop what a rule speaks of, unless the text points at this face: "the raised brows are often …"."""
    cue = clause.words[place]
    start = max((t.end for t in clause.words[:place] if t.kind == "link" and t.value == ","), default=0)
    limit = _next_comma(clause, place)
    pointed_at: Anchor | None = None
    for anchor in clause.anchors:
        if _is_pointed_at(anchor, pointed_at, clause.lowered):
            pointed_at = anchor
            continue
        if cue.kind == "typical":
            is_subject = anchor.end <= cue.start and _is_subject(clause.lowered, anchor.end, cue.start)
        else:
            is_subject = start <= anchor.start < cue.start
        if is_subject or cue.end <= anchor.start < limit:
            anchor.is_dropped = True


def _is_subject(lowered: str, start: int, end: int) -> bool:
    """Tell whether what ends at `start` is the subject of "… is typical of", not taken up by a word such as "which"."""
    return _COPULA.search(lowered, start, end) is not None and _TAKEN_UP.search(lowered, start, end) is None


def _is_pointed_at(anchor: Anchor, before: Anchor | None, lowered: str) -> bool:
    """Tell whether "the", "these" or the like stands before an anchor, or before the list it is in."""
    if before is not None and LIST.fullmatch(lowered, before.end, anchor.start):
        return True
    return _POINTED_AT.search(lowered, max(0, anchor.start - 48), anchor.start) is not None


def _next_comma(clause: Clause, place: int) -> int:
    """Return where the next comma stands; one right behind the cue, as in "Typically, …", does not count."""
    start = clause.words[place].end + 1
    return next(
        (t.start for t in clause.words[place + 1 :] if t.kind == "link" and t.value == "," and t.start > start),
        clause.end,
    )


_EMOTIONS = "|".join(sorted(FORMS, key=len, reverse=True))
_HERE = r"\b(?:here|this|these|his|her|their|he|she|they|person|man|woman|subject|face|image|picture)\b"
_DEFINITION = re.compile(
    rf"\W*(?P<in>in\s+)?(?:(?:for|with|an?|true|genuine|real|pure|classic|prototypical|basic)\s+){{0,3}}"
    rf"(?:{_EMOTIONS}|smiles?)(?:(?(in),(?![^.!?\n]{{0,160}}{_HERE})|(?!))|\s+(?:"
    r"(?:is|are)\s+(?:\w+\s+)?(?:characteri[sz]ed|defined|marked|shown|signal+ed|expressed|coded|made up|known)\b|"
    r"(?:\w+\s+)?(?:involves?|includes?|requires?|consists?|combines?|comprises?|activates?|produces?|engages?)\b))"
)


def is_definition(lowered: str, start: int) -> bool:
    """Tell whether a sentence says what an emotion looks like in general.

    "Fear involves AU1, AU2 and AU4", "In sadness, the inner brows are raised" unless it points at this face.
    """
    return _DEFINITION.match(lowered, start) is not None


# --- strength and side ------------------------------------------------------------------------------------------------

_MAX_GAP = 40
_MAX_WORDS = 4
_PLURAL = re.compile(r"\b(?:are|were|show|reach|have|both|all)\b")


def _strengthen(clause: Clause, place: int) -> None:
    for anchor in _modified(clause, place, may_follow=True):
        anchor.letters = anchor.letters or clause.words[place].value


def _set_side(clause: Clause, place: int) -> None:
    cue = clause.words[place]
    # A bare "left" stands before what it modifies; "on the left", "left-sided" and "bilaterally" may follow it.
    may_follow = re.search(r"[ \-]|ly$", clause.lowered[cue.start : cue.end]) is not None
    for anchor in _modified(clause, place, may_follow):
        anchor.sides += (cue.value,)


def _modified(clause: Clause, place: int, may_follow: bool) -> list[Anchor]:
    """Return the anchors a modifier belongs to: around it, else right after it, else right before it."""
    cue, anchors = clause.words[place], clause.anchors
    beside = [anchor for anchor in anchors if anchor.start == cue.end + 1]
    if beside:
        return beside
    around = [anchor for anchor in anchors if anchor.start <= cue.start < anchor.end]
    if around:
        # "Slightly raised and parted": of the actions of one part the next one; with "the left brow and lip" the brow.
        nearest = min((anchor.key for anchor in around if anchor.key >= cue.end), default=None)
        return [anchor for anchor in around if nearest in (None, anchor.key)]
    after = next((anchor for anchor in anchors if anchor.start >= cue.end), None)
    if after is not None and _is_near(clause, cue.end, after.start):
        return [anchor for anchor in anchors if anchor.start == after.start]
    before = next((anchor for anchor in reversed(anchors) if anchor.end <= cue.start), None)
    if not may_follow or before is None:
        return []
    if not _is_near(clause, before.end, cue.start):
        return [before] if clause.lowered[before.end : cue.start] == ": " else []
    is_plural = _PLURAL.search(clause.lowered, before.end, cue.start) is not None
    return chain_before(anchors, cue.start, clause.lowered) or [before] if is_plural else [before]


def _is_near(clause: Clause, start: int, end: int) -> bool:
    """Tell whether at most four words stand between, and none that begins another phrase."""
    gap = clause.lowered[start:end]
    if len(gap) > _MAX_GAP or ":" in gap or "(" in gap or len(gap.split()) > _MAX_WORDS:
        return False
    return not any(
        token.kind == "link" and token.value != "only" and start <= token.start < end for token in clause.words
    )


_CUES: dict[str, Callable[[Clause, int], None]] = {
    "no": negate,
    "ending": end,
    "hedge": _hedge,
    "if": _suppose,
    "wish": _wish,
    "custom": _generalize,
    "typical": _generalize,
    "strength": _strengthen,
    "side": _set_side,
}
