"""Folders called by numbers, such as train/0 to train/6: whose numbers they are, their names do not say.

    numbered("fer7", "Training_*", "PublicTest_*")      recognised where the names of the files tell it
    numbered("fer7")                                    for a user who names the data set

FER2013, AffectNet and RAF-DB are all handed on like this, and each counts its labels in an order of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fnmatch import fnmatch
from pathlib import Path

from data_engine.layouts.dataset import DataSet, Found, Mark, Row, Rows
from data_engine.layouts.folders import everything_in, label_folders, labelled, split_folders
from data_engine.layouts.root import Root
from emollm.labels import LABEL_SETS


def numbered(label_set: str, *names: str) -> Callable[[Root], Mark | None]:
    """Return what recognises folders with numbers of a label set; with names, only where all files are called so."""

    def recognises(root: Root) -> Mark | None:
        found = number_folders(root)
        if found is None or not _fits(label_set, found[1]):
            return None
        folder, numbers = found
        firsts = _first_files(folder) if names else []
        if names and not (firsts and all(any(fnmatch(first, name) for name in names) for first in firsts)):
            return None
        told = f" with files such as {firsts[0]}" if firsts else ""
        return Mark(folder, f"folders named {min(numbers)} to {max(numbers)}{told}")

    return recognises


def number_folders(root: Root) -> tuple[Path, list[int]] | None:
    """Return the first folder in which all folders are called by numbers, two or more, and the numbers."""
    for folder in root.folders:
        names = label_folders(folder)
        if len(names) > 1 and all(name.isascii() and name.isdecimal() for name in names):
            return folder, sorted(map(int, names))
    return None


def numbered_rows(found: Found) -> Rows:
    """The folder is the number of the label, in the data set's own order. [unverified: copies made by others]"""
    for item in labelled(found.folder):
        name = item.path.relative_to(found.folder).as_posix()
        yield Row(item.path, None, name, item.path, item.word, {"split": item.split})


def ask(root: Root, data_sets: Mapping[str, DataSet]) -> str | None:
    """Return what to ask where folders are called by numbers; None where none are."""
    found = number_folders(root)
    if found is None:
        return None
    folder, numbers = found
    named = [one for one in data_sets.values() if any(form.by_name and form.recognises(root) for form in one.forms)]
    sets = {one.name: one.label_set for one in named if one.label_set}
    firsts = {name: label_set for name, label_set in sets.items() if LABEL_SETS[label_set].first_index == numbers[0]}
    orders = [f"{name} ({_order(label_set)})" for name, label_set in (firsts or sets).items()]
    which = " or ".join([*orders, "folders with --label-set for another order"])
    return f"{folder}: folders {min(numbers)} to {max(numbers)} do not say whose numbers they are; --layout {which}"


def _fits(label_set: str, numbers: list[int]) -> bool:
    return all(LABEL_SETS[label_set].at(number) for number in numbers)


def _order(label_set: str) -> str:
    labels = LABEL_SETS[label_set]
    return ", ".join(f"{number} {label}" for number, label in enumerate(labels.labels, labels.first_index or 0))


def _first_files(folder: Path) -> list[str]:
    """The name of the first file of each label folder, in all splits."""
    parents = [path for _, path in split_folders(folder)] or [folder]
    names = label_folders(folder)
    firsts = (next(everything_in(parent / name), None) for parent in parents for name in names)
    return [first.name for first in firsts if first is not None]
