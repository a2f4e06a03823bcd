"""Sounds for tests, whose pitch, rate, pauses and loudness are known, and clips that have them."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from data_engine.media.sound import RATE, Sound

Values = npt.NDArray[np.float64]


def times(seconds: float, rate: int = RATE) -> Values:
    return np.arange(round(seconds * rate)) / rate


def tone(hz: float, seconds: float, level: float = 0.3, rate: int = RATE) -> Sound:
    return (level * np.sin(2.0 * np.pi * hz * times(seconds, rate))).astype(np.float32)


def vibrato(semitones: float, seconds: float = 4.0, hz: float = 200.0, per_s: float = 0.5) -> Sound:
    """A tone that goes up and down by so much from its middle: quick changes blur within a frame of 40 ms."""
    at = times(seconds)
    pitch = hz * 2.0 ** (semitones * np.sin(2.0 * np.pi * per_s * at) / 12.0)
    return (0.3 * np.sin(2.0 * np.pi * np.cumsum(pitch) / RATE)).astype(np.float32)


def syllables(per_s: float, num: int, *, louder_db: float = 0.0) -> Sound:
    """Bursts of a tone that run into each other, every second one louder by so much."""
    at = times(num / per_s)
    swell = 0.02 + 0.98 * np.sin(np.pi * per_s * at) ** 2
    stress = 10.0 ** (louder_db * (np.floor(at * per_s) % 2) / 20.0)
    return (0.05 * swell * stress * tone(180.0, num / per_s, 1.0)[: len(at)]).astype(np.float32)


def silence(seconds: float) -> Sound:
    return np.zeros(round(seconds * RATE), np.float32)


def noise(seconds: float, level: float = 0.1) -> Sound:
    return np.random.default_rng(0).normal(0.0, level, round(seconds * RATE)).astype(np.float32)


def clip(path: Path, frames: Sequence[Image.Image], sound: Sound | None, rate: int = RATE, codec: str = "aac") -> Path:
    """A video at 10 frames a second with this sound on two channels. Skips a test where PyAV is missing."""
    av = pytest.importorskip("av")
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        video = container.add_stream("mpeg4", rate=10)
        video.width, video.height, video.pix_fmt, video.bit_rate = *frames[0].size, "yuv420p", 4_000_000
        audio = container.add_stream(codec, rate=rate, layout="stereo") if sound is not None else None
        for place, image in enumerate(frames):
            frame = av.VideoFrame.from_image(image)
            frame.pts, frame.time_base = place, Fraction(1, 10)
            container.mux(video.encode(frame))
        container.mux(video.encode())
        if sound is not None and audio is not None:
            frame = av.AudioFrame.from_ndarray(np.tile(sound, (2, 1)), format="fltp", layout="stereo")
            frame.sample_rate, frame.pts, frame.time_base = rate, 0, Fraction(1, rate)
            container.mux(audio.encode(frame))
            container.mux(audio.encode())
    return path
