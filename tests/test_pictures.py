"""Pictures: every kind that opens, opens alike; every other is one clear line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from emollm.errors import SourceError
from emollm.pictures import check_picture, open_picture, sample_picture
from emollm.records import Media, Sample


@pytest.mark.parametrize(
    ("mode", "value"), [("RGBA", (0, 0, 0, 0)), ("LA", (0, 0)), ("I;16", 65535), ("CMYK", (0, 0, 0, 0)), ("1", 1)]
)
def test_every_mode_becomes_rgb_on_white(mode: str, value: Any, tmp_path: Path) -> None:
    path = tmp_path / ("a.tif" if mode == "CMYK" else "a.png")
    Image.new(mode, (16, 16), value).save(path)
    picture = open_picture(path)
    assert picture.mode == "RGB"
    assert picture.getpixel((3, 3)) == (255, 255, 255)


def test_a_picture_is_turned_upright_by_its_exif_tag(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (40, 20)).save(tmp_path / "a.jpg", exif=exif)
    assert open_picture(tmp_path / "a.jpg").size == (20, 40)


def _cut(path: Path) -> None:
    Image.effect_noise((64, 64), 50).save(path)
    path.write_bytes(path.read_bytes()[:900])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda path: path.write_bytes(b""), "empty"),
        (lambda path: path.write_text("this is a text"), "not a picture"),
        (_cut, "damaged"),
        (lambda path: Image.new("1", (9000, 9000)).save(path), "make it smaller"),
        (lambda path: Image.new("RGB", (4, 4)).save(path), "too small"),
        (lambda path: Image.new("RGB", (5000, 10)).save(path), "too thin"),
        (lambda path: Image.new("RGB", (10, 5000)).save(path), "too thin"),
        (lambda _path: None, "no such file"),
    ],
    ids=["empty", "text", "cut", "bomb", "too small", "wide", "high", "missing"],
)
def test_a_bad_picture_is_one_clear_line(make: Any, message: str, tmp_path: Path) -> None:
    make(tmp_path / "a.png")
    with pytest.raises(SourceError, match=message):
        open_picture(tmp_path / "a.png")


def test_the_quick_check_refuses_what_opening_refuses(tmp_path: Path) -> None:
    Image.new("RGB", (5000, 10)).save(tmp_path / "a.png")
    with pytest.raises(SourceError, match="5000 x 10 px"):
        check_picture(tmp_path / "a.png")


def test_a_clip_is_no_picture(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="is a clip, and models are shown pictures here; cut out the frame"):
        sample_picture(Sample(id="a", media=Media(kind="video", path="a.mp4")), tmp_path)
