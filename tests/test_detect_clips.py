"""Clips through `emollm detect`: their peak, their events, their people, and every kind of broken video."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from detecting import (
    SQUARE,
    face_of,
    picture,
    run_media,
    save,
    use_squares,
    values,
)
from PIL import Image


@pytest.fixture(autouse=True)
def _squares(monkeypatch: pytest.MonkeyPatch) -> None:
    use_squares(monkeypatch)


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


class TestClips:
    @pytest.mark.parametrize("suffix", [".webp", ".gif", ".png"])
    def test_a_moving_picture_gives_its_peak(self, tmp_path: Path, suffix: str) -> None:
        path = animation(tmp_path / f"smile{suffix}", smile())
        [sample] = run_media(tmp_path, path).samples
        assert (sample.id, sample.media and sample.media.kind) == ("smile", "video")
        face = face_of(sample)
        assert (face.frame, face.time_s) == (10, 1.0)
        assert sample.provenance is not None
        assert sample.provenance["detect"]["rows"] == {"usable": 20}

    def test_the_events_of_a_clip_are_found(self, tmp_path: Path) -> None:
        [sample] = run_media(tmp_path, animation(tmp_path / "smile.webp", smile(40))).samples
        [event] = [event for event in sample.events or [] if event.au == "AU12"]
        assert (event.face, event.apex_s) == (face_of(sample).face, pytest.approx(2.0, abs=0.15))

    def test_one_sample_a_frame(self, tmp_path: Path) -> None:
        path = animation(tmp_path / "smile.webp", smile(6))
        assert run_media(tmp_path, path, "--frames", "all").ids == [f"smile#{frame:06d}" for frame in range(6)]

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
        found = run_media(tmp_path, path, "--frames", "all", *arguments)
        assert [face_of(sample).frame for sample in found.samples] == frames

    def test_two_people_of_a_clip_are_followed(self, tmp_path: Path) -> None:
        frames = [picture((5 + place, 40, 51, 0), (90 - place, 50, 204, 0)) for place in range(12)]
        samples = run_media(tmp_path, animation(tmp_path / "two.webp", frames)).samples
        assert [(sample.id, values(sample)["AU12"]) for sample in samples] == [("two/0", 4.0), ("two/1", 1.0)]

    def test_somebody_seen_every_two_seconds_stays_one_person(self, tmp_path: Path) -> None:
        path = animation(tmp_path / "smile.webp", smile(), duration=500)
        assert run_media(tmp_path, path, "--stride", "4").ids == ["smile"]

    def test_frames_that_are_not_equally_long_are_all_looked_at(self, tmp_path: Path) -> None:
        frames = smile(10)
        frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:], duration=[20] + [500] * 9, loop=0)
        found = run_media(tmp_path, tmp_path / "a.gif", "--frames", "all")
        assert [face_of(sample).frame for sample in found.samples] == [0, *range(2, 10)]
        stride = run_media(tmp_path / "b", tmp_path / "a.gif", "--frames", "all", "--stride", "5")
        assert [face_of(sample).frame for sample in stride.samples] == [0, 5]

    @pytest.mark.parametrize(("seen_in", "people"), [([12, 13], 1), ([12, 13, 14], 2)])
    def test_who_is_hardly_seen_is_kept_aside(self, tmp_path: Path, seen_in: list[int], people: int) -> None:
        frames = [
            marked(picture((5, 40, 204, 0), *([(90, 50, 51, 0)] if place in seen_in else [])), place)
            for place in range(20)
        ]
        found = run_media(tmp_path, animation(tmp_path / "a.webp", frames))
        assert found.ids == (["a"] if people == 1 else ["a/0", "a/1"])
        aside = [(entry["id"], entry["reason"], entry["detail"]) for entry in found.rejected]
        assert aside == ([("a/1", "seen_too_briefly", "in 2 of 20 frames")] if people == 1 else [])

    def test_two_frames_of_a_short_clip_are_enough(self, tmp_path: Path) -> None:
        frames = [marked(picture(*([SQUARE] if place < 2 else [])), place) for place in range(5)]
        assert run_media(tmp_path, animation(tmp_path / "a.webp", frames)).ids == ["a"]

    def test_a_clip_without_faces_is_kept_aside(self, tmp_path: Path) -> None:
        path = animation(tmp_path / "dark.webp", [marked(picture(), place) for place in range(3)])
        found = run_media(tmp_path, path, save(tmp_path / "anna.png", SQUARE))
        assert (found.code, found.ids) == (0, ["anna"])
        assert [(entry["reason"], entry["detail"]) for entry in found.rejected] == [("no_face", "3 frames no_face")]

    def test_pages_of_a_tiff_are_no_movement(self, tmp_path: Path) -> None:
        pages = [picture(SQUARE), picture()]
        pages[0].save(tmp_path / "scan.tiff", save_all=True, append_images=pages[1:])
        [sample] = run_media(tmp_path, tmp_path / "scan.tiff").samples
        assert sample.media is not None
        assert sample.media.kind == "image"

    def test_a_cut_off_clip_is_said(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        path = animation(tmp_path / "smile.gif", smile())
        path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
        found = run_media(tmp_path, path)
        assert found.code == 1
        assert "smile.gif: the picture is damaged" in capsys.readouterr().err


class TestVideos:
    @pytest.fixture(autouse=True)
    def _av(self) -> None:
        pytest.importorskip("av")

    def test_a_video_gives_its_peak(self, tmp_path: Path) -> None:
        path = film(tmp_path / "smile.mp4", smile(30), rate=10)
        [sample] = run_media(tmp_path, path).samples
        assert (sample.id, sample.media and sample.media.kind) == ("smile", "video")
        face = face_of(sample)
        assert (face.frame, face.time_s) == (15, 1.5)
        assert sample.media is not None
        assert sample.media.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()

    def test_large_frames_are_decoded_smaller_and_boxes_told_in_full(self, tmp_path: Path) -> None:
        frames = [picture(SQUARE).resize((2560, 1920), Image.Resampling.NEAREST)] * 3
        [sample] = run_media(tmp_path, film(tmp_path / "large.mp4", frames, rate=10)).samples
        assert face_of(sample).box == pytest.approx((640, 320, 960, 960), abs=16)

    def test_a_video_that_a_phone_filmed_upright_is_turned(self, tmp_path: Path) -> None:
        path = film(tmp_path / "phone.mp4", [picture((10, 60, 204, 0))] * 3, rate=10)
        content = bytearray(path.read_bytes())
        # The matrix of the track header: a quarter turn clockwise, in numbers of 16.16 and 2.30 bits.
        matrix = content.index(b"tkhd") + 4 + 40
        content[matrix : matrix + 36] = struct.pack(">9i", 0, 1 << 16, 0, -(1 << 16), 0, 0, 0, 0, 1 << 30)
        path.write_bytes(content)
        assert face_of(run_media(tmp_path, path).samples[0]).box == pytest.approx((40, 10, 60, 60), abs=2)

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
        found = run_media(tmp_path, tmp_path / "clips")
        assert (found.code, found.ids) == (1, ["z"])
        errors = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error: ")]
        assert len(errors) == 1
        assert says in errors[0]

    def test_a_damaged_video_keeps_what_came_before(self, tmp_path: Path) -> None:
        path = film(tmp_path / "a.mkv", smile(60), rate=10)
        content = bytearray(path.read_bytes())
        content[len(content) // 2 :] = bytes(len(content) - len(content) // 2)
        path.write_bytes(content)
        found = run_media(tmp_path, path)
        assert (found.code, len(found.samples), found.rejected[0]["reason"]) == (1, 1, "damaged_clip")
        [sample] = found.samples
        assert "damaged" in (sample.provenance or {})["detect"]["problem"]

    def test_a_hole_and_a_missing_end_are_said(self, tmp_path: Path) -> None:
        holed = film(tmp_path / "holed.mkv", smile(60), rate=10)
        content = bytearray(holed.read_bytes())
        content[len(content) // 2 : len(content) // 2 + 3000] = bytes(3000)
        holed.write_bytes(content)
        cut = film(tmp_path / "cut.mp4", smile(60), rate=10, movflags="faststart")
        cut.write_bytes(cut.read_bytes()[: cut.stat().st_size * 6 // 10])
        found = run_media(tmp_path, holed, cut)
        assert (found.code, found.ids) == (1, ["holed", "cut"])
        assert [entry["reason"] for entry in found.rejected] == ["damaged_clip"] * 2

    def test_a_video_that_stands_still_is_seen_whenever_it_moves(self, tmp_path: Path) -> None:
        times = [33 * place for place in range(30)] + [1000 * place for place in range(1, 11)]
        frames = [picture(SQUARE)] * len(times)
        found = run_media(tmp_path, film(tmp_path / "a.mkv", frames, rate=30, times=times), "--frames", "all")
        assert sum((face_of(sample).time_s or 0.0) >= 1.0 for sample in found.samples) == 10


def film(path: Path, frames: list[Image.Image], rate: int, movflags: str = "", times: list[int] | None = None) -> Path:
    """Write a video; `times` are milliseconds."""
    import av

    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w", options={"movflags": movflags} if movflags else {}) as container:
        stream = container.add_stream("mpeg4", rate=rate)
        if times:
            stream.codec_context.time_base = Fraction(1, 1000)
        stream.width, stream.height = frames[0].size if frames else (160, 120)
        stream.pix_fmt = "yuv420p"
        stream.bit_rate = 4_000_000
        for place, image in enumerate(frames):
            frame = av.VideoFrame.from_image(image)
            if times:
                frame.pts, frame.time_base = times[place], Fraction(1, 1000)
            container.mux(stream.encode(frame))
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
    found = run_media(tmp_path, tmp_path / "a.mp4", tmp_path / "b.png")
    assert (found.code, found.ids) == (1, ["b"])
    assert "pip install 'emollm[video]'" in capsys.readouterr().err
