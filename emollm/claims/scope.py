"""Scope: which claims of a clause the words around them reach: negation, hedges, suppositions, strength and side.

Only `reader` calls this; the words are in `cues`, negation in `negation`, strength and side in `modifiers`.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from emollm.claims.anchor import Anchor
from emollm.claims.clause import LIST, Clause, chain_before
from emollm.claims.modifiers import set_side, set_uneven, strengthen
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


_CUES: dict[str, Callable[[Clause, int], None]] = {
    "no": negate,
    "ending": end,
    "hedge": _hedge,
    "if": _suppose,
    "wish": _wish,
    "custom": _generalize,
    "typical": _generalize,
    "strength": strengthen,
    "side": set_side,
    "uneven": set_uneven,
}
