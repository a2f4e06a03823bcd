"""Clauses: what stands between two stops of a sentence, and the lists in it. `scope` and `negation` work on them."""

from __future__ import annotations

import re
from typing import NamedTuple

from emollm.claims.anchor import Anchor
from emollm.claims.gaps import read_gap
from emollm.claims.scan import Token


class Clause(NamedTuple):
    """A stretch of a sentence between two stops: its tokens, the anchors in it, and the whole text in small letters."""

    words: list[Token]
    anchors: list[Anchor]
    lowered: str
    end: int


_JOINT = re.compile(r"\b(?:and|or|nor)\b|&")
LIST = re.compile(r"[\s,()]*(?:and|or|nor|&|the|a|an|his|her|their|any)?[\s,()]*(?:and|or|the|a|an|both)?\s*")


_ASIDE = re.compile(r", which [^,;]+,(?: (?:is|are|was|were|remains?|\w+ly))* ")
_MAX_ASIDE = 96
"""Characters of an aside between commas."""


def chain_before(anchors: list[Anchor], start: int, lowered: str) -> list[Anchor]:
    """Return the anchors of the list that ends before `start`: "AU1, AU2 and AU4 are absent".

    An aside is left out ("AU12, which signals happiness, is missing"), and what it says goes with its claim.

    Phrases make a list with "and" or "or", codes with commas alone: "while there is a smile, AU6 is absent" has one.
    """
    chain: list[Anchor] = []
    aside = lowered.rfind(", which ", max(0, start - _MAX_ASIDE), start)
    if aside >= 0 and _ASIDE.fullmatch(lowered, aside, start):
        inside = [anchor for anchor in anchors if aside <= anchor.start and anchor.end <= start]
        return chain_before(anchors, aside, lowered) + inside
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
            if not LIST.fullmatch(gap) or not (is_list or (anchor.is_code and chain[-1].is_code)):
                break
        chain.append(anchor)
    return chain
