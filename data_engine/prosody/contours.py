"""Contours: how loud and how high a sound is, a value each every 10 ms.

    contours = contours_of(open_sound(path))
    contours.loudness, contours.pitch

Pitch is found by autocorrelation as Boersma (1993) and Praat do it, but each frame for itself, without the search for
the best path through all. Voices below `LOWEST_HZ` are not found: some men's, and what creaks.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from data_engine.media.sound import RATE, Sound

Numbers = npt.NDArray[np.float64]

STEP_S = 0.01
FRAME_S = 0.04
"""Three periods of the lowest pitch, as Boersma advises."""
LOWEST_HZ, HIGHEST_HZ = 75.0, 500.0
PERIODIC = 0.45
"""A frame is periodic where it is so much like itself a period later (Praat's voicing threshold)."""
OCTAVE_COST = 0.06
"""So much likeness an octave is worth, so that a period is preferred to twice the period. Praat does with 0.01, as it
looks at the frames around; with 0.06, ranges of pitch come out as Praat's."""
SILENCE_DB = -100.0
"""What digital silence is taken for."""
LOUDEST = 10.0
"""Values beyond it, and NaN, are faults of a file: full scale is 1."""

_STEP, _FRAME = round(STEP_S * RATE), round(FRAME_S * RATE)
_FFT = 512
_LAGS = np.arange(int(RATE / HIGHEST_HZ), int(RATE / LOWEST_HZ) + 2)
_WINDOW = np.hanning(_FRAME + 2)[1:-1]


class Contours(NamedTuple):
    """Loudness and pitch of a sound, both (N,)."""

    loudness: Numbers
    """Decibels; the loudest square wave is 0, digital silence `SILENCE_DB`."""
    pitch: Numbers
    """Hertz; NaN in a frame that is not periodic."""


def contours_of(blocks: Iterable[Sound]) -> Contours:
    """Return the contours of a sound that is given in blocks of any length."""
    found = [_contours(frames) for frames in _frames(blocks)]
    loudness, pitch = zip(*found, strict=True) if found else ((np.empty(0),), (np.empty(0),))
    return Contours(np.concatenate(loudness), np.concatenate(pitch))


def _frames(blocks: Iterable[Sound]) -> Iterator[Sound]:
    """Yield the frames (N, F) of each block; what is left of it goes before the next."""
    rest = np.empty(0, np.float32)
    for block in blocks:
        sound = np.concatenate((rest, block))
        num = max(0, (len(sound) - _FRAME) // _STEP + 1)
        if num:
            yield np.lib.stride_tricks.sliding_window_view(sound, _FRAME)[: num * _STEP : _STEP]
        rest = sound[num * _STEP :]


def _autocorrelation(frames: Numbers) -> Numbers:
    """(N, F) to (N, lags), from lag 0 to one beyond the longest period."""
    spectrum = np.fft.rfft(frames, _FFT)
    return np.fft.irfft(np.abs(spectrum) ** 2, _FFT)[:, : _LAGS[-1] + 1]


_OF_WINDOW = _autocorrelation(_WINDOW[None])[0]


def _contours(frames: Sound) -> tuple[Numbers, Numbers]:
    """Return loudness and pitch of frames (N, F)."""
    level = np.clip(np.nan_to_num(frames.astype(np.float64)), -LOUDEST, LOUDEST)
    found = _autocorrelation((level - level.mean(axis=1, keepdims=True)) * _WINDOW)
    energy = np.maximum(found[:, :1], _OF_WINDOW[0] * 10.0 ** (SILENCE_DB / 10.0))
    # Divided by that of the window: what tapers off is no less like itself (Boersma 1993, equation 9).
    likeness = found / energy / (_OF_WINDOW / _OF_WINDOW[0])
    return 10.0 * np.log10(energy[:, 0] / _OF_WINDOW[0]), _pitch(likeness[:, _LAGS[0] - 1 :])


def _pitch(likeness: Numbers) -> Numbers:
    """Return the pitch of frames from their likeness to themselves (N, lags), one lag more on the left than `_LAGS`."""
    before, here, after = likeness[:, :-2], likeness[:, 1:-1], likeness[:, 2:]
    lags = _LAGS[:-1]
    is_peak = (here > before) & (here >= after) & (here > PERIODIC)
    curve = np.where(is_peak, 2.0 * here - before - after, 1.0)
    top = here + (after - before) ** 2 / (8.0 * curve)
    worth = np.where(is_peak, top - OCTAVE_COST * np.log2(lags * LOWEST_HZ / RATE), -np.inf)
    rows, best = np.arange(len(worth)), worth.argmax(axis=1)
    # The top of the parabola through the peak and its neighbours.
    period = lags[best] + 0.5 * (after - before)[rows, best] / curve[rows, best]
    return np.where(is_peak[rows, best], RATE / period, np.nan)
