"""Excel files: the rows of the first sheet as text, without a library.

    for line, cells in sheet_rows(Path("CASME2-coding-20140508.xlsx")): ...

An .xlsx file is a zip of XML (ECMA-376, Office Open XML: SpreadsheetML). Formulas give the value that was saved with
them; dates stay the numbers they are.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO
from xml.etree import ElementTree as ET
from xml.parsers import expat
from zlib import error as zlib_error

from emollm.errors import SourceError

MAX_BYTES = 256 << 20
"""Unpacked; label tables have a few megabytes."""
_BROKEN = (
    *(zipfile.BadZipFile, zlib_error, EOFError, RuntimeError),  # RuntimeError: it has a password
    *(expat.ExpatError, ET.ParseError, LookupError, ValueError),
)
_ESCAPED = re.compile(r"_x((?!D[89A-F])[0-9A-F]{4})_", re.IGNORECASE)
"""A character that XML cannot hold (ST_Xstring), `_x000D_` for example; halves of characters stay as they are."""
_CELL = re.compile(r"([A-Z]{1,3})\d+")


def sheet_rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield the number and the cells of each row of the first sheet. Raises SourceError for what is no such file."""
    try:
        with zipfile.ZipFile(path) as archive:
            shared = _shared_strings(archive)
            with _open(archive, _first_sheet(archive)) as sheet:
                for row in _elements(sheet, "row"):
                    yield int(row.get("r") or 0), _cells(row, shared)
    except OSError as error:
        raise SourceError(f"{path}: cannot be read: {error.strerror or error}") from None
    except _BROKEN as error:
        raise SourceError(f"{path}: is no readable Excel file ({error}); save it again, or as .csv") from None


def _open(archive: zipfile.ZipFile, name: str) -> IO[bytes]:
    """Open a part. Refuses what would unpack to hundreds of megabytes, and entities, which no spreadsheet needs."""
    if archive.getinfo(name).file_size > MAX_BYTES:
        raise ValueError(f"{name} unpacks to more than {MAX_BYTES >> 20} MiB")
    with archive.open(name) as part:
        _refuse_document_type(part, name)
    return archive.open(name)


def _refuse_document_type(part: IO[bytes], name: str) -> None:
    """Raise ValueError where a part declares a document type: it stands before the first element, however far in."""

    def refuse(*_: object) -> None:
        raise ValueError(f"{name} declares a document type")

    elements: list[object] = []
    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = refuse
    parser.StartElementHandler = lambda *element: elements.append(element)
    while not elements and (block := part.read(1 << 12)):
        parser.Parse(block)


def _first_sheet(archive: zipfile.ZipFile) -> str:
    sheets = [name for name in archive.namelist() if re.fullmatch(r"xl/worksheets/sheet\d+\.xml", name)]
    return min(sheets, key=lambda name: int(re.sub(r"\D", "", name.rpartition("/")[2])))


def _elements(part: IO[bytes], tag: str) -> Iterator[ET.Element]:
    """Yield the elements of a tag, whatever its namespace, each forgotten after it was used."""
    for _, element in ET.iterparse(part):
        if element.tag.rpartition("}")[2] == tag:
            yield element
            element.clear()


def _shared_strings(archive: zipfile.ZipFile) -> list[str]:
    name = "xl/sharedStrings.xml"
    if name not in archive.namelist():
        return []
    with _open(archive, name) as part:
        return [_text(item) for item in _elements(part, "si")]


def _text(element: ET.Element) -> str:
    """All text of a string, its formatted runs joined; phonetic guides left out."""
    runs = [child for child in element if child.tag.rpartition("}")[2] != "rPh"]
    texts = [part for run in runs for part in run.iter() if part.tag.rpartition("}")[2] == "t"]
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), "".join(part.text or "" for part in texts))


def _cells(row: ET.Element, shared: list[str]) -> list[str]:
    """The cells of a row in their columns; those that are not there are empty."""
    cells: list[str] = []
    for cell in row:
        match = _CELL.fullmatch(cell.get("r") or "")
        place = _column(match[1]) if match else len(cells)
        cells += [""] * (place + 1 - len(cells))
        cells[place] = _value(cell, shared)
    return cells


def _value(cell: ET.Element, shared: list[str]) -> str:
    if cell.get("t") == "inlineStr":
        return "".join(_text(part) for part in cell)
    values = [part.text or "" for part in cell if part.tag.rpartition("}")[2] == "v"]
    value = values[0] if values else ""
    return shared[int(value)] if cell.get("t") == "s" and value else value


def _column(letters: str) -> int:
    place = 0
    for letter in letters:
        place = 26 * place + ord(letter) - ord("A") + 1
    return place - 1
