"""The record: everything between two stages is JSON Lines of `Sample` or `Prediction`, keyed by `id`.

    for sample in read_records(path, Sample):
        ...

A stage fills fields and keeps the rest. `None` means not known; empty means known to be empty.
"""

from emollm.records.lines import BadLine, R, decode, encode, read_records, to_json
from emollm.records.types import (
    AU,
    AU_RANGE,
    AUKind,
    Box,
    Detector,
    Event,
    Face,
    Keyed,
    Media,
    MediaKind,
    Prediction,
    Reasoning,
    Record,
    Region,
    Sample,
    media_path,
)

__all__ = [
    "AU",
    "AU_RANGE",
    "AUKind",
    "BadLine",
    "Box",
    "Detector",
    "Event",
    "Face",
    "Keyed",
    "Media",
    "MediaKind",
    "Prediction",
    "R",
    "Reasoning",
    "Record",
    "Region",
    "Sample",
    "decode",
    "encode",
    "media_path",
    "read_records",
    "to_json",
]
