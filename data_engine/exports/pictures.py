"""Pictures: each is checked, then linked or copied into the export folder, under the path it has in the data set."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from emollm.records import Sample, media_path

FOLDER = "images"


def place(sample: Sample, root: Path, folder: Path) -> tuple[str, str]:
    """Put the sample's picture into `folder`/images and return (its path relative to `folder`, "").

    Returns ("", reason) for a sample without a usable picture. Raises RecordError for a link that leads out of `root`.
    """
    source = media_path(sample, root)
    if source is None or sample.media is None:
        return "", "no_picture"
    if sample.media.kind != "image":
        return "", "video"
    if not source.is_file():
        return "", "missing_picture"
    if not is_picture(source):
        return "", "bad_picture"
    relative = f"{FOLDER}/{sample.media.path}"
    target = folder / relative
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        _link_or_copy(source.resolve(), target)
    return relative, ""


def is_picture(path: Path) -> bool:
    """Tell whether a file decodes to the end; a truncated one would stop a trainer hours later."""
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path) as picture:
            picture.load()
    except (OSError, ValueError, SyntaxError, UnidentifiedImageError, Image.DecompressionBombError):
        return False
    return True


def _link_or_copy(source: Path, target: Path) -> None:
    """A hard link costs no space; another file system, or one without links, gets a copy."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
