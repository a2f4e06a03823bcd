"""Judge and people: scores of people for some of the explanations, how far the judge agrees, and what follows.

    anchors = read_anchors(path)                             # {"score": {id: 7.0, …}} by number
    cohen_kappa([1, 2, 3], [1, 2, 2])
    ppi_mean(judge_elsewhere, judge_there, human_there)      # value, low, high

An anchor file is JSON Lines of `{"id": …, "score": …}`, or CSV with these columns. `metric` names the number that is
scored, if it is not the first of the mode. Several scores of one id are people who scored it; their mean counts.
"""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from emollm.errors import EmoLLMError, RecordError, did_you_mean
from eval.intervals import Index
from eval.judge.asking import Judged
from eval.judge.lines import Z
from eval.judge.mode import Number
from eval.metrics.counts import Array


class Anchors(NamedTuple):
    """What people say of a number."""

    metric: str
    scores: dict[str, float]
    """Id to the mean of its scores."""
    num_scores: int


def read_anchors(path: Path, numbers: Mapping[str, Number]) -> Anchors:
    """Read the scores of people. Raises RecordError with `file:line: what is wrong` for what is none."""
    metric, found = "", dict[str, list[float]]()
    for line, row in _rows(path):
        where = f"{path}:{line}"
        name = str(row.get("metric") or next(iter(numbers)))
        if name not in numbers:
            raise RecordError(
                f"{where}: metric: '{name}' is no number of this mode; one of {', '.join(numbers)}"
                f"{did_you_mean(name, numbers)}"
            )
        if metric and name != metric:
            raise RecordError(f"{where}: metric: '{name}' after '{metric}'; use a file for each")
        metric, number = name, numbers[name]
        try:
            score = float(row["score"])
        except (KeyError, TypeError, ValueError):
            score = math.nan
        if not number.low <= score <= number.high:
            raise RecordError(f"{where}: score: must be a number from {number.low:g} to {number.high:g}")
        if not isinstance(row.get("id"), str) or not row["id"]:
            raise RecordError(f"{where}: id: is missing; name the sample that was scored")
        found.setdefault(row["id"], []).append(score)
    if not found:
        raise RecordError(f'{path}: holds no score; one line each: {{"id": …, "score": …}}')
    means = {record: sum(scores) / len(scores) for record, scores in found.items()}
    return Anchors(metric, means, sum(map(len, found.values())))


def _rows(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the rows of a CSV file or of JSON Lines, each with its line."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            if path.suffix.lower() == ".csv":
                reader = csv.DictReader(file)
                yield from ((reader.line_num, row) for row in reader)
                return
            for number, line in enumerate(file, start=1):
                if line.strip():
                    row = json.loads(line)
                    if not isinstance(row, dict):
                        raise RecordError(f'{path}:{number}: is no object of the form {{"id": …, "score": …}}')
                    yield number, row
    except OSError as error:
        raise EmoLLMError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise RecordError(f"{path}: is not UTF-8") from None
    except json.JSONDecodeError as error:
        raise RecordError(f"{path}: not JSON Lines ({error}); a table needs a name that ends in .csv") from None


# --- agreement --------------------------------------------------------------------------------------------------------


def cohen_kappa(first: Sequence[float], second: Sequence[float]) -> float:
    """Return κ = (observed − expected) / (1 − expected) agreement (Cohen 1960); NaN where all is one category."""
    categories = sorted({*first, *second})
    table = np.zeros((len(categories), len(categories)))
    for one, other in zip(first, second, strict=True):
        table[categories.index(one), categories.index(other)] += 1
    shares = table / table.sum()
    expected = float(shares.sum(axis=1) @ shares.sum(axis=0))
    return (float(np.trace(shares)) - expected) / (1 - expected) if expected < 1 else math.nan


def rounded(values: Sequence[float], step: float) -> list[float]:
    """Return values as the nearest one that a vote can have, a half upwards: means of several votes lie between."""
    return [math.floor(value / step + 0.5) * step for value in values]


# --- prediction-powered inference -------------------------------------------------------------------------------------


class Mean(NamedTuple):
    """A mean with its 95 % interval."""

    value: float
    low: float
    high: float


def ppi_mean(elsewhere: Array, there: Array, human: Array, clusters: Sequence[Index] | None = None) -> Mean:
    """Return the mean that people would give, from the judge everywhere and people somewhere.

    θ = mean(judge elsewhere) + mean(human − judge there); θ ± 1.96 · √(var/N + var/n) (Angelopoulos et al. 2023,
    Science 382:669, the prediction-powered mean). It holds where those scored by people are a random part of all.
    `clusters` are the subjects of both, whose samples are not independent.
    """
    errors = human - there
    ends = clusters or (np.arange(len(elsewhere)), len(elsewhere) + np.arange(len(errors)))
    value = float(elsewhere.mean() + errors.mean())
    parts = [(elsewhere - elsewhere.mean()) / len(elsewhere), (errors - errors.mean()) / len(errors)]
    return _around(value, np.concatenate(parts), np.concatenate(ends))


def human_mean(human: Array, clusters: Index | None = None) -> Mean:
    """Return the mean of the human scores alone, with the interval of the same kind."""
    parts = (human - human.mean()) / len(human)
    return _around(float(human.mean()), parts, np.arange(len(human)) if clusters is None else clusters)


def _around(value: float, parts: Array, clusters: Index) -> Mean:
    """Return value ± Z · √Σ (sum of a cluster's parts)²; of single samples, this is Z · √(var/n)."""
    _, place = np.unique(clusters, return_inverse=True)
    half = Z * math.sqrt(float(np.sum(np.bincount(place, weights=parts) ** 2)))
    return Mean(value, value - half, value + half)


# --- in words ---------------------------------------------------------------------------------------------------------


def compare_with_people(
    found: Mapping[str, Judged], clusters: Mapping[str, str], anchors: Anchors, number: Number
) -> list[str]:
    """Say how far judge and people agree, and what the mean is once it is corrected by them.

    `found` are the votes by id, `clusters` the subjects by id.
    """
    said = {one: mean for one, judged in found.items() if (mean := mean_vote(judged, anchors.metric)) is not None}
    both = [one for one in said if one in anchors.scores]
    rest = [one for one in said if one not in anchors.scores]
    notices = []
    if lost := len(anchors.scores) - len(both):
        notices.append(f"--anchors: {lost:,} of {len(anchors.scores):,} ids have no verdict here and count nowhere")
    if len(both) < 2:
        return [*notices, "--anchors: fewer than two explanations were scored by both people and judge"]
    there, human = np.array([said[one] for one in both]), np.array([anchors.scores[one] for one in both])
    numbers = np.unique([clusters[one] for one in [*rest, *both]], return_inverse=True)[1]
    ends = (numbers[: len(rest)], numbers[len(rest) :])
    text = f"{number.title}: people scored {len(both):,} of {len(said):,}"
    if number.step is not None:
        kappa = cohen_kappa(*(rounded(list(values), number.step) for values in (there, human)))
        text += f" (Cohen's κ with the judge {kappa:.3f}, in steps of {number.step:g})"
    text += f", mean {_interval(human_mean(human, ends[1]))}"
    if len(rest) > 1:
        powered = ppi_mean(np.array([said[one] for one in rest]), there, human, ends)
        text += f"; judge alone {np.mean(list(said.values())):.3f}, corrected by people {_interval(powered)}"
        text += "; that holds where they scored a random part"
    return [*notices, text]


def mean_vote(judged: Judged, name: str) -> float | None:
    """Return the mean of the votes that could be read."""
    votes = [vote for vote in judged.votes.get(name, ()) if vote is not None]
    return sum(votes) / len(votes) if votes else None


def _interval(mean: Mean) -> str:
    return f"{mean.value:.3f} ({mean.low:.3f} – {mean.high:.3f})"
