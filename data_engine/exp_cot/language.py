"""Languages that explanations are written in: how their texts are read, measured and recognised.

    LANGUAGES["en"].read("No smile; the brows are slightly lowered.")
    LANGUAGES["zh"].length("嘴角上扬（AU12）")

English is read by `emollm.claims`. Chinese is read by its codes and common phrases alone, and checked by the claims
that the teacher states beside the text as well (`chinese`).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from data_engine.exp_cot.chinese import read_chinese
from emollm.claims import Claim, read_claims
from emollm.prompts import is_chinese

MIN_WORDS, MAX_WORDS = 60, 150
"""Length of the three parts together; released Exp-CoT texts have 84 to 146 words."""
MAX_WORDS_CLIP = 240
"""The same for a clip, whose course is told besides the peak."""


MANY_SIGNS = 12
"""So many actions at the peak fit into these lengths, each with its strength and side."""


class Language(NamedTuple):
    """A language, and what a text in it has to be like. Lengths count words, or Chinese characters."""

    name: str
    read: Callable[[str], list[Claim]]
    length: Callable[[str], int]
    unit: str
    least: int
    most: int
    most_clip: int
    a_sign: int
    """What each action more makes longer, from `MANY_SIGNS` on."""
    is_in: Callable[[str], bool]
    """Whether a text is in this language, as far as its letters tell."""
    states_claims: bool = False
    """Whether the claims have to be stated beside the observations, as reading them is not enough."""


_LETTER = re.compile(r"[^\W\d_]")
_UNIT = re.compile(r"[\u4e00-\u9fff]|[A-Za-z0-9]+")


def _count_words(text: str) -> int:
    return len(text.split())


def _count_characters(text: str) -> int:
    return len(_UNIT.findall(text))


def _is_latin(text: str) -> bool:
    """Nine of ten letters are ASCII; a free label of another script may be quoted."""
    if text.isascii():
        return True
    letters: list[str] = _LETTER.findall(text)
    return sum(map(str.isascii, letters)) >= 0.9 * len(letters)


LANGUAGES: dict[str, Language] = {
    "en": Language("en", read_claims, _count_words, "words", MIN_WORDS, MAX_WORDS, MAX_WORDS_CLIP, 8, _is_latin),
    "zh": Language("zh", read_chinese, _count_characters, "characters", 90, 320, 520, 16, is_chinese, True),
}
ENGLISH = LANGUAGES["en"]
