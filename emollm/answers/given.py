"""Labels given: which label a text gives, and which it only denies.

    only_label("happy, sad, angry", "basic7")                      # (None, ("happiness", "sadness", "anger"))
    concluded_label("This is fear, perhaps surprise.", "basic7")   # ("fear", ("fear", "surprise"))
    last_label("It is fear at first. Now it is joy.", "basic7")    # ("happiness", ("fear", "happiness"))
    is_denied("no sign of relief", 11)                             # True

`parse` asks for the only label of an answer, and for what a conclusion settles on; reasoning, which may weigh many, is
read for its last one. Time is linear in the length.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from emollm.labels import COMPOUND_PARTS, canonical, find_labels

_NEGATION = re.compile(
    r"\b(?:not|no|never|neither|nor|cannot|without|than|instead of|unlike|as opposed to|lacks?|lacking|free of|"
    r"rul(?:e|es|ed|ing) out|exclud(?:e|es|ed|ing)|absen(?:ce of|t)|differs? from|compared (?:to|with))\b"
    r"|n['’]t\b|不是|没有|而非|并非|不"
)
_SCOPE_END = re.compile(
    r"[.;:!?\n,\u3002\uff0c\uff1a\uff1b\uff01\uff1f]|而是|但"
    r"|\b(?:but|however|rather(?! than)|instead(?! of)|although|while)\b"
)
_ASIDE = re.compile(
    r"\b(?:may|might|could|possibl[ey]|perhaps|maybe|at first|initially|slight(?:ly)?|somewhat|a little|"
    r"although|though|while|whereas|despite|(?:hints?|traces?|touch|notes?|elements?) of|(?:close|similar) to|"
    r"resembles?|(?:mistaken|confused) (?:for|with))\b|可能|也许|或许|虽然|尽管|略带|略显|稍带|一丝"
)
_ASIDE_END = re.compile(
    r"[.;:!?\n,\u3002\uff0c\uff1a\uff1b\uff01\uff1f]|而是|但|\b(?:but|however|rather|instead|yet)\b"
)
_JOINED = r"(?:and|or|nor|和|或|与)?\s*(?:of |an? |the )?"
_LIST_GLUE = re.compile(rf"[\s,;/|&+\u3001\uff0c\uff1b*\"'\-()]*(?:\d{{1,2}}[.)])?[\s*\"']*{_JOINED}")
_NEGATION_GLUE = re.compile(rf"\s?[,/\u3001\uff0c]?\s?{_JOINED}")
_ITEM_END = re.compile(r"[,;/|\n\u3001\uff0c\uff1b]")
_MAX_CLAUSE = 100
"""Characters before a word in which a denial of it is looked for."""

_MAX_WEIGHED = 2
"""Labels between which a conclusion may decide; one that names more of them, as a list of all does, has not."""

_MAX_GLUE = 40
"""Characters; what joins two labels of a list is short, and the bound keeps the time linear."""


class _Named(NamedTuple):
    """A label named in an answer."""

    label: str
    start: int
    end: int
    is_negated: bool
    """The answer says that it is not the one."""
    is_aside: bool = False
    """The answer only grants it, or holds it for possible or slight."""


def only_label(said: str, label_set: str | None) -> tuple[str | None, tuple[str, ...]]:
    """Return the label if the text gives exactly one, and all labels it gives."""
    given = list(dict.fromkeys(named.label for named in _named(said, label_set) if not named.is_negated))
    if label_set is None:
        listed = [one_label(item, None) for item in items(said)]
        given = list(dict.fromkeys(label for label in listed if label)) if None not in listed else given
    return given[0] if len(given) == 1 else None, tuple(given)


def concluded_label(conclusion: str, label_set: str | None) -> tuple[str | None, tuple[str, ...]]:
    """Return the label on which a conclusion settles, and all it affirms.

    Of two labels, it settles on the one that it does not set aside ("perhaps", "although"), else on the last. None
    where they stand in one list ("fear and surprise"), or there are more: it lists, and does not decide. The parts of
    a compound that it affirms, too, are not counted besides.
    """
    last, labels = last_label(conclusion, label_set)
    parts = frozenset[str]().union(*(COMPOUND_PARTS.get(label, ()) for label in labels))
    weighed = {label for label in labels if label not in parts}
    if len(weighed) > _MAX_WEIGHED:
        return None, labels
    meant = {one.label for one in _named(conclusion, label_set) if not one.is_negated and not one.is_aside} & weighed
    decided = weighed if len(weighed) == 1 else meant
    return next(iter(decided)) if len(decided) == 1 else last, labels


def last_label(text: str, label_set: str | None) -> tuple[str | None, tuple[str, ...]]:
    """Return the last label that a text affirms, and all it affirms.

    None where the last one stands in a list of different labels ("fear and surprise").
    """
    named = list(_named(text, label_set))
    given = [one for one in named if not one.is_negated]
    if not given:
        return None, ()
    labels = tuple(dict.fromkeys(one.label for one in given))
    label: str | None = given[-1].label
    for left, right in zip(reversed(given[:-1]), reversed(given[1:]), strict=True):
        if not _is_glue(text[left.end : right.start], _LIST_GLUE):
            break
        if left.label != label:
            label = None
            break
    return label, labels


def _named(text: str, label_set: str | None) -> Iterator[_Named]:
    """Yield the labels named in a text. A negation reaches over the rest of its clause and along a list of labels."""
    before = _Named("", 0, 0, False)
    for label, start, end in find_labels(text, label_set):
        between = text[before.end : start]
        is_listed = _is_glue(between, _NEGATION_GLUE)
        is_negated = (before.is_negated and is_listed) or _is_in_last(_NEGATION, between, _SCOPE_END)
        is_aside = (before.is_aside and is_listed) or _is_in_last(_ASIDE, between, _ASIDE_END)
        before = _Named(label, start, end, is_negated, is_aside)
        yield before


def _is_in_last(words: re.Pattern[str], between: str, end: re.Pattern[str]) -> bool:
    """Tell whether words stand in the last clause of what lies between two labels."""
    return words.search(end.split(between.lower())[-1]) is not None


def is_denied(text: str, start: int) -> bool:
    """Tell whether the clause before a place denies what stands there."""
    return _is_in_last(_NEGATION, text[max(0, start - _MAX_CLAUSE) : start], _SCOPE_END)


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
