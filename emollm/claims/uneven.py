"""Uneven movements: on which side more. Only `modifiers` and `reader` call this.

AU12 is stronger on the left than on the right      side left, uneven
a lopsided smile                                    uneven, on no side in particular
the right side is stronger than the left            the face moves more on the right
"""

from __future__ import annotations

import re

from emollm.claims.anchor import REGION_AUS, Anchor
from emollm.claims.clause import Clause
from emollm.claims.scan import Token

_MAX_GAP = 40
_COMPARATIVE = r"(?:more|stronger|higher|lower|harder|further|farther|greater|larger|deeper|wider)"
_MORE = re.compile(rf"\b(?:{_COMPARATIVE}|most|strongest|highest|mainly|mostly)(?: \w+){{0,2}} $")
_LESS = re.compile(r"\b(?:less|weaker|smaller|fainter)(?: \w+){0,2} $")
_MORE_BEHIND = re.compile(rf"[^,;:.]{{0,60}}\b(?P<more>{_COMPARATIVE})\b")
_THAN = re.compile(r"than (?:\w+ ){0,3}?(?P<side>left|right)\b")
_DENIED = re.compile(r"\b(?:not?|without|any|nor|neither|n['’]t)\W(?:\w+ ){0,2}$")
OTHER_THING = re.compile(r"(?<=other) \w| (?:light|teeth|shadow|skin|hair|nose|background|frame|image)")
"""What has no sides of a movement: "than the other features", "uneven light"."""
_OTHER = {"left": "right", "right": "left"}


def is_denied(lowered: str, start: int) -> bool:
    """Tell whether what begins at `start` is denied."""
    return _DENIED.search(lowered, max(0, start - 24), start) is not None


def compare(clause: Clause, cue: Token) -> tuple[str, bool]:
    """Return the side that a cue gives, and whether only as the stronger one: "higher on the left".

    The side is empty where a difference is denied: "not stronger on the left".
    """
    if cue.value not in _OTHER:
        return cue.value, False
    lowered, start = clause.lowered, max(0, cue.start - _MAX_GAP)
    if lowered.startswith(("less", "weaker"), cue.start):
        return cue.value, True
    if found := _MORE.search(lowered, start, cue.start):
        return ("" if is_denied(lowered, found.start()) else cue.value), True
    if found := _LESS.search(lowered, start, cue.start):
        return ("" if is_denied(lowered, found.start()) else _OTHER[cue.value]), True
    than = _THAN.match(lowered, clause.end)
    if than is None or than["side"] == cue.value:
        return cue.value, False
    found = _MORE_BEHIND.match(lowered, cue.end, clause.end)
    return cue.value, found is not None and not is_denied(lowered, found.start("more"))


_ABOUT = re.compile(
    r"\W*(?:the|his|her|their|its) (?:left|right) (?:side|half)\b"
    r"|[^.]{0,80}\b(?:pull(?:ed)?|movement|motion|action|activity|contraction|expression)s?\b"
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
        side, is_uneven = compare(Clause(words, [], lowered, end), cue)
        if not (side and is_uneven and _ABOUT.match(lowered, start)):
            return []
    elif not lowered.startswith("than", cue.start) or OTHER_THING.match(lowered, cue.end):
        return []
    whole = Anchor(cue.start, cue.end, cue.start, ((REGION_AUS["face"], True),), "face", is_uneven=True)
    whole.sides = (side,) if cue.kind == "side" else ()
    return [whole]
