"""The prompts of a teacher: files in `prompts/en` and `prompts/zh`, read once, checked, filled and hashed.

    prompts = load_prompts("en")
    prompts.fill("infer", description="The brows are lowered.", choices="anger, sadness")
    prompts.digests()                       # {"infer": "9f2c…", …} goes into the manifest

A slot is `{name}`; other braces stay as they are, so that a prompt can show JSON. What is filled in is never looked at
for slots again. Files of the same names in a folder of one's own take the place of ours.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path

from emollm.errors import ConfigError, did_you_mean

FOLDER = Path(__file__).parent / "prompts"

_SLOT = re.compile(r"\{([a-z_]+)\}")
_MAY_LACK = frozenset({"picture", "box", "least", "most"})
"""Slots that a prompt can do without."""


class Prompts:
    """All prompts of a language."""

    def __init__(self, language: str, texts: Mapping[str, str]) -> None:
        self.language = language
        self._texts = texts

    def fill(self, name: str, **slots: object) -> str:
        """Return a prompt with its slots filled. Raises KeyError for a slot that is not given."""
        return _SLOT.sub(lambda slot: str(slots[slot[1]]), self._texts[name])

    def digests(self) -> dict[str, str]:
        """Return a short digest of each file."""
        return {name: hashlib.sha256(text.encode()).hexdigest()[:16] for name, text in sorted(self._texts.items())}

    def digest(self) -> str:
        """Return one short digest of all of them."""
        return hashlib.sha256(repr((self.language, sorted(self._texts.items()))).encode()).hexdigest()[:16]


def load_prompts(language: str, folder: Path | None = None) -> Prompts:
    """Return the prompts of a language; `folder` holds files that replace some of them.

    Raises ConfigError for a file that replaces none, and for slots that are unknown or missing.
    """
    texts = {path.stem: path.read_text(encoding="utf-8").rstrip("\n") for path in (FOLDER / language).glob("*.md")}
    if folder is not None:
        texts |= _replacements(folder, texts)
    return Prompts(language, texts)


def _replacements(folder: Path, ours: Mapping[str, str]) -> dict[str, str]:
    """Return the prompts of a user's folder; every problem is said at once."""
    if not folder.is_dir():
        raise ConfigError(f"--prompts {folder}: there is no such folder")
    problems, texts = [], {}
    for path in sorted(folder.glob("*.md")):
        if path.stem not in ours:
            problems.append(f"{path.name} replaces no prompt{did_you_mean(path.stem, ours)}")
            continue
        try:
            texts[path.stem] = path.read_text(encoding="utf-8").rstrip("\n")
        except UnicodeDecodeError:
            problems.append(f"{path.name} is not UTF-8")
            continue
        own, known = set(_SLOT.findall(texts[path.stem])), set(_SLOT.findall(ours[path.stem]))
        problems += [f"{path.name} has an unknown slot {{{slot}}}" for slot in sorted(own - known)]
        problems += [f"{path.name} lacks the slot {{{slot}}}" for slot in sorted(known - own - _MAY_LACK)]
    if not texts and not problems:
        problems.append("holds no .md file")
    if problems:
        raise ConfigError(f"--prompts {folder}: {'; '.join(problems)}; ours lie in {FOLDER}")
    return texts
