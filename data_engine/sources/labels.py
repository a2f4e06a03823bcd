"""Label files: what a data set says about its clips, matched to samples by name.

    labels = read_labels(Path("labels.csv"), label_set="dfew7")
    labels.find("0001.mp4", "0001")             # the word in the file, or None

Tables with a header (`name,label`), or without one as RAF-DB (`train_00001.jpg 5`) and MERR
(`sample_00000047 125 sad -10`) have it; so do a JSON list or JSON Lines of `{"name": …, "label": …}`, and one object
`{"0001.mp4": "sad", …}`. An empty label is no label. Words and numbers are read into a label set by `read_label`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from data_engine.sources.head import JSON_SUFFIXES, cells_of, read_head, refuse_binary
from data_engine.sources.media import SUFFIXES as MEDIA_SUFFIXES
from emollm.errors import ConfigError, SourceError, did_you_mean
from emollm.labels import LABEL_SETS, canonical

ID_COLUMNS = ("id", "name", "clip", "file", "filename", "file_name", "video", "video_name", "video_id", "image", "path")
_SUFFIXES = {*MEDIA_SUFFIXES, ".csv", ".json", ".wav"}
LABEL_COLUMNS = ("label", "emotion", "emo", "expression", "class", "discrete", "category", "gt", "labels")


class Labels:
    """The labels of one file by the name of what they label; remembers which were asked for."""

    def __init__(self, words: dict[str, str], by_stem: dict[str, str]) -> None:
        self._words = words
        self._by_stem = by_stem
        self._found: set[str] = set()

    def find(self, *names: str) -> str | None:
        """Return the label of the first name that the file has, with or without folder and suffix."""
        stems = [stem_of(name) for name in names]
        # RAF-DB lists train_00001.jpg and ships train_00001_aligned.jpg.
        for name in (*names, *stems, *(stem.removesuffix("_aligned") for stem in stems)):
            key = name if name in self._words else self._by_stem.get(name)
            if key is not None:
                self._found.add(key)
                return self._words[key]
        return None

    @property
    def unmatched(self) -> list[str]:
        """The names that no sample asked for."""
        return [name for name in self._words if name not in self._found]


def stem_of(name: str) -> str:
    """The name without its folder and without the suffix of a picture, a clip or a table."""
    last = name.replace("\\", "/").rpartition("/")[2]
    stem, _, suffix = last.rpartition(".")
    return stem if stem and f".{suffix.lower()}" in _SUFFIXES else last


def check_label_set(label_set: str | None) -> None:
    """Raise ConfigError for a label set that does not exist."""
    if label_set is not None and label_set not in LABEL_SETS:
        known = ", ".join(LABEL_SETS)
        raise ConfigError(
            f"--label-set: '{label_set}' is unknown{did_you_mean(label_set, LABEL_SETS)}; sets are {known}"
        )


def read_label(word: str, label_set: str | None) -> str:
    """Return the label that a word or a data set's number means. Raises SourceError with what is accepted.

    Without a label set, a word that is no known emotion is taken as it is.
    """
    word = word.strip()
    if label_set is None:
        return canonical(word) or word.lower()
    labels = LABEL_SETS[label_set]
    number = word.removesuffix(".0")
    label = labels.at(int(number)) if number.isdecimal() else canonical(word, label_set)
    if label is None:
        raise SourceError(
            f"label '{word}' is not in {label_set}{did_you_mean(word.lower(), labels.aliases)}; "
            f"labels are {', '.join(labels.labels)}"
        )
    return label


class Entry(NamedTuple):
    """One name and its label, as they are written, and where."""

    where: str
    name: str
    word: str


def read_labels(path: Path, label_set: str | None) -> Labels:
    """Read a label file. Raises SourceError that names the columns seen, or a name with two labels."""
    words: dict[str, str] = {}
    is_json = path.suffix.lower() in JSON_SUFFIXES
    for where, told, word in _json_entries(path) if is_json else _table_entries(path, label_set):
        name = told.replace("\\", "/")
        if word and not name:
            raise SourceError(f"{where}: the label '{word}' has no name")
        if word and words.setdefault(name, word) != word:
            raise SourceError(f"{where}: '{name}' is labelled '{words[name]}' and '{word}'; keep one")
    stems: dict[str, set[str]] = {}
    for name in words:
        stems.setdefault(stem_of(name), set()).add(name)
    # A stem that two names share (train/001.jpg, test/001.jpg) decides nothing.
    by_stem = {stem: next(iter(names)) for stem, names in stems.items() if len(names) == 1}
    return Labels(words, by_stem)


def _place(columns: Iterable[str], known: Sequence[str]) -> int | None:
    """Where the first of the known columns stands, whatever its case."""
    lower = [column.strip().lower() for column in columns]
    return next((lower.index(name) for name in known if name in lower), None)


def _table_entries(path: Path, label_set: str | None) -> Iterator[Entry]:
    """The rows of a table, with a header or without."""
    rows = _rows(path)
    first = rows[0][1]
    id_place, label_place = _place(first, ID_COLUMNS), _place(first, LABEL_COLUMNS)
    if id_place is not None and label_place is not None:
        rows = rows[1:]
    else:
        # MERR's lists hold name, number of frames, emotion, value; the others name and label.
        id_place, label_place = 0, 2 if len(first) == 4 else 1
        if len(first) not in (2, 4) or not _is_label(first[label_place], label_set):
            raise SourceError(
                f"{path}: no columns of names and labels (seen: {', '.join(first[:12])}); "
                f"name them {'|'.join(ID_COLUMNS[:6])} and {'|'.join(LABEL_COLUMNS[:4])}"
            )
    for line, row in rows:
        if len(row) <= max(id_place, label_place):
            raise SourceError(f"{path}:{line}: has {len(row)} cells; the name or the label is missing")
        yield Entry(f"{path}:{line}", row[id_place].strip(), row[label_place].strip())


def _is_label(word: str, label_set: str | None) -> bool:
    number = word.strip().isdecimal()
    return number or canonical(word, label_set) is not None


def _rows(path: Path) -> list[tuple[int, list[str]]]:
    """The line number and the cells of each line that is not blank."""
    try:
        text = path.read_bytes().removeprefix(b"\xef\xbb\xbf")
    except OSError as error:
        raise SourceError(f"{path}: cannot be read: {error.strerror}") from None
    refuse_binary(path, text)
    lines = [(number, line) for number, line in enumerate(text.splitlines(), start=1) if line.strip()]
    if not lines:
        raise SourceError(f"{path}: the file is empty; there is no label in it")
    separator = max((b",", b";", b"\t"), key=lines[0][1].count)
    if separator not in lines[0][1]:
        return [(number, cells_of(b" ".join(line.split()), b" ")) for number, line in lines]
    return [(number, cells_of(line, separator)) for number, line in lines]


def _json_entries(path: Path) -> Iterator[Entry]:
    """The objects of a JSON file, or the pairs of its one object."""
    head = read_head(path)
    for line, reason in head.bad_lines:
        raise SourceError(f"{path}:{line}: {reason}; write it again or remove it")
    keys = list(dict.fromkeys(key for item in head.items for key in item))
    id_place, label_place = _place(keys, ID_COLUMNS), _place(keys, LABEL_COLUMNS)
    if id_place is not None and label_place is not None:
        for number, item in enumerate(head.items, start=1):
            where = f"{path}: object {number}"
            yield Entry(where, _word(where, item.get(keys[id_place])), _word(where, item.get(keys[label_place])))
    elif isinstance(head.data, dict) and not any(isinstance(value, dict | list) for value in head.data.values()):
        for name, value in head.data.items():
            yield Entry(f"{path}: {name}", name, _word(path, value))
    else:
        raise SourceError(
            f"{path}: no names and labels (seen: {', '.join(keys[:12]) or type(head.data).__name__}); "
            'write a list of {"name": "0001.mp4", "label": "sad"}, or one object {"0001.mp4": "sad"}'
        )


def _word(where: str | Path, value: Any) -> str:
    """A name or a label of a JSON file as text; nothing where it is null."""
    if isinstance(value, dict | list):
        raise SourceError(f"{where}: '{str(value)[:40]}' is no single name or label; write one word or number")
    return "" if value is None else str(value).strip()
