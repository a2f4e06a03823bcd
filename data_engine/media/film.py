"""Videos, decoded by PyAV (the extra `video`).

    recording = open_film(path, Pace(fps=10.0))

Only the frames that are looked at become pictures; they are turned upright and decoded at most `FRAME_SIDE` large.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from data_engine.media.frames import Frame, Pace, Recording, bounded
from emollm.errors import MissingExtraError, SourceError
from emollm.pictures import check_size

WHOLE = 0.95
"""A video with a smaller share of the frames and the time that its header tells of is cut off."""
UNTIMED_FPS = 25.0
"""Taken where a file tells neither times nor a frame rate."""
FRAME_SIDE = 1280
"""Pixels of the longer side: faces in a film fill a good part of it, and larger frames cost more than they show."""
ONLY_FILES = {"protocol_whitelist": "file"}
"""A playlist that calls itself a video must not open connections."""


def open_film(path: Path, pace: Pace) -> Recording:
    """Open a video. Raises SourceError for one that cannot be read, MissingExtraError where PyAV is not installed."""
    container = open_container(path)
    if not container.streams.video:
        container.close()
        raise SourceError(f"{path}: has sound but no pictures; nothing can be seen in it")
    return Recording("video", _frames(path, container, pace))


def open_container(path: Path) -> Any:
    """Open a file with pictures or sound by PyAV; the errors are those of `open_film`."""
    try:
        import av
    except ImportError:
        raise MissingExtraError("reading videos", "video") from None
    try:
        return av.open(str(path), options=ONLY_FILES)
    except (av.FFmpegError, OSError, ValueError) as error:
        raise SourceError(f"{path}: cannot be read as a video ({reason_of(error)}); convert it or replace it") from None


def _frames(path: Path, container: Any, pace: Pace) -> Iterator[Frame]:
    import av

    with container:
        stream = container.streams.video[0]
        check_size(path, (stream.codec_context.width, stream.codec_context.height))
        stream.thread_type = "AUTO"
        native_fps = float(stream.average_rate or stream.guessed_rate or UNTIMED_FPS)
        picker = pace.picker(native_fps)
        start_s, time_s, number, damaged_s = 0.0, 0.0, -1, None
        try:
            for number, picture in enumerate(container.decode(stream)):
                if number == 0:
                    start_s = picture.time or 0.0
                # Some containers have no times; then the frame rate tells them.
                time_s = picture.time - start_s if picture.time is not None else number / native_fps
                if picture.is_corrupt:
                    damaged_s = time_s if damaged_s is None else damaged_s
                elif picker.picks(number, time_s):
                    yield _frame(picture, number, time_s)
        except av.FFmpegError as error:
            where = f"after {time_s:.2f} s" if number >= 0 else "from its first frame on"
            raise SourceError(f"{path}: the video is damaged {where} ({reason_of(error)}); replace it") from None
    if number < 0:
        raise SourceError(f"{path}: the video holds no frames; replace it")
    if damaged_s is not None:
        raise SourceError(f"{path}: the video is damaged at {damaged_s:.2f} s (parts are missing); replace it")
    if _breaks_off(stream, number + 1, time_s):
        raise SourceError(f"{path}: the video breaks off after {time_s:.2f} s; replace it")


def _breaks_off(stream: Any, num_frames: int, time_s: float) -> bool:
    """Tell whether both frames and time are missing; a trimmed video lacks frames alone, one that stands still time."""
    if not stream.frames or stream.duration is None:
        return False
    return bool(num_frames < WHOLE * stream.frames and time_s < WHOLE * float(stream.duration * stream.time_base))


def _frame(picture: Any, number: int, time_s: float) -> Frame:
    """Decode a frame upright: phones write the way they were held beside the pictures."""
    width, height = bounded((picture.width, picture.height), FRAME_SIDE)
    pixels = picture.to_ndarray(format="rgb24", width=width, height=height)
    quarter_turns = round(picture.rotation / 90.0) % 4
    upright = np.ascontiguousarray(np.rot90(pixels, quarter_turns))
    return Frame(upright, picture.width / width, number, round(time_s, 4))


def reason_of(error: BaseException) -> str:
    """What FFmpeg says, without the path, which the message has already."""
    return str(getattr(error, "strerror", None) or error)
