"""Clips with one label each: DFEW, MAFW, FERV39k, C-EXPR-DB, BAH, the MER challenges, MERR."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from layouts_on_disk import Run, clip, pictures, text

from emollm.cli import main


def dfew(root: Path) -> Path:
    for fold in (1, 2):
        text(root / f"EmoLabel_DataSplit/train(single-labeled)/set_{fold}.csv", "video_name,label", f"{fold},1", "30,7")
        text(root / f"EmoLabel_DataSplit/test(single-labeled)/set_{fold}.csv", "video_name,label", f"{3 - fold},3")
    return root


def test_dfew_numbers_are_its_own_and_videos_are_found_by_theirs(tmp_path: Path) -> None:
    root = dfew(tmp_path / "DFEW")
    for name in ("part_1/1.mp4", "part_1/00002.mp4", "part_2/30.mp4"):
        clip(root / "Clip/original" / name)
    assert Run(root).told == [
        ("00001", "train", "happiness", "1.mp4"),
        ("00030", "train", "fear", "30.mp4"),
        ("00002", "test", "neutral", "00002.mp4"),
    ]
    second = Run(root, "--fold", "2", output=tmp_path / "second.jsonl")
    assert [(sample.id, sample.split) for sample in second.samples][::2] == [("00002", "train"), ("00001", "test")]


def test_a_fold_that_is_not_there_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = dfew(tmp_path / "DFEW")
    assert main(["import", str(root), "-o", str(tmp_path / "samples.jsonl"), "--fold", "6"]) == 1
    assert "--fold 6: DFEW, single labels has 5 folds" in capsys.readouterr().err
    assert main(["import", str(root), "-o", str(tmp_path / "samples.jsonl"), "--fold", "5"]) == 1
    assert "set_5.csv: cannot be read: No such file" in capsys.readouterr().err


def test_clips_of_pictures_are_shown_by_the_middle_one(tmp_path: Path) -> None:
    root = dfew(tmp_path / "DFEW")
    for number in (1, 2):
        pictures(root / f"Clip/clip_224x224_16f/0000{number}", *(f"{frame}.jpg" for frame in range(1, 17)))
    run = Run(root)
    assert [name for *_, name in run.told] == ["9.jpg", "9.jpg"]
    told = (run.samples[0].provenance or {})["import"]
    assert (told["pictures"], "middle" in told["stands_for"]) == (16, True)
    assert run.manifest["counts"]["clips shown by their middle picture"] == 2
    assert run.reasons == {"00030": "missing_media"}


def test_mafw_words_are_labels(tmp_path: Path) -> None:
    root = tmp_path / "MAFW"
    for split, line in (("train", "00001.mp4 helplessness"), ("test", "00002.mp4 contempt")):
        text(root / f"Train & Test Set/single/no_caption/set_1/{split}.txt", line)
    clip(root / "data/clips/00001.mp4")
    clip(root / "data/clips/00002.mp4")
    assert Run(root).told == [
        ("00001", "train", "helplessness", "00001.mp4"),
        ("00002", "test", "contempt", "00002.mp4"),
    ]


@pytest.mark.parametrize("is_video", [True, False], ids=["0_7_LabelClips", "2_ClipsforFaceCrop"])
def test_ferv39k_comes_as_videos_or_as_folders_of_faces(tmp_path: Path, is_video: bool) -> None:
    root = tmp_path / "FERV39k"
    text(root / "4_setups/All_scenes/train_All.csv", "Action/Happy/0267 Happy")
    text(root / "4_setups/All_scenes/test_All.csv", "Crime/Disgust/0001 Disgust")
    for name in ("Action/Happy/0267", "Crime/Disgust/0001"):
        if is_video:
            clip(root / f"0_7_LabelClips/{name}.mp4")
        else:
            pictures(root / f"2_ClipsforFaceCrop/{name}", "00.jpg", "01.jpg", "02.jpg")
    run = Run(root)
    assert [(sample.label, sample.split, sample.groups) for sample in run.samples] == [
        ("happiness", "train", {"scene": "Action"}),
        ("disgust", "test", {"scene": "Crime"}),
    ]
    assert {name for *_, name in run.told} == ({"0267.mp4", "0001.mp4"} if is_video else {"01.jpg"})


def test_clip_whose_path_tells_another_label_is_kept_aside(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = tmp_path / "C-EXPR-DB"
    names = ("Sadly-Fearful/24_Sadly-Fearful_0", "Sadly-Angry/25_Sadly-Angry_0", "Other/27_Other_0")
    text(root / "folds/split-0/train.txt", f"{names[0]},5", f"{names[1]},5", f"{names[2]},7")
    for name in names:
        clip(root / f"trimmed/{name}.mp4")
    run = Run(root)
    assert [sample.label for sample in run.samples] == ["sadly fearful", "other"]
    assert (run.reasons, run.code) == ({names[1]: "label_contradicts_path"}, 1)
    assert "its path says 'sadly angry', its label '5' is 'sadly fearful'" in capsys.readouterr().err
    root = tmp_path / "FERV39k"
    text(root / "4_setups/All_scenes/train_All.csv", "Action/Sad/0268 Angry", "Action/Happy/0001 Happy")
    text(root / "4_setups/All_scenes/test_All.csv", "Action/Angry/0002 Angry")
    for name in ("Action/Sad/0268", "Action/Happy/0001", "Action/Angry/0002"):
        clip(root / f"0_7_LabelClips/{name}.mp4")
    run = Run(root, output=tmp_path / "ferv39k.jsonl")
    assert [sample.label for sample in run.samples] == ["happiness", "anger"]
    assert run.reasons == {"Action/Sad/0268": "label_contradicts_path"}


@pytest.mark.parametrize("split", [None, "test", "train"])
def test_clip_in_two_splits_stays_in_the_test_set(tmp_path: Path, split: str | None) -> None:
    root = tmp_path / "FERV39k"
    text(root / "4_setups/All_scenes/train_All.csv", "Action/Happy/0267 Happy", "Action/Sad/0268 Sad")
    text(root / "4_setups/All_scenes/test_All.csv", "Action/Happy/0267 Happy", "Action/Happy/0267 Happy")
    for name in ("Action/Happy/0267", "Action/Sad/0268"):
        clip(root / f"0_7_LabelClips/{name}.mp4")
    run = Run(root, *(("--split", split) if split else ()))
    told = [("Action/Sad/0268", "train"), ("Action/Happy/0267", "test")]
    assert [(sample.id, sample.split) for sample in run.samples] == [one for one in told if split in (None, one[1])]
    again = [line["detail"] for line in run.rejected]
    assert sum("test_All.csv:1, which stays" in detail for detail in again) == (split != "test")
    assert sum("is there twice" in detail for detail in again) == (split != "train")
    assert (set(run.reasons.values()), run.code) == ({"id_again"}, 1)


def test_cexpr_clips_of_one_film_in_two_splits_are_reported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = tmp_path / "C-EXPR-DB"
    lines = {"train": "Sadly-Fearful/24_Sadly-Fearful_0,5", "test": "Fearfully-Surprised/24_Fearfully-Surprised_1,0"}
    for split, line in lines.items():
        text(root / f"folds/split-0/{split}.txt", line)
        clip(root / f"trimmed/{line[:-2]}.mp4")
    assert [(sample.split, sample.label) for sample in Run(root).samples] == [
        ("train", "sadly fearful"),
        ("test", "fearfully surprised"),
    ]
    assert "recordings: 1, 1 of them in two splits: 24 (test, train)" in capsys.readouterr().out


def test_bah_tells_the_participant_and_what_is_said(tmp_path: Path) -> None:
    root = tmp_path / "BAH"
    name = "Videos/82777/Visite_1/82777_Question_2_2024-12-07 19-04-28_Video.mp4"
    text(root / "dataset-splits/video-level/BAH_DB/split-0/train.txt", f"{name},1,A hobby of mine, well, I love it.")
    clip(root / name)
    [sample] = Run(root).samples
    assert (sample.subject, sample.label, sample.split) == ("82777", "ambivalence", "train")
    assert sample.text == "A hobby of mine, well, I love it."


def test_mer_merges_labels_open_labels_and_subtitles(tmp_path: Path) -> None:
    root = tmp_path / "mer2025-dataset"
    text(root / "track1_train_disdim.csv", "name,discrete,valence", "samplenew_1,worried,-1.5", "samplenew_2,happy,2")
    text(root / "track1_test_dis.csv", "name,discrete", "samplenew_9,angry")
    text(root / "track2_train_ovmerd.csv", "name,openset", "samplenew_1,\"['anxious', 'tense']\"", 'x_3,"happy, calm"')
    text(root / "subtitle_chieng.csv", "name,chinese,english", 'samplenew_1,好,"Well, good"', "x_3,好,")
    for name in ("samplenew_1", "samplenew_2", "samplenew_9", "x_3"):
        clip(root / f"video/{name}.mp4")
    run = Run(root)
    first, second, test, only_open = run.samples
    assert (first.label, first.labels, first.text) == ("worry", ["anxious", "tense"], "Well, good")
    assert (second.label, second.labels, second.label_set) == ("happiness", None, "mer6")
    assert (test.split, test.label) == ("test", "anger")
    assert (only_open.label, only_open.labels, only_open.label_set) == (None, ["happy", "calm"], "open")
    assert only_open.text == "好"
    assert (first.valence, (first.provenance or {})["import"]["valence"]) == (None, -1.5)


@pytest.mark.parametrize(
    ("name", "split"),
    [
        ("train-label.csv", "train"),
        ("test3-label.csv", "test"),
        ("label-disdim.csv", "train"),
        ("track1_train.csv", "train"),
    ],
)
def test_each_year_of_mer_has_its_own_lists(tmp_path: Path, name: str, split: str) -> None:
    text(tmp_path / "mer" / name, "name,discrete,valence", "sample_00000047,sad,-1")
    clip(tmp_path / "mer/train/sample_00000047.avi")
    assert Run(tmp_path / "mer").told == [("sample_00000047", split, "sadness", "sample_00000047.avi")]


def test_pickled_labels_are_not_opened(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text(tmp_path / "mer/label-6way.npz", "PK")
    assert main(["import", str(tmp_path / "mer"), "-o", str(tmp_path / "samples.jsonl")]) == 1
    assert "pickled Python objects and is not opened" in capsys.readouterr().err


def test_merr_gives_the_peak_of_a_clip(tmp_path: Path) -> None:
    root = tmp_path / "MERR"
    told = {
        "sample_00000047": {
            "AU_list": ["AU06_r: 0.9", "AU12_r: 2.5"],
            "peak_index": "frame_12",
            "peak_AU_list": ["AU12_r: 2.5", "AU28_c"],
            "pseu_emotion": "worried",
            "smp_reason_caption": "The corners of the mouth …",
        }
    }
    root.mkdir()
    (root / "MERR_fine_grained.json").write_text(json.dumps(told), "utf-8")
    text(root / "transcription_en_all.csv", "name,sentence", "sample_00000047,I am fine")
    clip(root / "video/sample_00000047.mp4")
    [sample] = Run(root).samples
    [face] = sample.faces or []
    assert (sample.label, sample.label_set, sample.text, face.frame) == ("worried", "merr9", "I am fine", 12)
    assert {name: (au.value, au.kind) for name, au in (face.aus or {}).items()} == {
        "AU12": (2.5, "intensity"),
        "AU28": (1.0, "presence"),
    }
    assert (sample.provenance or {})["import"]["caption"].startswith("The corners")


def test_merr_tells_what_of_a_clip_cannot_be_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = {
        "s1": {"pseu_emotion": "happy", "peak_AU_list": {"AU06_r": 9, "AU12_r": 2.5, "AU14_r": "x", "AU99_r": 1}},
        "s2": [],
        "s3": None,
    }
    text(tmp_path / "MERR/MERR_fine_grained.json", json.dumps(told))
    clip(tmp_path / "MERR/video/s1.mp4")
    run = Run(tmp_path / "MERR")
    [sample] = run.samples
    assert [set(face.aus or ()) for face in sample.faces or ()] == [{"AU12"}]
    assert (run.reasons, run.code) == ({"s1": "unreadable_au", "s2": "unreadable_row", "s3": "unreadable_row"}, 1)
    said = capsys.readouterr().err
    assert all(part in said for part in ("AU06 is '9'", "AU14 is 'x'", "'AU99_r' is no action unit", "is [], not"))
