"""Tables of labels: CSV and Excel files with a header somewhere, and lists without one.

    for line, row in table(path, ("video_name", "label")):
        row["videoname"]                # headers without case, blanks and `_`

Everything is text, as it is written; `number` reads what Excel makes of a number.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from data_engine.sources.head import decode, refuse_binary
from emollm.errors import SourceError
from emollm.xlsx import sheet_rows

MAX_LINES_BEFORE = 40
"""SAMM's table begins with 13 lines of notes."""


def key_of(column: str) -> str:
    """Return a header as a key: `Apex Frame`, `ApexFrame` and `apex_frame` are one."""
    return re.sub(r"[\s_]+", "", column).lower()


def table(path: Path, needed: Sequence[str]) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield line and row of each row below the header, the first line that has the needed columns.

    Raises SourceError where there is none. Of short rows, the needed columns are empty and others are not there.
    """
    is_sheet = path.suffix.lower() == ".xlsx"
    rows = sheet_rows(path) if is_sheet else _csv_rows(path, [key_of(column) for column in needed])
    blank = dict.fromkeys(map(key_of, needed), "")
    columns: list[str] = []
    seen: list[str] = []
    for line, cells in rows:
        if columns:
            yield line, blank | dict(zip(columns, (cell.strip() for cell in cells), strict=False))
            continue
        header = [key_of(cell) for cell in cells]
        if all(key_of(column) in header for column in needed):
            columns = header
        elif len(cells) > 1 and not seen:
            seen = [cell for cell in cells if cell.strip()][:12]
        if not columns and line > MAX_LINES_BEFORE:
            break
    if not columns:
        raise SourceError(
            f"{path}: has no header with {', '.join(needed)} (seen: {', '.join(seen) or 'nothing'}); give another"
        )


def _csv_rows(path: Path, keys: Sequence[str]) -> Iterator[tuple[int, list[str]]]:
    if path.suffix.lower() == ".xls":
        raise SourceError(f"{path}: is an old Excel file; save it as .xlsx or .csv beside it")
    reader = csv.reader((f"{text}\n" for _, text in lines(path, keep_blank=True)), delimiter=_separator(path, keys))
    try:
        for cells in reader:
            if any(cells):
                yield reader.line_num, cells
    except csv.Error as error:
        raise SourceError(f"{path}:{reader.line_num}: {error}; mend the file") from None


def _separator(path: Path, keys: Sequence[str]) -> str:
    """What separates the columns of the header: Excel writes `;` in many countries."""
    for line, text in lines(path):
        for separator in (",", ";", "\t"):
            header = [key_of(cell.strip('"')) for cell in text.split(separator)]
            if all(key in header for key in keys):
                return separator
        if line > MAX_LINES_BEFORE:
            break
    return ","


def lines(path: Path, *, keep_blank: bool = False) -> Iterator[tuple[int, str]]:
    """Yield number and text of the lines of a file, without the line ends. Raises SourceError for no text."""
    try:
        with path.open("rb") as file:
            refuse_binary(path, file.read(1 << 12))
            file.seek(0)
            for number, line in enumerate(file, start=1):
                text = decode(line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line).rstrip("\r\n")
                if keep_blank or text.strip():
                    yield number, text
    except OSError as error:
        raise SourceError(f"{path}: cannot be read: {error.strerror}") from None


def number(text: str | None) -> int | None:
    """Read a whole number, `46` or Excel's `46.0`; None for anything else."""
    try:
        value = float(text or "")
    except ValueError:
        return None
    return int(value) if value.is_integer() else None


def decimal(text: str | None, low: float, high: float) -> float | None:
    """Read a number of the range; None for anything else, such as AffectNet's -2 for `not known`."""
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if low <= value <= high else None
