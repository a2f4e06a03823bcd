"""LibreFace: `au_12_intensity` is an intensity (0-5), `au_12` says presence; the two sets of AUs differ.

Tables for videos; for one image a JSON object, with the AUs either flat or in `detected_aus` and `au_intensities`.
Its `pitch`, `yaw` and `roll` are degrees whose directions nothing says; they are left out, because a pose with a wrong
sign is worse than none.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from data_engine.sources.head import Head
from data_engine.sources.layout import CLIP_COLUMNS, Channel, Dialect, Layout, find_roles, intensity, matching
from emollm.records import Detector

ROLES = {
    "frame": ("frame_idx", "frame"),
    # Its name says milliseconds; LibreFace 0.2 writes frame number / frames per second, which is seconds.
    "time_s": ("frame_time_in_ms",),
    "person": ("face_id",),
    "clip": CLIP_COLUMNS,
    "media": ("input", "image_path", "input_path"),
}

MARKS = {"frame_time_in_ms", "facial_expression", "lm_mp_0_x"}


def recognises(head: Head) -> str | None:
    """`au_12_intensity` is LibreFace's own; `au_12` is only beside its other columns."""
    columns = _all_columns(head)
    intensities, presences = _columns(columns)
    if not intensities and not (presences and MARKS & set(columns)):
        return None
    return (
        f"{len(intensities)} intensity columns such as au_12_intensity, {len(presences)} presence columns such as au_12"
    )


def layout(head: Head) -> Layout:
    """The intensity where there is one, presence for the rest."""
    columns = _all_columns(head)
    intensities, presences = _columns(columns)
    channels = [intensity(au, column) for au, column in intensities.items()]
    channels += [Channel(au, column, "presence") for au, column in presences.items() if au not in intensities]
    return Layout(Detector(name="libreface"), tuple(channels), find_roles(columns, ROLES))


def rows(head: Head) -> Iterator[dict[str, Any]]:
    """One flat row for each image of a JSON file."""
    for item in head.items:
        row = dict(item)
        for group in ("detected_aus", "au_intensities"):
            inside = row.pop(group, None)
            row.update(inside if isinstance(inside, dict) else {})
        yield row


def _all_columns(head: Head) -> tuple[str, ...]:
    return head.columns or tuple({column: None for row in rows(head) for column in row})


def _columns(columns: tuple[str, ...]) -> tuple[dict[str, str], dict[str, str]]:
    return matching(columns, r"au_(\d+)_intensity"), matching(columns, r"au_(\d+)")


LIBREFACE = Dialect("libreface", recognises, layout, rows)
