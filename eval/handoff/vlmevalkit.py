"""VLMEvalKit: `MODEL_DATASET.xlsx`, or .tsv and .json with PRED_FORMAT, a row a question.

    index  question  answer  category  prediction

`index` is that of the data set's own table, whose other columns, an `id` too, are all in the file. With SPLIT_THINK the
thought has a column of its own, `thinking`. An answer that could not be had is a sentence that says so
(vlmeval/inference.py, vlmeval/smp/file.py, vlmeval/api/base.py).
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from emollm.errors import SourceError
from emollm.records import BadLine
from emollm.xlsx import sheet_rows
from eval.handoff.told import Harness, Keep, Told, shown, text

COLUMNS = {"index", "prediction"}
FAILED = "Failed to obtain answer"
MAX_CELL = 1 << 24
"""Characters of a cell of a .tsv."""


def is_table(found: Any) -> bool:
    """Tell whether a JSON document is a table of predictions."""
    return isinstance(found, list) and bool(found) and isinstance(found[0], dict) and found[0].keys() >= COLUMNS


def read(path: Path, bad: Keep) -> Iterator[Told]:
    """Yield what each row tells."""
    for line, row in _rows(path):
        if not isinstance(row, dict):
            bad(BadLine(path, line, "no row of a table; write it again or remove it", shown(row)))
            continue
        index = text(row.get("index")).strip()
        if not index:
            bad(BadLine(path, line, "index: is empty; give the row its index", shown(row)))
            continue
        whole = _whole_number(index)
        ids = (text(row.get("id")).strip(), "" if whole is None else index)
        said, thought = text(row.get("prediction")), text(row.get("thinking")).strip()
        yield Told(
            line=line,
            name=whole or index,
            given=tuple(one for one in ids if one),
            completion=None if FAILED in said else _with_thought(said, thought),
            model=path.stem,
            target=text(row.get("answer")),
        )


def _whole_number(index: str) -> str | None:
    """Return the number in `17.0`, as a table with empty cells writes it; None for anything else."""
    number = index.removesuffix(".0")
    return number if number != index and number.isdecimal() else None


def _with_thought(said: str, thought: str) -> str:
    if not thought:
        return said
    return f"<think>{thought.removeprefix('<think>').removesuffix('</think>').strip()}</think>\n{said}"


def _rows(path: Path) -> Iterator[tuple[int, Any]]:
    """Yield number and cells of each row, by the names of the columns; of JSON, whatever is there.

    Raises SourceError for what is no such table.
    """
    if path.suffix.lower() == ".json":
        yield from enumerate(json.loads(path.read_bytes()), start=1)
        return
    table = sheet_rows(path) if path.suffix.lower() == ".xlsx" else _tab_rows(path)
    _, header = next(table, (0, []))
    names = [name.strip() for name in header]
    if not set(names) >= COLUMNS:
        raise SourceError(
            f"{path}: has no columns index and prediction ({', '.join(names[:8]) or 'it is empty'}); "
            "give the file of predictions that VLMEvalKit wrote"
        )
    for line, cells in table:
        if any(cells):
            yield line, _cells(names, cells)


def _cells(names: Sequence[str], cells: Sequence[str]) -> dict[str, Any]:
    return dict(zip(names, [*cells, *[""] * len(names)], strict=False))


def _tab_rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    limit = csv.field_size_limit(MAX_CELL)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, delimiter="\t")
            for cells in reader:
                yield reader.line_num, cells
    except (csv.Error, UnicodeDecodeError) as error:
        raise SourceError(f"{path}: is no readable table ({error}); save it again as UTF-8, cells with tabs") from None
    finally:
        csv.field_size_limit(limit)


HARNESS = Harness("VLMEvalKit", None, read, "give the data set's table a column `id` with the ids of the samples")
