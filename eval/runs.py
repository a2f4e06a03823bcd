"""Scored runs as `emollm score` left them, and whether two of them can be compared at all.

first, second = read_runs([folder, other])
refuse_incomparable(first, second)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from emollm.errors import ConfigError, RecordError
from eval.results import RESULTS_NAME, SAMPLES_NAME, Results, read_results
from eval.scored import Scored, read_scored


class Run(NamedTuple):
    """A folder of `emollm score`."""

    folder: Path
    results: Results
    rows: list[Scored]


def read_run(folder: Path) -> Run:
    """Read results.json and samples.jsonl of a folder. Raises RecordError where they are not of one run."""
    results, path = read_results(folder), folder / SAMPLES_NAME
    rows, seen = list(read_scored(path)), set()
    again = "write both again with `emollm score`"
    for row in rows:
        if row.id in seen:
            raise RecordError(f"{path}: id '{row.id}' stands there twice; {again}")
        seen.add(row.id)
    if len(rows) != results.coverage.samples:
        told = f"{len(rows):,} samples, where {RESULTS_NAME} has {results.coverage.samples:,}"
        raise RecordError(f"{path}: {told}; {again}")
    return Run(folder, results, rows)


def read_runs(folders: Sequence[Path]) -> list[Run]:
    """Read the folders. Raises ConfigError where one is given twice, which would make two differences of one."""
    places: set[Path] = set()
    for folder in folders:
        if folder.resolve() in places:
            raise ConfigError(f"{folder}: is given twice; name each run once")
        places.add(folder.resolve())
    return [read_run(folder) for folder in folders]


def names_of(runs: Sequence[Run]) -> list[str]:
    """Return the names of the folders, with the folders above them where two have the same."""
    names = [run.folder.resolve().name for run in runs]
    return names if len(set(names)) == len(names) else [str(run.folder) for run in runs]


def refuse_incomparable(first: Run, second: Run) -> None:
    """Raise ConfigError, with every reason, where a difference would not be due to the models."""
    problems = []
    if first.results.emollm != second.results.emollm:
        problems.append(f"scored by emollm {first.results.emollm} and {second.results.emollm}")
    for name in ("judged", "label_set", "split", "thresholds", "aus"):
        one, other = (getattr(run.results.settings, name) for run in (first, second))
        if one != other:
            problems.append(f"{name} {one!r} and {other!r}")
    pins = [{name: facts.pins for name, facts in run.results.families.items()} for run in (first, second)]
    problems += [
        f"other {name}: {_differing(pins[0][name], pins[1][name])}"
        for name in pins[0].keys() & pins[1].keys()
        if pins[0][name] != pins[1][name]
    ]
    problems += _other_answers(first, second)
    ids = [{row.id for row in run.rows} for run in (first, second)]
    if ids[0] != ids[1]:
        alone = (len(ids[0] - ids[1]), len(ids[1] - ids[0]))
        problems.append(f"other samples ({alone[0]:,} only in the first, {alone[1]:,} only in the second)")
    elif changed := changed_gold(first, second):
        fields = ", ".join(sorted({field for found in changed.values() for field in found}))
        problems.append(f"other gold for {len(changed):,} samples ({fields}), such as '{next(iter(changed))}'")
    if problems:
        where = f"{first.folder} and {second.folder}"
        raise ConfigError(
            f"{where}: not comparable: {'; '.join(problems)}; score both with one emollm, the same samples and settings"
        )


def _other_answers(first: Run, second: Run) -> list[str]:
    """Name the inputs besides the predictions, swapped answers for one, that differ where the predictions do not.

    Each model has such answers of its own: of two models, they differ as the predictions do.
    """
    one, other = first.results.inputs, second.results.inputs
    if one["predictions"].sha256 != other["predictions"].sha256:
        return []
    return [
        f"other {name} answers ({one[name].file} and {other[name].file}) beside the same predictions"
        for name in sorted((one.keys() & other.keys()) - {"predictions", "samples"})
        if one[name].sha256 != other[name].sha256
    ]


def changed_gold(first: Run, second: Run) -> dict[str, list[str]]:
    """Return the samples whose gold the two runs know differently, with the names of what differs."""
    other = {row.id: row for row in second.rows}
    found = {row.id: _changed(row, other[row.id]) for row in first.rows}
    return {name: fields for name, fields in found.items() if fields}


def _changed(row: Scored, other: Scored) -> list[str]:
    changed = [name for name, field in (("label", "gold"), ("face", "face"), ("subject", "subject"))
               if getattr(row, field) != getattr(other, field)]  # fmt: skip
    if row.gold_digests is None or other.gold_digests is None:
        return changed
    digests = (row.gold_digests, other.gold_digests)
    return changed + [name for name in {**digests[0], **digests[1]} if digests[0].get(name) != digests[1].get(name)]


def _differing(first: Mapping[str, Any], second: Mapping[str, Any]) -> str:
    """Name what two families depend on differently."""
    names = [name for name in sorted({*first, *second}) if first.get(name) != second.get(name)]
    return ", ".join(f"{name} {first.get(name)!r} and {second.get(name)!r}" for name in names)
