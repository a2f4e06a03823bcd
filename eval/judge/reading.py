"""Reading what a judge answers. Any string goes in; what cannot be read without a guess is None, never 0.

    read_score("分数：7")                                    # 7.0; so do "7/10", "score 1-10: 7", "７分"
    read_verdict('{"because": "…", "clue_1": "matched", "label": "same"}', num_clues=1, has_label=True)

A typed verdict is one JSON object with the words that were asked for; a score may stand in free text, where its range
("1-10") is no score, and two different scores are none.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple, get_args

ClueVerdict = Literal["matched", "contradicted", "missing"]
Relation = Literal["same", "partly", "different", "none"]
Preference = Literal["first", "second", "tie"]

MAX_ANSWER = 20_000
"""Characters; the longest answer that is read."""
MAX_CLUES = 30
"""Clues of one description; ten are asked for."""
MAX_WORDS = 200
"""Characters of a clue, a label, or the words that sum up a description; what is longer is no summary."""

_THOUGHT = re.compile(r"</think(?:ing)?>", re.IGNORECASE)


class Gold(NamedTuple):
    """The gold description, summarised once."""

    clues: tuple[str, ...]
    labels: tuple[str, ...]
    """Empty where the description names no emotion."""


class Verdict(NamedTuple):
    """What a judge says of one explanation."""

    clues: tuple[ClueVerdict, ...]
    """One for each clue of gold."""
    relation: Relation | None
    """None where gold names no emotion."""
    because: str


# --- typed verdicts ---------------------------------------------------------------------------------------------------


def read_object(text: str) -> dict[str, Any] | None:
    """Return the JSON object of an answer. Words around it are passed over; of two objects none is the answer."""
    objects = _objects(_said(text))
    return objects[0] if len(objects) == 1 else None


def read_gold(text: str) -> Gold | None:
    """Return clues and labels of the gold description."""
    found = read_object(text) or {}
    clues, labels = _words(found.get("clues")), _words(found.get("labels"))
    return Gold(clues, labels) if clues and labels is not None and len(clues) <= MAX_CLUES else None


def read_verdict(text: str, num_clues: int, has_label: bool) -> Verdict | None:
    """Return a verdict on every clue, and the relation of the labels where gold has some."""
    found = read_object(text) or {}
    clues = tuple(found.get(f"clue_{number}") for number in range(1, num_clues + 1))
    relation = found.get("label") if has_label else None
    known = all(clue in get_args(ClueVerdict) for clue in clues) and relation in (*get_args(Relation), None)
    if not known or (has_label and relation is None):
        return None
    return Verdict(clues, relation, str(found.get("because", "")))  # type: ignore[arg-type]


def read_preference(text: str) -> Preference | None:
    """Return which of two texts is the better one."""
    better = (read_object(text) or {}).get("better")
    return better if better in get_args(Preference) else None


def read_ratings(text: str, names: Sequence[str], low: float, high: float) -> dict[str, float] | None:
    """Return the numbers under some names; None where one of them is missing or off the scale."""
    found = read_object(text) or {}
    values = [found.get(name) for name in names]
    if not all(isinstance(one, int | float) and not isinstance(one, bool) and low <= one <= high for one in values):
        return None
    return {name: float(value) for name, value in zip(names, values, strict=True)}  # type: ignore[arg-type]


def _said(text: str) -> str:
    """Return an answer without a thought before it, which may try out other answers."""
    return _THOUGHT.split(text[:MAX_ANSWER])[-1]


def _objects(text: str) -> list[dict[str, Any]]:
    """Return the JSON objects in a text; none where one of them is broken, for it may hold parts of others."""
    decoder, place, objects = json.JSONDecoder(strict=False), text.find("{"), []
    while place >= 0:
        try:
            found, end = decoder.raw_decode(text, place)
        except (ValueError, RecursionError):
            return []
        objects.append(found)
        place = text.find("{", end)
    return objects


def _words(value: object) -> tuple[str, ...] | None:
    """Return a list of short texts; None where it is none."""
    if not isinstance(value, list) or not all(isinstance(one, str) and len(one) <= MAX_WORDS for one in value):
        return None
    return tuple(dict.fromkeys(one.strip() for one in value if one.strip()))


# --- scores in free text ----------------------------------------------------------------------------------------------

LOW, HIGH = 1.0, 10.0

_NUMERAL = {**{word: number for number, word in enumerate("一二三四五六七八九十", start=1)}, "两": 2}
_NUMBER = r"(-?\d+(?:\.\d+)?|[一二两三四五六七八九十](?![一二三四五六七八九十]))"
_LABEL = r"(?:分数|得分|评分|打分|重[合叠]程?度|score|rating)"
_RANGE = re.compile(
    r"(?<![\d.])[01]\s*(?:[-–—~～]|至|到|to)\s*10(?:\s*分)?(?!\.?\d)|满分(?:为|是)?\s*10\s*分?|max(?:imum)?\s*10\b",
    re.IGNORECASE,
)
_FORMS = (
    re.compile(rf"{_LABEL}[\s\"'*:()=]*(?:(?:is|of|as|为|是|给)[\s\"'*:]*)?{_NUMBER}", re.IGNORECASE),
    re.compile(r"(-?\d+(?:\.\d+)?)\s*(?:/|out\s+of)\s*10(?!\.?\d)", re.IGNORECASE),
    re.compile(rf"{_NUMBER}\s*分(?![之钟析别歧离明])"),
    re.compile(r"\A[\s\"'*]*(-?\d+(?:\.\d+)?)(?=[\s\"'*]*(?:\Z|\n|[,;。!—]|\.?\s*\Z))"),
)
"""In this order: a named score, a score of ten, points, and a number that the answer begins with."""
_KEYS = ("score", "分数", "得分", "评分", "rating")


def read_score(text: str) -> float | None:
    """Return the score from 1 to 10 that an answer gives; None where it gives none, several, or one off the scale."""
    said = unicodedata.normalize("NFKC", _said(text))
    values = [value for value in map(_of_object, _objects(said)) if value is not None]
    if not values:
        values = _in_words(_RANGE.sub(" ", said))
    if not values or any(value != values[0] for value in values):
        return None
    return values[0] if LOW <= values[0] <= HIGH else None


def _of_object(found: dict[str, Any]) -> float | None:
    value = next((one for key, one in found.items() if key.strip().lower() in _KEYS), None)
    if isinstance(value, str):
        inner = _in_words(_RANGE.sub(" ", unicodedata.normalize("NFKC", value)))
        return inner[0] if inner else None
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _in_words(text: str) -> list[float]:
    """Return the numbers of the first form in which a text gives any."""
    for form in _FORMS:
        if found := form.findall(text):
            return [float(_NUMERAL.get(one, one)) for one in found]
    return []


def read_words(text: str) -> str | None:
    """Return the words that sum up a description: a line or a few, no essay."""
    words = " ".join(_said(text).split()).strip(" .。\"'“”")
    return words if words and len(words) <= MAX_WORDS else None
