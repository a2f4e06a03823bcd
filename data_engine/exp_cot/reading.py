"""Reading what a teacher answers: JSON, JSON in fences, headed sections, tags or plain sentences.

    read_observations('```json\\n{"observations": "The brows are lowered."}\\n```')    # "The brows are lowered."
    read_labels('{"label": "Angry"}', "basic7")                                        # ("anger",)

Any string goes in. What was asked for comes out, or AnswerError says why it is not there; nothing else is raised. What
these functions let through is checked by `verify`: they only find it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from data_engine.exp_cot.writer import AnswerError
from emollm.answers import Answer, parse
from emollm.claims import Claim
from emollm.claims.times import Time
from emollm.facs import EXPRESSIVE, LETTERS, read_code
from emollm.labels import canonical

MAX_ANSWER = 20_000
"""Characters; the longest answer that is read. What was asked for has a tenth of that."""
MAX_LABELS = 5
"""Words of an open vocabulary that are read from one answer, the first ones."""
MAX_LABEL = 40
"""Characters of a word of the open vocabulary; what is longer is a sentence."""
MAX_SECONDS = 100_000
"""No clip is longer."""
NONE = ("none", "unclear", "no label", "无", "不确定")
"""Answers that say that no label fits."""

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")
_FENCE = re.compile(r"^\s{0,8}```\w{0,16}[ \t]*\n(.*?)\n?\s{0,8}```\s*$", re.DOTALL)
_BEGUN = re.compile(r'\{\s{0,8}"[^"]{1,40}"\s{0,8}:')
"""Where a JSON object begins."""
_BULLET = re.compile(r"(?m)^[ \t]{0,8}(?:[-*•]|\d{1,2}[.)]|#{1,6})[ \t]+")
_EMPHASIS = re.compile(r"\*\*|__|`")


def read_observations(text: str) -> str:
    """Return the observations of an answer, as one paragraph of plain sentences."""
    found = read_object(text)
    if found is not None:
        return _part(found, "observations", text)
    answer = _read_answer(text)
    is_plain = answer.style in (None, "label", "labels")
    return _plain(answer.observations or answer.think or (text if is_plain else ""), text)


def read_ending(text: str) -> tuple[str, str]:
    """Return interpretation and conclusion."""
    found = read_object(text)
    if found is not None:
        return _part(found, "interpretation", text), _part(found, "conclusion", text)
    answer = _read_answer(text)
    if answer.interpretation is None or answer.conclusion is None:
        raise AnswerError("form: there is no interpretation, or no conclusion", text)
    return _plain(answer.interpretation, text), _plain(answer.conclusion, text)


def read_labels(text: str, label_set: str) -> tuple[str, ...]:
    """Return the labels of an answer: at most one of a closed set, up to MAX_LABELS words of the open vocabulary.

    Empty where the answer says that none fits.
    """
    said: list[str] = []
    found = read_object(text)
    if found is not None:
        given = next((found[key] for key in found if key in ("label", "labels", "emotion", "emotions")), None)
        said = [one for one in (given if isinstance(given, list) else [given]) if isinstance(one, str)]
    else:
        answer = _read_answer(text, label_set)
        said = [answer.label] if answer.label else list(answer.labels)
        said = said or [_one_line(answer.answer or answer.conclusion or "")]
    said = [clean(one).strip(" .。'\"") for one in said]
    if said and all(one.lower() in NONE for one in said):
        return ()
    labels = [canonical(one, label_set) for one in said if len(one) <= MAX_LABEL and not _is_odd(one)]
    named = tuple(dict.fromkeys(label for label in labels if label))
    if not named or (label_set != "open" and len(named) > 1):
        raise AnswerError(f"unreadable: '{_one_line(text)[:80]}' gives no one label", text)
    return named[:MAX_LABELS]


def _is_odd(word: str) -> bool:
    """Tell whether a word holds more than letters: free words stand in sentences and prompts."""
    return re.search(r"[^\w\s'’/-]|[\d_\n]", word) is not None


def read_told(text: str) -> tuple[Claim, ...]:
    """Return the claims that are stated beside a text: AU, presence, side, strength and, in a clip, when it peaks."""
    found = read_object(text)
    rows = (found or {}).get("claims")
    if not isinstance(rows, list) or len(rows) > len(EXPRESSIVE):
        raise AnswerError("claims: there is no list of claims beside the text", text)
    return tuple(_claim(row, text) for row in rows)


def _claim(row: object, text: str) -> Claim:
    code = read_code(str(row.get("au"))) if isinstance(row, dict) else None
    if not isinstance(row, dict) or code is None or code.au not in EXPRESSIVE:
        raise AnswerError(f"claims: '{_one_line(str(row))[:60]}' is no claim", text)
    present, side, strength, apex_s = (row.get(name) for name in ("present", "side", "strength", "apex_s"))
    letters = str(strength).strip().upper() if strength else code.letter
    is_there = present not in (False, "false", "no")
    seconds = [float(apex_s)] if isinstance(apex_s, int | float) and 0 <= apex_s < MAX_SECONDS else []
    return Claim(
        aus=(code.au,),
        present=is_there,
        side=side if side in ("left", "right") else code.side,
        letters=letters if letters in tuple(LETTERS) and is_there else "",
        times=tuple(Time("apex", one) for one in seconds if is_there),
    )


def read_object(text: str) -> dict[str, Any] | None:
    """Return the JSON object in an answer, its keys in small letters; None where there is none, not even a part."""
    text = _checked(text)
    said = text.rpartition("</think>")[2]  # a thought may try out other answers
    fenced = _FENCE.match(said)
    said = fenced[1] if fenced else said
    value = _last_object(said)
    if value is not None:
        return {key.strip().lower(): one for key, one in value.items()}
    if _BEGUN.search(said):
        raise AnswerError("form: the JSON breaks off or is not valid", text)
    return None


def _last_object(text: str) -> dict[str, Any] | None:
    """Return the last of the JSON objects that stand in a row; one that breaks off ends the row."""
    decoder, found, place = json.JSONDecoder(strict=False), None, text.find("{")
    while place >= 0:
        try:
            found, end = decoder.raw_decode(text, place)
        except (ValueError, RecursionError):
            break
        place = text.find("{", end)
    return found


def _part(found: Mapping[str, Any], name: str, text: str) -> str:
    """Return one part of an object, whatever stands before its name ("key observations"); lists are joined."""
    value = next((found[key] for key in found if key.endswith(name)), None)
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        value = " ".join(value)
    if not isinstance(value, str):
        raise AnswerError(f"form: the answer has no '{name}'", text)
    return _plain(value, text)


def _read_answer(text: str, label_set: str | None = None) -> Answer:
    return parse(_checked(text), label_set)


def _checked(text: str) -> str:
    """Refuse what is empty or too long to be read."""
    if len(text) > MAX_ANSWER:
        raise AnswerError(f"length: an answer of {len(text):,} characters is not read", text)
    text = clean(text)
    if not text.strip():
        raise AnswerError("empty: the answer says nothing", text)
    return text


def clean(text: str) -> str:
    """Return a text without control characters, invisible marks and halves of characters, which no file may hold."""
    return _CONTROL.sub("", text.encode("utf-8", "ignore").decode())


def _plain(part: str, text: str) -> str:
    """Return a part as one paragraph, without bullets and emphasis."""
    plain = _one_line(_EMPHASIS.sub("", _BULLET.sub("", clean(part))))
    if not plain:
        raise AnswerError("empty: a part of the answer says nothing", text)
    return plain


def _one_line(text: str) -> str:
    return " ".join(clean(text).split())


def quote(text: str, most: int = 2000) -> str:
    """Return what others wrote such that it stays what it is: quoted material in a prompt, and no part of it.

    One line, without the angle brackets, braces and fences that mark a prompt's parts; what is longer is cut.
    """
    line = _one_line(text[: 4 * most]).translate(_HARMLESS).replace("```", "'''").replace("---", "\u2014")
    return line if len(line) <= most else f"{line[:most]} …"


_HARMLESS = str.maketrans({"<": "‹", ">": "›", "{": "(", "}": ")", "[": "(", "]": ")", "|": "/"})


def read_whole(text: str) -> tuple[Answer, Sequence[str]]:
    """Return an answer that has all parts, and the parts; the form a fine-tuned model writes."""
    answer = _read_answer(text)
    parts = [answer.observations, answer.interpretation, answer.conclusion]
    if None in parts:
        raise AnswerError("form: the answer has not the three parts of an explanation", text)
    return answer, [_plain(part or "", text) for part in parts]
