"""The files that `emollm detect` is given: found in folders, named, and told apart by what they hold.

    for file in find_files([Path("photos/")], leave_out=set()):
        file.path, file.name, file.kind

A file's name is its path under the input folder without the suffix, so that ids never hold an absolute path.
"""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

from data_engine.clips.samples import MAX_NAME
from data_engine.detectors.doors import DOORS
from data_engine.sources.head import SUFFIXES
from data_engine.sources.media import SUFFIXES as MEDIA_SUFFIXES
from emollm.errors import RecordError, SourceError
from emollm.records import Sample, decode
from emollm.stage import manifest_beside

NOT_AU_FILES = ("_of_details.txt", ".manifest.json", ".rejected.jsonl")
CONTACT_SHEET = "sheet.png"

Kind = Literal["AU file", "media", "samples"]
KINDS: tuple[Kind, ...] = ("AU file", "media", "samples")
READ: dict[Kind, str] = {
    "AU file": f"AU files ({' '.join(SUFFIXES)})",
    "media": f"pictures or clips ({' '.join(MEDIA_SUFFIXES)})",
    "samples": "samples.jsonl",
}
"""Each kind in words."""


class Input(NamedTuple):
    """A file to read and its name as an id: the path under the input folder, without the suffix."""

    path: Path
    name: str
    kind: Kind = "AU file"
    folder: Path | None = None
    """The input folder in which it was found; None where the file itself was given."""

    @property
    def told(self) -> str:
        """The file as a record tells it: its path under the input folder."""
        return self.path.name if self.folder is None else self.path.relative_to(self.folder).as_posix()

    @property
    def cannot_be_told(self) -> str:
        """Why no record can name the file; empty where one can."""
        path = self.path.as_posix()
        if printable(path) != path:
            return "its name holds bytes that are no UTF-8; rename it"
        return "its path holds a backslash; rename it" if self.kind == "media" and "\\" in path else ""


def printable(name: str) -> str:
    """Return a name with bytes that are no UTF-8 written as `\\xff`."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def find_files(inputs: Sequence[Path], leave_out: set[Path], kinds: Collection[Kind] = KINDS) -> list[Input]:
    """Return the files of the inputs that are of these kinds, folders searched recursively, in a stable order.

    A file that is found twice, under the name of a link too, is read once, under its own name.
    Raises SourceError where there are none, and for a file that is given itself and of another kind.
    """
    outside = {path.resolve() for path in leave_out}
    found: dict[Path, Input] = {}
    again = 0
    for given in inputs:
        if not given.is_file() and not given.is_dir():
            raise SourceError(f"{given}: is no file and no folder")
        here = [(given, given.resolve(), _given(given, kinds))] if given.is_file() else _inside(given, kinds)
        for path, real, file in here:
            if file.folder is not None and real in outside:
                continue
            again += real in found
            if real not in found or (found[real].path.is_symlink() and not path.is_symlink()):
                found[real] = file
    if not found:
        raise SourceError(f"{inputs[0]}: holds no {_all(kinds, ', no ')}")
    if again:
        print(f"{again:,} files are there twice or are links to others; each is read once", file=sys.stderr)
    return _told_apart(list(found.values()))


def _inside(folder: Path, kinds: Collection[Kind]) -> Iterator[tuple[Path, Path, Input]]:
    """The files of these kinds in a folder and where each really lies."""
    for path, real in _searched(folder, folder.resolve()):
        kind = _kind_in_folder(path)
        if kind == "AU file" and _is_ours(path):
            print(f"{path}: holds samples; as INPUT they are measured anew", file=sys.stderr)
        elif kind is not None and kind in kinds:
            name = path.relative_to(folder).with_suffix("").as_posix()
            yield path, real, Input(path, name[-MAX_NAME:], kind, folder)


def _searched(folder: Path, real: Path) -> Iterator[tuple[Path, Path]]:
    """Every file under a folder and where it really lies, in the order of the paths. Hidden ones are left out."""
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as error:
        print(f"warning: {folder}: cannot be searched: {error.strerror}", file=sys.stderr)
        return
    for entry in entries:
        path = folder / entry.name
        if entry.name.startswith("."):
            continue
        if entry.is_dir(follow_symlinks=False):
            if not _is_of_a_door(path):
                yield from _searched(path, real / entry.name)
        elif entry.is_symlink():
            if path.is_dir():
                print(f"warning: {path}: is a link to a folder and not followed; give it as INPUT", file=sys.stderr)
            else:
                yield path, path.resolve()
        elif entry.is_file():
            yield path, real / entry.name


def _is_of_a_door(folder: Path) -> bool:
    """Tell whether a folder lies beside an output of ours and holds what another detector wrote for it."""
    stem, _, name = folder.name.rpartition(".")
    return name in DOORS and folder.with_name(f"{stem}.manifest.json").exists()


def _given(path: Path, kinds: Collection[Kind]) -> Input:
    """A file named by the user: its kind is wanted, or it is said which is."""
    kind: Kind = "media" if path.suffix.lower() in MEDIA_SUFFIXES else "samples" if _is_ours(path) else "AU file"
    if kind not in kinds:
        raise SourceError(f"{path}: this --detector reads no {READ[kind]}; it reads {_all(kinds, ' and ')}")
    return Input(path, path.stem, kind)


def _all(kinds: Collection[Kind], between: str) -> str:
    return between.join(READ[kind] for kind in kinds)


def _kind_in_folder(path: Path) -> Kind | None:
    suffix = path.suffix.lower()
    if suffix in MEDIA_SUFFIXES:
        is_sheet = path.name == CONTACT_SHEET and path.with_name("samples.manifest.json").exists()
        return None if is_sheet else "media"
    is_table = (suffix in SUFFIXES and not _is_known_otherwise(path)) or _is_only_packed(path)
    return "AU file" if is_table else None


def _is_only_packed(path: Path) -> bool:
    """A table that lies here packed and not unpacked: it is taken, so that reading it says what to do."""
    unpacked = path.with_suffix("")
    return path.suffix.lower() == ".gz" and unpacked.suffix.lower() in SUFFIXES and not unpacked.exists()


def _is_known_otherwise(path: Path) -> bool:
    """What OpenFace writes beside its tables, and what a stage of emollm wrote: it has a manifest."""
    return path.name.endswith(NOT_AU_FILES) or manifest_beside(path).exists()


def _is_ours(path: Path) -> bool:
    """Tell whether a file holds our own records: its first line is a sample with a picture or with faces."""
    if path.suffix.lower() != ".jsonl":
        return False
    try:
        with path.open("rb") as file:
            sample = decode(next((line for line in file if line.strip()), b""), Sample)
    except (OSError, RecordError):
        return False
    return sample.media is not None or sample.faces is not None


def _told_apart(files: list[Input]) -> list[Input]:
    """Give pictures and clips names with their suffix where they need it.

    That is where they differ in it alone, `a.jpg` and `a.png`, and where they would be called what a person of another
    one is called: `anna/1.jpg` beside `anna.jpg`.
    """
    stems = Counter(file.path.with_suffix("") for file in files if file.kind == "media")

    def needs_it(file: Input) -> bool:
        stem = file.path.with_suffix("")
        return stems[stem] > 1 or (stem.name.isdecimal() and stem.parent in stems)

    return [
        file._replace(name=f"{file.name}{file.path.suffix}") if file.kind == "media" and needs_it(file) else file
        for file in files
    ]
