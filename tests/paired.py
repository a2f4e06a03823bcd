"""Pairs for the tests of DPO: as `emollm export --format preference` writes them, and as completions that were paid."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from emollm.answers import render
from emollm.prompts import ask
from emollm.records import Reasoning, Sample, read_records
from emollm.train.completions import write_completions

WRONG = {"happiness": "sadness", "sadness": "surprise", "surprise": "happiness"}


def line(sample: str, question: str, chosen: str, rejected: str, **changes: Any) -> dict[str, Any]:
    """A pair as `emollm export --format preference` writes it."""
    prompt = [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": question}]}]
    said = ([{"role": "assistant", "content": [{"type": "text", "text": text}]}] for text in (chosen, rejected))
    texts = dict(zip(("chosen", "rejected"), said, strict=True))
    return {
        "id": sample,
        "attempt": 1,
        "problems": [],
        "prompt": prompt,
        **texts,
        "images": [f"{sample[3:]}.png"],
    } | changes


def write_pairs(toy_file: Path) -> Path:
    """Eight pairs beside the toy faces: the right label against a wrong one."""
    lines = [
        line(sample.id, ask("label", "basic7"), str(sample.label), WRONG[str(sample.label)])
        for sample in list(read_records(toy_file, Sample))[:8]
    ]
    path = toy_file.with_name("pairs.jsonl")
    path.write_text("".join(json.dumps(entry) + "\n" for entry in lines))
    return path


def write_paid(folder: Path) -> Path:
    """Two rollouts: a clear group, one alike, one whose best was cut off, one of an unknown sample, one unpaid."""
    groups = {
        "toy0": [("happiness", 1.0), ("sadness", 0.0)],
        "toy1": [("sadness", 1.0), ("surprise", 0.9)],
        "toy2": [("", 1.0), ("sadness", 0.0)],
        "gone": [("sadness", 1.0), ("surprise", 0.0)],
        "toy3": [("happiness", math.nan), ("surprise", 0.0)],
    }
    reasoning = Reasoning(observations="A smile.", interpretation="It fits.", conclusion="It is consistent with it.")
    text = {label: render("sections", label, reasoning) for label in WRONG} | {"": "**Key"}
    rows = [(name, text[label], paid) for name, group in groups.items() for label, paid in group]
    columns: dict[str, list[Any]] = {
        "id": [row[0] for row in rows],
        "variant": [1] * len(rows),
        "completion": [f"{row[1]}\n" for row in rows],
        "total": [row[2] for row in rows],
        "advantage": [0.0] * len(rows),
    }
    for step in (1, 2):
        path = folder / "completions" / f"step-{step:06}.parquet"
        write_completions(path, step, columns, {"label": columns["total"]})
    return folder / "completions"
