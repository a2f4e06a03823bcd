"""The peak of a track: what wins, what must not, and that long tracks are searched in constant memory."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from data_engine.clips.peak import MIN_ROWS_FOR_REST, Numbers, channel_weight, find_peak, ranking, strengths
from data_engine.clips.smoothing import smoothed
from data_engine.clips.tracks import SEGMENT_ROWS, STATES, Track, states, to_scale
from data_engine.sources.layout import Channel, Layout, intensity
from emollm.records import Detector

NAN = float("nan")
CHANNELS = tuple(intensity(au, f"{au}_r") for au in ("AU04", "AU06", "AU12", "AU25", "AU45"))
LAYOUT = Layout(Detector(name="x"), CHANNELS, {"frame": "frame", "confidence": "confidence", "success": "success"})


def quiet(num: int, **aus: float) -> Numbers:
    """Rows of a resting face."""
    rows = np.zeros((num, len(CHANNELS)))
    for au, value in aus.items():
        rows[:, column(au)] = value
    return rows


def column(au: str) -> int:
    return [channel.au for channel in CHANNELS].index(au)


def peak(rows: Numbers) -> int:
    return find_peak(strengths(rows, ranking(CHANNELS)))[0]


def tracked(rows: Numbers, frames: list[float] | None = None) -> Track:
    """A track of rows with frames, a confidence of 1 and success."""
    ends = np.array([frames or range(len(rows)), np.ones(len(rows)), np.ones(len(rows))]).T
    numbers = np.hstack([rows, ends])
    track = Track(LAYOUT, ranking(CHANNELS), keep_all=False)
    track.add(np.arange(len(rows)), numbers, states(numbers, LAYOUT, 0.75))
    return track


def test_a_held_smile_wins_over_a_spike_of_one_frame() -> None:
    rows = quiet(30)
    rows[3, column("AU04")] = 5.0
    rows[10:16, column("AU12")] = 2.0
    rows[13, column("AU12")] = 2.2
    assert peak(rows) == 13


@pytest.mark.parametrize("place", [0, 29])
def test_a_spike_at_either_end_does_not_win(place: int) -> None:
    rows = quiet(30)
    rows[place, column("AU04")] = 5.0
    rows[10:16, column("AU12")] = 1.0
    assert 10 <= peak(rows) < 16


def test_a_resting_brow_does_not_win_over_a_smile_that_lifts_it() -> None:
    rows = quiet(30, AU04=3.0)
    rows[10:16, column("AU04")] = 0.0
    rows[10:16, column("AU12")] = 2.0
    assert 10 <= peak(rows) < 16


def test_a_smile_held_through_most_of_a_clip_is_no_resting_face() -> None:
    rows = quiet(40, AU12=3.0)
    rows[:12, column("AU12")] = 0.0
    rows[:12, column("AU04")] = 0.3
    assert peak(rows) >= 12


@pytest.mark.parametrize("au", ["AU25", "AU45"])
def test_speech_and_blinks_do_not_win_over_a_faint_smile(au: str) -> None:
    rows = quiet(30)
    rows[2:8, column(au)] = 5.0
    rows[20:26, column("AU12")] = 1.2
    assert 20 <= peak(rows) < 26


def test_a_yes_of_a_detector_counts_less_than_a_strong_intensity() -> None:
    presence = channel_weight(Channel("AU28", "AU28_c", "presence"))
    assert channel_weight(CHANNELS[0]) * 1.0 < presence < channel_weight(CHANNELS[0]) * 2.0


def test_head_pose_and_blinks_weigh_nothing() -> None:
    assert [channel_weight(intensity(au, au)) for au in ("AU45", "AU43", "AU51", "AU61", "AU70")] == [0.0] * 5


def test_the_stronger_side_counts_once() -> None:
    sides = (Channel("AU12", "l", "intensity", "left"), Channel("AU12", "r", "intensity", "right"))
    assert strengths(np.array([[1.0, 4.0]]), ranking(sides)).tolist() == [[pytest.approx(0.8)]]


def test_a_file_without_any_expressive_au_still_has_a_peak() -> None:
    blinks = ranking((intensity("AU45", "AU45_r"),))
    assert find_peak(strengths(np.array([[1.0], [2.0]]), blinks)) == (0, 0.0)


def test_a_region_that_is_seen_again_does_not_win_by_what_it_shows_at_rest() -> None:
    rows = quiet(30, AU04=2.0)
    rows[:20, column("AU04")] = NAN
    rows[8:14, column("AU12")] = 1.0
    assert 8 <= peak(rows) < 14


@given(arrays.arrays(np.float64, st.tuples(st.integers(3, 20), st.just(2)), elements=st.floats(0, 5)))
def test_smoothing_is_the_median_of_five_with_mirrored_ends(rows: Numbers) -> None:
    padded = np.pad(rows, ((2, 2), (0, 0)), mode="reflect")
    windows = np.stack([padded[place : place + 5] for place in range(len(rows))])
    assert np.array_equal(smoothed(rows), np.median(windows, axis=1))


@given(
    arrays.arrays(np.int64, st.tuples(st.integers(MIN_ROWS_FOR_REST, 40), st.just(3)), elements=st.integers(0, 64)),
    st.integers(0, 64),
)
def test_what_a_face_shows_all_the_time_does_not_move_the_peak(whole: np.ndarray, resting: int) -> None:
    rows = whole / 64.0  # binary fractions, so that the sums are exact
    shifted = rows + np.array([resting / 64.0, 0.0, 0.0])
    assert find_peak(rows)[0] == find_peak(shifted)[0]


def test_values_are_brought_to_the_scale_of_their_kind() -> None:
    channels = (Channel("AU12", "a", "intensity", high=1.0), Channel("AU06", "b", "probability", high=100.0))
    scaled = to_scale(np.array([[0.7, 87.5]]), Layout(Detector(name="x"), channels, {}))
    assert scaled.tolist() == [[3.5, 0.875]]


def test_rounding_outside_the_range_is_set_to_its_end_and_the_rest_is_out_of_range() -> None:
    layout = Layout(Detector(name="x"), (Channel("AU12", "a", "probability"),), {})
    scaled = to_scale(np.array([[1.0000002], [-0.0000001], [1.2], [float("inf")], [0.5]]), layout)
    assert scaled[[0, 1, 4], 0].tolist() == [1.0, 0.0, 0.5]
    assert [STATES[state] for state in states(scaled, layout, 0.75)] == [
        *("usable", "usable", "out_of_range", "out_of_range", "usable")
    ]


@pytest.mark.parametrize(
    ("ends", "state"),
    [
        ([0.0, 0.98, 1.0], "usable"),
        ([0.0, 0.75, 1.0], "usable"),
        ([0.0, 0.74, 1.0], "low_confidence"),
        ([0.0, 0.98, 0.0], "no_face"),
        ([0.0, NAN, NAN], "usable"),
    ],
)
def test_a_row_is_used_only_where_a_face_was_found_surely(ends: list[float], state: str) -> None:
    numbers = np.hstack([quiet(1)[0], ends])[None, :]
    assert [STATES[found] for found in states(numbers, LAYOUT, 0.75)] == [state]


def test_a_row_without_any_au_has_no_face() -> None:
    numbers = np.hstack([np.full(5, NAN), [0.0, 0.9, 1.0]])[None, :]
    assert STATES[states(numbers, LAYOUT, 0.75)[0]] == "no_face"


def test_frames_out_of_order_are_sorted_and_a_frame_given_twice_counts_once() -> None:
    rows = quiet(6)
    rows[:, column("AU12")] = [1, 2, 3, 3, 2, 1]
    track = tracked(rows, frames=[5, 4, 3, 2, 1, 1])
    moment = track.peak()
    assert moment is not None
    assert dict(track.counts) == {"usable": 5, "duplicate_frame": 1}
    assert moment.numbers[len(CHANNELS)] in (2.0, 3.0)


def test_a_track_without_a_usable_row_has_no_peak() -> None:
    assert tracked(np.full((3, len(CHANNELS)), NAN)).peak() is None


def test_a_long_track_is_searched_in_segments_and_its_best_segment_wins() -> None:
    num = 3 * SEGMENT_ROWS
    rows = quiet(num)
    rows[1000:1010, column("AU12")] = 2.0
    rows[num - 100 : num - 90, column("AU12")] = 3.0
    track = Track(LAYOUT, ranking(CHANNELS), keep_all=False)
    waiting = 0
    for start in range(0, num, 10_000):
        part = rows[start : start + 10_000]
        frames = np.arange(start, start + 10_000)
        numbers = np.column_stack([part, frames, np.ones(10_000), np.ones(10_000)])
        track.add(frames, numbers, states(numbers, LAYOUT, 0.75))
        waiting = max(waiting, track._waiting)
    moment = track.peak()
    assert moment is not None
    assert num - 100 <= moment.row < num - 90
    assert waiting <= 2 * SEGMENT_ROWS
