"""Labels of clips: whose they are, where they are from, and what is said about those that do not fit."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from data_engine.detect.door import main
from emollm.records import Sample, read_records

AU_FILES = Path(__file__).parent / "data" / "au"


def table(path: Path, rows: str = "1,2.0\n", header: str = "frame,AU12_r\n") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(header + rows, "utf-8")
    return path


def run(folder: Path, *arguments: str | Path) -> int:
    return main([*map(str, arguments), "-o", str(folder / "samples.jsonl")])


def samples(folder: Path) -> list[Sample]:
    return list(read_records(folder / "samples.jsonl", Sample))


def told(sample: Sample) -> dict[str, Any]:
    return (sample.provenance or {})["detect"]


def test_the_label_goes_to_the_person_with_the_most_usable_rows(tmp_path: Path) -> None:
    labels = table(tmp_path / "labels.csv", "openface2_multi.mp4,happy\n", "name,label\n")
    run(tmp_path, AU_FILES / "openface2_multi.csv", "--labels", labels, "--label-set", "basic7")
    assert [(sample.label, sample.label_set, told(sample)["person"]) for sample in samples(tmp_path)] == [
        ("happiness", "basic7", "main"),
        (None, None, "other"),
    ]


def test_labels_and_clips_without_each_other_are_counted_and_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table(tmp_path / "au" / "a.csv")
    table(tmp_path / "au" / "b.csv")
    labels = table(tmp_path / "labels.csv", "a,happy\nx,sad\ny,sad\n", "name,label\n")
    run(tmp_path, tmp_path / "au", "--labels", labels)
    manifest = json.loads((tmp_path / "samples.manifest.json").read_text("utf-8"))
    assert manifest["labels_without_clip"] == {"num": 2, "first": ["x", "y"]}
    assert manifest["clips_without_label"] == {"num": 1, "first": ["b"]}
    assert "2 labels found no clip: x, y" in capsys.readouterr().err


def test_an_unknown_label_is_kept_aside_with_a_suggestion(tmp_path: Path) -> None:
    table(tmp_path / "au" / "a.csv")
    table(tmp_path / "au" / "b.csv")
    labels = table(tmp_path / "labels.csv", "a,happines\nb,sad\n", "name,label\n")
    code = run(tmp_path, tmp_path / "au", "--labels", labels, "--label-set", "basic7")
    assert (code, [sample.id for sample in samples(tmp_path)]) == (1, ["b"])
    entry = json.loads((tmp_path / "samples.rejected.jsonl").read_text("utf-8"))
    assert (entry["id"], entry["reason"], entry["record"]["id"]) == ("a", "unknown_label", "a")
    assert "did you mean 'happiness'" in entry["detail"]


def test_the_label_can_be_a_part_of_the_name(tmp_path: Path) -> None:
    table(tmp_path / "au" / "03-01-06-01.csv")
    pattern = r"^\d+-\d+-(?P<label>\d+)-"
    run(tmp_path, tmp_path / "au", "--label-pattern", pattern, "--label-set", "ravdess8")
    [sample] = samples(tmp_path)
    assert (sample.label, told(sample)["label_from"]) == ("fear", "name")


def test_the_label_can_be_a_folder_below_the_input(tmp_path: Path) -> None:
    table(tmp_path / "sad" / "au" / "happy" / "1.csv")
    run(tmp_path, tmp_path / "sad" / "au", "--label-pattern", "(?P<label>happy|sad)")
    [sample] = samples(tmp_path)
    assert (sample.id, sample.label) == ("happy/1", "happiness")


def test_the_file_name_labels_no_clip_that_has_a_name_of_its_own(tmp_path: Path) -> None:
    labels = table(tmp_path / "labels.csv", "all,happy\n", "name,label\n")
    run(tmp_path, table(tmp_path / "all.csv", "x,1,1\ny,1,1\n", "clip,frame,AU12_r\n"), "--labels", labels)
    assert [sample.label for sample in samples(tmp_path)] == [None, None]


def test_an_empty_label_leaves_the_sample_without_a_label(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table(tmp_path / "au" / "a.csv")
    labels = table(tmp_path / "labels.csv", "a,\n", "name,label\n")
    code = run(tmp_path, tmp_path / "au", "--labels", labels, "--label-set", "basic7")
    assert (code, [sample.label for sample in samples(tmp_path)]) == (0, [None])
    assert "1 clips have no label: a" in capsys.readouterr().err


def test_a_pattern_that_finds_nothing_in_its_group_finds_no_label(tmp_path: Path) -> None:
    table(tmp_path / "au" / "a-.csv")
    code = run(tmp_path, tmp_path / "au", "--label-pattern", "a-(?P<label>[a-z]*)", "--label-set", "basic7")
    assert (code, [sample.label for sample in samples(tmp_path)]) == (0, [None])
