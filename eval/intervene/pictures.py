"""Altered pictures: regions hidden or blurred, a face from another picture, nothing at all.

hide(picture, mask)          one flat colour, the mean of the picture, where the mask is
blur(picture, mask, 12.0)    smooth there, so that no detail is left
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from emollm.records import Box
from eval.intervene.regions import Mask

if TYPE_CHECKING:
    from PIL.Image import Image

GREY = (128, 128, 128)


def blank(picture: Image) -> Image:
    """Return a grey picture of the same size."""
    from PIL import Image

    return Image.new("RGB", picture.size, GREY)


def hide(picture: Image, mask: Mask) -> Image:
    """Return the picture with its mean colour where the mask (H, W) is: what is there cannot be seen."""
    from PIL import Image

    pixels = np.array(picture)
    pixels[mask] = pixels.reshape(-1, 3).mean(axis=0).round().astype(np.uint8)
    return Image.fromarray(pixels)


def blur(picture: Image, mask: Mask, radius: float) -> Image:
    """Return the picture blurred where the mask (H, W) is, by a Gaussian of this radius in pixels."""
    from PIL import Image, ImageFilter

    smooth = picture.filter(ImageFilter.GaussianBlur(radius))
    return Image.composite(smooth, picture, Image.fromarray(mask))


def swap_face(picture: Image, box: Box | None, other: Image, other_box: Box | None) -> Image:
    """Return the picture with the other's face in place of its own; where a box is not known, with all of the other."""
    whole = other.resize(picture.size)
    if box is None or other_box is None:
        return whole
    to, of = _corners(box, picture.size), _corners(other_box, other.size)
    if to is None or of is None:
        return whole
    made = picture.copy()
    made.paste(other.crop(of).resize((to[2] - to[0], to[3] - to[1])), to[:2])
    return made


def _corners(box: Box, size: tuple[int, int]) -> tuple[int, int, int, int] | None:
    """Return left, top, right, bottom inside the picture; None where the box lies beside it."""
    x, y, width, height = box
    left, top = max(0, round(x)), max(0, round(y))
    right, bottom = min(size[0], round(x + width)), min(size[1], round(y + height))
    return (left, top, right, bottom) if right > left and bottom > top else None
