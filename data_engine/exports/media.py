"""Media: each picture and clip is checked, then linked or copied into the export folder, under the path it has in the
data set.

    placed = place(sample, media_root, folder, ("image", "video"))     # Placed("videos/clips/a.mp4", frames=75)
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Container
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from data_engine.exports.turns import Refusal
from emollm.errors import RecordError, SourceError
from emollm.files import sha256
from emollm.records import MediaKind, Sample, media_path

FOLDERS: dict[MediaKind, str] = {"image": "images", "video": "videos"}


class Placed(NamedTuple):
    """Where a picture or clip lies: a path relative to the export folder, and how many frames it has."""

    path: str
    frames: int


def place(sample: Sample, root: Path, folder: Path, kinds: Container[str], path: str | None = None) -> Placed | Refusal:
    """Put the sample's picture or clip into the export folder, or say why it cannot be.

    `kinds` are those that the format carries; `path` is another path than the one in the data set.
    """
    try:
        source = media_path(sample, root)
    except RecordError as error:
        return Refusal("outside_media_root", str(error))
    media = sample.media
    if source is None or media is None:
        return Refusal("no_picture")
    if media.kind not in kinds:
        return Refusal("video", "the format carries pictures alone")
    what = "picture" if media.kind == "image" else "clip"
    if not source.is_file():
        return Refusal(f"missing_{what}", f"there is no {media.path}")
    if media.sha256 is not None and _digest(source) != media.sha256:
        return Refusal(f"other_{what}", f"{media.path} is not the {what} of this sample: its sha256 differs")
    frames = int(is_picture(source)) if media.kind == "image" else num_frames(source)
    if not frames:
        return Refusal(f"bad_{what}", f"{media.path} cannot be read to its end as a {what}")
    relative = f"{FOLDERS[media.kind]}/{path or media.path}"
    target = folder / relative
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        _link_or_copy(source.resolve(), target)
    return Placed(relative, frames)


def is_picture(path: Path) -> bool:
    """Tell whether a file decodes to the end; a truncated one would stop a trainer hours later."""
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path) as picture:
            picture.load()
    except (OSError, ValueError, SyntaxError, UnidentifiedImageError, Image.DecompressionBombError):
        return False
    return True


def num_frames(path: Path) -> int:
    """Return how many frames a clip has; 0 where it is none, or does not decode to its end.

    Raises MissingExtraError for a film without PyAV, the extra `video`.
    """
    found = path.stat()
    return _count_frames(path, found.st_size, found.st_mtime_ns)


def _digest(path: Path) -> str:
    found = path.stat()
    return _sha256(path, found.st_size, found.st_mtime_ns)


@lru_cache(maxsize=64)  # as below
def _sha256(path: Path, _size: int, _changed_ns: int) -> str:
    return sha256(path)


@lru_cache(maxsize=64)  # the people of a clip are samples that follow one another
def _count_frames(path: Path, _size: int, _changed_ns: int) -> int:
    from data_engine.media.frames import Pace  # only here: pictures do without numpy
    from data_engine.media.opening import open_media

    try:
        recording = open_media(path, Pace(stride=1))
        return sum(1 for _ in recording.frames) if recording.kind == "video" else 0
    except SourceError:
        return 0


def _link_or_copy(source: Path, target: Path) -> None:
    """A hard link costs no space; another file system, or one without links, gets a copy."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
