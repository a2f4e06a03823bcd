"""The blendshapes of mediapipe and ARKit, one row a face: `browDownLeft`, `jawOpen` … 0-1, in a table or as JSON.

A blendshape is how far a movement has gone, so it is read as an intensity of 0-5, as FEAFA's values are. Left and
right are the subject's. Blendshapes are no AUs, and some of them stand for an AU only in part:

- cheekSquint, noseSneer, eyeWide and cheekPuff stay near 0 whatever the face does (google-ai-edge/mediapipe #4436,
  #4450, #5329): AU6, AU9, AU5 and AU34 are measured where the channel moves, and not measured where it rests.
- AU25 is jawOpen less mouthClose; where the jaw is shut and the lips are drawn apart, nobody knows.
- jawOpen is AU26, and AU27 from 0.7 on. mouthPress is AU24; it cannot tell AU23.
"""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Iterator
from typing import Any, Literal

from data_engine.sources.head import Head
from data_engine.sources.layout import CLIP_COLUMNS, ROW, Channel, Dialect, Layout, find_roles
from emollm.facs import au_name
from emollm.records import Detector

Side = Literal["left", "right"]
Place = tuple[str, str, Side | None]
"""An AU, the column of its channel, and the side."""

# AU to its channels; one that ends in `*` has a left and a right. Two channels of an AU give the stronger.
AUS: tuple[tuple[str, str], ...] = (
    ("AU01", "browInnerUp"),
    ("AU02", "browOuterUp*"),
    ("AU04", "browDown*"),
    ("AU07", "eyeSquint*"),
    ("AU10", "mouthUpperUp*"),
    ("AU12", "mouthSmile*"),
    ("AU14", "mouthDimple*"),
    ("AU15", "mouthFrown*"),
    ("AU16", "mouthLowerDown*"),
    ("AU17", "mouthShrugLower"),
    ("AU18", "mouthPucker"),
    ("AU19", "tongueOut"),
    ("AU20", "mouthStretch*"),
    ("AU22", "mouthFunnel"),
    ("AU24", "mouthPress*"),
    ("AU28", "mouthRollUpper"),
    ("AU28", "mouthRollLower"),
    ("AU29", "jawForward"),
    ("AU30", "jaw*"),
    ("AU43", "eyeBlink*"),
)
RESTING: tuple[tuple[str, str], ...] = (
    ("AU05", "eyeWide*"),
    ("AU06", "cheekSquint*"),
    ("AU09", "noseSneer*"),
    ("AU34", "cheekPuff"),
)
"""Channels that can say that an AU is there, never that it is not."""
MOVES = 0.2
"""From here on such a channel counts; it is an intensity of 1, from which on an AU is present."""
WIDE = 0.7
"""From here on an open jaw is AU27."""

DRAWN = ("mouthupperupleft", "mouthupperupright", "mouthlowerdownleft", "mouthlowerdownright")
"""What draws the lips apart."""

MIN_CHANNELS = 12
"""So many of the names must be there."""
SIDES: tuple[Side, Side] = ("left", "right")
NESTED = ("blendshapes", "face_blendshapes", "faceBlendshapes")
SECONDS = "(seconds)"

ROLES = {
    "frame": ("frame", "frame_index", "frame_idx", "frame_number"),
    "time_s": ("time_s", SECONDS),
    "x": ("x",),
    "y": ("y",),
    "width": ("width",),
    "height": ("height",),
    "person": ("person", "face_id", "track_id"),
    "clip": CLIP_COLUMNS,
    "media": ("input", "image", "image_path", "video_path", "path"),
}
OWN_ROLES = {"yaw": ("yaw",), "pitch": ("pitch",), "roll": ("roll",)}
"""Of our own worker, which says `input`, and angles in radians with our signs; others' angles are anybody's guess."""


def recognises(head: Head) -> str | None:
    """Enough of the channels' names, and no AUs beside them (py-feat has both)."""
    columns = _columns(head)
    found = _known(columns)
    if len(found) < MIN_CHANNELS or any(au_name(column) for column in columns):
        return None
    return f"{len(found)} blendshapes such as {next(iter(found.values()))}"


def layout(head: Head) -> Layout:
    """Each channel as an intensity; those that have to be worked out are columns in brackets."""
    columns = _columns(head)
    found = _known(columns)
    channels = [Channel(au, column, "intensity", side) for au, column, side in _places(AUS, found)]
    channels += [Channel(au, _rested_column(au, side), "intensity", side) for au, _, side in _places(RESTING, found)]
    if "jawopen" in found:
        channels += [Channel(au, f"({au})", "intensity") for au in ("AU25", "AU26", "AU27")]
    name = "arkit" if "blendshapecount" in map(str.lower, columns) else "mediapipe"
    with_seconds = (*columns, SECONDS) if "timestamp_ms" in columns else columns
    roles = find_roles(with_seconds, ROLES | (OWN_ROLES if {"input", "time_s"} <= set(columns) else {}))
    return Layout(Detector(name=name), tuple(channels), roles, faces_in_order=True)


def rows(head: Head) -> Iterator[dict[str, Any]]:
    """One row a face, with the values that are worked out."""
    found = _known(_columns(head))
    resting, jaw = _places(RESTING, found), found.get("jawopen")
    for row in _table_rows(head) if head.is_table else _faces(head):
        row.update(_rested(row, resting))
        if jaw:
            row.update(_mouth(row, found))
        row.update(_seconds(row))
        yield row


def _columns(head: Head) -> tuple[str, ...]:
    return head.columns or tuple({column: None for row in _faces(head) for column in row})


def _known(columns: tuple[str, ...]) -> dict[str, str]:
    """Channel in lower case to column: `browDownLeft`, `BrowDownLeft` and `browDown_L` are one."""
    plain: dict[str, str] = {}
    for column in columns:
        name = re.sub(r"_r$", "right", re.sub(r"_l$", "left", column.lower()))
        if name in _CHANNELS:
            plain.setdefault(name, column)
    return plain


def _names(stem: str) -> list[tuple[str, Side | None]]:
    """The channels of a stem in lower case, with their sides."""
    if not stem.endswith("*"):
        return [(stem.lower(), None)]
    return [(f"{stem[:-1].lower()}{side}", side) for side in SIDES]


_CHANNELS = {name for _, stem in (*AUS, *RESTING) for name, _ in _names(stem)} | {"jawopen", "mouthclose"}


def _places(stems: tuple[tuple[str, str], ...], found: dict[str, str]) -> tuple[Place, ...]:
    """Where a file has the channels of AUs."""
    return tuple((au, found[name], side) for au, stem in stems for name, side in _names(stem) if name in found)


def _rested_column(au: str, side: Side | None) -> str:
    return f"({au} {side})" if side else f"({au})"


def _rested(row: dict[str, Any], resting: tuple[Place, ...]) -> dict[str, Any]:
    """The values of the resting channels: empty where none of an AU's channels moves."""
    values = {(au, side): row.get(column) for au, column, side in resting}
    # A cell that is no coefficient counts as moving, so that its row is reported.
    moving = {au for (au, _), value in values.items() if not 0.0 <= _number(value) < MOVES}
    return {_rested_column(au, side): value if au in moving else None for (au, side), value in values.items()}


def _mouth(row: dict[str, Any], found: dict[str, str]) -> dict[str, Any]:
    """AU25, AU26 and AU27 of jaw and lips; a cell that is no number is passed on, so that its row is reported."""
    written = row.get(found["jawopen"])
    jaw = _number(written)
    if math.isnan(jaw):
        return dict.fromkeys(("(AU25)", "(AU26)", "(AU27)"), written)
    is_wide = jaw >= WIDE
    return {
        "(AU25)": _parted(row, jaw, found),
        "(AU26)": 0.0 if is_wide else jaw,
        "(AU27)": jaw if is_wide else 0.0,
    }


def _parted(row: dict[str, Any], jaw: float, found: dict[str, str]) -> Any:
    """How far the lips are parted; None where nobody knows."""
    written = row.get(found["mouthclose"]) if "mouthclose" in found else 0.0
    closed = _number(written)
    if math.isnan(closed):
        return written
    apart = max(jaw - closed, 0.0)
    drawn = max((_number(row.get(found[name])) for name in DRAWN if name in found), default=0.0)
    return None if apart < MOVES <= drawn else apart


def _seconds(row: dict[str, Any]) -> dict[str, float]:
    milliseconds = _number(row.get("timestamp_ms"))
    return {} if math.isnan(milliseconds) else {SECONDS: milliseconds / 1000.0}


def _number(cell: Any) -> float:
    """A cell as a number, NaN where it is empty or text."""
    try:
        return float(cell)
    except (TypeError, ValueError):
        return math.nan


def _cells(line: str, separator: str) -> list[str]:
    if '"' in line:
        return next(csv.reader([line], delimiter=separator), [])
    return line.rstrip("\r\n").split(separator) if line.strip() else []


def _table_rows(head: Head) -> Iterator[dict[str, Any]]:
    separator = head.separator.decode()
    with head.path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        for _ in range(head.skip_lines):
            next(file)
        for place, line in enumerate(file):
            cells = _cells(line, separator)
            if cells:
                # A torn row is filled with text, so that it is reported.
                cells += ["a row that is cut off"] * (len(head.columns) - len(cells))
                yield {ROW: place, **dict(zip(head.columns, cells, strict=False))}


def _faces(head: Head) -> Iterator[dict[str, Any]]:
    """The faces of JSON objects: flat, or with their channels in one of NESTED."""
    for place, item in enumerate(head.items):
        nested = [name for name in NESTED if name in item]
        around = {key: value for key, value in item.items() if key not in NESTED} | {ROW: place}
        faces = _unfolded(item[nested[0]]) if nested else [{}]
        for channels in faces or [{}]:
            yield around | channels


def _unfolded(told: Any, depth: int = 3) -> list[dict[str, Any]]:
    """Channels of each face: a dictionary, a list of categories (name and score), or a list of either."""
    if isinstance(told, dict):
        return _unfolded(told["categories"], depth) if isinstance(told.get("categories"), list) else [told]
    if not isinstance(told, list) or not depth:
        return []
    named = {_category(entry): entry.get("score") for entry in told if isinstance(entry, dict) and _category(entry)}
    return [named] if named else [face for entry in told for face in _unfolded(entry, depth - 1)]


def _category(entry: dict[str, Any]) -> str:
    """The name of a category as Python or JavaScript writes it."""
    return str(entry.get("category_name") or entry.get("categoryName") or "")


MEDIAPIPE = Dialect("mediapipe", recognises, layout, rows)
