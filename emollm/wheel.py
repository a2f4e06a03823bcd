"""The emotion-wheel metric of open vocabulary: label lists compared in the categories of five emotion wheels.

    wheels = read_wheels(Path("wheel_mapping.json"))
    sample_f1(["glad", "calm"], ["happy", "relaxed"], wheels)      # 0 to 1; None: the gold is in no wheel
    score_lists(pairs, wheels)["case3_wheel1_level1"].f            # of a whole test set

A word is looked up in three steps: the form ("joyfully") gives its base labels, each of these the wheel words that mean
it, and a wheel word has a category on each wheel, at two levels. Three cases stop after one, two or three steps:

    case1                   the base label that comes first in the alphabet
    case2                   the wheel word of that label that comes first
    case3_wheelK_levelJ     of all wheel words of all base labels, in the alphabet, the category of the first on wheel K

What no table knows is dropped and costs nothing; `neutral` is in none. Formula and tables: OV-MERD (Lian et al. 2024)
and the track "fine-grained" of the MER challenges, whose score is the mean F of the five `LEVEL1` variants. The tables
are an explicit input file, as scores from different tables are different numbers.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import fsum
from pathlib import Path
from typing import Any, NamedTuple

from emollm.errors import SourceError

WHEELS = ("wheel1", "wheel2", "wheel3", "wheel4", "wheel5")
LEVEL1 = tuple(f"case3_{wheel}_level1" for wheel in WHEELS)
LEVEL2 = tuple(f"case3_{wheel}_level2" for wheel in WHEELS)
VARIANTS = ("case1", "case2", *LEVEL1, *LEVEL2)
"""The twelve ways to compare, each with a score of its own."""

_PARTS = ("format_mapping", "raw_mapping", "wheel_map")


class Score(NamedTuple):
    """A test set in one variant, all 0 to 1: means over samples, and F, the harmonic mean of these two means."""

    f: float
    precision: float
    recall: float
    num: int
    """How many samples have a gold category; the others are left out."""


class Overlap(NamedTuple):
    """How many categories two lists share in one variant, and how many each has."""

    both: int
    num_first: int
    num_second: int


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

    def category(self, word: str, variant: str) -> str | None:
        """Return what a word counts as in a variant; None: no table knows it."""
        labels = sorted(self.forms.get(word.strip().lower(), ()))
        if variant == "case1":
            return next(iter(labels), None)
        if variant == "case2":
            return min(self.synonyms[labels[0]], default=None) if labels else None
        _, wheel, level = variant.split("_")
        known = self.categories[wheel][level]
        meant = sorted(word for label in labels for word in self.synonyms[label])
        return next((known[word] for word in meant if word in known), None)

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


def sample_f1(predicted: Iterable[str], gold: Iterable[str], wheels: Wheels) -> float | None:
    """Return F1 = 2 |P ∩ G| / (|P| + |G|) of the level-1 categories, averaged over the wheels that know the gold.

    None where no wheel does. The score of a test set is not the mean of this: see `score_lists`.
    """
    values = [
        2 * both / (num_predicted + num_gold)
        for both, num_predicted, num_gold in wheels.overlaps(predicted, gold, LEVEL1)
        if num_gold
    ]
    return sum(values) / len(values) if values else None


def sample_jaccard(first: Iterable[str], second: Iterable[str], wheels: Wheels) -> float:
    """Return |A ∩ B| / |A ∪ B| of the level-1 categories, averaged over the wheels that know either list; else 0.

    A wheel that knows neither is left out, lest what some wheels lack, such as disgust, scores less than others.
    """
    shares = [
        both / (num_first + num_second - both)
        for both, num_first, num_second in wheels.overlaps(first, second, LEVEL1)
        if num_first + num_second
    ]
    return sum(shares) / len(shares) if shares else 0.0


def score_lists(
    pairs: Iterable[tuple[Sequence[str], Sequence[str]]], wheels: Wheels, variants: Sequence[str] = VARIANTS
) -> dict[str, Score]:
    """Score pairs of predicted and gold labels in each variant, in any order to the same last digit.

    Per sample, precision is |P ∩ G| / |P| and recall |P ∩ G| / |G|, both 0 where nothing predicted is known.
    """
    precisions: list[list[float]] = [[] for _ in variants]
    recalls: list[list[float]] = [[] for _ in variants]
    for predicted, gold in pairs:
        for place, (both, num_predicted, num_gold) in enumerate(wheels.overlaps(predicted, gold, variants)):
            if num_gold:
                precisions[place].append(both / num_predicted if num_predicted else 0.0)
                recalls[place].append(both / num_gold)
    return {variant: _score(*values) for variant, *values in zip(variants, precisions, recalls, strict=True)}


def _score(precisions: list[float], recalls: list[float]) -> Score:
    num = len(recalls)
    precision, recall = (fsum(values) / num if num else 0.0 for values in (precisions, recalls))
    total = precision + recall
    return Score(2 * precision * recall / total if total else 0.0, precision, recall, num)


def split_labels(text: str) -> list[str]:
    """Return the labels of a list written as text, in lower case: `[happy, calm]`, `["happy"], ['calm']`, `happy`."""
    return [label for part in re.split(r"[\[\]'\",]", text) if (label := part.strip().lower())]


def read_wheels(path: Path) -> Wheels:
    """Read the tables: a JSON object with `format_mapping`, `raw_mapping` and `wheel_map`.

    Raises SourceError where one is missing or has another shape.
    """
    try:
        tables = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SourceError(f"{path}: cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise SourceError(f"{path}: not JSON: {error}") from None
    wrong = _what_is_wrong(tables)
    if wrong:
        raise SourceError(f"{path}: {wrong}; a wheel mapping is an object with {', '.join(_PARTS)}")
    return Wheels(*(tables[part] for part in _PARTS))


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
