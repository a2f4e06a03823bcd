"""Scores: what `emollm score` measured, as far as a card tells of it.

    scores = read_scores(Path("scores"))
    scores.metrics["accuracy"].value

results.json is the evaluator's; here its numbers are read, never computed.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import msgspec

from emollm.errors import SourceError


class Number(msgspec.Struct):
    """A value with its interval; None where there is nothing to compute it from."""

    value: float | None = None
    low: float | None = None
    high: float | None = None
    num_samples: int = 0
    num_clusters: int = 0
    note: str = ""

    def shown(self, unit: str = "share") -> str:
        """Return the number with its interval, shares in percent."""
        if self.value is None:
            return "not known"
        scale, digits, sign = (100, 1, " %") if unit == "share" else (1, 1, "")
        text = f"{scale * self.value:.{digits}f}{sign}"
        if self.low is None or self.high is None:
            return f"{text}, no interval"
        return f"{text} [{scale * self.low:.{digits}f}, {scale * self.high:.{digits}f}]"


class Definition(msgspec.Struct):
    """What a metric is called and means."""

    title: str
    text: str
    unit: str = "share"


class Rates(msgspec.Struct):
    """Precision, recall and F1 of one label or AU."""

    name: str
    title: str
    support: int
    precision: Number
    recall: Number
    f1: Number


class Settings(msgspec.Struct):
    """What was asked for."""

    label_set: str | None = None
    split: str | None = None
    limit: int | None = None
    thresholds: dict[str, float] = {}
    num_resamples: int = 0
    confidence: float = 0.95


class Input(msgspec.Struct):
    """A file that was read."""

    file: str
    sha256: str


class Results(msgspec.Struct):
    """The parts of results.json that a card tells; the rest is passed over."""

    emollm: str
    settings: Settings
    inputs: dict[str, Input]
    models: list[str]
    coverage: dict[str, int]
    metrics: dict[str, Number]
    definitions: dict[str, Definition]
    labels: list[Rates]
    aus: list[Rates]
    joint: dict[str, int]
    groups: dict[str, dict[str, dict[str, Number]]]


class _Row(msgspec.Struct):
    id: str
    subject: str | None = None


class Scores(NamedTuple):
    """One folder of `emollm score`."""

    folder: str
    results: Results
    ids: frozenset[str]
    subjects: frozenset[str]
    """Of the samples that were scored; empty where the folder does not list them."""

    def is_of(self, folder: str) -> bool:
        """Tell whether the predictions are of the model in a folder of this name."""
        return any(model.rstrip("/").rpartition("+")[2].rpartition("/")[2] == folder for model in self.results.models)

    @property
    def samples_sha256(self) -> str:
        """The digest of the samples that were scored."""
        samples = self.results.inputs.get("samples")
        return samples.sha256 if samples is not None else ""


def read_scores(folder: Path) -> Scores:
    """Read a folder of `emollm score`. Raises SourceError where it is none."""
    path = folder / "results.json"
    try:
        results = msgspec.json.decode(path.read_bytes(), type=Results)
    except OSError:
        raise SourceError(f"{folder}: has no results.json; name a folder that `emollm score` wrote") from None
    except msgspec.DecodeError as error:
        raise SourceError(f"{path}: {error}; write it again with `emollm score`") from None
    rows = list(_rows(folder / "samples.jsonl"))
    return Scores(
        folder.name,
        results,
        ids=frozenset(row.id for row in rows),
        subjects=frozenset(row.subject for row in rows if row.subject is not None),
    )


def _rows(path: Path) -> list[_Row]:
    if not path.is_file():
        return []
    decoder = msgspec.json.Decoder(_Row)
    try:
        with path.open("rb") as file:
            return [decoder.decode(line) for line in file if line.strip()]
    except msgspec.DecodeError as error:
        raise SourceError(f"{path}: {error}; write it again with `emollm score`") from None
