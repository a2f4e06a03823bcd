"""Other people's detectors through `emollm detect`: the workers run against stand-ins of the tools."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest
from detecting import Run
from PIL import Image

from emollm.errors import ConfigError, SourceError
from emollm.records import Media, Sample, encode

TOOLS = Path(__file__).parent / "fake_tools"


@pytest.fixture(autouse=True)
def _tools(monkeypatch: pytest.MonkeyPatch) -> None:
    """This environment has every tool."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(TOOLS)]))


def photo(path: Path, red: int = 204) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (64, 48), (red, 102, 51)).save(path)
    return path


def clip(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"frames": 4, "fps": 2.0}))
    return path


def run(folder: Path, *arguments: str | Path, detector: str = "pyfeat") -> Run:
    folder.mkdir(exist_ok=True)
    return Run(folder, *arguments, "--detector", detector, "--media-root", folder)


def runs_of(found: Run) -> list[str]:
    return sorted(path.name for path in (found.path.parent / "samples.pyfeat").iterdir())


def test_pictures_and_clips_are_named_as_our_own_detector_names_them(tmp_path: Path) -> None:
    photo(tmp_path / "photos" / "happy" / "anna.png")
    clip(tmp_path / "photos" / "ben.mp4")
    found = run(tmp_path, tmp_path / "photos", "--label-pattern", "^(?P<label>[^/]+)/", "--label-set", "basic7")
    told = {sample.id: sample for sample in found.samples}
    assert (found.code, sorted(told)) == (0, ["ben", "happy/anna"])
    anna, ben = told["happy/anna"], told["ben"]
    assert anna.media is not None
    assert (anna.media.kind, anna.media.path, anna.label) == ("image", "photos/happy/anna.png", "happiness")
    assert len(anna.media.sha256 or "") == 64
    assert ben.media is not None
    assert (ben.media.kind, ben.media.path) == ("video", "photos/ben.mp4")
    [face] = anna.faces or []
    assert face.detector is not None
    assert face.detector.name.startswith("py-feat")
    assert face.aus is not None
    assert face.aus["AU12"].kind == "probability"
    assert (anna.provenance or {})["detect"]["file"] == "happy/anna.png"


def test_a_second_run_measures_only_what_is_new(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    photo(tmp_path / "photos" / "a.png")
    first = run(tmp_path, tmp_path / "photos")
    assert (first.ids, runs_of(first)) == (["a"], ["run1"])
    monkeypatch.setenv("FAKE_FEAT_BREAKS", "must not run again")
    assert run(tmp_path, tmp_path / "photos").ids == ["a"]
    monkeypatch.delenv("FAKE_FEAT_BREAKS")
    photo(tmp_path / "photos" / "b.png")
    again = run(tmp_path, tmp_path / "photos")
    assert (again.ids, runs_of(again)) == (["a", "b"], ["run1", "run2"])
    assert run(tmp_path, tmp_path / "photos", "--overwrite").ids == ["a", "b"]
    assert runs_of(again) == ["run1", "run2", "run3"]


def test_a_run_that_was_cut_off_is_made_again(tmp_path: Path) -> None:
    photo(tmp_path / "photos" / "a.png")
    found = run(tmp_path, tmp_path / "photos")
    found.path.write_bytes(b"")
    (found.path.parent / "samples.pyfeat" / "run1" / "run.json").unlink()
    assert run(tmp_path, tmp_path / "photos").ids == ["a"]
    assert runs_of(found) == ["run1", "run2"]


def test_what_was_not_measured_is_kept_aside(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("a", "nobody"):
        photo(tmp_path / "photos" / f"{name}.png")
    (tmp_path / "photos" / "bad.png").write_text("hello")
    found = run(tmp_path, tmp_path / "photos")
    assert (found.code, found.ids) == (1, ["a"])
    assert {entry["id"]: entry["reason"] for entry in found.rejected} == {
        "bad": "unreadable_media",
        "nobody": "no_face",
    }
    said = capsys.readouterr().err
    assert "error: bad: " in said
    assert "non-commercial research" in said


def test_a_tool_that_is_not_there_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(SourceError, match="pip install py-feat"):
        run(tmp_path, photo(tmp_path / "a.png"))


def test_a_file_of_the_tool_is_read_as_it_was(tmp_path: Path) -> None:
    table = tmp_path / "fex.csv"
    table.write_text("FaceRectX,FaceScore,AU12,input,frame\n1,0.99,0.5,/x/a.png,0\n")
    photo(tmp_path / "a.png")
    found = run(tmp_path, table, tmp_path / "a.png")
    assert (found.ids, found.manifest["counts"]["media known from AU files"]) == (["a"], 1)
    assert not (found.path.parent / "samples.pyfeat").exists()


def test_options_of_the_tool_are_passed_on_and_checked(tmp_path: Path) -> None:
    path = photo(tmp_path / "a.png")
    assert run(tmp_path, path, "--set", "model=v1").code == 0
    with pytest.raises(ConfigError, match="has no option 'modle'; did you mean 'model'"):
        run(tmp_path / "b", path, "--set", "modle=v1")


def test_a_table_that_cannot_be_read_is_said_and_measured_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = photo(tmp_path / "a.png")
    junk = tmp_path / "junk" / "feat.py"
    junk.parent.mkdir()
    junk.write_text(
        "class Detectorv2:\n    def __init__(self, **_): pass\n    def detect(self, *_, **__): return self\n"
        "    def to_dict(self, _): return [{'foo': 1, 'bar': 2}]\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(junk.parent))
    with pytest.raises(SourceError, match="wrote no table that can be read"):
        run(tmp_path, path)
    monkeypatch.setenv("PYTHONPATH", str(TOOLS))
    assert run(tmp_path, path).ids == ["a"]


def test_a_file_that_no_table_tells_of_is_kept_aside(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("a", "com,ma", 'quo"te', "new\nline"):
        photo(tmp_path / "photos" / f"{name}.png")
    found = run(tmp_path, tmp_path / "photos")
    assert (found.code, found.ids) == (1, ["a", "com,ma", 'quo"te'])
    assert {"id": "new\nline", "reason": "not_in_table"}.items() <= found.rejected[-1].items()
    assert "error: new\\nline: the detector said nothing of it" in capsys.readouterr().err


def test_a_limit_limits_what_the_tool_is_given(tmp_path: Path) -> None:
    for name in "abcd":
        photo(tmp_path / "photos" / f"{name}.png")
    found = run(tmp_path, tmp_path / "photos", "--limit", "1")
    assert (found.ids, runs_of(found)) == (["a"], ["run1"])
    listed = found.path.parent / "samples.pyfeat" / "run1" / "pyfeat.image.list.txt"
    assert len(listed.read_text().splitlines()) == 1
    assert run(tmp_path, tmp_path / "photos").ids == list("abcd")
    assert run(tmp_path, tmp_path / "photos", "--overwrite").ids == list("abcd")
    again = run(tmp_path, tmp_path / "photos")
    assert (again.code, again.ids, again.manifest["detector"]["name"]) == (0, list("abcd"), "pyfeat")


def test_a_python_may_be_a_word(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    python = Path(sys.executable)
    monkeypatch.setenv("PATH", str(python.parent))
    assert run(tmp_path, photo(tmp_path / "a.png"), "--python", python.name).code == 0


def test_a_clip_that_begins_without_faces_is_read(tmp_path: Path) -> None:
    columns = ("Anger", "Disgust", "Fear", "Happiness", "Neutral", "Sadness", "Surprise")
    empty = "".join(f"/x/a.mp4,{frame},{frame / 10}," + "," * 10 + "\n" for frame in range(80))
    rows = "".join(f"/x/a.mp4,{frame},{frame / 10},1,2,30,30,0,0,0,1,0,0,0\n" for frame in range(80, 90))
    table = tmp_path / "emotions.csv"
    table.write_text(f"input,frame,time_s,x,y,width,height,{','.join(columns)}\n{empty}{rows}")
    [sample] = Run(tmp_path, table).samples
    assert (sample.soft or {})["happiness"] == 1.0


@pytest.mark.parametrize("detector", ["pyfeat", "emotieff"])
def test_samples_are_measured_anew(tmp_path: Path, detector: str) -> None:
    photo(tmp_path / "images" / "x.png")
    truth = Sample(id="face-1", media=Media(kind="image", path="images/x.png"), split="test", label="joy", faces=[])
    (tmp_path / "samples.jsonl").write_bytes(encode(truth) + b"\n")
    [sample] = run(tmp_path, tmp_path / "samples.jsonl", detector=detector).samples
    assert (sample.id, sample.split, sample.label, len(sample.faces or [])) == ("face-1", "test", "joy", 1)
    assert (sample.provenance or {})["detect"]["truth"] == {"faces": []}
