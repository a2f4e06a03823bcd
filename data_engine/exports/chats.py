"""Chats: messages for TRL, ms-swift and axolotl; conversations for LLaMA-Factory, LLaVA and their descendants.

    {"id": …, "messages": [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": …}]}, …],
     "images": ["images/a.png"], "label": …}

Of clips, `video` and `videos` stand where pictures have `image` and `images`, in a file of their own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from data_engine.exports.files import NAMES, ItemFile, by_kind, json_array, json_lines
from data_engine.exports.turns import PLACEHOLDERS, Row
from emollm.files import write_json
from emollm.records import MediaKind

COLUMNS: dict[MediaKind, str] = {"image": "images", "video": "videos"}
"""The field with the paths, in all formats of this module but LLaVA's."""

DATASETS: dict[MediaKind, str] = {"image": "emollm", "video": "emollm_clips"}
"""What the two files are called in `dataset_info.json`."""


def write_messages(rows: Iterable[Row], folder: Path) -> None:
    """One JSON object a line. Every content is a list of blocks, so that Arrow sees one type in all turns."""
    with by_kind(folder, json_lines, ".jsonl") as files:
        for row in rows:
            line = {"id": row.id, "messages": messages(row), COLUMNS[row.kind]: [row.media], "label": row.label}
            files[row.kind].write(line)


def messages(row: Row) -> list[dict[str, Any]]:
    """Return the question with its picture or clip, and the answer."""
    return [asked(row), said(row.answer)]


def asked(row: Row) -> dict[str, Any]:
    """Return the user's message."""
    return {"role": "user", "content": [{"type": row.kind}, {"type": "text", "text": row.question}]}


def said(text: str) -> dict[str, Any]:
    """Return a message of the model."""
    return {"role": "assistant", "content": [{"type": "text", "text": text}]}


def write_sharegpt(rows: Iterable[Row], folder: Path) -> None:
    """LLaMA-Factory: set `dataset_dir` to the folder and `dataset` to `emollm`, `emollm_clips`, or both."""
    with by_kind(folder, json_array, ".json") as files:
        for row in rows:
            item = {"id": row.id, "conversations": conversation(row), COLUMNS[row.kind]: [row.media]}
            files[row.kind].write(item)
    write_dataset_info(folder, files, {"messages": "conversations"})


def write_dataset_info(
    folder: Path, files: Mapping[MediaKind, ItemFile], columns: Mapping[str, str], **more: Any
) -> None:
    """Write what LLaMA-Factory has to know of the files that have items."""
    entries = {
        DATASETS[kind]: {
            "file_name": f"{NAMES[kind]}.json",
            "formatting": "sharegpt",
            **more,
            "columns": {**columns, COLUMNS[kind]: COLUMNS[kind]},
        }
        for kind, file in files.items()
        if file.num_items
    }
    write_json(folder / "dataset_info.json", entries)


def write_llava(rows: Iterable[Row], folder: Path) -> None:
    """LLaVA and its descendants: the image folder is the export folder."""
    with json_array(folder / "data.json") as file:
        for row in rows:
            file.write({"id": row.id, "image": row.media, "conversations": conversation(row)})


def conversation(row: Row) -> list[dict[str, str]]:
    """Return the question with its placeholder, and the answer."""
    return [turn_asked(row), turn_said(row.answer)]


def turn_asked(row: Row) -> dict[str, str]:
    """Return the user's turn."""
    return {"from": "human", "value": f"{PLACEHOLDERS[row.kind]}\n{row.question}"}


def turn_said(text: str) -> dict[str, str]:
    """Return a turn of the model."""
    return {"from": "gpt", "value": text}
