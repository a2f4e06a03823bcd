"""Label files: what a data set says about its clips, matched to samples by name.

    labels = read_labels(Path("labels.csv"), label_set="dfew7")
    labels.find("0001.mp4", "0001")             # the word in the file, or None

Tables with a header (`name,label`), or without one as RAF-DB (`train_00001.jpg 5`) and MERR
(`sample_00000047 125 sad -10`) have it. Words and numbers are read into a label set by `read_label`.
"""

from __future__ import annotations

from pathlib import Path

from data_engine.sources.head import cells_of
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


def read_labels(path: Path, label_set: str | None) -> Labels:
    """Read a label file. Raises SourceError that names the columns seen, or a name with two labels."""
    rows = _rows(path)
    first = [cell.strip().lower() for cell in rows[0]]
    id_place = next((first.index(name) for name in ID_COLUMNS if name in first), None)
    label_place = next((first.index(name) for name in LABEL_COLUMNS if name in first), None)
    if id_place is not None and label_place is not None:
        return _gather(path, rows[1:], id_place, label_place, first_line=2)
    # MERR's lists hold name, number of frames, emotion, value; the others name and label.
    label_place = 2 if len(first) == 4 else 1
    if len(first) not in (2, 4) or not _is_label(rows[0][label_place], label_set):
        raise SourceError(
            f"{path}: no columns of names and labels (seen: {', '.join(rows[0][:12])}); "
            f"name them {'|'.join(ID_COLUMNS[:6])} and {'|'.join(LABEL_COLUMNS[:4])}"
        )
    return _gather(path, rows, 0, label_place, first_line=1)


def _is_label(word: str, label_set: str | None) -> bool:
    number = word.strip().isdecimal()
    return number or canonical(word, label_set) is not None


def _rows(path: Path) -> list[list[str]]:
    try:
        text = path.read_bytes().removeprefix(b"\xef\xbb\xbf")
    except OSError as error:
        raise SourceError(f"{path}: cannot be read: {error.strerror}") from None
    if b"\0" in text:
        raise SourceError(f"{path}: is binary or UTF-16; save it as UTF-8")
    lines = [line for line in text.splitlines() if line.strip()]
    if not lines:
        raise SourceError(f"{path}: the file is empty; there is no label in it")
    separator = max((b",", b";", b"\t"), key=lines[0].count)
    if separator not in lines[0]:
        return [cells_of(b" ".join(line.split()), b" ") for line in lines]
    return [cells_of(line, separator) for line in lines]


def _gather(path: Path, rows: list[list[str]], id_place: int, label_place: int, first_line: int) -> Labels:
    words: dict[str, str] = {}
    for line, row in enumerate(rows, start=first_line):
        if len(row) <= max(id_place, label_place):
            raise SourceError(f"{path}:{line}: has {len(row)} cells; the name or the label is missing")
        name, word = row[id_place].strip().replace("\\", "/"), row[label_place].strip()
        if words.setdefault(name, word) != word:
            raise SourceError(f"{path}:{line}: '{name}' is labelled '{words[name]}' and '{word}'; keep one")
    stems: dict[str, set[str]] = {}
    for name in words:
        stems.setdefault(stem_of(name), set()).add(name)
    # A stem that two names share (train/001.jpg, test/001.jpg) decides nothing.
    by_stem = {stem: next(iter(names)) for stem, names in stems.items() if len(names) == 1}
    return Labels(words, by_stem)
