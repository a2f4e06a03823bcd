"""The scanner: one pass over a text that finds every word and code of the lexicon.

    scan("no raised brows")  ->  [("no", "", 0, 2), ("act", "raise", 3, 9), ("part", "brows", 10, 15)]

All phrases are compiled into one expression that shares their prefixes, so a text costs the same however long the
tables grow. Only `reader` calls this.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any, NamedTuple

from emollm.claims.actions import ACTIONS, DIRECTIONS, MOTIONS
from emollm.claims.cues import (
    CONDITIONS,
    CUSTOMS,
    HEDGES,
    IGNORED,
    LINKS,
    SIDES,
    STOPS,
    STRENGTHS,
    TYPICAL_OF,
    UNEVEN,
    WISHES,
)
from emollm.claims.denials import ENDINGS, NEGATIONS, NON_NEGATIONS
from emollm.claims.lexicon import SIGNS, STILL
from emollm.claims.parts import PARTS
from emollm.facs import EXPRESSIVE, UNITS


class Token(NamedTuple):
    """A phrase of the lexicon in a text: `kind` names its table, `value` what it means there. A mark has no width."""

    kind: str
    value: str
    start: int
    end: int


def scan(lowered: str) -> list[Token]:
    """Return the tokens of a text in small letters, without runs of blanks; of phrases that overlap the longest.

    Every line end is an end: those of wrapped lines must be blanks (`lines.unwrap`).
    """
    table, pattern = _compiled()
    tokens: list[Token] = []
    new = tuple.__new__  # half the time of Token(...), of which a text needs some seventy
    for match in pattern.finditer(f" {lowered}"):
        # The blank put in front shifts all places by one, so that a phrase starts where its match does.
        found = match[0]
        start, end = match.span()
        meaning = table.get(found)
        if meaning is None:
            meaning, start = _read_rare(found, start, tokens)
        kind, value = meaning
        if kind == "ignored":
            continue
        tokens.append(new(Token, (kind, value, start, end - 1)))
    return tokens


def _read_rare(found: str, start: int, tokens: list[Token]) -> tuple[tuple[str, str], int]:
    """Read a number, a phrase that names a side, one with hyphens or without a blank before it.

    Return its meaning and where it starts.
    """
    table, _ = _compiled()
    if found.isdecimal():
        return ("number", ""), start - 1
    if found[0] == "\n" or _PUNCTUATION.get(found[0]) in ("stop", "link"):
        tokens.append(Token(*table[found[0]], start, start))
    phrase = " ".join(found[1:].replace("-", " ").split())
    if phrase in table:
        # "The inner end of the left brow", "winks with the left eye".
        tokens.append(Token("side", "left" if " left " in phrase else "right", start, start + len(found) - 1))
        return table[phrase], start
    return table[f" {phrase}"], start


def expand(pattern: str) -> Iterator[str]:
    """Spell out a phrase with alternatives in parentheses: `lift(s|ed|)` gives lifts, lifted, lift."""
    pieces = [piece.split("|") for piece in re.split(r"[()]", pattern)]
    for choice in itertools.product(*pieces):
        yield " ".join("".join(choice).replace("-", " ").split())


def phrases() -> dict[str, list[tuple[str, str]]]:
    """Map every phrase to its (kind, value); more than one means that two tables claim it."""
    found: dict[str, list[tuple[str, str]]] = {}
    for kind, value, patterns in _rows():
        for pattern in patterns:
            for phrase in expand(pattern):
                meanings = found.setdefault(phrase, [])
                if (kind, value) not in meanings:
                    meanings.append((kind, value))
    for unit in UNITS.values():
        if unit.code in EXPRESSIVE:
            found.setdefault(unit.name.lower(), [("sign", unit.code)])
    return found


def _rows() -> Iterator[tuple[str, str, Iterable[str]]]:
    tables: dict[str, dict[str, tuple[str, ...]]] = {
        "part": PARTS,
        "act": ACTIONS,
        "direction": DIRECTIONS,
        "sign": SIGNS,
        "strength": STRENGTHS,
        "side": SIDES,
        "link": LINKS,
    }
    for kind, table in tables.items():
        for value, patterns in table.items():
            yield kind, value, patterns
    yield "act", "motion", MOTIONS
    yield "still", "", STILL
    yield "no", "", NEGATIONS
    yield "ending", "", ENDINGS
    yield "hedge", "", HEDGES
    yield "if", "", CONDITIONS
    yield "wish", "", WISHES
    yield "custom", "", CUSTOMS
    yield "typical", "", TYPICAL_OF
    yield "stop", "", STOPS
    yield "uneven", "", UNEVEN
    yield "ignored", "", (*IGNORED, *NON_NEGATIONS)


_PUNCTUATION = {
    ".": "end",
    "!": "end",
    "?": "end",
    "\n": "end",
    "\u3002": "end",
    ";": "stop",
    "\u2014": "stop",
    ",": "link",
    ":": "link",
}


@cache
def _compiled() -> tuple[dict[str, tuple[str, str]], re.Pattern[str]]:
    """Compile the tables once, at the first text."""
    found = {phrase: meanings[0] for phrase, meanings in phrases().items()}
    trie: dict[str, Any] = {}
    for phrase in found:
        node = trie
        for letter in phrase:
            node = node.setdefault(letter, {})
        node[""] = {}
    # A stop between digits is a decimal point.
    marks = r"(?<=[;:,\n\u2014])|(?<=[.!?\u3002])(?!\w)"
    # Phrases begin with a blank, as their matches do; without one, those that name a side are read as rare.
    table = {phrase if _names_side(phrase, meaning[0]) else f" {phrase}": meaning for phrase, meaning in found.items()}
    table |= {mark: (kind, mark) for mark, kind in _PUNCTUATION.items()}
    # Each match begins with what is no letter, for that is what `re` can look for fast.
    return table, re.compile(rf"[^a-z](?:(?<!\w){_branch(trie)}(?!\w)|(?<! )(?:{marks}|(?<=\d)\d*))")


def _names_side(phrase: str, kind: str) -> bool:
    return kind in ("part", "sign") and (" left " in phrase or " right " in phrase)


def _branch(node: dict[str, Any]) -> str:
    """Write a node of the trie as an expression that prefers the longer phrase."""
    parts = [_letter(letter) + _branch(child) for letter, child in node.items() if letter]
    if not parts:
        return ""
    joined = parts[0] if len(parts) == 1 and "" not in node else f"(?:{'|'.join(parts)})"
    return f"{joined}?" if "" in node else joined


def _letter(letter: str) -> str:
    return r"[ \-]" if letter == " " else re.escape(letter)
