"""The timeline of one person: when each row is, and the events that are found along it.

    timeline = Timeline(layout, frame_rate=None)
    timeline.add(numbers)           # rows in time order; again and again while they stream by
    timeline.events("0")            # list of Event, or None where the rows tell no times

`clips.tracks` calls this. Of what was searched only the last rows are kept, so that an event at a border is seen whole.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from data_engine.clips.events import LIDS, MIN_ROWS, code_of, find_events
from data_engine.sources.blocks import Numbers
from data_engine.sources.layout import Layout
from emollm.facs import EXPRESSIVE
from emollm.records import AUKind, Event

KEPT_ROWS = 3600
"""Rows (two minutes at 30 per second) that are searched once more with the next ones: an event that the border cut is
whole in the second search. What is held for longer is joined from its parts."""
MAX_CLOCK_ERROR = 0.1
"""Whole seconds tell the frame rate when what they allow differs by no more than this share."""


class Timeline:
    """Collects the rows of one person and finds the events in them."""

    def __init__(self, layout: Layout, frame_rate: float | None) -> None:
        self._layout = layout
        self.frame_rate = frame_rate
        """Frames a second; from the file's clock where that shows whole seconds only."""
        self.is_by_frame = False
        """The times are those of the frames, not those in the file."""
        self._units, self._places = _units(layout.by_au)
        self._times: Numbers = np.empty(0)
        self._values: Numbers = np.empty((0, len(self._units)))
        self._events: list[Event] | None = None
        self.span_s: tuple[float, float] | None = None
        """First and last time of the rows that were searched."""

    def add(self, numbers: Numbers) -> None:
        """Search (N, C) rows that follow those before."""
        few = len(self._times) + len(numbers) < MIN_ROWS
        times = None if few or not self._units else self._seconds(numbers)
        if times is None:
            return
        known = np.isfinite(times)
        times = np.concatenate([self._times, times[known]])
        values = np.concatenate([self._values, _stronger(numbers[known], self._places)])
        times, first = np.unique(times, return_index=True)
        if len(times) < MIN_ROWS:
            return
        values = values[first]
        found = find_events(times, values, self._units)
        self._events = found if self._events is None else _joined(self._events, found, float(times[0]))
        self._times, self._values = times[-KEPT_ROWS:].copy(), values[-KEPT_ROWS:].copy()
        self.span_s = (self.span_s[0] if self.span_s else float(times[0]), float(times[-1]))

    def events(self, face: str) -> list[Event] | None:
        """Return the events by onset; None where there are no times, or too few rows to tell."""
        if self._events is None:
            return None
        for event in self._events:
            event.face = face
        return self._events

    def timed(self, row: Numbers) -> Numbers:
        """Set the time of a row (C,) to what its frame says where the file's clock is too coarse; return the row."""
        time, frame = self._layout.place("time_s"), self._layout.place("frame")
        if self.is_by_frame and self.frame_rate and time is not None and frame is not None:
            row[time] = row[frame] / self.frame_rate
        return row

    def _seconds(self, numbers: Numbers) -> Numbers | None:
        """The time of each row (N,): what the file says, or its frame over the frame rate."""
        time, frame = self._layout.place("time_s"), self._layout.place("frame")
        seconds = numbers[:, time] if time is not None else None
        if seconds is not None and np.isfinite(seconds).sum() >= MIN_ROWS and not _is_clock(seconds):
            return seconds
        if frame is None:
            return None
        if self.frame_rate is None and seconds is not None:
            self.frame_rate = _clock_rate(numbers[:, frame], seconds)
        self.is_by_frame = self.frame_rate is not None
        return numbers[:, frame] / self.frame_rate if self.frame_rate else None


@lru_cache(maxsize=64)
def _units(
    by_au: tuple[tuple[str, AUKind, tuple[int, ...]], ...],
) -> tuple[tuple[tuple[str, AUKind], ...], tuple[tuple[int, ...], ...]]:
    """The AUs of a file and the places of their columns. Lids that are told of twice are looked at as one."""
    units: dict[str, tuple[AUKind, tuple[int, ...]]] = {}
    for au, kind, places in by_au:
        if au not in EXPRESSIVE:
            continue
        name = LIDS[0] if au in LIDS else au
        before = units.get(name)
        if before is None:
            units[name] = kind, places
        elif before[0] == kind:
            units[name] = kind, before[1] + places
    return tuple((au, kind) for au, (kind, _) in units.items()), tuple(places for _, places in units.values())


def _stronger(numbers: Numbers, places: tuple[tuple[int, ...], ...]) -> Numbers:
    """Return (N, A): of several columns of an AU, such as its sides, the strongest that is known."""
    if all(len(columns) == 1 for columns in places):
        return numbers[:, [columns[0] for columns in places]]
    return np.stack([np.fmax.reduce(numbers[:, columns], axis=1) for columns in places], axis=1)


def _is_clock(seconds: Numbers) -> bool:
    """Whole seconds only, several rows in each: a clock that is too coarse to time an expression."""
    known = seconds[np.isfinite(seconds)]
    return bool((known == np.floor(known)).all() and len(np.unique(known)) < len(known))


def _clock_rate(frames: Numbers, seconds: Numbers) -> float | None:
    """The frame rate behind whole seconds that were rounded down; None where they allow too many.

    Frame f at rate r is at f / r seconds, so every row says seconds <= f / r < seconds + 1.
    """
    known = np.isfinite(frames) & np.isfinite(seconds) & (frames > 0)
    frames, seconds = frames[known], seconds[known]
    if not len(frames) or not (seconds > 0).any():
        return None
    fastest, slowest = float(np.min(frames[seconds > 0] / seconds[seconds > 0])), float(np.max(frames / (seconds + 1)))
    rate = (fastest + slowest) / 2.0
    return rate if 0.0 <= fastest - slowest <= MAX_CLOCK_ERROR * rate else None


def _joined(before: list[Event], after: list[Event], since: float) -> list[Event]:
    """The events of two searches; those of one AU that overlap from `since` on are the same event."""
    events = [event for event in before if event.offset_s < since]
    last: dict[str, Event] = {}
    seam = [event for event in before if event.offset_s >= since]
    for event in sorted(seam + after, key=lambda event: event.onset_s):
        name = LIDS[0] if event.au in LIDS else event.au
        if name in last and event.onset_s <= last[name].offset_s:
            _extend(last[name], event)
        else:
            last[name] = event
            events.append(event)
    return events


def _extend(event: Event, more: Event) -> None:
    """Let an event reach as far as another part of it; the apex is in the part with the higher peak."""
    event.offset_s = max(event.offset_s, more.offset_s)
    if more.peak > event.peak:
        event.apex_s, event.peak = more.apex_s, more.peak
    event.au = code_of(event.au, event.offset_s - event.onset_s)
