"""In order: an async function over a stream of items, many at a time, results in the order of the items.

    for sample, reply in in_order(samples, lambda sample: ask(question(sample)), in_flight=128, within=client):
        ...

The items are drawn as they are needed, so that memory stays constant however many there are. Where one takes long,
those behind it go on until `ahead` results wait for it.
"""

from __future__ import annotations

import asyncio
import signal
import threading
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable, Iterator
from contextlib import AbstractAsyncContextManager
from types import FrameType
from typing import Any, Generic, Self, TypeVar

T = TypeVar("T")
R = TypeVar("R")

AHEAD = 4
"""Items under way or done that may wait for an earlier one, as a multiple of those in flight."""


def in_order(
    items: Iterable[T],
    work: Callable[[T], Awaitable[R]],
    *,
    in_flight: int = 64,
    ahead: int | None = None,
    within: AbstractAsyncContextManager[Any] | None = None,
) -> Iterator[tuple[T, R]]:
    """Yield each item with the result of its work, in order; `within` is entered first and left last.

    Let a quarter more be in flight here than the client allows: some answers are being kept, some questions prepared.
    What `work` raises is raised here when its item's turn comes, and ends the rest. So does Ctrl-C. Work goes on only
    while the next result is waited for: handle a result quickly. Not for use inside a running event loop; there,
    `each_in_order` does the same.
    """
    with asyncio.Runner() as runner:
        crew = _Crew(items, work, in_flight, ahead or AHEAD * in_flight)
        with _Stoppable(runner, crew) as inside:
            if within is not None:
                inside.run(within.__aenter__())
            try:
                try:
                    while done := inside.run(crew.next_done()):
                        yield from done
                finally:
                    inside.run(crew.dismiss())
            finally:
                if within is not None:
                    inside.run(within.__aexit__(None, None, None))
        inside.raise_if_stopped()


async def each_in_order(
    items: Iterable[T], work: Callable[[T], Awaitable[R]], *, in_flight: int = 64, ahead: int | None = None
) -> AsyncIterator[tuple[T, R]]:
    """Do what `in_order` does, inside a running event loop."""
    crew = _Crew(items, work, in_flight, ahead or AHEAD * in_flight)
    try:
        while done := await crew.next_done():
            for pair in done:
                yield pair
    finally:
        await crew.dismiss()


class _Crew(Generic[T, R]):
    """The work under way, in the order of its items."""

    def __init__(self, items: Iterable[T], work: Callable[[T], Awaitable[R]], in_flight: int, ahead: int) -> None:
        if in_flight < 1 or ahead < 1:
            raise ValueError("in_flight and ahead count items: 1 or more")
        self._items = iter(items)
        self._work = work
        self._in_flight = in_flight
        self._ahead = max(ahead, in_flight)
        self._line: deque[tuple[T, asyncio.Future[R]]] = deque()
        self._num_running = 0
        self._changed: asyncio.Event | None = None
        self._drew_last = False
        self._error: Exception | None = None
        self.is_stopped = False

    async def next_done(self) -> list[tuple[T, R]]:
        """Return the results that are next in order, one or more; none when all is done or it was stopped."""
        if self._changed is None:
            self._changed = asyncio.Event()
        while True:
            if self.is_stopped:
                return []
            self._draw()
            if not self._line:
                if self._error is not None:
                    raise self._error
                return []
            if self._line[0][1].done():
                return self._take_done()
            self._changed.clear()
            await self._changed.wait()

    def _take_done(self) -> list[tuple[T, R]]:
        done: list[tuple[T, R]] = []
        while self._line and self._line[0][1].done():
            item, future = self._line[0]
            if done and (future.cancelled() or future.exception() is not None):
                break  # first hand over what is good
            self._line.popleft()
            done.append((item, future.result()))
        return done

    def _draw(self) -> None:
        """Begin with as many items as may be under way."""
        while not self._drew_last and self._num_running < self._in_flight and len(self._line) < self._ahead:
            try:
                item = next(self._items)
            except StopIteration:
                self._drew_last = True
                return
            except Exception as error:  # noqa: BLE001 - raised after the results of the items before it
                self._error, self._drew_last = error, True
                return
            future = asyncio.ensure_future(self._work(item))
            future.add_done_callback(self._one_ended)
            self._num_running += 1
            self._line.append((item, future))

    def _one_ended(self, _: asyncio.Future[R]) -> None:
        self._num_running -= 1
        self.wake()

    def wake(self) -> None:
        """Look at how things are, whatever is waited for."""
        if self._changed is not None:
            self._changed.set()

    async def dismiss(self) -> None:
        """Cancel what is under way and wait until it has ended."""
        futures = [future for _, future in self._line]
        for future in futures:
            future.cancel()
        await asyncio.gather(*futures, return_exceptions=True)


class _Stoppable:
    """An event loop that Ctrl-C ends between two of its steps; raised inside a step, it would leave things half done.

    Outside of the loop, and the second time, Ctrl-C is KeyboardInterrupt at once, as everywhere.
    """

    def __init__(self, runner: asyncio.Runner, crew: _Crew[Any, Any]) -> None:
        self._runner = runner
        self._crew = crew
        self._is_inside = False
        self._before: Any = None

    def __enter__(self) -> Self:
        is_main = threading.current_thread() is threading.main_thread()
        if is_main and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            self._before = signal.signal(signal.SIGINT, self._stop)
        return self

    def __exit__(self, *_: object) -> None:
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)

    def _stop(self, number: int, frame: FrameType | None) -> None:
        if not self._is_inside or self._crew.is_stopped:
            signal.default_int_handler(number, frame)
        self._crew.is_stopped = True
        self._runner.get_loop().call_soon_threadsafe(self._crew.wake)

    def run(self, work: Coroutine[Any, Any, R]) -> R:
        """Run until the work is done."""
        self._is_inside = True
        try:
            return self._runner.run(work)
        finally:
            self._is_inside = False

    def raise_if_stopped(self) -> None:
        """Raise what Ctrl-C has put off."""
        if self._crew.is_stopped:
            raise KeyboardInterrupt
