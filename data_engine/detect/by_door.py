"""Media measured by another detector, in a folder beside the output that keeps its files and what it said.

    for run in measured(door, paths, Path("samples.pyfeat"), python=None, settings={}, at_once=None):
        run.files, run.failed

The folder holds one subfolder a run: `run1`, `run2` … with the tool's own tables, its log, and `run.json`. A run that
came to its end is not made again: what it measured is read from its tables, and only the rest is measured.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from data_engine.detectors.doors import Door, DoorRun, describe, run_door
from data_engine.detectors.run import Failed
from data_engine.sources import DIALECTS, read_head, require
from emollm.errors import SourceError
from emollm.files import write_json
from emollm.stage import LOG_EVERY_S

RUN_FILE = "run.json"
TOLD = {"door", "settings", "files", "failed", "measured"}
NOT_REACHED = "not_reached"


def measured(
    door: Door,
    paths: Sequence[Path],
    folder: Path,
    python: Path | None,
    settings: Mapping[str, str],
    at_once: int | None,
) -> Iterator[DoorRun]:
    """Yield the finished runs in the folder that were made with the same settings, then runs over the other files.

    No more files than `at_once` are in one run. Raises SourceError where the tool does not run.
    """
    done: set[str] = set()
    for run in _runs(folder):
        told = _read(run / RUN_FILE)
        if told is not None and (told["door"], told["settings"]) == (door.name, dict(settings)):
            done.update(told["measured"])
            yield DoorRun([run / name for name in told["files"]], [Failed(Path(p), r, d) for p, r, d in told["failed"]])
    rest = [path for path in dict.fromkeys(path.absolute() for path in paths) if str(path) not in done]
    if rest:
        print(describe(door), file=sys.stderr)
    number = max([_number(run) for run in _runs(folder)], default=0)
    while rest:
        now, rest = rest[:at_once], rest[at_once:] if at_once else []
        number += 1
        yield _run(door, now, folder / f"run{number}", python, settings)


def forget(folder: Path) -> None:
    """Let the next run measure everything again. What the tool wrote stays where it is."""
    for run in _runs(folder):
        (run / RUN_FILE).unlink(missing_ok=True)


def _runs(folder: Path) -> list[Path]:
    return sorted((run for run in folder.glob("run*") if run.name[3:].isdecimal()), key=_number)


def _number(run: Path) -> int:
    return int(run.name[3:])


def _run(door: Door, paths: list[Path], into: Path, python: Path | None, settings: Mapping[str, str]) -> DoorRun:
    found = run_door(door, paths, into, python, settings, progress=_Progress(door.name))
    for table in found.files:
        try:
            require(read_head(table), DIALECTS[door.dialect])
        except SourceError as error:
            raise SourceError(f"{door.name}: {door.tool} wrote no table that can be read: {error}") from None
    again = {failed.path for failed in found.failed if failed.reason == NOT_REACHED}
    kept = [failed for failed in found.failed if failed.path not in again]
    told = {
        "door": door.name,
        "settings": dict(settings),
        "files": [file.relative_to(into).as_posix() for file in found.files],
        "failed": [[str(failed.path), failed.reason, failed.detail] for failed in kept],
        "measured": [str(path) for path in paths if path not in again],
    }
    write_json(into / RUN_FILE, told)
    return found


def _read(path: Path) -> dict[str, Any] | None:
    """What a finished run says of itself; None for one that was cut off."""
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return told if isinstance(told, dict) and told.keys() >= TOLD else None


class _Progress:
    """Says now and then how far the other process is."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._said = time.monotonic()

    def __call__(self, done: int, num: int) -> None:
        now = time.monotonic()
        if now - self._said > LOG_EVERY_S or done == num:
            print(f"{self._name}: {done:,} of {num:,}", file=sys.stderr)
            self._said = now
