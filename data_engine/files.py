"""The files that `emollm detect` is given: found in folders, named, and recognised.

    for file in find_files([Path("openface/")], leave_out=set()):
        source, reason = open_source(file, None)

A file's name is its path under the input folder without the suffix, so that ids never hold an absolute path.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from data_engine.sources import Dialect, Head, Layout, read_head, recognise, require
from data_engine.sources.confidence import confidence_top
from data_engine.sources.head import SUFFIXES
from emollm.errors import SourceError

NOT_AU_FILES = ("_of_details.txt", ".manifest.json", ".rejected.jsonl")


class Source(NamedTuple):
    """One AU file, recognised."""

    head: Head
    dialect: Dialect
    layout: Layout
    name: str
    """The file's own name as an id."""


class Input(NamedTuple):
    """A file to read and its name as an id: the path under the input folder, without the suffix."""

    path: Path
    name: str


def find_files(inputs: Sequence[Path], leave_out: set[Path]) -> list[Input]:
    """Return the files of the inputs, folders searched recursively, in a stable order. Raises SourceError for none."""
    outside = {path.resolve() for path in leave_out}
    found: dict[Path, Input] = {}
    for given in inputs:
        if given.is_file():
            found.setdefault(given.resolve(), Input(given, given.stem))
        elif not given.is_dir():
            raise SourceError(f"{given}: is no file and no folder")
        for path in sorted(given.rglob("*")) if given.is_dir() else ():
            hidden = any(part.startswith(".") for part in path.relative_to(given).parts)
            known = (path.suffix.lower() in SUFFIXES and not _is_known_otherwise(path)) or _is_only_packed(path)
            if known and not hidden and path.is_file() and path.resolve() not in outside:
                name = path.relative_to(given).with_suffix("").as_posix()
                found.setdefault(path.resolve(), Input(path, name))
    if not found:
        raise SourceError(f"{inputs[0]}: holds no AU files; they end in {', '.join(SUFFIXES)}")
    return list(found.values())


def _is_only_packed(path: Path) -> bool:
    """A table that lies here packed and not unpacked: it is taken, so that reading it says what to do."""
    unpacked = path.with_suffix("")
    return path.suffix.lower() == ".gz" and unpacked.suffix.lower() in SUFFIXES and not unpacked.exists()


def _is_known_otherwise(path: Path) -> bool:
    """What OpenFace writes beside its tables, and what a stage of emollm wrote: it has a manifest."""
    return path.name.endswith(NOT_AU_FILES) or path.with_name(f"{path.stem}.manifest.json").exists()


def open_source(file: Input, dialect: Dialect | None) -> tuple[Source, str]:
    """Recognise a file, or check that it is of the given dialect; return it with the reason."""
    head = read_head(file.path)
    found, reason = recognise(head) if dialect is None else (dialect, require(head, dialect))
    layout = found.layout(head)
    top = confidence_top(head, layout)
    if top != 1.0:
        layout, reason = replace(layout, confidence_top=top), f"{reason}; confidence read as percent"
    return Source(head, found, layout, file.name), reason
