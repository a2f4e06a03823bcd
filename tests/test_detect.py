"""`emollm detect`: AU files in, samples out, and what happens to everything that cannot be used."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from data_engine.detect import main
from emollm.errors import ConfigError, EmoLLMError, SourceError
from emollm.records import Sample, read_records

AU_FILES = Path(__file__).parent / "data" / "au"
EXPECTED = json.loads((AU_FILES / "expected.json").read_text("utf-8"))
SHARED = Path(__file__).parents[2] / "shared" / "data" / "au"
on_real_files = pytest.mark.skipif(not SHARED.is_dir(), reason="the real AU files are not here")

HEADER = "frame,timestamp,confidence,success,AU06_r,AU12_r\n"


def table(path: Path, rows: str = "1,0.0,0.98,1,0.5,2.0\n", header: str = HEADER) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(header + rows, "utf-8")
    return path


class Run:
    """One run of the door: its exit code, its samples and what it kept aside."""

    def __init__(self, folder: Path, *arguments: str | Path) -> None:
        self.path = folder / "out" / "samples.jsonl"
        self.code = main([*map(str, arguments), "-o", str(self.path)])

    @property
    def samples(self) -> list[Sample]:
        return list(read_records(self.path, Sample))

    @property
    def ids(self) -> list[str]:
        return [sample.id for sample in self.samples]

    @property
    def rejected(self) -> list[dict[str, Any]]:
        path = self.path.with_name("samples.rejected.jsonl")
        return [json.loads(line) for line in path.read_text("utf-8").splitlines()] if path.exists() else []

    @property
    def manifest(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.path.with_name("samples.manifest.json").read_text("utf-8"))
        return found


def brief(sample: Sample) -> dict[str, Any]:
    """A sample as expected.json tells it: AUs by kind; [value, left, right] where the sides are known."""
    [face] = sample.faces or []
    box = list(face.box) if face.box else None
    told: dict[str, Any] = {"id": sample.id, "label": sample.label, "frame": face.frame, "time_s": face.time_s}
    told |= {"confidence": face.confidence, "box": box}
    told = {key: value for key, value in told.items() if value is not None}
    for name, au in (face.aus or {}).items():
        told.setdefault(au.kind, {})[name] = au.value if au.left is None else [au.value, au.left, au.right]
    return told


def detect_of(sample: Sample) -> dict[str, Any]:
    return (sample.provenance or {})["detect"]


@pytest.mark.parametrize("name", EXPECTED)
def test_every_dialect_gives_the_expected_samples(tmp_path: Path, name: str) -> None:
    run = Run(tmp_path, AU_FILES / name)
    assert [brief(sample) for sample in run.samples] == EXPECTED[name]["samples"]
    assert [[entry["id"], entry["reason"]] for entry in run.rejected] == EXPECTED[name]["rejected"]


def test_a_column_map_reads_any_table(tmp_path: Path) -> None:
    columns = "AU12=smile_score,AU04L=left_brow,AU04R=right_brow,id=picture,kind=probability,scale=0-100"
    run = Run(tmp_path, AU_FILES / "smiles.csv", "--detector", "csv", "--columns", columns)
    assert [brief(sample) for sample in run.samples] == [
        {"id": "anna", "probability": {"AU04": [0.6, 0.1, 0.6], "AU12": 0.875}},
        {"id": "ben", "probability": {"AU04": [0.0, 0.0, 0.0], "AU12": 0.0}},
    ]


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
    ("arguments", "says"),
    [
        (["--label-set", "basic9"], "'basic9' is unknown; did you mean 'basic"),
        (["--label-pattern", "("], "is no regular expression"),
        (["--label-pattern", "(a)"], "has no group named label"),
        (["--labels", "missing.csv"], "missing.csv: cannot be read"),
    ],
)
def test_a_wrong_option_says_what_is_wrong(tmp_path: Path, arguments: list[str], says: str) -> None:
    with pytest.raises(EmoLLMError, match=says.replace("(", r"\(")):
        Run(tmp_path, AU_FILES / "openface2_video.csv", *arguments)


def test_media_are_looked_for_under_their_root(tmp_path: Path) -> None:
    (tmp_path / "data" / "faces").mkdir(parents=True)
    (tmp_path / "data" / "faces" / "smile.jpg").touch()
    run = Run(tmp_path, AU_FILES / "pyfeat_v1.csv", "--media-root", tmp_path / "data")
    assert [sample.media and sample.media.path for sample in run.samples] == ["faces/smile.jpg"] * 2


def test_no_id_and_no_media_path_is_absolute(tmp_path: Path) -> None:
    run = Run(tmp_path, AU_FILES)
    text = run.path.read_text("utf-8")
    assert run.code == 1  # smiles.csv is of no dialect
    assert str(tmp_path) not in text
    assert "/home/" not in text
    assert not [sample_id for sample_id in run.ids if sample_id.startswith("/")]


def test_the_good_files_of_a_folder_are_read_when_one_is_bad(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("a", "b", "sub/c"):
        table(tmp_path / "au" / f"{name}.csv")
    (tmp_path / "au" / "bad.csv").write_bytes(b"\x89PNG\0\0")
    run = Run(tmp_path, tmp_path / "au")
    assert (run.code, run.ids) == (1, ["a", "b", "sub/c"])
    assert [(entry["id"], entry["reason"]) for entry in run.rejected] == [("bad", "unreadable_file")]
    assert "bad.csv: is a binary file" in capsys.readouterr().err


def test_a_single_bad_file_is_an_error_and_leaves_no_output(tmp_path: Path) -> None:
    path = table(tmp_path / "a.csv", "anna,3\n", "name,age\n")
    with pytest.raises(SourceError, match=r"a\.csv: has no AU columns"):
        Run(tmp_path, path)
    assert not (tmp_path / "out").exists()


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


def test_the_same_name_in_two_inputs_is_said_and_kept_aside(tmp_path: Path) -> None:
    run = Run(tmp_path, table(tmp_path / "x" / "1.csv"), table(tmp_path / "y" / "1.csv"))
    assert (run.code, run.ids) == (1, ["1"])
    assert "'1' was read already" in run.rejected[0]["detail"]


def test_a_second_run_writes_nothing_again(tmp_path: Path) -> None:
    first = Run(tmp_path, AU_FILES / "pyfeat_v2.csv").path.read_bytes()
    again = Run(tmp_path, AU_FILES / "pyfeat_v2.csv")
    assert again.path.read_bytes() == first
    assert again.manifest["counts"]["resumed"] == 2


def test_a_limited_run_can_be_gone_on_with(tmp_path: Path) -> None:
    assert Run(tmp_path, AU_FILES / "pyfeat_v2.csv", "--limit", "1").ids == ["001"]
    assert Run(tmp_path, AU_FILES / "pyfeat_v2.csv").ids == ["001", "002"]


def test_a_run_with_other_options_does_not_mix_with_the_first(tmp_path: Path) -> None:
    Run(tmp_path, AU_FILES / "pyfeat_v2.csv")
    with pytest.raises(ConfigError, match="frames 'peak' → 'all'"):
        Run(tmp_path, AU_FILES / "pyfeat_v2.csv", "--frames", "all")


def test_what_openface_and_emollm_leave_in_a_folder_is_not_read(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    table(folder / "a.csv")
    (folder / "a_of_details.txt").write_text("Input:a.mp4\n")
    (folder / "cot.jsonl").write_text('{"id": "a"}\n')
    (folder / "cot.manifest.json").write_text("{}")
    labels = table(folder / "labels.csv", "a,happy\n", "name,label\n")
    assert Run(tmp_path, folder, "--labels", labels).code == 0
    assert Run(tmp_path, folder, "--labels", labels).code == 0


def test_explain_says_why_and_writes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copy(AU_FILES / "libreface.csv", tmp_path)
    table(tmp_path / "other.csv", "anna,3\n", "name,age\n")
    assert main([str(tmp_path), "--explain"]) == 1
    said = capsys.readouterr()
    assert "libreface.csv: libreface: 3 intensity columns such as au_12_intensity" in said.out
    assert "other.csv: has no AU columns" in said.err
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize(
    "arguments",
    [["--detector", "csv"], ["--columns", "kind=intensity"], ["--frames", "some"], ["--min-confidence", "75"]],
)
def test_options_that_do_not_go_together_are_a_usage_error(tmp_path: Path, arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        Run(tmp_path, AU_FILES / "smiles.csv", *arguments)
    assert stop.value.code == 2


@pytest.mark.parametrize("inputs", ["nowhere", "empty"])
def test_an_input_without_files_is_an_error(tmp_path: Path, inputs: str) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(SourceError, match=inputs):
        Run(tmp_path, tmp_path / inputs)


@on_real_files
def test_a_real_openface_file_keeps_its_values(tmp_path: Path) -> None:
    samples = Run(tmp_path, SHARED / "openface1_video_100rows.csv", "--frames", "all").samples
    assert len(samples) == 100
    [face] = samples[0].faces or []
    assert face.frame == 1
    assert face.aus is not None
    assert [face.aus[name].value for name in ("AU01", "AU02", "AU04", "AU05")] == [0.6773, 0.4275, 0.2435, 0.3434]


@on_real_files
def test_a_real_pyfeat_row_is_probabilities(tmp_path: Path) -> None:
    [sample] = Run(tmp_path, SHARED / "pyfeat_v06_single_row.csv").samples
    [face] = sample.faces or []
    assert face.aus is not None
    assert {au.kind for au in face.aus.values()} == {"probability"}
    assert face.aus["AU12"].value == pytest.approx(0.964, abs=5e-4)


@on_real_files
def test_ten_real_clips_in_one_file_stay_apart(tmp_path: Path) -> None:
    samples = Run(tmp_path, SHARED / "pyfeat_v2_news_clips_001-010.csv").samples
    assert [sample.id for sample in samples] == [f"{clip:03d}" for clip in range(1, 11)]
    assert sum(detect_of(sample)["rows"]["usable"] for sample in samples) == 208


@on_real_files
def test_real_files_of_other_vendors_come_in(tmp_path: Path) -> None:
    names = ("affectiva_single.json", "mer_factory_gemini_example.json", "mer_factory_ollama_example.json")
    run = Run(tmp_path, *(SHARED / name for name in names))
    assert (run.code, run.ids) == (0, ["JinHyunCheong", "xxx", "video/xxx"])
