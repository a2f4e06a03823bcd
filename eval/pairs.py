"""Samples and predictions, joined by id; what does not match is counted, never dropped in silence.

In place of predictions, the first file may hold samples whose faces a detector measured, or be what another harness
wrote (`handoff`).

Example:

    pairs = read_pairs(predictions_path, samples_path, split="test", limit=None)
    pairs.samples, pairs.predictions[sample.id], pairs.missing, pairs.surplus
"""

from __future__ import annotations

import codecs
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import msgspec

from emollm.errors import EmoLLMError, did_you_mean
from emollm.records import BadLine, Prediction, Sample, read_records
from emollm.records.lines import UNREADABLE
from eval.handoff.reading import read_told, recognise
from eval.scored import Judged

MAX_PRINTED = 10
"""Malformed lines said on stderr; more mean that it is the wrong file."""


class Pairs(NamedTuple):
    """The samples to score and the predictions there are."""

    samples: list[Sample]
    predictions: dict[str, Prediction]
    """By id; only those of the samples."""
    missing: list[str]
    """Ids of samples without a prediction."""
    surplus: list[str]
    """Ids of predictions that are no sample of the file; other splits are no surplus."""
    bad: list[BadLine]
    judged: Judged = "model"
    detected: Mapping[str, Sample] = MappingProxyType({})
    """By id, in place of predictions; only those of the samples."""


def read_pairs(predictions_path: Path, samples_path: Path, *, split: str | None, limit: int | None) -> Pairs:
    """Read both files. Malformed lines are kept in `bad`, and the first ones are printed to stderr.

    Raises EmoLLMError where there is nothing to score: no sample, no such split, or no id in common; and where the
    first file mixes predictions with samples, or is the second one, or the second holds predictions.
    """
    bad: list[BadLine] = []
    harness = recognise(predictions_path)
    judged = "model" if harness else who_is_judged(predictions_path)
    if judged == "detector" and predictions_path.resolve() == samples_path.resolve():
        raise EmoLLMError(f"{predictions_path}: is compared with itself; give what was detected, then the gold samples")

    def keep(line: BadLine) -> None:
        if line.path == samples_path and kind_of(line.text) == "model":
            where = f"{line.path}:{line.line}"
            raise EmoLLMError(f"{where}: a prediction; give the two files in the order predictions, samples")
        if line.path == predictions_path and kind_of(line.text) not in (None, judged):
            raise EmoLLMError(_mixed(line, judged))
        bad.append(line)
        if len(bad) <= MAX_PRINTED:
            print(f"error: {line}", file=sys.stderr)
        elif len(bad) == MAX_PRINTED + 1:
            print("error: more such lines follow; all are counted", file=sys.stderr)

    everything = list(read_records(samples_path, Sample, bad=keep))
    samples = _of_split(everything, split, samples_path)[:limit]
    known, wanted = {sample.id for sample in everything}, {sample.id for sample in samples}
    predictions: dict[str, Prediction] = {}
    detected: dict[str, Sample] = {}
    surplus, first_id = [], None
    if harness is not None:
        records: Iterator[Sample | Prediction] = read_told(harness, predictions_path, everything, keep)
    else:
        records = read_records(predictions_path, Sample if judged == "detector" else Prediction, bad=keep)
    for record in records:
        first_id = first_id or record.id
        if record.id not in wanted:
            surplus += [] if record.id in known else [record.id]
        elif isinstance(record, Sample):
            detected[record.id] = record
        elif isinstance(record, Prediction):
            predictions[record.id] = record
    if not (predictions or detected):
        raise EmoLLMError(_nothing_matches(predictions_path, samples_path, first_id, samples[0].id))
    missing = [sample.id for sample in samples if sample.id not in (detected or predictions)]
    return Pairs(samples, predictions, missing, surplus, bad, judged, detected)


class _Kind(msgspec.Struct):
    """What tells a prediction from a sample, whatever else is wrong with the line."""

    completion: Any = None
    faces: Any = None


_KIND = msgspec.json.Decoder(_Kind)


def kind_of(line: bytes | str) -> Judged | None:
    """Tell whose record a line is: a model's (`completion`), a detector's (`faces`), or neither's (None)."""
    try:
        found = _KIND.decode(line)
    except UNREADABLE:
        return None
    return "model" if found.completion is not None else "detector" if found.faces is not None else None


def who_is_judged(path: Path) -> Judged:
    """Tell from the first line that is clear about it; a file that never is passes for predictions."""
    try:
        with path.open("rb") as file:
            kinds = (kind_of(line.removeprefix(codecs.BOM_UTF8)) for line in file)
            return next((kind for kind in kinds if kind is not None), "model")
    except OSError as error:
        raise EmoLLMError(f"{path}: cannot be read: {error.strerror}") from None


def _mixed(line: BadLine, judged: Judged) -> str:
    what = ("a prediction among samples", "a sample among predictions")[judged == "model"]
    return f"{line.path}:{line.line}: {what}; score what a model said and what a detector measured in two runs"


def _of_split(samples: list[Sample], split: str | None, path: Path) -> list[Sample]:
    if not samples:
        raise EmoLLMError(f"{path}: holds no valid sample; give the samples that were predicted")
    if split is None:
        return samples
    found = [sample for sample in samples if sample.split == split]
    if not found:
        splits = sorted({sample.split for sample in samples if sample.split is not None})
        known = f"; its splits are {', '.join(splits)}" if splits else "; its samples name no split"
        raise EmoLLMError(f"{path}: no sample of split '{split}'{known}{did_you_mean(split, splits)}")
    return found


def _nothing_matches(predictions_path: Path, samples_path: Path, first_id: str | None, sample_id: str) -> str:
    if first_id is None:
        return f"{predictions_path}: holds no valid prediction; run `emollm predict` first"
    return (
        f"{predictions_path}: no record has the id of a sample in {samples_path} "
        f"('{first_id}' here, '{sample_id}' there); give the two files in the order predictions, samples"
    )
