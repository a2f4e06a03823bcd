"""The three tables of the emotion wheels, and what a word counts as by the published rule."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from emollm.errors import SourceError

WHEELS = ("wheel1", "wheel2", "wheel3", "wheel4", "wheel5")
LEVEL1 = tuple(f"case3_{wheel}_level1" for wheel in WHEELS)
LEVEL2 = tuple(f"case3_{wheel}_level2" for wheel in WHEELS)
VARIANTS = ("case1", "case2", *LEVEL1, *LEVEL2)
"""The twelve ways to compare, each with a score of its own."""

_PARTS = ("format_mapping", "raw_mapping", "wheel_map")
_NAME_2026 = "wheel_map_whole"
"""What the tables of MER2026 call `wheel_map`."""


class Overlap(NamedTuple):
    """How many categories two lists share in one variant, and how many each has; whole numbers by the published rule,
    sums of shares where ties are shared."""

    both: float
    num_first: float
    num_second: float


class _Table(NamedTuple):
    """Every known word as a number, one bit a category; a variant's categories are the bits of its mask."""

    words: dict[str, int]
    masks: tuple[int, ...]


@dataclass(frozen=True)
class Wheels:
    """The three tables. Words are lower case."""

    forms: Mapping[str, Sequence[str]]
    """A word's form to base labels."""
    synonyms: Mapping[str, Sequence[str]]
    """A base label to wheel words."""
    categories: Mapping[str, Mapping[str, Mapping[str, str]]]
    """Wheel, `level1` or `level2`, and wheel word to category."""
    name: str = ""
    """Of the file that they were read from."""
    sha256: str = ""
    """Of that file."""

    @cached_property
    def variants(self) -> tuple[str, ...]:
        """The variants that the tables know, in the order of VARIANTS: of the embedded lexicon, those of one wheel."""
        return tuple(v for v in VARIANTS if not v.startswith("case3") or v.split("_")[1] in self.categories)

    def category(self, word: str, variant: str) -> str | None:
        """Return what a word counts as in a variant; None: no table knows it."""
        labels = sorted(self.forms.get(word.strip().lower(), ()))
        if variant == "case1":
            return next(iter(labels), None)
        if variant == "case2":
            return min(self.synonyms[labels[0]], default=None) if labels else None
        known = self.on_wheel(variant)
        meant = sorted(word for label in labels for word in self.synonyms[label])
        return next((known[word] for word in meant if word in known), None)

    def on_wheel(self, variant: str) -> Mapping[str, str]:
        """Return the wheel words and categories of a `case3` variant; empty where the tables lack that wheel."""
        _, wheel, level = variant.split("_")
        return self.categories.get(wheel, {}).get(level, {})

    def overlaps(self, first: Iterable[str], second: Iterable[str], variants: Sequence[str]) -> Iterator[Overlap]:
        """Yield for each variant how many categories the two lists share and have."""
        table = self._level1 if variants == LEVEL1 else self._all
        is_whole = variants in (LEVEL1, VARIANTS)
        one, other = _bits(first, table.words), _bits(second, table.words)
        for mask in table.masks if is_whole else [table.masks[VARIANTS.index(variant)] for variant in variants]:
            yield Overlap((one & other & mask).bit_count(), (one & mask).bit_count(), (other & mask).bit_count())

    @cached_property
    def _level1(self) -> _Table:
        return self._table(LEVEL1)

    @cached_property
    def _all(self) -> _Table:
        return self._table(VARIANTS)

    def _table(self, variants: Sequence[str]) -> _Table:
        """Look every word up once: comparing two lists is then a few operations on whole numbers."""
        words = dict.fromkeys(self.forms, 0)
        masks, num_bits = [], 0
        for variant in variants:
            places: dict[str, int] = {}
            for word in words:
                category = self.category(word, variant)
                if category is not None:
                    words[word] |= 1 << num_bits + places.setdefault(category, len(places))
            masks.append(((1 << len(places)) - 1) << num_bits)
            num_bits += len(places)
        return _Table(words, tuple(masks))


def _bits(labels: Iterable[str], words: Mapping[str, int]) -> int:
    bits = 0
    for label in labels:
        bits |= words.get(label, 0) or words.get(label.strip().lower(), 0)
    return bits


def read_wheels(path: Path) -> Wheels:
    """Read the tables: a JSON object with `format_mapping`, `raw_mapping` and `wheel_map`.

    Raises SourceError where one is missing or has another shape.
    """
    try:
        content = path.read_bytes()
        tables = json.loads(content)
    except OSError as error:
        raise SourceError(f"{path}: cannot be read: {error.strerror}{_how_to_convert(path)}") from None
    except (ValueError, RecursionError) as error:
        raise SourceError(f"{path}: not JSON: {error}{_how_to_convert(path)}") from None
    if isinstance(tables, dict) and _NAME_2026 in tables:
        tables = {"wheel_map": tables[_NAME_2026]} | tables
    wrong = _what_is_wrong(tables)
    if wrong:
        raise SourceError(f"{path}: {wrong}; a wheel mapping is an object with {', '.join(_PARTS)}")
    forms, synonyms, categories = (tables[part] for part in _PARTS)
    return Wheels(forms, synonyms, categories, path.name, hashlib.sha256(content).hexdigest())


def _how_to_convert(path: Path) -> str:
    """Say what makes a mapping of the published tables, which are a folder, Excel files, or pickles."""
    is_published = path.is_dir() or path.suffix.lower() in (".npz", ".xlsx", ".csv")
    return "; make a mapping of the published tables with `emollm wheel FOLDER -o FILE`" if is_published else ""


def _what_is_wrong(tables: Any) -> str | None:
    """Say what a file lacks to be a wheel mapping."""
    if not isinstance(tables, dict):
        return "not an object"
    for part in _PARTS:
        if not isinstance(tables.get(part), dict):
            return f"{part}: is missing or not an object"
    for part in _PARTS[:2]:
        for word, meanings in tables[part].items():
            if not isinstance(meanings, list) or not all(isinstance(one, str) for one in meanings):
                return f"{part}.{word}: not a list of words"
    for word in tables["format_mapping"]:
        if word != word.strip().lower():
            return f"format_mapping: '{word}' is never met, since labels are looked up in lower case without blanks"
    for word, labels in tables["format_mapping"].items():
        unknown = next((label for label in labels if label not in tables["raw_mapping"]), None)
        if unknown is not None:
            return f"format_mapping.{word}: '{unknown}' is not in raw_mapping"
    for wheel in WHEELS:
        for level in ("level1", "level2"):
            levels = tables["wheel_map"].get(wheel)
            known = levels.get(level) if isinstance(levels, dict) else None
            if not isinstance(known, dict) or not all(isinstance(one, str) for one in known.values()):
                return f"wheel_map.{wheel}.{level}: is missing or does not map words to words"
    return None
