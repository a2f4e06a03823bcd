"""What a file of another harness tells of one sample."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

from emollm.records import BadLine

MAX_DIGITS = 18
"""More of them are no number of a document."""
MAX_SHOWN = 2000
"""Characters of a document that go to rejected.jsonl."""


class Told(NamedTuple):
    """One answer."""

    line: int
    """Where it stands in the file: line, row or number of the sample, from 1."""
    name: str
    """What the harness calls the document: often only its number."""
    completion: str | None
    """None: the harness got no answer."""
    model: str
    given: tuple[str, ...] = ()
    """Ids that the task gave for its sample, the likeliest first."""
    target: str = ""
    """The gold answer of the file; empty: it has none."""

    @property
    def number(self) -> int | None:
        """The number of the document, where the harness only numbers it."""
        return int(self.name) if self.name.isdecimal() and len(self.name) <= MAX_DIGITS else None

    @property
    def document(self) -> tuple[str, ...]:
        """What a later answer to the same document tells, too: its number alone may be another's in another task."""
        return (*self.given, self.name)

    @property
    def ids(self) -> tuple[str, ...]:
        """What is meant as the id of the sample: a number that the harness may have counted is not."""
        return self.given if self.number is not None else (*self.given, self.name)


Keep: TypeAlias = Callable[[BadLine], None]


class Harness(NamedTuple):
    """A harness, and how its files are read."""

    name: str
    first: int | None
    """The number of the first document; None: not fixed."""
    read: Callable[[Path, Keep], Iterator[Told]]
    cure: str
    """How its files come to hold the ids of the samples."""


def text(value: Any) -> str:
    """Return a value of a table or of JSON as text; empty where there is none, or NaN as tables write it."""
    return "" if value is None or value != value else str(value)


def is_writable(said: str) -> bool:
    """Tell whether a text can be written: JSON may hold half of a character, a surrogate by itself."""
    return said.isascii() or not any("\ud800" <= char <= "\udfff" for char in said)


def writable(said: str) -> str:
    """Return a text with a question mark for each half of a character."""
    return said if is_writable(said) else said.encode("utf-8", "replace").decode()


def shown(document: Any) -> str:
    """Return the beginning of a document as JSON, for rejected.jsonl."""
    return writable(json.dumps(document, ensure_ascii=False)[:MAX_SHOWN])
