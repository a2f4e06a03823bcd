"""The embedded lexicon: our own grouping of emotion words, so that open labels are compared with nothing given.

    lexicon().category("Joyfully", "case3_wheel1_level1")      # "happiness"

It has one wheel: level 1 is the family of a word, level 2 its group, which also is its base label. Scores on it are not
comparable with published ones, which stand on other tables.
"""

from __future__ import annotations

import hashlib
import json
from functools import cache
from pathlib import Path

from emollm.wheel.tables import Wheels

PATH = Path(__file__).with_name("lexicon.json")


@cache
def lexicon() -> Wheels:
    """Return the embedded lexicon as tables with one wheel."""
    content = PATH.read_bytes()
    families: dict[str, dict[str, list[str]]] = json.loads(content)["families"]
    groups = {group: family for family, members in families.items() for group in members}
    forms = {word: [group] for members in families.values() for group, words in members.items() for word in words}
    wheel = {"level1": groups, "level2": {group: group for group in groups}}
    name, digest = f"emollm {PATH.name}", hashlib.sha256(content).hexdigest()
    return Wheels(forms, {group: [group] for group in groups}, {"wheel1": wheel}, name, digest)


@cache
def synonym_groups() -> list[list[str]]:
    """Return the groups of words that mean about the same."""
    families: dict[str, dict[str, list[str]]] = json.loads(PATH.read_bytes())["families"]
    return [words for members in families.values() for words in members.values()]
