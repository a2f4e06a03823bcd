"""MERR and MER-Factory: JSON that keeps the AUs of one peak frame of a clip, as OpenFace intensities.

MERR is one object keyed by clip, with `peak_AU_list` (or only `AU_list`) and `pseu_emotion`; MER-Factory writes one
object a clip, with `overall_peak_frame_info`. AUs that they do not list were dropped by them: not measured, not absent.
Our own export keeps the values that MERR has no place for, in `peak_AU_intensities`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from data_engine.sources.head import Head
from data_engine.sources.layout import Channel, Dialect, Layout, intensity
from emollm.facs import au_name
from emollm.records import Detector


def recognises_merr(head: Head) -> str | None:
    """An object of objects with lists of AUs."""
    clips = list(_clips(head))
    if not clips or not all("peak_AU_list" in clip or "AU_list" in clip for clip in clips[:16]):
        return None
    return f"{len(clips)} clips with AU_list or peak_AU_list"


def recognises_merfactory(head: Head) -> str | None:
    """The peak frame with its AU intensities."""
    peaks = [_peak(item) for item in head.items]
    if not peaks or not all("top_aus_intensities" in peak for peak in peaks[:16]):
        return None
    return "overall_peak_frame_info with top_aus_intensities"


def merr_rows(head: Head) -> Iterator[dict[str, Any]]:
    """One row a clip."""
    for clip in _clips(head):
        row = {key: clip.get(key) for key in ("clip", "pseu_emotion", "text")}
        frame = re.search(r"\d+", str(clip.get("peak_index") or ""))
        values, listed = _lists(clip)
        named = listed if isinstance(listed, dict) else [name for name in listed if name not in values]
        yield row | {"frame": int(frame[0]) if frame else None} | _listed(named) | _listed(values)


def strange_names(clip: Mapping[str, Any]) -> list[str]:
    """Return what a clip lists as AUs and FACS does not know."""
    names = [str(name) if isinstance(part, dict) else _pair(str(name))[0] for part in _lists(clip) for name in part]
    return [name for name in names if au_name(name) is None]


def merfactory_rows(head: Head) -> Iterator[dict[str, Any]]:
    """One row a clip."""
    for item in head.items:
        peak = _peak(item)
        row = {"media": item.get("source_path"), "frame": peak.get("frame_number"), "time": peak.get("timestamp")}
        yield row | _listed(peak.get("top_aus_intensities"))


def merr_layout(head: Head) -> Layout:
    """AUs with a value are intensities; AUs that are only named are present."""
    roles = {"clip": "clip", "frame": "frame", "label": "pseu_emotion", "text": "text"}
    return Layout(Detector(name="openface"), _channels(merr_rows(head)), roles)


def merfactory_layout(head: Head) -> Layout:
    """The listed AUs are intensities."""
    roles = {"media": "media", "frame": "frame", "time_s": "time"}
    return Layout(Detector(name="openface"), _channels(merfactory_rows(head)), roles)


def _clips(head: Head) -> Iterator[dict[str, Any]]:
    """The clips of a MERR file, each with its name."""
    if not isinstance(head.data, dict):
        return
    for name, clip in head.data.items():
        if isinstance(clip, dict):
            yield {"clip": name, **clip}


def _lists(clip: Mapping[str, Any]) -> tuple[Any, Any]:
    """Return the AUs of a clip, those with a value alone and all that are listed."""
    return clip.get("peak_AU_intensities") or {}, clip.get("peak_AU_list") or clip.get("AU_list") or ()


def _peak(item: dict[str, Any]) -> dict[str, Any]:
    peak = item.get("overall_peak_frame_info")
    return peak if isinstance(peak, dict) else {}


def _listed(listed: Any) -> dict[str, Any]:
    """AUs as a row: `AU12=intensity` for a value, `AU12=presence` for a bare name.

    Reads {"AU12_r": 1.7}, ["AU12_r: 1.7", …] and ["AU12", …]; what is no AU is left out.
    """
    pairs = listed.items() if isinstance(listed, dict) else [_pair(str(entry)) for entry in listed or ()]
    row: dict[str, Any] = {}
    for name, value in pairs:
        au = au_name(str(name))
        if au is not None:
            row[f"{au}=presence" if value is None else f"{au}=intensity"] = 1.0 if value is None else value
    return row


def _pair(entry: str) -> tuple[str, str | None]:
    name, colon, value = entry.partition(":")
    return name, value.strip() if colon else None


def _channels(rows: Iterator[dict[str, Any]]) -> tuple[Channel, ...]:
    """Every AU that occurs in the file; a row that does not list it has not measured it."""
    columns = sorted({column for row in rows for column in row if "=" in column})
    channels = []
    for column in columns:
        au, _, kind = column.partition("=")
        channels.append(intensity(au, column) if kind == "intensity" else Channel(au, column, "presence"))
    return tuple(channels)


MERR = Dialect("merr", recognises_merr, merr_layout, merr_rows)
MERFACTORY = Dialect("merfactory", recognises_merfactory, merfactory_layout, merfactory_rows)
