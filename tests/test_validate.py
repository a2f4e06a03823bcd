"""Validation while training: the best model is kept, a training that gets no better stops, and a rerun remembers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("trl")

from emollm.errors import ConfigError, SourceError  # noqa: E402
from emollm.records import Sample, encode, read_records  # noqa: E402
from emollm.train import sft  # noqa: E402
from emollm.train.validate import METRICS, Validation, make_validator  # noqa: E402
from emollm.vlm.load import load_model  # noqa: E402


@pytest.fixture
def recipe(toy_file: Path, tiny_dir: Path, tmp_path: Path) -> Path:
    """A recipe of four steps that is measured after every second one, on the twelve samples of the test split."""
    values = {
        "model": str(tiny_dir),
        "train_file": str(toy_file),
        "output_dir": str(tmp_path / "run"),
        "max_steps": 4,
        "per_device_train_batch_size": 4,
        "learning_rate": 2e-3,
        "lr_scheduler_type": "constant",
        "save_steps": 2,
        "logging_steps": 1,
        "styles": {"label": 1},
        "validation": {"split": "test", "every": 2, "num_samples": 6, "max_new_tokens": 4, "metric": "well_formed"},
    }
    path = tmp_path / "recipe.yaml"
    path.write_text(json.dumps(values))
    return path


def measured(run: Path) -> list[int]:
    log = [json.loads(line) for line in (run / "train_log.jsonl").read_text().splitlines()]
    return [entry["step"] for entry in log if "validation_well_formed" in entry]


def manifest(run: Path) -> Any:
    return json.loads((run / "manifest.json").read_text())


def test_the_best_model_lies_in_a_folder_of_its_own(recipe: Path, tmp_path: Path) -> None:
    assert sft.main(["--config", str(recipe)]) == 0
    run = tmp_path / "run"
    assert measured(run) == [2, 4]
    log = [json.loads(line) for line in (run / "train_log.jsonl").read_text().splitlines()]
    assert [entry["step"] for entry in log if "loss" in entry] == [1, 2, 3, 4]
    best = manifest(run)["best"]
    assert best["step"] in (2, 4)
    model, processor = load_model(run / "best", device="cpu")
    checkpoint, _ = load_model(run / f"checkpoint-{best['step']}", device="cpu")
    for name, value in model.state_dict().items():
        torch.testing.assert_close(value, checkpoint.state_dict()[name])
    assert hasattr(processor, "image_processor")


def test_the_numbers_are_those_of_the_scorer(toy_file: Path, tiny_dir: Path) -> None:
    from emollm.pictures import open_picture
    from emollm.scoring import score_sample
    from emollm.vlm.generate import Sampling, generate
    from emollm.vlm.turns import ask_about

    loaded = load_model(tiny_dir, device="cpu")
    validator = make_validator(
        Validation(split="test", num_samples=5, max_new_tokens=8, batch_size=2), toy_file, None, "basic7", "sections", 0
    )
    scores = []
    for question, sample in validator.asked:
        turn = ask_about(open_picture(Path(question.picture)), question.question)
        text = generate(*loaded, [turn], Sampling(max_new_tokens=8))[0].text
        scores.append(score_sample(sample, text, "basic7", style="sections"))
    found = validator.measure(*loaded)
    assert len(scores) == 5
    for name in ("accuracy", "au_f1", "well_formed"):
        assert found[name] == pytest.approx(sum(float(METRICS[name].value(score) or 0) for score in scores) / 5)


def test_a_training_that_gets_no_better_stops(recipe: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    patient = ["max_steps=20", "learning_rate=1e-12", "validation.patience=2"]
    assert sft.main(["--config", str(recipe), *patient]) == 0
    assert measured(tmp_path / "run") == [2, 4, 6]
    assert manifest(tmp_path / "run")["steps"] == 6
    assert manifest(tmp_path / "run")["best"]["step"] == 2
    assert "careful: well_formed was never above 0; raise validation.patience" in capsys.readouterr().err


def test_a_rerun_remembers_what_was_measured(recipe: Path, tmp_path: Path) -> None:
    options = ["learning_rate=1e-12", "validation.patience=2"]
    assert sft.main(["--config", str(recipe), *options, "max_steps=4"]) == 0
    assert sft.main(["--config", str(recipe), *options, "max_steps=20"]) == 0
    assert measured(tmp_path / "run") == [2, 4, 6]


def test_measuring_does_not_change_what_is_learnt(recipe: Path, tmp_path: Path) -> None:
    assert sft.main(["--config", str(recipe)]) == 0
    assert sft.main(["--config", str(recipe), "validation=null", f"output_dir={tmp_path / 'plain'}"]) == 0
    plain = load_model(tmp_path / "plain", device="cpu")[0].state_dict()
    for name, value in load_model(tmp_path / "run", device="cpu")[0].state_dict().items():
        assert torch.equal(value, plain[name])


def test_what_cannot_be_measured_is_said_before_the_model_is_loaded(
    recipe: Path, tmp_path: Path, toy_file: Path
) -> None:
    with pytest.raises(ConfigError, match="did you mean 'accuracy'"):
        sft.main(["--config", str(recipe), "validation.metric=acuracy"])
    with pytest.raises(SourceError, match="no sample of split 'validation'"):
        sft.main(["--config", str(recipe), "validation.split=validation"])
    bare = tmp_path / "bare.jsonl"
    samples = [Sample(id=sample.id, media=sample.media, split="test") for sample in read_records(toy_file, Sample)]
    bare.write_bytes(b"".join(encode(sample) + b"\n" for sample in samples))
    with pytest.raises(ConfigError, match=r"no sample of .*bare\.jsonl has what 'au_f1' compares with"):
        make_validator(Validation(metric="au_f1", split="test"), bare, str(toy_file.parent), "basic7", "sections", 0)


def test_a_sample_that_is_learnt_from_is_not_measured_on(recipe: Path, tmp_path: Path, toy_file: Path) -> None:
    line = r"validation: 6 of its 6 samples are learnt from, too, such as 'toy\d+'; give split and validation.split"
    with pytest.raises(ConfigError, match=line):
        sft.main(["--config", str(recipe), "split=null"])
    copy = tmp_path / "copy.jsonl"
    renamed = [msgspec.structs.replace(sample, id=f"again {sample.id}") for sample in read_records(toy_file, Sample)]
    copy.write_bytes(b"".join(encode(sample) + b"\n" for sample in renamed))
    options = [f"media_root={toy_file.parent}", f"validation.file={copy}", "validation.split=train"]
    with pytest.raises(ConfigError, match="samples are learnt from, too, such as 'again"):
        sft.main(["--config", str(recipe), *options])


@pytest.mark.parametrize(("style", "metric"), [("observations", "accuracy"), ("label", "au_f1")])
def test_a_style_that_does_not_ask_for_the_metric_is_refused(style: str, metric: str, toy_file: Path) -> None:
    options = Validation(metric=metric, split="test", style=style)
    with pytest.raises(ConfigError, match=f"the style '{style}' does not ask for what '{metric}' measures"):
        make_validator(options, toy_file, None, "basic7", "sections", 0)


def test_only_what_the_style_asks_for_is_measured(toy_file: Path, tiny_dir: Path) -> None:
    options = Validation(metric="au_f1", split="test", num_samples=2, max_new_tokens=4)
    validator = make_validator(options, toy_file, None, "basic7", "observations", 0)
    assert "accuracy" not in validator.measure(*load_model(tiny_dir, device="cpu"))


def test_validation_samples_that_cannot_be_shown_are_counted(
    toy_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "cot.jsonl").write_bytes(toy_file.read_bytes())
    for number in range(50, 60):
        (tmp_path / f"{number}.png").write_bytes((toy_file.parent / f"{number}.png").read_bytes())
    make_validator(Validation(split="test"), tmp_path / "cot.jsonl", None, "basic7", "sections", 0)
    assert "2 validation samples left out (bad_picture 2)" in capsys.readouterr().err
