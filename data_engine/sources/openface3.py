"""OpenFace 3: one cell `action_units` holds eight probabilities, `[[0.1, …]]`, without names.

Their order is AU1, 2, 4, 6, 9, 12, 25, 26. `timestamp` is the hour at which the program ran, not a time in the clip.
`face_detection` holds the corners of the box and its score, `[left, top, right, bottom, score, …]`.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from typing import Any

from data_engine.sources.head import Head
from data_engine.sources.layout import ROW, Channel, Dialect, Layout, find_roles
from emollm.records import Detector

AUS = ("AU01", "AU02", "AU04", "AU06", "AU09", "AU12", "AU25", "AU26")
ROLES = {
    "frame": ("frame_index",),
    "time_s": ("time_s",),
    "person": ("face_id",),
    "media": ("video_path", "image_path"),
}
BOX = {"confidence": "(score)", "x": "(x)", "y": "(y)", "width": "(width)", "height": "(height)"}
"""Role to the column that `rows` unfolds from `face_detection`."""


def recognises(head: Head) -> str | None:
    """A column of eight nameless numbers."""
    if "action_units" not in head.columns:
        return None
    return f"a column action_units of {len(AUS)} probabilities"


def layout(head: Head) -> Layout:
    """Eight channels named by their order."""
    channels = tuple(Channel(au, au, "probability") for au in AUS)
    roles = find_roles(head.columns, ROLES) | (BOX if "face_detection" in head.columns else {})
    moves = "frame" in roles
    if moves:
        # In a clip, `face_id` counts the faces of a frame by their scores: it is no name.
        roles.pop("person", None)
    return Layout(Detector(name="openface", version="3"), channels, roles, faces_in_order=moves)


def rows(head: Head) -> Iterator[dict[str, Any]]:
    """Unfold the nested list of each row. The cells are quoted and may hold line breaks."""
    with head.path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        for _ in range(head.skip_lines - 1):
            next(file)
        table = csv.reader(file, delimiter=head.separator.decode())
        place = 0
        try:
            next(table)
            for cells in table:
                row = dict(zip(head.columns, cells, strict=False))
                if cells:
                    units = dict(zip(AUS, _eight(row.get("action_units")), strict=True))
                    yield row | units | _box(row.get("face_detection")) | {ROW: place}
                place = table.line_num - 1
        except csv.Error:
            # Everything from here on is one cell; reading it as a number reports the row.
            yield dict.fromkeys(AUS, "a quoted cell that does not end") | {ROW: place}


def _eight(cell: Any) -> list[Any]:
    """The eight values of a cell; text where the cell is something else, so that the row is reported."""
    try:
        values = json.loads(cell or "[]")
    except (json.JSONDecodeError, RecursionError):
        return [cell] * len(AUS)
    while isinstance(values, list) and len(values) == 1:
        values = values[0]
    if not values:
        return [None] * len(AUS)
    return values if isinstance(values, list) and len(values) == len(AUS) else [cell] * len(AUS)


def _box(cell: Any) -> dict[str, float]:
    """The box and the score of a cell; nothing where it holds anything else, which costs no row its AUs."""
    try:
        left, top, right, bottom, score = (float(value) for value in json.loads(cell or "[]")[:5])
    except (ValueError, TypeError, KeyError, RecursionError):
        return {}
    return dict(zip(BOX.values(), (score, left, top, right - left, bottom - top), strict=True))


OPENFACE3 = Dialect("openface3", recognises, layout, rows)
