"""Places: how far a side reaches beyond the movement it stands by. Only `modifiers` and `reader` call this.

On the right side alone, the lip corner is pulled up and dimpled.      a place in front: both are on the right
Lip corner pulling and dimpling appear on the right side.              said of a list: both
The right lip corner is pulled up and forms a dimple.                  what joins on without a part of its own: both
A dimple forms at the same corner.                                     the side that was said last
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from emollm.claims.anchor import Anchor
from emollm.claims.clause import Clause
from emollm.claims.gaps import read_gap
from emollm.claims.scan import Token
from emollm.facs import UNITS

SAME = "same"
"""The value of a side that is the one before: "on that side"."""
_MAX_GAP = 48
_MAX_OPENING = 24

_OPENS = re.compile(
    r"(?:^|[.,;:!?\n\u2014])\s?(?:(?:and|but|while|whereas|yet|also|only|just|here|the|unilaterally,) )*$"
)
_OPEN = re.compile(
    r"(?: half)?(?: of (?:the|his|her|their|its) (?:mouth|face|lips?))?(?: alone| only)?"
    r"(?:,(?! (?:and|but|while|with|which|the (?:left|right))\b)|:"
    r"| (?:shows?|displays?|exhibits?|has|there (?:is|are))\b)"
)
_NEW_SUBJECT = re.compile(r".*, (?:(?:and|while|but|as) )?(?:the|his|her|their|both|its) (?!same\b)")


def find_place(clause: Clause, place: int) -> list[Anchor]:
    """Return what follows a side that opens a phrase: "On the right, …", "The right side shows …".

    It reaches no further than the next side, and no subject of its own behind a comma.
    """
    cue, lowered = clause.words[place], clause.lowered
    opening = _OPEN.match(lowered, cue.end, clause.end)
    if opening is None:
        return []
    is_headed = opening[0].endswith(":") and not any(anchor.start < cue.start for anchor in clause.anchors)
    if not is_headed and not _OPENS.search(lowered, max(0, cue.start - _MAX_OPENING), cue.start):
        return []
    limit = next((t.start for t in clause.words[place + 1 :] if t.kind == "side"), clause.end)
    reached: list[Anchor] = []
    for anchor in clause.anchors:
        if cue.end <= anchor.start < limit:
            if reached and _NEW_SUBJECT.match(lowered, reached[-1].end, anchor.start):
                break
            reached.append(anchor)
    return reached


_ALL = re.compile(
    r"\b(?:(?P<both>both)|(?P<each>each|all)|are|were|appear|occur|show|have|confined|limited|restricted|exclusive)\b"
)
_IS = re.compile(r"\b(?:is|are|was|were|there)\b")


def spread(clause: Clause, cue: Token, reached: list[Anchor]) -> list[Anchor]:
    """Return what a side reaches together with the movements it stands by."""
    before = [anchor for anchor in clause.anchors if anchor.end <= cue.start]
    if before and (not reached or reached[-1] is before[-1]):
        said = _ALL.search(clause.lowered, before[-1].end, cue.end)
        if said and cue.end - before[-1].end <= _MAX_GAP:
            listed = before[-2:] if said["both"] else before if said["each"] else _list_before(before, clause.lowered)
            reached = [*reached, *listed]
        elif reached:
            reached = [*reached, *(one for one in before[:-1] if one.start == before[-1].start)]
    elif reached:
        # "The corner on the right is pulled up and dimpled": a side within the subject is said of all it does.
        within = (one for one in clause.anchors if one.start == reached[-1].start and cue.end <= one.key)
        # "A dimple appears at the right corner, which is pulled up": the part of two actions, one on each side of it.
        there = (one for one in clause.anchors if one.start < cue.start and one.key == cue.end + 1)
        reached = [*there, *reached, *within, *_joined_behind(clause, reached[-1])]
    return list(dict.fromkeys(reached))


def _list_before(before: list[Anchor], lowered: str) -> list[Anchor]:
    """Return the list that ends with the last movement: "pulling and dimpling", "is pulled up and dimpled"."""
    listed = [before[-1]]
    for anchor in reversed(before[:-1]):
        if anchor.end < listed[-1].start and anchor.start != listed[-1].start:
            gap = lowered[anchor.end : listed[-1].start]
            read = read_gap(gap)
            is_joined = (read.is_joint or read.is_apart) and read.num_strange == 0
            if not is_joined or _IS.search(lowered, anchor.start, listed[-1].start):
                break
        listed.append(anchor)
    return listed


def _joined_behind(clause: Clause, last: Anchor) -> Iterable[Anchor]:
    """Yield what goes on about the same part of the face and names none: "… and forms a dimple"."""
    for anchor in clause.anchors:
        if anchor.start < last.end or not anchor.is_sign:
            continue
        gap = clause.lowered[last.end : anchor.start]
        if len(gap) > _MAX_GAP or _IS.search(gap) or not re.match(r",? (?:and|with|which|\w+ing) ", gap):
            return
        if UNITS[anchor.aus[0]].region != UNITS[last.aus[0]].region:
            return
        yield anchor


_UNSURE = frozenset({"no", "ending", "if", "wish"})
_BOTH_ON = re.compile(
    r"\W*(?:both|the two|these|all|each)(?: of (?:them|these|the))?(?: two)?(?: (?:movement|action|sign|change)s?)?"
    r" (?:are|is|occur|occurs|appear|appears|remain)\b[^.;!?]{0,40}$"
)


def side_of_both(words: list[Token], lowered: str, start: int) -> tuple[str, ...]:
    """Return the side that a sentence says of what was told before: "Both movements are on the right side alone"."""
    sides = [word for word in words if word.kind == "side" and word.value != "both"]
    if len(sides) != 1 or any(word.kind in _UNSURE for word in words):
        return ()
    return (sides[0].value,) if _BOTH_ON.match(lowered[start : sides[0].start]) else ()


def resolve_same(tokens: list[Token]) -> list[Token]:
    """Give "that side" and "the same corner" the side that was said last; without one they say none."""
    said: str | None = None
    resolved: list[Token] = []
    for token in tokens:
        if token.kind == "side":
            if token.value != SAME:
                said = token.value if token.value in ("left", "right") else None
            elif said is None:
                continue
            else:
                token = token._replace(value=said)
        resolved.append(token)
    return resolved
