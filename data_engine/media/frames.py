"""Frames: what a picture or a clip gives to look at.

    recording = open_media(path, Pace(fps=10.0))
    for frame in recording.frames:
        frame.pixels                    # (H, W, 3) RGB, upright

A still is a clip of one frame without a number and a time.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from data_engine.detectors import Pixels
from emollm.records import MediaKind

NEARLY = 0.1
"""29.97 frames a second count as 30: a third of them are 10 frames a second."""


class Frame(NamedTuple):
    """One picture of a recording."""

    pixels: Pixels
    scale: float = 1.0
    """How many pixels of the file one pixel here is; large pictures are decoded smaller."""
    number: int | None = None
    """Counted from 0 over all frames of the file; None in a still."""
    time_s: float | None = None
    """Seconds since the first frame."""


class Recording(NamedTuple):
    """A picture or a clip that was opened. Reading the frames may raise SourceError."""

    kind: MediaKind
    frames: Iterator[Frame]
    sha256: str | None = None
    """Of the file; None where only its content was given."""


@dataclass(frozen=True)
class Pace:
    """Which frames of a clip are looked at: every `stride`-th, or else so that there are at least `fps` a second."""

    fps: float = 10.0
    stride: int | None = None

    def stride_of(self, native_fps: float | None) -> int:
        """Return the stride for a clip of `native_fps` frames a second; 1 where that is not known."""
        if self.stride is not None:
            return self.stride
        return max(1, int(native_fps / self.fps + NEARLY)) if native_fps else 1

    def picker(self, native_fps: float | None) -> Picker:
        """Return what picks the frames of one clip."""
        return Picker(self.stride_of(native_fps), 1.0 / self.fps if self.stride is None else math.inf)


class Picker:
    """Picks frames of a clip one after the other.

    A frame is also picked where the one before is too long ago: the frames of a clip need not be equally long.
    """

    def __init__(self, stride: int, most_s: float) -> None:
        self._stride, self._most_s = stride, most_s
        self._number, self._time_s = -stride, 0.0
        """The frame that was picked last."""

    def picks(self, number: int, time_s: float) -> bool:
        """Tell whether to look at this frame."""
        if number - self._number < self._stride and time_s - self._time_s < self._most_s:
            return False
        self._number, self._time_s = number, time_s
        return True


def bounded(size: tuple[int, int], longest: int) -> tuple[int, int]:
    """Return width and height with the same shape whose longer side is at most `longest` pixels."""
    width, height = size
    factor = min(1.0, longest / max(width, height))
    return max(1, round(width * factor)), max(1, round(height * factor))
