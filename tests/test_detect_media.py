"""Pictures through `emollm detect`: what becomes a sample, and what happens to every kind of broken file."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from detecting import (
    SQUARE,
    Run,
    face_of,
    picture,
    run_media,
    save,
    table,
    use_squares,
    values,
)
from PIL import Image

from emollm.records import AU, Detector, Face, Media


@pytest.fixture(autouse=True)
def _squares(monkeypatch: pytest.MonkeyPatch) -> None:
    use_squares(monkeypatch)


class TestStills:
    def test_a_picture_becomes_a_sample(self, tmp_path: Path) -> None:
        path = save(tmp_path / "photos" / "anna.png", SQUARE)
        found = run_media(tmp_path, tmp_path / "photos")
        [sample] = found.samples
        assert (found.code, sample.id) == (0, "anna")
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        assert sample.media == Media(kind="image", path="photos/anna.png", sha256=digest)
        face = face_of(sample)
        assert face == Face(
            box=(40.0, 20.0, 60.0, 60.0),
            confidence=1.0,
            aus={
                "AU04": AU(value=1.0, kind="intensity"),
                "AU12": AU(value=4.0, kind="intensity", left=2.0, right=4.0),
            },
            hidden=[],
            pose=(0.1, 0.0, -0.2),
            landmarks=[(40.5, 20.5)] * 68,
            detector=Detector(name="squares", version="1", weights="none"),
        )
        assert found.manifest["detector"] == {"name": "squares", "version": "1", "weights": "none"}

    def test_several_people_are_a_sample_each_the_largest_first(self, tmp_path: Path) -> None:
        save(tmp_path / "two.png", (5, 30, 51, 0), (80, 60, 102, 0))
        samples = run_media(tmp_path, tmp_path / "two.png").samples
        assert [(sample.id, values(sample)["AU12"]) for sample in samples] == [("two/0", 2.0), ("two/1", 1.0)]
        assert {sample.media.path for sample in samples if sample.media} == {"two.png"}

    def test_faces_that_overlap_stay_apart(self, tmp_path: Path) -> None:
        save(tmp_path / "two.png", (20, 40, 51, 0), (62, 40, 102, 0))
        assert len(run_media(tmp_path, tmp_path / "two.png").ids) == 2

    def test_an_au_of_a_hidden_region_is_not_measured(self, tmp_path: Path) -> None:
        save(tmp_path / "masked.png", (40, 60, 102, 255))
        [sample] = run_media(tmp_path, tmp_path / "masked.png").samples
        assert (face_of(sample).hidden, values(sample)) == (["mouth"], {"AU04": 5.0})

    def test_a_picture_without_a_face_is_kept_aside_and_is_no_failure(self, tmp_path: Path) -> None:
        save(tmp_path / "photos" / "anna.png", SQUARE)
        save(tmp_path / "photos" / "wall.png")
        found = run_media(tmp_path, tmp_path / "photos")
        assert (found.code, found.ids) == (0, ["anna"])
        assert [(entry["id"], entry["reason"]) for entry in found.rejected] == [("wall", "no_face")]
        assert found.manifest["counts"]["frames no_face"] == 1

    def test_small_and_further_faces_are_left_out_and_counted(self, tmp_path: Path) -> None:
        save(tmp_path / "a.png", (5, 20, 51, 0), (40, 50, 51, 0), (100, 40, 51, 0))
        save(tmp_path / "b.png", (5, 20, 51, 0))
        found = run_media(tmp_path, tmp_path / "a.png", tmp_path / "b.png", "--min-face", "30", "--max-faces", "1")
        assert found.ids == ["a"]
        assert [(entry["id"], entry["reason"]) for entry in found.rejected] == [("b", "small_face")]
        counts = found.manifest["counts"]
        assert (counts["faces too_small"], counts["faces beyond_max_faces"]) == (2, 1)

    def test_an_unsure_face_is_kept_aside(self, tmp_path: Path) -> None:
        pixels = np.zeros((120, 160, 3), np.uint8)
        pixels[20:80:3, 40:100] = (0, 0, 255)  # a third of the box is blue
        Image.fromarray(pixels).save(tmp_path / "stripes.png")
        save(tmp_path / "anna.png", SQUARE)
        found = run_media(tmp_path, tmp_path / "anna.png", tmp_path / "stripes.png")
        assert [(entry["id"], entry["reason"], entry["detail"]) for entry in found.rejected] == [
            ("stripes", "no_usable_row", "1 frames low_confidence")
        ]
        assert len(run_media(tmp_path / "2", tmp_path / "stripes.png", "--min-confidence", "0.2").ids) == 1

    def test_boxes_are_in_pixels_of_the_file_however_large_it_is(self, tmp_path: Path) -> None:
        picture(SQUARE).resize((4800, 3600), Image.Resampling.NEAREST).save(tmp_path / "large.jpg", quality=98)
        box = face_of(run_media(tmp_path, tmp_path / "large.jpg").samples[0]).box
        assert box == pytest.approx((1200, 600, 1800, 1800), abs=8)

    def test_an_unsure_second_face_leaves_the_first_its_name(self, tmp_path: Path) -> None:
        pixels = np.asarray(picture((5, 60, 204, 0))).copy()
        pixels[20:60:3, 100:140] = (0, 0, 255)
        Image.fromarray(pixels).save(tmp_path / "a.png")
        found = run_media(tmp_path, tmp_path / "a.png")
        assert (found.ids, [entry["id"] for entry in found.rejected]) == (["a"], ["a/1"])

    def test_a_label_comes_from_the_folder_or_the_table(self, tmp_path: Path) -> None:
        save(tmp_path / "photos" / "happy" / "1.png", SQUARE)
        pattern = ["--label-pattern", "^(?P<label>[^/]+)/", "--label-set", "basic7"]
        assert [sample.label for sample in run_media(tmp_path, tmp_path / "photos", *pattern).samples] == ["happiness"]
        labels = table(tmp_path / "labels.csv", "1.png,sad\n", "name,label\n")
        told = ["--labels", labels, "--label-set", "basic7"]
        assert [sample.label for sample in run_media(tmp_path / "b", tmp_path / "photos", *told).samples] == ["sadness"]

    def test_pictures_of_one_name_keep_their_suffix(self, tmp_path: Path) -> None:
        for name in ("a.png", "a.bmp", "b.png"):
            save(tmp_path / "photos" / name, SQUARE)
        assert run_media(tmp_path, tmp_path / "photos").ids == ["a.bmp", "a.png", "b"]

    def test_pictures_outside_the_media_root_are_said(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        found = Run(tmp_path, save(tmp_path / "anna.png", SQUARE))
        assert [sample.media for sample in found.samples] == [None]
        assert "say where they lie: --media-root DIR" in capsys.readouterr().err


class TestBrokenFiles:
    @pytest.mark.parametrize("mode", ["RGBA", "LA", "L", "P", "CMYK", "I;16", "1"])
    def test_every_mode_is_looked_at(self, tmp_path: Path, mode: str) -> None:
        base = picture(SQUARE)
        suffix = ".tif" if mode == "CMYK" else ".png"
        shown = Image.new("I;16", base.size, 65535) if mode == "I;16" else base.convert(mode)
        shown.save(tmp_path / f"a{suffix}")
        assert run_media(tmp_path, tmp_path / f"a{suffix}").manifest["counts"]["frames"] == 1

    def test_a_picture_is_turned_upright(self, tmp_path: Path) -> None:
        exif = Image.Exif()
        exif[0x0112] = 6
        picture(SQUARE).save(tmp_path / "a.png", exif=exif)
        assert face_of(run_media(tmp_path, tmp_path / "a.png").samples[0]).box == (40.0, 40.0, 60.0, 60.0)

    @pytest.mark.parametrize(
        ("name", "make", "says"),
        [
            ("cut.jpg", lambda path: _cut(path), "damaged"),
            ("bomb.png", lambda path: Image.new("1", (9000, 9000)).save(path), "make it smaller"),
            ("zero.png", lambda path: path.touch(), "is empty"),
            ("text.png", lambda path: path.write_text("hello"), "not a picture, whatever its name says"),
            ("one.png", lambda path: Image.new("RGB", (1, 1)).save(path), "too small"),
            ("strip.png", lambda path: Image.new("RGB", (5000, 10)).save(path), "too thin"),
            ("huge.png", lambda path: _sparse(path), "MiB are too many for a picture"),
            ("phone.heic", lambda path: path.write_bytes(b"\0\0\0\x18ftypheic" + bytes(64)), "convert it"),
            ("locked.png", lambda path: _lock(path), "cannot be read: Permission denied"),
            ("away.png", lambda path: _link_out(path), "leads out of"),
        ],
    )
    def test_a_broken_picture_is_one_line_and_stops_nothing(
        self,
        tmp_path: Path,
        capsys: pytest.CaptureFixture[str],
        name: str,
        make: Callable[[Path], Any],
        says: str,
    ) -> None:
        for good in ("a.png", "z.png"):
            save(tmp_path / "photos" / good, SQUARE)
        make(tmp_path / "photos" / name)
        found = run_media(tmp_path / "photos", tmp_path / "photos")
        assert (found.code, found.ids) == (1, ["a", "z"])
        [entry] = found.rejected
        assert entry["id"] == Path(name).stem
        errors = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error: ")]
        assert len(errors) == 1
        assert says in errors[0]
        assert name in errors[0]

    def test_a_folder_named_like_a_picture_is_searched(self, tmp_path: Path) -> None:
        save(tmp_path / "photos" / "x.jpg" / "anna.png", SQUARE)
        assert run_media(tmp_path, tmp_path / "photos").ids == ["x.jpg/anna"]

    def test_a_single_broken_picture_ends_with_exit_code_1(self, tmp_path: Path) -> None:
        (tmp_path / "a.png").write_text("hello")
        assert run_media(tmp_path, tmp_path / "a.png").code == 1


def _cut(path: Path) -> None:
    Image.effect_noise((200, 200), 50).save(path)
    path.write_bytes(path.read_bytes()[:3000])


def _sparse(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(1 << 40)


def _lock(path: Path) -> None:
    save(path, SQUARE)
    path.chmod(0)
    if os.access(path, os.R_OK):
        pytest.skip("this user may read everything")


def _link_out(path: Path) -> None:
    path.symlink_to(save(path.parent.parent / "elsewhere" / "other.png", SQUARE))
