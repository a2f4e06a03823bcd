"""Which AUs a detector measures, and which AUs a data set is scored on.

Example:

    DETECTOR_AUS["openface2"]       # ("AU01", "AU02", ..., "AU45")
    detectors_of("AU12")            # ["openface2", "openface2_presence", ...]
"""

from __future__ import annotations


def _codes(numbers: str) -> tuple[str, ...]:
    return tuple(f"AU{int(number):02d}" for number in numbers.split())


DETECTOR_AUS: dict[str, tuple[str, ...]] = {
    "openface2": _codes("1 2 4 5 6 7 9 10 12 14 15 17 20 23 25 26 45"),
    "openface2_presence": _codes("1 2 4 5 6 7 9 10 12 14 15 17 20 23 25 26 28 45"),
    "openface3": _codes("1 2 4 6 9 12 25 26"),
    "pyfeat": _codes("1 2 4 5 6 7 9 10 11 12 14 15 17 20 23 24 25 26 28 43"),
    "libreface": _codes("1 2 4 5 6 9 12 15 17 20 25 26"),
    "libreface_presence": _codes("1 2 4 6 7 10 12 14 15 17 23 24"),
    "mediapipe": _codes("1 2 4 5 6 7 8 9 10 12 14 15 16 17 18 20 22 23 24 25 26 27 28 43 45 46"),
    "feafa": _codes("1 2 4 5 9 10 12 16 17 18 20 26 28 29 30 34 43"),
}
"""Detector to the AUs it gives, in the order of its output where it has one (openface3's columns have no names)."""

PROTOCOL_AUS: dict[str, tuple[str, ...]] = {
    "bp4d": _codes("1 2 4 6 7 10 12 14 15 17 23 24"),
    "disfa": _codes("1 2 4 6 9 12 25 26"),
    "disfa12": _codes("1 2 4 5 6 9 12 15 17 20 25 26"),
    "gft": _codes("1 2 4 5 6 7 9 10 12 14 15 16 17 18 20 23 24 25 26"),
    "emotionet": _codes("1 2 4 5 6 9 12 17 20 25 26 43"),
    "faba": _codes("1 2 4 5 6 7 9 10 12 14 15 16 17 20 23 24 25 26 27 43"),
}
"""Data set to the AUs that published numbers on it are about. DISFA counts an AU from strength B (intensity 2)."""


def detectors_of(code: str) -> list[str]:
    """Return the detectors that measure an AU."""
    return [name for name, codes in DETECTOR_AUS.items() if code in codes]
