"""Formats: how rows are written for each family of trainers. Each writer streams and returns nothing.

`FORMATS` maps a name to a function `(rows, folder) -> None`. Picture paths in a row are relative to the folder.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

from data_engine.exports.turns import IMAGE, Row
from emollm.errors import MissingExtraError
from emollm.stage import write_json

ROWS_PER_GROUP = 200
"""Rows held in memory at a time while writing parquet."""


def write_messages(rows: Iterable[Row], folder: Path) -> None:
    """One JSON object a line. Every content is a list of blocks, so that Arrow sees one type in all turns."""
    with (folder / "data.jsonl").open("w", encoding="utf-8") as file:
        for row in rows:
            line = {"id": row.id, "messages": _messages(row), "images": [row.image], "label": row.label}
            file.write(json.dumps(line, ensure_ascii=False) + "\n")


def _messages(row: Row) -> list[dict[str, Any]]:
    return [
        {"role": "user", "content": [{"type": "image"}, {"type": "text", "text": row.question}]},
        {"role": "assistant", "content": [{"type": "text", "text": row.answer}]},
    ]


def write_sharegpt(rows: Iterable[Row], folder: Path) -> None:
    """LLaMA-Factory: set `dataset_dir` to the folder and `dataset` to `emollm`."""
    columns = {"messages": "conversations", "images": "images"}
    entry = {"file_name": "data.json", "formatting": "sharegpt", "columns": columns}
    _write_array(({"id": row.id, "conversations": _turns(row), "images": [row.image]} for row in rows), folder)
    write_json(folder / "dataset_info.json", {"emollm": entry})


def write_llava(rows: Iterable[Row], folder: Path) -> None:
    """LLaVA and its descendants: the image folder is the export folder."""
    _write_array(({"id": row.id, "image": row.image, "conversations": _turns(row)} for row in rows), folder)


def _turns(row: Row) -> list[dict[str, str]]:
    return [{"from": "human", "value": f"{IMAGE}\n{row.question}"}, {"from": "gpt", "value": row.answer}]


def _write_array(items: Iterable[Mapping[str, Any]], folder: Path) -> None:
    """Write a JSON array, one item a line, without holding it in memory."""
    with (folder / "data.json").open("w", encoding="utf-8") as file:
        comma = "[\n"
        for item in items:
            file.write(comma + json.dumps(item, ensure_ascii=False))
            comma = ",\n"
        file.write("\n]\n" if comma == ",\n" else "[]\n")


def write_parquet(rows: Iterable[Row], folder: Path) -> None:
    """Parquet with an Image column that holds the bytes of the files, not decoded arrays."""
    try:
        import pyarrow
        import pyarrow.parquet
        from datasets import Features, Image, List, Value
    except ImportError:
        raise MissingExtraError("the parquet format", "parquet") from None
    block = {"type": Value("string"), "text": Value("string")}
    messages = List({"role": Value("string"), "content": List(block)})
    features = {"id": Value("string"), "images": List(Image()), "messages": messages, "label": Value("string")}
    schema = Features(features).arrow_schema
    with pyarrow.parquet.ParquetWriter(folder / "data.parquet", schema) as writer:
        for group in _groups(rows):
            writer.write_table(pyarrow.Table.from_pylist([_parquet_row(row, folder) for row in group], schema))


def _parquet_row(row: Row, folder: Path) -> dict[str, Any]:
    picture = {"bytes": (folder / row.image).read_bytes(), "path": Path(row.image).name}
    return {"id": row.id, "images": [picture], "messages": _messages(row), "label": row.label}


def _groups(rows: Iterable[Row]) -> Iterator[list[Row]]:
    source = iter(rows)
    while group := list(islice(source, ROWS_PER_GROUP)):
        yield group


FORMATS: dict[str, Callable[[Iterable[Row], Path], None]] = {
    "messages": write_messages,
    "sharegpt": write_sharegpt,
    "llava": write_llava,
    "parquet": write_parquet,
}
