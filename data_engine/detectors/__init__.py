"""Detectors: who measures action units in pictures.

    detector = load_detector("tiny")
    faces = detector.detect([pixels])[0]        # records.Face, largest first

`tiny` is our own and runs in this process. Other people's detectors run in processes of their own: see `doors`.
"""

from __future__ import annotations

from data_engine.detectors.protocol import FaceDetector, Pixels
from emollm.errors import ConfigError, did_you_mean

__all__ = ["IN_PROCESS", "FaceDetector", "Pixels", "load_detector"]

IN_PROCESS = ("tiny",)


def load_detector(name: str) -> FaceDetector:
    """Return one of the detectors that run in this process, with its weights loaded. Raises ConfigError."""
    if name not in IN_PROCESS:
        raise ConfigError(f"detector '{name}' is unknown{did_you_mean(name, IN_PROCESS)}")
    from data_engine.detectors.tiny import TinyDetector

    return TinyDetector.load()
