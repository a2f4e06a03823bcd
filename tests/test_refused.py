"""What a training leaves out is named, and a picture that goes bad while it runs ends it with one line."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")
pytest.importorskip("trl")

from asking_toys import LETTER_E, recipe_of_toys
from PIL import Image
from running import carry_out, manifest

from emollm.errors import SourceError, TrainingError
from emollm.files import sha256
from emollm.pictures import check_picture
from emollm.records import Sample, encode, read_records
from emollm.train import dpo, grpo, sft
from emollm.train.rewards import REWARDS


@pytest.fixture
def toys(toy_file: Path, tmp_path: Path) -> Path:
    """Twelve toy faces with their pictures, to be spoilt."""
    for sample in (samples := list(read_records(toy_file, Sample))[:12]):
        assert sample.media is not None
        shutil.copy(toy_file.parent / sample.media.path, tmp_path / sample.media.path)
        sample.media.sha256 = sha256(tmp_path / sample.media.path)
    path = tmp_path / "toys.jsonl"
    path.write_bytes(b"".join(encode(sample) + b"\n" for sample in samples))
    return path


@pytest.fixture
def values(toys: Path, tiny_dir: Path, tmp_path: Path) -> dict[str, Any]:
    return {
        "model": str(tiny_dir),
        "train_file": str(toys),
        "output_dir": str(tmp_path / "run"),
        "max_steps": 1,
        "per_device_train_batch_size": 4,
        "save_strategy": "no",
    }


def rejected(run: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in (run / "rejected.jsonl").read_text().splitlines()]


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def exchange(path: Path) -> None:
    Image.new("RGB", (64, 64), "white").save(path)


SPOILT: list[tuple[Callable[[Path], Any], str]] = [
    (Path.unlink, "6.png: no such file; check the path"),
    (cut, "6.png: the picture is damaged"),
    (exchange, "6.png: is another picture than before"),
]


@pytest.mark.parametrize(("spoil", "message"), SPOILT, ids=["missing", "cut in half", "another"])
def test_a_bad_picture_is_named_and_kept_aside(
    spoil: Callable[[Path], Any],
    message: str,
    values: dict[str, Any],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    spoil(tmp_path / "6.png")
    run = carry_out(sft.main, values, tmp_path)
    said = capsys.readouterr().err
    assert "1 samples left out (bad_picture 1)" in said
    assert "toy6: " in said
    assert message in said
    assert manifest(run)["refused"] == {"bad_picture": 1}
    (entry,) = rejected(run)
    assert (entry["id"], entry["reason"]) == ("toy6", "bad_picture")
    assert message in entry["detail"]


def test_what_was_refused_at_an_earlier_start_is_forgotten(values: dict[str, Any], tmp_path: Path) -> None:
    whole = (tmp_path / "6.png").read_bytes()
    (tmp_path / "6.png").unlink()
    run = carry_out(sft.main, values, tmp_path)
    (tmp_path / "6.png").write_bytes(whole)
    carry_out(sft.main, values, tmp_path, "--overwrite")
    assert not (run / "rejected.jsonl").exists()
    assert manifest(run)["refused"] == {}


@pytest.mark.parametrize("main", [sft.main, grpo.main], ids=["sft", "grpo"])
def test_a_split_that_nobody_is_in_is_said_with_those_there_are(
    main: Any, values: dict[str, Any], tmp_path: Path
) -> None:
    samples = list(read_records(Path(values["train_file"]), Sample))
    for sample in samples[:5]:
        sample.split = None
    for sample in samples[5:]:
        sample.split = "test"
    Path(values["train_file"]).write_bytes(b"".join(encode(sample) + b"\n" for sample in samples))
    known = r"no sample of split 'train'; there are 'test' 7, \(none\) 5; set split to one, or to null for all"
    with pytest.raises(SourceError, match=known):
        carry_out(main, values | {"per_device_train_batch_size": 8}, tmp_path)


@pytest.mark.parametrize("main", [sft.main, grpo.main], ids=["sft", "grpo"])
def test_where_all_are_left_out_the_reasons_are_said(main: Any, values: dict[str, Any], tmp_path: Path) -> None:
    for path in tmp_path.glob("*.png"):
        path.unlink()
    line = r"toys\.jsonl: 12 samples left out \(bad_picture 12\); none is left to learn from"
    with pytest.raises(SourceError, match=line):
        carry_out(main, values | {"split": None, "per_device_train_batch_size": 8}, tmp_path)


def test_grpo_names_it_too(
    values: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(REWARDS, "letter_e", LETTER_E)
    (tmp_path / "6.png").unlink()
    asked = recipe_of_toys(Path(values["train_file"]), Path(values["model"]), tmp_path)
    run = carry_out(grpo.main, asked | values | {"per_device_train_batch_size": 8}, tmp_path)
    assert "toy6: " in capsys.readouterr().err
    assert [entry["id"] for entry in rejected(run)] == ["toy6"]


def test_dpo_names_it_too(values: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def said(role: str, text: str) -> list[dict[str, str]]:
        return [{"role": role, "content": text}]

    pairs = [
        {
            "id": f"toy{number}",
            "prompt": said("user", "Which?"),
            "chosen": said("assistant", "joy"),
            "rejected": said("assistant", "no idea"),
            "images": [f"{number}.png"],
        }
        for number in range(12)
    ]
    (tmp_path / "pairs.jsonl").write_text("".join(json.dumps(pair) + "\n" for pair in pairs))
    cut(tmp_path / "6.png")
    run = carry_out(dpo.main, values | {"train_file": str(tmp_path / "pairs.jsonl")}, tmp_path)
    assert "toy6: " in capsys.readouterr().err
    assert [entry["id"] for entry in rejected(run)] == ["toy6"]


@pytest.mark.parametrize("workers", [0, 1])
def test_a_picture_that_is_gone_midway_ends_the_run_with_one_line(
    workers: int, values: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fit = sft.fit

    def losing(*arguments: Any) -> None:
        (tmp_path / "6.png").unlink()
        fit(*arguments)

    monkeypatch.setattr(sft, "fit", losing)
    changes = {"max_steps": 12, "dataloader_num_workers": workers}
    line = r"run: after step \d+: sample 'toy6': .*6\.png: no such file; check the path, or the folder .*start$"
    with pytest.raises(TrainingError, match=line) as raised:
        carry_out(sft.main, values | changes, tmp_path)
    assert "\n" not in str(raised.value)
    told = manifest(tmp_path / "run")
    assert (told["status"], told["reason"]) == ("failed", str(raised.value))


def test_the_end_of_a_file_is_looked_for_where_its_format_has_one(tmp_path: Path) -> None:
    for name in ("a.png", "a.jpg", "a.bmp"):
        path = tmp_path / name
        Image.effect_noise((64, 64), 80).convert("RGB").save(path)
        path.write_bytes(path.read_bytes() + b"some writers leave a note")
        check_picture(path)
    for name in ("a.png", "a.jpg"):
        cut(tmp_path / name)
        with pytest.raises(SourceError, match="damaged"):
            check_picture(tmp_path / name)
