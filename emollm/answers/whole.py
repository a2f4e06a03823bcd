"""Whole: whether a part of an answer says something and is not broken off.

is_whole("AU4, AU15")                       # True: a list needs no stop
is_whole("The brows are lowered and the")   # False
"""

from __future__ import annotations

import re

from emollm.claims.lines import is_unfinished

_LETTER = re.compile(r"[^\W\d_]")
_LAST = 40
"""Characters in which a part ends, with what closes it."""
_CLOSING = "*_`\"'\u201c\u201d\u2018\u2019. \t\r\n\u2026"
_OPEN = (",", ":", "(", "[", "\uff0c", "\u3001", "\uff1a", "\uff08")


def is_whole(part: str) -> bool:
    """Tell whether a part holds a letter and ends neither in a comma, a colon or an opening bracket, nor in a word that
    wants another ("and", "the"), unless a full stop follows it. Linear in the length."""
    end = part.rstrip()[-_LAST:]
    if not end.endswith(".") or end.endswith("..."):
        end = end.rstrip(_CLOSING)
    return _LETTER.search(part) is not None and not end.endswith(_OPEN) and not is_unfinished(end)
