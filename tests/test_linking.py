"""Who each face of a frame is, where a detector searched every frame by itself."""

from __future__ import annotations

import math

import numpy as np
import pytest

from data_engine.clips.linking import MAX_GONE_S, FaceFollower, Key
from data_engine.sources.blocks import Block
from data_engine.sources.layout import Layout, intensity
from emollm.records import Detector

NAN = float("nan")
ROLES = {"time_s": "t", "x": "x", "y": "y", "width": "w", "height": "h"}
LAYOUT = Layout(Detector(name="x"), (intensity("AU12", "AU12"),), ROLES, frame_by_frame=True)

Face = tuple[float, float, float]
"""Left and top corner, and the side of a square box."""


def block(frames: list[list[Face]], rate: float = 10.0, start: float = 0.0) -> Block:
    """The faces of consecutive frames as rows; a frame without a face is a row without a box."""
    rows = [
        [0.0, start + number / rate, *(face[:2] if face else (NAN, NAN)), *([face[2]] * 2 if face else (NAN, NAN))]
        for number, faces in enumerate(frames)
        for face in faces or [()]
    ]
    return Block(np.arange(len(rows)), np.array(rows), [])


def persons(frames: list[list[Face]], rate: float = 10.0) -> list[str]:
    return FaceFollower(LAYOUT).persons(block(frames, rate), None)


def test_two_people_keep_their_names_whatever_their_order() -> None:
    left, right = (100.0, 100.0, 80.0), (300.0, 110.0, 60.0)
    assert persons([[left, right], [right, left], [left], [right], [right, left]]) == list("01100110")


def test_people_who_move_and_jitter_are_followed() -> None:
    rng = np.random.default_rng(0)
    frames = []
    for number in range(50):
        jitter = rng.normal(0.0, 4.0, (2, 3))
        one = (100.0 + 4.0 * number, 100.0, 80.0)
        other = (500.0 - 3.0 * number, 120.0, 90.0)
        frames.append([tuple(one + jitter[0]), tuple(other + jitter[1])][:: 1 if number % 3 else -1])
    found = persons(frames)
    by_frame = [found[place : place + 2] for place in range(0, 100, 2)]
    names = [pair if number % 3 else pair[::-1] for number, pair in enumerate(by_frame)]
    assert all(pair == names[0] for pair in names)


def test_who_is_gone_for_a_moment_comes_back_and_who_is_gone_for_longer_is_new() -> None:
    face = (100.0, 100.0, 80.0)
    short, long = int(MAX_GONE_S * 10) - 1, int(MAX_GONE_S * 10) + 1
    assert persons([[face], *[[]] * short, [face]])[-1] == "0"
    assert persons([[face], *[[]] * long, [face]])[-1] == "1"


def test_a_cut_to_another_place_or_size_makes_everybody_new() -> None:
    before, after = (100.0, 100.0, 80.0), (400.0, 60.0, 150.0)
    assert persons([[before], [before], [after], [after]]) == ["0", "0", "1", "1"]
    assert persons([[before], [(80.0, 80.0, 160.0)]]) == ["0", "1"]


def test_a_new_face_beside_another_is_a_new_person() -> None:
    one, other = (100.0, 100.0, 80.0), (190.0, 100.0, 80.0)
    assert persons([[one], [one, other], [other], [other, one]]) == ["0", "0", "1", "1", "1", "0"]


def test_a_frame_without_a_face_is_counted_with_the_first_person() -> None:
    assert persons([[], [(1.0, 1.0, 50.0)], []]) == ["0", "0", "0"]


def test_a_block_may_end_inside_a_frame_and_a_clip_begins_anew() -> None:
    left, right = (100.0, 100.0, 80.0), (300.0, 110.0, 60.0)
    follower = FaceFollower(LAYOUT)
    first: list[Key] = [(b"a",)] * 3
    assert follower.persons(block([[left, right], [left]]), first) == ["0", "1", "0"]
    assert follower.persons(block([[right]], start=0.1), first[:1]) == ["1"]
    assert follower.persons(block([[right, left]]), [(b"b",)] * 2) == ["0", "1"]


def test_faces_of_a_still_are_people_of_their_own() -> None:
    still = Layout(Detector(name="x"), LAYOUT.channels, {role: ROLES[role] for role in ("x", "y", "width", "height")})
    rows = np.array([[0.0, 100.0, 100.0, 80.0, 80.0], [0.0, 110.0, 100.0, 80.0, 80.0]])
    assert FaceFollower(still).persons(Block(np.arange(2), rows, []), [(b"a",)] * 2) == ["0", "1"]


def test_a_layout_without_boxes_cannot_be_followed() -> None:
    with pytest.raises(ValueError, match="by their boxes"):
        FaceFollower(Layout(Detector(name="x"), LAYOUT.channels, {"time_s": "t"}))
    assert math.isnan(block([[]]).numbers[0, 2])
