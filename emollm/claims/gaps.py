"""Gaps: what the words between two tokens allow, so that "raised over the eyes" does not raise the eyes.

`read_gap` remembers the gaps it has read: most are " ", " is ", " of the ". Only `pair` and `scope` call this.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import NamedTuple

from emollm.claims.scan import phrases

_GRAMMAR = """
a an the of in at on to around across along within near into his her their its this that these those both each all and
or nor but yet as so more most quite very rather also too just only even still now then some any there with is are was
were be been being become becomes remain remains remained stay stays stayed look looks get gets has have had held hold
holds kept keep keeps do does did it they she he who which visible seen noted form forms forming position positions
state shape same time once
"""
_GRAMMAR_WORDS = frozenset(_GRAMMAR.split())
"""Words that may stand between a part and its action and mean nothing there."""

_FOREIGN = """
over above under below beneath from by toward towards than like for when until against behind while whereas although
though however despite except ; \u2014
"""
_FOREIGN_WORDS = frozenset(_FOREIGN.split())
"""Words that separate a part from an action: "raised over the eyes" does not raise the eyes."""

_LIST_WORDS = frozenset({"and", "or", "nor", "&", ",", "the", "his", "her", "their", "both", "in", "around", "of"})
"""Words that join two parts of one list."""

_JOINTS = frozenset({"and", "or", "nor", "plus", "but"})
_APART = """
with that alongside accompanied accompanies accompanying coupled combined paired which as so because since
leave leaves leaving
"""
_APART_WORDS = frozenset(_APART.split())
"""Words that begin another phrase."""
_EMPHASIS = re.compile(
    r"\b(?:slight|subt|mild|faint|weak)ly,? but (?=(?:clear|noticeab|visib|distinct|perceptib|definite)ly\b)"
    r"|\b(?:anything but|nothing but|far from)\b"
)
"""Neither this "but" nor this "from" stands between two actions: "slightly, but noticeably, lowered"."""
_CODES = re.compile(r"\((?:[lr]?au ?\d{1,2}[a-e]?[,/+& ]{0,3})+\)")
"""Codes in brackets only name what stands before them."""
_WORD = re.compile(r"[\w'’][\w'’\-]*|[;\u2014]")
_MANY = 9


class Gap(NamedTuple):
    """The words between two tokens."""

    num_strange: int
    """Words that are neither grammar nor modifiers; a preposition such as "over" counts as many."""
    is_joint: bool
    """Holds "and", "or" and the like."""
    is_apart: bool
    """Holds what begins another phrase: "with", a comma."""
    is_list: bool
    """Only joins two parts of a list."""


@lru_cache(maxsize=8192)
def read_gap(gap: str) -> Gap:
    """Read the words of a gap, in small letters."""
    if " but " in gap or " far from " in gap:
        gap = _EMPHASIS.sub(" ", gap)
    words = _WORD.findall(_CODES.sub(" ", gap) if "(" in gap else gap)
    modifiers = _modifiers()
    strange = [w for w in words if w not in _GRAMMAR_WORDS and w not in modifiers and not w.endswith("ly")]
    return Gap(
        num_strange=_MANY if not _FOREIGN_WORDS.isdisjoint(words) else len(strange),
        is_joint=not _JOINTS.isdisjoint(words) or "&" in gap or "as well as" in gap,
        is_apart="," in gap or ":" in gap or not _APART_WORDS.isdisjoint(words),
        is_list=not strange and _is_list(gap, modifiers),
    )


def _is_list(gap: str, modifiers: frozenset[str]) -> bool:
    listed = gap.replace(",", " , ").split()
    return bool(listed) and all(word in _LIST_WORDS or word in modifiers for word in listed)


@cache
def _modifiers() -> frozenset[str]:
    """All words of the cues that may stand between a part and its action."""
    kinds = {"no", "hedge", "strength", "side", "custom", "wish"}
    return frozenset(
        word for phrase, meanings in phrases().items() if meanings[0][0] in kinds for word in phrase.split()
    )
