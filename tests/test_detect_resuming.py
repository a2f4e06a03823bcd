"""Runs of `emollm detect` that are stopped, at any moment and in any way, and go on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import tracemalloc
from pathlib import Path

import pytest
from detecting import SQUARE, Run, SquareDetector, picture, run_media, save, table, use_squares

from data_engine.detect.resuming import settled_files
from data_engine.workers import spread
from emollm.errors import ConfigError, EmoLLMError
from emollm.records import Detector
from emollm.stage import rejects_beside

TESTS = Path(__file__).parent
SLOWLY = """
import signal, sys, detecting
import data_engine.detect.onlooker as onlooker
onlooker.load_detector = detecting.load_slow
from emollm.cli import main
if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a background shell ignores it
    sys.exit(main(["detect", *sys.argv[1:]]))
"""


@pytest.fixture(autouse=True)
def _squares(monkeypatch: pytest.MonkeyPatch) -> None:
    use_squares(monkeypatch)


def test_what_was_kept_aside_is_not_held_in_memory(tmp_path: Path) -> None:
    output = tmp_path / "samples.jsonl"
    output.touch()
    with rejects_beside(output).open("w", encoding="utf-8") as file:
        for number in range(2000):
            reason = "no_face" if number == 1000 else "unreadable"
            file.write(json.dumps({"id": f"{number}.png", "reason": reason, "detail": "x" * 1000}) + "\n")
        file.write('{"id": "torn')
    tracemalloc.start()
    found = settled_files(output)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert list(found) == ["1000.png"]
    assert peak < rejects_beside(output).stat().st_size / 4


def moving(path: Path, num: int = 20) -> Path:
    """A clip of somebody, and of somebody else in one frame of it."""
    frames = []
    for place in range(num):
        passer = [(90, 50, 204, 0)] if place == 7 else []
        frames.append(picture((5, 40, place * 10, 0), *passer))
        frames[-1].putpixel((place, 0), (255, 0, 0))
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=100, loop=0)
    return path


def album(folder: Path, num: int = 150) -> Path:
    """Faces, pairs, walls, files that are none, and two clips of which one is cut off."""
    for number in range(num):
        path = folder / f"{number:03d}.png"
        if number % 10 == 3:
            save(path)
        elif number % 10 == 5:
            save(path, (5, 30, 51, 0), (80, 60, 102, 0))
        elif number % 10 == 7:
            path.write_text("hello")
        else:
            save(path, (40, 60, number, 0))
    moving(folder / "whole.gif")
    cut = moving(folder / "cut.gif")
    cut.write_bytes(cut.read_bytes()[: cut.stat().st_size * 2 // 3])
    return folder


def rejected_of(found: Run) -> bytes:
    return found.path.with_name("samples.rejected.jsonl").read_bytes()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_a_stopped_run_ends_as_one_that_was_not(tmp_path: Path, number: signal.Signals) -> None:
    photos = album(tmp_path / "photos")
    arguments = [photos, "--workers", "2"]
    whole = Run(tmp_path / "whole", photos, "--workers", "1", "--media-root", tmp_path)
    (tmp_path / "slowly.py").write_text(SLOWLY)
    output = tmp_path / "stopped" / "out" / "samples.jsonl"
    command = [sys.executable, tmp_path / "slowly.py", *arguments, "-o", output, "--media-root", tmp_path]
    environment = os.environ | {"PYTHONPATH": str(TESTS)}
    with subprocess.Popen([*map(str, command)], env=environment, stderr=subprocess.DEVNULL) as process:
        while process.poll() is None and not (output.exists() and output.read_bytes().count(b"\n") > 40):
            time.sleep(0.01)
        process.send_signal(number)
        process.wait(timeout=20)
    assert 40 < output.read_bytes().count(b"\n") < len(whole.samples)
    again = Run(tmp_path / "stopped", photos, "--workers", "1", "--media-root", tmp_path)
    assert (again.code, whole.code) == (1, 1)
    assert again.path.read_bytes() == whole.path.read_bytes()
    assert rejected_of(again) == rejected_of(whole)


def test_what_is_done_is_not_opened_again_and_what_it_lost_is_told_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    photos = album(tmp_path / "photos", num=6)
    first = run_media(tmp_path, photos)
    samples, aside = first.path.read_bytes(), rejected_of(first)
    assert {entry["reason"] for entry in first.rejected} == {"no_face", "seen_too_briefly", "damaged_clip"}

    def never(*_: object) -> None:
        raise AssertionError("nothing is to be looked at")

    monkeypatch.setattr(SquareDetector, "detect", never)
    capsys.readouterr()
    again = run_media(tmp_path, photos)
    assert (again.path.read_bytes(), rejected_of(again), again.code) == (samples, aside, 1)
    assert "all 8 pictures and clips are done" in capsys.readouterr().err


def test_a_file_that_could_not_be_read_is_tried_again(tmp_path: Path) -> None:
    save(tmp_path / "photos" / "a.png", SQUARE)
    (tmp_path / "photos" / "b.png").write_text("hello")
    assert run_media(tmp_path, tmp_path / "photos").ids == ["a"]
    save(tmp_path / "photos" / "b.png", SQUARE)
    again = run_media(tmp_path, tmp_path / "photos")
    assert (again.code, again.ids, again.rejected) == (0, ["a", "b"], [])


def test_labels_of_what_is_done_have_found_their_clip(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in "ab":
        save(tmp_path / "photos" / f"{name}.png", SQUARE)
    labels = table(tmp_path / "labels.csv", "a.png,sad\nb.png,happy\n", "name,label\n")
    arguments = [tmp_path / "photos", "--labels", labels, "--label-set", "basic7"]
    run_media(tmp_path, *arguments)
    run_media(tmp_path, *arguments)
    assert "labels found no clip" not in capsys.readouterr().err


def test_other_weights_are_not_mixed_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save(tmp_path / "photos" / "a.png", SQUARE)
    run_media(tmp_path, tmp_path / "photos")
    monkeypatch.setattr(SquareDetector, "detector", Detector(name="squares", version="1", weights="new"))
    with pytest.raises(ConfigError, match=r"was measured by squares 1 \(none\), and this is squares 1 \(new\)"):
        run_media(tmp_path, tmp_path / "photos")
    assert run_media(tmp_path, tmp_path / "photos", "--overwrite").code == 0


def test_a_worker_that_is_killed_is_one_line() -> None:
    with pytest.raises(EmoLLMError, match="memory ran out; use fewer --workers"):
        list(spread(os._exit, [1], 2))


def test_a_limit_counts_what_is_done(tmp_path: Path) -> None:
    for name in "abcd":
        save(tmp_path / "photos" / f"{name}.png", SQUARE)
    assert run_media(tmp_path, tmp_path / "photos", "--limit", "2").ids == ["a", "b"]
    assert run_media(tmp_path, tmp_path / "photos", "--limit", "2").ids == ["a", "b"]
    assert run_media(tmp_path, tmp_path / "photos", "--limit", "3").ids == ["a", "b", "c"]


def test_a_picture_is_never_written_over(tmp_path: Path) -> None:
    path = save(tmp_path / "a.png", SQUARE)
    before = path.read_bytes()
    from data_engine.detect.door import main

    with pytest.raises(ConfigError, match="is an input of this run"):
        main([str(tmp_path), "-o", str(path), "--overwrite"])
    assert path.read_bytes() == before
