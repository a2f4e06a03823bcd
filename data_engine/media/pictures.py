"""Stills and moving pictures (GIF, WebP, PNG), by Pillow.

    recording = open_picture_file(path, content, Pace())

The rules are those of `emollm.pictures`: upright by EXIF, on white where transparent, 8-bit RGB, and one line for
every file that is none.
"""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from data_engine.media.frames import Frame, Pace, Recording, bounded
from emollm.errors import SourceError
from emollm.pictures import as_source_error, check_size, to_rgb

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageFile import ImageFile

MOVING = ("GIF", "WEBP", "PNG")
"""Formats whose further frames are a movement; those of a TIFF are pages, those of a JPEG are thumbnails."""
LONGEST = 2048
"""Pixels of the longer side; larger pictures are looked at smaller. A face in a group photo is still large enough."""
DRAFT_SIDE = 1920
"""A JPEG is decoded at half or a quarter of its size, no smaller than this: photos of 4032 pixels at half of it."""
UNTIMED_S = 0.1
"""How long browsers show a frame that has no duration of its own."""


def open_picture_file(path: Path, content: bytes, pace: Pace) -> Recording:
    """Open a file that was read whole. Raises SourceError for one that is no picture, or too large, small or thin."""
    from PIL import Image

    with as_source_error(path):
        file = Image.open(BytesIO(content))
        check_size(path, file.size)
        if file.format in MOVING and getattr(file, "n_frames", 1) > 1:
            return Recording("video", _moving(path, file, pace))
        return Recording("image", _still(path, file))


def _still(path: Path, file: ImageFile) -> Iterator[Frame]:
    from PIL import ImageOps

    longest = max(file.size)
    with as_source_error(path), file:
        file.draft("RGB", bounded(file.size, DRAFT_SIDE))
        ImageOps.exif_transpose(file, in_place=True)
        frame = _frame(to_rgb(file), longest)
    yield frame


def _moving(path: Path, file: ImageFile, pace: Pace) -> Iterator[Frame]:
    """Every frame is decoded, because each is painted over the one before it; some are given on."""
    time_s, longest = 0.0, max(file.size)
    picker = pace.picker(None)
    with file:
        for number in range(getattr(file, "n_frames", 1)):
            try:
                with as_source_error(path):
                    file.seek(number)
                    file.load()
            except SourceError as error:
                raise SourceError(f"{error}; it could be read up to frame {number} ({time_s:.2f} s)") from None
            seconds = float(file.info.get("duration") or 0.0) / 1000.0 or UNTIMED_S
            if number == 0:
                picker = pace.picker(1.0 / seconds)
            if picker.picks(number, time_s):
                yield _frame(to_rgb(file), longest, number, round(time_s, 4))
            time_s += seconds


def _frame(picture: Image, longest: int, number: int | None = None, time_s: float | None = None) -> Frame:
    if max(picture.size) > LONGEST:
        picture = picture.resize(bounded(picture.size, LONGEST), reducing_gap=2.0)
    return Frame(np.asarray(picture), longest / max(picture.size), number, time_s)
