"""Codes in prose: "AU4", "AUs 1, 2 and 4", "AU6+12", "L12C", "action unit 12 (D)", "AU04: 2.24".

`find_codes` yields an anchor for each code of a text; `strength_after` reads what stands behind any claim, a letter or
a number on the FACS scale of 0 to 5. Only `reader` calls this.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from emollm.claims.anchor import Anchor
from emollm.claims.times import UNIT
from emollm.facs import UNITS, letter

_INTRO = r"(?:a[ud]s?|action (?:unit|descriptor)s?)[ \t_\-]{0,3}(?:number |codes? )?"
_SUM = r"[lru]?\d{1,2}[a-e]?(?:\s?\+\s?(?:au\s?)?[lru]?\d{1,2}[a-e]?){1,30}"
_BEFORE = re.compile(rf"(?<![\w.])(?:(?P<intro>{_INTRO})[lrutbasm]?|[lru]?)$")
_BARE = re.compile(rf"(?:[lr]\d{{1,2}}[a-e]?|{_SUM})(?!\w)")
_MAX_INTRO = 32
"""Characters before a number in which its "action units" may stand."""
_ITEM = (
    r"(?:au[ _\-]?)?(?P<side>[lrutbasm])?0{0,2}(?P<number>[1-9]\d?)(?P<letter>[a-e])?(?:_[rc])?(?![a-z\d]|\.\d|\s?%)"
)
_CODE = re.compile(_ITEM)
_JOIN = re.compile(r"\s?[+/&]\s?|\s?-\s?(?=au)")
_LIST_JOIN = re.compile(
    r"\s?(?:,\s?and|,\s?or|,|\band\b|\bor\b|&)\s?"
    r"(?=[lru]?\d{1,2}[a-e]?(?:\s?[,;.)+&/:(\]]|\s(?:and|or|is|are|was|were|with)\b|$))"
)

_WORD = r"(?:intensity|level|strength|grade|score)"
_NO_TIME = rf"|(?:\s?(?:-|\u2013|to)\s?[\d.]+)?{UNIT}"
_NUMBER = (
    rf"\)?\s?(?:\(\s?(?:{_WORD}\s?)?(?:of |[:=]\s?)?|[:=]\s?|,? ?(?:at |with )?(?:an? )?{_WORD} ?(?:of |[:=]\s?)?"
    rf"|,? (?:has|shows|reaches|with|at) an? {_WORD} of |,? is (?=\d\.)| (?=\d\.\d))"
    r"(?P<number>[0-5](?:\.\d{1,6})?)(?:\s?/\s?5(?:\.0)?)?(?![\d%]|\.\d|\s?%" + _NO_TIME + r")(?:\s?\))?"
)
_LETTER = (
    rf"\)?(?: is| are)?(?: \w++)?\s?(?:\(\s?(?:{_WORD} ?[:=]? ?)?(?P<inner>[a-e])\s?\)"
    rf"|,? ?(?:at |with )?(?:an? )?{_WORD} ?(?:of |[:=])? ?(?P<outer>[a-e])(?!\w)"
    r"| (?:as|at) (?:an? )?(?P<level>[a-e])(?!\w))"
)
_STRENGTH = re.compile(f"{_NUMBER}|{_LETTER}")

_OPENERS = frozenset(" ,()[:=")
_SCORE = re.compile(r"[0-5A-E](?<!\w.)(?!\w)")


def find_codes(lowered: str, numbers: Iterable[int]) -> Iterator[Anchor]:
    """Yield the codes of a text in lower case, in order; `numbers` are the places of its numbers.

    Those that are no movement of the face are passed over.
    """
    reached = 0
    for start in numbers:
        before = _BEFORE.search(lowered, max(reached, start - _MAX_INTRO), start) if start >= reached else None
        if before is None or not (before["intro"] or _BARE.match(lowered, before.start())):
            continue
        place = first = before.end("intro") if before["intro"] else before.start()
        while item := _CODE.match(lowered, place):
            anchor = _anchor(item, before.start() if place == first else item.start())
            if anchor is not None:
                yield anchor
            reached = item.end()
            join = _JOIN.match(lowered, reached) or (_LIST_JOIN.match(lowered, reached) if before["intro"] else None)
            if join is None:
                break
            place = join.end()


def _anchor(item: re.Match[str], start: int) -> Anchor | None:
    code = f"AU{int(item['number']):02d}"
    if code not in UNITS or UNITS[code].family not in ("action", "descriptor", "head", "eye"):
        return None
    side = {"l": ("left",), "r": ("right",)}.get(item["side"] or "", ())
    return Anchor(
        start,
        item.end(),
        item.start(),
        (((code,), True),),
        is_code=True,
        letters=(item["letter"] or "").upper(),
        sides=side,
    )


def has_strength(text: str) -> bool:
    """Tell whether `strength_after` may find anything: a text has a digit or a capital that stands alone."""
    return _SCORE.search(text) is not None


def strength_after(text: str, lowered: str, end: int) -> tuple[str | None, int]:
    """Read the strength behind a claim that ends at `end`; return (letters, where it ends).

    An empty string is a number below 0.5, at which nothing is scored; None means that no strength follows. A letter
    counts when it is a capital, so that "intensity a bit lower" is none.
    """
    if lowered[end : end + 1] not in _OPENERS:
        return None, end
    found = _STRENGTH.match(lowered, end)
    if found is None:
        return None, end
    if found["number"]:
        return letter(float(found["number"])) or "", found.end()
    said = text[found.start(found.lastgroup or "inner")]
    return (said, found.end()) if said.isupper() else (None, end)
