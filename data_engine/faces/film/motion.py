"""A face in motion: AUs, head and gaze over time, and the exact events of it.

    smile = Motion(FaceSpec(identity=61), {"AU12": ((0.4, 0.0), (0.8, 4.0), (1.9, 4.0), (2.6, 0.0))})
    smile.at(0.6)                       # the FaceSpec to draw 0.6 s into the clip
    smile.events(times, end_s=3.0)      # [Event(au="AU12", onset_s=0.533, apex_s=0.8, …)]

Between two keyframes a value eases from one to the other (smoothstep); before the first and after the last it rests.

What an event is, here and wherever rendered clips are the truth (FACS codes clips frame by frame):

- An AU's course is its stronger side, frame by frame, less the lowest level it has in the clip. An AU that is held
  at one level all through is part of how the person looks, not an event.
- An event is a stretch of frames with a course of TRACE and more that reaches RISE somewhere. Two movements of an AU
  that meet above TRACE are one event.
- Onset is the time of its first frame, apex of its first highest one, offset of the first frame after it, or the end
  of the clip. `peak` is the intensity at the apex, not its rise.
- Lids that close on both sides and open again within BLINK_S are a blink, AU45; that stay shut longer, AU43.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby, pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data_engine.faces.actions import DRAWN_CODES, FULL
from data_engine.faces.codes import BLINK, EYES_CLOSED
from data_engine.faces.spec import FaceSpec
from emollm.errors import ConfigError, did_you_mean
from emollm.facs import THRESHOLDS
from emollm.records import Event

Level = float | tuple[float, float]
Key = tuple[float, Level]
"""Seconds, and the value then: an AU's intensity 0–5 or (left, right), an angle in radians, the pair of a gaze."""
Course = NDArray[np.float64]

ANGLES = ("yaw", "pitch", "roll")
CHANNELS = (*DRAWN_CODES, BLINK, *ANGLES, "gaze")
"""What moves. The blinks of AU45 are drawn as AU43, together with what AU43 itself does."""

TRACE = 0.5
"""Intensity from which FACS scores anything: halfway to an A."""
RISE = THRESHOLDS["intensity"]
BLINK_S = 0.5
"""The FACS manual: closed for half a second at most is AU45, for longer AU43."""
DIGITS = 3
"""Decimals of the intensities that are drawn, so that pixels, record and events agree to the last digit."""


@dataclass(frozen=True)
class Motion:
    """One person through one clip. `at` gives the picture of any moment, on any number of cores alike."""

    spec: FaceSpec
    """What does not move. Where a channel has keyframes they replace the value here."""
    keyframes: Mapping[str, tuple[Key, ...]] = field(default_factory=dict)
    """One of CHANNELS to its keyframes, in the order of time."""

    def __post_init__(self) -> None:
        for channel, keys in self.keyframes.items():
            if channel not in CHANNELS:
                raise ConfigError(f"keyframes: '{channel}' does not move{did_you_mean(channel, CHANNELS)}")
            if not keys or not all(later[0] > earlier[0] for earlier, later in pairwise(keys)):
                raise ConfigError(f"keyframes: the times of {channel} must be there and grow")
            levels = [level for _, value in keys for level in _pair(value)]
            if channel.startswith("AU") and not all(0.0 <= level <= FULL for level in levels):
                raise ConfigError(f"keyframes: {channel} leaves the scale; intensities run from 0 to 5")

    def at(self, time_s: float) -> FaceSpec:
        """Return what the picture shows that many seconds into the clip; the camera's noise is new in every one."""
        moment = np.array([time_s])
        aus = {**self.spec.aus, **{code: _sided(self.course(code, moment)[0]) for code in self.moving_aus()}}
        fields: dict[str, Any] = {"aus": {code: value for code, value in aus.items() if np.any(value)}}
        fields |= {name: _short(self._eased(name, moment)[0, 0]) for name in ANGLES if name in self.keyframes}
        if "gaze" in self.keyframes:
            across, down = self._eased("gaze", moment)[0]
            fields["gaze"] = (_short(across), _short(down))
        return replace(self.spec, seed=self.spec.seed + round(1000 * time_s), **fields)

    def moving_aus(self) -> list[str]:
        """Return the AUs with keyframes as they are drawn, in the order of their numbers."""
        return sorted({EYES_CLOSED if name == BLINK else name for name in self.keyframes if name.startswith("AU")})

    def course(self, code: str, times: Course) -> Course:
        """Return an AU's drawn intensities (N, 2), the subject's left and right side, at times (N,) in seconds."""
        values = self._eased(code, times)
        if code == EYES_CLOSED:
            values = np.maximum(values, self._eased(BLINK, times))
        rounded: Course = np.round(values, DIGITS)
        return rounded

    def _eased(self, channel: str, times: Course) -> Course:
        """Interpolate a channel's keyframes: (N, 2)."""
        keys = self.keyframes.get(channel)
        if keys is None:
            rest = self.spec.aus.get(channel, 0.0)
            return np.tile(np.array(_pair(rest), float), (len(times), 1))
        when = np.array([key[0] for key in keys])
        values = np.array([_pair(key[1]) for key in keys], float)
        before = np.clip(np.searchsorted(when, times, "right") - 1, 0, len(keys) - 1)
        after = np.minimum(before + 1, len(keys) - 1)
        share = np.clip((times - when[before]) / np.maximum(when[after] - when[before], 1e-9), 0.0, 1.0)
        ease = (share * share * (3 - 2 * share))[:, None]
        eased: Course = values[before] + (values[after] - values[before]) * ease
        return eased

    def events(self, times: Sequence[float], end_s: float, face: str = "0") -> list[Event]:
        """Return the events of a clip with frames at these times (seconds) that ends at `end_s`, in order of onset."""
        found = [event for code in self.moving_aus() for event in self._events_of(code, times, end_s, face)]
        return sorted(found, key=lambda event: (event.onset_s, event.au))

    def _events_of(self, code: str, times: Sequence[float], end_s: float, face: str) -> Iterator[Event]:
        sides = self.course(code, np.array(times))
        values = sides.max(axis=1)
        rise = np.round(values - values.min(), DIGITS)
        edges = [*times, end_s]
        for first, stop in _stretches(rise >= TRACE):
            if rise[first:stop].max() < RISE:
                continue
            onset, offset = edges[first], edges[stop]
            apex = first + int(values[first:stop].argmax())
            is_blink = code == EYES_CLOSED and round(offset - onset, 6) <= BLINK_S and sides[apex].min() >= TRACE
            yield Event(
                au=BLINK if is_blink else code,
                onset_s=onset,
                apex_s=edges[apex],
                offset_s=offset,
                peak=float(values[apex]),
                face=face,
            )

    def rises(self, times: Sequence[float]) -> Course:
        """Return how much the person shows at each time, (N,): all AUs above their lowest level, blinks left out."""
        still = replace(self, keyframes={name: keys for name, keys in self.keyframes.items() if name != BLINK})
        moments, total = np.array(times), np.zeros(len(times))
        for code in still.moving_aus():
            values = still.course(code, moments).max(axis=1)
            total += values - values.min()
        return total

    def is_blinking(self, times: Sequence[float]) -> NDArray[np.bool_]:
        """Tell for each time whether the lids are in a blink, (N,)."""
        return np.asarray(self._eased(BLINK, np.array(times)).max(axis=1) > 0)


def _pair(value: Level) -> tuple[float, float]:
    return value if isinstance(value, tuple) else (value, value)


def _sided(sides: Course) -> Level:
    left, right = sides.tolist()
    return left if left == right else (left, right)


def _short(value: float) -> float:
    return round(float(value), 4)


def _stretches(inside: NDArray[np.bool_]) -> Iterator[tuple[int, int]]:
    """Yield (first, stop) of each run of true values."""
    for is_inside, run in groupby(range(len(inside)), key=lambda place: bool(inside[place])):
        if is_inside:
            places = list(run)
            yield places[0], places[-1] + 1
