"""The model card on training: what was learnt from, samples or pairs, traced to its sources, and how it went."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("yaml")

from card_house import build_house, make_run, part, row, written
from exporting import export, write_with_media

from emollm.errors import ConfigError
from emollm.records import Media, Sample, encode, read_records
from emollm.train.curves import draw_curves


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with samples, what `generate` wrote of them, a model that learnt from it, and its scores."""
    monkeypatch.chdir(tmp_path)
    build_house(tmp_path)
    return tmp_path


@pytest.mark.usefixtures("house")
def test_what_was_learnt_from_is_counted_and_traced_to_its_sources() -> None:
    text = part(written("runs/sft"), "Training data")
    assert row(text, "Faces of Nobody") == ["Faces of Nobody", "research only", "32"]
    assert row(text, "happiness")[1] == "16"
    assert "32 samples, 8 people." in text
    assert row(text, "`cot.jsonl`")[2] == "generate"
    assert row(text, "`cot.jsonl`")[4] == "no\\_aus 1"
    assert row(text, "`samples.jsonl`")[2:] == ["not known", "", "not known"]
    assert "written by: rules 32" in text


@pytest.mark.usefixtures("house")
def test_the_training_is_told_as_its_manifest_and_log_tell_it() -> None:
    text = part(written("runs/sft"), "Training procedure")
    assert "carried out to its end, 4 steps, mean loss 1.5." in text
    assert row(text, "`learning_rate`")[1] == "0.002"
    assert row(text, "`train_file`")[1] == "data/cot.jsonl"
    assert [row(text, str(step))[1] for step in (1, 2, 4)] == ["4", "2", "1"]
    assert "Samples it left out: no\\_label 1." in text
    assert "`media_root`" not in text


def test_a_file_that_has_changed_is_not_described(house: Path) -> None:
    with (house / "data/cot.jsonl").open("ab") as file:
        file.write(encode(Sample(id="new", split="train")) + b"\n")
    text = written("runs/sft")
    assert "its labels, sources and licences are not known here" in part(text, "Training data")
    assert "Faces of Nobody" not in text
    with pytest.raises(ConfigError, match=r"cot\.jsonl: is not what the training read \(cot\.jsonl\)"):
        written("runs/sft", "--data", "data/cot.jsonl")


def test_a_file_that_was_moved_is_found_where_it_is_named(house: Path) -> None:
    (house / "away").mkdir()
    for name in ("cot.jsonl", "cot.manifest.json", "samples.jsonl"):
        shutil.move(house / "data" / name, house / "away" / name)
    assert "not known here" in part(written("runs/sft"), "Training data")
    assert row(part(written("runs/sft", "--data", "away/cot.jsonl"), "Training data"), "happiness")[1] == "16"


@pytest.mark.usefixtures("house")
def test_people_and_samples_that_were_learnt_from_are_counted(capsys: pytest.CaptureFixture[str]) -> None:
    text = part(written("runs/sft", "--score", "scores"), "Evaluation data")
    assert "Of its samples 0 were learnt from in `cot.jsonl` (train); 0 of its people were learnt from." in text
    manifest = json.loads(Path("runs/sft/manifest.json").read_text())
    manifest["options"]["split"] = None
    Path("runs/sft/manifest.json").write_text(json.dumps(manifest))
    text = part(written("runs/sft", "--score", "scores"), "Evaluation data")
    assert "Of its samples 8 were learnt from in `cot.jsonl`; 2 of its people were learnt from." in text
    assert "warning: scores: 8 of the scored samples were learnt from" in capsys.readouterr().err


def pairs_of(house: Path) -> Path:
    """Export pairs of half the training samples, two of the first, and let a model learn from them by DPO."""
    samples = list(read_records(house / "data/cot.jsonl", Sample))
    for number, one in enumerate(samples):
        worse = ["The brows are lowered.", "The jaw is dropped."][: 2 if number == 0 else int(number < 16)]
        told = dict((one.provenance or {})["generate"])
        attempts = [{"text": text, "problems": ["AU: not there"]} for text in worse]
        one.provenance = {**(one.provenance or {}), "generate": told | {"attempts": attempts}}
        one.media = Media(kind="image", path=f"{one.id}.png")
    write_with_media(house / "refused/cot.jsonl", samples)
    (house / "data/cot.manifest.json").rename(house / "refused/cot.manifest.json")
    assert export(house / "refused/cot.jsonl", house / "refused/pairs", "--format", "preference") == 0
    options: dict[str, Any] = {"model": "runs/sft", "train_file": "refused/pairs/data.jsonl", "split": None}
    make_run(house / "runs/dpo", options, stage="dpo")
    return house / "refused/pairs/data.jsonl"


def test_pairs_are_counted_and_traced_to_the_samples_they_were_made_of(house: Path) -> None:
    pairs_of(house)
    text = part(written("runs/dpo", "--score", "scores"), "Training data")
    told = text.partition("**data.jsonl**")[2].partition("**cot.jsonl**")[0]
    assert "17 pairs of a better and a worse answer about 16 samples, 4 people." in told
    assert row(told, "Faces of Nobody") == ["Faces of Nobody", "research only", "16"]
    assert row(told, "happiness")[1] == "8"
    assert "cannot be read" not in text
    assert row(text, "`data.jsonl`")[2] == "export"
    assert "| generate |" in text


def test_pairs_whose_samples_are_gone_are_counted_by_what_they_say_themselves(house: Path) -> None:
    pairs = pairs_of(house)
    (house / "refused/cot.jsonl").unlink()
    text = part(written("runs/dpo", "--score", "scores"), "Training data")
    assert "17 pairs of a better and a worse answer about 16 samples, people not told apart." in text
    assert "The samples that the pairs were made of are not found" in text
    assert row(text.partition("**cot.jsonl**")[0], "anger")[1] == "8"
    with pairs.open("a") as file:
        file.write("no pair\n")
    assert "has changed: its labels, sources and licences are not known here" in part(
        written("runs/dpo"), "Training data"
    )


def test_scored_samples_among_the_pairs_are_counted(house: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pairs = pairs_of(house)
    lines = [json.loads(line) for line in pairs.read_text().splitlines()]
    pairs.write_text("".join(json.dumps(line | {"id": line["id"].replace("s3", "s33")}) + "\n" for line in lines[:9]))
    make_run(house / "runs/leak", {"model": "m", "train_file": str(pairs), "split": None}, stage="dpo")
    text = part(written("runs/leak", "--score", "scores"), "Evaluation data")
    assert "Of its samples 1 were learnt from in `data.jsonl`" in text
    assert "1 of the scored samples were learnt from" in capsys.readouterr().err


def test_of_the_samples_behind_completions_only_those_with_a_pair_were_learnt_from(house: Path) -> None:
    make_run(house / "runs/dpo", {"model": "m", "train_file": "data/cot.jsonl", "split": None}, stage="dpo")
    chosen = ({"id": f"s{number}", "chosen": "a", "rejected": "b"} for number in (0, 1, 1))
    (house / "runs/dpo/pairs.jsonl").write_text("".join(json.dumps(pair) + "\n" for pair in chosen))
    text = written("runs/dpo", "--score", "scores")
    assert "2 samples, 1 person." in part(text, "Training data")
    assert "Of its samples 0 were learnt from in `cot.jsonl`" in part(text, "Evaluation data")


def links(text: str) -> Iterator[str]:
    return (line.partition("](")[2].rstrip(")") for line in text.splitlines() if line.startswith("![Curves"))


@pytest.mark.usefixtures("house")
def test_the_curves_of_every_training_stand_beside_the_card() -> None:
    make_run(Path("runs/grpo"), {"model": "runs/sft", "train_file": "data/cot.jsonl"}, stage="grpo")
    text = part(written("runs/grpo"), "Training procedure")
    assert list(links(text)) == ["card.1-sft.svg", "card.2-grpo.svg"]
    assert Path("card.1-sft.svg").read_text() == draw_curves(Path("runs/sft/train_log.jsonl"))
    Path("runs/grpo/train_log.jsonl").unlink()
    text = part(written("runs/grpo"), "Training procedure")
    assert list(links(text)) == ["card.1-sft.svg"]
    assert "there is no curve" in text


@pytest.mark.usefixtures("house")
def test_margins_and_pairs_of_dpo_are_told() -> None:
    make_run(Path("runs/dpo"), {"model": "runs/sft", "train_file": "data/cot.jsonl"}, stage="dpo")
    manifest = json.loads(Path("runs/dpo/manifest.json").read_text())
    Path("runs/dpo/manifest.json").write_text(json.dumps(manifest | {"pairs": 8, "refused": {"same_text": 1}}))
    line = {"step": 1, "loss": 0.69, "rewards/margins": 0.25, "rewards/accuracies": 0.75}
    Path("runs/dpo/train_log.jsonl").write_text(json.dumps(line) + "\n")
    text = part(written("runs/dpo"), "Training procedure").partition("### `train dpo`")[2]
    assert "8 pairs of a better and a worse answer." in text
    assert "Samples it left out: same\\_text 1." in text
    assert row(text, "1")[1:4] == ["0.69", "0.25", "0.75"]
