from __future__ import annotations

import sys
from io import BytesIO
from typing import Any

import msgspec
import numpy as np
import pytest
from PIL import Image

from data_engine.faces.expressions import EXPRESSIBLE, express
from data_engine.faces.film.acting import perform, pulses, rest
from data_engine.faces.film.encoding import encode_clip, frame_times
from data_engine.faces.film.motion import BLINK_S, RISE, TRACE, Motion
from data_engine.faces.film.scenes import Scene
from data_engine.faces.film.shots import Shot
from data_engine.faces.picture import render
from data_engine.faces.spec import FaceSpec
from emollm.errors import ConfigError, MissingExtraError
from emollm.records import Event

TIMES, END = frame_times(3.0, 10, "webp")
RISE_AND_FALL = ((0.4, 0.0), (0.8, 4.0), (1.9, 4.0), (2.6, 0.0))
SMILE = Motion(FaceSpec(identity=61), {"AU12": RISE_AND_FALL})


def level(spec: FaceSpec, code: str) -> float:
    """The stronger side of an AU."""
    return float(np.max(spec.aus.get(code, 0.0)))


# --- A moment


def test_values_ease_from_keyframe_to_keyframe() -> None:
    drawn = [level(SMILE.at(time), "AU12") for time in (0.0, 0.4, 0.5, 0.6, 0.8, 1.5, 2.25, 2.6, 9.0)]
    assert drawn == [0.0, 0.0, 0.625, 2.0, 4.0, 4.0, 2.0, 0.0, 0.0]


def test_the_sides_move_apart() -> None:
    motion = Motion(FaceSpec(), {"AU12": ((0.0, 0.0), (1.0, (4.0, 1.0)))})
    assert motion.at(0.5).aus == {"AU12": (2.0, 0.5)}


def test_what_has_no_keyframes_stays() -> None:
    motion = Motion(FaceSpec(aus={"AU04": 0.6, "AU12": 1.0}, yaw=0.2), {"AU12": RISE_AND_FALL, "pitch": ((0.0, 0.1),)})
    seen = motion.at(1.0)
    assert (seen.aus, seen.yaw, seen.pitch) == ({"AU04": 0.6, "AU12": 4.0}, 0.2, 0.1)


def test_head_and_gaze_move() -> None:
    motion = Motion(FaceSpec(), {"yaw": ((0.0, -0.1), (1.0, 0.3)), "gaze": ((0.0, (0.0, 0.0)), (1.0, (0.4, -0.2)))})
    assert (motion.at(0.5).yaw, motion.at(0.5).gaze) == (0.1, (0.2, -0.1))


def test_a_blink_closes_the_eyes_further_than_they_were() -> None:
    motion = Motion(FaceSpec(aus={"AU43": 2.0}), {"AU45": ((1.0, 0.0), (1.1, 5.0), (1.2, 0.0))})
    assert [level(motion.at(time), "AU43") for time in (0.5, 1.1, 1.5)] == [2.0, 5.0, 2.0]


def test_the_cameras_noise_is_new_in_every_frame() -> None:
    assert SMILE.at(0.0).seed == SMILE.spec.seed
    assert SMILE.at(0.0).seed != SMILE.at(0.1).seed


@pytest.mark.parametrize(
    ("keyframes", "message"),
    [
        ({"AU99": ((0.0, 1.0),)}, "'AU99' does not move"),
        ({"AU12": ()}, "times of AU12"),
        ({"AU12": ((1.0, 0.0), (1.0, 2.0))}, "times of AU12"),
        ({"AU12": ((0.0, 0.0), (float("nan"), 2.0))}, "times of AU12"),
        ({"AU12": ((0.0, 0.0), (1.0, 5.5))}, "AU12 leaves the scale"),
        ({"AU12": ((0.0, 0.0), (1.0, (3.0, -1.0)))}, "AU12 leaves the scale"),
        ({"AU12": ((0.0, 3.0), (1.0, float("nan")))}, "AU12 leaves the scale"),
    ],
    ids=["unknown", "none", "twice", "no time", "above", "below", "no number"],
)
def test_keyframes_that_cannot_be_drawn_are_refused(keyframes: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Motion(FaceSpec(), keyframes)


# --- Events: what counts as one


def events(keyframes: dict[str, Any], **aus: float) -> list[Event]:
    return Motion(FaceSpec(aus=aus), keyframes).events(TIMES, END)


def test_an_event_has_the_times_of_frames() -> None:
    # Frames at 0.5 s: 0.625, at 2.4 s: 0.787, at 2.5 s: 0.222.
    assert SMILE.events(TIMES, END) == [Event(au="AU12", onset_s=0.5, apex_s=0.8, offset_s=2.5, peak=4.0)]


CASES: list[tuple[str, dict[str, Any], dict[str, float], list[tuple[str, float, float, float, float]]]] = [
    ("held at one level all through", {"AU04": ((0.0, 3.0),)}, {}, []),
    ("part of how the person looks", {}, {"AU04": 3.0}, []),
    ("rises by too little", {"AU04": ((0.5, 0.0), (1.0, 0.9), (2.0, 0.0))}, {}, []),
    ("rises from a level by too little", {"AU04": ((0.5, 2.0), (1.0, 2.9), (2.0, 2.0))}, {}, []),
    (
        "rises from a level",
        {"AU04": ((0.45, 2.0), (0.95, 3.5), (1.35, 3.5), (1.85, 2.0))},
        {},
        [("AU04", 0.7, 1.0, 1.7, 3.5)],
    ),
    (
        "twice, apart",
        {"AU12": ((0.2, 0.0), (0.5, 3.0), (0.9, 0.0), (1.4, 0.0), (1.8, 2.0), (2.4, 0.0))},
        {},
        [("AU12", 0.3, 0.5, 0.8, 3.0), ("AU12", 1.6, 1.8, 2.3, 2.0)],
    ),
    (
        "twice, the second before the first is gone",
        {"AU12": ((0.2, 0.0), (0.5, 3.0), (1.0, 1.0), (1.5, 4.0), (2.4, 0.0))},
        {},
        [("AU12", 0.3, 1.5, 2.3, 4.0)],
    ),
    ("stays until the end", {"AU12": ((2.0, 0.0), (2.4, 3.0))}, {}, [("AU12", 2.2, 2.4, 3.0, 3.0)]),
    ("is there from the start", {"AU12": ((0.5, 3.0), (1.0, 0.0))}, {}, [("AU12", 0.0, 0.0, 0.9, 3.0)]),
    ("the stronger side counts", {"AU12": ((0.0, 0.0), (1.0, (0.0, 4.0)))}, {}, [("AU12", 0.3, 1.0, 3.0, 4.0)]),
    (
        "a blink",
        {"AU45": ((1.0, 0.0), (1.1, 5.0), (1.2, 5.0), (1.35, 0.0))},
        {},
        [("AU45", 1.1, 1.1, 1.4, 5.0)],
    ),
    (
        "lids that stay shut",
        {"AU43": ((1.0, 0.0), (1.1, 5.0), (1.6, 5.0), (1.7, 0.0))},
        {},
        [("AU43", 1.1, 1.1, 1.7, 5.0)],
    ),
    ("a wink is no blink", {"AU43": ((1.0, 0.0), (1.1, (5.0, 0.0)), (1.3, 0.0))}, {}, [("AU43", 1.1, 1.1, 1.3, 5.0)]),
]


@pytest.mark.parametrize(("case", "keyframes", "aus", "expected"), CASES, ids=[case[0] for case in CASES])
def test_what_is_an_event(case: str, keyframes: Any, aus: dict[str, float], expected: Any) -> None:
    found = [(e.au, e.onset_s, e.apex_s, e.offset_s, e.peak) for e in events(keyframes, **aus)]
    assert found == expected, case


# --- Events: what is drawn


def performed(seed: int, seconds: float = 3.0) -> tuple[FaceSpec, Motion]:
    """Somebody who shows something, and how."""
    rng = np.random.default_rng(seed)
    label = sorted(EXPRESSIBLE)[seed % len(EXPRESSIBLE)]
    spec = FaceSpec(identity=seed, aus=express(label, rng), seed=seed)
    return spec, perform(spec, seconds, rng)


@pytest.mark.parametrize("seed", range(0, 60, 3))
def test_an_au_is_there_exactly_from_onset_to_offset(seed: int) -> None:
    times, end_s = frame_times(6.0, 15, "webp")
    _, motion = performed(seed, seconds=6.0)
    found, specs = motion.events(times, end_s), [motion.at(time) for time in times]
    for code in motion.moving_aus():
        drawn = np.array([level(spec, code) for spec in specs])
        rise = np.round(drawn - drawn.min(), 3)
        own = [event for event in found if event.au == code or (code, event.au) == ("AU43", "AU45")]
        inside = np.array([any(event.onset_s <= time < event.offset_s for event in own) for time in times])
        assert (rise[inside] >= TRACE).all()
        assert (rise[~inside] < RISE).all()
        for event in own:
            assert event.onset_s <= event.apex_s < event.offset_s <= end_s
            assert level(motion.at(event.apex_s), code) == event.peak


def test_blinks_are_short_and_come_every_few_seconds() -> None:
    times, end_s = frame_times(60.0, 30, "webp")
    motion = rest(FaceSpec(), 60.0, np.random.default_rng(5))
    found = motion.events(times, end_s)
    assert {event.au for event in found} == {"AU45"}
    assert 10 <= len(found) <= 30
    assert all(0.1 <= event.offset_s - event.onset_s <= BLINK_S for event in found)
    assert all(event.peak > 4 for event in found)


def test_a_blink_closes_faster_than_it_opens() -> None:
    motion = rest(FaceSpec(), 30.0, np.random.default_rng(1))
    times = [key[0] for key in motion.keyframes["AU45"]]
    assert all(closed - start < end - opens for start, closed, opens, end in zip(*[iter(times)] * 4, strict=True))


# --- Performances


@pytest.mark.parametrize("seed", range(0, 40, 5))
def test_at_the_peak_everything_is_there(seed: int) -> None:
    spec, motion = performed(seed)
    times, end_s = frame_times(3.0, 15, "webp")
    shot = Shot(Scene((motion,)), 112, tuple(times), end_s)
    peak = motion.at(times[shot.peak()])
    assert {code: peak.aus.get(code) for code in spec.aus} == {
        code: tuple(np.round(value, 3)) if isinstance(value, tuple) else round(value, 3)
        for code, value in spec.aus.items()
    }


@pytest.mark.parametrize("seconds", [0.5, 1.0, 3.0, 8.0, 60.0])
def test_pulses_lie_in_the_clip_and_apart(seconds: float) -> None:
    for seed in range(30):
        beats = pulses(seconds, np.random.default_rng(seed))
        edges = [edge for beat in beats for edge in beat[:4]]
        assert edges == sorted(edges)
        assert beats[-1].apex < seconds
        assert [beat.level for beat in beats].count(1.0) == 1


def test_expressions_take_their_time() -> None:
    beats = [beat for seed in range(200) for beat in pulses(7.0, np.random.default_rng(seed))[:1]]
    assert all(0.1 <= beat.apex - beat.onset <= 0.6 for beat in beats)
    assert np.mean([beat.offset - beat.release for beat in beats]) > np.mean([beat.apex - beat.onset for beat in beats])
    assert all(0.25 <= beat.release - beat.apex <= 2.0 for beat in beats)


def test_a_motion_survives_the_record() -> None:
    _, motion = performed(4)
    assert msgspec.convert(msgspec.json.decode(msgspec.json.encode(motion)), Motion) == motion


# --- Files


@pytest.mark.parametrize(
    ("suffix", "fps", "first"),
    [("webp", 15, [0.0, 0.067, 0.133]), ("gif", 15, [0.0, 0.07, 0.13]), ("mp4", 25, [0, 0.04])],
)
def test_frame_times_are_those_that_the_format_can_say(suffix: str, fps: float, first: list[float]) -> None:
    times, end_s = frame_times(2.0, fps, suffix)
    assert times[: len(first)] == first
    assert (len(times), end_s) == (2 * fps, 2.0)


@pytest.mark.parametrize("suffix", ["webp", "gif"])
def test_pillow_reads_the_clip_with_its_frames_and_times(suffix: str) -> None:
    times, end_s = frame_times(1.0, 15, suffix)
    frames = [render(FaceSpec(sensor_noise=0.01, seed=number), 32) for number in range(len(times))]
    edges = [0.0]
    with Image.open(BytesIO(encode_clip(frames, times, end_s, suffix))) as clip:
        assert clip.n_frames == 15
        assert clip.size == (32, 32)
        for place in range(15):
            clip.seek(place)
            clip.load()
            edges.append(edges[-1] + clip.info["duration"] / 1000)
    assert edges == pytest.approx([*times, end_s])


def test_mp4_shows_each_frame_at_its_time() -> None:
    av = pytest.importorskip("av")
    times, end_s = frame_times(1.0, 15, "mp4")
    frames = [render(FaceSpec(aus={"AU12": number / 3}), 32) for number in range(len(times))]
    with av.open(BytesIO(encode_clip(frames, times, end_s, "mp4"))) as container:
        shown = [(frame.time, frame.to_ndarray(format="rgb24")) for frame in container.decode(video=0)]
    assert [time for time, _ in shown] == pytest.approx(times, abs=1e-3)
    assert all(np.abs(seen.astype(int) - drawn).mean() < 6 for (_, seen), drawn in zip(shown, frames, strict=True))


def test_mp4_without_its_package_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(MissingExtraError, match=r"emollm\[video\]"):
        encode_clip([render(FaceSpec(), 32)], [0.0], 0.1, "mp4")
