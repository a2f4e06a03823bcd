"""Data sets that come in folds: each sample names the fold that tests it, and scores are means over folds."""

from __future__ import annotations

from pathlib import Path

import pytest
from layouts_on_disk import Run, clip, picture, text

from emollm.cli import main
from emollm.records import Prediction, encode
from eval.results import read_results

TESTED = {1: ("1,1", "2,7"), 2: ("3,1", "4,1", "5,7"), 3: ("6,3",), 4: ("7,4", "8,4"), 5: ("9,2",)}
"""Rows of DFEW's lists by the fold that tests them: 1 happy, 2 sad, 3 neutral, 4 angry, 7 fear."""
RIGHT = {1: 1, 2: 2, 3: 0, 4: 2, 5: 1}
"""Of these, the first ones that the model below answers right."""


@pytest.fixture
def dfew(tmp_path: Path) -> Path:
    root = tmp_path / "DFEW"
    for fold, tested in TESTED.items():
        others = [row for other, rows in TESTED.items() if other != fold for row in rows]
        text(root / f"EmoLabel_DataSplit/train(single-labeled)/set_{fold}.csv", "video_name,label", *others)
        text(root / f"EmoLabel_DataSplit/test(single-labeled)/set_{fold}.csv", "video_name,label", *tested)
    for number in range(1, 10):
        clip(root / f"Clip/original/{number}.mp4")
    return root


def folds(run: Run) -> dict[str, str | None]:
    return {sample.id: (sample.groups or {}).get("fold") for sample in run.samples}


def test_a_sample_names_the_fold_that_tests_it(tmp_path: Path, dfew: Path) -> None:
    expected = {f"0000{row[0]}": str(fold) for fold, rows in TESTED.items() for row in rows}
    one = Run(dfew, "--fold", "2")
    assert folds(one) == {name: "2" if fold == "2" else None for name, fold in expected.items()}  # None: learnt from
    every = Run(dfew, "--fold", "all", output=tmp_path / "all.jsonl")
    assert folds(every) == expected
    assert {sample.split for sample in every.samples} == {"test"}
    parts = [Run(dfew, "--fold", str(fold), "--split", "test", output=tmp_path / f"{fold}.jsonl") for fold in TESTED]
    told = [[(sample.id, sample.label, sample.groups) for sample in run.samples] for run in (every, *parts)]
    assert told[0] == [row for rows in told[1:] for row in rows]


def test_imported_folds_are_scored_as_published(tmp_path: Path, dfew: Path) -> None:
    run = Run(dfew, "--fold", "all")
    left = dict(RIGHT)
    answers = []
    for sample in run.samples:
        fold = int((sample.groups or {})["fold"])
        left[fold] -= 1
        said = sample.label if left[fold] >= 0 else "surprise"
        answers.append(Prediction(id=sample.id, completion=str(said), model="m"))
    predictions = tmp_path / "predictions.jsonl"
    predictions.write_bytes(b"".join(encode(answer) + b"\n" for answer in answers))
    out = tmp_path / "scores"
    assert main(["score", str(predictions), str(run.path), "-o", str(out), "--no-report", "--num-resamples", "20"]) == 0
    results = read_results(out)
    war = [RIGHT[fold] / len(rows) for fold, rows in TESTED.items()]
    assert results.metrics["fold_mean_war"].value == pytest.approx(sum(war) / 5)
    assert results.metrics["accuracy"].value == pytest.approx(6 / 9)  # which is another number
    uar = [1 / 2, (2 / 2 + 0) / 2, 0, 1, 1]
    assert results.metrics["fold_mean_uar"].value == pytest.approx(sum(uar) / 5)
    assert [results.groups["fold"][str(fold)]["accuracy"].value for fold in TESTED] == pytest.approx(war)


def test_a_fault_of_the_lists_is_told_once_for_all_folds(tmp_path: Path, dfew: Path) -> None:
    (dfew / "Clip/original/9.mp4").unlink()
    run = Run(dfew, "--fold", "all")
    assert (run.code, [line["reason"] for line in run.rejected]) == (1, ["missing_media"])
    root = tmp_path / "DISFA"
    for subject in ("SN002", "SN004"):
        text(root / f"ActionUnit_Labels/{subject}/{subject}_au1.txt", "1,2")
        picture(root / f"Images/{subject}/1.jpg")
    coded = Run(root, "--fold", "all", output=tmp_path / "disfa.jsonl")
    assert folds(coded) == {"SN002/00001": "3", "SN004/00001": "1"}
    assert len(coded.rejected) == 2 * 11  # the files of the other action units are missing, which each fold would say


def test_all_folds_of_a_data_set_that_has_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    picture(tmp_path / "photos/happy/1.jpg")
    picture(tmp_path / "photos/sad/2.jpg")
    out = str(tmp_path / "samples.jsonl")
    assert main(["import", str(tmp_path / "photos"), "-o", out, "--fold", "all"]) == 1
    assert "--fold all: " in (told := capsys.readouterr().err)
    assert "has no folds" in told
