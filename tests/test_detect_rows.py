"""The rows of AU files: which one becomes a sample, whose it is, and what is kept aside with which reason."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from detecting import AU_FILES, Run, table

from emollm.records import Sample


def detect_of(sample: Sample) -> dict[str, Any]:
    return (sample.provenance or {})["detect"]


def test_the_peak_row_and_the_rule_are_remembered(tmp_path: Path) -> None:
    [sample] = Run(tmp_path, AU_FILES / "openface2_video.csv").samples
    told = detect_of(sample)
    assert (told["file"], told["dialect"], told["row"]) == ("openface2_video.csv", "openface", 7)
    assert told["rule"].startswith("largest sum of AU rises over the person's lower quartile")
    assert told["rows"] == {"usable": 10, "no_face": 1, "low_confidence": 1}


def test_all_frames_gives_one_sample_a_usable_row(tmp_path: Path) -> None:
    run = Run(tmp_path, AU_FILES / "openface2_video.csv", "--frames", "all")
    assert run.ids == [f"openface2_video#{frame:06d}" for frame in range(1, 11)]


def test_min_confidence_can_be_lowered(tmp_path: Path) -> None:
    run = Run(tmp_path, AU_FILES / "openface2_video.csv", "--frames", "all", "--min-confidence", "0.3")
    assert "openface2_video#000012" in run.ids


FEX = "frame,FaceRectX,FaceRectY,FaceRectWidth,FaceRectHeight,FaceScore,AU12,input\n"


def test_unnamed_faces_are_told_apart_by_where_they_are(tmp_path: Path) -> None:
    left, right, none = "{},10,10,50,50,0.99,0.1,a.mp4\n", "{},200,10,50,50,0.99,0.9,a.mp4\n", "{},,,,,,,a.mp4\n"
    order = (left, left + right, right + left, right, none, left + right, right + left)
    rows = "".join(faces.replace("{}", str(frame)) for frame, faces in enumerate(order))
    samples = Run(tmp_path, table(tmp_path / "fex.csv", rows, FEX)).samples
    peaks = {sample.id: ((sample.faces or [])[0].aus or {})["AU12"].value for sample in samples}
    assert peaks == {"a/0": 0.1, "a/1": 0.9}
    assert [sum(detect_of(sample)["rows"].values()) for sample in samples] == [6, 5]


def test_one_unnamed_face_a_frame_is_one_person_through_cuts_and_gaps(tmp_path: Path) -> None:
    rows = "0,,,,,,,a.mp4\n1,10,10,50,50,0.99,0.1,a.mp4\n2,,,,,,,a.mp4\n3,900,10,50,50,0.99,0.1,a.mp4\n"
    run = Run(tmp_path, table(tmp_path / "fex.csv", rows, FEX))
    assert run.ids == ["a"]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("2,0.04,0.98,1,0.5,7.5", "out_of_range"),
        ("2,0.04,0.98,1,0.5,-1", "out_of_range"),
        ("2,0.04,0.98,1,0.5,inf", "out_of_range"),
        ("2,0.04,0.98,1,0.5,high", "not_a_number"),
        ("2,0.04,0.98", "malformed"),
    ],
)
def test_a_bad_row_is_kept_aside_with_its_line_and_ends_with_exit_code_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], row: str, reason: str
) -> None:
    path = table(tmp_path / "a.csv", f"1,0.0,0.98,1,0.5,2.0\n{row}")
    run = Run(tmp_path, path)
    assert (run.code, run.ids) == (1, ["a"])
    assert [(entry["id"], entry["reason"]) for entry in run.rejected] == [("a#000001", reason)]
    assert "a.csv:3: " in capsys.readouterr().err


def test_a_quote_that_does_not_end_loses_nothing_before_it(tmp_path: Path) -> None:
    lines = (AU_FILES / "openface3.csv").read_text("utf-8").rstrip().removesuffix('"')
    path = table(tmp_path / "a.csv", lines + "x" * 200_000, "")
    run = Run(tmp_path, path)
    assert (run.code, run.ids) == (1, ["anna"])
    assert "a quoted cell that does not end" in run.rejected[0]["detail"]


@pytest.mark.parametrize("frame", ["nan", "inf", "1e300"])
def test_a_frame_number_that_is_none_is_not_known(tmp_path: Path, frame: str) -> None:
    [sample] = Run(tmp_path, table(tmp_path / "a.csv", f"{frame},0.0,0.98,1,0.5,2.0\n")).samples
    assert (sample.faces or [])[0].frame is None


def test_ids_stay_within_what_a_record_allows(tmp_path: Path) -> None:
    rows = "".join(f"{'v' * 600},{who * 300},1,0.5\n" for who in "ab")
    run = Run(tmp_path, table(tmp_path / "a.csv", rows, "clip,face_id,frame,AU12_r\n"), "--frames", "all")
    assert len(set(run.ids)) == 2


def test_many_bad_rows_are_all_kept_aside_and_only_a_few_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = table(tmp_path / "a.csv", "1,0.0,0.98,1,0.5,2.0\n" + "2,0,1,1,0,9\n" * 50)
    run = Run(tmp_path, path)
    assert len(run.rejected) == 50
    assert "47 more such rows" in capsys.readouterr().err


def test_a_clip_without_a_usable_row_is_kept_aside_with_the_reason(tmp_path: Path) -> None:
    table(tmp_path / "au" / "a.csv")
    table(tmp_path / "au" / "b.csv", "1,0.0,0.2,1,0,0\n2,0.04,0.0,0,0,0\n")
    run = Run(tmp_path, tmp_path / "au")
    [entry] = run.rejected
    assert (entry["id"], entry["reason"]) == ("b", "no_usable_row")
    assert "1 rows low_confidence" in entry["detail"]
    assert "1 rows no_face" in entry["detail"]


def test_clips_of_the_same_name_in_one_file_keep_their_folders(tmp_path: Path) -> None:
    path = table(tmp_path / "a.csv", "/x/happy/1.jpg,1\n/x/sad/1.jpg,2\n", "input,AU12_r\n")
    assert Run(tmp_path, path).ids == ["1", "sad/1"]


def test_rows_of_a_clip_that_do_not_stand_together_are_kept_aside(tmp_path: Path) -> None:
    path = table(tmp_path / "a.csv", "x,1,1\ny,1,1\nx,2,1\n", "clip,frame,AU12_r\n")
    run = Run(tmp_path, path)
    assert (run.code, run.ids) == (1, ["x", "y"])
    assert "rows of 'x' do not stand together; sort the file by clip" in run.rejected[0]["detail"]


def confidences(run: Run) -> list[float | None]:
    return [(sample.faces or [])[0].confidence for sample in run.samples]


@pytest.mark.parametrize("values", ["98,0,60,100", "98.0"])
def test_a_confidence_in_percent_is_read_as_percent(tmp_path: Path, values: str) -> None:
    rows = "".join(f"{row},0.0,{value},1,0.5,2.0\n" for row, value in enumerate(values.split(",")))
    run = Run(tmp_path, table(tmp_path / "a.csv", rows), "--frames", "all")
    assert (run.code, confidences(run)) == (0, [0.98, 1.0] if "," in values else [0.98])
    assert detect_of(run.samples[0])["confidence_top"] == 100.0


@pytest.mark.parametrize(
    ("first", "second"),
    [("0.98", "98"), ("0.98", "inf"), ("0.98", "1.2"), ("1", "98"), ("2.5", "7.1"), ("98", "250")],
    ids=["beside a fraction", "inf", "no percent", "beside a 1", "log odds", "above 100"],
)
def test_a_confidence_above_1_that_may_be_no_percent_is_kept_aside(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], first: str, second: str
) -> None:
    rows = f"1,0.0,{first},1,0.5,2.0\n2,0.04,{second},1,0.5,2.0\n"
    run = Run(tmp_path, table(tmp_path / "a.csv", rows), "--frames", "all")
    assert run.code == 1
    assert ("a#000001", "out_of_range") in [(entry["id"], entry["reason"]) for entry in run.rejected]
    assert f"a.csv:3: confidence is {second}, outside 0 to 1 (confidence)" in capsys.readouterr().err
    assert all(value is None or value <= 1.0 for value in confidences(run))


def test_a_confidence_that_rounding_put_above_1_is_1(tmp_path: Path) -> None:
    run = Run(tmp_path, table(tmp_path / "a.csv", "1,0.0,1.0000001,1,0.5,2.0\n"))
    assert (run.code, confidences(run)) == (0, [1.0])


def test_a_confidence_column_can_be_named_percent(tmp_path: Path) -> None:
    path = table(tmp_path / "a.csv", "1,1,a\n2,98,b\n", "AU12,confidence_percent,who\n")
    columns = "AU12=AU12,confidence=confidence_percent,id=who,kind=intensity"
    run = Run(tmp_path, path, "--detector", "csv", "--columns", columns, "--min-confidence", "0")
    assert confidences(run) == [0.01, 0.98]


def test_the_line_of_a_bad_openface3_row_counts_the_line_breaks_in_quotes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    header, good, bad = "image_path,landmarks,action_units\n", '"[[0,0,0,0,0,1,0,0]]"\n', '"[[0.1]]"\n'
    rows = f'a.jpg,"1\n2\n3",{good}\nb.jpg,"1\n2",{bad}c.jpg,"1",{good}d.jpg,1,{bad}'
    run = Run(tmp_path, table(tmp_path / "x.csv", rows, header))
    said = capsys.readouterr().err
    assert ("x.csv:6: " in said, "x.csv:9: " in said, run.ids) == (True, True, ["a", "c"])
