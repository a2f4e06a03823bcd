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
from typing import TYPE_CHECKING, Any, NamedTuple

from data_engine.generate.batches import TakenOver, open_batch, read_answers
from emollm.errors import ConfigError
from emollm.llm.options import budget_of, endpoint_options, open_client, prices_of
from emollm.llm.wire import Ask
from emollm.stage import beside, places_of

if TYPE_CHECKING:
    from data_engine.generate.allowance import Allowance


class Asking(NamedTuple):
    """Who answers, what has to be entered for it, and what it remembers of a run."""

    ask: Ask
    within: AbstractAsyncContextManager[Any] | None = None
    notes: Callable[[], dict[str, object]] = dict
    allowance: Allowance | None = None
    """Who says when a sample may begin, where there is a budget."""


def ledger_path(arguments: argparse.Namespace) -> Path:
    """Return where answers are remembered: `cot.ledger.jsonl` beside `cot.jsonl`, unless a file is named."""
    output: Path = arguments.output
    named: Path | None = arguments.ledger
    return named or beside(output, "ledger.jsonl")


def open_endpoint(arguments: argparse.Namespace, stack: ExitStack) -> Asking:
    """Open the ledger, and return the client or, with --batch, the file that requests are written to."""
    from data_engine.generate.allowance import Allowance
    from emollm.llm.address import read_address
    from emollm.llm.budget import price_of
    from emollm.llm.ledger import Ledger

    options = endpoint_options(arguments)
    price = price_of(arguments.model, prices_of(options))
    path = ledger_path(arguments)
    taken = [*places_of(arguments.output), arguments.samples.resolve()]
    for option, named in (("--ledger", path), ("--batch", arguments.batch)):
        if named and named.resolve() in taken:
            raise ConfigError(f"{option} {named}: is another file of this run; name one of its own")
        taken.append(path.resolve())
    ledger = stack.enter_context(Ledger(path))
    taken_over = TakenOver()
    for answers in arguments.batch_answers:
        taken_over.add(*read_answers(answers, arguments, ledger, price))
    stack.callback(taken_over.tell)
    if arguments.batch:
        ask, notes = open_batch(arguments, ledger, price, stack, taken_over.failures)
        return Asking(taken_over.watch(ask, read_address(arguments.base_url), arguments.model), None, notes)
    budget = budget_of(options)
    client = open_client(options, ledger, budget)
    allowance = None if budget is None or price is None else Allowance(budget, price, arguments.max_tokens)
    ask = taken_over.watch(client, client.endpoint.url, arguments.model)
    return Asking(ask, client, lambda: _accounts(client), allowance)


def _accounts(client: Any) -> dict[str, object]:
    """Print the accounts of a run, and return them for the manifest."""
    if told := str(client.accounts):
        print(told, file=sys.stderr)
    return {"endpoint": client.endpoint.url, "accounts": client.accounts.as_json()}
