"""`emollm import`: recognising, keeping aside, splits, and what detect makes of it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from detecting import SQUARE, run_media, save, use_squares
from layouts_on_disk import Run, media_exist, photos, picture, text

from data_engine.layouts import DATA_SETS, Root, Wanted, recognise
from emollm.cli import main
from emollm.labels import LABEL_SETS


def test_an_unknown_root_is_one_line_that_names_what_was_looked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty").mkdir()
    assert main(["import", str(tmp_path / "empty"), "-o", str(tmp_path / "samples.jsonl")]) == 1
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith(f"error: {tmp_path}/empty: holds no data set that is known; looked for rafdb: EmoLabel/")
    assert all(f"{name}: " in line for name in DATA_SETS)
    assert not (tmp_path / "samples.jsonl").exists()


def test_a_named_layout_that_is_not_there_says_what_it_needs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = photos(tmp_path / "photos")
    assert main(["import", str(root), "-o", str(tmp_path / "samples.jsonl"), "--layout", "expw"]) == 1
    assert "is no ExpW, Expression in-the-Wild; looked for label/label.lst" in capsys.readouterr().err
    assert main(["import", str(root), "-o", str(tmp_path / "samples.jsonl"), "--layout", "rafbd"]) == 1
    assert "did you mean 'rafdb'?" in capsys.readouterr().err


def test_explain_says_which_data_set_and_why(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["import", str(photos(tmp_path / "photos")), "--explain"]) == 0
    assert "folders (folders named after labels): 2 folders named after labels (happy, sad)" in capsys.readouterr().out


def test_every_data_set_says_its_licence_its_source_and_its_order() -> None:
    for name, data_set in DATA_SETS.items():
        assert name == data_set.name
        assert data_set.licence, name
        assert data_set.source, name
        assert data_set.label_set is None or data_set.label_set in LABEL_SETS
        for form in data_set.forms:
            assert (form.rows.__doc__ or "").strip(), f"{name}: {form.rows.__name__} says nothing of its label order"


def test_a_root_above_the_data_set_will_do(tmp_path: Path) -> None:
    text(tmp_path / "all/here/ExpW/label/label.lst", "1.jpg 0 0 0 8 8 9.0 3")
    known = recognise(Root(tmp_path / "all"))
    assert (known.data_set.name, known.mark.folder) == ("expw", tmp_path / "all/here/ExpW")
    assert len(list(known.rows(Wanted()))) == 1


def test_picture_paths_start_at_the_output_or_at_the_root(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = photos(tmp_path / "photos")
    inside = Run(root, output=tmp_path / "samples.jsonl")
    assert media_exist(inside, tmp_path)
    assert "picture paths start" not in capsys.readouterr().err
    outside = Run(root, output=tmp_path / "elsewhere" / "samples.jsonl")
    assert media_exist(outside, root)
    assert f"picture paths start at {root}: later stages need --media-root {root}" in capsys.readouterr().err
    below = Run(root, "--media-root", root / "train", output=tmp_path / "train.jsonl")
    assert {line["reason"] for line in below.rejected} == {"leads_out"}
    assert media_exist(below, root / "train")


def test_links_that_lead_out_are_kept_aside(tmp_path: Path) -> None:
    root = photos(tmp_path / "photos")
    (root / "train/sad/out.jpg").symlink_to(picture(tmp_path / "private/9.jpg"))
    (root / "train/sad/in.jpg").symlink_to(root / "train/sad/2.jpg")
    (root / "train/sad/nowhere.jpg").symlink_to(root / "none.jpg")
    run = Run(root)
    assert run.reasons == {"train/sad/out.jpg": "leads_out", "train/sad/nowhere.jpg": "missing_media"}
    assert "train/sad/in.jpg" in run.by_id


def test_a_link_back_to_a_folder_above_adds_nothing(tmp_path: Path) -> None:
    root = photos(tmp_path / "photos")
    (root / "train/happy/loop").symlink_to(root, target_is_directory=True)
    (root / "train/sad/self").symlink_to(".", target_is_directory=True)
    run = Run(root)
    assert len(run.samples) == 5
    assert {sample.label for sample in run.samples if sample.id.startswith("train/happy")} == {"happiness"}


def test_broken_pictures_are_kept_aside_and_the_others_have_a_digest(tmp_path: Path) -> None:
    root = photos(tmp_path / "photos")
    (root / "train/sad/2.jpg").write_bytes((root / "train/sad/3.jpg").read_bytes()[:200])
    (root / "train/sad/3.jpg").write_text("not a picture", "utf-8")
    (root / "test/sad/5.jpg").write_bytes(b"")
    run = Run(root)
    assert set(run.reasons.values()) == {"unreadable_picture"}
    assert len(run.rejected) == 3
    assert run.code == 1
    assert all(sample.media and len(sample.media.sha256 or "") == 64 for sample in run.samples)
    unseen = Run(root, "--no-look", output=tmp_path / "unseen.jsonl")
    assert (len(unseen.samples), unseen.code, unseen.rejected) == (5, 0, [])


def test_names_that_no_record_holds_are_kept_aside(tmp_path: Path) -> None:
    root = photos(tmp_path / "photos")
    name = os.fsencode(root) + b"/train/sad/\xff.jpg"
    try:
        Path(os.fsdecode(name)).write_bytes((root / "train/sad/2.jpg").read_bytes())
    except OSError:
        pytest.skip("this file system refuses such names")
    picture(root / "train/sad/back\\slash.jpg")
    assert Run(root).reasons == {
        "train/sad/\\xff.jpg": "bad_name",
        "train/sad/back\\slash.jpg": "bad_name",
    }


def test_only_one_split(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = photos(tmp_path / "photos")
    assert [sample.id for sample in Run(root, "--split", "test").samples] == ["test/happy/4.jpg", "test/sad/5.jpg"]
    capsys.readouterr()
    assert main(["import", str(root), "-o", str(tmp_path / "dev.jsonl"), "--split", "dev"]) == 1
    assert f"--split: {root} has no sample of 'dev'; there are test 2, train 3" in capsys.readouterr().err
    assert not (tmp_path / "dev.jsonl").exists()


def test_limit_and_another_label_set(tmp_path: Path) -> None:
    run = Run(photos(tmp_path / "photos"), "--limit", "2", "--label-set", "basic7")
    assert len(run.samples) == 2
    assert main(["import", str(tmp_path / "photos"), "-o", str(tmp_path / "x.jsonl"), "--label-set", "basic9"]) == 1


def test_detect_measures_what_was_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of two people in a picture, the one in the data set's box is the sample."""
    use_squares(monkeypatch)
    root = tmp_path / "ExpW"
    save(root / "image/origin/two.png", (10, 40, 51, 0), (90, 50, 255, 0))
    save(root / "image/origin/one.png", SQUARE)
    text(
        root / "label/label.lst",
        "two.png 0 20 10 50 60 9.9 3",
        "two.png 1 20 90 140 70 9.9 4",
        "one.png 0 0 0 9 9 9.9 6",
    )
    run = Run(root, output=root / "samples.jsonl")
    assert [sample.label for sample in run.samples] == ["happiness", "sadness", "neutral"]
    seen = run_media(root, run.path, "--detector", "tiny")
    values = {
        sample.id: [round((face.aus or {})["AU12"].value) for face in sample.faces or ()] for sample in seen.samples
    }
    assert values == {"two/0": [1], "two/1": [5]}
    assert [line["reason"] for line in seen.rejected] == ["person_not_found"]
    assert [(sample.label, sample.label_set) for sample in seen.samples] == [("happiness", "fer7"), ("sadness", "fer7")]
