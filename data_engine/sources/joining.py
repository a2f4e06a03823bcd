"""Joining: what a file says of clips and pictures, matched to them by name.

    labels = ByName({"train/0001.mp4": "sad"})
    labels.find("0001.csv", "0001")             # "sad": with or without folder and suffix
    labels.unmatched                            # []

Label files and files of features are read into it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Generic, TypeVar

from data_engine.sources.head import cells_of, refuse_binary
from data_engine.sources.media import SUFFIXES as MEDIA_SUFFIXES
from emollm.errors import SourceError

T = TypeVar("T")

ID_COLUMNS = ("id", "name", "clip", "file", "filename", "file_name", "video", "video_name", "video_id", "image", "path")
"""Headers of the column that names what a row is about."""
LABEL_COLUMNS = ("label", "emotion", "emo", "expression", "class", "discrete", "category", "gt", "labels")
"""Headers of the column that holds a label."""
_SUFFIXES = {*MEDIA_SUFFIXES, ".csv", ".json", ".wav"}


class ByName(Generic[T]):
    """What one file says, by the name of what it is said of; remembers what was asked for."""

    def __init__(self, told: Mapping[str, T]) -> None:
        self._told = told
        stems: dict[str, set[str]] = {}
        for name in told:
            stems.setdefault(stem_of(name), set()).add(name)
        # A stem that two names share (train/001.jpg, test/001.jpg) decides nothing.
        self._by_stem = {stem: next(iter(names)) for stem, names in stems.items() if len(names) == 1}
        self._found: set[str] = set()

    def find(self, *names: str) -> T | None:
        """Return what is said of the first name that the file has, with or without folder and suffix."""
        stems = [stem_of(name) for name in names]
        # RAF-DB lists train_00001.jpg and ships train_00001_aligned.jpg.
        for name in (*names, *stems, *(stem.removesuffix("_aligned") for stem in stems)):
            key = name if name in self._told else self._by_stem.get(name)
            if key is not None:
                self._found.add(key)
                return self._told[key]
        return None

    @property
    def unmatched(self) -> list[str]:
        """The names that nobody asked for."""
        return [name for name in self._told if name not in self._found]


def stem_of(name: str) -> str:
    """The name without its folder and without the suffix of a picture, a clip or a table."""
    last = name.replace("\\", "/").rpartition("/")[2]
    stem, _, suffix = last.rpartition(".")
    return stem if stem and f".{suffix.lower()}" in _SUFFIXES else last


def place_of(columns: Iterable[str], known: Sequence[str]) -> int | None:
    """Where the first of the known columns stands, whatever its case."""
    lower = [column.strip().lower() for column in columns]
    return next((lower.index(name) for name in known if name in lower), None)


def table_rows(path: Path, what: str) -> list[tuple[int, list[str]]]:
    """Return the line number and the cells of each line that is not blank, the header included.

    Raises SourceError for what is no table; `what` should be in it.
    """
    try:
        text = path.read_bytes().removeprefix(b"\xef\xbb\xbf")
    except OSError as error:
        raise SourceError(f"{path}: cannot be read: {error.strerror}") from None
    refuse_binary(path, text)
    lines = [(number, line) for number, line in enumerate(text.splitlines(), start=1) if line.strip()]
    if not lines:
        raise SourceError(f"{path}: the file is empty; there is no {what} in it")
    separator = max((b",", b";", b"\t"), key=lines[0][1].count)
    if separator not in lines[0][1]:
        return [(number, cells_of(b" ".join(line.split()), b" ")) for number, line in lines]
    return [(number, cells_of(line, separator)) for number, line in lines]
