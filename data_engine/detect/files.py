"""The files that `emollm detect` is given: found in folders, named, told apart and, where they hold AUs, recognised.

    for file in find_files([Path("openface/")], leave_out=set()):
        source, reason = open_source(file, None)

A file's name is its path under the input folder without the suffix, so that ids never hold an absolute path.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal, NamedTuple

from data_engine.sources import DIALECTS, Dialect, Head, Layout, read_head, recognise, require
from data_engine.sources.confidence import confidence_top
from data_engine.sources.head import SUFFIXES
from data_engine.sources.media import SUFFIXES as MEDIA_SUFFIXES
from emollm.errors import RecordError, SourceError
from emollm.records import Sample, decode

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
    kind: Kind = "AU file"
    folder: Path | None = None
    """The input folder in which it was found; None where the file itself was given."""

    @property
    def told(self) -> str:
        """The file as a record tells it: its path under the input folder."""
        return self.path.name if self.folder is None else self.path.relative_to(self.folder).as_posix()


def find_files(inputs: Sequence[Path], leave_out: set[Path], kinds: Collection[Kind] = KINDS) -> list[Input]:
    """Return the files of the inputs that are of these kinds, folders searched recursively, in a stable order.

    Raises SourceError where there are none, and for a file that is given itself and of another kind.
    """
    outside = {path.resolve() for path in leave_out}
    found: dict[Path, Input] = {}
    for given in inputs:
        if given.is_file():
            found.setdefault(given.resolve(), _given(given, kinds))
        elif not given.is_dir():
            raise SourceError(f"{given}: is no file and no folder")
        for path in sorted(given.rglob("*")) if given.is_dir() else ():
            kind = _kind_in_folder(path)
            if kind is None or kind not in kinds or _is_hidden(path, given) or not path.is_file():
                continue
            real = path.resolve()
            if real not in outside:
                found.setdefault(real, Input(path, path.relative_to(given).with_suffix("").as_posix(), kind, given))
    if not found:
        raise SourceError(f"{inputs[0]}: holds no {_all(kinds, ', no ')}")
    return _told_apart(list(found.values()))


def _is_hidden(path: Path, folder: Path) -> bool:
    return any(part.startswith(".") for part in path.relative_to(folder).parts)


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
    return path.name.endswith(NOT_AU_FILES) or path.with_name(f"{path.stem}.manifest.json").exists()


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
    """Give pictures and clips that differ in their suffix alone, `a.jpg` and `a.png`, names with it."""
    named = Counter((file.folder, file.name) for file in files if file.kind == "media")
    return [
        file._replace(name=f"{file.name}{file.path.suffix}")
        if file.kind == "media" and file.folder and named[file.folder, file.name] > 1
        else file
        for file in files
    ]


def open_source(file: Input, dialect: Dialect | None) -> tuple[Source, str]:
    """Recognise a file, or check that it is of the given dialect; return it with the reason."""
    head = read_head(file.path)
    found, reason = recognise(head) if dialect is None else (dialect, require(head, dialect))
    layout = found.layout(head)
    top = confidence_top(head, layout)
    if top != 1.0:
        layout, reason = replace(layout, confidence_top=top), f"{reason}; confidence read as percent"
    return Source(head, found, layout, file.name), reason


def is_other_text(path: Path) -> bool:
    """Tell whether a file is a readable table or JSON of no AU dialect: notes, a list of labels."""
    try:
        head = read_head(path)
    except SourceError:
        return False
    return not any(dialect.recognises(head) for dialect in DIALECTS.values())
