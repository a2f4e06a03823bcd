"""Files: written in one step, and known again by their digests.

with in_one_step(path) as part:
    picture.save(part, "PNG")
with naming(path):
    file.write(line)                # "cot.jsonl: No space left on device"
fingerprint(path)                   # {"sha256": "9f86…", "bytes": 4}
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any


@contextmanager
def in_one_step(path: Path) -> Iterator[Path]:
    """Hand out a place to write to, which takes the name of `path` at the end: a reader never sees half a file."""
    part = path.with_name(path.name + ".part")
    with naming(path):
        yield part
    part.replace(path)


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Name the file in an error of the system, which tells no name of one that is open already: the disk is full."""
    try:
        yield
    except OSError as error:
        if error.errno is not None and error.filename is None:
            error.filename = str(path)
        raise


def write_json(path: Path, value: object) -> None:
    """Write a JSON file in one step."""
    with in_one_step(path) as part:
        part.write_text(json.dumps(value, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def fingerprint(path: Path) -> dict[str, Any]:
    """Return what tells whether a file is still the same: its digest and its size in bytes."""
    return {"sha256": sha256(path), "bytes": path.stat().st_size}


def has_only_grown(path: Path, earlier: Mapping[str, Any]) -> bool:
    """Tell whether a file still begins with what it was: appending rows is no change to the rows already done."""
    digest, left = hashlib.sha256(), int(earlier["bytes"])
    with path.open("rb") as file:
        while left > 0 and (block := file.read(min(left, 1 << 20))):
            digest.update(block)
            left -= len(block)
    return left == 0 and digest.hexdigest() == earlier["sha256"]


def sha256(path: Path) -> str:
    """Return the hex digest of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
