"""Modifiers: how strongly, on which side, and on which side more. Only `scope` and `reader` call this.

AU12 is stronger on the left than on the right      side left, uneven
a lopsided smile                                    uneven, on no side in particular
the right side is stronger than the left            the face moves more on the right
"""

from __future__ import annotations

import re

from emollm.claims.anchor import REGION_AUS, Anchor
from emollm.claims.clause import Clause, chain_before
from emollm.claims.scan import Token

_MAX_GAP = 40
_MAX_WORDS = 4
_MAX_TAKEN_UP = 60
"""Characters between a movement and the comparison of its sides: "…, and it is more pronounced on the left"."""
_PLURAL = re.compile(r"\b(?:are|were|show|reach|have|both|all)\b")
_OF_DIFFERENCE = re.compile(
    r" (?:more\b|stronger|higher|further|farther|greater|larger|lopsided|asymmetric|uneven|crooked)"
)
"""What a strength may belong to instead: a "slightly crooked" smile is not slight."""


def strengthen(clause: Clause, place: int) -> None:
    """Give the strength of a cue to what it modifies."""
    if _OF_DIFFERENCE.match(clause.lowered, clause.words[place].end):
        return
    for anchor in _modified(clause, place, may_follow=True):
        anchor.letters = anchor.letters or clause.words[place].value


def set_side(clause: Clause, place: int) -> None:
    """Give the side of a cue to what it modifies, and whether it is only the stronger one."""
    cue = clause.words[place]
    side, is_uneven = _compare(clause, cue)
    if not side:
        return
    # A bare "left" stands before what it modifies; "on the left", "left-sided" and "bilaterally" may follow it.
    may_follow = is_uneven or re.search(r"[ \-]|ly$", clause.lowered[cue.start : cue.end]) is not None
    reached = _modified(clause, place, may_follow)
    if is_uneven and not reached:
        reached = [one for one in clause.anchors if 0 <= cue.start - one.end <= _MAX_TAKEN_UP][-1:]
    for anchor in reached:
        anchor.sides += (side,)
        anchor.is_uneven |= is_uneven


def set_uneven(clause: Clause, place: int) -> None:
    """Say of what a word such as "lopsided" modifies that its sides differ."""
    cue = clause.words[place]
    if not _OTHER_THING.match(clause.lowered, cue.end) and not _is_denied(clause.lowered, cue.start):
        for anchor in _modified(clause, place, may_follow=True):
            anchor.is_uneven = True


# --- which side is stronger -------------------------------------------------------------------------------------------

_COMPARATIVE = r"(?:more|stronger|higher|further|farther|greater|larger|deeper|wider)"
_MORE = re.compile(rf"\b(?:{_COMPARATIVE}|most|strongest|highest|mainly|mostly)(?: \w+){{0,2}} $")
_LESS = re.compile(r"\b(?:less|weaker|smaller|fainter)(?: \w+){0,2} $")
_MORE_BEHIND = re.compile(rf"[^,;:.]{{0,60}}\b(?P<more>{_COMPARATIVE})\b")
_THAN = re.compile(r"than (?:\w+ ){0,3}?(?P<side>left|right)\b")
_DENIED = re.compile(r"\b(?:not?|without|any|nor|neither|n['’]t)\W(?:\w+ ){0,2}$")
_OTHER_THING = re.compile(r"(?<=other) \w| (?:light|teeth|shadow|skin|hair|nose|background|frame|image)")
"""What has no sides of a movement: "than the other features", "uneven light"."""
_OTHER = {"left": "right", "right": "left"}


def _is_denied(lowered: str, start: int) -> bool:
    return _DENIED.search(lowered, max(0, start - 24), start) is not None


def _compare(clause: Clause, cue: Token) -> tuple[str, bool]:
    """Return the side that a cue gives, and whether only as the stronger one: "higher on the left".

    The side is empty where a difference is denied: "not stronger on the left".
    """
    if cue.value not in _OTHER:
        return cue.value, False
    lowered, start = clause.lowered, max(0, cue.start - _MAX_GAP)
    if lowered.startswith(("less", "weaker"), cue.start):
        return cue.value, True
    if found := _MORE.search(lowered, start, cue.start):
        return ("" if _is_denied(lowered, found.start()) else cue.value), True
    if found := _LESS.search(lowered, start, cue.start):
        return ("" if _is_denied(lowered, found.start()) else _OTHER[cue.value]), True
    than = _THAN.match(lowered, clause.end)
    if than is None or than["side"] == cue.value:
        return cue.value, False
    found = _MORE_BEHIND.match(lowered, cue.end, clause.end)
    return cue.value, found is not None and not _is_denied(lowered, found.start("more"))


_ABOUT = re.compile(
    r"\W*(?:the|his|her|their|its) (?:left|right) (?:side|half)\b"
    r"|[^.]{0,80}\b(?:pull|movement|motion|action|activity|contraction|expression)s?\b"
)
"""What a comparison without a movement must be about; shadows and hair are longer on one side, too."""


_SIDES = ("side", "uneven")


def compare_alone(words: list[Token], lowered: str, start: int, end: int) -> list[Anchor]:
    """Return what a clause without any movement says of the face: "The right side is stronger than the left"."""
    for cue in words:
        if cue.kind in _SIDES and cue.value != "both":
            break
    else:
        return []
    if any(word.kind in ("if", "wish", "no") for word in words):
        return []
    if cue.kind == "side":
        side, is_uneven = _compare(Clause(words, [], lowered, end), cue)
        if not (side and is_uneven and _ABOUT.match(lowered, start)):
            return []
    elif not lowered.startswith("than", cue.start) or _OTHER_THING.match(lowered, cue.end):
        return []
    whole = Anchor(cue.start, cue.end, cue.start, ((REGION_AUS["face"], True),), "face", is_uneven=True)
    whole.sides = (side,) if cue.kind == "side" else ()
    return [whole]


# --- what is modified -------------------------------------------------------------------------------------------------


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
