"""What the tests and benchmarks of the endpoint client share: a question, a client that asks some, a run to be killed.

python tests/asking.py URL LEDGER OUTPUT NUM IN_FLIGHT      # a run of NUM questions, one line of OUTPUT an answer
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from emollm.llm.client import Client
from emollm.llm.in_order import in_order
from emollm.llm.ledger import Ledger
from emollm.llm.pace import Limits
from emollm.llm.wire import Failure, Reply, Request, Turn

QUICK = Limits(in_flight=64, deadline_s=20, retries=2, backoff_s=0.01, patience_s=20)


def question(text: str = "Which expression is this?", **options: Any) -> Request:
    return Request(turns=(Turn("user", text),), **options)


def ask(client: Client, *requests: Request) -> list[Reply | Failure]:
    """Ask all at the same time; a Failure takes the place of its reply. Skips a test where aiohttp is missing."""
    pytest.importorskip("aiohttp", reason="the extra `teacher` is not installed")

    async def one(request: Request) -> Reply | Failure:
        try:
            return await client(request)
        except Failure as failure:
            return failure

    async def run() -> Sequence[Reply | Failure]:
        async with client:
            return await asyncio.gather(*(one(request) for request in requests))

    return list(asyncio.run(run()))


def run(url: str, ledger_path: Path, output: Path, num: int, in_flight: int) -> Client:
    """Ask `num` questions in order, and write every answer as a line as soon as it is handed on."""
    with Ledger(ledger_path) as ledger, output.open("w", encoding="utf-8") as file:
        client = Client(url, "m", ledger=ledger, limits=Limits(in_flight=in_flight))

        async def work(number: int) -> Reply:
            return await client(question(f"Face {number}: AU06 {number % 50 / 10}, AU12 3.4. What is seen?"))

        for _, reply in in_order(range(num), work, in_flight=in_flight, within=client):
            file.write(reply.text + "\n")
            file.flush()
    return client


if __name__ == "__main__":
    url, ledger_path, output, num, in_flight = sys.argv[1:]
    run(url, Path(ledger_path), Path(output), int(num), int(in_flight))
