"""Media of AU files: found under the root by name, and never outside it."""

from __future__ import annotations

from pathlib import Path

import pytest

from data_engine.sources.media import find_media


def touch(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    return path


def found(named: str, source: Path, root: Path, moving: bool = True) -> tuple[str, str] | None:
    media = find_media(named, source, root, moving=moving)
    return (media.kind, media.path) if media else None


def test_a_clip_beside_its_table_is_found(tmp_path: Path) -> None:
    touch(tmp_path / "au" / "a.MP4")
    assert found("", tmp_path / "au" / "a.csv", tmp_path) == ("video", "au/a.MP4")


@pytest.mark.parametrize(
    "named",
    [
        "smile.jpg",
        "./faces/smile.jpg",
        "/home/someone/faces/smile.jpg",
        "C:\\data\\faces\\smile.jpg",
        "smile",
        "faces/smile",
    ],
)
def test_a_picture_is_found_by_the_end_of_its_path_on_another_machine(tmp_path: Path, named: str) -> None:
    folder = "" if "/" not in named and "\\" not in named else "faces/"
    touch(tmp_path / folder / "smile.jpg")
    assert found(named, tmp_path / "au" / "a.csv", tmp_path) == ("image", f"{folder}smile.jpg")


def test_an_absolute_path_under_the_root_is_found(tmp_path: Path) -> None:
    path = touch(tmp_path / "a" / "b" / "c" / "d" / "e" / "smile.jpg")
    assert found(str(path), tmp_path / "a.csv", tmp_path) == ("image", "a/b/c/d/e/smile.jpg")


def test_the_longest_matching_end_of_the_path_wins(tmp_path: Path) -> None:
    touch(tmp_path / "sad" / "1.jpg")
    touch(tmp_path / "happy" / "1.jpg")
    touch(tmp_path / "1.jpg")
    assert found("/x/happy/1.jpg", tmp_path / "a.csv", tmp_path) == ("image", "happy/1.jpg")


@pytest.mark.parametrize(("moving", "kind"), [(True, "video"), (False, "image")])
def test_an_animated_suffix_is_a_clip_where_the_rows_move(tmp_path: Path, moving: bool, kind: str) -> None:
    touch(tmp_path / "a.webp")
    assert found("a.webp", tmp_path / "a.csv", tmp_path, moving) == (kind, "a.webp")


@pytest.mark.parametrize(
    "named", ["../secret.jpg", "link.jpg", "{root}/secret.jpg", "nowhere.jpg", "notes.txt", "", "\0.jpg", "/", ".."]
)
def test_nothing_outside_the_root_and_nothing_but_media_is_found(tmp_path: Path, named: str) -> None:
    touch(tmp_path / "secret.jpg")
    root = tmp_path / "root"
    touch(root / "notes.txt")
    (root / "link.jpg").symlink_to(tmp_path / "secret.jpg")
    assert found(named.replace("{root}", str(tmp_path)), root / "a.csv", root) is None
