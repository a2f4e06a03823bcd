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
SEPARATORS = (b",", b";", b"\t")
NUM_FIRST_ROWS = 64
_BOM = b"\xef\xbb\xbf"


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
    if start[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise SourceError(f"{path}: is UTF-16; save it as UTF-8")
    if b"\0" in start:
        raise SourceError(f"{path}: is a binary file, whatever its name says; give the detector's CSV or JSON")
    first = start.removeprefix(_BOM).lstrip()[:1]
    if path.suffix == ".jsonl":
        return _json_lines(path)
    if path.suffix == ".json" or first in (b"{", b"["):
        return _json(path)
    return _table(path)


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
        raise SourceError(f"{path}: has a header and no rows; nothing was measured")
    rows = tuple(tuple(cells_of(line, separator)) for line in lines)
    return Head(path, columns, separator, rows, skip)


def _json(path: Path) -> Head:
    try:
        return Head(path, data=msgspec.json.decode(path.read_bytes().removeprefix(_BOM)))
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise SourceError(f"{path}: is not JSON ({error}); write it again or remove it") from None


def _json_lines(path: Path) -> Head:
    data, bad = [], []
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if not line.strip():
                continue
            try:
                data.append(msgspec.json.decode(line.removeprefix(_BOM)))
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                bad.append((number, f"not JSON ({error})"))
    if not data:
        raise SourceError(f"{path}: no line of it is JSON; {bad[0][1]}")
    return Head(path, data=data, bad_lines=tuple(bad))
