"""Who each row is: the person that the file names, or the face whose box was nearest a moment ago.

    linker = FaceLinker(layout)
    linker.persons(block, keys)         # one name a row, or None where a file has one face a frame

Older py-feat files hold several faces a frame without names, in an order that changes from frame to frame:
`FaceLinker` counts people by the fullest frame. `FaceFollower` is for detectors that search each frame by itself:
people come and go.
"""

from __future__ import annotations

import math
from itertools import groupby
from typing import NamedTuple

from data_engine.sources.blocks import Block
from data_engine.sources.head import decode
from data_engine.sources.layout import Layout

Key = tuple[bytes, ...]
Moment = tuple[Key, float]
"""A clip and a frame of it."""

BOX_ROLES = ("x", "y", "width", "height")

MAX_GONE_S = 1.0
"""Who was not seen for so long does not come back: whoever stands there then is somebody new."""
MAX_SHIFT, MAX_SPEED = 0.5, 1.0
"""How far a face may be from where it was, in face sizes, and how much further with each second since."""
MAX_GROWTH = 1.6
"""How much larger or smaller a face may be than it was; another face behind it is smaller than that."""
FRAMES_PER_SECOND = 25.0
"""Taken where frames have numbers and no times."""


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


class Seen(NamedTuple):
    """Where and when somebody was last seen; `size` is the side of a square as large as the box, in pixels."""

    person: int
    x: float
    y: float
    size: float
    time_s: float


class FaceFollower:
    """Names the person of each row by following boxes from frame to frame.

    The nearest pairs of like size are linked first; a face with nobody near is somebody new. After a cut everybody is
    new whose box has jumped; a face that takes the very place of another cannot be told from it. Rows without a box
    tell of frames without a face and are counted with the first person.
    """

    def __init__(self, layout: Layout) -> None:
        self._time, self._frame = layout.place("time_s"), layout.place("frame")
        self._box = [place for role in BOX_ROLES if (place := layout.place(role)) is not None]
        if len(self._box) < len(BOX_ROLES):
            raise ValueError("faces are followed by their boxes, and the layout has none")
        self._key: Key | None = None
        self._num_people = 0
        self._seen: list[Seen] = []
        self._last_s = 0.0
        """The time of the frame before."""

    def persons(self, block: Block, keys: list[Key] | None) -> list[str]:
        """Return the person of each row: "0", "1" … in the order in which they appear in their clip."""
        rows = block.numbers.tolist()
        found = ["0"] * len(rows)
        moments = [(keys[place] if keys else (), self._clock(row)) for place, row in enumerate(rows)]
        for (key, time_s), frame in groupby(range(len(rows)), key=moments.__getitem__):
            if key != self._key:
                self._key, self._num_people, self._seen, self._last_s = key, 0, [], time_s
            places = [place for place in frame if not math.isnan(rows[place][self._box[0]])]
            for place, person in zip(places, self._link([rows[place] for place in places], time_s), strict=True):
                found[place] = str(person)
        return found

    def _clock(self, row: list[float]) -> float:
        if self._time is not None:
            return row[self._time]
        return row[self._frame] / FRAMES_PER_SECOND if self._frame is not None else 0.0

    def _link(self, rows: list[list[float]], time_s: float) -> list[int]:
        """The people of the faces of one frame. A block may end within a frame: who was found in it is not free."""
        # Where frames lie far apart, whoever was in the last one is still there.
        before = [seen for seen in self._seen if not min(time_s - MAX_GONE_S, self._last_s) > seen.time_s]
        self._last_s = time_s
        free = [seen for seen in before if seen.time_s != time_s]
        faces = [self._face(row, time_s) for row in rows]
        pairs = sorted(
            (distance, number, seen)
            for number, face in enumerate(faces)
            for seen in free
            if (distance := _distance(seen, face)) is not None
        )
        linked: dict[int, Seen] = {}
        for _, number, seen in pairs:
            if number not in linked and seen in free:
                linked[number] = faces[number]._replace(person=seen.person)
                free.remove(seen)
        for number, face in enumerate(faces):
            if number not in linked:
                linked[number] = face._replace(person=self._num_people)
                self._num_people += 1
        gone = {seen.person for seen in linked.values()}
        self._seen = [seen for seen in before if seen.person not in gone] + list(linked.values())
        return [linked[number].person for number in range(len(faces))]

    def _face(self, row: list[float], time_s: float) -> Seen:
        x, y, width, height = (row[place] for place in self._box)
        return Seen(-1, x + width / 2.0, y + height / 2.0, math.sqrt(max(width * height, 1.0)), time_s)


def _distance(seen: Seen, face: Seen) -> float | None:
    """How unlike two boxes are, in face sizes; None where one person cannot have both."""
    size, growth = (seen.size + face.size) / 2.0, max(seen.size, face.size) / min(seen.size, face.size)
    shift = math.dist((seen.x, seen.y), (face.x, face.y)) / size
    if growth > MAX_GROWTH or not shift <= MAX_SHIFT + MAX_SPEED * abs(face.time_s - seen.time_s):
        return None
    return shift + math.log(growth)
