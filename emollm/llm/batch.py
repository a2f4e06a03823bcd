"""Batch files: requests for a provider's batch service, and its answers into the ledger.

    with BatchFile(Path("batch.jsonl"), "https://api.openai.com/v1", "gpt-4o-mini", ledger) as ask:
        ...                                    # run the stage: what the ledger does not know fails as `deferred`
    # hand batch.jsonl to the provider (`batch_service` does), wait, fetch the output and the error file, then for each
    for key, outcome in read_batch(Path("output.jsonl"), "https://api.openai.com/v1", "gpt-4o-mini", ledger):
        ...                                    # a Reply that is remembered from now on, or a Failure

The next run of the stage finds these answers, goes on from them and writes down what it asks then. The files are
OpenAI's: one JSON line a request, whose `custom_id` is its key in the ledger. What is too much for one file goes into
`batch-2.jsonl` and so on.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from io import BufferedWriter
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec

from emollm.errors import ConfigError
from emollm.files import naming
from emollm.llm.accounts import Accounts
from emollm.llm.address import read_address
from emollm.llm.budget import Price
from emollm.llm.chat import Style, Trouble, first_style, read_answer, to_body
from emollm.llm.entry import Entry, canonical, is_key, key_of, to_reply
from emollm.llm.images import DataUrls
from emollm.llm.ledger import Ledger
from emollm.llm.wire import Failure, Reply, Request

MAX_REQUESTS = 50_000
MAX_BYTES = 190_000_000
"""OpenAI takes 50,000 requests and 200 MB a file."""
GROUP = 500
"""Answers that are made durable together."""
STAGE = "batch"
"""The stage of the answers in the ledger: a provider's file does not tell theirs."""


def numbered(path: Path, number: int) -> Path:
    """Return the name of a part: `batch.jsonl`, `batch-2.jsonl` and so on."""
    return path if number == 1 else path.with_name(f"{path.stem}-{number}{path.suffix}")


class BatchFile:
    """An `Ask` that answers from the ledger and writes down what is not there, each request once.

    A file has its name when all of it is written; until then it is a `.part`. `known` are requests that are not to be
    written, with what is told instead; `first` is the number of the first file. Raises ConfigError where that file is
    there already: it may not have been sent yet.
    """

    def __init__(
        self,
        path: Path,
        endpoint: str,
        model: str,
        ledger: Ledger,
        style: Style | None = None,
        *,
        known: Mapping[str, Failure] | None = None,
        first: int = 1,
    ) -> None:
        self._path = path
        self._first = first
        self._refuse_there(numbered(path, first))
        self.paths: list[Path] = []
        self.num_written = 0
        self._known = known or {}
        self._url = read_address(endpoint)
        self._model = model
        self._ledger = ledger
        self._style = style or first_style(self._url)
        self._urls = DataUrls()
        self._written: set[str] = set()
        self._used: set[str] = set()
        self.accounts = Accounts()
        """What the answers that are used have cost, whichever run has fetched them."""
        self._file: BufferedWriter | None = None
        self._num_requests = self._num_bytes = 0

    async def __call__(self, request: Request) -> Reply:
        """Return a remembered answer; else write the request down and raise Failure("deferred", …)."""
        key = key_of(canonical(self._url, self._model, request))
        if (entry := self._ledger.find(key)) is not None:
            self._count(request.stage, key, entry)
            return to_reply(entry, is_remembered=True)
        if (failure := self._known.get(key)) is not None:
            raise Failure(failure.kind, failure.detail, tries=0)
        if key not in self._written:
            body = msgspec.Raw(to_body(request, self._model, self._style, self._urls.find))
            asked = {"custom_id": key, "method": "POST", "url": "/v1/chat/completions", "body": body}
            self._write(msgspec.json.encode(asked) + b"\n")
            self._written.add(key)
        raise Failure("deferred", f"written to {self._path.name}", tries=0)

    def _count(self, stage: str, key: str, entry: Entry) -> None:
        """Book what a batch service was paid for an answer under the stage that asks for it."""
        if key in self._used:
            return
        self._used.add(key)
        account = self.accounts.of(stage, self._model)
        if entry.stage != STAGE:
            account.remembered += 1
            account.usd_saved += entry.usd or 0.0
        else:
            account.book(entry)

    def _write(self, line: bytes) -> None:
        is_full = self._num_requests >= MAX_REQUESTS or self._num_bytes + len(line) > MAX_BYTES
        if self._file is None or is_full:
            self._begin_file()
        assert self._file is not None
        with naming(self.paths[-1]):
            self._file.write(line)
        self.num_written += 1
        self._num_requests += 1
        self._num_bytes += len(line)

    def _begin_file(self) -> None:
        self._end_file()
        path = numbered(self._path, self._first + len(self.paths))
        self._refuse_there(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = _part(path).open("wb")
        self.paths.append(path)
        self._num_requests = self._num_bytes = 0

    def _end_file(self) -> None:
        if self._file is not None:
            with naming(self.paths[-1]):
                self._file.flush()
                os.fsync(self._file.fileno())
                self._file.close()
            self._file = None
            _part(self.paths[-1]).replace(self.paths[-1])

    def _refuse_there(self, path: Path) -> None:
        if path.exists():
            raise ConfigError(f"{path}: is there already; send it and remove it, or name another file")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._end_file()


class _Body(msgspec.Struct):
    model: str


class _Asked(msgspec.Struct):
    custom_id: str
    body: _Body


def read_keys(path: Path, model: str) -> Iterator[str]:
    """Yield the key of each request in a batch file. Raises ConfigError for any other file, and for another model."""
    decoder = msgspec.json.Decoder(_Asked)
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            try:
                asked = decoder.decode(line)
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                raise ConfigError(f"{path}:{number}: is no request for a batch service; name another --batch") from None
            if asked.body.model != model or not is_key(asked.custom_id):
                raise ConfigError(
                    f"{path}:{number}: asks '{asked.body.model}' for '{asked.custom_id[:80]}', which is no request of "
                    f"this run with '{model}'; name another --batch"
                )
            yield asked.custom_id


def _part(path: Path) -> Path:
    return path.with_name(path.name + ".part")


class _Response(msgspec.Struct):
    status_code: int = 200
    body: msgspec.Raw = msgspec.Raw(b"null")


class _Line(msgspec.Struct):
    custom_id: str
    response: _Response | None = None
    error: Any = None


def read_batch(
    path: Path, endpoint: str, model: str, ledger: Ledger, price: Price | None = None
) -> Iterator[tuple[str, Reply | Failure]]:
    """Yield each key of a provider's output file with what came of it; answers are in the ledger by then.

    `price` is that of the batch service, often half of the list price. A file may be read twice. Of several answers to
    one request the first is kept, and stands for the others, too.
    """
    url = read_address(endpoint)
    with path.open("rb") as file:
        while lines := list(islice(file, GROUP)):
            new: dict[str, Entry] = {}
            outcomes = [_read_line(line, url, model, ledger, new, price) for line in lines if line.strip()]
            ledger.keep_all(list(new.values()))
            yield from outcomes


def _read_line(
    line: bytes, url: str, model: str, ledger: Ledger, new: dict[str, Entry], price: Price | None
) -> tuple[str, Reply | Failure]:
    """Return the key of a line with what came of it; an answer that the ledger does not know is added to `new`."""
    try:
        told = msgspec.json.decode(line, type=_Line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return "", Failure("unreadable", "a line that is none of a batch service's output")
    key = told.custom_id
    if not is_key(key):
        return key, Failure("unreadable", f"custom_id '{key[:80]}' is no key of a ledger")
    if (known := new.get(key) or ledger.find(key)) is not None:
        return key, to_reply(known, is_remembered=True)
    if told.response is None:
        return key, Failure("transport", f"not answered: {str(told.error)[:200]}")
    try:
        answer = read_answer(told.response.status_code, bytes(told.response.body))
    except Trouble as trouble:
        return key, Failure(trouble.kind, trouble.detail)
    now = datetime.now(UTC)
    new[key] = Entry.of(answer, key=key, stage=STAGE, endpoint=url, model=model, at=now, price=price)
    return key, to_reply(new[key], is_remembered=False)
