"""Pictures with one label each: RAF-DB, AffectNet, FER2013, FERPlus, ExpW, SFEW, folders."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from layouts_on_disk import Run, media_exist, picture, pictures, pixel_row, text
from PIL import Image

from data_engine.layouts.fer import FERPLUS_COLUMNS, majority, shares
from emollm.cli import main
from emollm.labels import LABEL_SETS
from emollm.records import Face


def rafdb(root: Path) -> Path:
    """Three rows; one picture is missing, one number is none of the set."""
    lists = [f"train_0000{number}.jpg {number}" for number in range(1, 8)]
    text(root / "basic/EmoLabel/list_patition_label.txt", *lists, "test_0001.jpg 4", "test_0002.jpg 0")
    for number in range(1, 7):
        picture(root / f"basic/Image/aligned/train_0000{number}_aligned.jpg")
    pictures(root / "basic/Image/aligned", "test_0001_aligned.jpg", "test_0002_aligned.jpg")
    picture(root / "basic/Image/original/test_0001.jpg")
    points = ["1.0\t2.0"] * 5
    text(root / "basic/Annotation/manual/test_0001_manu_attri.txt", *points, "1", "2", "4")
    return root


def test_rafdb_labels_follow_the_order_of_its_readme(tmp_path: Path) -> None:
    run = Run(rafdb(tmp_path / "RAF-DB"))
    assert run.told == [
        ("train_00001", "train", "surprise", "train_00001_aligned.jpg"),
        ("train_00002", "train", "fear", "train_00002_aligned.jpg"),
        ("train_00003", "train", "disgust", "train_00003_aligned.jpg"),
        ("train_00004", "train", "happiness", "train_00004_aligned.jpg"),
        ("train_00005", "train", "sadness", "train_00005_aligned.jpg"),
        ("train_00006", "train", "anger", "train_00006_aligned.jpg"),
        ("test_0001", "test", "happiness", "test_0001_aligned.jpg"),
    ]
    assert run.reasons == {"train_00007": "missing_media", "test_0002": "unknown_label"}
    assert run.code == 1
    assert media_exist(run, tmp_path / "RAF-DB")


def test_rafdb_tells_groups_licence_and_where_a_label_is_from(tmp_path: Path) -> None:
    sample = Run(rafdb(tmp_path / "RAF-DB")).by_id["test_0001"]
    assert (sample.label_set, sample.groups) == ("rafdb7", {"gender": "female", "race": "Asian", "age": "70+"})
    told = (sample.provenance or {})["import"]
    assert (told["layout"], told["file"], told["line"], told["word"]) == (
        "rafdb",
        "basic/EmoLabel/list_patition_label.txt",
        8,
        "4",
    )
    assert "non-commercial" in told["licence"]


def test_whole_takes_the_original_pictures(tmp_path: Path) -> None:
    run = Run(rafdb(tmp_path / "RAF-DB"), "--whole")
    assert run.told[-1] == ("test_0001", "test", "happiness", "test_0001.jpg")


def test_the_compound_partition_is_told_by_its_numbers(tmp_path: Path) -> None:
    root = tmp_path / "compound"
    lines = [f"train_000{number:02d}.jpg {number}" for number in range(1, 12)]
    text(root / "EmoLabel/list_patition_label.txt", *lines)
    pictures(root / "Image/aligned", *(f"train_000{number:02d}_aligned.jpg" for number in range(1, 12)))
    run = Run(root)
    assert [sample.label for sample in run.samples][::5] == [
        "happily surprised",
        "sadly disgusted",
        "disgustedly surprised",
    ]
    assert run.samples[0].label_set == "rafdb_compound11"


def test_a_slip_in_one_row_does_not_make_the_basic_partition_another(tmp_path: Path) -> None:
    root = rafdb(tmp_path / "RAF-DB")
    (path,) = root.rglob("list_patition_label.txt")
    text(path, *path.read_text("utf-8").splitlines(), "train_09999.jpg 8")
    picture(path.parents[1] / "Image/aligned/train_09999_aligned.jpg")
    for options in ((), ("--layout", "rafdb", "--overwrite")):
        run = Run(root, *options)
        assert {sample.label_set for sample in run.samples} == {"rafdb7"}
        assert (run.reasons["train_09999"], run.code) == ("unknown_label", 1)


def test_both_partitions_under_one_root_need_a_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = rafdb(tmp_path / "RAF-DB")
    text(root / "compound/EmoLabel/list_patition_label.txt", "train_00001.jpg 11")
    picture(root / "compound/Image/aligned/train_00001_aligned.jpg")
    assert main(["import", str(root), "-o", str(tmp_path / "samples.jsonl")]) == 1
    assert "more than one data set: rafdb (" in capsys.readouterr().err
    run = Run(root, "--layout", "rafdb_compound")
    assert run.told == [("train_00001", "train", "disgustedly surprised", "train_00001_aligned.jpg")]


def test_kaggle_folders_of_numbers_are_those_of_their_data_set(tmp_path: Path) -> None:
    for number in range(1, 8):
        picture(tmp_path / f"raf/DATASET/train/{number}/train_0000{number}_aligned.jpg")
    for number in range(8):
        picture(tmp_path / f"affect/val/{number}/image{number}.jpg")
    raf = Run(tmp_path / "raf", output=tmp_path / "raf.jsonl")
    assert [sample.label for sample in raf.samples][::3] == ["surprise", "happiness", "neutral"]
    affect = Run(tmp_path / "affect", "--layout", "affectnet", output=tmp_path / "affect.jsonl")
    assert [sample.label for sample in affect.samples][::7] == ["neutral", "contempt"]
    assert affect.samples[0].split == "val"


HEADER = "subDirectory_filePath,face_x,face_y,face_width,face_height,facial_landmarks,expression,valence,arousal"


def affectnet(root: Path) -> Path:
    points = "1.5;2.5;3.5;4.5"
    lists = root / "Manually_Annotated_file_lists"
    rows = [
        f"1/a.jpg,1,1,5,6,{points},6,-0.5,0.7",
        f"1/b.jpg,100,100,50,60,{points},7,-0.6,0.1",
        f"1/c.jpg,1,1,5,6,{points},9,-2,-2",
        f"1/d.jpg,1,1,5,6,{points},11,-2,-2",
    ]
    text(lists / "training.csv", HEADER, *rows)
    text(lists / "validation.csv", HEADER, f"2/e.jpg,0,0,8,8,{points},0,0.0,0.0")
    pictures(
        root / "Manually_Annotated/Manually_Annotated_Images", "1/a.jpg", "1/b.jpg", "1/c.jpg", "1/d.jpg", "2/e.jpg"
    )
    return root


def test_affectnet_lists_give_labels_boxes_valence_and_arousal(tmp_path: Path) -> None:
    run = Run(affectnet(tmp_path / "AffectNet"))
    first, second, third = run.samples
    assert (first.label, first.valence, first.arousal, first.split) == ("anger", -0.5, 0.7, "train")
    assert first.faces == [Face(box=(1.0, 1.0, 5.0, 6.0))]
    assert (third.id, third.label, third.split) == ("2/e.jpg", "neutral", "val")
    assert run.reasons == {"1/c.jpg": "no_expression", "1/d.jpg": "unknown_label"}
    # The box of b lies outside of its picture, which is another copy than the one that was annotated.
    assert second.faces is None
    assert run.manifest["counts"]["boxes outside of their picture left out"] == 1


def test_affectnet7_keeps_contempt_aside(tmp_path: Path) -> None:
    run = Run(affectnet(tmp_path / "AffectNet"), "--label-set", "affectnet7")
    assert {sample.label_set for sample in run.samples} == {"affectnet7"}
    assert run.reasons["1/b.jpg"] == "not_in_label_set"


def test_affectnet_of_arrays_is_read_without_pickles(tmp_path: Path) -> None:
    folder = tmp_path / "AffectNet/val_set"
    (folder / "annotations").mkdir(parents=True)
    for number, value in ((0, np.array("3")), (1, np.array(5)), (2, np.array([{"a": 1}], dtype=object))):
        picture(folder / f"images/{number}.jpg")
        np.save(folder / f"annotations/{number}_exp.npy", value)
    np.save(folder / "annotations/0_val.npy", np.array("0.25"))
    run = Run(tmp_path / "AffectNet")
    assert run.told == [("val/0", "val", "surprise", "0.jpg"), ("val/1", "val", "disgust", "1.jpg")]
    assert (run.samples[0].valence, run.samples[1].valence) == (0.25, None)
    assert run.reasons == {"val/2": "unreadable_row"}


def fer_table(path: Path, header: str = "emotion,pixels,Usage") -> Path:
    noise = np.random.default_rng(0).integers(0, 256, (4, 48 * 48)).tolist()
    rows = [
        f"{row},{pixel_row(noise[row])},{usage}" for row, usage in enumerate(("Training", "PublicTest", "PrivateTest"))
    ]
    return text(path, header, *rows, "3,1 2 3,Training")


def test_fer2013_pictures_are_written_byte_for_byte(tmp_path: Path) -> None:
    fer_table(tmp_path / "fer/fer2013.csv")
    run = Run(tmp_path / "fer", "--no-look")
    assert run.told == [
        ("fer0000000", "train", "anger", "fer0000000.png"),
        ("fer0000001", "val", "disgust", "fer0000001.png"),
        ("fer0000002", "test", "fear", "fer0000002.png"),
    ]
    assert run.reasons == {"fer0000003": "unreadable_row"}
    assert media_exist(run, run.path.parent)
    first = run.samples[0].media
    assert first is not None
    expected = np.random.default_rng(0).integers(0, 256, (4, 48 * 48))[0].reshape(48, 48)
    assert (np.asarray(Image.open(run.path.parent / first.path)) == expected).all()


def test_pictures_of_other_splits_are_not_written(tmp_path: Path) -> None:
    fer_table(tmp_path / "fer/fer2013.csv")
    run = Run(tmp_path / "fer", "--split", "test")
    assert [path.name for path in run.path.parent.rglob("*.png")] == ["fer0000002.png"]


def test_fer2013_as_a_file_is_a_root_too(tmp_path: Path) -> None:
    run = Run(fer_table(tmp_path / "fer/icml_face_data.csv", "emotion, pixels, Usage"))
    assert len(run.samples) == 3


def test_fer2013_of_folders_has_two_tests_in_one_folder(tmp_path: Path) -> None:
    root = tmp_path / "fer2013"
    pictures(root, "train/angry/Training_1.jpg", "test/angry/PublicTest_2.jpg", "test/happy/PrivateTest_3.jpg")
    assert [(sample.split, sample.label) for sample in Run(root).samples] == [
        ("val", "anger"),
        ("test", "happiness"),
        ("train", "anger"),
    ]


def test_fer2013_in_folders_of_numbers_is_known_by_the_names_of_its_files(tmp_path: Path) -> None:
    root = tmp_path / "fer"
    pictures(root, *(f"train/{number}/Training_{number}.jpg" for number in range(7)))
    pictures(root, "test/0/PublicTest_8.jpg", "test/3/PrivateTest_9.jpg")
    run = Run(root)
    assert {sample.label_set for sample in run.samples} == {"fer7"}
    assert [(sample.split, sample.label) for sample in run.samples] == [
        ("val", "anger"),
        ("test", "happiness"),
        *(("train", label) for label in LABEL_SETS["fer7"].labels),
    ]


@pytest.mark.parametrize(
    ("numbers", "layouts"),
    [(range(7), ["fer2013", "affectnet"]), (range(8), ["affectnet"]), (range(1, 8), ["rafdb"])],
    ids=["0 to 6", "0 to 7", "1 to 7"],
)
def test_folders_of_numbers_ask_whose_they_are(
    tmp_path: Path, numbers: range, layouts: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    pictures(tmp_path / "mine", *(f"train/{number}/{number}.jpg" for number in numbers))
    assert main(["import", str(tmp_path / "mine"), "-o", str(tmp_path / "samples.jsonl")]) == 1
    [line] = capsys.readouterr().err.splitlines()
    orders = {"fer2013": "0 anger, 1 disgust", "affectnet": "0 neutral, 1 happiness", "rafdb": "1 surprise, 2 fear"}
    assert all((f"{name} ({order}" in line) == (name in layouts) for name, order in orders.items())
    assert "--layout" in line
    assert not (tmp_path / "samples.jsonl").exists()
    for name in layouts:
        run = Run(tmp_path / "mine", "--layout", name, output=tmp_path / f"{name}.jsonl")
        assert run.samples[0].label == orders[name].split(",")[0].split()[1]


def test_folders_that_name_no_emotion_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pictures(tmp_path / "mine", "happy/1.jpg", "sad/2.jpg", "misc/3.jpg", "surprised people/4.jpg")
    assert main(["import", str(tmp_path / "mine"), "-o", str(tmp_path / "samples.jsonl")]) == 1
    [line] = capsys.readouterr().err.splitlines()
    assert "these name no emotion: misc, surprised people; rename them" in line
    assert "--layout folders" in line


@pytest.mark.parametrize(
    ("votes", "label", "reason"),
    [
        ([4, 0, 0, 1, 3, 2, 0, 0, 0, 0], None, "no_majority"),  # 4 of 9 counted
        ([6, 1, 1, 1, 1, 0, 0, 0, 0, 0], "neutral", ""),
        ([0, 5, 5, 0, 0, 0, 0, 0, 0, 0], None, "no_majority"),
        ([1, 1, 1, 1, 1, 1, 1, 1, 1, 1], None, "no_majority"),
        ([0, 0, 0, 0, 0, 0, 0, 8, 2, 0], "contempt", ""),
        ([0, 0, 0, 0, 0, 0, 0, 0, 9, 1], None, "no_majority"),  # unknown
        ([0, 0, 0, 0, 0, 0, 0, 0, 0, 10], None, "not_a_face"),
    ],
    ids=str,
)
def test_the_majority_of_ferplus(votes: list[int], label: str | None, reason: str) -> None:
    assert majority(votes) == (label, reason)


def test_shares_leave_single_votes_and_unknown_out() -> None:
    assert shares([6, 1, 3, 0, 0, 0, 0, 0, 0, 0]) == {"neutral": 0.666667, "surprise": 0.333333}


def test_ferplus_takes_its_pictures_from_fer2013(tmp_path: Path) -> None:
    root = tmp_path / "fer"
    fer_table(root / "fer2013.csv")
    text(
        root / "fer2013new.csv",
        ",".join(["Usage", "Image name", *FERPLUS_COLUMNS]),
        "Training,fer0000000.png,8,0,0,0,2,0,0,0,0,0",
        "PublicTest,fer0000001.png,0,0,0,0,0,0,0,0,0,10",
        "PrivateTest,fer0000002.png,0,9,0,0,0,0,0,0,1,0",
    )
    run = Run(root, "--layout", "ferplus", "--no-look")
    assert run.told == [
        ("fer0000000", "train", "neutral", "fer0000000.png"),
        ("fer0000002", "test", "happiness", "fer0000002.png"),
    ]
    assert run.samples[0].soft == {"neutral": 0.8, "anger": 0.2}
    assert (run.reasons, run.code) == ({"fer0000001": "not_a_face"}, 0)
    other = Run(root, "--layout", "ferplus", "--label-set", "basic7", output=tmp_path / "basic.jsonl")
    assert (other.samples[0].label_set, other.samples[0].soft) == ("basic7", None)


def test_ferplus_finds_the_folders_that_its_own_script_makes(tmp_path: Path) -> None:
    root = tmp_path / "FERPlus"
    text(
        root / "fer2013new.csv",
        ",".join(["Usage", "Image name", *FERPLUS_COLUMNS]),
        "PrivateTest,fer0032220.png,0,0,10,0,0,0,0,0,0,0",
    )
    picture(root / "data/FER2013Test/fer0032220.png")
    assert Run(root).told == [("fer0032220", "test", "surprise", "fer0032220.png")]


def test_expw_gives_every_face_of_a_picture_its_box(tmp_path: Path) -> None:
    root = tmp_path / "ExpW"
    text(
        root / "label/label.lst",
        "angry_1.jpg 0 1 2 7 6 33.5 0",
        "angry_1.jpg 1 0 0 8 8 40.1 6",
        "angry_2.jpg 0 0 0",
    )
    pictures(root / "image/origin", "angry_1.jpg", "angry_2.jpg")
    run = Run(root)
    assert [(sample.id, sample.label) for sample in run.samples] == [
        ("angry_1/0", "anger"),
        ("angry_1/1", "neutral"),
    ]
    assert run.samples[0].faces == [Face(face="0", box=(2.0, 1.0, 5.0, 5.0))]
    assert run.reasons == {"angry_2.jpg": "unreadable_row"}


def test_sfew_knows_films_that_two_splits_share(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = tmp_path / "SFEW"
    for name in (
        "Train_Aligned_Faces/Angry/Airheads_000519240_00000005.png",
        "Train_Aligned_Faces/Sad/Juno_000519240_00000001.png",
        "Val_Aligned_Faces_new/Happy/Airheads_000600000_00000001.png",
        "Val_Aligned_Faces_new/Sad/Juno_000519241_00000001.png",
        "Test_Aligned_Faces/Hangover_000600000_00000001.png",
    ):
        picture(root / name)
    run = Run(root)
    assert [(sample.split, sample.label) for sample in run.samples] == [
        ("test", None),
        ("train", "anger"),
        ("train", "sadness"),
        ("val", "happiness"),
        ("val", "sadness"),
    ]
    assert "recordings: 3, 2 of them in two splits: Airheads (train, val)" in capsys.readouterr().out


def test_sfew_has_aligned_faces_and_whole_frames(tmp_path: Path) -> None:
    for word in ("Angry", "Fear"):
        for folder in ("Train", "Train/Train_Aligned_Faces"):
            picture(tmp_path / f"SFEW/{folder}/{word}/Airheads_000519240_00000005.png")
    faces = [sample.media.path for sample in Run(tmp_path / "SFEW").samples if sample.media]
    assert all("Aligned" in path for path in faces), faces
    assert len(faces) == 2


def test_folders_of_words_take_the_smallest_set_that_has_them(tmp_path: Path) -> None:
    pictures(tmp_path / "photos", "happy/1.jpg", "Sad/2.jpg", "contempt/deep/3.png", "notes/4.jpg")
    run = Run(tmp_path / "photos")
    assert [(sample.id, sample.label, sample.label_set) for sample in run.samples] == [
        ("Sad/2.jpg", "sadness", "basic8"),
        ("contempt/deep/3.png", "contempt", "basic8"),
        ("happy/1.jpg", "happiness", "basic8"),
    ]
    assert run.reasons == {"notes/4.jpg": "unknown_label"}


def test_folders_of_numbers_need_their_label_set(tmp_path: Path) -> None:
    pictures(tmp_path / "mine", "train/0/1.jpg", "train/1/2.jpg", "valid/1/3.jpg")
    run = Run(tmp_path / "mine", "--layout", "folders", "--label-set", "affectnet8")
    assert [(sample.split, sample.label) for sample in run.samples] == [
        ("train", "neutral"),
        ("train", "happiness"),
        ("val", "happiness"),
    ]
