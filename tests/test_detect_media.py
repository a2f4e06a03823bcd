"""Pictures and clips through `emollm detect`: what becomes a sample, and what happens to every kind of broken file."""

from __future__ import annotations

import hashlib
import os
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from detecting import Run, load_squares, picture, save, table
from PIL import Image

from data_engine.detect import main
from emollm.errors import ConfigError, SourceError
from emollm.records import AU, Detector, Face, Media, Sample, encode

SQUARE = (40, 60, 204, 51)
"""A face with AU12 at 4 and AU04 at 1."""


@pytest.fixture(autouse=True)
def _squares(monkeypatch: pytest.MonkeyPatch) -> None:
    """The detector of this process is the one of `detecting`, which needs no weights."""
    monkeypatch.setattr("data_engine.onlooker.load_detector", load_squares)
    monkeypatch.setattr("data_engine.detect.load_detector", load_squares)


def run(folder: Path, *arguments: str | Path) -> Run:
    """A run whose media lie in `folder`."""
    return Run(folder, *arguments, "--media-root", folder)


def face_of(sample: Sample) -> Face:
    [face] = sample.faces or []
    return face


def values(sample: Sample) -> dict[str, float]:
    return {name: au.value for name, au in (face_of(sample).aus or {}).items()}


def detector_of(sample: Sample) -> str:
    detector = face_of(sample).detector
    assert detector is not None
    return detector.name


def animation(path: Path, frames: list[Image.Image], duration: int = 100) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    lossless = {"lossless": True} if path.suffix == ".webp" else {}
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=duration, loop=0, **lossless)
    return path


def smile(num: int = 20, side: int = 60) -> list[Image.Image]:
    """A face whose AU12 rises to 4 at the middle of the clip and falls again."""
    strengths = [max(0.0, 4.0 - 0.8 * abs(place - num // 2)) for place in range(num)]
    return [marked(picture((40, side, round(51 * strength), 0)), place) for place, strength in enumerate(strengths)]


def marked(image: Image.Image, place: int) -> Image.Image:
    """A frame that is like no other: encoders make one of two that are alike."""
    image.putpixel((place, 0), (255, 0, 0))
    return image


class TestStills:
    def test_a_picture_becomes_a_sample(self, tmp_path: Path) -> None:
        path = save(tmp_path / "photos" / "anna.png", SQUARE)
        found = run(tmp_path, tmp_path / "photos")
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
        samples = run(tmp_path, tmp_path / "two.png").samples
        assert [(sample.id, values(sample)["AU12"]) for sample in samples] == [("two/0", 2.0), ("two/1", 1.0)]
        assert {sample.media.path for sample in samples if sample.media} == {"two.png"}

    def test_faces_that_overlap_stay_apart(self, tmp_path: Path) -> None:
        save(tmp_path / "two.png", (20, 40, 51, 0), (62, 40, 102, 0))
        assert len(run(tmp_path, tmp_path / "two.png").ids) == 2

    def test_an_au_of_a_hidden_region_is_not_measured(self, tmp_path: Path) -> None:
        save(tmp_path / "masked.png", (40, 60, 102, 255))
        [sample] = run(tmp_path, tmp_path / "masked.png").samples
        assert (face_of(sample).hidden, values(sample)) == (["mouth"], {"AU04": 5.0})

    def test_a_picture_without_a_face_is_kept_aside_and_is_no_failure(self, tmp_path: Path) -> None:
        save(tmp_path / "photos" / "anna.png", SQUARE)
        save(tmp_path / "photos" / "wall.png")
        found = run(tmp_path, tmp_path / "photos")
        assert (found.code, found.ids) == (0, ["anna"])
        assert [(entry["id"], entry["reason"]) for entry in found.rejected] == [("wall", "no_face")]
        assert found.manifest["counts"]["frames no_face"] == 1

    def test_small_and_further_faces_are_left_out_and_counted(self, tmp_path: Path) -> None:
        save(tmp_path / "a.png", (5, 20, 51, 0), (40, 50, 51, 0), (100, 40, 51, 0))
        save(tmp_path / "b.png", (5, 20, 51, 0))
        found = run(tmp_path, tmp_path / "a.png", tmp_path / "b.png", "--min-face", "30", "--max-faces", "1")
        assert found.ids == ["a"]
        assert [(entry["id"], entry["reason"]) for entry in found.rejected] == [("b", "small_face")]
        counts = found.manifest["counts"]
        assert (counts["faces too_small"], counts["faces beyond_max_faces"]) == (2, 1)

    def test_an_unsure_face_is_kept_aside(self, tmp_path: Path) -> None:
        pixels = np.zeros((120, 160, 3), np.uint8)
        pixels[20:80:3, 40:100] = (0, 0, 255)  # a third of the box is blue
        Image.fromarray(pixels).save(tmp_path / "stripes.png")
        save(tmp_path / "anna.png", SQUARE)
        found = run(tmp_path, tmp_path / "anna.png", tmp_path / "stripes.png")
        assert [(entry["id"], entry["reason"], entry["detail"]) for entry in found.rejected] == [
            ("stripes", "no_usable_row", "1 frames low_confidence")
        ]
        assert len(run(tmp_path / "2", tmp_path / "stripes.png", "--min-confidence", "0.2").ids) == 1

    def test_boxes_are_in_pixels_of_the_file_however_large_it_is(self, tmp_path: Path) -> None:
        picture(SQUARE).resize((4800, 3600), Image.Resampling.NEAREST).save(tmp_path / "large.jpg", quality=98)
        box = face_of(run(tmp_path, tmp_path / "large.jpg").samples[0]).box
        assert box == pytest.approx((1200, 600, 1800, 1800), abs=8)

    def test_a_label_comes_from_the_folder_or_the_table(self, tmp_path: Path) -> None:
        save(tmp_path / "photos" / "happy" / "1.png", SQUARE)
        pattern = ["--label-pattern", "^(?P<label>[^/]+)/", "--label-set", "basic7"]
        assert [sample.label for sample in run(tmp_path, tmp_path / "photos", *pattern).samples] == ["happiness"]
        labels = table(tmp_path / "labels.csv", "1.png,sad\n", "name,label\n")
        told = ["--labels", labels, "--label-set", "basic7"]
        assert [sample.label for sample in run(tmp_path / "b", tmp_path / "photos", *told).samples] == ["sadness"]

    def test_pictures_of_one_name_keep_their_suffix(self, tmp_path: Path) -> None:
        for name in ("a.png", "a.bmp", "b.png"):
            save(tmp_path / "photos" / name, SQUARE)
        assert run(tmp_path, tmp_path / "photos").ids == ["a.bmp", "a.png", "b"]

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
        assert run(tmp_path, tmp_path / f"a{suffix}").manifest["counts"]["frames"] == 1

    def test_a_picture_is_turned_upright(self, tmp_path: Path) -> None:
        exif = Image.Exif()
        exif[0x0112] = 6
        picture(SQUARE).save(tmp_path / "a.png", exif=exif)
        assert face_of(run(tmp_path, tmp_path / "a.png").samples[0]).box == (40.0, 40.0, 60.0, 60.0)

    @pytest.mark.parametrize(
        ("name", "make", "says"),
        [
            ("cut.jpg", lambda path: _cut(path), "damaged"),
            ("bomb.png", lambda path: Image.new("1", (9000, 9000)).save(path), "make it smaller"),
            ("zero.png", lambda path: path.touch(), "is empty"),
            ("text.png", lambda path: path.write_text("hello"), "not a picture, whatever its name says"),
            ("one.png", lambda path: Image.new("RGB", (1, 1)).save(path), "too small"),
            ("strip.png", lambda path: Image.new("RGB", (5000, 10)).save(path), "too thin"),
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
        found = run(tmp_path / "photos", tmp_path / "photos")
        assert (found.code, found.ids) == (1, ["a", "z"])
        [entry] = found.rejected
        assert entry["id"] == Path(name).stem
        errors = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error: ")]
        assert len(errors) == 1
        assert says in errors[0]
        assert name in errors[0]

    def test_a_folder_named_like_a_picture_is_searched(self, tmp_path: Path) -> None:
        save(tmp_path / "photos" / "x.jpg" / "anna.png", SQUARE)
        assert run(tmp_path, tmp_path / "photos").ids == ["x.jpg/anna"]

    def test_a_single_broken_picture_ends_with_exit_code_1(self, tmp_path: Path) -> None:
        (tmp_path / "a.png").write_text("hello")
        assert run(tmp_path, tmp_path / "a.png").code == 1


def _cut(path: Path) -> None:
    Image.effect_noise((200, 200), 50).save(path)
    path.write_bytes(path.read_bytes()[:3000])


def _lock(path: Path) -> None:
    save(path, SQUARE)
    path.chmod(0)
    if os.access(path, os.R_OK):
        pytest.skip("this user may read everything")


def _link_out(path: Path) -> None:
    path.symlink_to(save(path.parent.parent / "elsewhere" / "other.png", SQUARE))


class TestClips:
    @pytest.mark.parametrize("suffix", [".webp", ".gif", ".png"])
    def test_a_moving_picture_gives_its_peak(self, tmp_path: Path, suffix: str) -> None:
        path = animation(tmp_path / f"smile{suffix}", smile())
        [sample] = run(tmp_path, path).samples
        assert (sample.id, sample.media and sample.media.kind) == ("smile", "video")
        face = face_of(sample)
        assert (face.frame, face.time_s) == (10, 1.0)
        assert sample.provenance is not None
        assert sample.provenance["detect"]["rows"] == {"usable": 20}

    def test_the_events_of_a_clip_are_found(self, tmp_path: Path) -> None:
        [sample] = run(tmp_path, animation(tmp_path / "smile.webp", smile(40))).samples
        [event] = [event for event in sample.events or [] if event.au == "AU12"]
        assert (event.face, event.apex_s) == (face_of(sample).face, pytest.approx(2.0, abs=0.15))

    def test_one_sample_a_frame(self, tmp_path: Path) -> None:
        path = animation(tmp_path / "smile.webp", smile(6))
        assert run(tmp_path, path, "--frames", "all").ids == [f"smile#{frame:06d}" for frame in range(6)]

    @pytest.mark.parametrize(
        ("arguments", "frames"),
        [
            ([], [0, 3, 6]),
            (["--stride", "4"], [0, 4]),
            (["--fps", "30"], list(range(8))),
            (["--fps", "15"], [0, 2, 4, 6]),
        ],
    )
    def test_about_ten_frames_a_second_or_as_asked(
        self, tmp_path: Path, arguments: list[str], frames: list[int]
    ) -> None:
        path = animation(tmp_path / "smile.webp", smile(8), duration=33)
        found = run(tmp_path, path, "--frames", "all", *arguments)
        assert [face_of(sample).frame for sample in found.samples] == frames

    def test_two_people_of_a_clip_are_followed(self, tmp_path: Path) -> None:
        frames = [picture((5 + place, 40, 51, 0), (90 - place, 50, 204, 0)) for place in range(12)]
        samples = run(tmp_path, animation(tmp_path / "two.webp", frames)).samples
        assert [(sample.id, values(sample)["AU12"]) for sample in samples] == [("two/0", 4.0), ("two/1", 1.0)]

    def test_somebody_seen_every_two_seconds_stays_one_person(self, tmp_path: Path) -> None:
        path = animation(tmp_path / "smile.webp", smile(), duration=500)
        assert run(tmp_path, path, "--stride", "4").ids == ["smile"]

    def test_a_clip_without_faces_is_kept_aside(self, tmp_path: Path) -> None:
        path = animation(tmp_path / "dark.webp", [marked(picture(), place) for place in range(3)])
        found = run(tmp_path, path, save(tmp_path / "anna.png", SQUARE))
        assert (found.code, found.ids) == (0, ["anna"])
        assert [(entry["reason"], entry["detail"]) for entry in found.rejected] == [("no_face", "3 frames no_face")]

    def test_pages_of_a_tiff_are_no_movement(self, tmp_path: Path) -> None:
        pages = [picture(SQUARE), picture()]
        pages[0].save(tmp_path / "scan.tiff", save_all=True, append_images=pages[1:])
        [sample] = run(tmp_path, tmp_path / "scan.tiff").samples
        assert sample.media is not None
        assert sample.media.kind == "image"

    def test_a_cut_off_clip_is_said(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        path = animation(tmp_path / "smile.gif", smile())
        path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
        found = run(tmp_path, path)
        assert found.code == 1
        assert "smile.gif: the picture is damaged" in capsys.readouterr().err


class TestVideos:
    @pytest.fixture(autouse=True)
    def _av(self) -> None:
        pytest.importorskip("av")

    def test_a_video_gives_its_peak(self, tmp_path: Path) -> None:
        path = film(tmp_path / "smile.mp4", smile(30), rate=10)
        [sample] = run(tmp_path, path).samples
        assert (sample.id, sample.media and sample.media.kind) == ("smile", "video")
        face = face_of(sample)
        assert (face.frame, face.time_s) == (15, 1.5)
        assert sample.media is not None
        assert sample.media.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()

    def test_large_frames_are_decoded_smaller_and_boxes_told_in_full(self, tmp_path: Path) -> None:
        frames = [picture(SQUARE).resize((2560, 1920), Image.Resampling.NEAREST)] * 3
        [sample] = run(tmp_path, film(tmp_path / "large.mp4", frames, rate=10)).samples
        assert face_of(sample).box == pytest.approx((640, 320, 960, 960), abs=16)

    def test_a_video_that_a_phone_filmed_upright_is_turned(self, tmp_path: Path) -> None:
        path = film(tmp_path / "phone.mp4", [picture((10, 60, 204, 0))] * 3, rate=10)
        content = bytearray(path.read_bytes())
        # The matrix of the track header: a quarter turn clockwise, in numbers of 16.16 and 2.30 bits.
        matrix = content.index(b"tkhd") + 4 + 40
        content[matrix : matrix + 36] = struct.pack(">9i", 0, 1 << 16, 0, -(1 << 16), 0, 0, 0, 0, 1 << 30)
        path.write_bytes(content)
        assert face_of(run(tmp_path, path).samples[0]).box == pytest.approx((40, 10, 60, 60), abs=2)

    @pytest.mark.parametrize(
        ("make", "says"),
        [
            (lambda path: path.write_text("hello " * 100), "cannot be read as a video"),
            (lambda path: path.touch(), "is empty"),
            (lambda path: sound(path), "has sound but no pictures"),
            (lambda path: film(path, [], rate=10), "video"),
        ],
    )
    def test_a_broken_video_is_one_line_and_stops_nothing(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str], make: Callable[[Path], Any], says: str
    ) -> None:
        save(tmp_path / "clips" / "z.png", SQUARE)
        make(tmp_path / "clips" / "a.mp4")
        found = run(tmp_path, tmp_path / "clips")
        assert (found.code, found.ids) == (1, ["z"])
        errors = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error: ")]
        assert len(errors) == 1
        assert says in errors[0]

    def test_a_damaged_video_keeps_what_came_before(self, tmp_path: Path) -> None:
        path = film(tmp_path / "a.mkv", smile(60), rate=10)
        content = bytearray(path.read_bytes())
        content[len(content) // 2 :] = bytes(len(content) - len(content) // 2)
        path.write_bytes(content)
        assert len(run(tmp_path, path).samples) == 1


def film(path: Path, frames: list[Image.Image], rate: int) -> Path:
    import av

    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=rate)
        stream.width, stream.height = frames[0].size if frames else (160, 120)
        stream.pix_fmt = "yuv420p"
        stream.bit_rate = 4_000_000
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_image(frame)))
        if frames:
            container.mux(stream.encode(None))
        else:
            container.start_encoding()
    return path


def sound(path: Path) -> Path:
    import av

    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=16000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        frame.sample_rate = 16000
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def test_without_the_video_extra_a_video_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "av", None)
    (tmp_path / "a.mp4").write_bytes(b"film")
    save(tmp_path / "b.png", SQUARE)
    found = run(tmp_path, tmp_path / "a.mp4", tmp_path / "b.png")
    assert (found.code, found.ids) == (1, ["b"])
    assert "pip install 'emollm[video]'" in capsys.readouterr().err


class TestRuns:
    def test_pictures_that_au_files_speak_of_are_not_looked_at(self, tmp_path: Path) -> None:
        table(tmp_path / "data" / "anna.csv")
        for name in ("anna", "ben"):
            save(tmp_path / "data" / f"{name}.png", SQUARE)
        found = run(tmp_path, tmp_path / "data")
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
        found = run(tmp_path, tmp_path / "data")
        assert (found.code, found.ids, found.rejected[0]["reason"]) == (0, ["anna"], "no_au_file")
        assert "warning: " in capsys.readouterr().err

    def test_several_workers_write_what_one_writes(self, tmp_path: Path) -> None:
        for number in range(70):
            save(tmp_path / "photos" / f"{number:02d}.png", (40, 60, number * 3, 0))
        (tmp_path / "photos" / "33.png").write_text("broken")
        one = run(tmp_path, tmp_path / "photos", "--workers", "1").path.read_bytes()
        two = Run(tmp_path / "2", tmp_path / "photos", "--workers", "2", "--media-root", tmp_path).path.read_bytes()
        assert one == two
        assert one.count(b"\n") == 69

    def test_a_stopped_run_goes_on_without_opening_what_is_done(self, tmp_path: Path) -> None:
        for name in "abc":
            save(tmp_path / "photos" / f"{name}.png", (5, 30, 51, 0), (80, 60, 102, 0))
        arguments = [tmp_path / "photos", "--workers", "1"]
        whole = run(tmp_path, *arguments).path.read_bytes()
        found = run(tmp_path / "2", *arguments, "--limit", "3")
        first = found.path.read_bytes()
        assert first.count(b"\n") == 3
        (tmp_path / "photos" / "a.png").write_text("not opened again")
        again = run(tmp_path / "2", *arguments)
        assert (again.code, again.ids) == (0, ["a/0", "a/1", "b/0", "b/1", "c/0", "c/1"])
        assert len(whole.splitlines()) == 6
        assert run(tmp_path / "2", *arguments, "--limit", "3").ids == again.ids

    def test_other_pictures_are_not_mixed_in(self, tmp_path: Path) -> None:
        for folder in ("one", "two"):
            save(tmp_path / folder / "a.png", SQUARE)
        run(tmp_path, tmp_path / "one")
        with pytest.raises(ConfigError, match="pictures"):
            run(tmp_path, tmp_path / "two")

    def test_a_name_that_is_there_twice_is_said(self, tmp_path: Path) -> None:
        for folder in ("one", "two"):
            save(tmp_path / folder / "a.png", SQUARE)
        found = run(tmp_path, tmp_path / "one", tmp_path / "two")
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
        [["--noise", "drop=1"], ["--python", "x"], ["--set", "a=b"], ["--set", "a"], ["--fps", "0"], ["--stride", "0"]],
    )
    def test_options_that_do_not_go_together_are_a_usage_error(self, tmp_path: Path, arguments: list[str]) -> None:
        with pytest.raises(SystemExit) as stop:
            run(tmp_path, save(tmp_path / "a.png", SQUARE), *arguments)
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
            run(tmp_path, tmp_path / name, "--detector", detector)


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
