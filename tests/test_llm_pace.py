from __future__ import annotations

import asyncio
import itertools
import random
import selectors
import time
from typing import NamedTuple

import pytest
from asking import QUICK, ask, question
from fake_endpoint import FakeEndpoint, Manners

from emollm.errors import ConfigError
from emollm.llm.ceiling import Window
from emollm.llm.client import Client
from emollm.llm.endpoint import HANDFUL
from emollm.llm.pace import Bucket, Limits, Pace
from emollm.llm.wire import Failure, Reply


def opened(most: int) -> Window:
    window = Window(most)
    assert max(window.size(step / 500) for step in range(100)) == most
    return window


def shrunk(in_flight: int, refused: int = 1) -> Window:
    """A window of 1,000 that was refused at 11 s."""
    window = opened(1000)
    assert window.refused(in_flight, now=11.0)
    assert not any(window.refused(in_flight, now=11.0) for _ in range(refused - 1))
    return window


def test_the_window_opens_step_by_step() -> None:
    window = Window(128)
    sizes = [window.size(step / 500) for step in range(80)]
    assert [sizes[step] for step in (0, 13, 26, 38, 50, 79)] == [8, 16, 33, 65, 128, 128]
    assert Window(3).size(0.0) == 3


def test_the_window_does_not_open_while_this_process_gets_no_turn() -> None:
    window = Window(128)
    assert (window.size(0.0), window.size(5.0)) == (8, 9)


def test_a_storm_counts_once() -> None:
    window = shrunk(in_flight=100, refused=10)
    assert window.size(11.0) == int(0.75 * 90)
    window.answered(sent_at=10.0, in_flight=67)  # was under way before: the storm goes on
    assert not window.refused(66, now=11.1)
    window.answered(sent_at=11.2, in_flight=65)
    assert window.refused(60, now=12.0)
    assert window.size(12.0) == int(0.75 * 59)


def test_a_ceiling_that_is_met_again_takes_less_away() -> None:
    window = shrunk(in_flight=101)
    window.answered(sent_at=11.5, in_flight=75)
    window.refused(102, now=12.0)
    assert window.size(12.0) == int(0.9 * 101)


def test_where_most_is_refused_one_goes_ahead_alone_and_the_rest_soon_follows() -> None:
    window = shrunk(in_flight=64, refused=64)
    assert window.size(11.0) == 1
    assert not window.is_the_point
    for _ in range(60):
        window.answered(sent_at=11.5, in_flight=window.size(12.0))
    assert window.size(12.0) >= 30


def test_growth_is_fast_below_the_ceiling_slow_near_it_and_fast_again_beyond() -> None:
    window, sizes = shrunk(in_flight=101), []
    for _ in range(2000):
        window.answered(sent_at=11.5, in_flight=window.size(12.0))
        sizes.append(window.size(12.0))
    until = {size: sum(one < size for one in sizes) for size in (95, 100, 105, 200, 400)}
    assert until[95] < 50
    assert until[105] - until[95] > 400
    assert until[400] - until[200] < 400


def test_a_window_that_is_not_used_does_not_grow() -> None:
    window = shrunk(in_flight=100)
    for _ in range(1000):
        window.answered(sent_at=11.5, in_flight=3)
    assert window.size(12.0) == int(0.75 * 99)


class Clock(selectors.SelectSelector):
    """Time that passes only while everybody waits, and then at once."""

    now = 1000.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if not ready:
            self.now += timeout or 0.0
        return ready


class QuickLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self.clock = Clock()
        super().__init__(self.clock)

    def time(self) -> float:
        return self.clock.now


class Taker(NamedTuple):
    """An endpoint as its limits: so many at a time, so many in a second, closed for a while; and what it refuses so."""

    latency_s: float = 0.05
    capacity: float = float("inf")
    per_s: float = 1e9
    burst: float = 20.0
    retry_after_s: float | None = None
    closed_s: float = 0.0
    stray: float = 0.0
    """Share of requests that it refuses for no reason."""


async def go(taker: Taker, num: int, in_flight: int = 128) -> tuple[float, float]:
    """Ask through a Pace; return answers a second in the later half, and the share of refusals in all."""
    loop = asyncio.get_running_loop()
    started = filled = loop.time()
    at_work, refused, level, times = 0, 0, taker.burst, []
    rng = random.Random(0)

    async def take() -> bool:
        nonlocal at_work, refused, level, filled
        await asyncio.sleep(0.001)
        now = loop.time()
        level, filled = min(taker.burst, level + (now - filled) * taker.per_s), now
        is_full = now < started + taker.closed_s or at_work >= taker.capacity or level < 1
        is_refused = is_full or rng.random() < taker.stray
        if is_refused:
            refused += 1
        else:
            level -= 1
            at_work += 1
            await asyncio.sleep(taker.latency_s)
            at_work -= 1
            times.append(loop.time())
        await asyncio.sleep(0.001)
        return not is_refused

    async def one(pace: Pace) -> None:
        for times_refused in itertools.count():
            slot = await pace.enter(1, times_refused)
            if await take():
                pace.leave(slot, "answered")
                return
            pace.leave(slot, "refused", wait_s=taker.retry_after_s)

    pace = Pace(Limits(in_flight=in_flight))
    await asyncio.gather(*(one(pace) for _ in range(num)))
    half = times[num // 2 :]
    return len(half) / (half[-1] - half[0]), refused / (refused + num)


TAKERS = {
    "32 at a time": (Taker(capacity=32), 32 / 0.052, 0.93),
    "8 at a time": (Taker(capacity=8), 8 / 0.052, 0.93),
    "100 at a time, slow": (Taker(capacity=100, latency_s=0.5), 100 / 0.502, 0.9),
    "32 at a time, Retry-After": (Taker(capacity=32, retry_after_s=0.5), 32 / 0.052, 0.9),
    "200 in a second": (Taker(per_s=200), 200, 0.93),
    "200 in a second, at once": (Taker(per_s=200, latency_s=0), 200, 0.93),
    "200 in a second, saved up, Retry-After": (Taker(per_s=200, burst=200, retry_after_s=1), 200, 0.93),
    "500 in a second, of which few at once": (Taker(per_s=500, burst=50, latency_s=0.2), 500, 0.9),
    "200 in a second, all strictness": (Taker(per_s=200, burst=20, retry_after_s=1), 200, 0.5),
    "closed for 3 seconds": (Taker(closed_s=3), 128 / 0.052, 0.4),
    "without limits": (Taker(), 128 / 0.052, 0.98),
}


@pytest.mark.parametrize("name", TAKERS)
def test_goodput_is_near_what_an_endpoint_takes_with_few_refusals(name: str) -> None:
    taker, ideal, bar = TAKERS[name]
    with asyncio.Runner(loop_factory=QuickLoop) as runner:
        goodput, share = runner.run(go(taker, 3000))
    assert goodput > bar * ideal
    assert share < 0.03


@pytest.mark.parametrize(
    ("taker", "bar"),
    [
        (Taker(latency_s=0.1, burst=1e9, stray=0.02), 0.9),
        (Taker(latency_s=0.1, burst=1e9, stray=0.05), 0.8),
        (Taker(capacity=32, stray=0.02), 0.4),
        (Taker(closed_s=1, burst=1e9, latency_s=0.1, stray=0.02), 0.6),
    ],
    ids=["2 %", "5 %", "32 at a time and 2 %", "closed for a second, then 2 %"],
)
def test_refusals_that_do_not_depend_on_load_hardly_slow_it_down(taker: Taker, bar: float) -> None:
    with asyncio.Runner(loop_factory=QuickLoop) as runner:
        goodput, _ = runner.run(go(taker, 3000, in_flight=64))
    assert goodput > bar * min(64, taker.capacity) / (taker.latency_s + 0.002)


def test_a_request_that_is_always_refused_waits_alone_and_longer_each_time() -> None:
    async def run() -> tuple[int, int]:
        pace = Pace(Limits(in_flight=16))
        answered = tried = 0

        async def fine() -> None:
            nonlocal answered
            while True:
                slot = await pace.enter(1)
                await asyncio.sleep(0.05)
                pace.leave(slot, "answered")
                answered += 1

        tasks = [asyncio.create_task(fine()) for _ in range(15)]
        await asyncio.sleep(1)
        answered = 0
        started = asyncio.get_running_loop().time()
        while asyncio.get_running_loop().time() < started + 10:
            slot = await pace.enter(1, tried)
            await asyncio.sleep(0.001)
            pace.leave(slot, "refused")
            tried += 1
        for task in tasks:
            task.cancel()
        return tried, answered

    with asyncio.Runner(loop_factory=QuickLoop) as runner:
        tried, answered = runner.run(run())
    assert tried < 15
    assert answered > 0.8 * 15 * 10 / 0.05


@pytest.mark.parametrize("per_minute", [1, 2, 30, 500, 10_000])
def test_a_limit_a_minute_is_kept_in_every_minute(per_minute: float) -> None:
    bucket, now, taken = Bucket(per_minute), 0.0, []
    while now < 130 and len(taken) < 12_000:
        wait_s = bucket.wait_s(1, now)
        if wait_s <= 0:
            bucket.take(1)
            taken.append(now)
        else:
            now += wait_s + 1e-6
    most = max(sum(start <= at < start + 60 for at in taken) for start in taken[:: max(1, len(taken) // 300)])
    assert 0.5 * per_minute <= most <= per_minute


def test_what_is_larger_than_the_bucket_is_let_through_when_it_is_full() -> None:
    bucket = Bucket(600)
    assert bucket.wait_s(5000, 0.0) == 0
    bucket.take(5000)
    assert 490 < bucket.wait_s(1, 0.0) < 520
    bucket.take(-4900)
    assert bucket.wait_s(1, 0.0) < 15


def test_limits_that_cannot_be_are_said() -> None:
    for wrong in ({"in_flight": 0}, {"retries": -1}, {"deadline_s": 0.0}, {"requests_per_minute": -5.0}):
        with pytest.raises(ConfigError, match="limits: "):
            Limits(**wrong)  # type: ignore[arg-type]


def test_who_gives_up_waiting_leaves_no_turn_behind() -> None:
    async def run() -> int:
        pace = Pace(Limits(in_flight=1))
        slot = await pace.enter(1)
        waiting = [asyncio.create_task(pace.enter(1)) for _ in range(3)]
        await asyncio.sleep(0)
        waiting[0].cancel()
        pace.leave(slot, "answered")
        waiting[1].cancel()  # has been let through, and does not know it yet
        await asyncio.sleep(0.01)
        assert waiting[2].done()
        return pace.in_flight

    assert asyncio.run(run()) == 1


def test_requests_a_minute_are_kept() -> None:
    with FakeEndpoint() as endpoint:
        endpoint.keeps = True
        client = Client(endpoint.url, "m", limits=Limits(requests_per_minute=1200))
        ask(client, *[question(f"Face {number}?") for number in range(40)])
        times = [at for at, _, _ in endpoint.requests]
    assert times[-1] - times[0] > 0.9 * (40 - 1200 / 61) / 20


def test_tokens_a_minute_are_kept_by_what_is_really_used() -> None:
    with FakeEndpoint(Manners(prompt_tokens=100, completion_tokens=100)) as endpoint:
        client = Client(endpoint.url, "m", limits=Limits(tokens_per_minute=60_000))
        started = time.monotonic()
        ask(client, *[question(f"Face {number}?", max_tokens=1000) for number in range(8)])
        took = time.monotonic() - started
    assert 0.3 < took < 4  # 1,600 tokens at 1,000 a second; as they are reserved it would be 8 s


def test_retry_after_halts_everybody() -> None:
    with FakeEndpoint(Manners(closed_s=(0.0, 0.8), retry_after="0.9")) as endpoint:
        endpoint.keeps = True
        client = Client(endpoint.url, "m", limits=QUICK)
        replies = ask(client, *[question(f"Face {number}?") for number in range(12)])
        times = [at for at, _, _ in endpoint.requests]
        assert all(isinstance(reply, Reply) for reply in replies)
        assert endpoint.statuses == {429: HANDFUL, 200: 12}
        assert min(times[HANDFUL:]) - max(times[:HANDFUL]) > 0.8


def test_patience_ends() -> None:
    with FakeEndpoint(Manners(closed_s=(0.0, 60.0))) as endpoint:
        client = Client(endpoint.url, "m", limits=Limits(patience_s=0.3))
        started = time.monotonic()
        failures = ask(client, *[question(f"Face {number}?") for number in range(4)])
        assert {isinstance(failure, Failure) and failure.kind for failure in failures} == {"rate"}
        assert time.monotonic() - started < 3
        assert endpoint.calls < 40


def test_a_wait_beyond_all_patience_is_not_begun() -> None:
    with FakeEndpoint(Manners(closed_s=(0.0, 60.0), retry_after="86400")) as endpoint:
        [failure] = ask(Client(endpoint.url, "m"), question())
        assert isinstance(failure, Failure)
        assert failure.kind == "rate"


@pytest.mark.parametrize("retry_after", [None, "0.1"])
def test_a_real_endpoint_at_its_limit_answers_everybody(retry_after: str | None) -> None:
    with FakeEndpoint(Manners(latency_s=0.01, capacity=16, retry_after=retry_after)) as endpoint:
        client = Client(endpoint.url, "m", limits=Limits(in_flight=128))
        replies = ask(client, *[question(f"Face {number}?") for number in range(600)])
        assert all(isinstance(reply, Reply) for reply in replies)
        assert endpoint.most_at_work == 16
        assert client.accounts.total().told_to_wait == endpoint.statuses[429] < 120
