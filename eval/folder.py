"""The folder that `score` writes: what may be overwritten, and the lines that go into it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from emollm.errors import ConfigError, EmoLLMError, RecordError
from emollm.files import in_one_step
from emollm.records import BadLine, encode
from eval.results import REPORT_NAME, RESULTS_NAME, SAMPLES_NAME, Input, Results, Settings, read_results
from eval.scored import Scored

REJECTED_NAME = "rejected.jsonl"


def places_of(folder: Path) -> tuple[Path, ...]:
    """Return the files that `score` writes into a folder."""
    return tuple(folder / name for name in (RESULTS_NAME, SAMPLES_NAME, REPORT_NAME, REJECTED_NAME))


def claim_folder(
    folder: Path, inputs: Sequence[Path], settings: Settings, hashes: Mapping[str, Input], *, overwrite: bool
) -> None:
    """Make the folder; refuse to write over the inputs, over foreign files, or over other results."""
    taken = {path.resolve() for path in inputs}
    for path in places_of(folder):
        if path.resolve() in taken:
            raise EmoLLMError(f"{path}: is an input and would be overwritten; choose another -o")
    if (folder / SAMPLES_NAME).exists() and not (folder / RESULTS_NAME).exists():
        raise EmoLLMError(f"{folder / SAMPLES_NAME}: was not written by `emollm score`; choose another -o")
    if (folder / RESULTS_NAME).exists() and not overwrite:
        before = _results_of(folder)
        if before is None or (before.settings, before.inputs) != (settings, dict(hashes)):
            raise ConfigError(
                f"{folder}: holds the scores of other inputs or settings; use --overwrite to replace them, or another "
                "-o"
            )
    folder.mkdir(parents=True, exist_ok=True)


def refuse_replacing(folder: Path, pins: Mapping[str, Mapping[str, Any]]) -> None:
    """Raise ConfigError where the folder holds a family that is not among these, or one with other pins.

    `pins` are those that are known by now, by family; what is not known yet differs from nothing.
    """
    before = _results_of(folder) if (folder / RESULTS_NAME).exists() else None
    others = []
    for name, facts in before.families.items() if before is not None else ():
        if name not in pins:
            others.append(f"{name}, which --metrics leaves out")
        elif changed := _changed(facts.pins, json.loads(msgspec.json.encode(pins[name]))):
            others.append(f"{name} with {', '.join(changed)}")
    if others:
        raise ConfigError(
            f"{folder}: holds the scores of {'; '.join(others)}; use --overwrite to replace them, or another -o"
        )


def _changed(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Name the pins that have another value now; tables of several values without them."""
    names = [name for name, value in now.items() if name in before and before[name] != value]
    return [
        name if isinstance(now[name], dict | list) else f"{name} {before[name]!r} in place of {now[name]!r}"
        for name in names
    ]


def _results_of(folder: Path) -> Results | None:
    """Return the results that a folder holds; None where an older version wrote them, or nobody can read them."""
    try:
        return read_results(folder)
    except RecordError:
        return None


def write_lines(folder: Path, rows: Sequence[Scored], bad: Sequence[BadLine]) -> None:
    """Write samples.jsonl, and rejected.jsonl if any line of the inputs could not be read."""
    _write(folder / SAMPLES_NAME, (encode(row) for row in rows))
    rejected = folder / REJECTED_NAME
    if bad:
        _write(rejected, (json.dumps(_reject(line), ensure_ascii=False).encode() for line in bad))
    else:
        rejected.unlink(missing_ok=True)


def _reject(line: BadLine) -> dict[str, str | None]:
    return {"id": None, "reason": "malformed", "detail": str(line), "record": line.text}


def _write(path: Path, lines: Iterable[bytes]) -> None:
    """Write a file in one step, a line at a time."""
    with in_one_step(path) as part, part.open("wb") as file:
        file.writelines(line + b"\n" for line in lines)
