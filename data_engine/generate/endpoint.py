"""The endpoint behind `--teacher openai`: client, ledger and budget, or a batch file, from the options of the command.

    with ExitStack() as stack:
        asking = open_endpoint(arguments, stack)
        teacher = AskingTeacher(…, within=asking.within)      # entered in the event loop, where it asks
    asking.notes()                                            # tokens and cost, for the manifest

The key is read from the environment by the client and goes nowhere else.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, ExitStack
from pathlib import Path
from typing import Any, NamedTuple

from emollm.errors import ConfigError
from emollm.llm.wire import Ask, Failure


class Asking(NamedTuple):
    """Who answers, what has to be entered for it, and what it remembers of a run."""

    ask: Ask
    within: AbstractAsyncContextManager[Any] | None = None
    notes: Callable[[], dict[str, object]] = dict


def ledger_path(arguments: argparse.Namespace) -> Path:
    """Return where answers are remembered: `cot.ledger.jsonl` beside `cot.jsonl`, unless a file is named."""
    output: Path = arguments.output
    named: Path | None = arguments.ledger
    return named or output.with_name(f"{output.stem}.ledger.jsonl")


def open_endpoint(arguments: argparse.Namespace, stack: ExitStack) -> Asking:
    """Open the ledger, and return the client or, with --batch, the file that requests are written to."""
    from emollm.llm.budget import PRICES, Budget, read_price
    from emollm.llm.client import Client
    from emollm.llm.ledger import Ledger
    from emollm.llm.pace import Limits

    if not arguments.deadline > 0:
        raise ConfigError(f"--deadline: {arguments.deadline:g} is no time; give seconds, more than 0")
    prices = {**PRICES, arguments.model: read_price(arguments.price)} if arguments.price else PRICES
    path = ledger_path(arguments)
    if path.resolve() in (arguments.output.resolve(), arguments.samples.resolve()):
        raise ConfigError(f"--ledger {path}: is the input or the output of this run; name another file")
    ledger = stack.enter_context(Ledger(path))
    _read_answers(arguments, ledger, prices)
    if arguments.batch:
        return _open_batch(arguments, ledger, stack)
    budget = None if arguments.budget is None else Budget(arguments.budget)
    limits = Limits(
        in_flight=arguments.in_flight,
        requests_per_minute=arguments.requests_per_minute,
        tokens_per_minute=arguments.tokens_per_minute,
        deadline_s=arguments.deadline,
    )
    client = Client(
        arguments.base_url,
        arguments.model,
        ledger=ledger,
        limits=limits,
        budget=budget,
        prices=prices,
        key_env=arguments.api_key_env,
    )
    return Asking(client, client, lambda: _accounts(client))


def _accounts(client: Any) -> dict[str, object]:
    """Print the accounts of a run, and return them for the manifest."""
    if told := str(client.accounts):
        print(told, file=sys.stderr)
    return {"endpoint": client.endpoint.url, "accounts": client.accounts.as_json()}


def _open_batch(arguments: argparse.Namespace, ledger: Any, stack: ExitStack) -> Asking:
    from emollm.llm.batch import BatchFile

    batch = stack.enter_context(BatchFile(arguments.batch, arguments.base_url, arguments.model, ledger))

    def notes() -> dict[str, object]:
        if batch.num_written:
            files = ", ".join(map(str, batch.paths))
            print(
                f"{batch.num_written:,} requests wait in {files}: hand them to the batch service, and run again with "
                "--batch-answers OUTPUT and a new --batch FILE, or without it",
                file=sys.stderr,
            )
        return {"batch_requests": batch.num_written}

    return Asking(batch, None, notes)


def _read_answers(arguments: argparse.Namespace, ledger: Any, prices: Any) -> None:
    """Take the answers of a batch service into the ledger; what failed there is said, and is asked again."""
    from emollm.llm.batch import read_batch
    from emollm.llm.budget import price_of

    for path in arguments.batch_answers:
        outcomes = [0, 0]
        last = ""
        price = price_of(arguments.model, prices)
        for _, outcome in read_batch(path, arguments.base_url, arguments.model, ledger, price):
            outcomes[isinstance(outcome, Failure)] += 1
            last = str(outcome) if isinstance(outcome, Failure) else last
        failed = f", {outcomes[1]:,} failed there (the last one: {last})" if outcomes[1] else ""
        print(f"{path}: {outcomes[0]:,} answers{failed}", file=sys.stderr)
