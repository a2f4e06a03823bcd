"""Blanks: a text with each run of blanks made one, and the way back to the places of the text as it was.

squeezed, origins = squeeze(text)
place = unsqueeze(place_in_squeezed, origins)

So no expression of the reader needs to care for runs, and none can take long over them. Only `reader` calls this.
"""

from __future__ import annotations

import re
import sys
from bisect import bisect

Origins = list[tuple[int, int]]
"""Places (in the squeezed text, in the text) from which the two differ by a new amount."""

_BLANKS = re.compile(r"[^\S\n]*\n\s*|[^\S\n]+")
_RUN = re.compile(r"[^\S\n ]|  | \n|\n\s")


def squeeze(text: str) -> tuple[str, Origins | None]:
    """Make each run of blanks one blank, or one line end if there is one in it. None: the text is as it was."""
    # Printable text has no blanks but " "; the test is far cheaper than the expression.
    if ("  " not in text and text.isprintable()) or not _RUN.search(text):
        return text, None
    pieces, origins, length, end = [], [(0, 0)], 0, 0
    for blanks in _BLANKS.finditer(text):
        pieces += [text[end : blanks.start()], "\n" if "\n" in blanks[0] else " "]
        length += blanks.start() - end + 1
        end = blanks.end()
        origins.append((length, end))
    return "".join([*pieces, text[end:]]), origins


def unsqueeze(place: int, origins: Origins) -> int:
    """Return where a character of the squeezed text stands in the text."""
    there, here = origins[bisect(origins, (place, sys.maxsize)) - 1]
    return place - there + here
