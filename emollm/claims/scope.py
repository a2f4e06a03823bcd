"""Scope: which claims of a clause the words around them reach: negation, hedges, suppositions, strength and side.

Only `reader` calls this; the words are in `cues`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from emollm.claims.anchor import Anchor
from emollm.claims.cues import NOT_THERE
from emollm.claims.gaps import read_gap
from emollm.claims.scan import Token
from emollm.labels import FORMS

_NOT_THERE = re.compile(NOT_THERE)
_VERBAL = re.compile(r"not|cannot|never|\w+n(?:’|')t|no longer")
_TURNS_BACK = re.compile(r"no longer|lack(?:s|ed|ing)?")


class Clause(NamedTuple):
    """A stretch of a sentence between two stops: its tokens, the anchors in it, and the whole text in small letters."""

    words: list[Token]
    anchors: list[Anchor]
    lowered: str
    end: int


def apply_cues(clause: Clause) -> bool:
    """Let every cue of a clause act on the anchors it reaches; tell whether what follows is only supposed."""
    is_supposed = False
    for place, token in enumerate(clause.words):
        if token.kind in _CUES:
            _CUES[token.kind](clause, place)
            is_supposed = is_supposed or token.kind == "if"
    return is_supposed


# --- negation ---------------------------------------------------------------------------------------------------------


def _negate(clause: Clause, place: int) -> None:
    cue = clause.words[place]
    phrase = clause.lowered[cue.start : cue.end]
    is_verbal = _VERBAL.fullmatch(phrase) is not None
    before = _chain_before(clause.anchors, cue.start, clause.lowered)
    if is_verbal and before and _NOT_THERE.match(clause.lowered, cue.end):
        reached = before
    else:
        limit = _limit(clause, place, is_verbal)
        reached = [anchor for anchor in clause.anchors if cue.end <= anchor.key < limit]
        if not reached and _TURNS_BACK.match(phrase):
            reached = before
    for anchor in reached:
        anchor.is_negated = True


def _limit(clause: Clause, place: int, is_verbal: bool) -> int:
    """Return where a negation stops reaching: at a comma, "and" or "with" unless a list goes on, or at the next one."""
    words = clause.words
    for number in range(place + 1, len(words)):
        token = words[number]
        if token.kind == "no" or (token.kind == "hedge" and _CONCLUDES.match(clause.lowered, token.start - 6)):
            return token.start
        if token.kind != "link" or token.value == "or":
            continue
        if token.value == "," and _is_or_list(words, number, clause.lowered):
            continue
        if token.value == "and" and not is_verbal and _goes_on(clause, token, words[place]):
            continue
        return token.start
    return clause.end


_CONCLUDES = re.compile(r"(?!.{2}that |.{3}to |.hich |.ould ).{6}suggest")


def _is_or_list(words: list[Token], comma: int, lowered: str) -> bool:
    """Tell whether a list that ends in "or" goes on after a comma: "no smile, frown or squint"."""
    if re.match(r"\s(?:the|his|her|their)\b", lowered[words[comma].end : words[comma].end + 8]):
        return False
    for token in words[comma + 1 :]:
        if token.kind == "link" and token.value != ",":
            return token.value == "or"
    return False


_LACK = re.compile(r"lack|absence|devoid|free")
_NOUN = re.compile(r"(?:ing|ion|er|or)$")


def _goes_on(clause: Clause, joint: Token, cue: Token) -> bool:
    """Tell whether "and" adds to what is denied: "no brow lowering and lid tightening".

    After "no" and "without" only a bare noun is added: "no smile and raised brows" has the brows raised, "lacks
    the raised brows and parted lips" has neither.
    """
    lowered = clause.lowered
    added = next((anchor for anchor in clause.anchors if anchor.start >= joint.end), None)
    if added is None or lowered[joint.end : added.start].strip():
        return False
    is_noun = added.is_code or _NOUN.search(lowered, added.start, added.end) is not None
    return is_noun or _LACK.match(lowered, cue.start) is not None


_JOINT = re.compile(r"\b(?:and|or|nor)\b|&")
_LIST = re.compile(r"[\s,()]*(?:and|or|nor|&|the|a|an|his|her|their|any)?[\s,()]*(?:and|or|the|a|an|both)?\s*")


def _chain_before(anchors: list[Anchor], start: int, lowered: str) -> list[Anchor]:
    """Return the anchors of the list that ends before `start`: "AU1, AU2 and AU4 are absent".

    Phrases make a list with "and" or "or", codes with commas alone: "while there is a smile, AU6 is absent" has one.
    """
    chain: list[Anchor] = []
    is_list = False
    for anchor in reversed(anchors):
        if anchor.end > start:
            continue
        gap = lowered[anchor.end : chain[-1].start if chain else start]
        if not chain:
            if read_gap(gap).num_strange > (0 if "," in gap else 3):
                break
        else:
            is_list = is_list or "," not in gap or _JOINT.search(gap) is not None
            if not _LIST.fullmatch(gap) or not (is_list or (anchor.is_code and chain[-1].is_code)):
                break
        chain.append(anchor)
    return chain


def _end(clause: Clause, place: int) -> None:
    """Apply "absent", "missing", "fades" to what stands before, or right after: "a fading smile"."""
    cue = clause.words[place]
    if re.search(r"(?:not|n['’]t|never) (?:\w+ )?$", clause.lowered[max(0, cue.start - 16) : cue.start]):
        return
    reached = _chain_before(clause.anchors, cue.start, clause.lowered)
    if not reached:
        reached = [anchor for anchor in clause.anchors if cue.end <= anchor.start < min(clause.end, cue.end + 16)][:1]
    for anchor in reached:
        anchor.is_negated = True


# --- what is not said to be so ----------------------------------------------------------------------------------------


def _hedge(clause: Clause, place: int) -> None:
    cue = clause.words[place]
    if _NOT_THERE.match(clause.lowered, cue.end):
        # "AU20 may be present"
        for anchor in _chain_before(clause.anchors, cue.start, clause.lowered):
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
    if before is not None and _LIST.fullmatch(lowered, before.end, anchor.start):
        return True
    return _POINTED_AT.search(lowered, max(0, anchor.start - 48), anchor.start) is not None


def _next_comma(clause: Clause, place: int) -> int:
    return next((t.start for t in clause.words[place + 1 :] if t.kind == "link" and t.value == ","), clause.end)


_EMOTIONS = "|".join(sorted(FORMS, key=len, reverse=True))
_DEFINITION = re.compile(
    rf"\W*(?:(?:in|for|with|an?|true|genuine|real|pure|classic|prototypical|basic)\s+){{0,3}}(?:{_EMOTIONS}|smiles?)\s+"
    r"(?:(?:is|are)\s+(?:\w+\s+)?(?:characteri[sz]ed|defined|marked|shown|signal+ed|expressed|coded|made up|known)\b|"
    r"(?:\w+\s+)?(?:involves?|includes?|requires?|consists?|combines?|comprises?|activates?|produces?|engages?)\b)"
)


def is_definition(lowered: str, start: int) -> bool:
    """Tell whether a sentence says what an emotion looks like in general: "Fear involves AU1, AU2 and AU4"."""
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
    return _chain_before(anchors, cue.start, clause.lowered) or [before] if is_plural else [before]


def _is_near(clause: Clause, start: int, end: int) -> bool:
    """Tell whether at most four words stand between, and none that begins another phrase."""
    gap = clause.lowered[start:end]
    if len(gap) > _MAX_GAP or ":" in gap or "(" in gap or len(gap.split()) > _MAX_WORDS:
        return False
    return not any(
        token.kind == "link" and token.value != "only" and start <= token.start < end for token in clause.words
    )


_CUES: dict[str, Callable[[Clause, int], None]] = {
    "no": _negate,
    "ending": _end,
    "hedge": _hedge,
    "if": _suppose,
    "wish": _wish,
    "custom": _generalize,
    "typical": _generalize,
    "strength": _strengthen,
    "side": _set_side,
}
