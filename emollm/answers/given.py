"""Labels given: which label a text gives, and which it only denies.

    last_label("Rather than anger, this is sadness.", "basic7")    # ("sadness", ("sadness",))
    only_label("happy, sad, angry", "basic7")                      # (None, ("happiness", "sadness", "anger"))
    is_denied("no sign of relief", 11)                             # True

`parse` calls these on the answer or the conclusion of a completion. Time is linear in the length.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from emollm.labels import canonical, find_labels

_NEGATION = re.compile(
    r"\b(?:not|no|never|neither|nor|cannot|without|than|instead of|unlike|as opposed to|lacks?|lacking|free of|"
    r"rul(?:e|es|ed|ing) out|exclud(?:e|es|ed|ing)|absen(?:ce of|t)|differs? from|compared (?:to|with))\b"
    r"|n['’]t\b|不是|没有|而非|并非|不"
)
_SCOPE_END = re.compile(
    r"[.;:!?\n,\u3002\uff0c\uff1a\uff1b\uff01\uff1f]|而是|但"
    r"|\b(?:but|however|rather(?! than)|instead(?! of)|although|while)\b"
)
_JOINED = r"(?:and|or|nor|和|或|与)?\s*(?:of |an? |the )?"
_LIST_GLUE = re.compile(rf"[\s,;/|&+\u3001\uff0c\uff1b*\"'\-()]*(?:\d{{1,2}}[.)])?[\s*\"']*{_JOINED}")
_NEGATION_GLUE = re.compile(rf"\s?[,/\u3001\uff0c]?\s?{_JOINED}")
_ITEM_END = re.compile(r"[,;/|\n\u3001\uff0c\uff1b]")
_MAX_CLAUSE = 100
"""Characters before a word in which a denial of it is looked for."""

_MAX_GLUE = 40
"""Characters; what joins two labels of a list is short, and the bound keeps the time linear."""


class _Named(NamedTuple):
    """A label named in an answer, and whether the answer says that it is not the one."""

    label: str
    start: int
    end: int
    is_negated: bool


def only_label(said: str, label_set: str | None) -> tuple[str | None, tuple[str, ...]]:
    """Return the label if the text gives exactly one, and all labels it gives."""
    given = list(dict.fromkeys(named.label for named in _named(said, label_set) if not named.is_negated))
    if label_set is None:
        listed = [one_label(item, None) for item in items(said)]
        given = list(dict.fromkeys(label for label in listed if label)) if None not in listed else given
    return given[0] if len(given) == 1 else None, tuple(given)


def last_label(conclusion: str, label_set: str | None) -> tuple[str | None, tuple[str, ...]]:
    """Return the last label a conclusion affirms, and all it affirms.

    Where the last one stands in a list of different labels ("fear and surprise"), the conclusion gives no single label.
    """
    named = list(_named(conclusion, label_set))
    given = [one for one in named if not one.is_negated]
    if not given:
        return None, ()
    labels = tuple(dict.fromkeys(one.label for one in given))
    label: str | None = given[-1].label
    for left, right in zip(reversed(given[:-1]), reversed(given[1:]), strict=True):
        if not _is_glue(conclusion[left.end : right.start], _LIST_GLUE):
            break
        if left.label != label:
            label = None
            break
    return label, labels


def _named(text: str, label_set: str | None) -> Iterator[_Named]:
    """Yield the labels named in a text. A negation reaches over the rest of its clause and along a list of labels."""
    end_before = 0
    was_negated = False
    for label, start, end in find_labels(text, label_set):
        between = text[end_before:start]
        is_negated = was_negated and _is_glue(between, _NEGATION_GLUE)
        if not is_negated:
            clause = _SCOPE_END.split(between.lower())[-1]
            is_negated = _NEGATION.search(clause) is not None
        yield _Named(label, start, end, is_negated)
        end_before, was_negated = end, is_negated


def is_denied(text: str, start: int) -> bool:
    """Tell whether the clause before a place denies what stands there."""
    clause = _SCOPE_END.split(text[max(0, start - _MAX_CLAUSE) : start].lower())[-1]
    return _NEGATION.search(clause) is not None


def _is_glue(between: str, glue: re.Pattern[str]) -> bool:
    """Tell whether a text joins two labels of one list."""
    return len(between) <= _MAX_GLUE and glue.fullmatch(between) is not None


def items(text: str) -> list[str]:
    """Split a list of labels at its commas, slashes and line ends."""
    return [item for part in _ITEM_END.split(text) if (item := part.strip(" \t\r.!\u3002\uff01*\"'`[](){}-"))]


def one_label(item: str, label_set: str | None) -> str | None:
    """Return the label an item of a list is; without a label set, any item of at most three words is one."""
    known = canonical(item, label_set)
    if known is not None or label_set is not None:
        return known
    if len(item.split(maxsplit=3)) > 3 or re.search(r"[<>:.?!]", item) or _NEGATION.search(item.lower()):
        return None
    return item.lower()
