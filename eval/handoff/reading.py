"""Recognising a file of another harness, and joining what it tells with the samples.

harness = recognise(path)                       # None: a file of ours
predictions = read_told(harness, path, samples, bad=keep)
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from emollm.answers.words import split_labels
from emollm.errors import EmoLLMError, SourceError
from emollm.labels import canonical
from emollm.records import BadLine, Prediction, Sample
from eval.handoff import inspect_logs, lmms, vlmevalkit
from eval.handoff.told import Harness, Keep, Told

MAX_PEEK = 1 << 22
"""Bytes of the first line that are looked at."""


def recognise(path: Path) -> Harness | None:
    """Tell which harness wrote a file; None: a file of records, or nothing that is known.

    Raises SourceError for a pickle, which is never opened.
    """
    suffix = path.suffix.lower()
    if suffix in (".pkl", ".pickle"):
        raise SourceError(f"{path}: is a pickle, which can run anything and is not opened; set PRED_FORMAT=tsv")
    if suffix == ".eval":
        return inspect_logs.HARNESS
    if suffix in (".xlsx", ".tsv"):
        return vlmevalkit.HARNESS
    if suffix == ".json" and (found := _document(path)) is not None:
        return inspect_logs.HARNESS if inspect_logs.is_log(found) else vlmevalkit.HARNESS
    return lmms.HARNESS if lmms.is_line(_first_line(path)) else None


def _document(path: Path) -> Any:
    """Return a JSON document of a known shape; None for any other file, JSON Lines too."""
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return None
    return found if inspect_logs.is_log(found) or vlmevalkit.is_table(found) else None


def _first_line(path: Path) -> Any:
    try:
        with path.open("rb") as file:
            line = next((line for line in iter(lambda: file.readline(MAX_PEEK), b"") if line.strip()), b"")
        return json.loads(line.removeprefix(b"\xef\xbb\xbf"))
    except (OSError, ValueError, RecursionError):
        return None


def read_told(harness: Harness, path: Path, samples: Sequence[Sample], bad: Keep) -> Iterator[Prediction]:
    """Yield a prediction for each answer of the file, with the id of its sample where there is one.

    Later answers to a document are passed over, and one that the harness could not get is no prediction: both are
    counted on stderr. What cannot be read, and a second document about a sample, goes to `bad`.

    Raises EmoLLMError where the documents are only numbered and nothing proves whose numbers these are.
    """
    try:
        everything = list(harness.read(path, bad))
    except OSError as error:
        raise EmoLLMError(f"{path}: cannot be read: {error.strerror or error}") from None
    told = [one for one in everything if not one.is_repeat]
    known = {sample.id for sample in samples}
    by_number: Mapping[int, str] = {}
    if told and not any(known.intersection(one.ids) for one in told):
        by_number = number_samples(harness, path, told, samples)
    print(f"{path.name}: {_count(harness, told, len(everything) - len(told))}", file=sys.stderr)
    lines: dict[str, int] = {}
    for one in told:
        found = by_number.get(-1 if one.number is None else one.number)
        name = found or next((name for name in one.ids if name in known), one.ids[0])
        if name in lines:
            bad(BadLine(path, one.line, f"id: '{name}' is already on line {lines[name]}", ""))
        elif one.completion is not None:
            yield Prediction(id=name, completion=one.completion, model=one.model)
        lines.setdefault(name, one.line)


def _count(harness: Harness, told: Sequence[Told], num_repeats: int) -> str:
    """Say how many answers there are, and which of them do not count."""
    failed = sum(one.completion is None for one in told)
    parts = [f"{len(told):,} documents answered with {harness.name}"]
    parts += [f"{failed:,} of them without success, which count as missing"] * (failed > 0)
    parts += [f"{num_repeats:,} later answers to the same, which are passed over"] * (num_repeats > 0)
    return "; ".join(parts)


def number_samples(harness: Harness, path: Path, told: Sequence[Told], samples: Sequence[Sample]) -> dict[int, str]:
    """Return number of the document to id of the sample, in the order of the samples file.

    Raises EmoLLMError unless every document has a number, and gold answers show that the orders are the same.
    """
    numbers = [one.number for one in told if one.number is not None]
    what = f"{path}: no answer has the id of a sample ('{told[0].ids[0]}' here, '{samples[0].id}' there)"
    if len(numbers) < len(told) or (harness.first is None and len(told) != len(samples)):
        raise EmoLLMError(f"{what}; {harness.cure}")
    first = min(numbers) if harness.first is None else harness.first
    places = {number: number - first for number in numbers}
    if not all(0 <= place < len(samples) for place in places.values()):
        raise EmoLLMError(f"{what}, and its numbers run beyond the {len(samples):,} samples; {harness.cure}")
    agreed = 0
    for one in told:
        sample = samples[places[one.number or 0]]
        is_same = has_target(sample, one.target)
        if is_same is False:
            raise EmoLLMError(
                f"{what}, and the order is another: '{one.target}' is gold of number {one.number} there, "
                f"and '{sample.id}' at its place is not; {harness.cure}"
            )
        agreed += is_same is True
    if not agreed:
        raise EmoLLMError(f"{what}, and no gold answer in it proves that its numbers are theirs; {harness.cure}")
    print(
        f"{path.name}: joined by number; {agreed:,} of {len(told):,} gold answers in it prove the order of the samples",
        file=sys.stderr,
    )
    return {number: samples[place].id for number, place in places.items()}


def has_target(sample: Sample, target: str) -> bool | None:
    """Tell whether a gold answer is the sample's; None where one of them is missing."""
    gold = [sample.label] if sample.label is not None else sample.labels
    said = split_labels(target)
    if not gold or not said:
        return None
    return {_word(label, sample.label_set) for label in gold} == {_word(label, sample.label_set) for label in said}


def _word(label: str, label_set: str | None) -> str:
    return canonical(label, label_set) or label.strip().lower()
