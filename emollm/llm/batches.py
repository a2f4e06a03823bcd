"""The batch files behind `--batch`: written, handed over to a batch service (--submit), and their answers taken over.

    ask, notes = open_batch(endpoint, batch, ledger, stack, known)     # --fetch, --submit: what is answered is used
    ...                                          # the run: what nobody has answered is written down
    stack.close()                                # --submit: and handed over

Nothing is handed over where the run was stopped by an error.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from emollm.errors import ConfigError
from emollm.llm.options import BatchOptions, EndpointOptions, prices_of
from emollm.llm.wire import Ask, Failure, Reply, Request

if TYPE_CHECKING:
    from emollm.llm.batch_service import BatchService
    from emollm.llm.ledger import Ledger

Failures = dict[str, Failure]
"""The key of a request to what is told in place of an answer."""
Notes = Callable[[], dict[str, object]]
"""What a manifest is to remember of the asking; called when the run ends, it says the same on stderr."""

FINAL = ("refusal", "refused_request")
"""What a service would say again: such a request is not asked once more in the run that has fetched this."""


class TakenOver:
    """The answers of files named by --batch-answers: what failed there for good, and whether this run asks for any."""

    def __init__(self) -> None:
        self.failures: Failures = {}
        self._keys: set[str] = set()
        self._num_asked = self._num_fitting = 0

    def add(self, keys: Iterable[str], failures: Failures) -> None:
        """Take over one more file."""
        self._keys.update(keys)
        self.failures |= failures

    def watch(self, ask: Ask, url: str, model: str) -> Ask:
        """Return the same `ask`, which counts how many requests these answers are for."""
        from emollm.llm.entry import canonical, key_of

        async def watched(request: Request) -> Reply:
            self._num_asked += 1
            self._num_fitting += key_of(canonical(url, model, request)) in self._keys
            return await ask(request)

        return watched if self._keys else ask

    def tell(self) -> None:
        """Say so where all these answers are for another run."""
        if self._num_asked and not self._num_fitting and self._keys:
            print(
                f"none of the {len(self._keys):,} answers is for a request of this run; another model, seed, "
                "temperature, prompt or picture makes another request",
                file=sys.stderr,
            )


def open_batch(
    endpoint: EndpointOptions, batch: BatchOptions, ledger: Ledger, stack: ExitStack, known: Failures
) -> tuple[Ask, Notes]:
    """Return who answers from the ledger and writes down the rest, and what there is to say of it when the run ends.

    `known` are requests that a service has failed for good.
    """
    from emollm.llm.batch import BatchFile

    assert batch.batch is not None
    first = 1
    if batch.submit or batch.fetch:
        from emollm.llm.batch_service import BatchService

        service = BatchService(batch.batch, endpoint.base_url, str(endpoint.model), endpoint.api_key_env)
        known = known | _fetch(service, endpoint, batch.batch, ledger)
        known |= _waiting(service, ledger)
        first = len(service.log.parts()) + 1
        if batch.submit:
            stack.push(lambda kind, *_: _submit(service) if kind is None else None)
    file = stack.enter_context(
        BatchFile(batch.batch, endpoint.base_url, str(endpoint.model), ledger, known=known, first=first)
    )

    def notes() -> dict[str, object]:
        if file.num_written and not batch.submit:
            print(
                f"{file.num_written:,} requests wait in {', '.join(map(str, file.paths))}: {_advice(batch)}",
                file=sys.stderr,
            )
        if told := str(file.accounts):
            print(told, file=sys.stderr)
        spent = {"endpoint": endpoint.base_url, "accounts": file.accounts.as_json()}
        return spent | {"batch_requests": file.num_written}

    return file, notes


def _advice(batch: BatchOptions) -> str:
    """Return what is to be done with a file that is written."""
    if batch.fetch:
        return f"the same command with {batch.named('submit')} hands them over"
    again = f"{batch.named('batch-answers')} OUTPUT and a new {batch.named('batch')} FILE"
    return f"hand them to the batch service, and run again with {again}, or without it"


def read_answers(path: Path, endpoint: EndpointOptions, ledger: Ledger) -> tuple[set[str], Failures]:
    """Take the answers of a batch service into the ledger. Returns their keys, and what failed there for good."""
    from emollm.llm.batch import read_batch
    from emollm.llm.budget import price_of

    keys: set[str] = set()
    failures: Failures = {}
    num_failures = num_repeats = 0
    last = ""
    model = str(endpoint.model)
    for key, outcome in read_batch(path, endpoint.base_url, model, ledger, price_of(model, prices_of(endpoint))):
        if not isinstance(outcome, Failure):
            num_repeats += key in keys
            keys.add(key)
            continue
        num_failures += 1
        last = str(outcome)
        if outcome.kind in FINAL:
            failures[key] = outcome
    failed = f", {num_failures:,} failed there (the last one: {last})" if num_failures else ""
    repeated = f", {num_repeats:,} more to the same requests, which are passed over" if num_repeats else ""
    print(f"{path}: {len(keys):,} answers{failed}{repeated}", file=sys.stderr)
    return keys, failures


def _fetch(service: BatchService, endpoint: EndpointOptions, batch_path: Path, ledger: Ledger) -> Failures:
    """Take over what has ended, say in one line what has not, and return what is not worth another try."""
    failures: Failures = {}
    under_way = []
    for state in service.fetch():
        if not state.is_over:
            under_way.append(state)
            continue
        if state.status != "completed":
            why = f" ({state.detail})" if state.detail else ""
            print(
                f"{state.file}: {state.batch} is {state.status}{why}; what has no answer is asked again",
                file=sys.stderr,
            )
        for path in state.paths:
            failures |= read_answers(path, endpoint, ledger)[1]
    if under_way:
        done, total = (sum(nums) for nums in zip(*((one.num_done, one.num_requests) for one in under_way), strict=True))
        batches = ", ".join(f"{one.batch} {one.status}" for one in under_way)
        print(f"{batch_path}: under way, {done:,} of {total:,} requests done ({batches})", file=sys.stderr)
    return failures


def _waiting(service: BatchService, ledger: Ledger) -> Failures:
    """Return the requests that wait for an answer: they are not written a second time."""
    told: Failures = {}
    waiting: Failures = {}
    for key, part, batch in service.log.waiting():
        if not batch and ledger.find(key) is not None:
            raise ConfigError(
                f"{part}: some of its requests have an answer by now and would be paid again; remove it, and what "
                "still waits is written anew"
            )
        where = f"under way as {batch}" if batch else f"written to {part.name}"
        waiting[key] = told.setdefault(where, Failure("deferred", where, tries=0))
    return waiting


def _submit(service: BatchService) -> None:
    """Hand over what is written, and say what is to be done next."""
    if handed := service.submit():
        print(f"handed over: {', '.join(f'{one.file} as {one.batch}' for one in handed)}", file=sys.stderr)
    if waiting := len(service.log.under_way()):
        print(f"batches under way: {waiting}; the same command fetches their answers", file=sys.stderr)
