"""The corrected comparison of label lists: the same tables, without the three defects of the published rule.

    shares = Shares(wheels)
    shares.of("curious", "case3_wheel1_level1")     # {"happy": Fraction(2, 3), "surprised": Fraction(1, 3)}
    score_lists(pairs, shares)                      # as with wheels, and with the same twelve variants

- Ties are shared. A word with several base labels, or with several wheel words on a wheel, counts as all of them in
  equal parts, not as the one that comes first in the alphabet: a synonym more in a table moves a score a little.
- No word is free. What a wheel does not know stands for its base labels, and what no table knows for itself: named
  without being in the gold, it costs precision; in the gold, it can be met by the same word, and is no reason to skip.
- So `neutral` counts, too: in gold as in predictions, in every form that `emollm.labels` knows.

Where words have one category each, all of this is the published rule. A list is a fuzzy set (Zadeh 1965): a category
belongs to it as much as to the word that has the largest part in it, the size of a set is the sum of its parts, and of
two sets the smaller part is shared.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from functools import cached_property

from emollm.labels import canonical
from emollm.wheel.tables import VARIANTS, Overlap, Wheels

Parts = Mapping[str, Fraction]
"""Category to the part of a word that counts as it; the parts of a word sum to 1."""


class Shares:
    """What words count as where ties are shared and nothing is free."""

    def __init__(self, wheels: Wheels) -> None:
        """Take the tables; what a word counts as is worked out when it is first met."""
        self.wheels = wheels
        self._parts: dict[str, tuple[tuple[int, int], ...]] = {}  # (place, units)
        self._places: dict[tuple[int, str], int] = {}
        self._variant_of: list[int] = []  # place to variant

    def of(self, word: str, variant: str) -> Parts:
        """Return what a word counts as in a variant. Of a word that no table knows, itself."""
        form = self.form(word)
        labels = sorted(set(self.wheels.forms.get(form, ())))
        if not labels:
            return {form: Fraction(1)}
        if variant == "case1":
            return _equal(labels)
        meant = sorted({word for label in labels for word in self.wheels.synonyms[label]})
        if variant != "case2":
            known = self.wheels.on_wheel(variant)
            meant = [known[word] for word in meant if word in known]
        # A base label and a category may be one word; they are not one thing.
        return _equal(meant) if meant else _equal([f"={label}" for label in labels])

    def form(self, word: str) -> str:
        """Return the word as the tables have it, else its canonical form: `Neutrality` is neutral, 高兴 happiness."""
        form = " ".join(word.replace("_", " ").lower().split())
        return form if form in self.wheels.forms else canonical(form) or form

    def words(self, labels: Iterable[str]) -> list[str]:
        """Return the words of a list; a label of two words that no table knows, such as `joy/excitement`, is two."""
        found = []
        for label in labels:
            form = self.form(label)
            parts = form.split("/") if form not in self.wheels.forms else [form]
            found += [word for part in parts if (word := self.form(part))]
        return found

    def overlaps(self, first: Iterable[str], second: Iterable[str], variants: Sequence[str]) -> Iterator[Overlap]:
        """Yield for each variant the size of what the two lists share, and of each; nothing of a wheel not there."""
        (one, strange), (other, known_strange) = self._set(first), self._set(second)
        both, num_first, num_second = ([0] * len(VARIANTS) for _ in range(3))
        for place, units in one.items():
            variant = self._variant_of[place]
            num_first[variant] += units
            both[variant] += min(units, other.get(place, 0))
        for place, units in other.items():
            num_second[self._variant_of[place]] += units
        own = (len(strange & known_strange), len(strange), len(known_strange))
        for name in variants:
            place = VARIANTS.index(name)
            sizes = (both[place], num_first[place], num_second[place])
            is_there = name in self.wheels.variants
            yield Overlap(*(size / self._unit + n if is_there else 0.0 for size, n in zip(sizes, own, strict=True)))

    def _set(self, labels: Iterable[str]) -> tuple[dict[int, int], set[str]]:
        """Return the parts of all categories, and the words that no table knows."""
        parts: dict[int, int] = {}
        strange = set()
        for label in labels:
            for word in [label] if label in self._parts else self.words([label]):
                if word not in self.wheels.forms:
                    strange.add(word)
                    continue
                for place, units in self._parts.get(word) or self._place(word):
                    if units > parts.get(place, 0):
                        parts[place] = units
        return parts, strange

    def _place(self, word: str) -> tuple[tuple[int, int], ...]:
        """Give each category of a known word a place; there are as many as the tables have."""
        found = []
        for variant in self.wheels.variants:
            number = VARIANTS.index(variant)
            for category, part in self.of(word, variant).items():
                place = self._places.setdefault((number, category), len(self._places))
                if place == len(self._variant_of):
                    self._variant_of.append(number)
                found.append((place, int(part * self._unit)))
        self._parts[word] = tuple(found)
        return self._parts[word]

    @cached_property
    def _unit(self) -> int:
        """A number that every tie divides: sums of parts are whole numbers, and the same in any order."""
        synonyms = self.wheels.synonyms
        forms = self.wheels.forms.values()
        most = max(
            (len({word for label in labels for word in (label, *synonyms[label])}) for labels in forms), default=1
        )
        return math.lcm(*range(1, most + 1))


def _equal(names: Sequence[str]) -> Parts:
    """Share a word equally among names; one that stands there twice gets two shares."""
    return {name: Fraction(count, len(names)) for name, count in Counter(names).items()}
