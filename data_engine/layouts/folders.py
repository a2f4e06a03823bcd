"""Plain folders: the folder of a picture or clip is its label, perhaps below a folder that is its split.

    photos/happy/1.jpg   photos/sad/2.jpg                    train/angry/3.jpg   test/angry/4.jpg

Also FER2013 as Kaggle has it, and AffectNet and RAF-DB where numbers are the folders: see `fer.py` and `stills.py`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import NamedTuple

from data_engine.layouts.dataset import DataSet, Form, Found, Mark, Row, Rows
from data_engine.layouts.root import Root, children, files_in
from data_engine.sources.media import SUFFIXES
from emollm.labels import canonical

SPLITS = {
    **dict.fromkeys(("train", "training", "train_set", "trainset"), "train"),
    **dict.fromkeys(("val", "valid", "validation", "dev", "val_set", "validation_set"), "val"),
    **dict.fromkeys(("test", "testing", "test_set", "testset"), "test"),
}
"""What folders of splits are called, in small letters, to what they are called here."""
SMALLEST_FIRST = ("basic7", "basic8", "sentiment3", "mafw11", "cexpr7", "rafdb_compound11", "du22")
"""Sets of words; the first that has all labels of a folder is its label set."""


class Labelled(NamedTuple):
    """A picture or clip with the folders it lies in."""

    split: str | None
    word: str
    path: Path


def labelled(folder: Path) -> Iterator[Labelled]:
    """Yield the pictures and clips below a folder of labels, or of splits with labels in them, in a stable order."""
    for split, parent in split_folders(folder) or [(None, folder)]:
        for label in children(parent):
            yield from (Labelled(split, label.name, path) for path in everything_in(label))


def split_folders(folder: Path) -> list[tuple[str | None, Path]]:
    """Return the folders of splits in a folder, each with the name of its split."""
    return [(SPLITS[child.name.lower()], child) for child in children(folder) if child.name.lower() in SPLITS]


def everything_in(folder: Path) -> Iterator[Path]:
    """Yield the pictures and clips of a folder and of the folders below it."""
    yield from files_in(folder, SUFFIXES)
    for child in children(folder, limit=None):
        yield from everything_in(child)


def label_folders(folder: Path) -> list[str]:
    """Return the names of the label folders in a folder, those in its splits together, each once."""
    parents = [path for _, path in split_folders(folder)] or [folder]
    return list(dict.fromkeys(child.name for parent in parents for child in children(parent)))


def are_labels(names: Collection[str]) -> bool:
    """Tell whether folders are labels: two or more of them name an emotion, and most of them do."""
    known = [name for name in names if canonical(name) is not None]
    return len(known) >= 2 and 2 * len(known) > len(names)


def odd_folders(root: Root) -> str | None:
    """Return which folders beside those of emotions are none, where they are too many; None where none names one."""
    for folder in root.folders:
        names = label_folders(folder)
        odd = [name for name in names if canonical(name) is None]
        if 0 < len(odd) < len(names):
            known, others = (", ".join(some[:4]) + (" …" if len(some) > 4 else "") for some in (names, odd))
            return (
                f"{folder}: of the folders {known}, these name no emotion: {others}; rename them, take them out, or "
                f"take all as they are with --layout folders"
            )
    return None


def label_set_of(names: Collection[str]) -> str:
    """Return the smallest label set that has all emotions that folders name; `open` where none has."""
    words = [name for name in names if canonical(name) is not None]
    return next((name for name in SMALLEST_FIRST if all(canonical(word, name) for word in words)), "open")


def _recognise(root: Root) -> Mark | None:
    for folder in root.folders:
        names = label_folders(folder)
        if are_labels(names):
            shown = ", ".join(names[:4]) + (" …" if len(names) > 4 else "")
            return Mark(folder, f"{len(names)} folders named after labels ({shown})")
    return None


def _rows(found: Found) -> Rows:
    """Any folders of labels; the label set is the smallest that has them all, or the one that was asked for.

    With `--label-set` folders may also be the numbers that this data set uses.
    """
    label_set = found.wanted.label_set or label_set_of(label_folders(found.folder))
    for item in labelled(found.folder):
        name = item.path.relative_to(found.folder).as_posix()
        yield Row(item.path, None, name, item.path, item.word, {"split": item.split, "label_set": label_set})


def _any_folders(root: Root) -> Mark | None:
    names = label_folders(root.path)
    return Mark(root.path, f"{len(names)} folders, taken as labels") if names else None


FOLDERS = DataSet(
    "folders",
    "folders named after labels",
    None,
    (
        Form("folders named after emotions, such as happy/ or train/angry/", _recognise, _rows),
        Form("folders of any names", _any_folders, _rows, by_name=True),
    ),
    licence="not known",
    source="not known",
)
