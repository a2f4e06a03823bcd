"""Counts: what is in a file that a model learnt from, of samples or of pairs of a better and a worse answer.

    counts = count(path, split="train", scored=Scored(ids, people))
    counts.num_samples, counts.num_pairs, counts.classes

A pair knows its sample by its id, and little more: the rest is told by the samples that the pairs were made of, where
these are found.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from emollm.cards.classes import NO_LABEL, class_of
from emollm.cards.origin import generated, licence_of, source_of
from emollm.records import Sample, read_records

FIRST_LINES = 5
"""Lines that are looked at to tell pairs from samples."""


class Scored(NamedTuple):
    """What the model was measured on: of these it is counted how many were learnt from."""

    ids: frozenset[str] = frozenset()
    subjects: frozenset[str] = frozenset()


class Counts:
    """What is counted of the samples that were learnt from."""

    def __init__(self, scored: Scored) -> None:
        self._scored = scored
        self.num_samples = self.num_pairs = self.num_malformed = 0
        self.has_samples = True
        """Whether the samples themselves were read; of pairs without them only labels and ids are known."""
        self.classes: Counter[str] = Counter()
        self.sources: Counter[tuple[str, str]] = Counter()
        self.teachers: Counter[str] = Counter()
        self.languages: Counter[str] = Counter()
        self.shared_ids: set[str] = set()
        self._subjects: set[str] = set()

    @property
    def num_subjects(self) -> int:
        """How many people are told apart."""
        return len(self._subjects)

    @property
    def shared_subjects(self) -> set[str]:
        """The people that were learnt from and scored."""
        return self._subjects & self._scored.subjects

    def malformed(self, _line: object = None) -> None:
        """Count a line that cannot be read; it is passed over, as every stage does."""
        self.num_malformed += 1

    def add(self, sample: Sample) -> None:
        """Count a sample that was learnt from."""
        self.add_known(sample.id, class_of(sample))
        self.sources[source_of(sample) or "", licence_of(sample) or ""] += 1
        if sample.subject is not None:
            self._subjects.add(sample.subject)
        if sample.reasoning is not None:
            told = generated(sample)
            if told:  # `generate` names the language where it is not English; of other texts it is not known
                self.languages[str(told.get("language") or "en")] += 1
            teacher = " ".join(str(told[key]) for key in ("teacher", "model") if told.get(key))
            self.teachers[teacher or "not told"] += 1

    def add_known(self, sample_id: str, label: str) -> None:
        """Count a sample of which only this is known."""
        self.num_samples += 1
        self.classes[label] += 1
        if sample_id in self._scored.ids:
            self.shared_ids.add(sample_id)


def count(path: Path, split: str | None, scored: Scored, only: Collection[str] | None = None) -> Counts:
    """Count the samples of a split, or of `only` these ids."""
    counts = Counts(scored)
    for sample in read_records(path, Sample, bad=counts.malformed):
        if split in (None, sample.split) and (only is None or sample.id in only):
            counts.add(sample)
    return counts


def count_pairs(path: Path, samples: Path | None, scored: Scored) -> Counts:
    """Count the pairs of a file, and the samples that they are about: those of `samples`, where this file is found."""
    counts = Counts(scored)
    labels: dict[str, str] = {}
    for number, pair in enumerate(read_pairs(path), start=1):
        if pair is None:
            counts.malformed()
            continue
        counts.num_pairs += 1
        labels[str(pair.get("id") or f"line {number}")] = str(pair.get("label") or NO_LABEL)
    counts.has_samples = samples is not None
    for sample in () if samples is None else read_records(samples, Sample, bad=lambda _line: None):
        if labels.pop(sample.id, None) is not None:
            counts.add(sample)
    for sample_id, label in labels.items():
        counts.add_known(sample_id, label)
    return counts


def holds_pairs(path: Path) -> bool:
    """Tell whether a file is one of pairs, as `emollm export --format preference` writes it."""
    return any(pair is not None for pair in islice(read_pairs(path), FIRST_LINES))


def read_pairs(path: Path) -> Iterator[dict[str, Any] | None]:
    """Yield the lines of a file of pairs, and None for one that is no pair."""
    with path.open("rb") as file:
        for line in filter(bytes.strip, file):
            try:
                pair = json.loads(line)
            except ValueError:
                pair = None
            yield pair if isinstance(pair, dict) and {"chosen", "rejected"} <= pair.keys() else None
