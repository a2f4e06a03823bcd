"""Faces as rows: what a detector found in a picture or a clip, in the columns that AU files have.

    table = Table(...)                      # rows made by `row_of`
    gather_clips(blocks(table), source.layout, …)

Every AU has a column for either side; NaN is an AU that was not measured, and a row of NaN a frame without a face.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import NamedTuple, get_args

import numpy as np

from data_engine.media.frames import Frame
from data_engine.sources import Dialect, Head, Layout
from data_engine.sources.blocks import BLOCK_ROWS, Block, Numbers
from data_engine.sources.layout import Channel
from data_engine.sources.source import Source
from emollm.facs import EXPRESSIVE, UNITS
from emollm.records import AU_RANGE, Detector, Face, Region

AUS = tuple(code for code in UNITS if code in EXPRESSIVE)
SIDES = ("left", "right")
BOX = ("x", "y", "width", "height")
POSE = ("yaw", "pitch", "roll")
ROLES = ("frame", "time_s", "confidence", *BOX, "hidden", *POSE)
REGIONS: tuple[Region, ...] = get_args(Region)
NOT_KNOWN = float("nan")
DIGITS = 3
"""Decimals of what a detector says; more would be noise."""

CLIP = Layout(
    Detector(name=""),
    tuple(
        Channel(au, f"{au}_{side}", "intensity", "left" if side == "left" else "right", high=AU_RANGE["intensity"])
        for au in AUS
        for side in SIDES
    ),
    {role: role for role in ROLES},
    frame_by_frame=True,
)
"""The columns of a clip, whose people are followed by their boxes."""
STILL = replace(CLIP, roles={**CLIP.roles, "person": "person"}, frame_by_frame=False)
"""The columns of a still: the same numbers, and a name for each face."""


class Table(NamedTuple):
    """What was found in one recording."""

    numbers: Numbers
    """(N, C) in the order of `CLIP.numbers`; the faces of one frame stand together, the largest first."""
    is_still: bool


def row_of(frame: Frame, face: Face | None) -> list[float]:
    """Return the row of a face, in pixels of the file, or of a frame without one."""
    told: dict[str, float | None] = {"frame": frame.number, "time_s": frame.time_s}
    if face is not None:
        told |= {"confidence": face.confidence, "hidden": _mask(face.hidden)}
        told |= zip(POSE, face.pose or (), strict=False)
        told |= zip(BOX, scaled(face.box or (), frame.scale), strict=False)
        for name, au in (face.aus or {}).items():
            told[f"{name}_left"] = au.value if au.left is None else au.left
            told[f"{name}_right"] = au.value if au.right is None else au.right
    return [NOT_KNOWN if (value := told.get(column)) is None else round(value, DIGITS) for column in CLIP.numbers]


def _mask(hidden: Sequence[Region] | None) -> int | None:
    """Regions as one number: bit `i` is the i-th region of `records.Region`."""
    return None if hidden is None else sum(1 << REGIONS.index(region) for region in set(hidden))


def scaled(numbers: Sequence[float], scale: float) -> list[float]:
    """Return pixels of a frame as pixels of the file, to a tenth."""
    return [round(number * scale, 1) for number in numbers]


def blocks(table: Table) -> Iterator[Block]:
    """Yield the rows as an AU file's rows are read."""
    for start in range(0, len(table.numbers), BLOCK_ROWS):
        numbers = table.numbers[start : start + BLOCK_ROWS]
        places = np.arange(start, start + len(numbers))
        yield Block(places, numbers, [(str(place).encode(),) for place in places.tolist()] if table.is_still else [])


def media_source(path: Path, name: str, is_still: bool, detector: Detector) -> Source:
    """Return what stands for an AU file: the picture or clip itself, and the columns of its rows."""
    layout = layout_of(is_still, detector.name, detector.version, detector.weights)
    return Source(Head(path), Dialect(detector.name, _not_a_file, lambda _: layout), layout, name)


def _not_a_file(_: Head) -> None:
    """Files are not recognised as rows that were never written."""


@cache
def layout_of(is_still: bool, name: str, version: str | None, weights: str | None) -> Layout:
    """Return the columns with the detector that measured them; the same object for all files of a run."""
    return replace(STILL if is_still else CLIP, detector=Detector(name=name, version=version, weights=weights))
