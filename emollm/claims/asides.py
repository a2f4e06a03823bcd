"""Asides: what stands between a subject and its verb, taken out before a text is read, so that the two meet.

The brows, however, are lowered.                    the brows are lowered
The brows, though only slightly, are lowered.       the brows slightly are lowered: degree, side and doubt stay
The brows, despite the smile, are lowered.          "despite the smile" is read by itself

Lists ("the brows, the nose, are still") and clauses with "which" stay as they are. Only `reader` calls this.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from operator import attrgetter
from typing import NamedTuple

from emollm.claims.scan import scan

_VERB = re.compile(
    r"(?:is|are|was|were|has|have|had|do|does|did|can|cannot|remains?|stays?|seems?|appears?|looks?|rests?"
    r"|(?:is|are|was|were|do|does|did|ca|have|has)n['’]t)\b"
)
"""What can be nothing but a verb. Behind an aside of one of the next words, any movement is taken for one."""
_TURNS = (
    r"however|nevertheless|nonetheless|meanwhile|likewise|similarly|instead|though|in turn|by (?:contrast|comparison)"
    r"|in (?:contrast|comparison)|at the same time|on the other hand|for (?:its|his|her|their) part"
)
_COMMA = re.compile(rf", (?:(?={_VERB.pattern})|(?P<turn>{_TURNS}), )")
_SAID = r"[^,.;:!?\n()\u2014]{2,64}"
_BETWEEN_COMMAS = re.compile(rf"(?!(?:and|n?or|which|who|that) ){_SAID}")
_MAX_SAID = 66
_OPENER = r"(?=(?:al|even )?though\b|albeit\b|while\b|when\b|however\b)"
_IN_BRACKETS = re.compile(rf" \(({_OPENER}{_SAID})\) (?={_VERB.pattern})")
_IN_DASHES = re.compile(rf" [\u2014\u2013\-] ({_OPENER}{_SAID}) [\u2014\u2013\-] (?={_VERB.pattern})")
_TELLS = re.compile(r"(?:al|even )?though |albeit |while |whereas |when |despite |in spite of |because |since ")
_OPEN = frozenset({"number", "no", "ending", "if", "wish", "custom", "typical", "still"})
"""Kinds of words that say something of the verb behind: with them, an aside stays where it is."""
_KEPT = frozenset({"strength", "side", "hedge", "uneven"})
_START = attrgetter("start")


class Aside(NamedTuple):
    """A stretch of a text that is left out: from the blank or mark before it to the blank behind the mark after it."""

    start: int
    end: int
    kept: tuple[tuple[int, int], ...] = ()
    """Stretches of it, each with the blank before it, that stay."""
    told: tuple[int, int] | None = None
    """What of it is read by itself."""


def find_asides(lowered: str) -> list[Aside]:
    """Return the asides of a text in small letters, in their order."""
    found = [_between_commas(lowered, match) for match in _COMMA.finditer(lowered)]
    found += [_aside(lowered, *match.span(1), match.start()) for match in _IN_BRACKETS.finditer(lowered)]
    if " - " in lowered or " \u2014 " in lowered or " \u2013 " in lowered:
        found += [_aside(lowered, *match.span(1), match.start()) for match in _IN_DASHES.finditer(lowered)]
    return sorted((aside for aside in found if aside), key=_START)


def _between_commas(lowered: str, match: re.Match[str]) -> Aside | None:
    """Return the aside that ends at a comma before a verb, or is one of `_TURNS` between two commas."""
    if match["turn"]:
        return Aside(match.start(), match.end() - 1) if _is_verb(lowered, match.end()) else None
    end = match.start()
    start = lowered.rfind(", ", max(0, end - _MAX_SAID), end)
    is_said = start >= 0 and _BETWEEN_COMMAS.fullmatch(lowered, start + 2, end)
    return _aside(lowered, start + 2, end, start) if is_said else None


def _aside(lowered: str, start: int, end: int, before: int) -> Aside | None:
    """Return what stands from `start` to `end`, behind a mark at `before`, as an aside if it can be left out."""
    tokens = scan(lowered[start:end])
    kinds = {token.kind for token in tokens}
    whole = Aside(before, lowered.index(" ", end + 1) if lowered[end] != ")" else end + 1)
    if not kinds.isdisjoint(("part", "act", "sign")):
        return whole._replace(told=(start, end)) if _TELLS.match(lowered, start) else None
    if not kinds.isdisjoint(_OPEN):
        return None
    words = [(start + token.start - 1, start + token.end) for token in tokens if token.kind in _KEPT]
    return whole._replace(kept=tuple(word for word in words if lowered[word[0]] == " "))


def _is_verb(lowered: str, place: int) -> bool:
    """Tell whether a verb stands here: "the jaw, likewise, is lowered", "the jaw, likewise, drops"."""
    if _VERB.match(lowered, place):
        return True
    first = next(iter(scan(lowered[place : place + 24])), None)
    return first is not None and first.start == 0 and first.kind == "act"


def without(text: str, asides: list[Aside]) -> tuple[str, list[tuple[int, int]]]:
    """Return a text without its asides, and the way back: see `blanks.unsqueeze`."""
    pieces: list[str] = []
    origins: list[tuple[int, int]] = []
    length = 0
    for start, end in _stretches(asides, len(text)):
        pieces.append(text[start:end])
        origins.append((length, start))
        length += end - start
    return "".join(pieces), origins


def _stretches(asides: list[Aside], length: int) -> Iterator[tuple[int, int]]:
    start = 0
    for aside in asides:
        if aside.start >= start:
            yield start, aside.start
            yield from aside.kept
            start = aside.end
    yield start, length
