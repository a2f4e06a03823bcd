"""The tiny base: built, taught to see, and a start from which explaining is learnt."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("trl")

from safetensors.torch import load_file  # noqa: E402

from emollm.answers import parse  # noqa: E402
from emollm.errors import SourceError  # noqa: E402
from emollm.pictures import open_picture  # noqa: E402
from emollm.records import Sample, encode, read_records  # noqa: E402
from emollm.train import base, sft  # noqa: E402
from emollm.train.rows import Mixture, make_rows  # noqa: E402
from emollm.vlm.generate import Sampling, generate  # noqa: E402
from emollm.vlm.lessons import Progress  # noqa: E402
from emollm.vlm.load import load_model  # noqa: E402
from emollm.vlm.turns import ask_about  # noqa: E402


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
    assert {"eyes_error", "gaze_error", "parameters", "prompts"} <= set(manifest)
    assert load_model(tmp_path / "base")[0].config.model_type == "qwen3_vl"
    assert base.main(command) == 0
    assert "done already" in capsys.readouterr().err


@pytest.mark.parametrize("lesson", ["eyes", "gaze"])
def test_a_base_that_was_stopped_and_crashed_ends_with_the_same_weights(
    lesson: str, toy_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = {"train_file": str(toy_file), "eye_steps": 6, "gaze_steps": 6, "save_steps": 2, "logging_steps": 1}
    assert base.main(base_recipe(tmp_path, **steps, output_dir=str(tmp_path / "whole"))) == 0
    command = base_recipe(tmp_path, **steps)
    learn = Progress.learn
    taken: list[int] = []

    def interrupted(progress: Progress, loss: Any) -> None:
        """Ctrl-C in the third step of a lesson, and a crash in the second step after that."""
        learn(progress, loss)
        taken.append(progress.step)
        first = 0 if lesson == "eyes" else 6
        if len(taken) == first + 3:
            os.kill(os.getpid(), signal.SIGINT)
        if len(taken) == first + 5:
            raise OSError("a crash")

    with monkeypatch.context() as patch:
        patch.setattr(Progress, "learn", interrupted)
        with pytest.raises(KeyboardInterrupt):
            base.main(command)
        assert json.loads((tmp_path / "base" / "manifest.json").read_text())["status"] == "stopped"
        with pytest.raises(OSError, match="a crash"):
            base.main(command)
    assert taken[-2:] == [4, 5]  # it went on after the third step, and step 4 was saved before the crash in step 5
    assert base.main(command) == 0
    found, expected = (load_file(tmp_path / name / "model.safetensors") for name in ("base", "whole"))
    assert found.keys() == expected.keys()
    assert all(torch.equal(found[name], value) for name, value in expected.items())
    logs = [(tmp_path / name / "train_log.jsonl").read_text() for name in ("base", "whole")]
    assert logs[0] == logs[1]
    assert [json.loads(line)["step"] for line in logs[0].splitlines()] == list(range(1, 13))
    assert [path.name for path in (tmp_path / "base").glob("checkpoint-*")] == ["checkpoint-12"]
    assert "AU error" in (tmp_path / "base" / "curves.svg").read_text()


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
