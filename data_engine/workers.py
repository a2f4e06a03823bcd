"""Workers: the same work on many chunks, on several cores, results in order.

    for result in spread(partial(draw_chunk, plan), chunks, workers=4):
        ...

Only a few chunks are under way at any time, so that memory stays constant. Workers leave Ctrl-C to their parent, which
lets the chunks in hand end (or drops them) and starts no other, and they end with it, even when it is killed.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.synchronize import Event
from typing import TypeVar

from data_engine.cluster import spread_on_cluster
from emollm.errors import EmoLLMError

C = TypeVar("C")
R = TypeVar("R")

AHEAD = 2
"""Chunks that wait for each worker, beside the one in its hands."""
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def spread(
    work: Callable[[C], R],
    chunks: Iterable[C],
    workers: int | None,
    begin: Callable[[], None] | None = None,
    *,
    may_drop: bool = False,
    ray: str | None = None,
) -> Iterator[R]:
    """Yield `work` of each chunk, in order. One worker is this process; in others `begin` is called once before.

    `work`, `begin` and the chunks must be picklable. With `may_drop` nothing is lost where a chunk is left half done:
    then workers end at once when they are stopped. `ray` is the address of a cluster to work on instead, which has as
    many workers as cores where `workers` is None. Raises EmoLLMError where a worker was killed.
    """
    if ray is not None:
        yield from spread_on_cluster(work, chunks, ray, workers, begin)
        return
    if workers is None or workers <= 1:
        yield from map(work, chunks)
        return
    for name in THREADS:  # the workers share the cores already; threads of theirs would only wait for each other
        os.environ.setdefault(name, "1")
    context = multiprocessing.get_context("spawn")
    dropped = context.Event() if may_drop else None
    pool = ProcessPoolExecutor(workers, context, initializer=_begin, initargs=(begin, dropped))
    ahead: deque[Future[R]] = deque()
    try:
        for chunk in chunks:
            ahead.append(pool.submit(work, chunk))
            if len(ahead) > (1 + AHEAD) * workers:
                yield ahead.popleft().result()
        while ahead:
            yield ahead.popleft().result()
    except BrokenProcessPool:
        raise EmoLLMError(
            "a worker process was ended from outside, most likely because memory ran out; use fewer --workers"
        ) from None
    except BaseException:
        if dropped is not None:
            dropped.set()
        raise
    finally:
        pool.shutdown(cancel_futures=True)


def _begin(begin: Callable[[], None] | None, dropped: Event | None) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    if dropped is not None:
        threading.Thread(target=_end_when, args=(dropped,), daemon=True).start()
    if begin is not None:
        begin()


def _end_when(dropped: Event) -> None:
    dropped.wait()
    os._exit(1)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
