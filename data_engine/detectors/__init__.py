"""Detectors: who measures action units in pictures.

    detector = load_detector("tiny")
    faces = detector.detect([pixels])[0]        # records.Face, largest first

`tiny` is our own and runs in this process. Other people's detectors run in processes of their own: see `doors`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from emollm.errors import ConfigError, did_you_mean
from emollm.records import Detector, Face

Pixels = NDArray[np.uint8]
"""A picture, (H, W, 3) RGB."""


class FaceDetector(Protocol):
    """Finds faces in pictures and measures their action units."""

    detector: Detector
    """Name, version and weights, as they go into the records."""

    def detect(self, pictures: Sequence[Pixels]) -> list[list[Face]]:
        """Return the faces of each picture, largest first.

        A face has its box and landmarks in pixels, confidence 0–1, pose, AUs as intensities with both sides, and the
        regions that are hidden; AUs that only show in a hidden region are left out.
        """
        ...


IN_PROCESS = ("tiny",)


def load_detector(name: str) -> FaceDetector:
    """Return one of the detectors that run in this process, with its weights loaded."""
    if name not in IN_PROCESS:
        raise ConfigError(f"detector '{name}' is unknown{did_you_mean(name, IN_PROCESS)}")
    from data_engine.detectors.tiny import TinyDetector

    detector: Any = TinyDetector.load()
    return detector  # type: ignore[no-any-return]
