"""The contact sheet: many small pictures on one, each with a caption."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from emollm.facs import letter, present, prose
from emollm.records import Sample

if TYPE_CHECKING:
    from PIL.Image import Image

COLUMNS = 8
CAPTION_LINES, LINE_HEIGHT, LETTER_WIDTH = 3, 12, 6.8
"""Size of the text, in pixels."""


def contact_sheet(samples: Sequence[Sample], root: Path, side: int) -> Image:
    """Lay the samples' pictures, each `side` pixels wide and high, in rows of 8 with label and AUs below."""
    from PIL import Image, ImageDraw

    columns = min(COLUMNS, max(1, len(samples)))
    rows = -(-len(samples) // columns)
    height = side + CAPTION_LINES * LINE_HEIGHT + 2
    sheet = Image.new("RGB", (columns * side, max(1, rows) * height), (24, 24, 24))
    draw = ImageDraw.Draw(sheet)
    for place, sample in enumerate(samples):
        left, top = place % columns * side, place // columns * height
        assert sample.media is not None
        with Image.open(root / sample.media.path) as picture:
            sheet.paste(picture.convert("RGB").resize((side, side)), (left, top))
        text = "\n".join(_lines(caption(sample), int(side / LETTER_WIDTH)))
        draw.multiline_text((left + 2, top + side + 1), text, (235, 235, 235), font_size=10, spacing=2)
    return sheet


def caption(sample: Sample) -> tuple[str, str]:
    """Return the label, or who it is, and the AUs that are present with their letters: `6C+12D`."""
    aus = present(sample.faces[0]) if sample.faces else {}
    codes = "+".join(f"{prose(code).removeprefix('AU')}{letter(au.value) or ''}" for code, au in aus.items())
    return sample.label or sample.subject or sample.id, codes or "no AU"


def _lines(caption: tuple[str, str], width: int) -> list[str]:
    """Break the AUs into lines of at most `width` letters; what does not fit is cut off."""
    title, codes = caption
    lines = [title[:width], ""]
    for part in codes.split("+"):
        if len(lines[-1]) + len(part) >= width:
            lines.append("")
        lines[-1] += f"+{part}" if lines[-1] else part
    return lines[:CAPTION_LINES]
