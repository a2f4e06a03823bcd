"""OpenFace 3: one cell `action_units` holds eight probabilities, `[[0.1, …]]`, without names.

Their order is AU1, 2, 4, 6, 9, 12, 25, 26. `timestamp` is the hour at which the program ran, not a time in the clip.
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
ROLES = {"frame": ("frame_index",), "person": ("face_id",), "media": ("video_path", "image_path")}


def recognises(head: Head) -> str | None:
    """A column of eight nameless numbers."""
    if "action_units" not in head.columns:
        return None
    return f"a column action_units of {len(AUS)} probabilities"


def layout(head: Head) -> Layout:
    """Eight channels named by their order."""
    channels = tuple(Channel(au, au, "probability") for au in AUS)
    return Layout(Detector(name="openface", version="3"), channels, find_roles(head.columns, ROLES))


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
                    yield row | dict(zip(AUS, _eight(row.get("action_units")), strict=True)) | {ROW: place}
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


OPENFACE3 = Dialect("openface3", recognises, layout, rows)
