"""What was handed over to a batch service: a small log beside the batch file, by which no file is paid twice.

    log = HandedLog(Path("cot.batch.jsonl"), url, "gpt-4o-mini")     # its lines lie in cot.batch.submitted.jsonl
    log.unsent()                                                     # parts that nobody has handed over
    log.remember(part, "batch_1")                                    # and now one was
    log.under_way()                                                  # what is not ended, in the order of handing over

A line is added before a file is handed over, when the service has taken it, and when its answers are taken over. The
last line of a file counts. No key is in it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import msgspec

from emollm.errors import ConfigError, EmoLLMError
from emollm.files import sha256
from emollm.llm.batch import numbered, read_keys
from emollm.llm.ledger import sync_folder


def now() -> str:
    """Return the time, UTC, ISO 8601."""
    return datetime.now(UTC).isoformat(timespec="seconds")


class Handed(msgspec.Struct, kw_only=True, frozen=True, omit_defaults=True):
    """A line: one batch file, and how far it has come."""

    file: str
    """Its name, without the folder."""
    sha256: str
    endpoint: str
    model: str
    at: str = msgspec.field(default_factory=now)
    """When this was written."""
    batch: str = ""
    """The id of the batch; empty while nobody knows whether the service has taken the file."""
    ended: str = ""
    """The status that the batch ended with, once its answers are taken over."""


class HandedLog:
    """The log of one batch file and of its further parts. Every line is on the disk when `add` returns."""

    def __init__(self, batch_path: Path, endpoint: str, model: str) -> None:
        """Raise ConfigError for a file that is something else, or is about another endpoint or model."""
        self._batch_path = batch_path
        self._endpoint, self._model = endpoint, model
        self._digests: dict[Path, str] = {}
        self.path = batch_path.with_name(f"{batch_path.stem}.submitted.jsonl")
        self._handed: dict[tuple[str, str], Handed] = {}
        lines = self.path.read_bytes().splitlines(keepends=True) if self.path.exists() else []
        if lines and not lines[-1].endswith(b"\n"):  # a crash: what was not on the disk had not been relied on
            os.truncate(self.path, sum(map(len, lines[:-1])))
            lines.pop()
        for number, line in enumerate(lines, start=1):
            try:
                handed = msgspec.json.decode(line, type=Handed)
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                raise ConfigError(
                    f"{self.path}:{number}: is no line of a log of batches; mend or remove it, it says what is paid"
                ) from None
            if (handed.endpoint, handed.model) != (endpoint, model):
                raise ConfigError(
                    f"{self.path}: is about '{handed.model}' at {handed.endpoint}; name these, or another --batch"
                )
            self._handed[handed.file, handed.sha256] = handed

    def all(self) -> list[Handed]:
        """Return every file that was handed over, or was about to be."""
        return list(self._handed.values())

    def under_way(self) -> list[Handed]:
        """Return those that the service has and whose answers are not taken over yet."""
        return [handed for handed in self._handed.values() if handed.batch and not handed.ended]

    def add(self, handed: Handed) -> None:
        """Append a line. Raises EmoLLMError where the disk does not take it."""
        try:
            is_new = not self.path.exists()
            with self.path.open("ab") as file:
                file.write(msgspec.json.encode(handed) + b"\n")
                file.flush()
                os.fsync(file.fileno())
            if is_new:
                sync_folder(self.path.parent)
        except OSError as error:
            raise EmoLLMError(f"{self.path}: {error.strerror}; make room and run again") from None
        self._handed[handed.file, handed.sha256] = handed

    def remember(self, part: Path, batch: str = "") -> Handed:
        """Add that a part is about to be handed over or, with the id of its batch, that it was."""
        digest = self._digest(part)
        handed = Handed(file=part.name, sha256=digest, endpoint=self._endpoint, model=self._model, batch=batch)
        self.add(handed)
        return handed

    def parts(self) -> list[Path]:
        """Return the file and its further parts, those included that were handed over and are gone from the disk."""
        names = {handed.file for handed in self._handed.values()}
        parts: list[Path] = []
        for number in count(1):
            part = numbered(self._batch_path, number)
            if not part.exists() and part.name not in names:
                break
            parts.append(part)
        return parts

    def unsent(self) -> list[Path]:
        """Return the parts that nobody has handed over, or nobody knows whether the service has taken them."""
        sent = {(handed.file, handed.sha256) for handed in self._handed.values() if handed.batch}
        waiting = {handed.sha256 for handed in self.under_way()}  # under another name, too
        here = [(part, self._digest(part)) for part in self.parts() if part.exists()]
        return [part for part, digest in here if digest not in waiting and (part.name, digest) not in sent]

    def waiting(self) -> Iterator[tuple[str, Path, str]]:
        """Yield each request that is not answered yet: its key, its file, and its batch, empty where not handed over.

        Raises ConfigError for a file that is no batch file for this model, and for one that is under way and gone.
        """
        for handed in self.under_way():
            part = self._batch_path.with_name(handed.file)
            if not part.exists() or self._digest(part) != handed.sha256:
                raise ConfigError(
                    f"{part}: is under way as {handed.batch} and is not there as it was; put it back, or wait until "
                    "the batch has ended: what it asks would be paid again"
                )
            yield from ((key, part, handed.batch) for key in read_keys(part, self._model))
        for part in self.unsent():
            yield from ((key, part, "") for key in read_keys(part, self._model))

    def _digest(self, part: Path) -> str:
        if part not in self._digests:
            self._digests[part] = sha256(part)
        return self._digests[part]
