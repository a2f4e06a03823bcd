"""How people move: expressions that come and go, blinks, a head that sways, eyes that wander.

    motion = perform(FaceSpec(identity=61, aus={"AU06": 3.0, "AU12": 4.0}), seconds=3.0, rng=rng)
    motion = rest(FaceSpec(identity=62), seconds=3.0, rng=rng)         # blinks and sways only

The AUs of the spec are what the person shows at the apex. Spontaneous expressions rise in some tenths of a second,
last from under one to a few seconds and fall more slowly than they rose; people blink every 2 to 6 s for about 0.2 s
and close the lids faster than they open them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from data_engine.faces.actions import DRAWN_CODES, FULL
from data_engine.faces.codes import BLINK, EYES_CLOSED
from data_engine.faces.film.motion import Key, Level, Motion
from data_engine.faces.spec import FaceSpec
from emollm.facs import excluded

LEAD_S, RISE_S, HOLD_S, FALL_S = (0.15, 0.6), (0.2, 0.6), (0.3, 2.0), (0.4, 1.0)
"""Ranges in seconds: before the onset, onset to apex, at the apex, apex to offset."""
SECONDS_A_PULSE = 3.5
"""So many seconds of a clip hold one expression; longer clips show it again and again."""
STAYS_SHARE, LINGERS_SHARE = 0.12, 0.35
"""How often the last expression stays until the end, and how often one does not quite fade before the next."""
AGAIN = (0.4, 0.9)
"""How strong a repetition is, as a share of the strongest."""
SPREAD = 0.12
"""How much of a rise or fall an AU may lag behind, or be ahead of, the others of its expression."""
TRACE_SHARE = 0.15
"""How often some AU is held at a trace all through the clip, as part of how the person looks."""

BLINK_EVERY_S = (2.0, 6.0)
CLOSING_S, SHUT_S, OPENING_S = (0.06, 0.10), (0.03, 0.06), (0.10, 0.16)
SWAY = {"yaw": 0.035, "pitch": 0.025, "roll": 0.015}
"""Standard deviation of the head around its pose, in radians."""
SWAY_EVERY_S = (0.5, 1.2)
GAZE_EVERY_S, SACCADE_S = (0.7, 2.5), 0.05


class Pulse(NamedTuple):
    """One coming and going of an expression, in seconds; `level` is its strength as a share of the apex."""

    onset: float
    apex: float
    release: float
    offset: float
    level: float


def perform(spec: FaceSpec, seconds: float, rng: np.random.Generator) -> Motion:
    """Return a motion in which the AUs of the spec come and go; at the apex of the strongest pulse all are there."""
    beats = pulses(seconds, rng)
    lingering = rng.uniform(0.2, 0.5) if len(beats) > 1 and rng.random() < LINGERS_SHARE else 0.0
    moves = {code: _course(value, beats, lingering, rng) for code, value in spec.aus.items()}
    shut = [(pulse.onset, pulse.offset) for pulse in beats] if EYES_CLOSED in moves else []
    still = replace(spec, aus=_traces(spec.aus, rng))
    return Motion(still, {**moves, **_idle(still, seconds, shut, rng)})


def rest(spec: FaceSpec, seconds: float, rng: np.random.Generator) -> Motion:
    """Return a motion without any expression: the AUs of the spec stay as they are, the person blinks and sways."""
    return Motion(spec, _idle(spec, seconds, [], rng))


def pulses(seconds: float, rng: np.random.Generator) -> list[Pulse]:
    """Draw when an expression comes and goes in a clip; exactly one of the pulses has level 1."""
    num = max(1, int(seconds / SECONDS_A_PULSE))
    strongest, slot = int(rng.integers(num)), seconds / num
    levels = [1.0 if place == strongest else rng.uniform(*AGAIN) for place in range(num)]
    stays = rng.random() < STAYS_SHARE
    return [
        _pulse(place * slot, (place + 1) * slot, level, stays and place == num - 1, rng)
        for place, level in enumerate(levels)
    ]


def _pulse(start: float, end: float, level: float, stays: bool, rng: np.random.Generator) -> Pulse:
    """Draw one pulse between two moments, faster where there is little room.

    One that stays comes so late that it is held for no longer than any other when the clip ends.
    """
    lead, rise, hold, fall = (rng.uniform(*span) for span in (LEAD_S, RISE_S, HOLD_S, FALL_S))
    room = end - start - 0.1
    if stays:
        lead = max(lead, room - rise - hold)
    hold = max(HOLD_S[0], min(hold, room - lead - rise - fall))
    squeeze = min(1.0, room / (lead + rise + hold + fall))
    onset = start + lead * squeeze
    apex = onset + rise * squeeze
    release = end + 1.0 if stays else apex + hold * squeeze
    return Pulse(onset, apex, release, release + fall * squeeze, level)


def _course(value: Level, beats: list[Pulse], lingering: float, rng: np.random.Generator) -> tuple[Key, ...]:
    """The keyframes of one AU: on every pulse's plateau it is fully there, on the way it may lag or lead."""
    keys: list[Key] = []
    for place, pulse in enumerate(beats):
        rise, fall = pulse.apex - pulse.onset, pulse.offset - pulse.release
        before = lingering if place else 0.0
        after = lingering if place < len(beats) - 1 else 0.0
        keys += [
            (_ms(pulse.onset + rise * rng.uniform(0, SPREAD)), _share(value, before)),
            (_ms(pulse.apex - rise * rng.uniform(0, SPREAD)), _share(value, pulse.level)),
            (_ms(pulse.release + fall * rng.uniform(0, SPREAD)), _share(value, pulse.level)),
            (_ms(pulse.offset - fall * rng.uniform(0, SPREAD)), _share(value, after)),
        ]
    return tuple(keys)


def _traces(moving: Iterable[str], rng: np.random.Generator) -> dict[str, Level]:
    """Now and then one AU is there through the whole clip, too weak to count as present."""
    code = str(rng.choice(DRAWN_CODES))
    weak = round(rng.uniform(0.2, 0.8), 3)
    is_free = code not in moving and code != EYES_CLOSED and not excluded({code: weak} | dict.fromkeys(moving, FULL))
    return {code: weak} if rng.random() < TRACE_SHARE and is_free else {}


def _idle(
    spec: FaceSpec, seconds: float, shut: list[tuple[float, float]], rng: np.random.Generator
) -> dict[str, tuple[Key, ...]]:
    """Blinks, sway and gaze."""
    channels = {name: _sway(getattr(spec, name), width, seconds, rng) for name, width in SWAY.items()}
    channels["gaze"] = _wander(spec.gaze, seconds, rng)
    blinks = _blinks(seconds, shut, rng)
    return {**channels, BLINK: blinks} if blinks else channels


def _blinks(seconds: float, shut: list[tuple[float, float]], rng: np.random.Generator) -> tuple[Key, ...]:
    """Blinks that lie whole in the clip, none while the eyes are shut anyway."""
    keys: list[Key] = []
    start = rng.uniform(0.2, BLINK_EVERY_S[1] - 1.0)
    while True:
        closed = start + rng.uniform(*CLOSING_S)
        opens = closed + rng.uniform(*SHUT_S)
        end = opens + rng.uniform(*OPENING_S)
        if end > seconds - 0.1:
            return tuple(keys)
        if not any(start < until and end > since for since, until in shut):
            keys += [(_ms(start), 0.0), (_ms(closed), 5.0), (_ms(opens), 5.0), (_ms(end), 0.0)]
        start = end + rng.uniform(*BLINK_EVERY_S)


def _sway(middle: float, width: float, seconds: float, rng: np.random.Generator) -> tuple[Key, ...]:
    times = _moments(seconds, SWAY_EVERY_S, rng)
    return tuple((time, _short(middle + rng.normal(0, width))) for time in times)


def _wander(middle: tuple[float, float], seconds: float, rng: np.random.Generator) -> tuple[Key, ...]:
    """The gaze rests, jumps, rests."""
    keys: list[Key] = [(0.0, middle)]
    for time in _moments(seconds, GAZE_EVERY_S, rng)[1:]:
        keys.append((time, keys[-1][1]))
        across, down = (float(np.clip(at + rng.normal(0, 0.15), -1, 1)) for at in middle)
        keys.append((_ms(time + SACCADE_S), (_short(across), _short(down))))
    return tuple(keys)


def _moments(seconds: float, every: tuple[float, float], rng: np.random.Generator) -> list[float]:
    """Times from 0 to beyond the end."""
    times = [0.0]
    while times[-1] < seconds:
        times.append(_ms(times[-1] + rng.uniform(*every)))
    return times


def _share(value: Level, level: float) -> Level:
    if isinstance(value, tuple):
        return round(value[0] * level, 3), round(value[1] * level, 3)
    return round(value * level, 3)


def _ms(seconds: float) -> float:
    return round(float(seconds), 3)


def _short(value: float) -> float:
    return round(float(value), 4)
