"""Data: what a model learnt from, found by the digests in its manifests, counted, and traced back to its sources.

    files = read_data(steps, named=[Path("cot.jsonl")], scores=[])
    list(training_data(files))              # the section of the card

A file counts as what was learnt from only while it is still the one that the training read.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from emollm.cards.classes import class_of
from emollm.cards.origin import RENDERED, Step, generated, licence_of, lineage, same_file, source_of
from emollm.cards.tables import MOST, code, name, number_of, part_of, rest, shares, table
from emollm.errors import ConfigError
from emollm.files import fingerprint
from emollm.records import Sample, read_records
from emollm.train.card.scores import Scores


class Counts:
    """What is counted of the samples that were learnt from."""

    def __init__(self, ids: frozenset[str], subjects: frozenset[str]) -> None:
        """`ids` and `subjects` are those that were scored: which of them were learnt from is counted too."""
        self._scored_ids, self._scored_subjects = ids, subjects
        self.num_samples = self.num_malformed = self.num_subjects = 0
        self.classes: Counter[str] = Counter()
        self.sources: Counter[tuple[str, str]] = Counter()
        self.teachers: Counter[str] = Counter()
        self.languages: Counter[str] = Counter()
        self.shared_ids: set[str] = set()
        self.shared_subjects: set[str] = set()

    def read(self, path: Path, split: str | None) -> None:
        """Count the samples of a split; malformed lines are counted and passed over, as every stage does."""
        subjects: set[str] = set()
        for sample in read_records(path, Sample, bad=lambda _line: self._malformed()):
            if split in (None, sample.split):
                self._add(sample)
                if sample.subject is not None:
                    subjects.add(sample.subject)
        self.num_subjects = len(subjects)
        self.shared_subjects = subjects & self._scored_subjects

    def _malformed(self) -> None:
        self.num_malformed += 1

    def _add(self, sample: Sample) -> None:
        self.num_samples += 1
        self.classes[class_of(sample)] += 1
        self.sources[source_of(sample) or "", licence_of(sample) or ""] += 1
        if sample.reasoning is not None:
            told = generated(sample)
            if told:  # `generate` names the language where it is not English; of other texts it is not known
                self.languages[str(told.get("language") or "en")] += 1
            teacher = " ".join(str(told[key]) for key in ("teacher", "model") if told.get(key))
            self.teachers[teacher or "not told"] += 1
        if sample.id in self._scored_ids:
            self.shared_ids.add(sample.id)


class DataFile(NamedTuple):
    """One file that a training read."""

    name: str
    sha256: str
    split: str | None
    """The part that was learnt; None: all of it, or not known."""
    stage: str
    """The training that read it; empty where no manifest tells."""
    steps: Sequence[Step]
    """The file and everything before it; the file alone where it is not found."""
    counts: Counts | None
    """None: the file is not where it was, or it has changed."""

    def shared_ids(self, scores: Scores) -> set[str]:
        """Return the samples that were learnt from and scored."""
        return self.counts.shared_ids & scores.ids if self.counts is not None else set()

    def shared_subjects(self, scores: Scores) -> set[str]:
        """Return the people that were learnt from and scored."""
        return self.counts.shared_subjects & scores.subjects if self.counts is not None else set()


def read_data(trainings: Sequence[Step], named: Sequence[Path], scores: Sequence[Scores]) -> list[DataFile]:
    """Find and count the files of the trainings. Raises ConfigError for a named one that no training has read."""
    ids = frozenset[str]().union(*(one.ids for one in scores))
    subjects = frozenset[str]().union(*(one.subjects for one in scores))
    found: list[DataFile] = []
    prints = {path: fingerprint(path) for path in named}
    listed = [print_of_file for training in trainings for print_of_file in training.inputs.values()]
    for path, print_of_file in prints.items():
        if not listed:
            counts = Counts(ids, subjects)
            counts.read(path, None)
            steps = lineage(path, print_of_file["sha256"], [])
            found.append(DataFile(path.name, print_of_file["sha256"], None, "", steps, counts))
        elif print_of_file not in listed:
            names = ", ".join(sorted({name for training in trainings for name in training.inputs}))
            raise ConfigError(f"--data {path}: is not what the training read ({names}), or has changed since")
    for training in trainings:
        split = training.options.get("split")
        for file, print_of_file in training.inputs.items():
            digest = str(print_of_file.get("sha256", "")) if isinstance(print_of_file, dict) else ""
            if any((one.sha256, one.split) == (digest, split) for one in found):
                continue
            here = next((path for path, one in prints.items() if one == print_of_file), None)
            here = here or same_file(file, print_of_file, _places(training, named))
            if here is None:
                found.append(DataFile(file, digest, split, training.stage, [Step(file, digest, {})], None))
                continue
            counts = Counts(ids, subjects)
            counts.read(here, split)
            steps = lineage(here, digest, [one.parent for one in named])
            found.append(DataFile(file, digest, split, training.stage, steps, counts))
    return found


def _places(training: Step, named: Sequence[Path]) -> list[Path]:
    """Return the folders in which the files of a training may lie."""
    files = [value for key, value in training.options.items() if key.endswith("_file") and isinstance(value, str)]
    return [Path(file).parent for file in files] + [path.parent for path in named]


def training_data(files: Sequence[DataFile]) -> Iterator[str]:
    """Yield the section about what the model learnt from."""
    yield "## Training data"
    yield ""
    if not files:
        yield "What the model learnt from is not known: no manifest tells, and no file was named."
        return
    for file in files:
        split = f", split {code(file.split)}" if file.split else ""
        read_by = f"read by `train {file.stage}`" if file.stage else "named by whoever wrote this card"
        yield f"**{name(file.name)}**{split}, {read_by}, digest {code(file.sha256[:16] or 'not told')}."
        yield ""
        if file.counts is None:
            yield "The file is not where it was, or has changed: its labels, sources and licences are not known here."
        else:
            yield from _counted(file.counts)
        yield ""
    yield from _lineage(files)


def _counted(counts: Counts) -> Iterator[str]:
    people = number_of(counts.num_subjects, "person", "people") if counts.num_subjects else "people not told apart"
    yield f"{number_of(counts.num_samples, 'sample')}, {people}."
    if counts.num_malformed:
        yield f"{number_of(counts.num_malformed, 'line')} of the file cannot be read."
    yield ""
    yield from table(
        ("source", "licence", "samples"),
        (
            (
                name(source) or "not told",
                name(licence) or ("drawn, nobody's likeness" if source == RENDERED else "not told"),
                f"{num:,}",
            )
            for (source, licence), num in counts.sources.most_common(MOST)
        ),
        "llr",
    )
    yield ""
    yield from shares(("label", "samples", "share"), counts.classes, counts.num_samples)
    yield from rest(counts.classes)
    if counts.teachers:
        yield ""
        explained = part_of(counts.teachers.total(), counts.num_samples)
        writers = ", ".join(f"{name(teacher)} {num:,}" for teacher, num in counts.teachers.most_common(MOST))
        yield f"{explained} samples have an explanation, written by: {writers}."


def _lineage(files: Sequence[DataFile]) -> Iterator[str]:
    """The way back to the beginning, and what was refused on it."""
    steps = list(dict.fromkeys((step.name, step.sha256) for file in files for step in file.steps))
    by_key = {(step.name, step.sha256): step for file in files for step in file.steps}
    yield "Each file was written by its stage from the files below it; digests are the first 16 digits of SHA-256."
    yield ""
    rows = []
    for key in steps:
        step = by_key[key]
        refused = ", ".join(f"{name(reason)} {num:,}" for reason, num in step.rejected.most_common())
        refused = refused or ("nothing" if step.manifest else "not known")
        told = ", ".join(name(option) for option in step.told_options)
        stage, digest = name(step.stage) or "not known", code(step.sha256[:16] or "not told")
        rows.append((code(step.name), digest, stage, told, refused))
    yield from table(("file", "digest", "written by", "options", "refused"), rows)
