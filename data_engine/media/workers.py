"""Workers: many files looked at on several cores, results in order.

    for seen in look_at_all(paths, partial(load_detector, "tiny"), Look(), workers=4):
        ...

Each worker loads the detector once. Only a few chunks are under way at any time, so that memory stays constant.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from pathlib import Path

from data_engine.detectors import FaceDetector
from data_engine.media.looking import Look, Seen, look
from data_engine.sources.media import VIDEOS

CHUNK = 32
"""Pictures a worker looks at in one go; a video is a chunk of its own."""
AHEAD = 2
"""Chunks that wait for each worker, beside the one in its hands."""
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")

Loader = Callable[[], FaceDetector]

_detector: FaceDetector | None = None
"""The detector of this worker process."""


def look_at_all(
    paths: Iterable[Path], detector: FaceDetector, loader: Loader, how: Look, workers: int = 1
) -> Iterator[Seen]:
    """Yield what is in each file, in their order. With several workers each loads a detector of its own."""
    chunks = _chunks(paths)
    if workers <= 1:
        for chunk in chunks:
            yield from look(chunk, detector, how)
        return
    for name in THREADS:  # the workers share the cores already; threads of theirs would only wait for each other
        os.environ.setdefault(name, "1")
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, context, initializer=_begin, initargs=(loader,)) as pool:
        ahead: deque[Future[list[Seen]]] = deque()
        try:
            for chunk in chunks:
                ahead.append(pool.submit(_look, chunk, how))
                if len(ahead) > AHEAD * workers:
                    yield from ahead.popleft().result()
            while ahead:
                yield from ahead.popleft().result()
        finally:
            for future in ahead:
                future.cancel()


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


def _begin(loader: Loader) -> None:
    """Load the detector; leave Ctrl-C to the parent, which lets the chunks in hand end and starts no other."""
    global _detector
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _detector = loader()


def _look(chunk: list[Path], how: Look) -> list[Seen]:
    assert _detector is not None
    return look(chunk, _detector, how)
