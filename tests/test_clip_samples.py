"""What the rows of a clip become in a sample: events, the face at the peak, its pose and its hidden regions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from detecting import Run, table

from data_engine.clips.reading import Clip, gather_clips
from data_engine.clips.samples import face_of, persons
from data_engine.sources.blocks import Block
from data_engine.sources.layout import Channel, Layout, intensity
from emollm.records import Detector, Face, Sample

NAN = float("nan")
OPENFACE = "frame,timestamp,confidence,success,pose_Rx,pose_Ry,pose_Rz,AU12_r,AU45_r\n"
PYFEAT = "frame,input,FaceRectX,FaceRectY,FaceRectWidth,FaceRectHeight,FaceScore,Pitch,Roll,Yaw,AU12,{},approx_time\n"


def smile_rows(rate: float = 30.0) -> str:
    """Three seconds of OpenFace: a smile from 1 s to 2 s, a blink at 2.5 s; the head turned, raised and tilted."""
    lines = []
    for frame in range(round(3 * rate)):
        time = frame / rate
        smile = float(np.interp(time, [1.0, 1.3, 1.7, 2.0], [0.0, 3.0, 3.0, 0.0]))
        blink = 4.0 if 2.5 <= time < 2.7 else 0.0
        lines.append(f"{frame + 1},{time:.3f},0.98,1,0.1,-0.3,0.2,{smile:.2f},{blink}\n")
    return "".join(lines)


def detect_of(sample: Sample) -> dict[str, Any]:
    return (sample.provenance or {})["detect"]


def face(sample: Sample) -> Face:
    [found] = sample.faces or []
    return found


def test_a_clip_has_its_events_and_the_span_they_are_in(tmp_path: Path) -> None:
    [sample] = Run(tmp_path, table(tmp_path / "a.csv", smile_rows(), OPENFACE)).samples
    events = sample.events or []
    assert [event.au for event in events] == ["AU12", "AU45"]
    assert (events[0].onset_s, events[0].offset_s) == (pytest.approx(1.05, abs=0.04), pytest.approx(1.95, abs=0.04))
    assert (events[0].apex_s, events[0].peak, events[0].face) == (1.3, 3.0, face(sample).face)
    assert detect_of(sample)["span_s"] == [0.0, pytest.approx(2.967)]
    assert detect_of(sample)["events"].startswith("from trace to trace")


def test_single_frames_and_single_rows_have_no_events(tmp_path: Path) -> None:
    path = table(tmp_path / "a.csv", smile_rows(), OPENFACE)
    assert {str(sample.events) for sample in Run(tmp_path / "all", path, "--frames", "all").samples} == {"None"}
    [still] = Run(tmp_path / "still", table(tmp_path / "b.csv")).samples
    assert still.events is None
    assert "events" not in detect_of(still)


def test_a_clip_without_times_says_why_it_has_no_events(tmp_path: Path) -> None:
    rows = "".join(f"{frame},0.98,1,{frame % 5}\n" for frame in range(20))
    found = Run(tmp_path, table(tmp_path / "a.csv", rows, "frame,confidence,success,AU12_r\n"))
    [sample] = found.samples
    assert sample.events is None
    assert found.manifest["counts"]["without events for lack of times"] == 1
    assert "the rows have no times" in detect_of(sample)["events"]


def test_each_person_has_events_of_their_own(tmp_path: Path) -> None:
    header = "frame,face_id,timestamp,confidence,success,AU12_r\n"
    rows = "".join(
        f"{frame},{person},{frame / 30:.3f},0.98,1,{3.0 if person and 30 <= frame < 60 else 0.0}\n"
        for frame in range(90)
        for person in (0, 1)
    )
    samples = Run(tmp_path, table(tmp_path / "a.csv", rows, header)).samples
    assert {sample.id: [event.face for event in sample.events or []] for sample in samples} == {
        "a/0": [],
        "a/1": ["1"],
    }


def test_the_pose_of_openface_turns_to_the_subjects_left_and_up(tmp_path: Path) -> None:
    [sample] = Run(tmp_path, table(tmp_path / "a.csv", smile_rows(), OPENFACE)).samples
    assert face(sample).pose == (pytest.approx(0.3), pytest.approx(-0.1), pytest.approx(0.2))


@pytest.mark.parametrize(("emotion", "pose"), [("Happy", (-0.3, 0.1, -0.2)), ("happiness", None)])
def test_the_pose_of_py_feat_is_known_since_version_2(
    tmp_path: Path, emotion: str, pose: tuple[float, float, float] | None
) -> None:
    path = table(tmp_path / "fex.csv", "0,a.mp4,10,10,50,50,0.99,0.1,0.2,0.3,0.9,0.8,00:00\n", PYFEAT.format(emotion))
    [sample] = Run(tmp_path, path).samples
    assert face(sample).pose == (pose and tuple(map(pytest.approx, pose)))


# --- what a detector in this process hands over ------------------------------------------------------------------

ROLES = {role: role for role in ("time_s", "confidence", "x", "y", "width", "height", "hidden", "yaw", "pitch", "roll")}
CHANNELS = (
    Channel("AU12", "AU12L", "intensity", "left", 0.0, 5.0),
    Channel("AU12", "AU12R", "intensity", "right", 0.0, 5.0),
    intensity("AU04", "AU04"),
)
OWN = Layout(Detector(name="tiny"), CHANNELS, ROLES, frame_by_frame=True)


def own_clip(values: list[tuple[float, float, float]], hidden: int = 0) -> Clip:
    """One face in place, a row a frame at 10 frames a second."""
    rows = [[*aus, number / 10.0, 0.9, 10, 10, 80, 80, hidden, 0.1, -0.2, 0.3] for number, aus in enumerate(values)]
    # Number roles have an order of their own.
    order = [list(ROLES).index(role) for role in OWN.number_roles]
    numbers = np.array([[*row[:3], *(row[3 + place] for place in order)] for row in rows])
    [clip] = gather_clips(
        [Block(np.arange(len(rows)), numbers, [])], OWN, min_confidence=0.5, keep_all=False, bad=lambda *_: None
    )
    return clip


def own_face(clip: Clip) -> Face:
    [person] = persons(clip, keep_all=False)
    return face_of(person.moments[0], person.name, OWN)


def test_the_face_at_the_peak_of_our_own_detector_is_a_median_over_frames() -> None:
    smile = [0.0] * 10 + [1.0, 2.0, 2.4, 3.2, 2.6, 2.0, 1.0] + [0.0] * 10
    found = own_face(own_clip([(value, value / 2.0, 4.0 if value == 3.2 else 0.0) for value in smile]))
    aus = found.aus or {}
    assert found.time_s == pytest.approx(1.3)
    assert (aus["AU12"].value, aus["AU12"].left, aus["AU12"].right) == (2.4, 2.4, 1.2)
    assert aus["AU04"].value == 0.0


def test_an_au_that_is_hidden_at_the_peak_is_not_measured_there() -> None:
    found = own_face(own_clip([(2.0, 2.0, 1.0)] * 5 + [(3.0, 3.0, NAN)] * 5 + [(2.0, 2.0, 1.0)] * 5, hidden=0b11))
    assert set(found.aus or {}) == {"AU12"}
    assert found.hidden == ["brows", "eyes"]
    assert found.pose == (0.1, -0.2, 0.3)
    assert found.box == (10.0, 10.0, 80.0, 80.0)


def test_nothing_hidden_is_known_to_be_nothing() -> None:
    assert own_face(own_clip([(1.0, 1.0, 1.0)])).hidden == []


def test_people_of_our_own_detector_are_followed_by_their_boxes() -> None:
    clip = own_clip([(1.0, 1.0, 1.0)] * 5)
    assert list(clip.tracks) == ["0"]
    assert clip.tracks["0"].counts == {"usable": 5}
