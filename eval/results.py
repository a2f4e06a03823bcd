"""results.json: every number with its interval, its base, its definition, and what it was computed from.

`summary.summarise` computes it, `score` writes it, `report` and `compare` read it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec

from emollm.errors import EmoLLMError, RecordError
from emollm.files import write_json
from emollm.records import Record
from eval.scored import Judged

RESULTS_NAME = "results.json"
SAMPLES_NAME = "samples.jsonl"
REPORT_NAME = "report.html"


class Number(Record, omit_defaults=False):
    """A value with its interval. `None`: there is nothing to compute it from."""

    value: float | None
    low: float | None
    high: float | None
    num_samples: int
    num_clusters: int
    note: str = ""


class Definition(Record):
    """What a metric is called and means, and which way is better: higher, lower, or neither (empty)."""

    title: str
    text: str
    better: str
    unit: str
    """share (0 to 1), words, or a plain number."""
    source: str = ""


class Rates(Record):
    """Precision, recall and F1 of one label or one AU."""

    name: str
    title: str
    measured: int
    """Samples in which it is known whether it is there."""
    support: int
    """Samples in which it is there."""
    named: int
    """Samples in which it was answered or named, among the measured."""
    precision: Number
    recall: Number
    f1: Number


class Confusion(Record):
    """Gold labels × answered labels, in samples. The last column is every answer without a label of the set."""

    labels: list[str]
    columns: list[str]
    counts: list[list[int]]


class Settings(Record, omit_defaults=False):
    """What was asked for. Results with different settings are not comparable."""

    label_set: str | None
    split: str | None
    limit: int | None
    thresholds: dict[str, float]
    num_resamples: int
    seed: int
    confidence: float
    judged: Judged = "model"
    protocol: str | None = None
    """The name of the list of AUs that was asked for."""
    aus: tuple[str, ...] | None = None
    """The AUs that count, in this order; None: each that is measured."""
    benchmark: str | None = None
    """The published numbers that the report shows beside these; a key of `benchmarks.BENCHMARKS`."""


class Input(Record):
    """A file that was read."""

    file: str
    sha256: str


class Coverage(Record):
    """How much of the data the numbers stand on."""

    samples: int
    predictions: int
    missing: int
    """Samples without a prediction; they count as wrong."""
    surplus: int
    """Predictions whose id is no sample; they count nowhere."""
    malformed: int
    """Lines that are no valid record; they count nowhere."""
    labelled: int
    """Samples with a gold label, or with open-vocabulary labels."""
    measured: int
    """Samples with measured action units."""
    subjects: int
    clusters: int
    """Known subjects, and every sample without one by itself."""


class FamilyFacts(Record):
    """A family of metrics that was computed: what it is about, and what its numbers depend on."""

    title: str
    about: str
    metrics: list[str]
    pins: dict[str, Any]
    """Tables, judges, prompts, each with its hash. Results with different pins are not comparable."""
    notices: list[str]
    table: dict[str, dict[str, Number]] = msgspec.field(default_factory=dict)
    """Part (an AU, for example) → metric, where a family has numbers for each of its parts."""


class Results(Record, omit_defaults=False):
    """The whole of results.json."""

    emollm: str
    settings: Settings
    inputs: dict[str, Input]
    versions: dict[str, str]
    models: list[str]
    coverage: Coverage
    metrics: dict[str, Number]
    definitions: dict[str, Definition]
    families: dict[str, FamilyFacts]
    labels: list[Rates]
    confusion: Confusion | None
    aus: list[Rates]
    claims: dict[str, int]
    """Number of claims of each verdict."""
    joint: dict[str, int]
    """Samples by label and explanation: right_true, right_untrue, wrong_true, wrong_untrue."""
    groups: dict[str, dict[str, dict[str, Number]]]
    """Attribute → its value → metric."""
    notices: list[str] = msgspec.field(default_factory=list)
    """What a reader must know before the first number, besides what the coverage says."""


def write_results(folder: Path, results: Results) -> None:
    """Write results.json in one step."""
    write_json(folder / RESULTS_NAME, json.loads(msgspec.json.encode(results)))


def read_results(folder: Path) -> Results:
    """Read results.json of a folder written by `emollm score`."""
    path = folder / RESULTS_NAME
    try:
        return msgspec.json.decode(path.read_bytes(), type=Results)
    except OSError as error:
        raise EmoLLMError(
            f"{path}: cannot be read: {error.strerror}; name a folder that `emollm score` wrote"
        ) from None
    except msgspec.DecodeError as error:
        raise RecordError(f"{path}: {error}; write it again with `emollm score`") from None
