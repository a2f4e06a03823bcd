"""Events: when each AU of a person rises, is at its strongest, and is gone.

    find_events(times, values, (("AU12", "intensity"),))    # [Event(au="AU12", onset_s=0.4, apex_s=0.9, …)]

The rules, for each AU by itself:

- The values are smoothed by a median over neighbouring frames, the lids are not: a blink lasts few frames.
- The resting level is what the person shows in the quietest tenth of about a minute, so that neither a detector's bias
  nor a face's build is an event. What is held through nine tenths of a clip counts as resting.
- An event begins and ends at the trace level, half-way between the resting level and what counts as present, and must
  get to be present in between. FACS scores onset, apex and offset in this way: from the first trace to the last.
- Onset and offset lie between two frames, where the line through their values meets the trace level; at the end of the
  frames they are the first and the last frame. The apex is where the plateau of the event begins.
- Lids that close for up to half a second blink (AU45), longer closures are AU43 (Ekman, Friesen and Hager, Facial
  Action Coding System, 2002).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from data_engine.clips.smoothing import smoothed_within
from data_engine.sources.blocks import Numbers
from emollm.facs import THRESHOLDS
from emollm.records import AU_RANGE, AUKind, Event

Rows = npt.NDArray[np.int64]
Units = Sequence[tuple[str, AUKind]]
"""The AU of each column and the kind of its values."""

RULE = "from trace to trace around what rises 1.0 (intensity), 0.25 (probability) above rest; median of 5 frames"

RISE: dict[str, float] = {"intensity": 1.0, "probability": 0.25, "presence": 0.5}
"""How far above rest an AU must get, besides reaching `facs.THRESHOLDS`; more where the values are noisy."""
NOISE_RISE = 5.0
"""… in standard deviations of the smoothed values: noise alone goes there once in hours."""
PLATEAU_NOISE = 3.0
"""How far below its maximum a plateau may wobble, in the same unit."""
REST_QUANTILE, REST_BELOW_MEAN = 0.1, 1.28
"""The quietest tenth, and how far below the mean of resting noise it lies, in standard deviations (normal noise)."""
REST_WINDOW_S = 60.0
"""The resting level follows posture and light; people hold an expression for seconds, not for a minute."""
MIN_ROWS_TO_TELL = 10
"""So many rows tell of noise, and of a resting level of their own."""

LIDS = ("AU43", "AU45")
MAX_BLINK_S = 0.5
MIN_ROWS = 3
MIN_EVENT_S = 0.1
"""No muscle moves the face there and back faster; what is shorter is a slip of the detector."""
MAX_GAP_S = 0.25
"""Frames may be missing for so long (and the gap between two frames may always be missing); then an event ends."""
MERGE_S = 0.2
"""Two events of one AU with less rest between them are one."""
SMOOTHING_S = 0.5
"""The median spans 5 frames, 3 or 1, and never longer than this: an expression may be as short."""
NOISE_AFTER_MEDIAN = {1: 1.0, 3: 0.67, 5: 0.54}
"""Standard deviation of the median of so many normal values, as a share of that of the values."""
NUM_NOISE_ROWS = 2000
"""So many rows say how noisy a detector is."""


class Level(NamedTuple):
    """What the values of each row and column, (N, A), are held against."""

    present: Numbers
    trace: Numbers
    wobble: Numbers
    """(A,) how far below its maximum a plateau may go."""


class Span(NamedTuple):
    """One rise above the trace level in one column: first and last row, and the times between which it is above."""

    column: int
    first: int
    last: int
    onset_s: float
    offset_s: float


def find_events(times: Numbers, values: Numbers, units: Units, face: str = "0") -> list[Event]:
    """Return the events of one person by onset.

    `times` (N,) are seconds and rise; `values` (N, A) are on the scale of their kind, NaN where not measured. A row
    in which an AU was not measured is a missing frame for that AU alone.
    """
    found = []
    for rows, columns in _measured_together(values):
        if len(times[rows]) >= MIN_ROWS:
            known = values[rows] if len(columns) == len(units) else values[rows][:, columns]
            found += _find(times[rows], known, [units[column] for column in columns], face)
    return sorted(found, key=lambda event: (event.onset_s, event.au))


def code_of(au: str, seconds: float) -> str:
    """The code of an event: lids that are closed for so long blink, or are closed; all else is called what it is."""
    if au not in LIDS:
        return au
    return "AU45" if seconds <= MAX_BLINK_S else "AU43"


def _measured_together(values: Numbers) -> Iterator[tuple[slice | npt.NDArray[np.bool_], list[int]]]:
    """Yield (rows, columns): columns that were measured in the same rows can be searched at once."""
    known = ~np.isnan(values)
    if known.all():
        yield slice(None), list(range(values.shape[1]))
        return
    groups: dict[bytes, list[int]] = {}
    for column in range(values.shape[1]):
        groups.setdefault(known[:, column].tobytes(), []).append(column)
    for columns in groups.values():
        yield known[:, columns[0]], columns


def _find(times: Numbers, values: Numbers, units: Units, face: str) -> list[Event]:
    """The events of columns without NaN."""
    steps = np.diff(times)
    step = float(np.median(steps))
    stretches = np.concatenate([[0], np.cumsum(steps - step > MAX_GAP_S + 1e-9)])
    width = 5 if 4 * step <= SMOOTHING_S else 3 if 2 * step <= SMOOTHING_S else 1
    lids = [column for column, (au, _) in enumerate(units) if au in LIDS]
    smooth = smoothed_within(values, stretches, width)
    ranges = np.array([AU_RANGE[kind] for _, kind in units])
    noise = _noise(values / ranges, lids) * ranges * NOISE_AFTER_MEDIAN[width]
    if lids and width > 1:
        smooth[:, lids] = values[:, lids]
        noise[lids] /= NOISE_AFTER_MEDIAN[width]
    level = _level(smooth, noise, units, max(1, round(len(times) * step / REST_WINDOW_S)))
    spans = _merged(_spans(times, smooth, level, stretches), stretches)
    return [_event(span, times, smooth, level, units[span.column][0], face) for span in spans]


def _noise(values: Numbers, lids: list[int]) -> Numbers:
    """Return (A,) the standard deviation of what jumps from frame to frame, for values as shares of their range.

    Rises are slow, noise is not. Detectors cut off at 0, where a resting face shows none, so a 0 says nothing. A
    column that says too little takes the noise of the others, and so do lids: a blink is as quick as noise.
    """
    before, here, after = values[:-2], values[1:-1], values[2:]
    step = 1 + len(here) // NUM_NOISE_ROWS
    before, here, after = before[::step], here[::step], after[::step]
    bends = np.abs(before - 2.0 * here + after)
    telling = (before > 0.0) & (here > 0.0) & (after > 0.0)
    bends[~telling] = np.inf
    bends.sort(axis=0)
    num = telling.sum(axis=0)
    known = num >= MIN_ROWS_TO_TELL
    # A second difference has 6 times the variance of the noise; 0.6745 is the median of |x| for a normal x.
    noise: Numbers = bends[(np.maximum(num, 1) - 1) // 2, np.arange(values.shape[1])] / (0.6745 * np.sqrt(6.0))
    others = known.copy()
    others[lids] = False
    usual = float(np.median(noise[others])) if others.any() else 0.0
    noise[~known] = usual
    if others.any():
        noise[lids] = np.minimum(noise[lids], usual)
    return noise


def _level(smooth: Numbers, noise: Numbers, units: Units, num_windows: int) -> Level:
    """The levels of each row: rest is found window by window and goes from one to the next in a straight line."""
    windows = np.array_split(np.arange(len(smooth)), min(num_windows, max(1, len(smooth) // MIN_ROWS_TO_TELL)))
    rests = np.array([_rest(smooth[rows[0] : rows[-1] + 1], noise) for rows in windows])
    if len(windows) > 1:
        centres = [(rows[0] + rows[-1]) / 2.0 for rows in windows]
        rest = np.array([np.interp(np.arange(len(smooth)), centres, column) for column in rests.T]).T
    else:
        rest = rests
    rise = np.maximum([RISE[kind] for _, kind in units], NOISE_RISE * noise)
    present = np.maximum(rest + rise, [THRESHOLDS[kind] for _, kind in units])
    shape = smooth.shape
    return Level(np.broadcast_to(present, shape), np.broadcast_to((rest + present) / 2.0, shape), PLATEAU_NOISE * noise)


def _rest(smooth: Numbers, noise: Numbers) -> Numbers:
    """The resting level (A,) of some rows: their lowest tenth; noise lies around a level, so half its width above."""
    low, middle = int(REST_QUANTILE * len(smooth)), len(smooth) // 2
    ordered: Numbers = np.partition(smooth, (low, middle), axis=0)
    rest: Numbers = np.minimum(ordered[low] + REST_BELOW_MEAN * noise, ordered[middle])
    return rest


def _spans(times: Numbers, smooth: Numbers, level: Level, stretches: Rows) -> Iterator[Span]:
    """Yield every rise above trace that gets to be present, column by column."""
    num_rows, num_columns = smooth.shape
    # A column of time after the other in one line, with a row that is not above trace between any two stretches.
    places = np.arange(num_rows) + stretches + 1
    width = int(places[-1]) + 2
    rows = np.zeros(width, dtype=np.int64)
    rows[places] = np.arange(num_rows)
    above, present = np.zeros((2, num_columns, width), dtype=np.bool_)
    above[:, places] = (smooth > level.trace).T
    present[:, places] = (smooth >= level.present).T
    edges = np.flatnonzero(np.diff(above.ravel())) + 1
    starts, ends = edges[::2], edges[1::2]
    num_present = np.concatenate([[0], np.cumsum(present.ravel())])
    reached = num_present[ends] > num_present[starts]
    for start, end in zip(starts[reached].tolist(), ends[reached].tolist(), strict=True):
        column, first, last = start // width, int(rows[start % width]), int(rows[end % width - 1])
        heights = smooth[:, column], level.trace[:, column]
        onset = _crossing(times, *heights, first, first - 1, stretches)
        yield Span(column, first, last, onset, _crossing(times, *heights, last, last + 1, stretches))


def _crossing(times: Numbers, smooth: Numbers, trace: Numbers, inside: int, beyond: int, stretches: Rows) -> float:
    """When the straight line from a row above trace to the next row that is not meets the trace level."""
    if not 0 <= beyond < len(times) or stretches[beyond] != stretches[inside]:
        return float(times[inside])
    high, low = smooth[inside] - trace[inside], trace[beyond] - smooth[beyond]
    return float(times[inside] + (times[beyond] - times[inside]) * high / (high + low))


def _merged(spans: Iterator[Span], stretches: Rows) -> list[Span]:
    """Join what a short dip has parted, then leave out what is too short."""
    joined: list[Span] = []
    for span in spans:
        before = joined[-1] if joined else None
        if (
            before is not None
            and before.column == span.column
            and stretches[before.last] == stretches[span.first]
            and span.onset_s - before.offset_s < MERGE_S
        ):
            joined[-1] = before._replace(last=span.last, offset_s=span.offset_s)
        else:
            joined.append(span)
    return [span for span in joined if span.offset_s - span.onset_s >= MIN_EVENT_S]


def _event(span: Span, times: Numbers, smooth: Numbers, level: Level, au: str, face: str) -> Event:
    course = smooth[span.first : span.last + 1, span.column]
    plateau = course >= course.max() - level.wobble[span.column]
    apex = span.first + int(plateau.argmax())
    return Event(
        au=code_of(au, span.offset_s - span.onset_s),
        onset_s=round(span.onset_s, 3),
        apex_s=round(float(times[apex]), 3),
        offset_s=round(span.offset_s, 3),
        peak=round(float(np.median(course[plateau])), 3),
        face=face,
    )
