"""Samples and predictions, joined by id; what does not match is counted, never dropped in silence.

Example:

    pairs = read_pairs(predictions_path, samples_path, split="test", limit=None)
    pairs.samples, pairs.predictions[sample.id], pairs.missing, pairs.surplus
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import NamedTuple

from emollm.errors import EmoLLMError, did_you_mean
from emollm.records import BadLine, Prediction, Sample, read_records

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


def read_pairs(predictions_path: Path, samples_path: Path, *, split: str | None, limit: int | None) -> Pairs:
    """Read both files. Malformed lines are kept in `bad`, and the first ones are printed to stderr.

    Raises EmoLLMError where there is nothing to score: no sample, no such split, or no id in common.
    """
    bad: list[BadLine] = []

    def keep(line: BadLine) -> None:
        bad.append(line)
        if len(bad) <= MAX_PRINTED:
            print(f"error: {line}", file=sys.stderr)
        elif len(bad) == MAX_PRINTED + 1:
            print("error: more such lines follow; all are counted", file=sys.stderr)

    everything = list(read_records(samples_path, Sample, bad=keep))
    samples = _of_split(everything, split, samples_path)[:limit]
    known, wanted = {sample.id for sample in everything}, {sample.id for sample in samples}
    predictions, surplus, first_id = {}, [], None
    for prediction in read_records(predictions_path, Prediction, bad=keep):
        first_id = first_id or prediction.id
        if prediction.id in wanted:
            predictions[prediction.id] = prediction
        elif prediction.id not in known:
            surplus.append(prediction.id)
    if not predictions:
        raise EmoLLMError(_nothing_matches(predictions_path, samples_path, first_id, samples[0].id))
    missing = [sample.id for sample in samples if sample.id not in predictions]
    return Pairs(samples, predictions, missing, surplus, bad)


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
        f"{predictions_path}: no prediction has the id of a sample in {samples_path} "
        f"('{first_id}' here, '{sample_id}' there); give the two files in the order predictions, samples"
    )
