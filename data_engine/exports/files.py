"""Files of an export: written an item at a time, and made with their first item.

    with json_array(folder / "data.json") as file:
        for row in rows:
            file.write({"id": row.id})

A stopped export leaves files that end as they should, after the last whole item.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from io import StringIO
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TextIO

from emollm.files import naming
from emollm.records import MediaKind

NAMES: dict[MediaKind, str] = {"image": "data", "video": "clips"}
"""Pictures and clips lie in two files: readers want the same fields in every row."""


class ItemFile:
    """A file of items, each text after the other; a file without items is not made."""

    def __init__(
        self, path: Path, item: Callable[[Any], str], start: str = "", comma: str = "\n", end: str = "\n"
    ) -> None:
        self.path = path
        self.num_items = 0
        self._item, self._start, self._comma, self._end = item, start, comma, end
        self._file: TextIO | None = None

    def write(self, item: Any) -> None:
        """Append one item."""
        text = self._item(item)
        if self._file is None:
            # Newlines stay as they are on every system: CSV brings its own.
            self._file = self.path.open("w", encoding="utf-8", newline="")
        with naming(self.path):
            self._file.write((self._comma if self.num_items else self._start) + text)
        self.num_items += 1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        if self._file is not None:
            with naming(self.path):
                self._file.write(self._end)
                self._file.close()


def json_lines(path: Path) -> ItemFile:
    """JSON Lines: one item a line."""
    return ItemFile(path, _json)


def json_array(path: Path) -> ItemFile:
    """A JSON array, one item a line."""
    return ItemFile(path, _json, "[\n", ",\n", "\n]\n")


def json_object(path: Path) -> ItemFile:
    """A JSON object, one pair of key and value a line."""
    return ItemFile(path, lambda pair: f"{_json(pair[0])}: {_json(pair[1])}", "{\n", ",\n", "\n}\n")


def text_lines(path: Path) -> ItemFile:
    """Plain text, one item a line."""
    return ItemFile(path, str)


def csv_table(path: Path, columns: Sequence[str]) -> ItemFile:
    """A CSV table with a header; an item is a row of cells."""
    return ItemFile(path, _csv, f"{_csv(columns)}\n")


@contextmanager
def by_kind(folder: Path, make: Callable[[Path], ItemFile], suffix: str) -> Iterator[dict[MediaKind, ItemFile]]:
    """Open `data` for pictures and `clips` for clips."""
    with ExitStack() as stack:
        yield {kind: stack.enter_context(make(folder / f"{name}{suffix}")) for kind, name in NAMES.items()}


def _json(item: Any) -> str:
    return json.dumps(item, ensure_ascii=False)


def _csv(cells: Sequence[Any]) -> str:
    line = StringIO()
    csv.writer(line, lineterminator="").writerow(cells)
    return line.getvalue()
