"""The contact sheet: a choice of pictures and clips on one dark page, each with its label and its AUs.

    contact_sheet(varied(samples, 40), root).save(root / "sheet.png")

A clip is a filmstrip of three frames: onset, apex and offset of its strongest event.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from data_engine.faces.codes import BLINK
from data_engine.faces.film.encoding import read_frames
from emollm.facs import letter, present, prose
from emollm.records import Event, Sample

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageDraw import ImageDraw
    from PIL.ImageFont import FreeTypeFont

FACE = 128
"""Height of a picture on the sheet, in pixels."""
MARGIN, GAP, SEAM, RADIUS = 20, 10, 2, 10
"""Around the page, between pictures, between frames of a strip, and of the rounded corners, in pixels."""
CAPTION, TITLE_SIZE, CODES_SIZE = 36, 13, 11
PAGE_WIDTH = 1250
"""The page grows no wider; eight pictures of one person fill it, or three filmstrips."""
PAGE, TITLE, CODES = (17, 18, 23), (236, 237, 242), (150, 156, 174)
"""Colours."""
SMOOTH = 4
"""Corners are drawn this many times as large and made smaller."""


class Caption(NamedTuple):
    """Two lines: what it shows, and by which AUs."""

    title: str
    codes: str


def varied(samples: Iterable[Sample], num: int) -> list[Sample]:
    """Choose at most `num` samples: every label in turn, and of each label people not yet chosen first."""
    waiting: dict[str, list[Sample]] = defaultdict(list)
    for sample in samples:
        waiting[sample.label or caption(sample).codes.partition("+")[0]].append(sample)
    chosen: list[Sample] = []
    seen: set[str | None] = set()
    while len(chosen) < num and any(waiting.values()):
        for rest in waiting.values():
            if rest and len(chosen) < num:
                place = next((place for place, sample in enumerate(rest) if sample.subject not in seen), 0)
                chosen.append(rest.pop(place))
                seen.add(chosen[-1].subject)
    return chosen


def contact_sheet(samples: Sequence[Sample], root: Path) -> Image:
    """Lay the samples' pictures and clips in rows, with label and AUs below each. `root` is where their paths start."""
    from PIL import Image, ImageDraw

    strips = [_rounded(_strip(sample, root)) for sample in samples]
    places, (width, height) = _arrange([strip.width for strip in strips])
    page = Image.new("RGB", (width, height), PAGE)
    draw = ImageDraw.Draw(page)
    for sample, strip, place in zip(samples, strips, places, strict=True):
        page.paste(strip, place, strip)
        _write(draw, caption(sample), place[0], place[1] + FACE + 5, strip.width)
    return page


def _arrange(widths: Sequence[int]) -> tuple[list[tuple[int, int]], tuple[int, int]]:
    """Return where each picture goes, row by row, and the size of the page."""
    places: list[tuple[int, int]] = []
    left, top, used = MARGIN, MARGIN, MARGIN
    for width in widths:
        if left > MARGIN and left + width + MARGIN > PAGE_WIDTH:
            left, top = MARGIN, top + FACE + CAPTION + GAP
        places.append((left, top))
        left += width + GAP
        used = max(used, left - GAP)
    return places, (used + MARGIN, top + FACE + CAPTION + MARGIN)


def _strip(sample: Sample, root: Path) -> Image:
    """Return the picture, or three frames of the clip side by side."""
    from PIL import Image

    assert sample.media is not None
    frames = read_frames(root / sample.media.path, _telling_moments(sample))
    width = round(frames[0].width * FACE / frames[0].height)
    strip = Image.new("RGB", (len(frames) * (width + SEAM) - SEAM, FACE), PAGE)
    for place, frame in enumerate(frames):
        small = frame.convert("RGB").resize((width, FACE), Image.Resampling.LANCZOS)
        strip.paste(small, (place * (width + SEAM), 0))
    return strip


def _telling_moments(sample: Sample) -> list[float]:
    """Return the seconds of the frames to show: onset, apex and offset; of a picture the only one."""
    if sample.media is None or sample.media.kind != "video" or not sample.faces:
        return [0.0]
    apex = sample.faces[0].time_s or 0.0
    event = main_event(sample)
    return [event.onset_s, apex, event.offset_s] if event else [0.0, apex, apex + 0.5]


def main_event(sample: Sample) -> Event | None:
    """Return the strongest event that goes on while the first face is at its peak, blinks aside."""
    if not sample.faces:
        return None
    peak = sample.faces[0].time_s or 0.0
    events = [event for event in sample.events or () if event.face == sample.faces[0].face]
    going_on = [event for event in events if event.onset_s <= peak < event.offset_s and event.au != BLINK]
    return max(going_on, key=lambda event: event.peak, default=None)


def _rounded(strip: Image) -> Image:
    """Round the corners of a picture, by its alpha."""
    from PIL import Image, ImageDraw

    mask = Image.new("L", (strip.width * SMOOTH, strip.height * SMOOTH))
    corner = (0, 0, mask.width - 1, mask.height - 1)
    ImageDraw.Draw(mask).rounded_rectangle(corner, RADIUS * SMOOTH, fill=255)
    strip.putalpha(mask.resize(strip.size, Image.Resampling.LANCZOS))
    return strip


def caption(sample: Sample) -> Caption:
    """Return the label, or who it is, and the AUs that are present with their letters: `6C+12D`."""
    aus = present(sample.faces[0]) if sample.faces else {}
    codes = "+".join(f"{prose(code).removeprefix('AU')}{letter(au.value) or ''}" for code, au in aus.items())
    event = main_event(sample)
    times = f"  {event.onset_s:.1f} to {event.offset_s:.1f} s" if event else ""
    return Caption(sample.label or sample.subject or sample.id, f"{codes or 'no AU'}{times}")


def _write(draw: ImageDraw, text: Caption, left: int, top: int, width: int) -> None:
    from PIL import ImageFont

    for line, size, colour, down in ((text.title, TITLE_SIZE, TITLE, 0), (text.codes, CODES_SIZE, CODES, 16)):
        font = ImageFont.load_default(size)
        draw.text((left + 2, top + down), _fitting(line, font, width - 4), colour, font=font)


def _fitting(line: str, font: FreeTypeFont, width: int) -> str:
    """Cut a line to a width in pixels."""
    if font.getlength(line) <= width:
        return line
    while line and font.getlength(line + "…") > width:
        line = line[:-1]
    return line + "…"
