"""The tiny base: built, taught to see, and a start from which explaining is learnt."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")
pytest.importorskip("trl")

from emollm.answers import parse
from emollm.errors import SourceError
from emollm.pictures import open_picture
from emollm.records import Sample, encode, read_records
from emollm.train import base, sft
from emollm.train.rows import Mixture, make_rows
from emollm.vlm.generate import Sampling, generate
from emollm.vlm.load import load_model
from emollm.vlm.turns import ask_about


@pytest.fixture(scope="module")
def samples(toy_file: Path) -> list[Sample]:
    return [sample for sample in read_records(toy_file, Sample) if sample.split == "train"]


TINY = {"image_size": 64, "width": 64, "text_layers": 1, "vision_layers": 1, "vocab_size": 448, "batch_size": 4}


def base_recipe(folder: Path, **values: Any) -> list[str]:
    path = folder / "base.yaml"
    path.write_text(json.dumps({"output_dir": str(folder / "base")} | TINY | values))
    return ["--config", str(path)]


def test_the_base_is_built_taught_and_left_alone_when_done(
    toy_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = base_recipe(tmp_path, train_file=str(toy_file), eye_steps=2, gaze_steps=2)
    assert base.main(command) == 0
    manifest = json.loads((tmp_path / "base" / "manifest.json").read_text())
    assert manifest["status"] == "done"
    assert {"eye_error", "gaze_error", "parameters", "prompts"} <= set(manifest)
    assert load_model(tmp_path / "base")[0].config.model_type == "qwen3_vl"
    assert base.main(command) == 0
    assert "done already" in capsys.readouterr().err


def test_a_base_needs_faces_with_action_units(toy_file: Path, tmp_path: Path, samples: list[Sample]) -> None:
    blind = Sample(id="a", media=samples[0].media, label="fear", label_set="basic7", split="train")
    (tmp_path / "blind.jsonl").write_bytes(encode(blind) + b"\n")
    with pytest.raises(SourceError, match="no sample has action units"):
        base.main(base_recipe(tmp_path, train_file=str(tmp_path / "blind.jsonl"), media_root=str(toy_file.parent)))


def test_a_base_of_a_split_that_is_empty_is_refused(toy_file: Path, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no sample of split 'dev'"):
        base.main(base_recipe(tmp_path, train_file=str(toy_file), split="dev"))


@pytest.mark.slow
def test_base_then_sft_learns_to_look_and_to_explain(toy_file: Path, tmp_path: Path) -> None:
    shape = {"text_layers": 2, "vision_layers": 2, "vocab_size": 512, "batch_size": 16}
    assert base.main(base_recipe(tmp_path, train_file=str(toy_file), eye_steps=120, gaze_steps=80, **shape)) == 0
    values = {"max_steps": 150, "per_device_train_batch_size": 16, "learning_rate": 3e-3, "adam_beta2": 0.98}
    paths = {"model": str(tmp_path / "base"), "train_file": str(toy_file), "output_dir": str(tmp_path / "sft")}
    (tmp_path / "sft.yaml").write_text(json.dumps(values | paths | {"warmup_steps": 10, "save_strategy": "no"}))
    assert sft.main(["--config", str(tmp_path / "sft.yaml")]) == 0
    model, processor = load_model(tmp_path / "sft", device="cpu")
    test = [sample for sample in read_records(toy_file, Sample) if sample.split == "test"]
    rows, _ = make_rows(test, toy_file.parent, Mixture({"sections": 1}))
    turns = [ask_about(open_picture(Path(row.picture)), row.question) for row in rows]
    said = [parse(done.text, "basic7").label for done in generate(model, processor, turns, Sampling(120))]
    gold = {sample.id: sample.label for sample in test}
    right = sum(label == gold[row.id] for label, row in zip(said, rows, strict=True))
    assert right >= 0.8 * len(rows)
