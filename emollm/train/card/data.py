"""Data: what a model learnt from, found by the digests in its manifests, counted, and traced back to its sources.

    files = read_data([Reading(step)], named=[Path("cot.jsonl")], scores=[])
    list(training_data(files))              # the section of the card

A file counts as what was learnt from only while it is still the one that the training read.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from emollm.cards.origin import RENDERED, Step, lineage, same_file
from emollm.cards.tables import MOST, code, name, number_of, part_of, rest, shares, table
from emollm.errors import ConfigError
from emollm.files import fingerprint
from emollm.train.card.counts import Counts, Scored, count, count_pairs, holds_pairs
from emollm.train.card.scores import Scores


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


class Reading(NamedTuple):
    """A training and what it learnt from of the files that it read."""

    step: Step
    only: frozenset[str] | None = None
    """The ids of the samples; None: all of its split."""


def read_data(trainings: Sequence[Reading], named: Sequence[Path], scores: Sequence[Scores]) -> list[DataFile]:
    """Find and count the files of the trainings. Raises ConfigError for a named one that no training has read."""
    empty = frozenset[str]()
    scored = Scored(empty.union(*(one.ids for one in scores)), empty.union(*(one.subjects for one in scores)))
    found: list[DataFile] = []
    prints = {path: fingerprint(path) for path in named}
    listed = [print_of_file for training in trainings for print_of_file in training.step.inputs.values()]
    for path, print_of_file in prints.items():
        if not listed:
            found.append(_counted_file(path, path.name, print_of_file["sha256"], Reading(Step("", "", {})), [], scored))
        elif print_of_file not in listed:
            names = ", ".join(sorted({name for training in trainings for name in training.step.inputs}))
            raise ConfigError(f"--data {path}: is not what the training read ({names}), or has changed since")
    for training in trainings:
        split = training.step.options.get("split")
        for file, print_of_file in training.step.inputs.items():
            digest = str(print_of_file.get("sha256", "")) if isinstance(print_of_file, dict) else ""
            if any((one.sha256, one.split) == (digest, split) for one in found):
                continue
            here = next((path for path, one in prints.items() if one == print_of_file), None)
            here = here or same_file(file, print_of_file, _places(training.step, named))
            if here is None:
                found.append(DataFile(file, digest, split, training.step.stage, [Step(file, digest, {})], None))
            else:
                found.append(_counted_file(here, file, digest, training, [one.parent for one in named], scored))
    return found


def _counted_file(
    path: Path, name: str, digest: str, training: Reading, folders: Sequence[Path], scored: Scored
) -> DataFile:
    """Count a file that is still what the training read, and trace it back."""
    split = training.step.options.get("split")
    steps = lineage(path, digest, folders)
    if holds_pairs(path):
        counts = count_pairs(path, _made_of(path, steps, folders), scored)
    else:
        counts = count(path, split, scored, training.only)
    return DataFile(name, digest, split, training.step.stage, steps, counts)


def _made_of(pairs: Path, steps: Sequence[Step], folders: Sequence[Path]) -> Path | None:
    """Return the file of samples that an export made pairs of, if it is still there unchanged."""
    places = [pairs.parent, pairs.parent.parent, *folders]
    found = (same_file(file, print_of_file, places) for file, print_of_file in steps[0].inputs.items())
    return next(filter(None, found), None)


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
    pairs = f"{number_of(counts.num_pairs, 'pair')} of a better and a worse answer about " if counts.num_pairs else ""
    yield f"{pairs}{number_of(counts.num_samples, 'sample')}, {people}."
    if counts.num_malformed:
        yield f"{number_of(counts.num_malformed, 'line')} of the file cannot be read."
    yield ""
    if counts.has_samples:
        yield from _sources(counts)
    else:
        yield "The samples that the pairs were made of are not found: sources, licences and people are not known here."
    yield ""
    yield from shares(("label", "samples", "share"), counts.classes, counts.num_samples)
    yield from rest(counts.classes)
    if counts.teachers:
        yield ""
        explained = part_of(counts.teachers.total(), counts.num_samples)
        writers = ", ".join(f"{name(teacher)} {num:,}" for teacher, num in counts.teachers.most_common(MOST))
        yield f"{explained} samples have an explanation, written by: {writers}."


def _sources(counts: Counts) -> Iterator[str]:
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
