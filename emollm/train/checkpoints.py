"""Checkpoints: which of them a run can go on from.

    checkpoint = newest_whole(directory, tell=print)

A file may be cut off although the trainer state, which is written last, is there: by a disk that lost power, or by a
copy that was not finished.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from zipfile import is_zipfile

STATE = "trainer_state.json"
ARCHIVES = {".pt", ".pth", ".bin"}
"""Files of `torch.save`: archives, whose table of contents stands at their end."""
LENGTH = 8
"""Bytes at the beginning of a safetensors file that say how long its header is."""


def step_of(path: Path) -> int:
    """Return the number in the name of a checkpoint or of a file of completions."""
    return int(path.stem.rpartition("-")[2])


def newest_whole(directory: Path, tell: Callable[[str], None] = lambda _: None) -> Path | None:
    """Return the newest checkpoint of a run folder that is whole, or None. What is passed over is told."""
    for checkpoint in sorted(directory.glob("checkpoint-*"), key=step_of, reverse=True):
        broken = next(damaged_files(checkpoint), None)
        if broken is None:
            return checkpoint
        tell(f"{broken}: is missing or damaged; going on from an earlier checkpoint, if there is one")
    return None


def read_state(checkpoint: Path) -> dict[str, Any]:
    """Return the trainer state of a checkpoint. Raises OSError or ValueError where it has none."""
    found: dict[str, Any] = json.loads((checkpoint / STATE).read_text(encoding="utf-8"))
    return found


def damaged_files(checkpoint: Path) -> Iterator[Path]:
    """Yield the files that are not there to their ends. Tensors are not read, so that it takes no time."""
    try:
        read_state(checkpoint)
    except (OSError, ValueError):
        yield checkpoint / STATE
    for path in sorted(checkpoint.rglob("*")):
        is_damaged = path.suffix == ".safetensors" and path.stat().st_size != _said_size(path)
        if is_damaged or (path.suffix in ARCHIVES and not is_zipfile(path)):
            yield path


def _said_size(path: Path) -> int | None:
    """Return how many bytes a safetensors file has by its own header; None where that is damaged, too."""
    with path.open("rb") as file:
        length = int.from_bytes(file.read(LENGTH), "little")
        if length > path.stat().st_size:
            return None
        try:
            header = json.loads(file.read(length))
        except ValueError:
            return None
    ends = [tensor["data_offsets"][1] for name, tensor in header.items() if name != "__metadata__"]
    return LENGTH + length + max(ends, default=0)
