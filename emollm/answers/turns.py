r"""Turns: what of a completion is the model's own answer, and what another turn of a chat.

    own_turn("happy\n\nUser: And now?\nAssistant: sad", …)     # "happy": the model invented the rest
    own_turn("user\nWhich one?\nassistant\nsad", …)            # "sad": the question stands before the answer
    own_turn("The brows are low.\nAnswer: anger", …)           # all of it: there is no question

A model that does not stop writes the next question itself, and answers it.
"""

from __future__ import annotations

import re
from bisect import bisect
from collections.abc import Callable, Sequence
from typing import NamedTuple

_PAIRS = (("question", "answer"), ("q", "a"), ("instruction", "response"), ("问题?", "回?答"))
"""Words that are roles only as a pair: by itself, "Answer: happy" is a line of an answer."""

_ROLES = "|".join(
    (
        r"(?P<asks>user|human|inst|用户)|(?P<answers>assistant|ai|bot|/inst|model(?=\r?\n)|助手)",
        r"(?P<asks_system>system|系统)",
        *(f"(?P<asks_{n}>{asks})|(?P<answers_{n}>{answers})" for n, (asks, answers) in enumerate(_PAIRS)),
    )
)
_MARK = re.compile(
    rf"""
      (?: ^ [ \t]{{0,4}} (?:\#{{1,4}}[ ]|\*{{1,2}})?
        | \#\#\#[ ] | \[(?=/?inst\]) | <start_of_turn> | <[|\uff5c](?:(?:im_start|start_header_id)\|>)?
        | (?<!\w)(?-i:(?=(?:USER|HUMAN|ASSISTANT):))
        | (?<=[.!?>"]\ )(?-i:(?=(?:(?:User|Human):(?s:.{{0,400}}?)\b)?Assistant:)) )
      (?: {_ROLES} )
      (?: \] | [|\uff5c]>:? | <\|end_header_id\|> | \*{{0,2}}[ \t]{{0,3}} (?: [:\uff1a]\*{{0,2}} | (?=\r?$) ) )
    | (?P<ends> </s> | <eo[as]> | <end_of_turn> | <(?:image|video)>
      | <[|\uff5c] (?: im_(?:start|end) | start_header_id | eot_id | end(?:oftext|▁of▁sentence)?
                     | begin(?:_of_text|▁of▁sentence) ) [|\uff5c]> )
    """,
    re.IGNORECASE | re.VERBOSE | re.MULTILINE,
)
_SIGNS = (
    *("user", "human", "assistant", "system", "question", "instruction", "用户", "助手", "系统", "问", "inst]"),
    *("<|", "<\uff5c", "_of_turn>", "</s>", "<eo", "<image>", "<video>"),
)
_SHORT = re.compile(r"^[ \t#*]{0,7}(?:ai|bot|q)\b", re.IGNORECASE | re.MULTILINE)
"""A text without this or any of the signs, as nearly all are, has no mark."""

_PREAMBLE = "A chat between a curious"
"""How the system prompt of Vicuna and its descendants begins, which has no role before it."""


class _Mark(NamedTuple):
    """A place where a chat template or a model begins or ends a turn."""

    kind: str
    """`asks`, `answers` or `ends`."""
    word: str
    """Which word of `_PAIRS`, or `system`, where it is one that also begins a line of an answer; else empty."""
    start: int
    end: int


class OwnTurn(NamedTuple):
    """What a model answers, and whether that is all it wrote."""

    start: int
    end: int
    """Characters of the completion, without the blanks around them."""
    is_all: bool
    """Nothing else stands in the completion but marks of a chat template."""


def own_turn(text: str, tags: Sequence[re.Match[str]], is_answer: Callable[[str], bool]) -> OwnTurn:
    """Return the first turn of a completion that answers.

    A question before it is one that begins with its role ("user"), or one after which the assistant's turn begins
    and that is itself no answer (`is_answer`). What comes after the answer is the model's own invention. "Question:",
    "System:" and the like begin a turn where they are answered, or where they follow an answer; "Answer:" and the like
    only answer such a question. A mark inside an element of `tags` is part of what is thought there. Time is linear in
    the length.
    """
    marks = _marks(text, tags)
    last = {mark.word: number for number, mark in enumerate(marks) if mark.kind == "answers"}
    start = since = 0
    asked: str | None = None
    """The word of the question that is being asked."""
    for number, mark in enumerate(marks):
        if asked is not None:
            if mark.kind == "answers" and mark.word in ("", asked):
                start, since, asked = mark.end, mark.end, None
            continue
        if mark.kind == "answers" and mark.word:
            continue
        before = text[since : mark.start]
        is_answered = mark.kind == "asks" and number < max(last.get("", -1), last.get(mark.word, -1))
        begins = mark.kind == "answers" or (mark.kind == "ends" and _is_next(text, marks, number, "answers"))
        if since == start and _is_lead(before, mark):
            asked = mark.word if is_answered else None
        elif (is_answered if mark.word else not begins) or is_answer(before):
            return _turn(text, marks, start, mark.start)
        since = mark.end
        if asked is not None or not mark.word:
            start = mark.end
    return _turn(text, marks, start, len(text))


def _marks(text: str, tags: Sequence[re.Match[str]]) -> list[_Mark]:
    """Return all marks outside of elements; inside one, the next tag closes it."""
    lowered = text.lower()
    if not any(sign in lowered for sign in _SIGNS) and not _SHORT.search(text):
        return []
    marks = []
    starts = [tag.start() for tag in tags]
    for found in _MARK.finditer(text):
        place = bisect(starts, found.start())
        if place == len(tags) or not tags[place]["slash"]:
            kind, _, word = (found.lastgroup or "").partition("_")
            marks.append(_Mark(kind, word, found.start(), found.end()))
    return marks


def _is_lead(before: str, mark: _Mark) -> bool:
    """Tell whether what stands before a mark is nothing, or only leads up to it: "The question is:"."""
    before = before.strip()
    return not before or before.startswith(_PREAMBLE) or (bool(mark.word) and before.endswith((":", "\uff1a")))


def _is_next(text: str, marks: Sequence[_Mark], number: int, kind: str) -> bool:
    """Tell whether a mark of a kind follows with nothing in between."""
    if number + 1 == len(marks):
        return False
    mark, after = marks[number : number + 2]
    return after.kind == kind and not text[mark.end : after.start].strip()


def _turn(text: str, marks: Sequence[_Mark], start: int, end: int) -> OwnTurn:
    """Return what stands from start to end as a turn, and whether all else are marks."""
    edges = [0, *(edge for mark in marks for edge in (mark.start, mark.end)), len(text)]
    spans = zip(edges[::2], edges[1::2], strict=True)
    is_all = not any(text[one:other].strip() for one, other in spans if other <= start or one >= end)
    turn = text[start:end]
    start += len(turn) - len(turn.lstrip())
    return OwnTurn(start, start + len(turn.strip()), is_all)
