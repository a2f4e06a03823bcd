"""Faces as rows: what a detector says of a still comes out of the rows as it went in."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from data_engine.clips.reading import gather_clips
from data_engine.clips.samples import clip_samples, persons
from data_engine.media.frames import Frame, Pace, bounded
from data_engine.media.rows import AUS, REGIONS, Table, blocks, media_source, row_of
from emollm.records import AU, Detector, Face

DETECTOR = Detector(name="squares", version="1", weights="none")
PIXELS = np.zeros((8, 8, 3), np.uint8)


def to(low: float, high: float, digits: int) -> st.SearchStrategy[float]:
    """Numbers with as many decimals as rows keep."""
    scale = 10**digits
    return st.integers(int(low * scale), int(high * scale)).map(lambda whole: whole / scale)


@st.composite
def faces(draw: st.DrawFn) -> Face:
    aus = {}
    for code in draw(st.sets(st.sampled_from(AUS), min_size=1)):
        left, right = draw(to(0, 5, 3)), draw(to(0, 5, 3))
        aus[code] = AU(value=max(left, right), kind="intensity", left=left, right=right)
    return Face(
        face="",
        box=(draw(to(-9, 99, 1)), draw(to(-9, 99, 1)), draw(to(1, 99, 1)), draw(to(1, 99, 1))),
        confidence=draw(to(0, 1, 3)),
        aus=dict(sorted(aus.items())),
        hidden=[region for region in REGIONS if draw(st.booleans())],
        pose=(draw(to(-3, 3, 3)), draw(to(-3, 3, 3)), draw(to(-3, 3, 3))),
        detector=DETECTOR,
    )


def through_rows(found: list[Face]) -> list[Face]:
    """The faces of a still, as the samples of its rows tell them."""
    numbers = np.array([row_of(Frame(PIXELS), face) for face in found])
    source = media_source(Path("a.png"), "a", True, DETECTOR)
    reported: list[str] = []
    bad = lambda row, reason, detail: reported.append(detail)  # noqa: E731, ARG005
    table = Table(numbers, is_still=True)
    [clip] = gather_clips(blocks(table), source.layout, min_confidence=0.0, keep_all=False, bad=bad)
    people = persons(clip, keep_all=False)
    assert reported == []
    return [face for sample in clip_samples(source, clip, "a", people, keep_all=False) for face in sample.faces or []]


def test_every_movement_of_a_face_has_a_place() -> None:
    assert {"AU12", "AU34", "AU43", "AU45"} <= set(AUS)


@given(st.lists(faces(), min_size=1, max_size=4))
def test_faces_of_a_still_come_out_as_they_went_in(found: list[Face]) -> None:
    for place, face in enumerate(found):
        face.face = str(place)
    assert through_rows(found) == found


def test_an_au_without_sides_has_the_same_on_both() -> None:
    [face] = through_rows([Face(aus={"AU12": AU(value=2.0, kind="intensity")})])
    assert face.aus == {"AU12": AU(value=2.0, kind="intensity", left=2.0, right=2.0)}
    assert (face.box, face.confidence, face.hidden, face.pose) == (None, None, None, None)


@given(st.integers(1, 9000), st.integers(1, 9000), st.integers(1, 4000))
def test_a_bounded_size_keeps_its_shape(width: int, height: int, longest: int) -> None:
    bound = bounded((width, height), longest)
    assert max(bound) <= longest
    assert min(bound) >= 1
    if max(width, height) <= longest:
        assert bound == (width, height)


@given(st.floats(1, 240), st.floats(0.1, 60))
def test_a_stride_gives_at_least_the_frames_that_were_asked_for(native: float, fps: float) -> None:
    stride = Pace(fps=fps).stride_of(native)
    assert stride >= 1
    assert stride == 1 or native / stride >= 0.9 * fps
