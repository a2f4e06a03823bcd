"""Runs of `emollm detect` over media: who looks at what, workers, going on, and samples measured anew."""

from __future__ import annotations

from pathlib import Path

import pytest
from detecting import (
    SQUARE,
    Run,
    face_of,
    run_media,
    save,
    table,
    use_squares,
    values,
)

from data_engine.detect.door import main
from emollm.errors import ConfigError, SourceError
from emollm.records import AU, Face, Media, Sample, encode


@pytest.fixture(autouse=True)
def _squares(monkeypatch: pytest.MonkeyPatch) -> None:
    use_squares(monkeypatch)


class TestRuns:
    def test_pictures_that_au_files_speak_of_are_not_looked_at(self, tmp_path: Path) -> None:
        table(tmp_path / "data" / "anna.csv")
        for name in ("anna", "ben"):
            save(tmp_path / "data" / f"{name}.png", SQUARE)
        found = run_media(tmp_path, tmp_path / "data")
        assert [
            (sample.id, face_of(sample).detector and face_of(sample).detector.name) for sample in found.samples
        ] == [
            ("anna", "openface"),
            ("ben", "squares"),
        ]
        assert found.manifest["counts"]["media known from AU files"] == 1

    def test_notes_beside_photos_are_said_and_no_failure(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        save(tmp_path / "data" / "anna.png", SQUARE)
        table(tmp_path / "data" / "notes.csv", "anna,3\n", "name,age\n")
        found = run_media(tmp_path, tmp_path / "data")
        assert (found.code, found.ids, found.rejected[0]["reason"]) == (0, ["anna"], "no_au_file")
        assert "warning: " in capsys.readouterr().err

    def test_a_detector_that_cannot_be_loaded_leaves_no_output(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def broken(_: str) -> None:
            raise SourceError("no weights")

        monkeypatch.setattr("data_engine.detect.onlooker.load_detector", broken)
        with pytest.raises(SourceError, match="no weights"):
            run_media(tmp_path, save(tmp_path / "a.png", SQUARE))
        assert not (tmp_path / "out").exists()

    def test_samples_that_know_more_of_the_pictures_are_said(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        save(tmp_path / "faces" / "images" / "a.png", SQUARE)
        save(tmp_path / "faces" / "sheet.png", SQUARE)
        for name in ("samples.jsonl", "samples.manifest.json"):
            (tmp_path / "faces" / name).write_text("{}\n")
        assert run_media(tmp_path, tmp_path / "faces").ids == ["images/a"]
        assert "as INPUT it keeps their labels and truth" in capsys.readouterr().err

    def test_several_workers_write_what_one_writes(self, tmp_path: Path) -> None:
        for number in range(70):
            save(tmp_path / "photos" / f"{number:02d}.png", (40, 60, number * 3, 0))
        (tmp_path / "photos" / "33.png").write_text("broken")
        one = run_media(tmp_path, tmp_path / "photos", "--workers", "1").path.read_bytes()
        two = Run(tmp_path / "2", tmp_path / "photos", "--workers", "2", "--media-root", tmp_path).path.read_bytes()
        assert one == two
        assert one.count(b"\n") == 69

    def test_a_stopped_run_goes_on_without_opening_what_is_done(self, tmp_path: Path) -> None:
        for name in "abc":
            save(tmp_path / "photos" / f"{name}.png", (5, 30, 51, 0), (80, 60, 102, 0))
        arguments = [tmp_path / "photos", "--workers", "1"]
        whole = run_media(tmp_path, *arguments).path.read_bytes()
        found = run_media(tmp_path / "2", *arguments, "--limit", "3")
        first = found.path.read_bytes()
        assert first.count(b"\n") == 3
        (tmp_path / "photos" / "a.png").write_text("not opened again")
        again = run_media(tmp_path / "2", *arguments)
        assert (again.code, again.ids) == (0, ["a/0", "a/1", "b/0", "b/1", "c/0", "c/1"])
        assert len(whole.splitlines()) == 6
        assert run_media(tmp_path / "2", *arguments, "--limit", "3").ids == again.ids

    def test_other_pictures_are_not_mixed_in(self, tmp_path: Path) -> None:
        for folder in ("one", "two"):
            save(tmp_path / folder / "a.png", SQUARE)
        run_media(tmp_path, tmp_path / "one")
        with pytest.raises(ConfigError, match="pictures"):
            run_media(tmp_path, tmp_path / "two")

    def test_a_name_that_is_there_twice_is_said(self, tmp_path: Path) -> None:
        for folder in ("one", "two"):
            save(tmp_path / folder / "a.png", SQUARE)
        found = run_media(tmp_path, tmp_path / "one", tmp_path / "two")
        assert (found.code, found.ids, found.rejected[0]["reason"]) == (1, ["a"], "clip_again")

    def test_explain_says_who_would_look(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        save(tmp_path / "photos" / "a.png", SQUARE)
        table(tmp_path / "photos" / "b.csv")
        assert main([str(tmp_path / "photos"), "--explain"]) == 0
        said = capsys.readouterr().out
        assert "b.csv: openface: " in said
        assert "1 pictures and clips" in said
        assert "rendered faces" in said
        assert main([str(tmp_path / "photos" / "a.png"), "--explain", "--detector", "pyfeat"]) == 0
        assert "pip install py-feat" in capsys.readouterr().out

    @pytest.mark.parametrize(
        "arguments",
        [
            ["--noise", "drop=1"],
            ["--python", "x"],
            ["--set", "a=b"],
            ["--set", "a"],
            ["--fps", "0"],
            ["--stride", "0"],
            ["--fps", "nan"],
            ["--min-face", "nan"],
            ["--min-face", "-1"],
            ["--media-root", "nowhere"],
        ],
    )
    def test_options_that_do_not_go_together_are_a_usage_error(self, tmp_path: Path, arguments: list[str]) -> None:
        with pytest.raises(SystemExit) as stop:
            Run(tmp_path, save(tmp_path / "a.png", SQUARE), *arguments)
        assert stop.value.code == 2

    @pytest.mark.parametrize(
        ("name", "detector", "says"),
        [
            ("a.png", "openface", "reads AU files"),
            ("a.csv", "tiny", "reads pictures"),
            ("a.png", "oracle", "reads samples"),
        ],
    )
    def test_a_file_that_a_detector_does_not_read_is_an_error(
        self, tmp_path: Path, name: str, detector: str, says: str
    ) -> None:
        save(tmp_path / "a.png", SQUARE)
        table(tmp_path / "a.csv")
        with pytest.raises(SourceError, match=says):
            run_media(tmp_path, tmp_path / name, "--detector", detector)


def known(folder: Path, *samples: Sample) -> Path:
    """A samples.jsonl as `emollm faces` writes it."""
    path = folder / "samples.jsonl"
    path.write_bytes(b"".join(encode(sample) + b"\n" for sample in samples))
    return path


def rendered(name: str, media: str) -> Sample:
    return Sample(
        id=name,
        media=Media(kind="image", path=media),
        subject="id0001",
        split="test",
        groups={"age": "60+"},
        text="hello",
        faces=[Face(aus={"AU12": AU(value=3.0, kind="intensity"), "AU04": AU(value=0.0, kind="intensity")})],
        label="happiness",
        label_set="basic7",
        provenance={"faces": {"size": 112}},
    )


class TestSamplesMeasuredAnew:
    def test_all_but_the_faces_is_kept_and_the_truth_remembered(self, tmp_path: Path) -> None:
        save(tmp_path / "images" / "a.png", SQUARE)
        truth = rendered("face-1", "images/a.png")
        found = Run(tmp_path, known(tmp_path, truth), "--detector", "tiny")
        [sample] = found.samples
        assert (found.code, values(sample)) == (0, {"AU04": 1.0, "AU12": 4.0})
        for name in ("id", "subject", "split", "groups", "text", "label", "label_set"):
            assert getattr(sample, name) == getattr(truth, name)
        assert sample.media is not None
        assert (sample.media.path, len(sample.media.sha256 or "")) == ("images/a.png", 64)
        assert sample.provenance is not None
        assert sample.provenance["faces"] == {"size": 112}
        assert sample.provenance["detect"]["truth"]["faces"][0]["aus"]["AU12"] == {"value": 3.0, "kind": "intensity"}

    def test_several_faces_stay_in_one_sample(self, tmp_path: Path) -> None:
        save(tmp_path / "a.png", (5, 30, 51, 0), (80, 60, 102, 0))
        [sample] = Run(tmp_path, known(tmp_path, rendered("x", "a.png"))).samples
        assert [face.face for face in sample.faces or []] == ["0", "1"]

    def test_one_of_several_people_stays_that_one(self, tmp_path: Path) -> None:
        path = save(tmp_path / "two.png", (5, 30, 51, 0), (80, 60, 204, 0))
        before = Run(tmp_path, path, "--media-root", tmp_path)
        assert [values(sample)["AU12"] for sample in before.samples] == [4.0, 1.0]
        for folder in ("again", "and_again"):
            before = Run(tmp_path / folder, before.path, "--media-root", tmp_path)
            assert before.ids == ["two/0", "two/1"]
            assert [values(sample)["AU12"] for sample in before.samples] == [4.0, 1.0]

    def test_what_cannot_be_measured_is_kept_aside_with_the_sample(self, tmp_path: Path) -> None:
        save(tmp_path / "a.png", SQUARE)
        save(tmp_path / "wall.png")
        blind = Sample(id="blind", faces=[])
        samples = [rendered("a", "a.png"), rendered("w", "wall.png"), rendered("gone", "gone.png"), blind]
        found = Run(tmp_path, known(tmp_path, *samples))
        assert (found.code, found.ids) == (1, ["a"])
        told = {entry["id"]: (entry["reason"], (entry["record"] or {}).get("id")) for entry in found.rejected}
        assert told == {
            "w": ("no_face", "w"),
            "gone": ("unreadable_file", "gone"),
            "blind": ("no_media", "blind"),
        }

    def test_the_oracle_needs_no_pictures(self, tmp_path: Path) -> None:
        path = known(tmp_path, rendered("a", "a.png"), rendered("b", "b.png"))
        found = Run(tmp_path, path, "--detector", "oracle", "--noise", "drop=1")
        assert found.code == 0
        assert [values(sample)["AU12"] for sample in found.samples] == [0.0, 0.0]
        assert [face_of(sample).detector and face_of(sample).detector.name for sample in found.samples] == [
            "oracle"
        ] * 2

    def test_a_second_run_writes_nothing_again(self, tmp_path: Path) -> None:
        save(tmp_path / "a.png", SQUARE)
        path = known(tmp_path, rendered("a", "a.png"))
        first = Run(tmp_path, path).path.read_bytes()
        assert Run(tmp_path, path).path.read_bytes() == first

    def test_one_sample_a_frame_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigError, match="--frames all"):
            Run(tmp_path, known(tmp_path, rendered("a", "a.png")), "--frames", "all")
