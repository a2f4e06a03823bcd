"""Media measured by another detector, in a folder beside the output that keeps its files and what it said.

    for run in measured(door, paths, Path("samples.pyfeat"), python=None, settings={}, fresh=False):
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
from emollm.stage import LOG_EVERY_S, write_json

RUN_FILE = "run.json"
NOT_REACHED = "not_reached"


def measured(
    door: Door, paths: Sequence[Path], folder: Path, python: Path | None, settings: Mapping[str, str], *, fresh: bool
) -> Iterator[DoorRun]:
    """Yield the finished runs in the folder that were made with the same settings, then a run over the other files.

    `fresh` measures all files again. Raises SourceError where the tool does not run.
    """
    wanted = [str(path.absolute()) for path in paths]
    done: set[str] = set()
    runs = sorted(folder.glob("run*"), key=lambda run: (len(run.name), run.name))
    for run in runs if not fresh else ():
        told = _read(run / RUN_FILE)
        if told is not None and (told["door"], told["settings"]) == (door.name, dict(settings)):
            done.update(told["measured"])
            yield DoorRun([run / name for name in told["files"]], [Failed(Path(p), r, d) for p, r, d in told["failed"]])
    rest = [Path(path) for path in wanted if path not in done]
    if rest:
        number = int(runs[-1].name.removeprefix("run")) + 1 if runs else 1
        yield _run(door, rest, folder / f"run{number}", python, settings)


def _run(door: Door, paths: list[Path], into: Path, python: Path | None, settings: Mapping[str, str]) -> DoorRun:
    print(describe(door), file=sys.stderr)
    found = run_door(door, paths, into, python, settings, progress=_Progress(door.name))
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
        told: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return told


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
