"""The root: the folder that a user names, and the folders a little below it.

    root = Root(Path("RAF-DB"))
    root.find("EmoLabel/list_patition_label.txt")       # also finds RAF-DB/basic/EmoLabel/…

People give the folder they unpacked into, or one above it; both are looked through, names first, no file is opened.
"""

from __future__ import annotations

import os
import re
from functools import cached_property
from pathlib import Path

from data_engine.sources.media import IMAGES, VIDEOS

MAX_DEPTH = 3
"""`DFEW/Clip/original/part_1` is the deepest layout."""
MAX_CHILDREN, MAX_FOLDERS = 1000, 5000
"""A folder with more folders in it holds a folder a clip: those are looked up by name, not listed."""
_DIGITS = re.compile(r"(\d+)\D*$")


class Root:
    """The folder of a data set."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @cached_property
    def folders(self) -> tuple[Path, ...]:
        """The root and the folders below it, the nearest first, each level in the order of its names."""
        found, level = [self.path], [self.path]
        for _ in range(MAX_DEPTH):
            level = [child for folder in level for child in children(folder)]
            if len(found) + len(level) > MAX_FOLDERS:
                break
            found += level
        return tuple(found)

    def find_all(self, *relatives: str) -> list[Path]:
        """Return the files of these paths under any of the folders; the last part may hold `*`."""
        found = []
        for relative in relatives:
            for folder in self.folders:
                if "*" in relative:
                    found += sorted(path for path in folder.glob(relative) if not path.name.startswith((".", "~")))
                elif is_there(folder / relative):
                    found.append(folder / relative)
        return found

    def find(self, *relatives: str) -> Path | None:
        """Return the first file of these paths, in their order."""
        return next(iter(self.find_all(*relatives)), None)

    def holder(self, relative: str) -> Path | None:
        """Return the first folder that holds this path, a file or a folder."""
        return next((folder for folder in self.folders if is_there(folder / relative)), None)


def is_there(path: Path) -> bool:
    """Tell whether there is such a file or folder; there is none of a name that is too long or holds a NUL."""
    try:
        return path.exists()
    except (OSError, ValueError):
        return False


def children(folder: Path, limit: int | None = MAX_CHILDREN) -> list[Path]:
    """Return the folders in a folder, hidden ones left out; none where there are too many to be parts of a layout.

    A link that leads back to a folder above it is none: all that it shows is found without it.
    """
    try:
        with os.scandir(folder) as entries:
            found = [entry for entry in entries if not entry.name.startswith(".") and entry.is_dir()]
            names = [entry.name for entry in found if not (entry.is_symlink() and _leads_up(folder / entry.name))]
    except OSError:
        return []
    return [folder / name for name in sorted(names)] if limit is None or len(names) <= limit else []


def _leads_up(link: Path) -> bool:
    return link.parent.resolve().is_relative_to(link.resolve())


def files_in(folder: Path, suffixes: tuple[str, ...] = IMAGES) -> list[Path]:
    """Return the files of these suffixes in a folder, in the order of the numbers in their names, then of the names."""
    try:
        with os.scandir(folder) as entries:
            names = [entry.name for entry in entries if entry.name[:1] != "." and _suffix(entry.name) in suffixes]
    except (OSError, ValueError):
        return []
    return [folder / name for name in sorted(names, key=lambda name: (number_in(name), name))]


def by_number(folder: Path, suffixes: tuple[str, ...] = IMAGES) -> dict[int, Path]:
    """Return the files of a folder by the last number in their names: `img46.jpg` is 46."""
    return {number_in(path.name): path for path in reversed(files_in(folder, suffixes))}


def clips_by_number(root: Root) -> dict[int, Path]:
    """Return the videos under the root by their numbers; the nearest to the root where two have one."""
    found: dict[int, Path] = {}
    for folder in reversed(root.folders):
        found |= by_number(folder, VIDEOS)
    return found


def number_in(name: str) -> int:
    """Return the last number in a file's name, -1 where there is none."""
    match = _DIGITS.search(name.rpartition(".")[0] or name)
    return int(match[1]) if match else -1


def _suffix(name: str) -> str:
    return f".{name.rpartition('.')[2].lower()}"
