"""Open labels as they are written: a list in brackets, a list with commas, or the emotion words of prose.

    label_words(parse("[happy, deeply moved]")).words        # ("happy", "deeply moved")
    label_words(parse("She seems happy, not sad.")).words    # ("happiness",)

Scores of open labels look words up as they stand; `Answer.labels` are the canonical ones of the same words.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from emollm.answers.denial import NEGATION
from emollm.claims.letters import plain
from emollm.labels import canonical, find_labels

if TYPE_CHECKING:
    from emollm.answers.parser import Answer

_MAX_BEFORE = 200
"""Characters of the words that may announce a list."""

_LIST = re.compile(r"[\[\uff3b\u3010](?P<inside>[^\[\]\uff3b\uff3d\u3010\u3011]*)(?:[\]\uff3d\u3011]|$)")
_BETWEEN_LISTS = re.compile(r"[\s,;\uff0c\u3001\uff1b]*(?:and|和)?\s*")
_NAME = (
    r"(?:emotion|feeling|expression|label|mood|answer|情绪|情感|表情|标签|答案)s?(?:\s(?:are|is|include))?"
    r"[*_]{0,2}\s?[:\uff1a][*_]{0,2}"
)
_NAMED = re.compile(_NAME, re.IGNORECASE)
_NAMED_LIST = re.compile(_NAME + r"\s{0,9}(?=[\[\uff3b\u3010])", re.IGNORECASE)
_BRACKET = re.compile(r"[\[\uff3b\u3010]")
_QUOTES = re.compile(r"(?<!\w)['\"“”‘’]|['\"“”‘’](?!\w)")
_ITEM_END = re.compile(r"[,;/|\n\u3001\uff0c\uff1b](?!(?<=\b[nN]/)[aA]\b)")
"""The slash of "n/a" parts nothing."""

_AND = re.compile(r" and |&|\+|和|与")
_ITEM_START = re.compile(r"^(?:\(?\d{1,2}[.)]\s|(?:and|or)\s)")
_SCORE = re.compile(r"[\s:=(\uff1a]{1,3}\d{0,9}\.?\d{1,9}\s?%?\)?$")
"""How sure a model says to be of an item."""
_NUMBERS = re.compile(r"[\d\s.,:%+\-]*")
_EDGES = " \t\r\n.!\u3002\uff01*\"'“”‘’`[](){}-–•·"
_LONG = re.compile(r"(?:\S+\s+){3}\S|(?:[^\u4e00-\u9fff]*[\u4e00-\u9fff]){7}")
"""Too long for a label that no bracket marks as one: more than three words, or six Chinese characters."""

_OBJECT = re.compile(r"""\{\s{0,99}["']""")
_KEY = r"(?:emotion|expression|feeling|mood|label|answer|prediction|class|category|情绪|情感|表情|标签|答案)s?"
_VALUE = re.compile(
    rf"""["'] (?: (?P<besides>other|second|secondary|additional|alternative|possible)[_ ]
              | (?:predicted|primary|main|dominant|final|facial|overall|top|emotion)[_ ] )?
    {_KEY} (?:_labels?|_class|_words?)? ["'] \s{{0,9}} [:\uff1a] \s{{0,9}}
    (?P<value> \[[^\[\]{{}}]*(?:\]|$) | "[^"]*" | '[^']*' )""",
    re.IGNORECASE | re.VERBOSE,
)


class LabelWords(NamedTuple):
    """The labels of an answer as they are written, in lower case, each once."""

    words: tuple[str, ...]
    is_list: bool
    """The answer is a list, which may be empty or cut off; else `words` are the emotion words of prose."""
    published: tuple[str, ...]
    """What the published scripts make of the same list: brackets, quotes and commas are all that separates there."""


def label_words(answer: Answer) -> LabelWords:
    """Return the labels of an answer as they are written; of prose, the known emotion words that it does not deny."""
    is_sentence = answer.style == "sections"
    said = (answer.conclusion if is_sentence else answer.answer) or ""
    return read_list(unpacked(said), is_sentence) or LabelWords(answer.labels, False, answer.labels)


def read_list(text: str, is_sentence: bool = False) -> LabelWords | None:
    """Return the labels of a text that is a list, or that ends in one after words and a colon; None for prose.

    What stands behind the brackets of a list is not part of it. Without brackets, every item must look like a label,
    and a text that should be a sentence (`is_sentence`) must name the list ("Emotions: …").
    """
    inside = _in_brackets(text)
    if inside is not None:
        parts = (part for quoted in _QUOTES.split(inside) for part in _parts(quoted))
        words = _apart(word for part in parts if (word := _SCORE.sub("", part).strip(_EDGES)))
        return LabelWords(_distinct(words), True, _distinct(split_labels(inside)))
    name = _NAMED.search(text)
    is_named = name is not None and not _has_emotion(text[: name.start()])
    if is_sentence and not is_named:
        return None
    listed = [_without_name(item) for item in _parts(text[name.end() :] if name and is_named else text)]
    if not listed or not all(one_label(item, None) for item in listed):
        return None
    return LabelWords(_distinct(_apart(listed)), True, _distinct(listed))


def split_labels(text: str) -> list[str]:
    """Return the labels of a list written as text, in lower case: `[happy, calm]`, `["happy"], ['calm']`, `happy`.

    The separators are those of the published scripts (brackets, quotes, commas) and their Chinese forms.
    """
    parts = re.split(r"[\[\]'\",\uff0c\u3001\uff3b\uff3d\u3010\u3011“”‘’]", text)
    return [label for part in parts if (label := part.strip().lower())]


def items(text: str) -> list[str]:
    """Split a list of labels at its commas, semicolons, slashes, line ends and, between known emotions, at its "and".

    Numbers and bullets before them are left out; a text that is one known label ("fear and surprise") is not split.
    """
    parts = _parts(text)
    return parts if len(parts) == 1 and canonical(parts[0]) is not None else list(_apart(parts))


def one_label(item: str, label_set: str | None) -> str | None:
    """Return the label an item of a list is; without a label set, any short item is one."""
    known = canonical(item, label_set)
    if known is not None or label_set is not None:
        return known
    if _LONG.match(item) or re.search(r"[<>:.?!/]", item) or NEGATION.search(item.lower()):
        return None
    return item.lower()


def unpacked(text: str, label_set: str | None = None) -> str:
    """Return a text in which a JSON object is only what it answers: `{"label": "fear", "confidence": 0.8}` is "fear".

    An answer is what stands under `label`, `emotions` and the like. In a label set, an object that names one emotion
    and others besides (`other_emotions`) answers the one, and the text around it counts as well; without a label set
    it is the list that was asked for. Time is linear in the length.
    """
    values = list(_VALUE.finditer(text))
    opening = _OBJECT.search(text)
    if not values or opening is None or opening.start() > values[0].start():
        return text
    if label_set is None:
        return ", ".join(value["value"] for value in values)
    meant = [value for value in values if not value["besides"]] or values
    end = max(text.rfind("}") + 1, values[-1].end())
    rest = text[end:] if "}" in text else ""
    return "\n".join([text[: opening.start()], *(value["value"] for value in meant), rest])


def _in_brackets(text: str) -> str | None:
    """Return what stands in the brackets of a list, joined by commas where there are several; None without one."""
    bracket = _BRACKET.search(text)
    if bracket is None:
        return None
    before = text[: bracket.start()].rstrip(" \t\r\n*_`'\"({")
    named = _NAMED_LIST.search(text)
    is_announced = len(before) <= _MAX_BEFORE and before.endswith((":", "\uff1a"))
    if named is None and before and not is_announced:
        return None
    found: list[str] = []
    end = bracket.start() if named is None else named.end()
    for one in _LIST.finditer(text, end):
        if found and not _BETWEEN_LISTS.fullmatch(text, end, one.start()):
            break
        found.append(one["inside"])
        end = one.end()
    inside = ",".join(found)
    is_empty = not inside.strip(_EDGES + ",")
    return inside if found and (is_empty or not _NUMBERS.fullmatch(inside)) else None


def _without_name(item: str) -> str:
    """Return an item without the name of a list before it ("Other emotions: longing")."""
    name = _NAMED.search(item)
    return item if name is None or _has_emotion(item[: name.start()]) else item[name.end() :].strip(_EDGES)


def _has_emotion(text: str) -> bool:
    return any(label != "other" for label, _, _ in find_labels(text, None))


def _parts(text: str) -> list[str]:
    parts = (_ITEM_START.sub("", part.strip()) for part in _ITEM_END.split(plain(text)))
    return [item for part in parts if (item := part.strip(_EDGES))]


def _apart(listed: Iterable[str]) -> Iterator[str]:
    """Yield the items of a list, one that joins known emotions ("sad and angry") as each of them."""
    for item in listed:
        words = _AND.split(item)
        if len(words) > 1 and all(map(canonical, words)):
            yield from (word.strip(_EDGES) for word in words)
        else:
            yield item


def _distinct(words: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(word.lower() for word in words))
