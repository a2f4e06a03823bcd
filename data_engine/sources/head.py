"""The head of a file: what can be said before its rows are read, enough to recognise who wrote it.

    head = read_head(Path("clip.csv"))
    head.columns                    # ('frame', 'timestamp', …, 'AU01_r', …), blanks and BOM removed

Tables (`,` `;` or tab) are opened only as far as needed; JSON and JSON Lines are read whole into `data`.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from emollm.errors import SourceError

SUFFIXES = (".csv", ".tsv", ".txt", ".json", ".jsonl")
JSON_SUFFIXES = (".json", ".jsonl")
SEPARATORS = (b",", b";", b"\t")
NUM_FIRST_ROWS = 64
NUM_SHOWN = 60
"""Characters of a line that a message shows."""
_BOM = b"\xef\xbb\xbf"
_PACKED = {b"\x1f\x8b": "gunzip", b"PK\x03\x04": "unzip"}
"""How a packed file begins, and the program that unpacks it."""


@dataclass(frozen=True)
class Head:
    """The beginning of a table, or the whole of a JSON file."""

    path: Path
    columns: tuple[str, ...] = ()
    separator: bytes = b""
    """Empty for JSON."""
    first_rows: tuple[tuple[str, ...], ...] = ()
    skip_lines: int = 0
    """Lines up to and including the header."""
    data: Any = None
    bad_lines: tuple[tuple[int, str], ...] = field(default=())
    """Line number and reason of each JSON line that cannot be read."""

    @property
    def is_table(self) -> bool:
        """A table with a header, not JSON."""
        return bool(self.separator)

    @property
    def items(self) -> list[dict[str, Any]]:
        """The objects of a JSON file: its list, or itself; empty where it holds anything else."""
        items = self.data if isinstance(self.data, list) else [self.data]
        return items if all(isinstance(item, dict) for item in items) else []

    def column_values(self, column: str) -> list[str]:
        """The first values of a column, as they are written."""
        place = self.columns.index(column)
        return [row[place].strip() for row in self.first_rows if place < len(row)]


def read_head(path: Path) -> Head:
    """Open a file and return its head. Raises SourceError for what is empty, binary or in no readable encoding."""
    try:
        with path.open("rb") as file:
            start = file.read(1 << 16)
    except OSError as error:
        raise SourceError(f"{path}: cannot be read: {error.strerror}") from None
    if not start.removeprefix(_BOM).strip():
        raise SourceError(f"{path}: the file is empty; nothing was measured")
    refuse_binary(path, start)
    first = start.removeprefix(_BOM).lstrip()[:1]
    if path.suffix == ".jsonl":
        return _json_lines(path)
    if path.suffix == ".json" or first in (b"{", b"["):
        return _json(path)
    return _table(path)


def refuse_binary(path: Path, start: bytes) -> None:
    """Raise SourceError for what begins as no text does, naming what it is and what would help."""
    for mark, program in _PACKED.items():
        if start.startswith(mark):
            raise SourceError(f"{path}: is packed; unpack it first ({program} {path.name})")
    if start[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise SourceError(f"{path}: is UTF-16; save it as UTF-8")
    if b"\0" in start:
        raise SourceError(f"{path}: is a binary file, whatever its name says; give a table or JSON")


def decode(text: bytes) -> str:
    """Decode a cell or a header: UTF-8, or what Windows writes."""
    try:
        return text.decode()
    except UnicodeDecodeError:
        return text.decode("cp1252", "replace")


def cells_of(line: bytes, separator: bytes) -> list[str]:
    """Split one line, heeding quotes."""
    text = decode(line).rstrip("\r\n").replace("\r", " ")
    try:
        return next(csv.reader([text], delimiter=separator.decode()), [])
    except csv.Error:  # a cell of more than 128 KiB: a quote that does not end
        return text.split(separator.decode())


def _table(path: Path) -> Head:
    with path.open("rb") as file:
        skip, header = 1, file.readline().removeprefix(_BOM)
        # Lines before the header: blank ones and the `#` lines of some exports.
        while header and (not header.strip() or header.startswith(b"#")):
            skip, header = skip + 1, file.readline()
        separator = max(SEPARATORS, key=header.count)
        columns = tuple(cell.strip() for cell in cells_of(header, separator))
        lines = [line for _, line in zip(range(NUM_FIRST_ROWS), file, strict=False) if line.strip()]
    if not lines:
        raise SourceError(f"{path}: {_why_no_rows(header.strip())}")
    rows = tuple(tuple(cells_of(line, separator)) for line in lines)
    return Head(path, columns, separator, rows, skip)


def _why_no_rows(header: bytes) -> str:
    if b"\r" in header:
        return "its lines end in CR alone, as on an old Mac; save it with the line ends of Unix or Windows"
    shown = decode(header)
    shown = shown if len(shown) <= NUM_SHOWN else f"{shown[:NUM_SHOWN]}…"
    return f"holds no rows, only the line '{shown}'; nothing was measured" if header else "holds comments and no rows"


def _json(path: Path) -> Head:
    try:
        return Head(path, data=_parse(path.read_bytes()))
    except ValueError as error:
        raise SourceError(f"{path}: {error}; write it again or remove it") from None


def _json_lines(path: Path) -> Head:
    data, bad = [], []
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if not line.strip():
                continue
            try:
                data.append(_parse(line))
            except ValueError as error:
                bad.append((number, str(error)))
    if not data:
        raise SourceError(f"{path}: no line of it can be read: line {bad[0][0]} {bad[0][1]}")
    return Head(path, data=data, bad_lines=tuple(bad))


def _parse(text: bytes) -> Any:
    """Decode JSON. Raises ValueError that says why it cannot be."""
    try:
        return msgspec.json.decode(text.removeprefix(_BOM))
    except RecursionError:
        raise ValueError("is JSON nested too deep to be read") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"is not JSON ({error})") from None
