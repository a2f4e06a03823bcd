"""Tables of emotions without AUs, as EmotiEffLib and HSEmotion give them: Anger … Surprise, perhaps valence, arousal.

A column is an emotion whatever form its name has (`Happy`, `happiness`). They must be probabilities: all seven or
eight of them, from 0 to 1, summing to 1. A face has no AUs then; the sample has a distribution over its labels.
"""

from __future__ import annotations

import math

from data_engine.sources.head import Head
from data_engine.sources.layout import CLIP_COLUMNS, Dialect, Layout, find_roles
from emollm.facs import au_name
from emollm.labels import LABEL_SETS, canonical
from emollm.records import Detector

ROLES = {
    "frame": ("frame", "frame_index", "frame_idx"),
    "time_s": ("time_s",),
    "confidence": ("confidence",),
    "x": ("x",),
    "y": ("y",),
    "width": ("width",),
    "height": ("height",),
    "valence": ("valence",),
    "arousal": ("arousal",),
    "person": ("person", "face_id", "track_id"),
    "clip": CLIP_COLUMNS,
    "media": ("input", "image", "image_path", "video_path", "path"),
}
NEEDED = frozenset(LABEL_SETS["basic7"].labels)
TOLERANCE = 0.02
"""How far the probabilities of a row may be from 1 in sum: files round to two digits."""


def recognises(head: Head) -> str | None:
    """All basic emotions as columns, no AUs beside them, and rows that sum to 1."""
    found = _scores(head)
    if not found.keys() >= NEEDED or any(au_name(column) for column in head.columns):
        return None
    sums = [total for total in map(sum, _rows(head, found)) if not math.isnan(total)]
    if not sums and any(cell for column in found.values() for cell in head.column_values(column)):
        return None
    if any(abs(total - 1.0) > TOLERANCE for total in sums):
        return None
    return f"probabilities of {len(found)} emotions such as {next(iter(found.values()))}, and no AUs"


def layout(head: Head) -> Layout:
    """No channels: emotions, and valence and arousal where they are told."""
    roles = find_roles(head.columns, ROLES)
    return Layout(Detector(name="emotions"), (), roles, faces_in_order=True, scores=_scores(head))


def _scores(head: Head) -> dict[str, str]:
    """Emotion to its column, in the order of the table."""
    found: dict[str, str] = {}
    for column in head.columns:
        label = canonical(column, "basic8")
        if label is not None:
            found.setdefault(label, column)
    return found


def _rows(head: Head, found: dict[str, str]) -> list[list[float]]:
    columns = [head.column_values(column) for column in found.values()]
    return [[_number(cell) for cell in cells] for cells in zip(*columns, strict=False)]


def _number(cell: str) -> float:
    try:
        return float(cell)
    except ValueError:
        return math.nan


EMOTIONS = Dialect("emotions", recognises, layout)
