r"""Turns: what of a completion is the model's own answer, and what another turn of a chat.

    own_turn("happy\n\nUser: And now?\nAssistant: sad", …)     # "happy": the model invented the rest
    own_turn("user\nWhich one?\nassistant\nsad", …)            # "sad": the question stands before the answer

A model that does not stop writes the next question itself, and answers it.
"""

from __future__ import annotations

import re
from bisect import bisect
from collections.abc import Callable, Sequence
from typing import NamedTuple

_MARK = re.compile(
    r"""
      (?: (?: ^ | (?<=\n) ) [ \t]{0,4} (?:\#{1,4}[ ]|\*{1,2})? | <\|(?:im_start|start_header_id)\|> )
      (?: (?P<asks>user|human|system|用户) | (?P<answers>assistant|助手) )
      (?: <\|end_header_id\|> | \*{0,2}[ \t]{0,3} (?:[:\uff1a]\*{0,2} | (?=\r?\n|$)) )
    | (?: (?<=[.!?>"]\ ) | (?<=\#\#\#\ ) ) (?: (?P<asks_inline>User|Human) | (?P<answers_inline>Assistant) ):
    | (?<!\w) (?-i: (?P<asks_loudly>USER|HUMAN) | (?P<answers_loudly>ASSISTANT) ):
    | (?P<asks_inst>\[INST\]) | (?P<answers_inst>\[/INST\])
    | <start_of_turn>(?: (?P<asks_gemma>user) | (?P<answers_gemma>model) )
    | (?P<ends><\|(?:im_end|endoftext|eot_id|end)\|>|<end_of_turn>|</s>|<eos>|<\|im_start\|>|<\|start_header_id\|>)
    """,
    re.IGNORECASE | re.VERBOSE,
)
_SIGNS = ("user", "human", "assistant", "inst]", "<|", "_of_turn", "</s>", "<eos>", "用户", "助手")
"""A text without any of these, as nearly all are, has no mark."""

_PREAMBLE = "A chat between a curious"
"""How the system prompt of Vicuna and its descendants begins, which has no role before it."""


class _Mark(NamedTuple):
    """A place where a chat template or a model begins or ends a turn."""

    kind: str
    """`asks`, `answers` or `ends`."""
    start: int
    end: int


class OwnTurn(NamedTuple):
    """What a model answers, and whether that is all it wrote."""

    text: str
    is_all: bool
    """Nothing else stands in the completion but marks of a chat template."""


def own_turn(text: str, tags: Sequence[re.Match[str]], is_answer: Callable[[str], bool]) -> OwnTurn:
    """Return the first turn of a completion that answers.

    A question before it is one that begins with its role ("user"), or one after which the assistant's turn begins
    and that is itself no answer (`is_answer`). What comes after the answer is the model's own invention. A mark inside
    an element of `tags` is part of what is thought there. Time is linear in the length.
    """
    marks = _marks(text, tags)
    last = max((number for number, mark in enumerate(marks) if mark.kind == "answers"), default=-1)
    start, is_asked = 0, False
    for number, mark in enumerate(marks):
        before = text[start : mark.start]
        begins = mark.kind == "answers" or (mark.kind == "ends" and _is_next(text, marks, number, "answers"))
        if is_asked:
            is_asked = mark.kind != "answers"
        elif not before.strip() or before.lstrip().startswith(_PREAMBLE):
            is_asked = mark.kind == "asks" and number < last
        elif not begins or is_answer(before):
            return OwnTurn(before, not _outside(text, marks, start, mark.start))
        start = mark.end
    return OwnTurn(text[start:], not _outside(text, marks, start, len(text)))


def _marks(text: str, tags: Sequence[re.Match[str]]) -> list[_Mark]:
    """Return all marks outside of elements; inside one, the next tag closes it."""
    lowered = text.lower()
    if not any(sign in lowered for sign in _SIGNS):
        return []
    marks = []
    starts = [tag.start() for tag in tags]
    for found in _MARK.finditer(text):
        place = bisect(starts, found.start())
        if place == len(tags) or not tags[place]["slash"]:
            kind = (found.lastgroup or "").partition("_")[0]
            marks.append(_Mark(kind, found.start(), found.end()))
    return marks


def _is_next(text: str, marks: Sequence[_Mark], number: int, kind: str) -> bool:
    """Tell whether a mark of a kind follows with nothing in between."""
    if number + 1 == len(marks):
        return False
    mark, after = marks[number : number + 2]
    return after.kind == kind and not text[mark.end : after.start].strip()


def _outside(text: str, marks: Sequence[_Mark], start: int, end: int) -> bool:
    """Tell whether anything is written before start or after end, other than marks."""
    edges = [0, *(edge for mark in marks for edge in (mark.start, mark.end)), len(text)]
    spans = zip(edges[::2], edges[1::2], strict=True)
    return any(text[one:other].strip() for one, other in spans if other <= start or one >= end)
