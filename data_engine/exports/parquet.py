"""Parquet: messages, and the bytes of the pictures inside, for `datasets`, EasyR1 and verl (the extra `parquet`)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from data_engine.exports.chats import messages
from data_engine.exports.turns import Row
from emollm.errors import MissingExtraError

ROWS_PER_GROUP = 200
"""Rows held in memory at a time."""


def write_parquet(rows: Iterable[Row], folder: Path) -> None:
    """Write an Image column that holds the bytes of the files, not decoded arrays."""
    try:
        import pyarrow
        import pyarrow.parquet
        from datasets import Features, Image, List, Value
    except ImportError:
        raise MissingExtraError("the parquet format", "parquet") from None
    block = {"type": Value("string"), "text": Value("string")}
    turns = List({"role": Value("string"), "content": List(block)})
    features = {"id": Value("string"), "images": List(Image()), "messages": turns, "label": Value("string")}
    schema = Features(features).arrow_schema
    with pyarrow.parquet.ParquetWriter(folder / "data.parquet", schema) as writer:
        for group in _groups(rows):
            writer.write_table(pyarrow.Table.from_pylist([_parquet_row(row, folder) for row in group], schema))


def _parquet_row(row: Row, folder: Path) -> dict[str, Any]:
    picture = {"bytes": (folder / row.media).read_bytes(), "path": Path(row.media).name}
    return {"id": row.id, "images": [picture], "messages": messages(row), "label": row.label}


def _groups(rows: Iterable[Row]) -> Iterator[list[Row]]:
    source = iter(rows)
    while group := list(islice(source, ROWS_PER_GROUP)):
        yield group
