"""Prediction: one record a sample, resumed, and nothing lost to a bad picture."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

from PIL import Image

from emollm.errors import ConfigError, ModelError, SourceError
from emollm.records import Media, Prediction, Sample, encode, read_records
from eval.predict import main


@pytest.fixture
def command(toy_file: Path, tiny_dir: Path, tmp_path: Path) -> list[str]:
    options = ["--max-new-tokens", "6", "--batch-size", "5", "--split", "test", "--device", "cpu"]
    return ["--model", str(tiny_dir), str(toy_file), "-o", str(tmp_path / "p.jsonl"), *options]


@pytest.fixture
def speaking(command: list[str]) -> list[str]:
    """The embedded model has something to say; the untaught one may say nothing at all."""
    return [*command, "--model", "emollm-tiny", "--style", "observations", "--max-new-tokens", "24"]


def read(tmp_path: Path) -> list[Prediction]:
    return list(read_records(tmp_path / "p.jsonl", Prediction))


def test_every_sample_of_the_split_gets_one_prediction(command: list[str], tmp_path: Path) -> None:
    assert main(command) == 0
    predictions = read(tmp_path)
    assert [prediction.id for prediction in predictions] == [f"toy{n}" for n in range(48, 60)]
    first = predictions[0]
    assert first.sampling == {"max_new_tokens": 6, "temperature": 0.0}
    assert first.style == "sections"
    assert first.prompt is not None
    assert "Key Observations" in first.prompt


def test_a_stopped_run_goes_on_and_ends_the_same(speaking: list[str], tmp_path: Path) -> None:
    main(speaking)
    whole = read(tmp_path)
    lines = (tmp_path / "p.jsonl").read_bytes().splitlines(keepends=True)
    (tmp_path / "p.jsonl").write_bytes(b"".join(lines[:7]) + lines[7][:20])
    assert main(speaking) == 0
    assert [(p.id, p.completion) for p in read(tmp_path)] == [(p.id, p.completion) for p in whole]


def test_the_batch_size_changes_nothing(speaking: list[str], tmp_path: Path) -> None:
    main(speaking)
    five = read(tmp_path)
    main([*speaking, "--batch-size", "1", "--overwrite"])
    assert [p.completion for p in read(tmp_path)] == [p.completion for p in five]


def test_a_limit_counts_samples_of_the_split(command: list[str], tmp_path: Path) -> None:
    assert main([*command, "--limit", "3"]) == 0
    assert len(read(tmp_path)) == 3


def test_a_blank_picture_takes_the_face_away_and_is_said(speaking: list[str], tmp_path: Path) -> None:
    main(speaking)
    seen = read(tmp_path)
    main([*speaking, "--overwrite", "--picture", "blank"])
    blank = read(tmp_path)
    assert len({p.completion for p in seen}) > 1
    assert len({p.completion for p in blank}) == 1
    assert [(p.id, p.prompt) for p in blank] == [(p.id, p.prompt) for p in seen]
    assert {p.model for p in blank} == {f"{seen[0].model} (blank pictures)"}
    with pytest.raises(ConfigError, match="picture 'blank' → 'own'"):
        main(speaking)


def test_a_bad_picture_is_said_and_kept_aside_and_the_rest_is_predicted(
    command: list[str], tmp_path: Path, toy_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    samples = [sample for sample in read_records(toy_file, Sample) if sample.split == "test"]
    (tmp_path / "cut.png").write_bytes((toy_file.parent / "0.png").read_bytes()[:100])
    assert samples[1].media is not None
    samples[1].media.path, samples[2].media = "cut.png", None
    for sample in (samples[0], samples[3]):
        assert sample.media is not None
        (tmp_path / sample.media.path).write_bytes((toy_file.parent / sample.media.path).read_bytes())
    samples[4].media = Media(kind="video", path="clip.webp")
    (tmp_path / "some.jsonl").write_bytes(b"".join(encode(sample) + b"\n" for sample in samples[:5]))
    command[2] = str(tmp_path / "some.jsonl")
    assert main(command) == 1
    assert [prediction.id for prediction in read(tmp_path)] == ["toy48", "toy51"]
    rejected = [json.loads(line) for line in (tmp_path / "p.rejected.jsonl").read_text().splitlines()]
    reasons = {"toy49": "bad_picture", "toy50": "no_picture", "toy52": "clip"}
    assert {entry["id"]: entry["reason"] for entry in rejected} == reasons
    said = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error: ")]
    assert len(said) == 3
    assert "cut.png: the picture is damaged" in said[0]
    assert "toy50: has no picture" in said[1]
    assert "toy52: is a clip" in said[2]


def test_a_strip_among_good_pictures_costs_only_itself(command: list[str], tmp_path: Path, toy_file: Path) -> None:
    samples = [sample for sample in read_records(toy_file, Sample) if sample.split == "test"][:3]
    for sample in samples:
        assert sample.media is not None
        Image.new("RGB", (5000, 10) if sample is samples[1] else (64, 64)).save(tmp_path / sample.media.path)
    (tmp_path / "some.jsonl").write_bytes(b"".join(encode(sample) + b"\n" for sample in samples))
    command[2] = str(tmp_path / "some.jsonl")
    assert main(command) == 1
    assert [prediction.id for prediction in read(tmp_path)] == ["toy48", "toy50"]


def test_many_bad_pictures_are_counted_after_the_tenth(
    command: list[str], tmp_path: Path, toy_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "elsewhere.jsonl").write_bytes(toy_file.read_bytes())
    command[2] = str(tmp_path / "elsewhere.jsonl")
    assert main(command) == 1
    said = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error: ")]
    assert len(said) == 11
    assert said[-1] == "error: 2 more, all in p.rejected.jsonl"


def test_a_split_that_is_not_there_names_those_that_are(command: list[str], tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no sample of 'zz'; there are test 12, train 48"):
        main([*command, "--split", "zz"])
    assert not (tmp_path / "p.jsonl").exists()


def test_a_file_without_samples_is_refused(command: list[str], tmp_path: Path) -> None:
    (tmp_path / "empty.jsonl").write_bytes(b"")
    command[2] = str(tmp_path / "empty.jsonl")
    with pytest.raises(SourceError, match="holds no sample"):
        main(command)


def test_a_file_of_malformed_lines_says_each(
    command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "bad.jsonl").write_text("{}\n[]\n")
    command[2] = str(tmp_path / "bad.jsonl")
    assert main(command) == 1
    assert capsys.readouterr().err.count("error: ") == 2


def test_an_answer_that_was_cut_off_is_counted(command: list[str], tmp_path: Path) -> None:
    main([*command, "--max-new-tokens", "1"])
    assert json.loads((tmp_path / "p.manifest.json").read_text())["counts"]["cut off"] > 0


def test_a_rerun_with_another_style_is_refused(command: list[str]) -> None:
    main([*command, "--limit", "1"])
    with pytest.raises(ConfigError, match="style 'sections' → 'label'"):
        main([*command, "--style", "label"])


@pytest.mark.parametrize("wrong", [["--model", "/no/such/model"], ["--device", "cuda:99"]], ids=["model", "device"])
def test_a_model_that_cannot_be_loaded_leaves_nothing_behind(
    wrong: list[str], command: list[str], tmp_path: Path
) -> None:
    with pytest.raises(ModelError):
        main([*command, *wrong])
    assert list(tmp_path.iterdir()) == []


def test_a_model_that_cannot_be_loaded_harms_no_earlier_output(command: list[str], tmp_path: Path) -> None:
    main([*command, "--limit", "2"])
    with pytest.raises(ModelError):
        main([*command, "--overwrite", "--model", "/no/such/model"])
    assert len(read(tmp_path)) == 2


def test_a_run_that_is_done_loads_no_model(command: list[str]) -> None:
    assert main(command) == 0
    assert main([*command, "--device", "cuda:99"]) == 0


@pytest.mark.parametrize(
    "wrong",
    [
        ["--temperature", "-1"],
        ["--temperature", "nan"],
        ["--temperature", "1e-9"],
        ["--temperature", "warm"],
        ["--top-p", "2"],
        ["--top-p", "0"],
        ["--max-new-tokens", "0"],
    ],
    ids=" ".join,
)
def test_a_number_out_of_its_range_is_a_usage_error(
    wrong: list[str], command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        main([*command, *wrong])
    assert caught.value.code == 2
    assert f"argument {wrong[0]}: '{wrong[1]}'" in capsys.readouterr().err
    assert not (tmp_path / "p.jsonl").exists()


def test_a_huge_seed_is_a_seed(command: list[str], tmp_path: Path) -> None:
    assert main([*command, "--limit", "1", "--temperature", "1", "--seed", "99999999999999999999999"]) == 0
    assert len(read(tmp_path)) == 1


def test_an_unknown_label_set_is_refused_before_the_model_is_loaded(command: list[str]) -> None:
    command[1] = "/no/such/model"
    with pytest.raises(ConfigError, match="did you mean 'basic7'"):
        main([*command, "--label-set", "basic07"])
