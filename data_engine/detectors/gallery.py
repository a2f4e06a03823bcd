"""A gallery: what a detector saw, drawn over the pictures, for people to look at.

    gallery([Exhibit("smiling_00", pixels, faces)], columns=4).save("gallery.png")

Each picture shows landmarks and box of its largest face; beside it a bar for each of the face's strongest AUs.
"""

from __future__ import annotations

from collections.abc import Sequence
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
GROUND, PANEL, INK, FAINT = (18, 20, 26), (28, 31, 40), (232, 234, 240), (120, 126, 140)
POINT, FRAME, STRONG, WEAK = (74, 222, 164), (255, 196, 84), (255, 138, 92), (92, 104, 128)


class Exhibit(NamedTuple):
    """One picture and the faces that were found in it."""

    title: str
    pixels: Pixels
    faces: Sequence[Face]


def gallery(exhibits: Sequence[Exhibit], columns: int = 4) -> Image:
    """Lay the exhibits out in rows."""
    from PIL import Image

    tiles = [tile(exhibit) for exhibit in exhibits]
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
    picture = Image.fromarray(exhibit.pixels)
    scale = SIDE / max(picture.size)
    size = round(picture.width * scale), round(picture.height * scale)
    left, top = (SIDE - size[0]) // 2, (SIDE - size[1]) // 2
    page.paste(picture.resize(size, Image.Resampling.LANCZOS), (left, top))
    draw = ImageDraw.Draw(page)
    draw.text((SIDE + 10, 6), exhibit.title, fill=INK, font_size=12)
    if not exhibit.faces:
        draw.text((SIDE + 10, 26), "no face found", fill=STRONG, font_size=12)
        return page
    face = exhibit.faces[0]
    _draw_face(draw, face, scale, left, top)
    _draw_bars(draw, face)
    return page


def _draw_face(draw: ImageDraw, face: Face, scale: float, left: int, top: int) -> None:
    if face.box:
        x, y, width, height = (part * scale for part in face.box)
        draw.rectangle((left + x, top + y, left + x + width, top + y + height), outline=FRAME)
    for x, y in face.landmarks or ():
        px, py = left + x * scale, top + y * scale
        draw.ellipse((px - 1.3, py - 1.3, px + 1.3, py + 1.3), fill=POINT)


def _draw_bars(draw: ImageDraw, face: Face) -> None:
    """The strongest AUs, each as long as its share of its range; what is present is bright."""
    aus = sorted((face.aus or {}).items(), key=lambda item: -item[1].value / AU_RANGE[item[1].kind])[:NUM_BARS]
    start, room = SIDE + 58, BARS_WIDTH - 66
    for number, (code, au) in enumerate(aus):
        y = 26 + number * 18
        is_present = au.value >= THRESHOLDS[au.kind]
        draw.text((SIDE + 10, y), f"{prose(code)}{letter(au.value) or '' if au.kind == 'intensity' else ''}",
                  fill=INK if is_present else FAINT, font_size=11)  # fmt: skip
        length = room * au.value / AU_RANGE[au.kind]
        draw.rectangle((start, y + 4, start + room, y + 9), fill=GROUND)
        draw.rectangle((start, y + 4, start + max(1.0, length), y + 9), fill=STRONG if is_present else WEAK)
    if face.hidden:
        draw.text((SIDE + 10, SIDE - 16), "hidden: " + ", ".join(face.hidden), fill=FAINT, font_size=10)
