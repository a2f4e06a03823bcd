"""Labels given: which label a text gives, and which it only denies.

    only_label("happy, sad, angry", "basic7")                      # (None, ("happiness", "sadness", "anger"))
    concluded_label("This is fear, perhaps surprise.", "basic7")   # ("fear", ("fear", "surprise"))
    last_label("It is fear at first. Now it is joy.", "basic7")    # ("happiness", ("fear", "happiness"))

`parse` asks for the only label of an answer, and for what a conclusion settles on; reasoning, which may weigh many, is
read for its last one. Time is linear in the length.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from emollm.answers.denial import denial_after, denies, is_in_last, is_plural
from emollm.answers.words import read_list
from emollm.claims.letters import plain
from emollm.labels import COMPOUND_PARTS, canonical, find_labels

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
_CHOSEN_BEFORE = re.compile(
    r"\b(?:best (?:answer|explanation|fit|label|match|described (?:as|by)|explained by|fits|matches|read as)|"
    r"most (?:closely|consistent with|likely|plausibl[ey]|probabl[ey]))\b|最(?:符合|接近|可能)"
)
_CHOSEN_AFTER = re.compile(
    r"""[\s"'*_)]{0,3}(?:(?:fit|match|suit|explain)(?:s|es)?\s(?:\w+\s){0,3}best"""
    r"|best\s(?:describes|explains|fits|matches)"
    r"|(?:is|remains|seems)\s(?:clearly\s)?(?:the\s)?(?:best|closest|most\s(?:consistent|fitting|likely|plausible|probable)))\b"
    r"|最(?:符合|接近|可能|贴切)",
    re.IGNORECASE,
)
_MAX_WEIGHED = 2
"""Labels between which a conclusion may decide; one that names more of them, as a list of all does, has not."""

_MAX_COMPARED = 3
"""Labels among which one may be called the best."""

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
    listed = read_list(said) if label_set is None else None
    given = _labels(listed.words) if listed is not None else _affirmed(_named(said, label_set))
    return given[0] if len(given) == 1 else None, given


def concluded_label(conclusion: str, label_set: str | None) -> tuple[str | None, tuple[str, ...]]:
    """Return the label on which a conclusion settles, and all it affirms.

    Of two labels, it settles on the one that it does not set aside ("perhaps", "although"), else on the last; of three,
    on the last if it calls that one the best. None where they stand in one list ("fear and surprise"), or there are
    more: it lists, and does not decide. The parts of a compound that it affirms, too, are not counted besides.
    Without a label set, a list is read as one.
    """
    listed = read_list(conclusion, is_sentence=True) if label_set is None else None
    if listed is not None:
        given = _labels(listed.words)
        return given[0] if len(given) == 1 else None, given
    last, labels = last_label(conclusion, label_set)
    parts = frozenset[str]().union(*(COMPOUND_PARTS.get(label, ()) for label in labels))
    weighed = {label for label in labels if label not in parts}
    if len(weighed) > _MAX_WEIGHED:
        is_decided = len(weighed) <= _MAX_COMPARED and _chosen(conclusion, label_set) == {last}
        return last if is_decided else None, labels
    meant = {one.label for one in _named(conclusion, label_set) if not one.is_negated and not one.is_aside} & weighed
    decided = weighed if len(weighed) == 1 else meant
    return next(iter(decided)) if len(decided) == 1 else last, labels


def _chosen(text: str, label_set: str | None) -> set[str]:
    """Return the labels that a text calls the best or the most likely."""
    named = _named(text, label_set)
    starts = [0, *(one.end for one in named)]
    return {
        one.label
        for start, one in zip(starts, named, strict=False)
        if not one.is_negated
        and (is_in_last(_CHOSEN_BEFORE, text[start : one.start], _ASIDE_END) or _CHOSEN_AFTER.match(text, one.end))
    }


def last_label(text: str, label_set: str | None) -> tuple[str | None, tuple[str, ...]]:
    """Return the last label that a text affirms, and all it affirms.

    None where the last one stands in a list of different labels ("fear and surprise").
    """
    given = [one for one in _named(text, label_set) if not one.is_negated]
    if not given:
        return None, ()
    labels = _affirmed(given)
    label: str | None = given[-1].label
    for left, right in zip(reversed(given[:-1]), reversed(given[1:]), strict=True):
        if not _is_glue(text[left.end : right.start], _LIST_GLUE):
            break
        if left.label != label:
            label = None
            break
    return label, labels


def _affirmed(named: Iterable[_Named]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(one.label for one in named if not one.is_negated))


def _named(text: str, label_set: str | None) -> list[_Named]:
    """Return the labels named in a text.

    A negation reaches over the rest of its clause and along a list of labels; one that comes after a label, back along
    a list where it is of several ("fear and anger are absent").
    """
    named: list[_Named] = []
    text, denial = plain(text), ""
    for label, start, end in find_labels(text, label_set):
        before = named[-1] if named else _Named("", 0, 0, False)
        between = text[before.end : start]
        is_listed = not denial and _is_glue(between, _NEGATION_GLUE)
        denial = denial_after(text, end)
        is_negated = (before.is_negated and is_listed) or denies(between) or bool(denial)
        is_aside = (before.is_aside and is_listed) or is_in_last(_ASIDE, between, _ASIDE_END)
        if denial and is_listed:
            _deny_list(named, text, start, is_plural(denial))
        named.append(_Named(label, start, end + len(denial), is_negated, is_aside))
    return named


def _deny_list(named: list[_Named], text: str, start: int, is_of_all: bool) -> None:
    """Negate the labels of the list that ends where a label starts that is denied: of "fear and anger are absent"."""
    for place in range(len(named) - 1, -1, -1):
        between = text[named[place].end : start]
        # One "or" makes a list of all before it: of "fear, anger or disgust is unlikely".
        is_of_all = is_of_all or re.search(r"\bn?or\b|或", between) is not None
        if named[place].is_negated or not is_of_all or not _is_glue(between, _NEGATION_GLUE):
            break
        start = named[place].start
        named[place] = named[place]._replace(is_negated=True)


def _is_glue(between: str, glue: re.Pattern[str]) -> bool:
    """Tell whether a text joins two labels of one list."""
    return len(between) <= _MAX_GLUE and glue.fullmatch(between) is not None


def _labels(words: Iterable[str]) -> tuple[str, ...]:
    """Return words of a list as labels: a known emotion in its canonical word, any other as it is."""
    return tuple(dict.fromkeys(canonical(word) or word for word in words))
