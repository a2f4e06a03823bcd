"""Affectiva (AFFDEX, iMotions): AUs under everyday names, `smile` or `Brow Furrow`, as percent; JSON or a table.

The percentages say how sure the detector is, so they are probabilities, not intensities.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from data_engine.sources.head import Head
from data_engine.sources.layout import Channel, Dialect, Layout, find_roles
from emollm.records import Detector

# `smirk` (a one-sided 12 or 14) and `attention` stand for no single AU and are left out.
NAMES = {
    "innerbrowraise": "AU01",
    "browraise": "AU02",
    "browfurrow": "AU04",
    "eyewiden": "AU05",
    "cheekraise": "AU06",
    "lidtighten": "AU07",
    "nosewrinkle": "AU09",
    "upperlipraise": "AU10",
    "smile": "AU12",
    "dimpler": "AU14",
    "lipcornerdepressor": "AU15",
    "chinraise": "AU17",
    "lippucker": "AU18",
    "lipstretch": "AU20",
    "lippress": "AU24",
    "mouthopen": "AU25",
    "jawdrop": "AU26",
    "lipsuck": "AU28",
    "eyeclosure": "AU43",
}
MIN_NAMES = 5
"""So many of the names must be there; `smile` alone proves nothing."""

AFFDEX_TIME = {"time_s": ("timestamp",)}
ROLES = {
    "frame": ("frame", "row"),
    "person": ("faceid", "face_id"),
    "clip": ("clip", "clip_id", "video"),
    "media": ("filename", "sourcestimuliname", "stimulusname"),
}


def recognises(head: Head) -> str | None:
    """Enough of the vendor's names."""
    found = _names(_columns(head))
    return (
        f"{len(found)} of Affectiva's names such as {next(iter(found.values()))}" if len(found) >= MIN_NAMES else None
    )


def layout(head: Head) -> Layout:
    """Percentages as probabilities."""
    columns = _columns(head)
    channels = tuple(Channel(au, column, "probability", high=100.0) for au, column in _names(columns).items())
    # iMotions writes names with blanks, and milliseconds; AFFDEX writes seconds.
    seconds = not any(" " in channel.column for channel in channels)
    return Layout(Detector(name="affectiva"), channels, find_roles(columns, ROLES | (AFFDEX_TIME if seconds else {})))


def rows(head: Head) -> Iterator[dict[str, Any]]:
    """One row an object."""
    yield from head.items


def _columns(head: Head) -> tuple[str, ...]:
    return head.columns or tuple({column: None for item in head.items for column in item})


def _names(columns: tuple[str, ...]) -> dict[str, str]:
    """AU name → column, whatever the case and the blanks of the column."""
    plain = {"".join(filter(str.isalnum, column)).lower(): column for column in reversed(columns)}
    return {au: plain[name] for name, au in NAMES.items() if name in plain}


AFFECTIVA = Dialect("affectiva", recognises, layout, rows)
