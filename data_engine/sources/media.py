"""Where the picture or clip of an AU file lies, if it is there at all.

    find_media("C:/faces/0001.jpg", Path("au/0001.csv"), root=Path("data"), moving=False)

AU files name the picture by the path it had on another machine, or not at all; only a file that exists under the
media root becomes a sample's `media`, with its path relative to that root.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Literal

from emollm.records import Media

IMAGES = (".jpg", ".jpeg", ".jfif", ".png", ".apng", ".bmp", ".tif", ".tiff", ".avif", ".heic", ".heif")
VIDEOS = (".mp4", ".avi", ".mov", ".mkv", ".webm", ".mpg", ".mpeg", ".wmv", ".flv", ".m4v")
EITHER = (".webp", ".gif")
SUFFIXES = (*IMAGES, *VIDEOS, *EITHER)
MAX_PARTS = 4
"""So many last parts of a path from another machine are looked for: `train/happy/001.jpg` and its folder."""


def find_media(named: str, source: Path, root: Path, *, moving: bool) -> Media | None:
    """Return the media that an AU file names, or that lies beside it under the same name; None where there is none.

    `named` is what the file says, with or without a suffix, or empty; `moving` tells a clip from a still where the
    suffix does not.
    """
    for path in _candidates(named or source.stem, source, root):
        inside = path_under(path, root)
        if inside is not None:
            return Media(kind=_kind(path, moving), path=inside)
    return None


def _candidates(named: str, source: Path, root: Path) -> Iterator[Path]:
    """The named path from the root and from the AU file's folder; then its last parts under the root."""
    if "\0" in named:
        return
    parts = named.replace("\\", "/").split("/")
    has_suffix = f".{parts[-1].rpartition('.')[2].lower()}" in SUFFIXES
    folders = [str(root), str(source.parent)]
    for folder in folders[: 1 if folders[0] == folders[1] else 2]:
        for length in range(min(len(parts), MAX_PARTS), 0, -1):
            # As strings: a table of one image a row asks for every row.
            path = "/".join((folder, *parts[-length:]))
            if has_suffix:
                yield Path(path)
            elif parts[-1]:
                yield from (Path(path + suffix) for suffix in _suffixes_in(path.rpartition("/")[0]))
    if has_suffix:
        yield root / named


@lru_cache(maxsize=256)
def _suffixes_in(folder: str) -> tuple[str, ...]:
    """The suffixes of the media in a folder, looked at once: most folders of AU files hold none."""
    if not Path(folder).is_dir():
        return ()
    found = {Path(entry.name).suffix for entry in os.scandir(folder)}
    return tuple(sorted(suffix for suffix in found if suffix.lower() in SUFFIXES))


def path_under(path: Path, root: Path) -> str | None:
    """Return the path relative to the root, with links followed; None where it does not exist or leads out."""
    if not path.is_file():
        return None
    resolved, top = path.resolve(), _resolved(root)
    return resolved.relative_to(top).as_posix() if resolved.is_relative_to(top) else None


@lru_cache(maxsize=16)
def _resolved(root: Path) -> Path:
    return root.resolve()


def _kind(path: Path, moving: bool) -> Literal["image", "video"]:
    suffix = path.suffix.lower()
    return "video" if suffix in VIDEOS or (suffix in EITHER and moving) else "image"
