"""Small pictures of faces, embedded in the page.

Example:

    thumbnail(root / "faces/0001.png", box=(40, 30, 60, 60))      "data:image/jpeg;base64,…", or None
"""

from __future__ import annotations

import base64
import io
import warnings
from pathlib import Path

from emollm.records import Box

SIZE = 264
"""Pixels of the longer side: 1.5 times what the page shows, for dense screens."""

MARGIN = 0.35
"""Of the face box, on each side."""


def thumbnail(path: Path, box: Box | None = None) -> str | None:
    """Return a JPEG of the face as a data URI. None: the picture is absent, broken, too large or a video."""
    from PIL import Image, ImageOps

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path) as file:
                picture = ImageOps.exif_transpose(file).convert("RGB")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError, Image.DecompressionBombWarning):
        return None
    if box is not None:
        picture = picture.crop(_around(box, picture.size))
    picture.thumbnail((SIZE, SIZE))
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=82)
    return f"data:image/jpeg;base64,{base64.b64encode(buffer.getvalue()).decode()}"


def _around(box: Box, size: tuple[int, int]) -> tuple[int, int, int, int]:
    """Return the square around the box with a margin, as far as the picture reaches."""
    x, y, width, height = box
    half = max(width, height) * (0.5 + MARGIN)
    center_x, center_y = x + width / 2, y + height / 2
    left, top = max(0, int(center_x - half)), max(0, int(center_y - half))
    right, bottom = min(size[0], int(center_x + half)), min(size[1], int(center_y + half))
    if right - left < 2 or bottom - top < 2:  # a box outside of the picture
        return 0, 0, *size
    return left, top, right, bottom
