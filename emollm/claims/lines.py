r"""Lines: which line ends of a text end a sentence, and which only wrap it.

    unwrap("There is no\nsmile.")           # "There is no smile."
    unwrap("Inner brow raised\nNo smile")   # as it is: a list without marks

`reader` calls this first, while capitals still tell. What an unfinished phrase looks like, `answers.whole` asks too.
"""

from __future__ import annotations

import re
from itertools import pairwise

_WORDS = (
    "an?|the|and|n?or|but|of|to|from|with|without|for|at|as|than|into|onto|between|is|are|was|were|be|been|being|has"
    "|have|had|not?|neither|which|who|whose|its|his|their|very|quite|if|while|when|because|whereas|such"
)
_UNFINISHED = re.compile(
    rf"[^\s:=?*_][*_]{{0,3}}\s[*_]{{0,3}}(?:{_WORDS})$|[\u548c\u4e0e\u53ca\u6216\u800c\u4f46\u4e14]$", re.I
)
_REACH = 24
"""Characters at the end of a text in which the last two words stand, or enough of them."""

_BEGINNING = re.compile(
    r"""\s*(?:
        (?P<item> (?: [-+*>oO\u2022\u2023\u25aa\u25cf\u25e6\u00b7\u30fb\u2013\u2014\u2192]
                    | [(\[]? (?:\d{1,2} | (?i:[a-z] | [ivx]{1,5})) [.)\]] ) (?=\s) )
      | (?P<code> (?i:au|action[ ]units?) [ _-]?\d )
      | (?P<number> \d | [B-E]\b )
      | (?P<bracket> [(\[] )
      | (?P<small> [a-z] )
      | (?P<other> \S )
    )""",
    re.VERBOSE,
)


def unwrap(text: str) -> str:
    """Return a text of the same length in which line ends that only wrap a sentence are blanks.

    A line goes on with the one before it where that is unfinished, or where it begins with a small letter; with a code,
    a number, a letter of the scale or a bracket, too, unless the one before does so as well. An item of a list, with a
    mark or a capital, and an empty line do not. Linear in the length.
    """
    if "\n" not in text:
        return text
    lines = text.split("\n")
    pieces = [lines[0]]
    for before, line in pairwise(lines):
        pieces += [" " if _goes_on(before, line) else "\n", line]
    return "".join(pieces)


def is_unfinished(phrase: str) -> bool:
    """Tell whether a phrase ends in a word that wants another: "the brows and the". "Smile: no" is whole."""
    return _UNFINISHED.search(phrase[-_REACH:].rstrip()) is not None


def _goes_on(before: str, line: str) -> bool:
    begins = _beginning(line)
    if not begins or is_unfinished(before):
        return begins != ""
    last = before[-_REACH:].rstrip()[-1:]
    if begins in ("item", "other"):
        return begins == "other" and last in (":", "(", "[", "/", "+", "&")
    return begins == "small" or last == "," or _beginning(before) != begins


def _beginning(line: str) -> str:
    """Return what a line begins with, a group of `_BEGINNING`; empty where it is blank."""
    match = _BEGINNING.match(line)
    return (match.lastgroup or "") if match else ""
