"""Files of other harnesses for the tests, made up in the shapes of their sources: none of the three ran."""

from __future__ import annotations

import csv
import json
import zipfile
from pathlib import Path
from typing import Any

from layouts_on_disk import xlsx

from emollm.records import Sample, encode
from eval.pairs import Pairs, read_pairs

LABELS = ("anger", "fear", "sadness", "happiness")
SAID = [f"<think>It seems.</think>\n<answer>{label}</answer>" for label in LABELS]
SAMPLES = [Sample(id=f"faces/{n}", label=label, label_set="basic7") for n, label in enumerate(LABELS)]
TWELVE = [Sample(id=f"faces/{n}", label=LABELS[n % 4], label_set="basic7") for n in range(12)]
"""Enough of them for gold answers to prove an order."""


def read(path: Path, samples: list[Sample] | None = None) -> Pairs:
    """Read a file with the samples beside it."""
    beside = path.parent / "samples.jsonl"
    beside.write_bytes(b"".join(encode(sample) + b"\n" for sample in samples or SAMPLES))
    return read_pairs(path, beside, split=None, limit=None)


def said(pairs: Pairs) -> list[str | None]:
    found = [pairs.predictions.get(sample.id) for sample in pairs.samples]
    return [None if one is None else one.completion for one in found]


def jsonl(path: Path, lines: list[dict[str, Any]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), encoding="utf-8")
    return path


def as_json(path: Path, document: Any) -> Path:
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


def lmms(doc_id: int, **fields: Any) -> dict[str, Any]:
    """A line as `--log_samples` writes it: without the document, and without `resps` where nothing was filtered."""
    line = {
        "doc_id": doc_id,
        "target": LABELS[doc_id % 4],
        "filtered_resps": SAID[doc_id % 4],
        "doc_hash": "0f",
        **fields,
    }
    return line | {"token_counts": [None], "input": "Look at the face."}


def lmms_file(folder: Path, lines: list[dict[str, Any]]) -> Path:
    return jsonl(folder / "Qwen__Qwen2.5-VL-3B-Instruct" / "20260801_120000_samples_emollm_faces.jsonl", lines)


HEADER: list[Any] = ["index", "question", "answer", "prediction"]


def tsv(path: Path, rows: list[list[Any]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, delimiter="\t", quoting=csv.QUOTE_ALL).writerows(rows)
    return path


def written(kind: str, folder: Path, rows: list[list[Any]]) -> Path:
    path = folder / f"Qwen2.5-VL_Faces.{kind}"
    if kind == "json":
        return as_json(path, [dict(zip(rows[0], row, strict=True)) for row in rows[1:]])
    return tsv(path, rows) if kind == "tsv" else xlsx(path, rows)


def inspect_sample(
    sample_id: str | int, content: Any, target: Any = "", epoch: int = 1, **fields: Any
) -> dict[str, Any]:
    choice = {"message": {"role": "assistant", "content": content, "source": "generate"}, "stop_reason": "stop"}
    output = {"model": "gpt-4o-2024-08-06", "choices": [choice], "time": 1.7}
    return {
        "id": sample_id,
        "epoch": epoch,
        "input": "Which?",
        "target": target,
        "output": output,
        "scores": {},
        **fields,
    }


def log_json(path: Path, samples: list[dict[str, Any]]) -> Path:
    return as_json(path, {"version": 2, "status": "success", "eval": {"model": "openai/gpt-4o"}, "samples": samples})


def log_eval(path: Path, samples: list[dict[str, Any]]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("_journal/start.json", json.dumps({"eval": {"model": "openai/gpt-4o"}}))
        for sample in samples:
            name = f"samples/{str(sample['id']).replace('/', '_')}_epoch_{sample['epoch']}.json"
            archive.writestr(name, json.dumps(sample))
        archive.writestr("header.json", json.dumps({"status": "success", "eval": {"model": "openai/gpt-4o"}}))
    return path
