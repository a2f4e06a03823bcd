"""Modifiers: how strongly, and on which side. Only `scope` and `reader` call this.

How far a side reaches beyond what it stands by is in `places`, which side is the stronger one in `uneven`.
"""

from __future__ import annotations

import re
from operator import attrgetter

from emollm.claims.anchor import Anchor
from emollm.claims.clause import Clause, chain_before
from emollm.claims.places import find_place, spread
from emollm.claims.uneven import OTHER_THING, compare, is_denied

_MAX_GAP = 40
_MAX_WORDS = 4
_MAX_TAKEN_UP = 60
"""Characters between a movement and the comparison of its sides: "…, and it is more pronounced on the left"."""
_PLURAL = re.compile(r"\b(?:are|were|show|reach|have|both|all)\b")
_END = attrgetter("end")
_CLOSE = (" (", ",", " and ", " but ")
_OF_DIFFERENCE = re.compile(
    r" (?:more\b|stronger|higher|further|farther|greater|larger|lopsided|asymmetric|uneven|crooked)"
)
"""What a strength may belong to instead: a "slightly crooked" smile is not slight."""


def strengthen(clause: Clause, place: int) -> None:
    """Give the strength of a cue to what it modifies."""
    if _OF_DIFFERENCE.match(clause.lowered, clause.words[place].end):
        return
    reached = _modified(clause, place, may_follow=True)
    end = clause.words[place].end
    if len(reached) > 1 or (reached and "(" in clause.lowered[end : reached[0].key]):
        # "Slight lip corner pulling (AU12) and marked dimpling": of several actions those before the next strength.
        limit = next((t.start for t in clause.words[place + 1 :] if t.kind == "strength"), clause.end)
        own = [anchor for anchor in reached if anchor.key < limit]
        reached = own if own or "(" in clause.lowered[end:limit] else reached
    for anchor in reached:
        anchor.letters = anchor.letters or clause.words[place].value


def set_side(clause: Clause, place: int) -> None:
    """Give the side of a cue to what it modifies, and whether it is only the stronger one."""
    cue = clause.words[place]
    side, is_uneven = compare(clause, cue)
    if not side:
        return
    if not is_uneven and (placed := find_place(clause, place)):
        for anchor in placed:
            anchor.sides += (side,)
        return
    # A bare "left" stands before what it modifies; "on the left", "left-sided" and "bilaterally" may follow it.
    may_follow = is_uneven or re.search(r"[ \-]|ly$", clause.lowered[cue.start : cue.end]) is not None
    reached = _modified(clause, place, may_follow)
    if is_uneven and not reached:
        reached = [one for one in clause.anchors if 0 <= cue.start - one.end <= _MAX_TAKEN_UP][-1:]
    for anchor in reached if is_uneven else spread(clause, cue, reached):
        anchor.sides += (side,)
        anchor.is_uneven |= is_uneven


def set_uneven(clause: Clause, place: int) -> None:
    """Say of what a word such as "lopsided" modifies that its sides differ."""
    cue = clause.words[place]
    if not OTHER_THING.match(clause.lowered, cue.end) and not is_denied(clause.lowered, cue.start):
        for anchor in _modified(clause, place, may_follow=True):
            anchor.is_uneven = True


# --- what is modified -------------------------------------------------------------------------------------------------


def _modified(clause: Clause, place: int, may_follow: bool) -> list[Anchor]:
    """Return the anchors a modifier belongs to: around it, else right after it, else right before it."""
    cue, anchors = clause.words[place], clause.anchors
    beside = [anchor for anchor in anchors if anchor.start == cue.end + 1]
    if beside:
        return beside
    around = [anchor for anchor in anchors if anchor.start <= cue.start < anchor.end]
    if around and clause.lowered.startswith(_CLOSE, cue.end):
        # "Pulled up slightly (AU12) and dimpled markedly": right behind an action, it is of that one.
        around = [one for one in anchors if one.end == cue.start - 1 and one.start == around[0].start] or around
    if around:
        # "Slightly raised and parted": of the actions of one part the next one; with "the left brow and lip" the brow.
        nearest = min((anchor.key for anchor in around if anchor.key >= cue.end), default=None)
        return [anchor for anchor in around if nearest in (None, anchor.key)]
    after = next((anchor for anchor in anchors if anchor.start >= cue.end), None)
    if after is not None and _is_near(clause, cue.end, after.start):
        return [anchor for anchor in anchors if anchor.start == after.start]
    before = max((anchor for anchor in anchors if anchor.end <= cue.start), key=_END, default=None)
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
