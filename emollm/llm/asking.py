"""Who answers a run: the client behind an endpoint or, with --batch, the file that requests are written to.

    with ExitStack() as stack:
        asking = open_asking(options, batch, Path("asked.jsonl"), stack, budget_of(options))
        for item, reply in in_order(items, lambda item: asking.ask(question(item)), within=asking.within):
            ...
        asking.notes()                                   # tokens and cost: told on stderr, and for the manifest

Either way answers that are remembered in the ledger, and those of --batch-answers, are not asked for again. The key is
read from the environment by the client and goes nowhere else.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from contextlib import AbstractAsyncContextManager, ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from emollm.errors import ConfigError
from emollm.llm.batches import Notes, TakenOver, open_batch, read_answers
from emollm.llm.options import BatchOptions, EndpointOptions, open_client
from emollm.llm.wire import Ask

if TYPE_CHECKING:
    from emollm.llm.budget import Budget
    from emollm.llm.client import Client


class Asking(NamedTuple):
    """Who answers, what has to be entered for it, and what it remembers of a run."""

    ask: Ask
    within: AbstractAsyncContextManager[Any] | None = None
    notes: Notes = dict


def open_asking(
    endpoint: EndpointOptions,
    batch: BatchOptions,
    ledger_path: Path,
    stack: ExitStack,
    budget: Budget | None = None,
    taken: Iterable[Path] = (),
) -> Asking:
    """Open the ledger, take over answers, and return the client or the batch file; all is closed with the stack.

    Raises ConfigError where ledger or batch file is one of the `taken` files of the run, or the other one.
    """
    from emollm.llm.address import read_address
    from emollm.llm.ledger import Ledger

    others = {path.resolve() for path in taken}
    for option, named in (("--ledger", ledger_path), ("--batch", batch.batch)):
        if named and named.resolve() in others:
            raise ConfigError(f"{option} {named}: is another file of this run; name one of its own")
        others.add(ledger_path.resolve())
    ledger = stack.enter_context(Ledger(ledger_path))
    taken_over = TakenOver()
    for answers in batch.batch_answers:
        taken_over.add(*read_answers(answers, endpoint, ledger))
    stack.callback(taken_over.tell)
    url, model = read_address(endpoint.base_url), str(endpoint.model)
    if batch.batch:
        ask, notes = open_batch(endpoint, batch, ledger, stack, taken_over.failures)
        return Asking(taken_over.watch(ask, url, model), None, notes)
    client = open_client(endpoint, ledger, budget)
    return Asking(taken_over.watch(client, url, model), client, lambda: _told(client))


def _told(client: Client) -> dict[str, object]:
    """Print the accounts of a run, and return them."""
    if told := str(client.accounts):
        print(told, file=sys.stderr)
    return {"endpoint": client.endpoint.url, "accounts": client.accounts.as_json()}
