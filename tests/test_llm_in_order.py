from __future__ import annotations

import asyncio
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from emollm.llm.in_order import each_in_order, in_order

ROOT = Path(__file__).parents[1]


def test_results_come_in_the_order_of_the_items() -> None:
    rng = random.Random(0)
    waits = [rng.random() * 0.01 for _ in range(200)]

    async def work(number: int) -> int:
        await asyncio.sleep(waits[number])
        return number * 2

    assert list(in_order(range(200), work, in_flight=32)) == [(number, number * 2) for number in range(200)]


def test_the_same_inside_a_running_loop() -> None:
    async def work(number: int) -> int:
        await asyncio.sleep(0)
        return number + 1

    async def run() -> list[tuple[int, int]]:
        return [pair async for pair in each_in_order(range(30), work, in_flight=4)]

    assert asyncio.run(run()) == [(number, number + 1) for number in range(30)]


def test_no_more_than_allowed_is_under_way_or_waits() -> None:
    under_way = most = drawn = 0

    def items() -> Iterator[int]:
        nonlocal drawn
        for number in range(300):
            drawn += 1
            yield number

    async def work(number: int) -> None:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0.1 if number == 0 else 0)  # the first holds up all others
        under_way -= 1

    for taken, _ in enumerate(in_order(items(), work, in_flight=5, ahead=20)):
        assert drawn <= taken + 40
        if taken == 0:
            assert drawn <= 20
    assert most == 5


def test_what_work_raises_comes_in_its_turn_and_ends_the_rest() -> None:
    ended: list[int] = []

    async def work(number: int) -> int:
        try:
            await asyncio.sleep(5 if number > 4 else 0)
        except asyncio.CancelledError:
            ended.append(number)
            raise
        if number == 4:
            raise ValueError("four")
        return number

    results = in_order(range(10), work, in_flight=10)
    assert [next(results)[0] for _ in range(4)] == [0, 1, 2, 3]
    with pytest.raises(ValueError, match="four"):
        next(results)
    assert ended == [5, 6, 7, 8, 9]


def test_what_the_items_raise_comes_after_the_results_before() -> None:
    def items() -> Iterator[int]:
        yield from range(3)
        raise OSError("gone")

    async def work(number: int) -> int:
        await asyncio.sleep(0.01)
        return number

    results = in_order(items(), work)
    assert [next(results)[0] for _ in range(3)] == [0, 1, 2]
    with pytest.raises(OSError, match="gone"):
        next(results)


def test_who_stops_early_leaves_nothing_running() -> None:
    class Room:
        is_open = False

        async def __aenter__(self) -> None:
            self.is_open = True

        async def __aexit__(self, *_: object) -> None:
            self.is_open = False

    room, ended = Room(), []

    async def work(number: int) -> int:
        assert room.is_open
        try:
            await asyncio.sleep(0.001 * number)
        finally:
            ended.append(number)
        return number

    results = in_order(range(1000), work, in_flight=8, within=room)  # type: ignore[arg-type]
    next(results)
    results.close()  # type: ignore[attr-defined]
    assert not room.is_open
    assert 8 <= len(ended) <= 40


def test_nothing_comes_of_nothing() -> None:
    async def work(number: int) -> int:
        return number

    assert list(in_order([], work)) == []
    with pytest.raises(ValueError, match="1 or more"):
        list(in_order([1], work, in_flight=0))


CTRL_C = """
import asyncio, signal
signal.signal(signal.SIGINT, signal.default_int_handler)  # jobs in the background of a shell are started without it
from emollm.llm.in_order import in_order
async def work(number):
    try:
        await asyncio.sleep(0 if number < 3 else 60)
    except asyncio.CancelledError:
        print("cancelled", number, flush=True)
        raise
try:
    for number, _ in in_order(range(1000), work, in_flight=3):
        print(number, flush=True)
except KeyboardInterrupt:
    print("stopped", flush=True)
"""


def test_ctrl_c_cancels_what_is_under_way_and_comes_out_once() -> None:
    process = subprocess.Popen([sys.executable, "-c", CTRL_C], stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert process.stdout is not None
    assert [process.stdout.readline() for _ in range(3)] == ["0\n", "1\n", "2\n"]
    time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    rest, _ = process.communicate(timeout=10)
    assert sorted(rest.split("\n")) == ["", "cancelled 3", "cancelled 4", "cancelled 5", "stopped"]
    assert process.returncode == 0
