"""Blendshapes and tables of emotions: what they are read as, and what is left unsaid."""

from __future__ import annotations

import json
import math
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from detecting import Run
from hypothesis import given, settings
from hypothesis import strategies as st

from data_engine.sources import DIALECTS, read_head, recognise
from data_engine.sources.blocks import read_blocks
from emollm.errors import SourceError
from emollm.records import Face

NAMES = sorted({name for unit in ("mouthSmile", "browDown", "eyeBlink", "cheekSquint", "mouthUpperUp", "noseSneer",
                                  "eyeWide", "mouthLowerDown") for name in (f"{unit}Left", f"{unit}Right")}
               | {"jawOpen", "mouthClose", "browInnerUp", "cheekPuff", "mouthPucker"})  # fmt: skip


def faces(folder: Path, *rows: dict[str, Any], name: str = "table.csv") -> list[Face]:
    """The faces that a table of blendshapes gives, one a row; channels that are not named are 0."""
    lines = [",".join(["image", *NAMES])]
    lines += [
        ",".join([f"{place}.jpg", *(str(row.get(channel, 0.0)) for channel in NAMES)]) for place, row in enumerate(rows)
    ]
    path = folder / name
    path.write_text("\n".join(lines) + "\n")
    run = Run(folder, path)
    return [face for sample in run.samples for face in sample.faces or ()]


def values(face: Face) -> dict[str, float]:
    return {code: au.value for code, au in (face.aus or {}).items()}


def test_sides_are_the_subjects_and_values_are_intensities(tmp_path: Path) -> None:
    [face] = faces(tmp_path, {"mouthSmileLeft": 0.8, "mouthSmileRight": 0.2})
    assert face.aus is not None
    smile = face.aus["AU12"]
    assert (smile.value, smile.left, smile.right, smile.kind) == (4.0, 4.0, 1.0, "intensity")


def test_a_resting_channel_says_that_an_au_is_there_never_that_it_is_not(tmp_path: Path) -> None:
    resting, moving = faces(tmp_path, {"cheekSquintLeft": 0.19, "eyeWideRight": 0.1}, {"cheekSquintLeft": 0.2})
    assert not {"AU05", "AU06", "AU09", "AU34"} & values(resting).keys()
    assert moving.aus is not None
    assert (moving.aus["AU06"].left, moving.aus["AU06"].right) == (1.0, 0.0)


@pytest.mark.parametrize(
    ("row", "aus"),
    [
        ({"jawOpen": 0.5, "mouthClose": 0.1}, {"AU25": 2.0, "AU26": 2.5, "AU27": 0.0}),
        ({"jawOpen": 0.9}, {"AU25": 4.5, "AU26": 0.0, "AU27": 4.5}),
        ({"jawOpen": 0.3, "mouthClose": 0.6}, {"AU25": 0.0, "AU26": 1.5, "AU27": 0.0}),
        ({"mouthUpperUpLeft": 0.4}, {"AU26": 0.0, "AU27": 0.0}),  # teeth may show, or not
    ],
)
def test_the_mouth(tmp_path: Path, row: dict[str, float], aus: dict[str, float]) -> None:
    [face] = faces(tmp_path, row)
    assert {code: value for code, value in values(face).items() if code in ("AU25", "AU26", "AU27")} == aus


@settings(max_examples=30, deadline=None)
@given(st.lists(st.dictionaries(st.sampled_from(NAMES), st.floats(0.0, 1.0)), min_size=1, max_size=3))
def test_whatever_the_channels_say_the_aus_are_possible(rows: list[dict[str, float]]) -> None:
    with TemporaryDirectory() as folder:
        found = faces(Path(folder), *rows)
    assert len(found) == len(rows)
    for face, row in zip(found, rows, strict=True):
        told = values(face)
        assert all(0.0 <= value <= 5.0 for value in told.values())
        assert not (told["AU26"] and told["AU27"])
        assert all(told[code] >= 1.0 - 1e-6 for code in ("AU05", "AU06", "AU09", "AU34") if code in told)
        smile = 5.0 * max(row.get("mouthSmileLeft", 0.0), row.get("mouthSmileRight", 0.0))
        assert told["AU12"] == pytest.approx(smile, abs=1e-5)


@pytest.mark.parametrize("channel", ["mouthPucker", "jawOpen", "cheekSquintLeft", "cheekPuff"])
@pytest.mark.parametrize(
    ("cell", "reason"), [("high", "not_a_number"), ("1.5", "out_of_range"), ("-0.4", "out_of_range")]
)
def test_a_cell_that_is_no_coefficient_is_reported(tmp_path: Path, channel: str, cell: str, reason: str) -> None:
    path = tmp_path / "table.csv"
    path.write_text(
        f"image,{','.join(NAMES)}\na.jpg,{','.join(cell if name == channel else '0.1' for name in NAMES)}\n"
    )
    assert [entry["reason"] for entry in Run(tmp_path, path).rejected][:1] == [reason]


def test_a_torn_row_is_reported_and_the_others_are_read(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    whole = ",".join(["0.1"] * len(NAMES))
    path.write_text(f"image,{','.join(NAMES)}\na.jpg,{whole}\nb.jpg,0.1,0.1\nc.jpg,{whole}\n")
    run = Run(tmp_path, path)
    assert run.ids == ["a", "c"]
    assert [(entry["id"], entry["reason"]) for entry in run.rejected] == [("table#000001", "not_a_number")]


def write(folder: Path, items: Any, name: str = "faces.json") -> Path:
    path = folder / name
    path.write_text(json.dumps(items))
    return path


CHANNELS = dict.fromkeys(NAMES, 0.0) | {"mouthSmileLeft": 0.6}
CATEGORIES = [{"category_name": name, "score": score} for name, score in CHANNELS.items()]
CAMEL = [{"categoryName": name, "score": score} for name, score in CHANNELS.items()]


@pytest.mark.parametrize(
    "item",
    [
        {"image": "a.jpg", **CHANNELS},
        {"image": "a.jpg", "blendshapes": CHANNELS},
        {"image": "a.jpg", "face_blendshapes": [CATEGORIES]},
        {"image": "a.jpg", "blendshapes": CATEGORIES},
        {"image": "a.jpg", "faceBlendshapes": [{"categories": CAMEL, "headIndex": -1}]},
    ],
    ids=["flat", "dictionary", "python", "one face", "javascript"],
)
def test_json_of_every_form(tmp_path: Path, item: dict[str, Any]) -> None:
    run = Run(tmp_path, write(tmp_path, [item]))
    [sample] = run.samples
    assert sample.faces is not None
    assert sample.faces[0].aus is not None
    assert (sample.id, sample.faces[0].aus["AU12"].left) == ("a", 3.0)


def test_two_faces_of_a_picture_are_two_samples(tmp_path: Path) -> None:
    run = Run(tmp_path, write(tmp_path, [{"image": "a.jpg", "face_blendshapes": [CATEGORIES, CATEGORIES]}]))
    assert run.ids == ["a/0", "a/1"]


@pytest.mark.parametrize("told", [[], [[]], [[[[[CATEGORIES]]]]], "none", None, 3, [{"score": 1}]])
def test_json_without_faces_is_no_face(tmp_path: Path, told: Any) -> None:
    items = [{"image": "a.jpg", "blendshapes": CHANNELS}, {"image": "b.jpg", "blendshapes": told}]
    run = Run(tmp_path, write(tmp_path, items))
    assert run.ids == ["a"]
    assert [entry["reason"] for entry in run.rejected] == ["no_usable_row"]


@pytest.mark.parametrize(
    "spelled", [str.lower, lambda n: n[0].upper() + n[1:], lambda n: n.replace("Left", "_L").replace("Right", "_R")]
)
def test_names_in_every_spelling(tmp_path: Path, spelled: Any) -> None:
    path = tmp_path / "table.csv"
    path.write_text(",".join(map(spelled, NAMES)) + "\n" + ",".join(["0.4"] * len(NAMES)) + "\n")
    dialect, _ = recognise(read_head(path))
    assert dialect.name == "mediapipe"
    sides = {channel.side for channel in dialect.layout(read_head(path)).channels if channel.au == "AU12"}
    assert sides == {"left", "right"}


def test_milliseconds_are_seconds(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text(f"timestamp_ms,{','.join(NAMES)}\n40,{','.join(['0.1'] * len(NAMES))}\n")
    head = read_head(path)
    layout = DIALECTS["mediapipe"].layout(head)
    assert DIALECTS["mediapipe"].rows is not None
    [block] = read_blocks(head, layout, DIALECTS["mediapipe"].rows(head), lambda *told: pytest.fail(str(told)))
    place = layout.place("time_s")
    assert place is not None
    assert math.isclose(block.numbers[0, place], 0.04)


def test_blendshapes_beside_aus_are_those_of_pyfeat(tmp_path: Path) -> None:
    path = tmp_path / "fex.csv"
    path.write_text(f"FaceRectX,FaceScore,AU12,{','.join(NAMES)}\n1,0.9,0.4,{','.join(['0.1'] * len(NAMES))}\n")
    assert recognise(read_head(path))[0].name == "pyfeat"


EMOTIONS = "angry,disgust,fear,happy,neutral,sad,surprise"


def test_seven_emotions_are_a_distribution_over_basic7(tmp_path: Path) -> None:
    path = tmp_path / "emotions.csv"
    path.write_text(f"image,{EMOTIONS}\na.jpg,0.7,0.1,0,0,0.2,0,0\n")
    [sample] = Run(tmp_path, path).samples
    assert sample.label_set == "basic7"
    assert sample.soft is not None
    assert {label: share for label, share in sample.soft.items() if share} == {
        "anger": 0.7,
        "disgust": 0.1,
        "neutral": 0.2,
    }
    assert sample.label is None
    assert sample.faces is not None
    assert sample.faces[0].aus is None


def test_the_moment_of_a_clip_is_the_least_neutral(tmp_path: Path) -> None:
    path = tmp_path / "emotions.csv"
    rows = [(0.0, 1.0)] * 12 + [(0.4, 0.6), (0.9, 0.1), (0.8, 0.2), (0.4, 0.6)] + [(0.0, 1.0)] * 12
    lines = [f"film.mp4,{n},0,0,0,{happy},{neutral},0,0" for n, (happy, neutral) in enumerate(rows)]
    path.write_text(f"input,frame,{EMOTIONS}\n" + "\n".join(lines) + "\n")
    [sample] = Run(tmp_path, path).samples
    assert sample.faces is not None
    assert sample.faces[0].frame == 13
    assert sample.soft is not None
    assert sample.soft["happiness"] == 0.9


@pytest.mark.parametrize("row", ["-1.2,0.3,2.1,0.2,4.0,1.1,0.4", "70,10,0,0,20,0,0", "0.9,0.1,0.8,0.2,0.9,0.3,0.1"])
def test_scores_that_are_no_probabilities_are_refused(tmp_path: Path, row: str) -> None:
    path = tmp_path / "emotions.csv"
    path.write_text(f"image,{EMOTIONS}\na.jpg,{row}\n")
    with pytest.raises(SourceError, match="has no AU columns"):
        recognise(read_head(path))
