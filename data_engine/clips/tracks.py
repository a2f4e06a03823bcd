"""A track: the rows of one person in one clip, checked, counted, and searched as they stream by: for peak and events.

`data_engine.clips.reading` feeds tracks; what they keep is numbers, and of a long clip only the last hour's.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from data_engine.clips.peak import Ranking, find_peak, strengths
from data_engine.clips.timeline import Timeline
from data_engine.sources.blocks import Numbers
from data_engine.sources.layout import Layout
from emollm.records import AU_RANGE

USABLE, NO_FACE, LOW_CONFIDENCE, OUT_OF_RANGE = range(4)
STATES = ("usable", "no_face", "low_confidence", "out_of_range")

SEGMENT_ROWS = 50_000
"""Rows (half an hour at 30 per second) searched together. Longer clips are searched in segments, which keeps memory
constant and lets the resting face drift with light and posture."""
PEAK_ROWS, PEAK_S, MIN_PEAK_ROWS = 2, 0.25, 3
"""The face at the peak: so many frames to either side, if they are so close in time; a median needs three."""
TOLERANCE = 0.01
"""Share of the range by which rounding may leave it; such values are set to the end of the range."""


class Moment(NamedTuple):
    """One usable row: where it stands in the file, its numbers in the order of `Layout.numbers`, its score."""

    row: int
    numbers: Numbers
    score: float | None


def to_scale(numbers: Numbers, layout: Layout) -> Numbers:
    """Return a copy whose AU columns are on the scale of their kind; what rounding put outside is set to its end."""
    scaled = numbers.copy()
    tops = [AU_RANGE[channel.kind] for channel in layout.channels]
    for place, (channel, top) in enumerate(zip(layout.channels, tops, strict=True)):
        if (channel.low, channel.high) != (0.0, top):
            # Rounded, because 0.7 × 5 must read 3.5.
            shares = (scaled[:, place] - channel.low) / (channel.high - channel.low)
            scaled[:, place] = np.round(shares * top, 6)
    scaled[:, : len(tops)] = _rounded_in(scaled[:, : len(tops)], np.array(tops))
    confidence = layout.place("confidence")
    if confidence is not None:
        scaled[:, confidence] = _rounded_in(scaled[:, confidence] / layout.confidence_top, 1.0)
    for score in layout.score_places:
        scaled[:, score] = _rounded_in(scaled[:, score], 1.0)
    for role, factor in layout.factors.items():
        if role in layout.number_roles:
            scaled[:, layout.place(role)] *= factor
    return scaled


def _rounded_in(values: Numbers, top: float | Numbers) -> Numbers:
    near = (values > -TOLERANCE * top) & (values < (1.0 + TOLERANCE) * top)
    return np.where(near, np.clip(values, 0.0, top), values)


def outside(scaled: Numbers, layout: Layout) -> npt.NDArray[np.bool_]:
    """Return (N, C) whether each number is beyond its scale: AUs and scores on either side, a confidence above 1."""
    found = np.zeros(scaled.shape, dtype=np.bool_)
    num = len(layout.channels)
    tops = np.array([AU_RANGE[channel.kind] for channel in layout.channels])
    found[:, :num] = (scaled[:, :num] < 0.0) | (scaled[:, :num] > tops)
    scores = layout.score_places
    found[:, scores] = (scaled[:, scores] < 0.0) | (scaled[:, scores] > 1.0)
    confidence = layout.place("confidence")
    if confidence is not None:
        found[:, confidence] = scaled[:, confidence] > 1.0
    return found


def states(scaled: Numbers, layout: Layout, min_confidence: float) -> npt.NDArray[np.int64]:
    """Return (N,) what each row is good for: a place in STATES."""
    values = scaled[:, [*range(len(layout.channels)), *layout.score_places]]
    found = np.full(len(scaled), USABLE)
    found[outside(scaled, layout).any(axis=1)] = OUT_OF_RANGE
    confidence, success = layout.place("confidence"), layout.place("success")
    if confidence is not None:
        found[scaled[:, confidence] < min_confidence] = LOW_CONFIDENCE
    found[np.isnan(values).all(axis=1)] = NO_FACE
    if success is not None:
        found[scaled[:, success] == 0.0] = NO_FACE
    return found


class Track:
    """One person's rows: counted by what they are good for, the usable ones searched."""

    def __init__(self, layout: Layout, rank: Ranking, *, keep_all: bool, frame_rate: float | None = None) -> None:
        self._rank = rank
        self.keep_all = keep_all
        self.timeline = Timeline(layout, frame_rate)
        self.counts: Counter[str] = Counter()
        self._layout = layout
        self._frame = layout.place("frame")
        self._rows: list[npt.NDArray[np.int64]] = []
        self._numbers: list[Numbers] = []
        self._waiting = 0
        self._best: Moment | None = None

    def add(self, rows: npt.NDArray[np.int64], scaled: Numbers, found: npt.NDArray[np.int64]) -> None:
        """Add consecutive rows: their places in the file, their numbers on scale (N, C), their states (N,)."""
        for state, num in enumerate(np.bincount(found, minlength=len(STATES)).tolist()):
            if num:
                self.counts[STATES[state]] += num
        good = found == USABLE
        # A copy, because a slice would keep the whole block in memory.
        self._rows.append(rows[good].copy())
        self._numbers.append(scaled[good].copy())
        self._waiting += int(good.sum())
        if self._waiting >= 2 * SEGMENT_ROWS and not self.keep_all:
            self._search(SEGMENT_ROWS)

    def peak(self) -> Moment | None:
        """Return the usable row that shows the expression best, or None when no row is usable."""
        if self._waiting:
            self._search(self._waiting)
        return self._best

    def moments(self) -> Iterator[Moment]:
        """Yield every usable row in time order. Needs `keep_all`."""
        rows, numbers = self._ordered(self._waiting)
        for row, values in zip(rows.tolist(), numbers, strict=True):
            yield Moment(row, values, None)

    def _search(self, num: int) -> None:
        """Search the first `num` waiting rows and forget them."""
        rows, numbers = self._ordered(num)
        self.timeline.add(numbers)
        place, score = find_peak(strengths(numbers, self._rank)) if len(rows) > 1 else (0, 0.0)
        if self._best is None or self._best.score is None or score > self._best.score:
            self._best = Moment(int(rows[place]), self._shown(numbers, place), score)

    def _shown(self, numbers: Numbers, place: int) -> Numbers:
        """The numbers of a row; where values jitter, each AU is the median over 5 frames that are close together."""
        shown = self.timeline.timed(numbers[place].copy())
        if not self._layout.frame_by_frame:
            return shown
        first, last = max(place - PEAK_ROWS, 0), place + PEAK_ROWS + 1
        around, time = numbers[first:last], self._layout.place("time_s")
        if time is not None:
            around = around[np.abs(around[:, time] - shown[time]) <= PEAK_S]
        known = np.flatnonzero(~np.isnan(shown[: len(self._layout.channels)]))
        if len(around) >= MIN_PEAK_ROWS:
            shown[known] = np.nanmedian(around[:, known], axis=0)
        return shown

    def _ordered(self, num: int) -> tuple[npt.NDArray[np.int64], Numbers]:
        """Take the first `num` waiting rows, in the order of their frames; a frame given twice counts once."""
        rows, numbers = np.concatenate(self._rows), np.concatenate(self._numbers)
        self._rows, self._numbers, self._waiting = [rows[num:].copy()], [numbers[num:].copy()], len(rows) - num
        rows, numbers = rows[:num], numbers[:num]
        if num == 1 or self._frame is None or np.isnan(numbers[:, self._frame]).any():
            return rows, numbers
        _, first = np.unique(numbers[:, self._frame], return_index=True)
        if len(first) < num:
            self.counts["duplicate_frame"] += num - len(first)
            self.counts["usable"] -= num - len(first)
        return rows[first], numbers[first]
