"""Doors: the real workers run against stand-ins of the tools, and the dialects read what they write."""

from __future__ import annotations

import ast
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from data_engine.detectors.doors import DOORS, Door, describe, run_door
from data_engine.detectors.run import WORKERS
from data_engine.sources import DIALECTS, read_head, recognise
from data_engine.sources.blocks import read_blocks
from emollm.errors import ConfigError, SourceError

TOOLS = Path(__file__).parent / "fake_tools"
MODULES = {
    "pyfeat": "feat",
    "mediapipe": "mediapipe",
    "libreface": "libreface",
    "openface3": "openface.face_detection",
    "emotieff": "emotiefflib.facial_analysis",
    "hsemotion": "hsemotion_onnx.facial_emotions",
}


@pytest.fixture
def tools(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An environment that has every tool, and a folder to work in."""
    monkeypatch.setenv("PYTHONPATH", str(TOOLS))
    monkeypatch.chdir(tmp_path)
    for name in ("Alignment_RetinaFace.pth", "MTL_backbone.pth"):
        (tmp_path / "weights").mkdir(exist_ok=True)
        (tmp_path / "weights" / name).touch()
    (tmp_path / "face_landmarker.task").touch()
    return tmp_path


def picture(folder: Path, name: str, colour: tuple[int, int, int] = (204, 102, 51)) -> Path:
    path = folder / name
    Image.new("RGB", (16, 8), colour).save(path)
    return path


def clip(folder: Path, name: str = "film.mp4", frames: int = 4, fps: float = 2.0) -> Path:
    path = folder / name
    path.write_text(json.dumps({"frames": frames, "fps": fps}))
    return path


def read(path: Path, dialect: str) -> list[dict[str, Any]]:
    """The rows of a file as the dialect that recognises it reads them: AU (and side) or role to value."""
    head = read_head(path)
    found, _ = recognise(head)
    assert found.name == dialect
    layout = found.layout(head)
    is_plain = set(layout.numbers) <= set(head.columns)
    rows = found.rows(head) if found.rows and not is_plain else None
    bad: list[str] = []
    names = [f"{channel.au} {channel.side}" if channel.side else channel.au for channel in layout.channels]
    names += [*layout.number_roles, *layout.scores]
    read_rows = []
    for block in read_blocks(head, layout, rows, lambda row, why, detail: bad.append(f"{row} {why} {detail}")):
        texts = block.texts or [()] * len(block.rows)
        for numbers, text in zip(block.numbers.tolist(), texts, strict=True):
            told = dict(zip(names, numbers, strict=True))
            told |= dict(zip(layout.text_roles, (cell.decode() for cell in text), strict=True))
            read_rows.append(told)
    assert bad == []
    return read_rows


def part(row: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: row[name] for name in names}


@pytest.mark.parametrize("door", DOORS.values(), ids=DOORS)
def test_a_door_writes_what_its_dialect_reads(door: Door, tools: Path) -> None:
    photos = [picture(tools, "dim.png", (51, 51, 51)), picture(tools, "a nice, bright one.png", (255, 255, 255))]
    result = run_door(door, [*photos, clip(tools)], tools / "out")
    assert result.failed == []
    assert [path.name for path in result.files] == [f"{door.name}.image.csv", f"{door.name}.video.csv"]
    images, video = (read(path, door.dialect) for path in result.files)
    assert [row["media"] for row in images] == [str(path) for path in photos]
    assert {row["media"] for row in video} == {str(tools / "film.mp4")}
    assert {row["frame"] for row in video} == {0.0, 1.0, 2.0, 3.0}


def test_pyfeat_rows(tools: Path) -> None:
    result = run_door(DOORS["pyfeat"], [picture(tools, "anna.png", (204, 204, 204)), clip(tools)], tools / "out")
    [anna], video = (read(path, "pyfeat") for path in result.files)
    assert part(anna, "AU12", "x", "height", "confidence") == {
        "AU12": 0.8,
        "x": 1.0,
        "height": 40.0,
        "confidence": 0.99,
    }
    assert [part(row, "frame", "time_s", "AU12") for row in video][2] == {"frame": 2.0, "time_s": 1.0, "AU12": 0.5}
    header = result.files[0].read_text().splitlines()[0]
    assert "mesh" not in header
    assert "Identity" not in header


def test_pyfeat_options_reach_the_tool(tools: Path) -> None:
    result = run_door(DOORS["pyfeat"], [clip(tools)], tools / "out", options={"model": "v1", "stride": "2"})
    head = read_head(result.files[0])
    assert DIALECTS["pyfeat"].layout(head).detector.version == "1"
    assert [row["frame"] for row in read(result.files[0], "pyfeat")] == [0.0, 2.0]


def test_a_picture_without_a_face_is_a_row_without_numbers(tools: Path) -> None:
    result = run_door(DOORS["pyfeat"], [picture(tools, "nobody.png"), picture(tools, "anna.png")], tools / "out")
    nobody, anna = read(result.files[0], "pyfeat")
    assert nobody["AU12"] != nobody["AU12"]
    assert anna["AU12"] == pytest.approx(0.4667, abs=1e-4)
    assert result.failed == []


def test_mediapipe_rows(tools: Path) -> None:
    photos = [picture(tools, "anna.png", (204, 102, 51)), picture(tools, "black.png", (0, 0, 0))]
    result = run_door(DOORS["mediapipe"], [*photos, clip(tools)], tools / "out")
    (anna, black), video = (read(path, "mediapipe") for path in result.files)
    assert part(anna, "AU12 left", "AU12 right", "AU26") == pytest.approx(
        {"AU12 left": 0.8, "AU12 right": 0.4, "AU26": 0.2}
    )
    assert part(anna, "x", "y", "width", "height", "yaw", "pitch", "roll") == {
        **{"x": 4.0, "y": 4.0, "width": 8.0, "height": 4.0},
        **{"yaw": 0.0, "pitch": 0.0, "roll": 0.0},
    }
    assert black["AU12 left"] != black["AU12 left"]
    assert [row["time_s"] for row in video] == [0.0, 0.5, 1.0, 1.5]


def test_mediapipe_without_its_model_says_where_to_get_it(tools: Path) -> None:
    with pytest.raises(SourceError, match=r"no model file 'elsewhere\.task'; download https://storage"):
        run_door(DOORS["mediapipe"], [picture(tools, "anna.png")], tools / "out", options={"model": "elsewhere.task"})


def test_libreface_rows(tools: Path) -> None:
    photos = [picture(tools, "anna.png", (204, 204, 204)), picture(tools, "nobody.png")]
    result = run_door(DOORS["libreface"], [*photos, clip(tools)], tools / "out")
    [anna], video = (read(path, "libreface") for path in result.files)
    assert part(anna, "AU12", "AU07") == {"AU12": 4.0, "AU07": 1.0}
    assert [row["time_s"] for row in video] == [0.0, 0.5, 1.0, 1.5]
    assert [(failed.path.name, failed.reason) for failed in result.failed] == [("nobody.png", "no_face")]


def test_openface3_rows(tools: Path) -> None:
    photos = [picture(tools, "anna.png", (204, 204, 204)), picture(tools, "black.png", (0, 0, 0))]
    result = run_door(DOORS["openface3"], [*photos, clip(tools)], tools / "out")
    (anna, black), video = (read(path, "openface3") for path in result.files)
    assert part(anna, "AU12", "AU01") == pytest.approx({"AU12": 0.8, "AU01": 0.1})
    assert part(anna, "x", "y", "width", "height", "confidence") == {
        **{"x": -1.0, "y": 0.0, "width": 9.0, "height": 8.0},
        "confidence": 0.98,
    }
    assert black["AU12"] != black["AU12"]
    assert [row["time_s"] for row in video] == [0.0, 0.5, 1.0, 1.5]


def test_emotion_rows(tools: Path) -> None:
    photos = [picture(tools, "anna.png", (204, 204, 204))]
    [anna] = read(run_door(DOORS["emotieff"], photos, tools / "out").files[0], "emotions")
    assert part(anna, "happiness", "neutral", "contempt", "valence", "arousal") == pytest.approx(
        {"happiness": 0.8, "neutral": 0.2, "contempt": 0.0, "valence": 1.6, "arousal": -0.25}
    )
    seven = {"model": "enet_b2_7"}
    [anna] = read(run_door(DOORS["hsemotion"], photos, tools / "out", options=seven).files[0], "emotions")
    assert "contempt" not in anna
    assert part(anna, "happiness", "neutral") == pytest.approx({"happiness": 0.8, "neutral": 0.2})


def test_a_bad_picture_is_set_aside_and_the_others_are_measured(tools: Path) -> None:
    bad = tools / "bad.png"
    bad.write_text("this is no picture")
    photos = [picture(tools, "a.png"), bad, picture(tools, "c.png")]
    seen: list[tuple[int, int]] = []
    result = run_door(DOORS["pyfeat"], photos, tools / "out", progress=lambda done, num: seen.append((done, num)))
    assert [Path(row["media"]).name for row in read(result.files[0], "pyfeat")] == ["a.png", "c.png"]
    [failed] = result.failed
    assert (failed.path, failed.reason) == (bad, "unreadable_media")
    assert failed.detail.startswith("UnidentifiedImageError: cannot identify image file")
    assert seen == [(1, 3), (2, 3), (3, 3)]


def test_a_worker_that_dies_half_way_keeps_what_it_wrote(tools: Path) -> None:
    photos = [picture(tools, name) for name in ("a.png", "crash.png", "c.png")]
    result = run_door(DOORS["pyfeat"], photos, tools / "out")
    assert [Path(row["media"]).name for row in read(result.files[0], "pyfeat")] == ["a.png"]
    assert [(failed.path.name, failed.reason) for failed in result.failed] == [
        ("crash.png", "not_reached"),
        ("c.png", "not_reached"),
    ]
    assert "was ended by signal 9" in result.failed[0].detail


def test_a_worker_that_hangs_is_ended(tools: Path) -> None:
    photos = [picture(tools, name) for name in ("a.png", "hang.png")]
    result = run_door(DOORS["pyfeat"], photos, tools / "out", silence_s=1.0)
    [failed] = result.failed
    assert failed[:2] == (photos[1], "not_reached")
    assert "said nothing for 1 s and was ended (this takes a while)" in failed.detail


@pytest.mark.parametrize("door", DOORS.values(), ids=DOORS)
def test_a_missing_package_is_one_line_with_the_pip_command(door: Door, tmp_path: Path) -> None:
    with pytest.raises(SourceError) as error:
        run_door(door, [picture(tmp_path, "a.png")], tmp_path / "out", python=_bare_python(tmp_path))
    message = str(error.value)
    assert "cannot import it (ModuleNotFoundError: No module named" in message
    assert message.endswith(f"in that environment: {door.install}")
    assert "\n" not in message


def _bare_python(folder: Path) -> Path:
    """An interpreter that sees no installed package: an empty virtual environment."""
    script = folder / "python"
    script.write_text(f'#!/bin/sh\nunset PYTHONPATH\nexec "{sys.executable}" -S "$@"\n')
    script.chmod(0o755)
    return script


@pytest.mark.parametrize(
    ("said", "hint"),
    [
        ("operator torchvision::nms does not exist", "install all three from one index"),
        ("LocalEntryNotFoundError: Cannot find the file", "HF_HUB_OFFLINE is set or the network is away"),
        ("something else", "all it said is in "),
    ],
)
def test_what_the_tool_said_last_comes_with_what_helps(
    said: str, hint: str, tools: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_FEAT_BREAKS", said)
    with pytest.raises(SourceError) as error:
        run_door(DOORS["pyfeat"], [picture(tools, "a.png")], tools / "out")
    message = str(error.value)
    assert f"pyfeat: py-feat 2.1.5 ended with code 1 (RuntimeError: {said})" in message
    assert hint in message
    assert "\n" not in message


def test_a_wrong_value_of_an_option_is_told_by_the_worker(tools: Path) -> None:
    with pytest.raises(SourceError, match=r"invalid choice: 'v3'.*; correct the option"):
        run_door(DOORS["pyfeat"], [picture(tools, "a.png")], tools / "out", options={"model": "v3"})


def test_an_unknown_option_and_a_wrong_interpreter_are_told_before_anything_runs(tools: Path) -> None:
    with pytest.raises(
        ConfigError, match=r"pyfeat: has no option 'modle'; did you mean 'model'\?; it has model, device"
    ):
        run_door(DOORS["pyfeat"], [picture(tools, "a.png")], tools / "out", options={"modle": "v1"})
    with pytest.raises(
        SourceError, match=r"'nowhere/python' is no Python; name that .* --python or EMOLLM_PYFEAT_PYTHON"
    ):
        run_door(DOORS["pyfeat"], [picture(tools, "a.png")], tools / "out", python=Path("nowhere/python"))


def test_the_interpreter_can_be_named_by_the_environment_and_as_a_folder(
    tools: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tools / "venv" / "bin").mkdir(parents=True)
    _bare_python(tools / "venv" / "bin")
    monkeypatch.setenv("EMOLLM_PYFEAT_PYTHON", str(tools / "venv"))
    with pytest.raises(SourceError, match=r"venv/bin/python cannot import it"):
        run_door(DOORS["pyfeat"], [picture(tools, "a.png")], tools / "out")


def test_names_with_line_breaks_and_bytes_that_are_no_text_reach_the_worker(tools: Path) -> None:
    photos = [picture(tools, "two\nlines.png"), picture(tools, os.fsdecode(b"caf\xe9.png"))]
    result = run_door(DOORS["mediapipe"], photos, tools / "out")
    assert [failed.path for failed in result.failed] == [photos[1]]
    assert "surrogates not allowed" in result.failed[0].detail


def test_a_run_leaves_nothing_of_an_earlier_one(tools: Path) -> None:
    run_door(DOORS["pyfeat"], [picture(tools, "a.png")], tools / "out")
    bad = tools / "bad.png"
    bad.write_text("no picture")
    result = run_door(DOORS["pyfeat"], [bad], tools / "out")
    assert result.files == []
    assert [failed.path for failed in result.failed] == [bad]


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="processes are looked up in /proc")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_the_worker_ends_with_whoever_started_it(number: signal.Signals, tools: Path) -> None:
    picture(tools, "hang.png")
    code = (
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # a background shell ignores it
        "from pathlib import Path; from data_engine.detectors.doors import DOORS, run_door\n"
        "run_door(DOORS['pyfeat'], [Path('hang.png')], Path('out'))"
    )
    root = Path(__file__).parents[1]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(root), str(TOOLS)])}
    parent = subprocess.Popen([sys.executable, "-c", code], cwd=tools, env=environment, stderr=subprocess.PIPE)
    try:
        worker = next(_children_when_hanging(parent.pid, tools / "out" / "pyfeat.image.log"))
        parent.send_signal(number)
        _, said = parent.communicate(timeout=20)
    finally:
        parent.kill()
    assert (b"KeyboardInterrupt" in said) == (number == signal.SIGINT)
    until = time.monotonic() + 10
    while _is_running(worker):
        assert time.monotonic() < until, "the worker goes on"
        time.sleep(0.05)


def _is_running(process: int) -> bool:
    """A process that nobody has waited for yet has ended all the same."""
    state = Path(f"/proc/{process}/stat")
    return state.exists() and state.read_text().rpartition(")")[2].split()[0] != "Z"


def _children_when_hanging(parent: int, log: Path) -> Iterator[int]:
    until = time.monotonic() + 20
    while not (log.exists() and "this takes a while" in log.read_text()):
        assert time.monotonic() < until, "the worker does not hang"
        time.sleep(0.05)
    for entry in Path(f"/proc/{parent}/task").glob("*/children"):
        yield from map(int, entry.read_text().split())


@pytest.mark.parametrize("door", DOORS.values(), ids=DOORS)
def test_every_door_is_whole(door: Door) -> None:
    worker = WORKERS / door.worker
    source = worker.read_text("utf-8")
    assert door.dialect in DIALECTS
    assert f'"--{door.options[-1]}"' in source
    assert all(f'"--{option}"' in source or option == "device" for option in door.options)
    assert door.tool.replace(" ", "==", 1) in door.install
    assert door.tool in source
    assert "licen" in door.weights or "Apache" in door.weights or "non-commercial" in door.weights
    assert door.install in describe(door)


@pytest.mark.parametrize("worker", sorted(WORKERS.glob("*.py")), ids=lambda path: path.stem)
def test_workers_run_on_old_pythons_and_import_nothing_of_ours(worker: Path) -> None:
    tree = ast.parse(worker.read_text("utf-8"), feature_version=(3, 8))
    at_the_top = [node for node in tree.body if isinstance(node, (ast.Import, ast.ImportFrom))]
    names = {alias.name for node in at_the_top if isinstance(node, ast.Import) for alias in node.names}
    names |= {str(node.module) for node in at_the_top if isinstance(node, ast.ImportFrom)}
    assert {name.split(".")[0] for name in names} <= {*sys.stdlib_module_names, "worker_protocol"}
