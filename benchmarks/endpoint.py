"""How many requests a second the endpoint client carries, with the ledger on, beside the openai package's own client.

Example:

    python benchmarks/endpoint.py [N]        N requests a row, default 3,000; against a local stand-in, own process

The stand-in is tests/fake_endpoint.py. Rows: answers at once, after 200 ms, with a 55 KB picture each; an endpoint that
takes so many at a time or in a second, or refuses a few whatever the load; a run that is killed in its middle.
`a CPU s` counts the client's process alone, so that other programs on the machine count less; `aiohttp` is bare HTTP
that keeps nothing, the most that the machine carries at the moment. `openai` is missing where the package is not there.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import importlib.util
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

TESTS = Path(__file__).parents[1] / "tests"
sys.path.insert(0, str(TESTS))

import asking  # noqa: E402 - shared with the tests

from emollm.llm.client import Client  # noqa: E402
from emollm.llm.in_order import in_order  # noqa: E402
from emollm.llm.ledger import Ledger  # noqa: E402
from emollm.llm.pace import Limits  # noqa: E402
from emollm.llm.wire import Image, Reply, Request, Turn  # noqa: E402

IN_FLIGHT = 128
PICTURES = 64
PICTURE_BYTES = 55_000
TEXT = "Face {}: AU06 2.1, AU12 3.4. Describe what is seen, then name the expression."


class Speed(NamedTuple):
    """Requests a second, by the clock and by the CPU time of the client."""

    wall: float
    cpu: float


@contextmanager
def stand_in(**manners: Any) -> Iterator[tuple[str, Callable[[], dict[str, Any]]]]:
    """Run the stand-in; yield its address and a function that fetches its counts."""
    command = [sys.executable, str(TESTS / "fake_endpoint.py"), json.dumps(manners)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    url = process.stdout.readline().strip()

    def counts() -> dict[str, Any]:
        with urllib.request.urlopen(url.replace("/v1", "/stats")) as response:
            told: dict[str, Any] = json.load(response)
        return told

    try:
        yield url, counts
    finally:
        process.kill()
        process.wait()


def timed(work: Callable[[], None], num: int) -> Speed:
    """Return how fast the work was done."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return Speed(num / (time.perf_counter() - wall), num / (time.process_time() - cpu))


def ours(url: str, ledger: Path, num: int, in_flight: int, pictures: list[Image]) -> None:
    """Ask with the client, the ledger and `in_order`, as `emollm generate` does."""

    def request(number: int) -> Request:
        images = (pictures[number % len(pictures)],) if pictures else ()
        return Request(turns=(Turn("user", TEXT.format(number), images),))

    with Ledger(ledger) as opened:
        client = Client(url, "m", ledger=opened, limits=Limits(in_flight=in_flight))

        async def work(number: int) -> Reply:
            return await client(request(number))

        for _ in in_order(range(num), work, in_flight=in_flight + in_flight // 4, within=client):
            pass


def bodies(num: int, pictures: list[Image]) -> Iterator[Any]:
    """Yield the same requests as the protocol's JSON."""
    urls = ["data:image/jpeg;base64," + base64.b64encode(one.path.read_bytes()).decode() for one in pictures]
    for number in range(num):
        content: Any = TEXT.format(number)
        if urls:
            picture = {"type": "image_url", "image_url": {"url": urls[number % len(urls)]}}
            content = [picture, {"type": "text", "text": content}]
        messages = [{"role": "user", "content": content}]
        yield {"model": "m", "messages": messages, "max_tokens": 256, "temperature": 0}


def bare_aiohttp(url: str, num: int, in_flight: int, pictures: list[Image]) -> None:
    """Ask with nothing but HTTP and JSON: what this machine carries at the moment."""
    import aiohttp

    async def run() -> None:
        asked = bodies(num, pictures)
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:

            async def one() -> None:
                for body in asked:
                    async with session.post(f"{url}/chat/completions", json=body) as response:
                        await response.json()

            await gather(one, in_flight)

    asyncio.run(run())


def openai_package(url: str, num: int, in_flight: int, pictures: list[Image]) -> None:
    """Ask with AsyncOpenAI and a plain gather; nothing is kept."""
    import openai

    async def run() -> None:
        asked = bodies(num, pictures)
        async with openai.AsyncOpenAI(base_url=url, api_key="none") as client:

            async def one() -> None:
                for body in asked:
                    await client.chat.completions.create(**body)

            await gather(one, in_flight)

    asyncio.run(run())


async def gather(one: Callable[[], Awaitable[None]], times: int) -> None:
    """Run the same coroutine several times at once."""
    await asyncio.gather(*(one() for _ in range(times)))


def draw_pictures(folder: Path) -> list[Image]:
    """Write files that begin as a JPEG does; nobody looks at the rest."""
    rng, pictures = random.Random(0), []
    for number in range(PICTURES):
        data = b"\xff\xd8\xff\xe0" + rng.randbytes(PICTURE_BYTES - 4)
        path = folder / f"{number}.jpg"
        path.write_bytes(data)
        pictures.append(Image(path, hashlib.sha256(data).hexdigest()))
    return pictures


def throughput(num: int, folder: Path) -> None:
    """Print requests a second, ours and the openai package's, row by row."""
    has_openai = importlib.util.find_spec("openai") is not None
    pictures = draw_pictures(folder)
    print(f"{'':16} {'ours':>8} {'a CPU s':>8} {'aiohttp':>8} {'a CPU s':>8} {'openai':>8} {'a CPU s':>8} {'ratio':>6}")
    for name, latency_s, shown in (("at once", 0.0, []), ("after 200 ms", 0.2, []), ("55 KB pictures", 0.0, pictures)):
        with stand_in(latency_s=latency_s) as (url, _):
            us = timed(partial(ours, url, folder / f"{name}.jsonl", num, IN_FLIGHT, shown), num)
            bare = timed(partial(bare_aiohttp, url, num, IN_FLIGHT, shown), num)
            row = f"{name:16} {us.wall:>8,.0f} {us.cpu:>8,.0f} {bare.wall:>8,.0f} {bare.cpu:>8,.0f}"
            if has_openai:
                them = timed(partial(openai_package, url, num // 2, IN_FLIGHT, shown), num // 2)
                row += f" {them.wall:>8,.0f} {them.cpu:>8,.0f} {us.wall / them.wall:>5.1f}x"
        if latency_s:
            row += f"   {us.wall * latency_s / IN_FLIGHT:.2f} of the ideal {IN_FLIGHT / latency_s:,.0f}"
        print(row)


def capacity(num: int, folder: Path) -> None:
    """Print the goodput at endpoints that refuse, beside a client that knows what they take and is never refused."""
    takers: dict[str, tuple[dict[str, Any], int]] = {
        "32 at a time": ({"capacity": 32, "latency_s": 0.05}, 32),
        "8 at a time": ({"capacity": 8, "latency_s": 0.05}, 8),
        "200 in a second": ({"rate": 200, "latency_s": 0.05}, 0),
        "… with Retry-After: 1": ({"rate": 200, "burst": 200, "retry_after": "1", "latency_s": 0.05}, 0),
        "all but 2 %, at random": ({"stray": 0.02, "latency_s": 0.2}, IN_FLIGHT),
    }
    print(f"\n{'endpoint takes':24} {'goodput':>8} {'possible':>9} {'share':>6} {'told to wait':>13}")
    for number, (name, (manners, knows)) in enumerate(takers.items()):
        possible = 200.0
        if knows:
            with stand_in(latency_s=manners["latency_s"]) as (url, _):
                work = partial(ours, url, folder / f"know{number}.jsonl", num // 2, knows, [])
                possible = timed(work, num // 2).wall
        with stand_in(**manners) as (url, counts):
            goodput = timed(partial(ours, url, folder / f"take{number}.jsonl", num, IN_FLIGHT, []), num).wall
            told = counts()
        refused = told["statuses"].get("429", 0) / told["calls"]
        print(f"{name:24} {goodput:>8,.0f} {possible:>9,.0f} {goodput / possible:>6.2f} {refused:>12.1%}")


def killed(num: int, folder: Path) -> None:
    """Print what is paid twice after kill -9 at half, and what one more row costs."""
    ledger, output = folder / "killed.jsonl", folder / "output.txt"
    with stand_in(latency_s=0.02) as (url, counts):
        script = [sys.executable, asking.__file__, url, str(ledger), str(output), str(num), str(IN_FLIGHT)]
        process = subprocess.Popen(script, env={**os.environ, "PYTHONPATH": str(TESTS.parent)})
        while counts()["answered"] < num // 2:
            time.sleep(0.005)
        process.send_signal(signal.SIGKILL)
        process.wait()
        time.sleep(0.1)
        handed_on = [line.rstrip("\n") for line in output.open(encoding="utf-8") if line.endswith("\n")]
        with Ledger(ledger) as opened:
            kept = {entry.text for entry in opened.entries()}
        answered = counts()["answered"]
        asking.run(url, ledger, output, num, IN_FLIGHT)
        twice = counts()["paid_twice"]
        asking.run(url, ledger, output, num + 1, IN_FLIGHT)
        new = counts()["answered"] - num - twice
    print(f"\nkill -9 after {answered:,} of {num:,} answers, {IN_FLIGHT} in flight: {len(handed_on):,} handed on,")
    print(f"{len(set(handed_on) - kept)} of them lost, {twice} paid twice; one more row: {new} new call")


def main() -> None:
    """Print the tables."""
    num = int(sys.argv[1]) if len(sys.argv) > 1 else 3000
    if importlib.util.find_spec("aiohttp") is None:
        print("needs the extra `teacher`: pip install 'emollm[teacher]'")
        return
    import aiohttp  # noqa: F401 - so that no row pays for the import

    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores; {num:,} requests a row, {IN_FLIGHT} in flight\n")
    with tempfile.TemporaryDirectory() as folder:
        throughput(num, Path(folder))
        capacity(num, Path(folder))
        killed(min(num, 2000), Path(folder))


if __name__ == "__main__":
    main()
