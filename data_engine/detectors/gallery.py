"""A gallery: what a detector saw, drawn over the pictures, for people to look at.

    gallery([Exhibit("smiling_00", pixels, faces)], columns=4).save("gallery.png")

Each picture shows landmarks and box of its first face, and comes close where that is small; beside it stand bars for
the face's strongest AUs.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from data_engine.detectors.protocol import Pixels
from emollm.facs import THRESHOLDS, letter, prose
from emollm.records import AU_RANGE, Face

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageDraw import ImageDraw

SIDE, BARS_WIDTH, GAP = 224, 128, 10
"""Pixels: the picture, the bars beside it, and the room between tiles."""
NUM_BARS = 10
NUM_LETTERS = 18
"""Of a title; of a longer one its end is shown, where the names of files differ."""
AROUND, MIN_WINDOW = 2.0, 64
"""So many times as long as its box is what is shown around a face, and no fewer pixels."""
GROUND, PANEL, INK, FAINT = (18, 20, 26), (28, 31, 40), (232, 234, 240), (120, 126, 140)
POINT, FRAME, STRONG, WEAK = (74, 222, 164), (255, 196, 84), (255, 138, 92), (92, 104, 128)


class Exhibit(NamedTuple):
    """One picture and the faces that were found in it."""

    title: str
    pixels: Pixels
    faces: Sequence[Face]
    scale: float = 1.0
    """How many of the pixels that boxes and landmarks are told in one pixel here is."""
    nobody: str = "no face found"
    """What is said where there are no faces."""
    moment: str = ""
    """When in its clip it was seen."""


def gallery(exhibits: Iterable[Exhibit], columns: int = 4) -> Image:
    """Lay the exhibits out in rows."""
    return hang([tile(exhibit) for exhibit in exhibits], columns)


def hang(tiles: Sequence[Image], columns: int = 4) -> Image:
    """Lay drawn tiles out in rows."""
    from PIL import Image

    width, height = SIDE + BARS_WIDTH, SIDE
    rows = -(-len(tiles) // columns)
    whole = Image.new("RGB", (columns * (width + GAP) + GAP, rows * (height + GAP) + GAP), GROUND)
    for place, one in enumerate(tiles):
        row, column = divmod(place, columns)
        whole.paste(one, (GAP + column * (width + GAP), GAP + row * (height + GAP)))
    return whole


def tile(exhibit: Exhibit) -> Image:
    """Draw one exhibit: the picture on the left, the bars on the right."""
    from PIL import Image, ImageDraw

    page = Image.new("RGB", (SIDE + BARS_WIDTH, SIDE), PANEL)
    page.paste(_picture(exhibit))
    draw = ImageDraw.Draw(page)
    title = exhibit.title if len(exhibit.title) <= NUM_LETTERS else "…" + exhibit.title[1 - NUM_LETTERS :]
    draw.text((SIDE + 10, 6), title, fill=INK, font_size=12)
    if exhibit.faces:
        _draw_bars(draw, exhibit.faces[0])
    else:
        draw.text((SIDE + 10, 26), exhibit.nobody, fill=STRONG, font_size=12)
    return page


def _picture(exhibit: Exhibit) -> Image:
    """The picture, or the part of it around a small face, with the face drawn over it."""
    from PIL import Image, ImageDraw

    x, y, width, height = _window(exhibit)
    part = Image.fromarray(exhibit.pixels[y : y + height, x : x + width])
    zoom = SIDE / max(part.size)
    size = max(1, round(width * zoom)), max(1, round(height * zoom))
    left, top = (SIDE - size[0]) // 2, (SIDE - size[1]) // 2
    page = Image.new("RGB", (SIDE, SIDE), PANEL)
    page.paste(part.resize(size, Image.Resampling.LANCZOS), (left, top))
    draw = ImageDraw.Draw(page)
    if exhibit.faces:
        _draw_face(draw, exhibit.faces[0], zoom / exhibit.scale, left - x * zoom, top - y * zoom)
    if exhibit.moment:
        draw.text((4, SIDE - 17), exhibit.moment, fill=INK, font_size=12, stroke_width=2, stroke_fill=GROUND)
    return page


def _window(exhibit: Exhibit) -> tuple[int, int, int, int]:
    """The part of the picture that is shown: left, top, width and height."""
    height, width = exhibit.pixels.shape[:2]
    box = exhibit.faces[0].box if exhibit.faces else None
    if box is None:
        return 0, 0, width, height
    x, y, wide, high = (part / exhibit.scale for part in box)
    side = max(round(AROUND * max(wide, high)), MIN_WINDOW)
    left, wide_part = _around(x + wide / 2.0, side, width)
    top, high_part = _around(y + high / 2.0, side, height)
    return left, top, wide_part, high_part


def _around(middle: float, length: int, whole: int) -> tuple[int, int]:
    """Start and length of a part that lies around the middle and inside the whole."""
    length = min(length, whole)
    return min(max(0, round(middle - length / 2.0)), whole - length), length


def _draw_face(draw: ImageDraw, face: Face, scale: float, left: float, top: float) -> None:
    if face.box:
        x, y, width, height = (part * scale for part in face.box)
        draw.rectangle((left + x, top + y, left + x + width, top + y + height), outline=FRAME)
    for x, y in face.landmarks or ():
        px, py = left + x * scale, top + y * scale
        draw.ellipse((px - 1.3, py - 1.3, px + 1.3, py + 1.3), fill=POINT)


def _draw_bars(draw: ImageDraw, face: Face) -> None:
    """The strongest AUs, each as long as its share of its range; what is present is bright."""
    aus = sorted((face.aus or {}).items(), key=lambda item: -item[1].value / AU_RANGE[item[1].kind])
    start, room = SIDE + 58, BARS_WIDTH - 66
    hidden = textwrap.wrap("hidden: " + ", ".join(face.hidden), NUM_LETTERS + 4) if face.hidden else []
    for number, (code, au) in enumerate(aus[: NUM_BARS - len(hidden[1:])]):
        y = 26 + number * 18
        is_present = au.value >= THRESHOLDS[au.kind]
        draw.text((SIDE + 10, y), f"{prose(code)}{letter(au.value) or '' if au.kind == 'intensity' else ''}",
                  fill=INK if is_present else FAINT, font_size=11)  # fmt: skip
        length = room * au.value / AU_RANGE[au.kind]
        draw.rectangle((start, y + 4, start + room, y + 9), fill=GROUND)
        draw.rectangle((start, y + 4, start + max(1.0, length), y + 9), fill=STRONG if is_present else WEAK)
    for number, line in enumerate(reversed(hidden)):
        draw.text((SIDE + 10, SIDE - 16 - 12 * number), line, fill=FAINT, font_size=10)
