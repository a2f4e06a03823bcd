"""A house for the tests of the model card: samples, what `generate` wrote of them, a model, and its scores.

build_house(folder)                       # the working directory must be the folder
part(written("runs/sft"), "Metrics")      # a section of the card
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import yaml

from data_engine.generate import main as generate
from emollm.records import AU, Face, Media, Prediction, Sample, encode
from emollm.stage import new_manifest
from emollm.train import card
from eval.score import main as score

FACES = {"happiness": {"AU06": 3.0, "AU12": 4.0}, "anger": {"AU04": 4.0, "AU05": 2.0, "AU07": 3.0, "AU23": 2.0}}


def write(path: Path, records: list[Sample] | list[Prediction]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"".join(encode(record) + b"\n" for record in records))
    return path


def header(**tensors: list[int]) -> bytes:
    """A safetensors file of zeros."""
    entries: dict[str, Any] = {}
    end = 0
    for name, shape in tensors.items():
        size = 4 * shape[0] * shape[1]
        entries[name] = {"dtype": "F32", "shape": shape, "data_offsets": [end, end + size]}
        end += size
    text = json.dumps(entries).encode()
    return len(text).to_bytes(8, "little") + text + bytes(end)


def build_house(folder: Path) -> None:
    """Write samples, what `generate` wrote of them, a model that learnt from it, and its scores."""
    samples = [
        Sample(
            id=f"s{number}",
            media=Media(kind="image", path=f"{number}.png"),
            subject=f"p{number // 4}",
            split="test" if number >= 32 else "train",
            groups={"age": "60+" if number % 3 else "20-39"},
            faces=[Face(aus={code: AU(value=value, kind="intensity") for code, value in FACES[label].items()})],
            label_set="basic7",
            label=label,
            provenance={"layout": {"dataset": "Faces of Nobody", "licence": "research only"}},
        )
        for number, label in enumerate(["happiness", "anger"] * 20)
    ]
    source = write(folder / "data/samples.jsonl", [*samples, Sample(id="faceless", split="train")])
    generate([str(source), "-o", "data/cot.jsonl"])
    said = {label: f"The lip corners are raised. The expression is {label}." for label in FACES}
    predictions = [
        Prediction(id=one.id, completion=said["happiness"], model="runs/sft", style="sections")
        for one in samples
        if one.split == "test"
    ]
    write(folder / "predictions.jsonl", predictions)
    score(["predictions.jsonl", str(source), "-o", "scores", "--split", "test", "--no-report", "--num-resamples", "50"])
    make_run(folder / "runs/sft", {"model": "Qwen/Qwen2.5-VL-3B-Instruct", "train_file": "data/cot.jsonl"})


def make_run(folder: Path, options: dict[str, Any], stage: str = "sft") -> None:
    """What a training leaves behind, as far as a card reads it."""
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps({"architectures": ["Tiny"], "text_config": {"hidden_size": 64}}))
    (folder / "model.safetensors").write_bytes(header(embed=[10, 64], head=[10, 64]))
    all_options = {"split": "train", "styles": {"sections": 1.0}, "learning_rate": 0.002, "media_root": None} | options
    manifest = new_manifest(stage, all_options, [Path(options["train_file"])])
    manifest |= {"status": "done", "steps": 4, "loss": 1.5, "rows": {"sections": 32}, "refused": {"no_label": 1}}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    lines = [{"step": step, "loss": 4.0 / step, "learning_rate": 0.002} for step in (1, 2, 3, 4)]
    (folder / "train_log.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))


def written(folder: str, *options: str) -> str:
    output = Path("card.md")
    assert card.main(["--model", folder, "-o", str(output), "--overwrite", *options]) == 0
    return output.read_text(encoding="utf-8")


def part(text: str, heading: str) -> str:
    """Return the section under a heading."""
    (found,) = re.findall(rf"^## {heading}\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    return str(found)


def row(text: str, first: str) -> list[str]:
    """Return the cells of the table line that begins with a cell."""
    (line,) = (line for line in text.splitlines() if line.startswith(f"| {first} |"))
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]


def front(text: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(text.split("---\n")[1])
    return found
