"""Who each row is: the person that the file names, or the face whose box was nearest a moment ago.

    linker = FaceLinker(layout)
    linker.persons(block, keys)         # one name a row, or None where a file has one face a frame

Older py-feat files hold several faces a frame without names, in an order that changes from frame to frame.
"""

from __future__ import annotations

import math
from itertools import groupby

from data_engine.sources.blocks import Block
from data_engine.sources.head import decode
from data_engine.sources.layout import Layout

Key = tuple[bytes, ...]
Moment = tuple[Key, float]
"""A clip and a frame of it."""

BOX_ROLES = ("x", "y", "width", "height")


def is_one_image_a_row(layout: Layout) -> bool:
    """Without a frame, a time, a clip and a person, nothing ties one row to the next."""
    return not {"frame", "time_s", "clip", "media", "person"} & set(layout.roles)


class FaceLinker:
    """Names the person of each row while the rows of a file stream by.

    Without names there are as many people in a clip as there were faces in one frame: one face a frame is one
    person, through cuts and gaps.
    """

    def __init__(self, layout: Layout) -> None:
        still = not {"frame", "time_s"} & set(layout.roles)
        self._links = layout.faces_in_order or (still and not is_one_image_a_row(layout))
        self._named = layout.text_roles.index("person") if "person" in layout.text_roles else None
        self._frame = layout.place("frame")
        self._box = [place for role in BOX_ROLES if (place := layout.place(role)) is not None]
        self._key: Key | None = None
        self._at: Moment | None = None
        self._centres: list[tuple[float, float]] = []
        """Where each person of this clip was last seen, in pixels; a person's place in the list is the name."""
        self._here: set[int] = set()
        """The people already found in this frame."""

    def persons(self, block: Block, keys: list[Key] | None) -> list[str] | None:
        """Return the person of each row, or None where a file has one face a frame."""
        if self._named is None and not self._links:
            return None
        told = [decode(texts[self._named]) for texts in block.texts] if self._named is not None else []
        if not self._links:
            return [name or "0" for name in told]
        rows = block.numbers.tolist()
        found = told or [""] * len(rows)
        unnamed = [place for place, name in enumerate(found) if not name]
        for at, frame in groupby(unnamed, key=lambda place: self._moment(keys[place] if keys else (), rows[place])):
            places = list(frame)
            self._begin(at)
            for place, person in zip(places, self._link([rows[place] for place in places]), strict=True):
                found[place] = str(person)
        return found

    def _moment(self, key: Key, row: list[float]) -> Moment:
        return key, row[self._frame] if self._frame is not None else 0.0

    def _begin(self, at: Moment) -> None:
        """Forget the people of the last clip, and who was in the last frame."""
        if at[0] != self._key:
            self._key, self._centres = at[0], []
        if at != self._at:
            self._at, self._here = at, set()

    def _link(self, rows: list[list[float]]) -> list[int]:
        """The people of the faces of one frame: nearest pairs first, the faces left over are new people."""
        centres = [self._centre(row) for row in rows]
        shifts = sorted(
            (math.dist(centre, self._centres[person]), face, person)
            for face, centre in enumerate(centres)
            for person in range(len(self._centres))
            if person not in self._here
        )
        linked: dict[int, int] = {}
        for _, face, person in shifts:
            if face not in linked and person not in self._here:
                linked[face] = person
                self._here.add(person)
        for face, centre in enumerate(centres):
            if face not in linked:
                linked[face] = len(self._centres)
                self._here.add(len(self._centres))
                self._centres.append(centre)
            elif not math.isnan(centre[0]):
                self._centres[linked[face]] = centre
        return [linked[face] for face in range(len(rows))]

    def _centre(self, row: list[float]) -> tuple[float, float]:
        if len(self._box) < len(BOX_ROLES):
            return 0.0, 0.0
        x, y, width, height = (row[place] for place in self._box)
        return x + width / 2.0, y + height / 2.0
