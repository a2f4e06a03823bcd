"""`emollm detect --gallery`: what is drawn, what is said where nothing can be, and what is never overwritten."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from detecting import AU_FILES, SQUARE, face_of, picture, run_media, save, use_squares
from PIL import Image, ImageColor

from data_engine.detect import showing
from data_engine.detect.door import main
from data_engine.detect.showing import Pictures, check_place, show
from data_engine.detectors.gallery import BARS_WIDTH, FRAME, GAP, PANEL, SIDE, STRONG, Exhibit, gallery, tile
from emollm.errors import ConfigError
from emollm.records import AU, Face, Media, Sample, encode
from emollm.stage import Output

RGB = tuple[int, int, int]


@pytest.fixture(autouse=True)
def _squares(monkeypatch: pytest.MonkeyPatch) -> None:
    use_squares(monkeypatch)


def drawn(path: Path) -> list[np.ndarray]:
    """The tiles of a gallery."""
    with Image.open(path) as file:
        pixels = np.asarray(file.convert("RGB"))
    width, height = SIDE + BARS_WIDTH + GAP, SIDE + GAP
    corners = [(y, x) for y in range(GAP, len(pixels), height) for x in range(GAP, pixels.shape[1], width)]
    tiles = [pixels[y : y + SIDE, x : x + SIDE + BARS_WIDTH] for y, x in corners]
    return [one for one in tiles if (one[-1, -1] == PANEL).all()]


def has(tile: np.ndarray, color: RGB) -> bool:
    return bool((tile == color).all(axis=2).any())


def where(tile: np.ndarray, color: RGB) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of what has this colour."""
    rows, columns = np.nonzero((tile[:, :SIDE] == color).all(axis=2))
    return int(columns.min()), int(rows.min()), int(columns.max()), int(rows.max())


def test_what_was_kept_aside_is_not_held_in_memory(tmp_path: Path) -> None:
    with Output(tmp_path / "samples.jsonl", stage="detect", options={}) as out:
        for number in range(2000):
            kept = Sample(id=f"{number}", text="x" * 1000)
            out.reject(kept.id, "no_face" if number % 2 else "unreadable", record=kept)
        pictures = Pictures([], tmp_path, None)
        tracemalloc.start()
        show(tmp_path / "seen.png", out, pictures)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < out.rejected_path.stat().st_size / 4


class TestTiles:
    def exhibit(self, side: int = 100, **more: object) -> Exhibit:
        face = Face(box=(20.0, 10.0, 60.0, 60.0), aus={"AU12": AU(value=4.0, kind="intensity")})
        return Exhibit("a", np.zeros((side, side, 3), np.uint8), [face], **more)  # type: ignore[arg-type]

    def test_the_box_lies_where_the_face_is(self) -> None:
        zoom = SIDE / 100
        expected = (20 * zoom, 10 * zoom, 80 * zoom, 70 * zoom)
        assert where(np.asarray(tile(self.exhibit())), FRAME) == pytest.approx(expected, abs=1.0)

    def test_a_small_face_is_shown_from_near(self) -> None:
        left, top, right, bottom = where(np.asarray(tile(self.exhibit(side=1000))), FRAME)
        assert (right - left, bottom - top) == pytest.approx((SIDE / 2, SIDE / 2), abs=2.0)

    def test_a_picture_that_was_decoded_smaller_has_its_box_in_place(self) -> None:
        zoom = SIDE / 50
        expected = (10 * zoom, 5 * zoom, 40 * zoom, 35 * zoom)
        assert where(np.asarray(tile(self.exhibit(side=50, scale=2.0))), FRAME) == pytest.approx(expected, abs=1.0)

    def test_a_box_beyond_the_picture_stays_off_the_bars(self) -> None:
        face = Face(box=(-20.0, -20.0, 300.0, 300.0), hidden=["nose", "cheeks", "mouth", "chin", "jaw"])
        found = np.asarray(tile(Exhibit("ä" * 60, np.zeros((40, 60, 3), np.uint8), [face])))
        assert not has(found[:, SIDE:], FRAME)

    def test_a_gallery_has_a_tile_an_exhibit(self) -> None:
        size = gallery(iter([self.exhibit()] * 5), columns=2).size
        assert size == (2 * (SIDE + BARS_WIDTH + GAP) + GAP, 3 * (SIDE + GAP) + GAP)


class TestGallery:
    @pytest.mark.parametrize("name", ["seen.png", "seen.JPG", "new/folder/seen.jpeg"])
    def test_every_sample_has_a_tile(self, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
        save(tmp_path / "photos" / "anna.png", SQUARE)
        save(tmp_path / "photos" / "two.png", (5, 30, 51, 0), (80, 60, 102, 0))
        place = tmp_path / name
        assert run_media(tmp_path, tmp_path / "photos", "--gallery", place).ids == ["anna", "two/0", "two/1"]
        assert len(drawn(place)) == 3 or place.suffix != ".png"
        assert f"{place}: shows 3 of 3 samples\n" in capsys.readouterr().err
        assert not place.with_name(f"{place.name}.part").exists()

    def test_box_and_bars_are_drawn(self, tmp_path: Path) -> None:
        run_media(tmp_path, save(tmp_path / "anna.png", SQUARE), "--gallery", tmp_path / "seen.png")
        [one] = drawn(tmp_path / "seen.png")
        assert has(one[:, :SIDE], FRAME)
        assert has(one[:, SIDE:], STRONG)

    def test_pictures_need_not_lie_under_the_media_root(self, tmp_path: Path) -> None:
        save(tmp_path / "photos" / "anna.png", SQUARE)
        arguments = [str(tmp_path / "photos"), "-o", str(tmp_path / "out" / "samples.jsonl")]
        assert main([*arguments, "--gallery", str(tmp_path / "out" / "seen.png")]) == 0
        assert len(drawn(tmp_path / "out" / "seen.png")) == 1

    def test_pictures_with_nobody_are_shown_last(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        save(tmp_path / "photos" / "a_wall.png")
        save(tmp_path / "photos" / "anna.png", SQUARE)
        for _ in range(2):  # the second run looks at nothing
            run_media(tmp_path, tmp_path / "photos", "--gallery", tmp_path / "seen.png")
            assert [has(one, FRAME) for one in drawn(tmp_path / "seen.png")] == [True, False]
            said = capsys.readouterr().err
            assert "shows 1 of 1 samples and 1 of 1 pictures without a usable face" in said

    def test_a_run_that_goes_on_shows_all(self, tmp_path: Path) -> None:
        for name in ("a", "b"):
            save(tmp_path / "photos" / f"{name}.png", SQUARE)
        run_media(tmp_path, tmp_path / "photos", "--limit", "1", "--gallery", tmp_path / "seen.png")
        assert len(drawn(tmp_path / "seen.png")) == 1
        run_media(tmp_path, tmp_path / "photos", "--gallery", tmp_path / "seen.png")
        assert len(drawn(tmp_path / "seen.png")) == 2

    def test_the_first_ones_of_many_are_shown_and_it_is_said(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setattr(showing, "MAX_TILES", 2)
        for name in ("a", "b", "c"):
            save(tmp_path / "photos" / f"{name}.png", SQUARE)
        save(tmp_path / "photos" / "wall.png")
        run_media(tmp_path, tmp_path / "photos", "--gallery", tmp_path / "seen.png")
        assert len(drawn(tmp_path / "seen.png")) == 2
        assert "shows 2 of 3 samples and 0 of 1 pictures without a usable face" in capsys.readouterr().err

    @pytest.mark.parametrize("suffix", [".webp", ".gif", ".mp4"])
    def test_a_clip_is_shown_at_its_peak(self, tmp_path: Path, suffix: str) -> None:
        path = film(tmp_path / f"clip{suffix}")
        [sample] = run_media(tmp_path, path, "--gallery", tmp_path / "seen.png").samples
        assert face_of(sample).frame == 10
        [one] = drawn(tmp_path / "seen.png")
        zoom = SIDE / 160
        red = one[(SIDE - round(120 * zoom)) // 2 + round(40 * zoom), round(60 * zoom), 0]
        assert red == pytest.approx(204, abs=12)

    def test_samples_that_are_measured_anew_are_shown(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        samples = tmp_path / "faces" / "samples.jsonl"
        save(samples.with_name("anna.png"), SQUARE)
        save(samples.with_name("wall.png"))
        truth = [Face(box=(40.0, 20.0, 60.0, 60.0))]
        known = [
            Sample(id=name, media=Media(kind="image", path=f"{name}.png"), faces=truth) for name in ("anna", "wall")
        ]
        samples.write_bytes(b"".join(encode(sample) + b"\n" for sample in known))
        arguments = [str(samples), "--detector", "tiny", "-o", str(tmp_path / "seen" / "samples.jsonl")]
        main([*arguments, "--gallery", str(tmp_path / "seen.png")])
        assert [has(one, FRAME) for one in drawn(tmp_path / "seen.png")] == [True, False]
        assert "shows 1 of 1 samples and 1 of 1 pictures" in capsys.readouterr().err


def film(path: Path) -> Path:
    """A clip of a face whose AU12 rises to 4 at frame 10 and falls again."""
    frames = [picture((40, 60, max(0, 204 - 41 * abs(place - 10)), 0)) for place in range(20)]
    for place, frame in enumerate(frames):
        frame.putpixel((place, 0), (255, 0, 0))
    if path.suffix != ".mp4":
        lossless = {"lossless": True} if path.suffix == ".webp" else {}
        frames[0].save(path, save_all=True, append_images=frames[1:], duration=100, loop=0, **lossless)
        return path
    av = pytest.importorskip("av")
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt, stream.bit_rate = 160, 120, "yuv420p", 4_000_000
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_image(frame)))
        container.mux(stream.encode(None))
    return path


class TestNothingToShow:
    def test_au_files_have_no_pictures(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        run = run_media(tmp_path, AU_FILES / "pyfeat_v2.csv", "--gallery", tmp_path / "seen.png")
        assert (run.code, len(run.ids)) == (0, 2)
        said = capsys.readouterr().err
        assert "seen.png: is not drawn, there are no pictures to show: AU files hold no pixels\n" in said
        assert not (tmp_path / "seen.png").exists()

    def test_a_picture_that_has_gone_or_changed_is_said(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        for name in ("a", "b", "c"):
            save(tmp_path / "photos" / f"{name}.png", SQUARE)
        run_media(tmp_path, tmp_path / "photos")
        (tmp_path / "photos" / "a.png").unlink()
        save(tmp_path / "photos" / "b.png", (5, 30, 51, 0))
        assert run_media(tmp_path, tmp_path / "photos", "--gallery", tmp_path / "seen.png").code == 0
        said = capsys.readouterr().err
        assert "seen.png: a: photos/a.png is not there, or is not what was measured\n" in said
        assert "seen.png: b: photos/b.png is not there, or is not what was measured\n" in said
        assert "shows 1 of 3 samples\n" in said


class TestPlaces:
    @pytest.mark.parametrize(
        ("name", "says"),
        [
            ("seen.gif", "is no kind of picture that can be written; name it .png or .jpg or .jpeg"),
            ("seen", "is no kind of picture"),
            ("folder.png", "is a folder"),
            ("photos/seen.png", "lies in the input folder"),
            ("photos/anna.png", "lies in the input folder"),
            ("ben.png", "is an input or the output of this run"),
            ("carl.png", "is there already, and is no gallery of emollm"),
            ("text.png", "is there already, and is no gallery of emollm"),
        ],
    )
    def test_a_place_that_would_do_harm_is_refused_before_any_work(self, tmp_path: Path, name: str, says: str) -> None:
        (tmp_path / "folder.png").mkdir()
        (tmp_path / "text.png").write_text("mine")
        for other in ("photos/anna", "ben", "carl"):
            save(tmp_path / f"{other}.png", SQUARE)
        before = {path: path.read_bytes() for path in tmp_path.rglob("*.png") if path.is_file()}
        with pytest.raises(ConfigError, match=says):
            run_media(tmp_path, tmp_path / "photos", tmp_path / "ben.png", "--gallery", tmp_path / name)
        assert {path: path.read_bytes() for path in tmp_path.rglob("*.png") if path.is_file()} == before
        assert not (tmp_path / "out").exists()

    @pytest.mark.parametrize("suffix", [".png", ".jpg"])
    def test_an_earlier_gallery_is_drawn_again(self, tmp_path: Path, suffix: str) -> None:
        save(tmp_path / "anna.png", SQUARE)
        place = tmp_path / f"seen{suffix}"
        for _ in range(2):
            assert run_media(tmp_path, tmp_path / "anna.png", "--gallery", place).code == 0

    def test_explain_draws_nothing(self, tmp_path: Path) -> None:
        save(tmp_path / "anna.png", SQUARE)
        assert main([str(tmp_path / "anna.png"), "--explain", "--gallery", str(tmp_path / "seen.png")]) == 0
        assert not (tmp_path / "seen.png").exists()


@pytest.mark.parametrize(("time_s", "frame", "shown"), [(0.0, 1, "red"), (0.1, 2, "lime"), (0.2, 3, "blue")])
def test_a_moment_is_found_by_its_time_whether_frames_count_from_0_or_1(
    tmp_path: Path, time_s: float, frame: int, shown: str
) -> None:
    frames = [Image.new("RGB", (64, 64), colour) for colour in ("red", "lime", "blue")]
    frames[0].save(tmp_path / "c.gif", save_all=True, append_images=frames[1:], duration=100)
    face = Face(face="0", frame=frame, time_s=time_s, box=(8, 8, 40, 40))
    sample = Sample(id="c", media=Media(kind="video", path="c.gif"), faces=[face])
    pixels = Pictures([], tmp_path, None).frame(sample, face).pixels
    assert pixels[32, 32].tolist() == list(ImageColor.getrgb(shown))


def test_a_place_that_cannot_be_is_told_before_the_work(tmp_path: Path) -> None:
    (tmp_path / "plain").write_text("no folder")
    with pytest.raises(ConfigError, match="cannot be made"):
        check_place(tmp_path / "plain" / "seen.png", tmp_path / "s.jsonl", [])
