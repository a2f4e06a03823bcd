"""Pictures: one way to open them, for detection, training, prediction and chat alike.

Example:

    picture = open_picture(path)        # a PIL image, RGB, upright
"""

from __future__ import annotations

import struct
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from emollm.errors import SourceError
from emollm.files import sha256
from emollm.records import Sample, media_path

if TYPE_CHECKING:
    from PIL.Image import Image

MAX_PIXELS = 64_000_000
"""Pictures with more pixels are refused before they are decoded: a small file can unpack to gigabytes."""
DRAFT = (2048, 2048)
"""A larger JPEG is decoded at a half, a quarter or an eighth of its size, as long as it is not smaller than this."""
ENDS = {b"\x89PNG": b"IEND", b"\xff\xd8": b"\xff\xd9"}
"""How a file begins, and what stands at its end."""
TAIL = 64
"""Bytes at the end of a file in which its end is looked for."""
MIN_SIDE = 8
"""Pixels; below this there is no face to see."""
MAX_ASPECT = 20
"""Long side over short side; beyond it there is no face either, and some models refuse the whole batch."""
BROKEN = (OSError, SyntaxError, ValueError, EOFError, LookupError, struct.error)
"""What Pillow raises for a damaged file."""


def open_picture(path: Path) -> Image:
    """Decode a picture: first frame, upright by its EXIF tag, on white where transparent, 8-bit RGB.

    Raises SourceError for a file that is missing, no picture, cut off, too large, or a thin strip.
    """
    from PIL import Image, ImageOps

    _check_file(path)
    with as_source_error(path), Image.open(path) as file:
        check_size(path, file.size)
        file.draft("RGB", DRAFT)
        return to_rgb(ImageOps.exif_transpose(file))


@contextmanager
def as_source_error(path: Path) -> Iterator[None]:
    """Turn what Pillow raises for a bad file into one line that names the file."""
    from PIL import Image

    try:
        with warnings.catch_warnings():
            # Our own limit is checked on the header; Pillow's warning at half of its limit would only repeat it.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            yield
    except Image.UnidentifiedImageError:
        raise SourceError(f"{path}: not a picture, whatever its name says; convert it to PNG or JPEG") from None
    except Image.DecompressionBombError as error:
        raise SourceError(f"{path}: {error}; make it smaller") from None
    except BROKEN as error:
        raise SourceError(f"{path}: the picture is damaged ({error}); replace the file") from None


def check_picture(path: Path, digest: str | None = None) -> None:
    """Read the header of a picture and its last bytes, which is quick. Raises SourceError like `open_picture`.

    A file without the end of its format is decoded, to be sure. With `digest`, the sha256 of the file as it was, all of
    it is read, and another picture under the name is refused.
    """
    picture_size(path)
    if _looks_cut_off(path):
        open_picture(path)
    if digest is not None and sha256(path) != digest:
        raise SourceError(f"{path}: is another picture than before (its sha256 differs); put it back, or detect again")


def check_sample_picture(sample: Sample, root: Path) -> None:
    """Check the picture of a sample, if it has one. Raises SourceError where it is not that which was read before."""
    path = media_path(sample, root)
    if path is not None and sample.media is not None:
        check_picture(path, sample.media.sha256)


def picture_size(path: Path) -> tuple[int, int]:
    """Return width and height in pixels, from the header alone, of what `open_picture` decodes before it turns it.

    Raises SourceError like `open_picture`.
    """
    from PIL import Image

    _check_file(path)
    with as_source_error(path), Image.open(path) as file:
        check_size(path, file.size)
        file.draft("RGB", DRAFT)
        width, height = file.size
        return width, height


def _looks_cut_off(path: Path) -> bool:
    """Tell whether the end of a PNG or a JPEG is missing; some writers leave a few bytes behind it."""
    with path.open("rb") as file:
        start = file.read(8)
        file.seek(max(0, path.stat().st_size - TAIL))
        tail = file.read()
    return any(start.startswith(head) and end not in tail for head, end in ENDS.items())


def sample_picture(sample: Sample, root: Path) -> Image:
    """Open the picture of a sample. Raises SourceError where it has none, or only a clip."""
    path = media_path(sample, root)
    if path is None or sample.media is None:
        raise SourceError(f"{sample.id}: has no picture; give it a 'media' field")
    if is_clip(sample):
        raise SourceError(f"{sample.id}: {of_clip(sample)}")
    return open_picture(path)


def is_clip(sample: Sample) -> bool:
    """Tell whether what a sample is about moves."""
    return sample.media is not None and sample.media.kind == "video"


def of_clip(sample: Sample) -> str:
    """Return why a clip is not shown to a model, and what to do instead."""
    moments = [face.time_s for face in sample.faces or () if face.time_s is not None]
    peak = f", at {moments[0]:.2f} s," if moments else ""
    return f"is a clip, and models are shown pictures here; cut out the frame of its peak{peak} and detect that"


def _check_file(path: Path) -> None:
    if not path.is_file():
        raise SourceError(f"{path}: no such file; check the path, or the folder in which paths start")
    if path.stat().st_size == 0:
        raise SourceError(f"{path}: the file is empty; replace it")


def check_size(path: Path, size: Sequence[int]) -> None:
    """Raise SourceError for a picture that is too large to decode or too small or thin to show a face."""
    width, height = size
    if width * height > MAX_PIXELS:
        raise SourceError(f"{path}: {width} x {height} px is more than {MAX_PIXELS:,} pixels; make it smaller")
    if min(width, height) < MIN_SIDE:
        raise SourceError(f"{path}: {width} x {height} px is too small to show a face")
    if max(width, height) > MAX_ASPECT * min(width, height):
        raise SourceError(f"{path}: {width} x {height} px is a strip, too thin to show a face; crop it to the face")


def to_rgb(picture: Image) -> Image:
    """Return 8-bit RGB for any mode, on white where transparent. 16-bit grey is scaled, where PIL would clip it."""
    from PIL import Image

    if picture.mode == "RGB" and "transparency" not in picture.info:
        return picture
    if picture.mode.startswith("I"):
        picture = picture.point(lambda value: value / 256).convert("L")
    if picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info:
        picture = picture.convert("RGBA")
        page = Image.new("RGBA", picture.size, "white")
        page.alpha_composite(picture)
        picture = page
    return picture.convert("RGB")
