"""Events along a clip: found where they are, whatever a detector's bias, noise and gaps; and nothing found in rest."""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_engine.clips.events import MAX_BLINK_S, MAX_GAP_S, Numbers, find_events
from data_engine.clips.smoothing import smoothed, smoothed_within
from data_engine.clips.timeline import Timeline
from data_engine.sources.layout import Channel, Layout, intensity
from emollm.records import AUKind, Detector, Event

TRACE = 0.5
"""Half of what counts as present, over a face at rest."""
AUS = ("AU01", "AU04", "AU06", "AU12", "AU15", "AU17", "AU25", "AU43")


class Rise(NamedTuple):
    """A true event: times in seconds from its first movement to rest, and how high it gets above rest."""

    start: float
    apex: float
    release: float
    end: float
    height: float

    def course(self, times: Numbers) -> Numbers:
        return self.height * (smoothstep(times, self.start, self.apex) - smoothstep(times, self.release, self.end))

    def event(self, au: str) -> Event:
        """What is to be found: from trace to trace."""
        share = np.linspace(0.0, 1.0, 2001)
        at_trace = float(np.interp(TRACE, self.height * smoothstep(share, 0.0, 1.0), share))
        onset = self.start + at_trace * (self.apex - self.start)
        offset = self.end - at_trace * (self.end - self.release)
        return Event(au=au, onset_s=onset, apex_s=self.apex, offset_s=offset, peak=self.height)


def smoothstep(times: Numbers, start: float, end: float) -> Numbers:
    share = np.clip((times - start) / (end - start), 0.0, 1.0)
    return share * share * (3.0 - 2.0 * share)


def frame_times(seconds: float, rate: float = 30.0) -> Numbers:
    return np.arange(round(seconds * rate)) / rate


def find(times: Numbers, values: Numbers, au: str = "AU12", kind: AUKind = "intensity") -> list[Event]:
    return find_events(times, values[:, None], [(au, kind)])


SMILE = Rise(1.0, 1.4, 2.4, 3.0, 3.0)


@settings(max_examples=150, deadline=None)
@given(
    rate=st.sampled_from([10.0, 15.0, 24.0, 25.0, 30.0, 50.0, 60.0]),
    start=st.floats(0.3, 2.0),
    rise=st.floats(0.2, 0.8),
    hold=st.floats(0.15, 2.0),
    fall=st.floats(0.3, 1.2),
    height=st.floats(1.3, 4.0),
    bias=st.floats(0.0, 1.0),
)
def test_an_event_without_noise_is_found_to_the_frame(
    rate: float, start: float, rise: float, hold: float, fall: float, height: float, bias: float
) -> None:
    truth = Rise(start, start + rise, start + rise + hold, start + rise + hold + fall, height)
    times = frame_times(8.0, rate)
    (found,) = find(times, bias + truth.course(times))
    told = truth.event("AU12")
    assert found.onset_s == pytest.approx(told.onset_s, abs=1.0 / rate)
    assert found.offset_s == pytest.approx(told.offset_s, abs=1.0 / rate)
    assert found.apex_s == pytest.approx(told.apex_s, abs=2.0 / rate)
    assert found.peak == pytest.approx(bias + height, rel=0.2)


@given(level=st.floats(0.0, 5.0), rate=st.sampled_from([5.0, 15.0, 30.0]), seconds=st.floats(0.5, 20.0))
def test_what_is_held_all_through_a_clip_is_no_event(level: float, rate: float, seconds: float) -> None:
    times = frame_times(seconds, rate)
    assert find(times, np.full(len(times), level)) == []


@given(st.lists(st.floats(0.0, 0.95), min_size=12, max_size=200))
def test_what_never_rises_to_be_present_is_no_event(values: list[float]) -> None:
    assert find(frame_times(len(values) / 30.0)[: len(values)], np.array(values)) == []


@settings(deadline=None)
@given(
    st.integers(3, 150).flatmap(
        lambda num: st.tuples(
            st.lists(st.floats(0.01, 0.6), min_size=num, max_size=num),
            st.lists(st.one_of(st.floats(0.0, 5.0), st.just(float("nan"))), min_size=num, max_size=num),
        )
    )
)
def test_events_of_any_rows_are_in_order_inside_the_clip_and_apart(rows: tuple[list[float], list[float]]) -> None:
    times = np.cumsum(rows[0])
    events = find(times, np.array(rows[1]))
    for event in events:
        assert times[0] - 1e-3 <= event.onset_s <= event.apex_s + 1e-3
        assert event.apex_s <= event.offset_s + 1e-3 <= times[-1] + 2e-3
        assert 0.0 <= event.peak <= 5.0
    assert all(first.offset_s < second.onset_s for first, second in pairwise(events))


def test_two_smiles_are_two_events_and_one_with_a_short_dip_is_one() -> None:
    times = frame_times(8.0)
    two = SMILE.course(times) + Rise(4.0, 4.4, 5.0, 5.6, 2.0).course(times)
    assert len(find(times, two)) == 2
    dip = np.where(np.abs(times - 1.9) < 0.08, 0.0, SMILE.course(times))
    assert len(find(times, dip)) == 1


def test_an_event_at_the_edge_of_the_clip_begins_or_ends_with_it() -> None:
    times = frame_times(3.0)
    (found,) = find(times, np.where(times < 1.0, 3.0, 0.0))
    assert (found.onset_s, found.apex_s) == (0.0, 0.0)
    (found,) = find(times, np.where(times < 1.0, 0.0, 3.0))
    assert found.offset_s == pytest.approx(times[-1], abs=1e-3)


@pytest.mark.parametrize(("missing_s", "num_events"), [(MAX_GAP_S - 0.05, 1), (MAX_GAP_S + 0.15, 2)])
@pytest.mark.parametrize("how", ["rows", "nan"])
def test_a_short_gap_is_bridged_and_a_long_one_ends_the_event(missing_s: float, num_events: int, how: str) -> None:
    times = frame_times(6.0)
    values = Rise(1.0, 1.5, 4.0, 4.5, 3.0).course(times)
    gone = (times > 2.5) & (times < 2.5 + missing_s)
    if how == "rows":
        times, values = times[~gone], values[~gone]
    else:
        values = np.where(gone, np.nan, values)
    assert len(find(times, values)) == num_events


def test_an_au_that_is_not_measured_for_a_while_does_not_touch_the_others() -> None:
    times = frame_times(6.0)
    smile, brow = SMILE.course(times), SMILE.course(times)
    brow[60:] = np.nan
    both = find_events(times, np.stack([smile, brow], axis=1), [("AU12", "intensity"), ("AU04", "intensity")])
    assert [event for event in both if event.au == "AU12"] == find(times, smile)
    assert [event.offset_s for event in both if event.au == "AU04"] == [pytest.approx(times[59], abs=1e-3)]


@pytest.mark.parametrize(
    ("closed_s", "au"), [(0.15, "AU45"), (0.3, "AU45"), (MAX_BLINK_S + 0.2, "AU43"), (1.5, "AU43")]
)
@pytest.mark.parametrize("told", ["AU43", "AU45"])
@pytest.mark.parametrize("rate", [15.0, 30.0])
def test_lids_blink_for_half_a_second_and_are_closed_for_longer(
    closed_s: float, au: str, told: str, rate: float
) -> None:
    times = frame_times(6.0, rate)
    closure = Rise(2.0, 2.0 + 0.3 * closed_s, 2.0 + 0.6 * closed_s, 2.0 + closed_s, 5.0)
    assert [event.au for event in find(times, closure.course(times), told)] == [au]


def test_a_spike_of_one_frame_is_no_event() -> None:
    times = frame_times(4.0)
    values = np.where(np.arange(len(times)) == 60, 5.0, 0.0)
    assert find(times, values) == find(times, values, "AU45") == []


def test_a_probability_must_be_likely_and_rise() -> None:
    times = frame_times(5.0)
    course = SMILE.course(times) / 3.0
    assert len(find(times, 0.9 * course, kind="probability")) == 1
    assert find(times, 0.45 * course, kind="probability") == []
    assert find(times, 0.8 + 0.15 * course, kind="probability") == []
    assert find(times, 0.45 + 0.15 * course, kind="probability") == []


def test_presence_is_an_event_while_it_lasts_and_flicker_is_none() -> None:
    times = frame_times(5.0)
    held = np.where((times >= 1.0) & (times < 2.0), 1.0, 0.0)
    (found,) = find(times, held, kind="presence")
    assert (found.onset_s, found.offset_s) == (pytest.approx(1.0, abs=0.04), pytest.approx(2.0, abs=0.04))
    assert find(times, np.where(np.arange(len(times)) % 7 == 0, 1.0, 0.0), kind="presence") == []


def test_presence_beside_noisy_intensities_is_an_event() -> None:
    times = frame_times(5.0)
    noisy = np.clip(1.0 + np.random.default_rng(0).normal(0.0, 0.5, len(times)), 0.0, 5.0)
    held = np.where((times >= 1.0) & (times < 2.0), 1.0, 0.0)
    found = find_events(times, np.stack([noisy, held], axis=1), [("AU12", "intensity"), ("AU28", "presence")])
    assert [event.au for event in found] == ["AU28"]


def test_rest_follows_a_posture_that_changes_for_minutes() -> None:
    times = frame_times(600.0, 10.0)
    values = np.where(times < 300.0, 0.2, 1.6) + Rise(100.0, 100.5, 102.0, 103.0, 2.5).course(times)
    values += Rise(500.0, 500.5, 502.0, 503.0, 2.5).course(times)
    found = find(times, values)
    assert [round(event.apex_s, 1) for event in found if event.offset_s - event.onset_s < 10.0] == [100.5, 500.5]
    assert sum(event.offset_s - event.onset_s for event in found) < 60.0


# --- how well noisy tracks are read ------------------------------------------------------------------------------


def draw(
    rng: np.random.Generator, seconds: float, rate: float, sigma: float, dropped: float, drift: float, bias: float
):
    """A noisy track of all AUS and its true events: (times, values, events)."""
    times = frame_times(seconds, rate)
    values, events = np.zeros((len(times), len(AUS))), []
    for column, au in enumerate(AUS):
        start = rng.uniform(0.0, 3.0)
        while True:
            rise = _blink(rng, start) if au == "AU43" else _movement(rng, start)
            if rise.end > seconds - 0.2:
                break
            values[:, column] += rise.course(times)
            events.append(rise.event("AU45" if au == "AU43" else au))
            start = rise.end + rng.uniform(1.0, 6.0)
    phases = times[:, None] / rng.uniform(20.0, 60.0, len(AUS)) + rng.uniform(0.0, 1.0, len(AUS))
    values += bias + drift * np.sin(2.0 * np.pi * phases) + rng.normal(0.0, sigma, values.shape)
    kept = rng.random(len(times)) >= dropped
    return times[kept], np.clip(values, 0.0, 5.0)[kept], events


def _movement(rng: np.random.Generator, start: float) -> Rise:
    apex = start + rng.uniform(0.2, 0.6)
    release = apex + rng.uniform(0.2, 2.0)
    return Rise(start, apex, release, release + rng.uniform(0.4, 1.0), rng.uniform(1.5, 4.5))


def _blink(rng: np.random.Generator, start: float) -> Rise:
    seconds = rng.uniform(0.15, 0.3)
    return Rise(start, start + 0.35 * seconds, start + 0.5 * seconds, start + seconds, rng.uniform(3.0, 5.0))


def overlap(one: Event, other: Event) -> float:
    """Intersection over union in time."""
    both = min(one.offset_s, other.offset_s) - max(one.onset_s, other.onset_s)
    return max(both, 0.0) / (max(one.offset_s, other.offset_s) - min(one.onset_s, other.onset_s))


def pairs(found: list[Event], truth: list[Event]) -> list[tuple[Event, Event]]:
    """Found events with the true events that they overlap by half or more."""
    free, matched = list(truth), []
    for event in found:
        near = [true for true in free if true.au == event.au and overlap(true, event) >= 0.5]
        if near:
            true = max(near, key=lambda true: overlap(true, event))
            free.remove(true)
            matched.append((event, true))
    return matched


@pytest.mark.parametrize(
    ("rate", "sigma", "dropped", "drift", "bias", "least"),
    [
        (30.0, 0.3, 0.0, 0.0, 0.0, 0.99),
        (30.0, 0.3, 0.1, 0.2, 0.0, 0.98),
        (30.0, 0.3, 0.1, 0.2, 0.6, 0.98),
        (15.0, 0.3, 0.1, 0.2, 0.0, 0.97),
        (10.0, 0.3, 0.1, 0.2, 0.0, 0.95),
        (30.0, 0.5, 0.1, 0.2, 0.0, 0.97),
    ],
)
def test_precision_and_recall_on_noisy_tracks(
    rate: float, sigma: float, dropped: float, drift: float, bias: float, least: float
) -> None:
    num_found = num_true = 0
    matched: list[tuple[Event, Event]] = []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        times, values, truth = draw(rng, rng.choice([4.0, 20.0]), rate, sigma, dropped, drift, bias)
        found = find_events(times, values, [(au, "intensity") for au in AUS])
        num_found, num_true = num_found + len(found), num_true + len(truth)
        matched += pairs(found, truth)
    assert num_true > 400
    assert len(matched) / num_found >= least
    assert len(matched) / num_true >= least
    errors = np.array([[abs(a.onset_s - b.onset_s), abs(a.offset_s - b.offset_s)] for a, b in matched])
    assert np.median(errors, axis=0).max() <= 2.0 / 30.0


def test_noise_alone_is_no_event() -> None:
    rng = np.random.default_rng(0)
    times = frame_times(1800.0)
    for sigma in (0.3, 0.6):
        values = np.clip(1.0 + rng.normal(0.0, sigma, (len(times), len(AUS))), 0.0, 5.0)
        assert len(find_events(times, values, [(au, "intensity") for au in AUS])) <= 1


# --- the timeline of a person ------------------------------------------------------------------------------------

LAYOUT = Layout(Detector(name="x"), (intensity("AU12", "AU12_r"),), {"frame": "frame", "time_s": "timestamp"})


def rows(times: Numbers, values: Numbers, frames: Numbers | None = None) -> Numbers:
    return np.stack([values, np.arange(len(times)) if frames is None else frames, times], axis=1)


def test_a_track_searched_in_parts_has_the_events_of_the_whole() -> None:
    times = frame_times(600.0)
    values = np.zeros(len(times))
    for start in np.arange(2.0, 590.0, 3.7):
        values += Rise(start, start + 0.4, start + 1.2, start + 2.0, 3.0).course(times)
    whole, parts = Timeline(LAYOUT, None), Timeline(LAYOUT, None)
    whole.add(rows(times, values))
    for part in np.array_split(np.arange(len(times)), 7):
        parts.add(rows(times, values, np.arange(len(times)))[part])
    expected, found = whole.events("0") or [], parts.events("0") or []
    assert len(expected) == 159
    assert [(round(event.onset_s, 1), round(event.offset_s, 1)) for event in found] == [
        (round(event.onset_s, 1), round(event.offset_s, 1)) for event in expected
    ]


def test_times_follow_from_frames_and_a_frame_rate() -> None:
    times = frame_times(5.0, 25.0)
    layout = Layout(Detector(name="x"), LAYOUT.channels, {"frame": "frame"})
    numbers = np.stack([SMILE.course(times), np.arange(len(times))], axis=1)
    timed, untimed = Timeline(layout, 25.0), Timeline(layout, None)
    timed.add(numbers)
    untimed.add(numbers)
    assert [event.apex_s for event in timed.events("0") or []] == [pytest.approx(1.4, abs=0.08)]
    assert untimed.events("0") is None


def test_a_clock_of_whole_seconds_tells_the_frame_rate() -> None:
    times = frame_times(12.0, 30.0)
    timeline = Timeline(LAYOUT, None)
    numbers = rows(np.floor(times + 1e-9), SMILE.course(times))
    timeline.add(numbers)
    (event,) = timeline.events("0") or []
    assert timeline.frame_rate == pytest.approx(30.0, rel=0.05)
    assert event.apex_s == pytest.approx(1.4, rel=0.06)
    assert timeline.timed(numbers[45].copy())[2] == pytest.approx(1.5, rel=0.05)


def test_a_clock_that_allows_many_frame_rates_tells_none() -> None:
    timeline = Timeline(LAYOUT, None)
    timeline.add(rows(np.floor(np.arange(12) / 7.0), np.linspace(0.0, 5.0, 12)))
    assert timeline.events("0") is None


def test_a_few_rows_are_too_few_to_tell_and_many_at_rest_have_no_events() -> None:
    few, many = Timeline(LAYOUT, None), Timeline(LAYOUT, None)
    few.add(rows(frame_times(0.07), np.array([0.0, 3.0])))
    many.add(rows(frame_times(3.0), np.zeros(90)))
    assert (few.events("0"), many.events("0")) == (None, [])


def test_the_stronger_side_is_followed_and_lids_told_twice_blink_once() -> None:
    sides = (Channel("AU12", "l", "intensity", "left", 0, 5), Channel("AU12", "r", "intensity", "right", 0, 5))
    layout = Layout(
        Detector(name="x"),
        (*sides, intensity("AU43", "AU43_r"), intensity("AU45", "AU45_r")),
        {"time_s": "timestamp"},
    )
    times = frame_times(5.0)
    blink = Rise(4.0, 4.1, 4.12, 4.25, 4.0).course(times)
    timeline = Timeline(layout, None)
    timeline.add(np.stack([np.full(len(times), np.nan), SMILE.course(times), blink, 0.9 * blink, times], axis=1))
    assert [event.au for event in timeline.events("0") or []] == ["AU12", "AU45"]


@given(
    st.lists(st.integers(1, 7), min_size=1, max_size=6),
    st.integers(0, 2**32 - 1),
)
def test_smoothing_within_stretches_is_smoothing_each_alone(lengths: list[int], seed: int) -> None:
    values = np.random.default_rng(seed).integers(0, 9, (sum(lengths), 2)).astype(float)
    stretches = np.repeat(np.arange(len(lengths)), lengths)
    found = smoothed_within(values, stretches, 5)
    for number, length in enumerate(lengths):
        if length >= 3:
            assert np.array_equal(found[stretches == number], smoothed(values[stretches == number]))
