"""The sound of a clip, decoded by PyAV (the extra `video`).

    blocks = open_sound(Path("clip.mp4"))       # None where the clip has no sound
    for block in blocks: ...                    # (N,) float32, one channel, `RATE` values a second

About `BLOCK_S` seconds are in memory at once, however long the clip is.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from data_engine.media.film import open_container, reason_of
from emollm.errors import SourceError

Sound = npt.NDArray[np.float32]

RATE = 8000
"""Values a second: pitch and vowels lie below 4 kHz."""
BLOCK_S = 10


def open_sound(path: Path) -> Iterator[Sound] | None:
    """Return the sound of a clip in blocks, its channels mixed into one; None where it has none.

    Raises SourceError for a clip that cannot be read, also while its blocks are, and MissingExtraError without PyAV.
    """
    container = open_container(path)
    if not container.streams.audio:
        container.close()
        return None
    return _in_blocks(_decoded(path, container))


def _decoded(path: Path, container: Any) -> Iterator[Sound]:
    """Yield the sound in the pieces that codecs make, of 0.02 to 0.1 s."""
    import av

    with container:
        resampler = av.AudioResampler(format="flt", layout="mono", rate=RATE)
        try:
            for frame in container.decode(container.streams.audio[0]):
                yield from (piece.to_ndarray().reshape(-1) for piece in resampler.resample(frame))
            yield from (piece.to_ndarray().reshape(-1) for piece in resampler.resample(None))
        except (av.FFmpegError, ValueError) as error:
            raise SourceError(f"{path}: its sound is damaged ({reason_of(error)}); replace it") from None


def _in_blocks(pieces: Iterator[Sound]) -> Iterator[Sound]:
    waiting: list[Sound] = []
    num = 0
    for piece in pieces:
        waiting.append(piece)
        num += len(piece)
        if num >= BLOCK_S * RATE:
            yield np.concatenate(waiting)
            waiting, num = [], 0
    if waiting:
        yield np.concatenate(waiting)
