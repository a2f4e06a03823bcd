"""Clips in exports: files of their own, questions of their own, checked to their last frame."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from exporting import clip, export, lines, reasons, sample, write, write_with_media

from data_engine.exports.formats import FORMATS
from emollm.prompts import num_variants, wordings
from emollm.records import Media

CARRY = [name for name, format_ in FORMATS.items() if "video" in format_.kinds]


@pytest.fixture
def cot(tmp_path: Path) -> Path:
    """A picture and two clips."""
    return write_with_media(tmp_path / "data/cot.jsonl", [clip("x"), sample("a"), clip("y", text="Look!")])


def test_messages_of_clips_lie_apart_and_hold_a_video_block(cot: Path, tmp_path: Path) -> None:
    assert export(cot, tmp_path / "out", "--format", "messages") == 0
    assert [row["id"] for row in lines(tmp_path / "out/data.jsonl")] == ["a"]
    rows = lines(tmp_path / "out/clips.jsonl")
    assert [row["videos"] for row in rows] == [["videos/clips/x.webp"], ["videos/clips/y.webp"]]
    for row in rows:
        assert [block["type"] for block in row["messages"][0]["content"]] == ["video", "text"]
        assert "images" not in row
        assert (tmp_path / "out" / row["videos"][0]).is_file()


def test_sharegpt_tells_llama_factory_of_both_files(cot: Path, tmp_path: Path) -> None:
    export(cot, tmp_path / "out", "--format", "sharegpt")
    info = json.loads((tmp_path / "out/dataset_info.json").read_text())
    assert set(info) == {"emollm", "emollm_clips"}
    for entry in info.values():
        rows = json.loads((tmp_path / "out" / entry["file_name"]).read_text())
        assert set(entry["columns"].values()) <= set(rows[0])
    (first, _) = json.loads((tmp_path / "out/clips.json").read_text())
    assert first["conversations"][0]["value"].count("<video>") == len(first["videos"]) == 1


def test_clips_without_pictures_have_no_empty_files_beside_them(tmp_path: Path) -> None:
    cot = write_with_media(tmp_path / "data/cot.jsonl", [clip("x")])
    export(cot, tmp_path / "out", "--format", "sharegpt")
    assert not (tmp_path / "out/data.json").exists()
    assert set(json.loads((tmp_path / "out/dataset_info.json").read_text())) == {"emollm_clips"}


@pytest.mark.parametrize("style", ["sections", "think", "label"])
def test_questions_about_clips_speak_of_clips(cot: Path, tmp_path: Path, style: str) -> None:
    export(cot, tmp_path / "out", "--format", "messages", "--style", style)
    for name, kind in (("data.jsonl", "image"), ("clips.jsonl", "video")):
        for row in lines(tmp_path / "out" / name):
            asked = row["messages"][0]["content"][1]["text"]
            assert asked.startswith(wordings(style, kind))
    assert not set(wordings(style, "image")) & set(wordings(style, "video"))
    assert len(wordings(style, "video")) == num_variants(style)


@pytest.mark.parametrize("name", sorted(set(FORMATS) - set(CARRY) - {"parquet"}))
def test_formats_of_pictures_leave_clips_out(cot: Path, tmp_path: Path, name: str) -> None:
    assert export(cot, tmp_path / "out", "--format", name) == 0
    assert reasons(tmp_path / "out") == {"x": "video", "y": "video"}


@pytest.mark.parametrize(
    ("break_it", "reason"),
    [
        (lambda path: path.write_bytes(path.read_bytes()[:-60]), "bad_clip"),
        (lambda path: path.write_bytes(b""), "bad_clip"),
        (lambda path: path.unlink(), "missing_clip"),
        (lambda path: path.write_bytes((path.parents[1] / "faces/a.png").read_bytes()), "bad_clip"),
        (lambda path: (path.unlink(), path.mkdir()), "missing_clip"),
    ],
    ids=["cut off", "empty", "gone", "a still", "a folder"],
)
def test_clips_that_cannot_be_read_to_the_end_are_left_out(
    cot: Path, tmp_path: Path, break_it: object, reason: str
) -> None:
    break_it(cot.parent / "clips/x.webp")
    export(cot, tmp_path / "out", "--format", "messages")
    assert reasons(tmp_path / "out") == {"x": reason}


def test_films_are_counted_frame_by_frame(tmp_path: Path) -> None:
    av = pytest.importorskip("av")
    place = tmp_path / "data/clips/x.mp4"
    place.parent.mkdir(parents=True)
    with av.open(str(place), "w") as film:
        stream = film.add_stream("libx264", rate=10)
        stream.width = stream.height = 32
        stream.pix_fmt = "yuv420p"
        for number in range(7):
            picture = av.VideoFrame(32, 32, "rgb24")
            picture.planes[0].update(bytes([number * 30] * picture.planes[0].buffer_size))
            film.mux(stream.encode(picture))
        film.mux(stream.encode())
    cot = write(tmp_path / "data/cot.jsonl", clip("x", media=Media(kind="video", path="clips/x.mp4")))
    assert export(cot, tmp_path / "out", "--format", "merr") == 0
    assert (tmp_path / "out/MERR_coarse_grained.txt").read_text() == "clips/x 7 happy -10\n"
    assert (tmp_path / "out/videos/clips/x.mp4").is_file()


@pytest.mark.parametrize("word", ["<video>", "<audio>"])
def test_transcript_with_a_placeholder_is_refused(tmp_path: Path, word: str) -> None:
    cot = write_with_media(tmp_path / "data/cot.jsonl", [clip("x", text=f"look {word}"), sample("a", text=word)])
    export(cot, tmp_path / "out", "--format", "sharegpt")
    assert set(reasons(tmp_path / "out").values()) == {f"{word[1:-1]}_placeholder"}


def test_people_of_one_clip_share_its_file(tmp_path: Path) -> None:
    both = [clip("x"), clip("x2", media=Media(kind="video", path="clips/x.webp"))]
    cot = write_with_media(tmp_path / "data/cot.jsonl", both)
    export(cot, tmp_path / "out", "--format", "messages")
    assert {row["videos"][0] for row in lines(tmp_path / "out/clips.jsonl")} == {"videos/clips/x.webp"}
