"""Opening a picture or a clip, whichever it is.

    recording = open_media(path, Pace(fps=10.0))
    recording.frames, recording.sha256

What is opened is found out by the suffix alone for videos, and by the content for everything else.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from data_engine.media.film import open_film
from data_engine.media.frames import Pace, Recording
from data_engine.media.pictures import open_picture_file
from data_engine.sources.media import VIDEOS
from emollm.errors import SourceError
from emollm.files import sha256

MAX_BYTES = 1 << 29
"""The largest picture that may be decoded, 16-bit and unpacked, is no larger as a file; pictures are read whole."""


def open_media(path: Path, pace: Pace) -> Recording:
    """Open a file. Raises SourceError for one that cannot be read, MissingExtraError for a video without PyAV."""
    try:
        num_bytes = path.stat().st_size
        if not num_bytes:
            raise SourceError(f"{path}: the file is empty; replace it")
        if path.suffix.lower() in VIDEOS:
            return open_film(path, pace)._replace(sha256=sha256(path))
        if num_bytes > MAX_BYTES:
            raise SourceError(f"{path}: {num_bytes >> 20:,} MiB are too many for a picture; make it smaller")
        content = path.read_bytes()
    except OSError as error:
        raise SourceError(f"{path}: cannot be read: {error.strerror}") from None
    return open_picture_file(path, content, pace)._replace(sha256=hashlib.sha256(content).hexdigest())
