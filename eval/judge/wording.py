"""The judge's prompts: files in `prompts/en` and `prompts/zh`, filled with the words of others as data, and hashed.

    prompts = load_prompts("zh")
    prompts.fill("clue", gold=as_data(gold), prediction=as_data(said))
    prompts.digests(["clue", "rule"])           # {"clue": "9f2c…", …}: what a score is pinned to

A slot is `{name}`; other braces stay as they are, so that a prompt can show JSON. What is filled in is never looked at
for slots again.
"""

from __future__ import annotations

import hashlib
import html
import re
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent / "prompts"
LANGUAGES = ("en", "zh")

MAX_DATA = 12_000
"""Characters of one text that the judge is shown; the longest description of the field's sets has a tenth of that."""

_SLOT = re.compile(r"\{([a-z_]+)\}")
_ESCAPED = re.compile(r"(?:%|\\x|\\u00)(3[CEce]|[57][BDbd]|7[Cc])")
_MAX_LAYERS = 4
_OPENING, _CLOSING = "<＜﹤‹«〈《⟨⟪❬❮{｛[［【〔|｜¦", ">＞﹥›»〉》⟩⟫❭❯}｝]］】〕"
_HARMLESS = str.maketrans({**dict.fromkeys(_OPENING, "("), **dict.fromkeys(_CLOSING, ")"), "`": "'"})


class Prompts:
    """All prompts of a language."""

    def __init__(self, language: str, texts: Mapping[str, str]) -> None:
        self.language = language
        self._texts = texts

    def fill(self, name: str, **slots: str) -> str:
        """Return a prompt with its slots filled. Raises KeyError for a slot that is not given."""
        return _SLOT.sub(lambda slot: slots[slot[1]], self._texts[name])

    def digests(self, names: Iterable[str]) -> dict[str, str]:
        """Return a short digest of each of these files."""
        return {name: hashlib.sha256(self._texts[name].encode()).hexdigest()[:16] for name in sorted(names)}


@cache
def load_prompts(language: str) -> Prompts:
    """Return the prompts of a language."""
    texts = {path.stem: path.read_text(encoding="utf-8").rstrip("\n") for path in (FOLDER / language).glob("*.md")}
    return Prompts(language, texts)


def as_data(text: str) -> str:
    """Return what others wrote between marks that it cannot close.

    It becomes a part of one line, without any bracket, bar or backtick, so that it can write no mark of ours, no tag of
    a chat template (`<|im_end|>`, `[INST]`) and no beginning of a line; invisible characters, which can hide text, go
    too.
    """
    return f"<data> {harmless(text)} </data>"


def harmless(text: str) -> str:
    """Return a text as one line of plain words, cut after MAX_DATA characters.

    What stands for a bracket (`&lt;`, `%3C`, `\\u003c`) is one before the brackets go.
    """
    seen = "".join(char if char.isprintable() else " " if char.isspace() else "" for char in _decoded(text))
    line = " ".join(seen.translate(_HARMLESS).split())
    return line if len(line) <= MAX_DATA else f"{line[:MAX_DATA]} …"


def _decoded(text: str) -> str:
    """Return a text with its encoded characters as they are meant, however often they were encoded."""
    for _ in range(_MAX_LAYERS):
        plain = html.unescape(_ESCAPED.sub(lambda found: chr(int(found[1], 16)), text))
        if plain == text:
            return text
        text = plain
    return text.replace("&", " ")
