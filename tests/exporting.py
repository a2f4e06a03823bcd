"""What the tests of exports share: samples with small pictures and clips beside them, and the command."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from PIL import Image

from data_engine.exports import main
from emollm.records import Media, Reasoning, Sample, encode, read_records

REASONING = Reasoning(
    observations="The lip corners are markedly pulled up (AU12C) and the cheeks are slightly raised (AU6B).",
    interpretation="Lip corner pulling and cheek raising form the pattern described for happiness.",
    conclusion="Overall, the expression is consistent with happiness.",
)


def sample(name: str, **changes: object) -> Sample:
    """Return a sample that has all that an export needs."""
    fields: dict[str, object] = {
        "id": name,
        "media": Media(kind="image", path=f"faces/{name}.png"),
        "label_set": "basic7",
        "label": "happiness",
        "reasoning": REASONING,
        "split": "train",
    }
    return Sample(**(fields | changes))


def clip(name: str, **changes: object) -> Sample:
    """Return a sample of a clip."""
    return sample(name, **({"media": Media(kind="video", path=f"clips/{name}.webp")} | changes))


def write(path: Path, *samples: Sample) -> Path:
    path.write_bytes(b"".join(encode(one) + b"\n" for one in samples))
    return path


def write_with_media(path: Path, samples: Iterable[Sample]) -> Path:
    """Write samples, and a file for the media of each: 8 pixels wide, clips of 4 frames."""
    path.parent.mkdir(parents=True, exist_ok=True)
    samples = list(samples)
    for number, one in enumerate(samples):
        if one.media is not None:
            place = path.parent / one.media.path
            place.parent.mkdir(parents=True, exist_ok=True)
            draw(place, number, 4 if one.media.kind == "video" else 1)
    return write(path, *samples)


def draw(place: Path, number: int, num_frames: int) -> None:
    """Write a picture, or a moving one with frames that differ."""
    first, *others = [Image.new("RGB", (8, 8), (number * 16 % 256, 60 * frame, 90)) for frame in range(num_frames)]
    moving: dict[str, Any] = {"save_all": True, "append_images": others, "duration": 100} if others else {}
    first.save(place, lossless=True, **moving)


def export(cot: Path, folder: Path, *options: str) -> int:
    return main([str(cot), "-o", str(folder), *options])


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def reasons(folder: Path) -> dict[str, str]:
    """Return what an export left out: id to reason."""
    return {row["id"]: row["reason"] for row in lines(folder / "rejected.jsonl")}


def golden(path: Path) -> list[Sample]:
    return list(read_records(path, Sample))
