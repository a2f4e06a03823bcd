"""Many files looked at on several cores, results in order.

    for seen in look_at_all(paths, partial(load_detector, "tiny"), Look(), workers=4):
        ...

Each worker loads the detector once. The workers of a cluster must see the files under the same paths.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path

from data_engine.detectors import FaceDetector
from data_engine.media.looking import Look, Seen, look
from data_engine.sources.media import VIDEOS
from data_engine.workers import spread
from emollm.errors import EmoLLMError

CHUNK = 32
"""Pictures a worker looks at in one go; a video is a chunk of its own."""

Loader = Callable[[], FaceDetector]

_detector: FaceDetector | None = None
"""The detector of this worker process."""


def look_at_all(
    paths: Iterable[Path],
    detector: FaceDetector,
    loader: Loader,
    how: Look,
    workers: int | None = 1,
    ray: str | None = None,
) -> Iterator[Seen]:
    """Yield what is in each file, in their order. With several workers each loads a detector of its own.

    `ray` is the address of a cluster, which has as many workers as cores where `workers` is None.
    """
    chunks = _chunks(paths)
    if ray is None and (workers is None or workers <= 1):
        for chunk in chunks:
            yield from look(chunk, detector, how)
        return
    begin = partial(_begin, loader, Path.cwd())
    for seen in spread(partial(_look, how), chunks, workers, begin, may_drop=True, ray=ray):
        yield from seen


def _chunks(paths: Iterable[Path]) -> Iterator[list[Path]]:
    chunk: list[Path] = []
    for path in paths:
        is_film = path.suffix.lower() in VIDEOS
        if chunk and (is_film or len(chunk) == CHUNK):
            yield chunk
            chunk = []
        chunk.append(path)
        if is_film:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _begin(loader: Loader, folder: Path) -> None:
    """Load the detector of this worker; on another machine, too, relative paths start in the folder of this one."""
    global _detector
    try:
        os.chdir(folder)
    except OSError as error:
        raise EmoLLMError(
            f"{folder}: a worker does not see this folder ({error.strerror}); all machines must see the same files"
        ) from None
    _detector = loader()


def _look(how: Look, chunk: list[Path]) -> list[Seen]:
    assert _detector is not None
    return look(chunk, _detector, how)
