"""What a dialect says about its files: which column holds what, and on which scale.

Every dialect is a `Dialect`: one function that recognises a file by its content and says why, one that lays its
columns out, and, where a file is no plain table, one that unfolds it into rows. `data_engine.sources` lists them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal, NamedTuple

from data_engine.sources.head import Head
from emollm.facs import UNITS
from emollm.records import AU_RANGE, AUKind, Detector

NUMBER_ROLES = (
    *("frame", "time_s", "confidence", "success", "x", "y", "width", "height"),
    *("hidden", "yaw", "pitch", "roll", "valence", "arousal"),
)
"""`hidden` is a bit mask over the regions of the record, the first region its lowest bit; yaw, pitch and roll are the
pose of the record, in radians once `Layout.factors` has been applied."""
TEXT_ROLES = ("clip", "media", "person", "label", "text")

ROW = "(row)"
"""Key of an unfolded row that says where it stands in its file, as `Block.rows` does; without it rows are counted."""

CLIP_COLUMNS = ("clip", "clip_id", "video", "video_id", "video_name", "filename", "file_name", "file")


class Channel(NamedTuple):
    """One column of AU values: `low` to `high` in the file stand for the whole range of the kind."""

    au: str
    column: str
    kind: AUKind
    side: Literal["left", "right"] | None = None
    low: float = 0.0
    high: float = 1.0


def intensity(au: str, column: str, high: float = AU_RANGE["intensity"]) -> Channel:
    """A FACS intensity, 0 to `high` in the file."""
    return Channel(au, column, "intensity", high=high)


@dataclass(frozen=True)
class Layout:
    """The columns of one file. `roles` maps NUMBER_ROLES and TEXT_ROLES to columns; an absent role is not known."""

    detector: Detector
    channels: tuple[Channel, ...]
    roles: Mapping[str, str]
    faces_in_order: bool = False
    """The faces of one frame have no name of their own: they are told apart by their order."""
    confidence_top: float = 1.0
    """What full confidence is in the file: 100 where it is written as percent."""
    factors: Mapping[str, float] = field(default_factory=dict)
    """Number role → what its values are multiplied with to have the unit and the sign of the record."""
    frame_by_frame: bool = False
    """Every frame was measured by itself: nobody has a name, so people are followed by their boxes, and values jitter,
    so the face at the peak holds medians over the frames around it."""

    scores: Mapping[str, str] = field(default_factory=dict)
    """Emotion → the column of its probability, 0 to 1, for files that tell emotions and no AUs; they sum to 1."""

    @cached_property
    def numbers(self) -> tuple[str, ...]:
        """The columns read as numbers: the channels, the number roles, the scores."""
        channels = [channel.column for channel in self.channels]
        return (*channels, *(self.roles[role] for role in self.number_roles), *self.scores.values())

    @cached_property
    def number_roles(self) -> tuple[str, ...]:
        """The number roles that this file has, in the order of `numbers`."""
        return tuple(role for role in NUMBER_ROLES if role in self.roles)

    @cached_property
    def text_roles(self) -> tuple[str, ...]:
        """The text roles that this file has."""
        return tuple(role for role in TEXT_ROLES if role in self.roles)

    @cached_property
    def by_au(self) -> tuple[tuple[str, AUKind, tuple[int, ...]], ...]:
        """(AU, kind, places of its columns in `numbers`), in the order of the AUs."""
        places: dict[str, list[int]] = {}
        for place, channel in enumerate(self.channels):
            places.setdefault(channel.au, []).append(place)
        return tuple((au, self.channels[found[0]].kind, tuple(found)) for au, found in sorted(places.items()))

    @cached_property
    def score_places(self) -> list[int]:
        """Where the scores stand in a row of `numbers`."""
        first = len(self.numbers) - len(self.scores)
        return list(range(first, len(self.numbers)))

    def place(self, role: str) -> int | None:
        """Where a number role stands in a row of `numbers`."""
        return len(self.channels) + self.number_roles.index(role) if role in self.number_roles else None


class Dialect(NamedTuple):
    """One way in which AU files are written."""

    name: str
    recognises: Callable[[Head], str | None]
    """The reason why the file is of this dialect, or None."""
    layout: Callable[[Head], Layout]
    rows: Callable[[Head], Iterator[dict[str, Any]]] | None = None
    """Unfolds a file that is no plain table; the keys are the columns that `layout` names."""


def find_roles(columns: Iterable[str], known: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
    """Return role → column for the first spelling of each role that is there, whatever its case."""
    by_lower = {column.lower(): column for column in reversed(tuple(columns))}
    found = {role: [by_lower[name] for name in names if name in by_lower] for role, names in known.items()}
    return {role: columns[0] for role, columns in found.items() if columns}


def matching(columns: Iterable[str], pattern: str) -> dict[str, str]:
    """Return AU name → column for the columns that match; the first group of the pattern is the AU's number."""
    found: dict[str, str] = {}
    for column in columns:
        match = re.fullmatch(pattern, column, re.IGNORECASE | re.ASCII)
        au = f"AU{int(match[1]):02d}" if match else ""
        if au in UNITS:
            found.setdefault(au, column)
    return found
