"""Which files `emollm detect` finds in folders, and what it calls them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from detecting import SQUARE, run_media, save, table, use_squares

from data_engine.detect.files import Input, find_files
from emollm.records import Face, Sample, encode


@pytest.fixture(autouse=True)
def _squares(monkeypatch: pytest.MonkeyPatch) -> None:
    use_squares(monkeypatch)


def names(*inputs: Path) -> list[str]:
    return [file.name for file in find_files(list(inputs), set())]


def test_a_file_that_is_there_twice_is_read_once_under_its_own_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save(tmp_path / "b.png", SQUARE)
    (tmp_path / "a.png").symlink_to("b.png")
    assert names(tmp_path) == ["b"]
    assert names(tmp_path, tmp_path) == ["b"]
    assert capsys.readouterr().err.startswith("1 files are there twice or are links")


def test_links_to_folders_are_not_followed_and_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    save(tmp_path / "photos" / "a.png", SQUARE)
    save(tmp_path / "other" / "b.png", SQUARE)
    (tmp_path / "photos" / "link").symlink_to(tmp_path / "other")
    (tmp_path / "photos" / "loop").symlink_to(tmp_path / "photos")
    assert names(tmp_path / "photos") == ["a"]
    assert capsys.readouterr().err.count("is a link to a folder and not followed; give it as INPUT") == 2
    assert names(tmp_path / "photos" / "link") == ["b"]


def test_a_link_that_leads_nowhere_is_kept_aside(tmp_path: Path) -> None:
    save(tmp_path / "photos" / "a.png", SQUARE)
    (tmp_path / "photos" / "b.png").symlink_to("nowhere.png")
    found = run_media(tmp_path, tmp_path / "photos")
    assert (found.code, found.ids, found.rejected[0]["reason"]) == (1, ["a"], "unreadable_file")


def test_names_that_no_record_can_hold_are_kept_aside(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    save(tmp_path / "photos" / "good.png", SQUARE)
    save(tmp_path / "photos" / "back\\slash.png", SQUARE)
    try:
        os.link(tmp_path / "photos" / "good.png", os.fsencode(tmp_path / "photos") + b"/bad\xff.png")
    except OSError:
        pytest.skip("this file system has UTF-8 names alone")
    found = run_media(tmp_path, tmp_path / "photos")
    assert (found.code, found.ids) == (1, ["good"])
    assert [(entry["id"], entry["reason"]) for entry in found.rejected] == [
        ("back\\slash", "bad_name"),
        ("bad\\xff", "bad_name"),
    ]
    assert "bad\\xff.png: its name holds bytes that are no UTF-8; rename it" in capsys.readouterr().err


@pytest.mark.parametrize(
    "name", ["with space", "顔 ünï", "com,ma", 'quo"te', "new\nline", "tab\t", " lead", "-dash", "#1"]
)
def test_any_other_name_is_a_name(tmp_path: Path, name: str) -> None:
    save(tmp_path / "photos" / f"{name}.png", SQUARE)
    for _ in range(2):
        assert run_media(tmp_path, tmp_path / "photos").ids == [name]


def test_a_deep_folder_gives_an_id_that_a_record_allows(tmp_path: Path) -> None:
    save(tmp_path.joinpath(*["x" * 150] * 4, "deep.png"), SQUARE)
    for _ in range(2):
        [name] = run_media(tmp_path, tmp_path).ids
        assert (len(name), name[-5:]) == (400, "/deep")


def test_names_of_pictures_are_no_names_of_people(tmp_path: Path) -> None:
    save(tmp_path / "photos" / "anna.png", (5, 30, 51, 0), (80, 60, 102, 0))
    save(tmp_path / "photos" / "anna" / "1.png", SQUARE)
    found = run_media(tmp_path, tmp_path / "photos")
    assert (found.code, found.ids) == (0, ["anna/1.png", "anna/0", "anna/1"])


def test_pictures_that_are_given_themselves_are_told_apart_by_their_suffix(tmp_path: Path) -> None:
    files = [save(tmp_path / name, SQUARE) for name in ("a.png", "a.bmp", "b.png")]
    assert names(*files) == ["a.png", "a.bmp", "b"]


def test_what_a_door_and_a_stage_left_in_the_folder_is_no_input(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save(tmp_path / "a.png", SQUARE)
    table(tmp_path / "samples.pyfeat" / "run1" / "pyfeat.image.csv")
    (tmp_path / "samples.manifest.json").write_text("{}")
    (tmp_path / "theirs.jsonl").write_bytes(encode(Sample(id="x", faces=[Face()])) + b"\n")
    assert names(tmp_path) == ["a"]
    assert "theirs.jsonl: holds samples; as INPUT they are measured anew" in capsys.readouterr().err
    table(tmp_path / "notes.pyfeat" / "clip.csv")
    assert names(tmp_path) == ["a", "notes.pyfeat/clip"]


def test_an_input_tells_its_path_under_the_folder() -> None:
    assert Input(Path("/x/photos/a/b.png"), "a/b", "media", Path("/x/photos")).told == "a/b.png"
    assert Input(Path("/x/photos/b.png"), "b", "media").told == "b.png"
