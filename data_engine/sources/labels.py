"""Label files: what a data set says about its clips, matched to samples by name.

    labels = read_labels(Path("labels.csv"), label_set="dfew7")
    labels.find("0001.mp4", "0001")             # the word in the file, or None

Tables with a header (`name,label`), or without one as RAF-DB (`train_00001.jpg 5`) and MERR
(`sample_00000047 125 sad -10`) have it; so do a JSON list or JSON Lines of `{"name": …, "label": …}`, and one object
`{"0001.mp4": "sad", …}`. An empty label is no label. Words and numbers are read into a label set by `read_label`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from data_engine.sources.head import JSON_SUFFIXES, read_head
from data_engine.sources.joining import ID_COLUMNS, LABEL_COLUMNS, ByName, place_of, table_rows
from emollm.errors import ConfigError, SourceError, did_you_mean
from emollm.labels import LABEL_SETS, canonical


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


def read_labels(path: Path, label_set: str | None) -> ByName[str]:
    """Read a label file. Raises SourceError that names the columns seen, or a name with two labels."""
    words: dict[str, str] = {}
    is_json = path.suffix.lower() in JSON_SUFFIXES
    for where, told, word in _json_entries(path) if is_json else _table_entries(path, label_set):
        name = told.replace("\\", "/")
        if word and not name:
            raise SourceError(f"{where}: the label '{word}' has no name")
        if word and words.setdefault(name, word) != word:
            raise SourceError(f"{where}: '{name}' is labelled '{words[name]}' and '{word}'; keep one")
    return ByName(words)


def _table_entries(path: Path, label_set: str | None) -> Iterator[Entry]:
    """The rows of a table, with a header or without."""
    rows = table_rows(path, "label")
    first = rows[0][1]
    id_place, label_place = place_of(first, ID_COLUMNS), place_of(first, LABEL_COLUMNS)
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


def _json_entries(path: Path) -> Iterator[Entry]:
    """The objects of a JSON file, or the pairs of its one object."""
    head = read_head(path)
    for line, reason in head.bad_lines:
        raise SourceError(f"{path}:{line}: {reason}; write it again or remove it")
    keys = list(dict.fromkeys(key for item in head.items for key in item))
    id_place, label_place = place_of(keys, ID_COLUMNS), place_of(keys, LABEL_COLUMNS)
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
