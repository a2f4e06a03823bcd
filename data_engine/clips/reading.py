"""Clips: the rows of an AU file, gathered by clip and person while they stream by.

    for clip in read_clips(source, min_confidence=0.75, keep_all=False, bad=report):
        clip.tracks                     # person → Track, in the order of their first row

`data_engine.detect` calls this. Only the clip that is being read is in memory. `gather_clips` takes the blocks of
rows themselves, as detectors make them that run in this process.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby

import numpy as np
import numpy.typing as npt

from data_engine.clips.linking import FaceFollower, FaceLinker, Key, is_one_image_a_row
from data_engine.clips.peak import ranking, score_ranking
from data_engine.clips.tracks import OUT_OF_RANGE, Track, outside, states, to_scale
from data_engine.sources.blocks import Bad, Block, Numbers, read_blocks
from data_engine.sources.head import decode
from data_engine.sources.layout import Layout
from data_engine.sources.source import Source

CLIP_ROLES = ("clip", "media")
NAN = float("nan")
Linker = FaceFollower | FaceLinker


class Clip:
    """One image or clip: what its rows say about it, and a track for each person."""

    def __init__(self, key: Key, texts: dict[str, str]) -> None:
        self.key = key
        self.texts = texts
        """Text role → what the first row says."""
        self.tracks: dict[str, Track] = {}
        self.num_frames = 0
        """How many frames were looked at; 0 where the file names its people, or is no clip."""
        self._last_frame = NAN

    def count_frames(self, frames: Numbers) -> None:
        """Count the frames of further rows (N,)."""
        told = np.unique(frames)
        self.num_frames += len(told) - int(told[0] == self._last_frame)
        self._last_frame = float(told[-1])


def read_clips(
    source: Source, *, min_confidence: float, keep_all: bool, bad: Bad, frame_rate: float | None = None
) -> Iterator[Clip]:
    """Yield the clips of a file in its order; `frame_rate` is for files that number their frames but tell no times."""
    head, layout = source.head, source.layout
    rows = source.dialect.rows(head) if source.dialect.rows and not (head.is_table and _is_plain(source)) else None
    blocks = read_blocks(head, layout, rows, bad)
    yield from gather_clips(
        blocks, layout, min_confidence=min_confidence, keep_all=keep_all, bad=bad, frame_rate=frame_rate
    )


def gather_clips(
    blocks: Iterable[Block],
    layout: Layout,
    *,
    min_confidence: float,
    keep_all: bool,
    bad: Bad,
    frame_rate: float | None = None,
) -> Iterator[Clip]:
    """Yield the clips of any blocks of rows. A clip ends where the next begins; its rows must stand together."""
    linker: Linker = FaceFollower(layout) if layout.frame_by_frame else FaceLinker(layout)
    rank = ranking(layout.channels) if layout.channels else score_ranking(layout)
    frame = _frame_place(layout)
    clip: Clip | None = None
    for block in blocks:
        scaled = to_scale(block.numbers, layout)
        found = states(scaled, layout, min_confidence)
        _report_out_of_range(block, scaled, found, layout, bad)
        for key, persons in _split(block, layout, linker):
            if clip is None or clip.key != key:
                if clip is not None:
                    yield clip
                first = persons[0][1][0]
                clip = Clip(key, _texts(block, int(first), layout))
            if frame is not None:
                clip.count_frames(block.numbers[np.concatenate([places for _, places in persons]), frame])
            for person, places in persons:
                track = clip.tracks.get(person)
                if track is None:
                    track = clip.tracks[person] = Track(layout, rank, keep_all=keep_all, frame_rate=frame_rate)
                track.add(block.rows[places], scaled[places], found[places])
    if clip is not None:
        yield clip


def _is_plain(source: Source) -> bool:
    """Every needed column is in the table itself, so that nothing has to be unfolded."""
    return set(source.layout.numbers) <= set(source.head.columns)


def _frame_place(layout: Layout) -> int | None:
    """Where the frame of a row is told, in files whose people are told apart by their boxes."""
    if not (layout.frame_by_frame or layout.faces_in_order):
        return None
    frame = layout.place("frame")
    return layout.place("time_s") if frame is None else frame


Places = npt.NDArray[np.int64]


def _split(block: Block, layout: Layout, linker: Linker) -> Iterator[tuple[Key, list[tuple[str, Places]]]]:
    """Yield (clip key, [(person, places in the block), …]) for each run of rows of one clip."""
    keys = _clip_keys(block, layout)
    persons = linker.persons(block, keys)
    if keys is None and persons is None:
        yield (), [("0", np.arange(len(block.rows)))]
        return
    num = len(block.rows)
    for key, run in groupby(range(num), key=lambda place: keys[place] if keys else ()):
        places: dict[str, list[int]] = {}
        for place in run:
            places.setdefault(persons[place] if persons else "0", []).append(place)
        yield key, [(person, np.array(rows)) for person, rows in places.items()]


def _clip_keys(block: Block, layout: Layout) -> list[Key] | None:
    """What tells the clip of each row; None where the whole file is one clip."""
    places = [layout.text_roles.index(role) for role in CLIP_ROLES if role in layout.text_roles]
    if places:
        return [tuple(texts[place] for place in places) for texts in block.texts]
    if is_one_image_a_row(layout):
        return [(b"%06d" % row,) for row in block.rows.tolist()]
    return None


def _texts(block: Block, place: int, layout: Layout) -> dict[str, str]:
    if not block.texts:
        return {}
    pairs = zip(layout.text_roles, block.texts[place], strict=True)
    return {role: decode(text) for role, text in pairs if text}


def _report_out_of_range(block: Block, scaled: Numbers, found: Places, layout: Layout, bad: Bad) -> None:
    for place in np.flatnonzero(found == OUT_OF_RANGE).tolist():
        first = int(outside(scaled[place : place + 1], layout)[0].argmax())
        value = f"{layout.numbers[first]} is {block.numbers[place, first]:g}"
        bad(int(block.rows[place]), "out_of_range", f"{value}, outside {_scale(layout, first)}")


def _scale(layout: Layout, place: int) -> str:
    """The scale of a number in the file, in words."""
    if place < len(layout.channels):
        channel = layout.channels[place]
        return f"{channel.low:g} to {channel.high:g} ({channel.kind})"
    if place in layout.score_places:
        return "0 to 1 (probability of an emotion)"
    top = layout.confidence_top
    return "0 to 1 (confidence); divide percent by 100" if top == 1.0 else f"0 to {top:g} (confidence as percent)"
