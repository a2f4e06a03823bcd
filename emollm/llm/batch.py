"""Batch files: requests for a provider's batch service, and its answers into the ledger.

    with BatchFile(Path("batch.jsonl"), "https://api.openai.com/v1", "gpt-4o-mini", ledger) as ask:
        ...                                    # run the stage: what the ledger does not know fails as `deferred`
    # hand batch.jsonl to the provider, wait, fetch the output and the error file, then for each of them
    for key, outcome in read_batch(Path("output.jsonl"), "https://api.openai.com/v1", "gpt-4o-mini", ledger):
        ...                                    # a Reply that is remembered from now on, or a Failure

The next run of the stage finds these answers, goes on from them and writes down what it asks then. The files are
OpenAI's: one JSON line a request, whose `custom_id` is its key in the ledger. What is too much for one file goes into
`batch-2.jsonl` and so on.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from io import BufferedWriter
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec

from emollm.errors import ConfigError
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


class BatchFile:
    """An `Ask` that answers from the ledger and writes down what is not there, each request once.

    Raises ConfigError where the file is there already: it may not have been sent yet.
    """

    def __init__(self, path: Path, endpoint: str, model: str, ledger: Ledger, style: Style | None = None) -> None:
        if path.exists():
            raise ConfigError(f"{path}: is there already; send it and remove it, or name another file")
        self.paths: list[Path] = []
        self.num_written = 0
        self._path = path
        self._url = read_address(endpoint)
        self._model = model
        self._ledger = ledger
        self._style = style or first_style(self._url)
        self._urls = DataUrls()
        self._written: set[str] = set()
        self._file: BufferedWriter | None = None
        self._num_requests = self._num_bytes = 0

    async def __call__(self, request: Request) -> Reply:
        """Return a remembered answer; else write the request down and raise Failure("deferred", …)."""
        key = key_of(canonical(self._url, self._model, request))
        if (entry := self._ledger.find(key)) is not None:
            return to_reply(entry, is_remembered=True)
        if key not in self._written:
            body = msgspec.Raw(to_body(request, self._model, self._style, self._urls.find))
            asked = {"custom_id": key, "method": "POST", "url": "/v1/chat/completions", "body": body}
            self._write(msgspec.json.encode(asked) + b"\n")
            self._written.add(key)
        raise Failure("deferred", f"written to {self._path.name}", tries=0)

    def _write(self, line: bytes) -> None:
        is_full = self._num_requests >= MAX_REQUESTS or self._num_bytes + len(line) > MAX_BYTES
        if self._file is None or is_full:
            self._begin_file()
        assert self._file is not None
        self._file.write(line)
        self.num_written += 1
        self._num_requests += 1
        self._num_bytes += len(line)

    def _begin_file(self) -> None:
        self._end_file()
        number = len(self.paths) + 1
        path = self._path if number == 1 else self._path.with_name(f"{self._path.stem}-{number}{self._path.suffix}")
        self._file = path.open("wb")
        self.paths.append(path)
        self._num_requests = self._num_bytes = 0

    def _end_file(self) -> None:
        if self._file is not None:
            self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._end_file()


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

    `price` is that of the batch service, often half of the list price. A file may be read twice.
    """
    url = read_address(endpoint)
    with path.open("rb") as file:
        while lines := list(islice(file, GROUP)):
            outcomes = [_read_line(line, url, model, ledger, price) for line in lines if line.strip()]
            new = {key: entry for key, entry in outcomes if isinstance(entry, Entry)}
            ledger.keep_all(list(new.values()))
            for key, outcome in outcomes:
                yield key, to_reply(outcome, is_remembered=False) if isinstance(outcome, Entry) else outcome


def _read_line(
    line: bytes, url: str, model: str, ledger: Ledger, price: Price | None
) -> tuple[str, Entry | Reply | Failure]:
    try:
        told = msgspec.json.decode(line, type=_Line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return "", Failure("unreadable", "a line that is none of a batch service's output")
    key = told.custom_id
    if not is_key(key):
        return key, Failure("unreadable", f"custom_id '{key[:80]}' is no key of a ledger")
    if (known := ledger.find(key)) is not None:
        return key, to_reply(known, is_remembered=True)
    if told.response is None:
        return key, Failure("transport", f"not answered: {str(told.error)[:200]}")
    try:
        answer = read_answer(told.response.status_code, bytes(told.response.body))
    except Trouble as trouble:
        return key, Failure(trouble.kind, trouble.detail)
    return key, Entry.of(answer, key=key, stage=STAGE, endpoint=url, model=model, at=datetime.now(UTC), price=price)
