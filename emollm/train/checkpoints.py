"""Checkpoints: which of them a run can go on from.

    list_files(checkpoint)                              # when all but the trainer state is written, which comes last
    checkpoint = newest_whole(directory, tell=print)

A file may be cut off or lacking although the trainer state is there: by a disk that lost power, or by a copy that was
not finished. A trainer would begin anew, without a word, what an optimizer or a schedule has forgotten.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from emollm.files import write_json

STATE, LISTING = "trainer_state.json", "files.json"
NAME = re.compile(r"checkpoint-(\d+)")


def checkpoints(directory: Path) -> list[Path]:
    """Return the checkpoints of a run folder, the oldest first. Other folders and files of such names are none."""
    found = [path for path in directory.glob("checkpoint-*") if NAME.fullmatch(path.name) and path.is_dir()]
    return sorted(found, key=step_of)


def step_of(path: Path) -> int:
    """Return the number in the name of a checkpoint or of a file of completions."""
    return int(path.stem.rpartition("-")[2])


def list_files(checkpoint: Path) -> None:
    """Write down the files of a checkpoint and their sizes in bytes, by which it is known to be whole."""
    write_json(checkpoint / LISTING, _sizes(checkpoint))


def begin_anew(checkpoint: Path) -> None:
    """Take from a folder what makes it a whole checkpoint: it is about to be written over."""
    for name in (STATE, LISTING):
        (checkpoint / name).unlink(missing_ok=True)


def newest_whole(directory: Path, tell: Callable[[str], None] = lambda _: None) -> Path | None:
    """Return the newest checkpoint of a run folder that is whole, or None. What is passed over is told."""
    for checkpoint in reversed(checkpoints(directory)):
        problem = what_is_wrong(checkpoint)
        if not problem:
            return checkpoint
        tell(f"{checkpoint}: {problem}; going on from an earlier checkpoint, if there is one")
    return None


def what_is_wrong(checkpoint: Path) -> str:
    """Return what keeps a run from going on from a checkpoint; nothing where it is whole. No tensor is read."""
    if "global_step" not in read_state(checkpoint):
        return f"{STATE} is missing or damaged"
    listed = _read_object(checkpoint / LISTING)
    if not listed:
        return f"{LISTING}, which tells its files, is missing or damaged"
    found = _sizes(checkpoint)
    for name, size in listed.items():
        if found.get(name) != size:
            return f"{name} has {found[name]} of {size} bytes" if name in found else f"{name} is missing"
    return ""


def read_state(checkpoint: Path) -> dict[str, Any]:
    """Return the trainer state of a checkpoint; nothing where it has none that can be read."""
    return _read_object(checkpoint / STATE)


def _read_object(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _sizes(checkpoint: Path) -> dict[str, int]:
    """Return the bytes of every file but the two that vouch for them, by its name within the checkpoint."""
    files = {path.relative_to(checkpoint).as_posix(): path for path in sorted(checkpoint.rglob("*")) if path.is_file()}
    return {name: path.stat().st_size for name, path in files.items() if name not in (STATE, LISTING)}
