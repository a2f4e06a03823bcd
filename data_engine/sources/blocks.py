"""Rows as numbers: any recognised file becomes blocks of a few thousand rows, columns cut out, nothing else kept.

    for block in read_blocks(head, layout, rows=None, bad=report):
        block.numbers               # (N, C) float64 in the order of layout.numbers; NaN where a cell is empty
        block.texts                 # N tuples in the order of layout.text_roles

`clips.reading` calls this. The file is read as bytes; of a table of 431 columns only the needed cells are parsed.
A row that cannot be read goes to `bad(row, reason, detail)` and the rest goes on.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from itertools import islice, pairwise
from operator import itemgetter
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from data_engine.sources.head import Head, cells_of, decode
from data_engine.sources.layout import ROW, Layout

Numbers = npt.NDArray[np.float64]
Bad = Callable[[int, str, str], None]

BLOCK_ROWS = 4096
MANY_UNNEEDED = 32
"""From so many cells on, a pattern that skips them is faster than cutting each off."""
EMPTY = {"", "na", "n/a", "nan", "none", "null", "-nan", "-nan(ind)", "nan(ind)"}


class Block(NamedTuple):
    """Consecutive rows of a file."""

    rows: npt.NDArray[np.int64]
    """Where each row stands in the file, counted from 0 after the header."""
    numbers: Numbers
    texts: list[tuple[bytes, ...]]
    """Empty where the layout has no text role."""


class Row(NamedTuple):
    """The needed cells of one row, before they are gathered into a block."""

    row: int
    numbers: Iterable[float]
    texts: tuple[bytes, ...]


def read_blocks(head: Head, layout: Layout, rows: Iterator[dict[str, Any]] | None, bad: Bad) -> Iterator[Block]:
    """Yield the rows of a file in blocks; `rows` are the unfolded rows of a dialect that is no plain table."""
    for line, reason in head.bad_lines:
        bad(line - 1, "malformed", reason)
    stream = _table_rows(head, layout, bad) if rows is None else _unfolded_rows(rows, layout, bad)
    width = len(layout.numbers)
    while True:
        places, numbers, texts = array("q"), array("d"), []
        for row in islice(stream, BLOCK_ROWS):
            places.append(row.row)
            numbers.extend(row.numbers)
            texts.append(row.texts)
        if not places:
            return
        matrix = np.frombuffer(numbers, dtype=np.float64).reshape(len(places), width)
        yield Block(np.frombuffer(places, dtype=np.int64), matrix, texts if layout.text_roles else [])


class _Cut:
    """Cuts the needed cells out of a line without splitting the whole of it.

    OpenFace has 4 needed cells at the left, 400 of landmarks, and the AUs at the right: the widest stretch of
    columns nobody needs is left as one piece. Where the pose stands between 280 columns of eyes and 380 of landmarks,
    a pattern takes the needed cells out of the part before the widest stretch.
    """

    def __init__(self, head: Head, layout: Layout) -> None:
        place = {column: index for index, column in reversed(list(enumerate(head.columns)))}
        self.separator = head.separator
        self.num_separators = len(head.columns) - 1
        self.columns = head.columns
        self.numbers = [place[column] for column in layout.numbers]
        self.clock = _clock(head, layout)
        self.texts = [place[layout.roles[role]] for role in layout.text_roles]
        edges = [-1, *sorted({*self.numbers, *self.texts}), len(head.columns)]
        before, after = max(pairwise(edges), key=lambda pair: pair[1] - pair[0])
        self.left, self.right = before + 1, len(head.columns) - after
        self.whole = self.left + self.right >= len(head.columns)
        needed = sorted({index for index in (*self.numbers, *self.texts) if index < self.left})
        self.pattern = None
        if not self.whole and self.left - len(needed) >= MANY_UNNEEDED:
            self.pattern = _pattern(needed, self.separator)
            self.place_at_left = {index: place for place, index in enumerate(needed)}
            self.left = len(needed)
        self.pick_numbers = _getter([self._moved(index) for index in self.numbers])
        self.pick_texts = _getter([self._moved(index) for index in self.texts])

    def _moved(self, index: int) -> int:
        """Where a column stands once the stretch in the middle is one piece."""
        if self.pattern is not None and index in self.place_at_left:
            return self.place_at_left[index]
        return index if self.whole or index < self.left else index - len(self.columns) + self.right + self.left + 1

    def cells(self, line: bytes) -> list[bytes]:
        """The cells at the left, the middle in one piece, the cells at the right."""
        if self.whole:
            return line.split(self.separator)
        if self.pattern is not None:
            found = self.pattern.match(line)
            assert found is not None, "only lines with as many separators as the header are cut"
            return [*found.groups(), *line[found.end() :].rsplit(self.separator, self.right)]
        cells = line.split(self.separator, self.left)
        return cells + cells.pop().rsplit(self.separator, self.right)

    def numbers_of(self, cells: list[bytes]) -> list[float]:
        """The needed cells as numbers. Raises ValueError where one is empty or text."""
        picked = self.pick_numbers(cells)
        if self.clock is None:
            return list(map(float, picked))
        return [_seconds(decode(cell)) if place == self.clock else float(cell) for place, cell in enumerate(picked)]


def _pattern(needed: list[int], separator: bytes) -> re.Pattern[bytes]:
    """What matches a line up to and with its last needed cell, which it gives as groups; it never goes back."""
    cell = rb"[^%s]*+" % separator
    parts = []
    for before, index in pairwise([-1, *needed]):
        skipped = index - before - 1
        parts.append(
            (rb"(?:%s%s){%d}+" % (cell, separator, skipped) if skipped else b"") + rb"(%s)%s" % (cell, separator)
        )
    return re.compile(b"".join(parts))


def _clock(head: Head, layout: Layout) -> int | None:
    """Where the time stands in a row of numbers, if it is written as a clock, `00:01`."""
    place = layout.place("time_s")
    if place is None or not head.is_table:
        return None
    return place if any(":" in cell for cell in head.column_values(layout.roles["time_s"])) else None


@lru_cache(maxsize=1024)
def _seconds(clock: str) -> float:
    """Read `mm:ss` or `hh:mm:ss`, perhaps with a comma after it. Raises ValueError for anything else."""
    seconds = 0.0
    for part in clock.strip().rstrip(",").split(":"):
        seconds = 60.0 * seconds + float(part)
    return seconds


def _getter(places: list[int]) -> Callable[[list[bytes]], tuple[bytes, ...]]:
    """`itemgetter` that returns a tuple for no place and for one place, too."""
    if len(places) > 1:
        return itemgetter(*places)
    return lambda cells: tuple(cells[place] for place in places)


def _table_rows(head: Head, layout: Layout, bad: Bad) -> Iterator[Row]:
    cut = _Cut(head, layout)
    separator, num_separators = cut.separator, cut.num_separators
    with head.path.open("rb") as file:
        for row, line in enumerate(islice(file, head.skip_lines, None)):
            # As many separators as the header and no quotes: the line can be cut without being parsed.
            if line.count(separator) == num_separators and b'"' not in line:
                cells = cut.cells(line)
                try:
                    yield Row(row, cut.numbers_of(cells), tuple(map(bytes.strip, cut.pick_texts(cells))))
                    continue
                except ValueError:
                    pass
            if line.strip():
                careful = _careful_row(row, line, cut, bad)
                if careful is not None:
                    yield careful


def _careful_row(row: int, line: bytes, cut: _Cut, bad: Bad) -> Row | None:
    """Read a line that has quotes, empty cells, decimal commas, or is broken."""
    cells = cells_of(line, cut.separator)
    num_columns = len(cut.columns)
    if len(cells) == num_columns + 1 and not cells[-1].strip():
        cells.pop()
    if len(cells) != num_columns:
        bad(row, "malformed", f"has {len(cells)} of {num_columns} cells; it is cut off, or cells hold separators")
        return None
    numbers = []
    for place, index in enumerate(cut.numbers):
        try:
            is_clock = place == cut.clock and ":" in cells[index]
            numbers.append(_seconds(cells[index]) if is_clock else _number(cells[index], cut.separator != b","))
        except ValueError:
            bad(row, "not_a_number", f"{cut.columns[index]} is '{cells[index].strip()[:40]}'")
            return None
    return Row(row, numbers, tuple(cells[index].strip().encode() for index in cut.texts))


def _unfolded_rows(rows: Iterator[dict[str, Any]], layout: Layout, bad: Bad) -> Iterator[Row]:
    texts = [layout.roles[role] for role in layout.text_roles]
    for number, row in enumerate(rows):
        place = row.get(ROW, number)
        numbers = []
        for column in layout.numbers:
            try:
                numbers.append(_number(row.get(column)))
            except (ValueError, TypeError):
                bad(place, "not_a_number", f"{column} is '{str(row.get(column))[:40]}'")
                break
        else:
            yield Row(place, numbers, tuple(str(row.get(column) or "").strip().encode() for column in texts))


def _number(cell: Any, decimal_comma: bool = False) -> float:
    """A cell as a number; NaN where it is empty. Raises ValueError or TypeError for text and lists."""
    if cell is None:
        return float("nan")
    if isinstance(cell, str):
        cell = cell.strip()
        if cell.lower() in EMPTY:
            return float("nan")
        if decimal_comma:
            cell = cell.replace(",", ".")
    return float(cell)
