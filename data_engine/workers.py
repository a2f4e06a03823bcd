"""Workers: the same work on many chunks, on several cores, results in order.

    for result in spread(partial(draw_chunk, plan), chunks, workers=4):
        ...

Only a few chunks are under way at any time, so that memory stays constant. Workers leave Ctrl-C to their parent, which
lets the chunks in hand end and starts no other, and they end with it, even when it is killed.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from typing import TypeVar

C = TypeVar("C")
R = TypeVar("R")

AHEAD = 2
"""Chunks that wait for each worker, beside the one in its hands."""
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def spread(
    work: Callable[[C], R], chunks: Iterable[C], workers: int, begin: Callable[[], None] | None = None
) -> Iterator[R]:
    """Yield `work` of each chunk, in order. One worker is this process; in others `begin` is called once before.

    `work`, `begin` and the chunks must be picklable.
    """
    if workers <= 1:
        yield from map(work, chunks)
        return
    for name in THREADS:  # the workers share the cores already; threads of theirs would only wait for each other
        os.environ.setdefault(name, "1")
    pool = ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), initializer=_begin, initargs=(begin,))
    ahead: deque[Future[R]] = deque()
    try:
        for chunk in chunks:
            ahead.append(pool.submit(work, chunk))
            if len(ahead) > (1 + AHEAD) * workers:
                yield ahead.popleft().result()
        while ahead:
            yield ahead.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


def _begin(begin: Callable[[], None] | None) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    if begin is not None:
        begin()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
