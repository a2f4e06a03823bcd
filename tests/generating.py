"""Runs of `emollm generate` with a teacher that is asked, and what they leave behind."""

import json
from pathlib import Path
from typing import Any

from made_clips import made_clip

from data_engine.generate import main
from emollm.llm.wire import Ask
from emollm.records import Media, Sample, encode, read_records

ASKED = ("--teacher", "openai", "--model", "m")


def write(folder: Path, samples: list[Sample]) -> Path:
    path = folder / "samples.jsonl"
    path.write_bytes(b"".join(encode(one) + b"\n" for one in samples))
    return path


def generate(
    folder: Path, samples: list[Sample], ask: Ask | None, *options: str, output: str = "cot.jsonl", code: int = 0
) -> list[Sample]:
    source = write(folder, samples)
    assert main([str(source), "-o", str(folder / output), *ASKED, *options], ask=ask) == code
    return list(read_records(folder / output, Sample))


def manifest(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "cot.manifest.json").read_text("utf-8"))


def rejected(folder: Path) -> list[tuple[str, str]]:
    path = folder / "cot.rejected.jsonl"
    lines = path.read_text("utf-8").splitlines() if path.exists() else []
    return [(line["id"], line["reason"]) for line in map(json.loads, lines)]


def faces(count: int) -> list[Sample]:
    labels = ("happiness", "anger", "neutral", "sadness", None)
    samples = [made_clip(number, label=labels[number % 5]) for number in range(count)]
    for sample in samples:
        sample.label_set, sample.events = "basic7", None
    return samples


def picture(folder: Path, name: str = "a.png") -> Media:
    from PIL import Image

    Image.new("RGB", (16, 16), (200, 160, 130)).save(folder / name)
    return Media(kind="image", path=name)
