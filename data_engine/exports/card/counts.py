"""Counts: what is in an export, counted while it is written; nothing in the card that was not counted here.

    counts = Counts()
    counts.read(sample)         # each sample of the file
    counts.add(sample)          # each one that gave examples

Memory grows with the number of labels, groups, subjects and AUs, not with the number of samples.
"""

from __future__ import annotations

from collections import Counter
from typing import TypeVar

from data_engine.exports.aus import shown_aus
from emollm.cards.classes import class_of
from emollm.cards.origin import generated, licence_of, source_of, thresholds_of
from emollm.facs import EXPRESSIVE
from emollm.records import AU, Face, Sample
from emollm.scoring import main_face

NOT_NAMED = "(none)"

Name = TypeVar("Name")

MAX_NAMES = 10_000
"""Different words that are counted of one kind; all further ones are counted together."""
OTHERS = "(others)"


class AUCount:
    """One AU over all samples."""

    __slots__ = ("measured", "num_intensities", "shown", "sum_intensities")

    def __init__(self) -> None:
        self.measured = self.shown = self.num_intensities = 0
        self.sum_intensities = 0.0

    def add(self, au: AU, is_shown: bool) -> None:
        """Count one face; intensities are added up where the AU is present."""
        self.measured += 1
        self.shown += is_shown
        if is_shown and au.kind == "intensity":
            self.num_intensities += 1
            self.sum_intensities += au.value

    @property
    def mean(self) -> float | None:
        """The mean intensity where it is present, 0 to 5; None where no intensity was measured."""
        return self.sum_intensities / self.num_intensities if self.num_intensities else None


class Counts:
    """Everything that the card tells of the samples."""

    def __init__(self) -> None:
        self.num_read = self.num_samples = 0
        self.read_classes: Counter[str] = Counter()
        self.kinds: Counter[str] = Counter()
        self.classes: dict[str, Counter[str]] = {}
        """Class to split to samples."""
        self.words: Counter[str] = Counter()
        """The words of open-vocabulary lists."""
        self.label_sets: Counter[str] = Counter()
        self.splits: Counter[str] = Counter()
        self.groups: dict[str, Counter[str]] = {}
        self.subjects: dict[str, set[str]] = {}
        """Subject to the splits it is in."""
        self.num_with_subject = self.num_generated = 0
        self.aus: dict[str, AUCount] = {}
        self.num_with_aus = self.num_with_events = self.num_transcripts = 0
        self.detectors: Counter[str] = Counter()
        self.teachers: Counter[str] = Counter()
        self.languages: Counter[str] = Counter()
        self.prompts: Counter[str] = Counter()
        """Digest of a teacher's prompts to texts written to them."""
        self.thresholds: Counter[str] = Counter()
        self.agreement: Counter[str] = Counter()
        self.sources: Counter[tuple[str, str]] = Counter()
        """Source and licence, as far as they are told."""
        self.num_label_seen = 0
        """Texts whose end was written with the label known, where the AUs alone do not give it."""
        self.lengths = Lengths()

    def read(self, sample: Sample) -> None:
        """Count a sample of the file, exported or not."""
        self.num_read += 1
        _tick(self.read_classes, class_of(sample), OTHERS)

    def add(self, sample: Sample) -> None:
        """Count a sample that gave examples."""
        self.num_samples += 1
        split = sample.split or NOT_NAMED
        self.kinds[sample.media.kind if sample.media is not None else "image"] += 1
        self._labels(sample, split)
        _tick(self.splits, split, OTHERS)
        self.num_transcripts += bool(sample.text)
        if sample.subject is not None:
            self.num_with_subject += 1
            self.subjects.setdefault(sample.subject, set()).add(split)
        for name, value in (sample.groups or {}).items():
            _tick(self.groups.setdefault(name, Counter()), value, OTHERS)
        self._face(sample)
        self._text(sample)
        _tick(self.sources, (source_of(sample) or "", licence_of(sample) or ""), ("", ""))

    def _labels(self, sample: Sample, split: str) -> None:
        name = class_of(sample)
        if name not in self.classes and len(self.classes) >= MAX_NAMES:
            name = OTHERS
        self.classes.setdefault(name, Counter())[split] += 1
        _tick(self.label_sets, sample.label_set or NOT_NAMED, OTHERS)
        for word in sample.labels or ():
            _tick(self.words, word, OTHERS)

    def _face(self, sample: Sample) -> None:
        face = main_face(sample)
        self.num_with_events += bool(sample.events)
        if face is None or not face.aus:
            return
        self.num_with_aus += 1
        _tick(self.detectors, _detector(face), OTHERS)
        shown = shown_aus(sample, face)
        for code, au in face.aus.items():
            if code in EXPRESSIVE:
                self.aus.setdefault(code, AUCount()).add(au, code in shown)
        told = ", ".join(f"{kind} {value:g}" for kind, value in thresholds_of(sample).items())
        _tick(self.thresholds, told, OTHERS)

    def _text(self, sample: Sample) -> None:
        told = generated(sample)
        if sample.reasoning is not None:
            parts = (sample.reasoning.observations, sample.reasoning.interpretation, sample.reasoning.conclusion)
            language = str(told.get("language") or "en")
            _tick(self.languages, language, OTHERS)
            if language == "en":
                self.lengths.add(sum(len(part.split()) for part in parts))
            self.num_generated += bool(told.get("teacher"))
            self.num_label_seen += told.get("label_seen") is True
            if isinstance(digest := told.get("prompts"), str):
                _tick(self.prompts, digest, OTHERS)
            _tick(self.teachers, _teacher(sample), OTHERS)
        agree = told.get("agree")
        self.agreement["yes" if agree is True else "no" if agree is False else "unknown"] += 1


class Lengths:
    """Words of the English explanations."""

    def __init__(self) -> None:
        self.number = self.total = self.most = 0
        self.least = 0

    def add(self, words: int) -> None:
        """Count one text."""
        self.least = min(self.least, words) if self.number else words
        self.most = max(self.most, words)
        self.number += 1
        self.total += words


def _tick(counter: Counter[Name], name: Name, others: Name) -> None:
    """Count a name; a counter that is full counts new ones as others."""
    counter[name if name in counter or len(counter) < MAX_NAMES else others] += 1


def _detector(face: Face) -> str:
    """Return what tells a detector from others: name, version and weights."""
    detector = face.detector
    if detector is None:
        return NOT_NAMED
    weights = f"weights {detector.weights}" if detector.weights else None
    return " ".join(part for part in (detector.name, detector.version, weights) if part)


def _teacher(sample: Sample) -> str:
    """Return who wrote a text, as `generate` remembers it."""
    told = generated(sample)
    named = [str(told[key]) for key in ("teacher", "model") if told.get(key)]
    named += [f"{key} {told[key]}" for key in ("codebook",) if told.get(key)]
    seed = told.get("seed")
    named += [f"seed {seed}"] if seed is not None else []
    return ", ".join(named) or "not told"
