"""Measures: what the contours of a sound say about how it was spoken, in numbers.

    measures = measure(contours_of(open_sound(path)))       # None where no voice is heard
    measures.pitch_range_st, measures.syllables_per_s

Whatever is loudest and periodic counts as the voice: under loud music, it is the music that is measured.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from data_engine.prosody.contours import STEP_S, Contours, Numbers

Flags = npt.NDArray[np.bool_]

BELOW_LOUDEST_DB = 25.0
"""What lies so far below the loudest (99th percentile) is silence (de Jong & Wempe 2009, their revised script)."""
HEARD_DB = -60.0
"""What stays below is no sound, whatever else there is: our convention, the noise of a plain recording."""
DIP_DB = 2.0
"""Loudness falls by so much between two syllables (de Jong & Wempe 2009)."""
PAUSE_S = 0.25
"""Shorter silences belong to the sounds of speech, such as p and t (Goldman-Eisler 1968)."""
SMOOTH = 5
"""Values that loudness is averaged over where syllables are counted: 50 ms, longer than the period of any voice."""
MIN_VOICED_S = 0.5
MIN_SYLLABLES = 3
"""With less, no voice was heard, and with fewer, nothing is said about syllables: our conventions."""
RANGE = (0.1, 0.9)
"""A range reaches from one of these quantiles to the other (Mennen et al. 2007): single errors do not stretch it."""


class Measures(NamedTuple):
    """How something was said."""

    seconds: float
    """The length of the sound."""
    voiced: float
    """The share of it in which a voice sounds. It is about half where people speak without a stop."""
    pitch_hz: float
    """The median."""
    pitch_range_st: float
    """In semitones: the same for high voices and low ones."""
    num_pauses: int
    """Silences of `PAUSE_S` or more between the first sound and the last one."""
    paused: float
    """Their share of the time between the first sound and the last one."""
    loudness_db: float | None = None
    """The median of the syllables; 0 is the loudest that a file can hold. It tells more of microphones than people."""
    loudness_range_db: float | None = None
    """That of the syllables."""
    syllables_per_s: float | None = None
    """Pauses left out: peaks of loudness in voiced parts, with dips between them (de Jong & Wempe 2009)."""


def measure(contours: Contours) -> Measures | None:
    """Return the measures of a sound, None where less than `MIN_VOICED_S` of it is voiced."""
    is_loud = _is_loud(contours.loudness)
    is_voiced = is_loud & np.isfinite(contours.pitch)
    if is_voiced.sum() * STEP_S < MIN_VOICED_S:
        return None
    heard = np.flatnonzero(is_loud)
    silences = (np.diff(heard) - 1) * STEP_S
    pauses = silences[silences >= PAUSE_S]
    span_s = (heard[-1] - heard[0] + 1) * STEP_S
    pitch = contours.pitch[is_voiced]
    measures = Measures(
        seconds=len(is_loud) * STEP_S,
        voiced=float(is_voiced.mean()),
        pitch_hz=float(np.median(pitch)),
        pitch_range_st=_range(12.0 * np.log2(pitch)),
        num_pauses=len(pauses),
        paused=float(pauses.sum() / span_s),
    )
    loudness = _smooth(contours.loudness)
    nuclei = loudness[[place for place in peaks(loudness, DIP_DB) if is_voiced[place]]]
    if len(nuclei) < MIN_SYLLABLES:
        return measures
    return measures._replace(
        loudness_db=float(np.median(nuclei)),
        loudness_range_db=_range(nuclei),
        syllables_per_s=len(nuclei) / float(span_s - pauses.sum()),
    )


def _is_loud(loudness: Numbers) -> Flags:
    loudest = float(np.quantile(loudness, 0.99)) if len(loudness) else 0.0
    return loudness > max(loudest - BELOW_LOUDEST_DB, HEARD_DB)


def _smooth(loudness: Numbers) -> Numbers:
    padded = np.pad(loudness, SMOOTH // 2, mode="edge")
    return np.convolve(padded, np.full(SMOOTH, 1.0 / SMOOTH), mode="valid")


def _range(values: Numbers) -> float:
    low, high = np.quantile(values, RANGE)
    return float(high - low)


def peaks(values: Numbers, dip: float) -> Iterator[int]:
    """Yield the places of the peaks between which the values fall by at least `dip`, as before the first one."""
    peak = valley = 0
    is_rising = False
    for place, value in enumerate(values.tolist()):
        if is_rising:
            if value > values[peak]:
                peak = place
            elif value <= values[peak] - dip:
                yield peak
                is_rising, valley = False, place
        elif value < values[valley]:
            valley = place
        elif value >= values[valley] + dip:
            is_rising, peak = True, place
    if is_rising:
        yield peak
