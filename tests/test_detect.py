"""`emollm detect`: AU files in, samples out, and what happens to everything that cannot be used."""

from __future__ import annotations

import gzip
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from detecting import AU_FILES, Run, table

from data_engine.detect.door import main
from emollm.errors import ConfigError, EmoLLMError, SourceError
from emollm.records import Sample

EXPECTED = json.loads((AU_FILES / "expected.json").read_text("utf-8"))
SHARED = Path(__file__).parents[2] / "shared" / "data" / "au"
on_real_files = pytest.mark.skipif(not SHARED.is_dir(), reason="the real AU files are not here")


def brief(sample: Sample) -> dict[str, Any]:
    """A sample as expected.json tells it: AUs by kind; [value, left, right] where the sides are known."""
    [face] = sample.faces or []
    box = list(face.box) if face.box else None
    told: dict[str, Any] = {"id": sample.id, "label": sample.label, "frame": face.frame, "time_s": face.time_s}
    told |= {"confidence": face.confidence, "box": box}
    told |= {"soft": sample.soft, "valence": sample.valence, "arousal": sample.arousal}
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


@pytest.mark.parametrize("output", ["au/a.csv", "labels.csv", "map.json"])
@pytest.mark.parametrize("given", ["au", "au/a.csv"], ids=["a folder", "a file"])
def test_an_output_in_the_place_of_an_input_is_refused(tmp_path: Path, output: str, given: str) -> None:
    table(tmp_path / "au" / "a.csv")
    table(tmp_path / "labels.csv", "a,happy\n", "name,label\n")
    table(tmp_path / "map.json", '{"AU12": "AU12_r", "kind": "intensity"}', "")
    before = (tmp_path / output).read_bytes()
    options = ["--labels", tmp_path / "labels.csv", "--detector", "csv", "--columns", tmp_path / "map.json"]
    with pytest.raises(EmoLLMError, match="is an input of this run"):
        main([*map(str, [tmp_path / given, *options]), "-o", str(tmp_path / output)])
    assert (tmp_path / output).read_bytes() == before


def test_the_files_of_labels_and_columns_are_in_the_manifest(tmp_path: Path) -> None:
    path = table(tmp_path / "a.csv")
    labels = table(tmp_path / "labels.csv", "a,happy\n", "name,label\n")
    columns = table(tmp_path / "map.json", '{"AU12": "AU12_r", "kind": "intensity"}', "")
    run = Run(tmp_path, path, "--labels", labels, "--detector", "csv", "--columns", columns)
    assert set(run.manifest["inputs"]) == {"a.csv", "labels.csv", "map.json"}


def test_a_packed_table_in_a_folder_is_said_unless_it_is_there_unpacked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table(tmp_path / "au" / "a.csv")
    for name in ("a", "b"):
        (tmp_path / "au" / f"{name}.csv.gz").write_bytes(gzip.compress(b"AU12_r\n1\n"))
    run = Run(tmp_path, tmp_path / "au")
    assert (run.code, run.ids, [entry["id"] for entry in run.rejected]) == (1, ["a"], ["b.csv"])
    assert "b.csv.gz: is packed; unpack it first (gunzip b.csv.gz)" in capsys.readouterr().err


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
