"""Open labels as they are written: a list in brackets, a list with commas, or the emotion words of prose.

    label_words(parse("[happy, deeply moved]")).words        # ("happy", "deeply moved")
    label_words(parse("She seems happy, not sad.")).words    # ("happiness",)

Scores of open labels look words up as they stand; `Answer.labels` are the canonical ones.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from emollm.answers.given import items, one_label
from emollm.answers.parser import Answer

_LIST = re.compile(r"""(?:[{\s]*["']?[A-Za-z \u4e00-\u9fff]{0,40}["']?\s{0,3}[:\uff1a])?\s*(?=[\[\uff3b\u3010])""")
"""What may stand before the bracket of a list: nothing, or a name and a colon."""


def split_labels(text: str) -> list[str]:
    """Return the labels of a list written as text, in lower case: `[happy, calm]`, `["happy"], ['calm']`, `happy`.

    The separators are those of the published scripts (brackets, quotes, commas) and their Chinese forms.
    """
    parts = re.split(r"[\[\]'\",\uff0c\u3001\uff3b\uff3d\u3010\u3011“”‘’]", text)
    return [label for part in parts if (label := part.strip().lower())]


class LabelWords(NamedTuple):
    """The labels of an answer as they are written, in lower case, each once."""

    words: tuple[str, ...]
    is_list: bool
    """The answer is a list, which may be empty or cut off; else `words` are the emotion words of prose."""


def label_words(answer: Answer) -> LabelWords:
    """Return the labels of an answer as they are written; of prose, the known emotion words that it does not deny."""
    said = answer.answer or ""
    start = _LIST.match(said)
    if start is not None:
        return LabelWords(tuple(dict.fromkeys(split_labels(said[start.end() :].rstrip("} \n")))), is_list=True)
    listed = items(said)
    if listed and all(one_label(item, None) for item in listed):
        return LabelWords(tuple(dict.fromkeys(item.strip().lower() for item in listed)), is_list=True)
    return LabelWords(answer.labels, is_list=False)
