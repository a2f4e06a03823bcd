"""Where each AU shows in one picture.

    au_masks(FaceSpec(aus={"AU06": 3.0, "AU12": (4.0, 1.0)}), 112)      # {"AU06": (112, 112) bool, "AU12": …}
    au_region("AU04", FaceSpec(), 112)                                  # where AU4 would show, were it there

A mask is the difference between the picture and the same picture without the AU. It holds what the AU changes on the
part of the face that can be seen: its own place, and the folds, shadows and neighbours that it moves. One render an AU.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np

from data_engine.faces.actions import DRAWN_CODES, FULL
from data_engine.faces.curves import Mask
from data_engine.faces.occluders import cover, occluder_of
from data_engine.faces.picture import render
from data_engine.faces.spec import FaceSpec
from data_engine.faces.studio.developing import Pixels
from data_engine.faces.studio.projection import Camera
from data_engine.faces.studio.surface import find_head
from data_engine.faces.studio.texture import box_blur
from emollm.errors import SourceError
from emollm.files import in_one_step

NOTICEABLE = 3.0
"""A change of fewer grey levels, averaged over a few pixels, is not seen."""
SHARE = 0.12
"""A pixel belongs to the mask when it changes by this share of what the AU's strongest pixels change."""
REACH = 75
"""Changes are averaged over about a 75th of the picture's side, so that single pixels neither make nor break a mask."""
AUS_KEY = "aus"


def au_masks(spec: FaceSpec, size: int = 112, codes: Iterable[str] | None = None) -> dict[str, Mask]:
    """Return for each AU the pixels on which it shows in this picture, (S, S); none where it is hidden.

    `codes` are all AUs above 0 unless given.
    """
    active = [code for code, value in spec.aus.items() if np.any(value)] if codes is None else list(codes)
    clean, seen = replace(spec, sensor_noise=0.0), visible_face(spec, size)
    picture = render(clean, size)
    return {code: changed(picture, render(_with(clean, code, 0.0), size)) & seen for code in active}


def au_region(code: str, spec: FaceSpec, size: int = 112) -> Mask:
    """Return the pixels on which an AU of full intensity would show in this picture, (S, S): for attention maps."""
    clean, seen = replace(spec, sensor_noise=0.0), visible_face(spec, size)
    return changed(render(_with(clean, code, FULL), size), render(_with(clean, code, 0.0), size)) & seen


def _with(spec: FaceSpec, code: str, value: float) -> FaceSpec:
    return replace(spec, aus={**spec.aus, code: value})


def changed(picture: Pixels, other: Pixels) -> Mask:
    """Return the pixels in which two pictures differ noticeably, without specks and pinholes, (S, S)."""
    difference = np.abs(picture.astype(np.float32) - other).max(axis=2)
    reach = max(1, round(len(picture) / REACH))
    smooth = box_blur(difference, reach)
    found = smooth > max(NOTICEABLE, SHARE * float(smooth.max()))
    majority: Mask = box_blur(found.astype(np.float32), reach) > 0.5
    return majority


def visible_face(spec: FaceSpec, size: int = 112) -> Mask:
    """Return the pixels that show the front of the face with nothing of `FaceSpec.occluder` before it, (S, S)."""
    camera = Camera.of(spec, size)
    u, v = camera.tilted(*camera.frame())
    head = find_head(camera, spec.actions(), u, v)
    seen = np.zeros((size, size), np.bool_)
    place = seen[head.rows, head.columns]
    place[...] = head.inside * head.surface.front > 0.5
    occluder = occluder_of(camera)
    if occluder is not None:
        here = (head.surface.x, head.surface.y) if occluder.worn else (head.u, head.v)
        place &= cover(occluder, head, occluder.area(*here)) < 0.5
    return seen


def write_masks(spec: FaceSpec, size: int, path: Path) -> None:
    """Write the picture's `au_masks` as one PNG of two colours: a square below the other, white where the AU shows.

    The text field `aus` of the file names them from the top, with blanks between. Read it with `read_masks`, or with
    any library: square k is rows k × width to (k + 1) × width. Without masks the picture is one black pixel.
    """
    from PIL import Image, PngImagePlugin

    masks = au_masks(spec, size)
    about = PngImagePlugin.PngInfo()
    about.add_text(AUS_KEY, " ".join(masks))
    rows = np.concatenate(list(masks.values())) if masks else np.zeros((1, 1), np.bool_)
    with in_one_step(path) as part:
        Image.fromarray(rows.astype(np.uint8) * np.uint8(255)).convert("1").save(part, "PNG", pnginfo=about)


def read_masks(path: Path) -> dict[str, Mask]:
    """Return the masks that `write_masks` wrote. Raises SourceError for another picture."""
    from PIL import Image

    with Image.open(path) as image:
        codes = str(image.info.get(AUS_KEY, "?")).split()
        rows = np.asarray(image.convert("1"), np.bool_)
    if set(codes) - set(DRAWN_CODES) or (codes and len(rows) != len(codes) * rows.shape[1]):
        raise SourceError(f"{path}: holds no AU masks; write them with `emollm faces --masks`")
    return dict(zip(codes, np.split(rows, len(codes)), strict=True)) if codes else {}
