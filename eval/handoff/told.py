"""What a file of another harness tells of one sample."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

from emollm.records import BadLine


class Told(NamedTuple):
    """One answer."""

    line: int
    """Where it stands in the file: line, row or number of the sample, from 1."""
    ids: tuple[str, ...]
    """What may be the id of the sample, the likeliest first."""
    completion: str | None
    """None: the harness got no answer."""
    model: str
    target: str = ""
    """The gold answer of the file; empty: it has none."""
    number: int | None = None
    """Of the document, where the harness numbers them."""
    is_repeat: bool = False
    """Another answer about a sample that has been answered before."""


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
