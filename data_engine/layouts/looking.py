"""Looking: every picture is opened once, to find the broken ones and to give the others a fingerprint.

    for look in look_at(paths, workers=4):
        look.print, look.sha256, look.size, look.problem

Nothing of a picture is kept but its digest, its size and two difference hashes (dHash: is a pixel of a small grey copy
brighter than its left neighbour?), of 64 and of 256 bits. Videos are not decoded: only a copy of the same bytes has
the fingerprint of one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from io import BytesIO
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from data_engine.sources.media import VIDEOS
from data_engine.workers import spread
from emollm.errors import SourceError
from emollm.pictures import as_source_error, check_size, to_rgb

if TYPE_CHECKING:
    from PIL.Image import Image

CHUNK = 64
"""Pictures that a worker is handed at a time."""
WORTH_WORKERS = 8 * CHUNK
"""Fewer files are looked at before another process has started."""
SHORT, LONG = 8, 16
"""Bits a row and a column of the two hashes."""
WORDS = (SHORT * SHORT + LONG * LONG) // 64
"""A fingerprint is so many numbers of 64 bits, the short hash first."""
ENDS = 1 << 20
"""Bytes."""
DRAFT_SIDE = 128
"""A large JPEG is decoded at a half, a quarter or an eighth, no smaller than this."""


class Look(NamedTuple):
    """What is remembered of one file."""

    print: bytes = b""
    """The fingerprint, WORDS numbers of 8 bytes; empty where the file cannot be read."""
    sha256: str | None = None
    """Of pictures; videos are not read whole."""
    size: tuple[int, int] | None = None
    """Width and height of a picture in pixels, upright."""
    problem: str = ""


def look_at(paths: Iterable[Path], workers: int = 1) -> Iterator[Look]:
    """Yield what is remembered of each file, in their order, with so many processes where there are files enough."""
    rest = iter(paths)
    first = list(islice(rest, WORTH_WORKERS))
    workers = workers if len(first) == WORTH_WORKERS else 1
    for looks in spread(_look_at_chunk, _chunks(chain(first, rest)), workers, may_drop=True):
        yield from looks


def _chunks(paths: Iterable[Path]) -> Iterator[list[Path]]:
    rest = iter(paths)
    while chunk := list(islice(rest, CHUNK)):
        yield chunk


def _look_at_chunk(paths: list[Path]) -> list[Look]:
    return [_look(path) for path in paths]


def _look(path: Path) -> Look:
    try:
        if not path.stat().st_size:
            return Look(problem=f"{path}: the file is empty; replace it")
        if path.suffix.lower() in VIDEOS:
            return Look(_ends(path))
        content = path.read_bytes()
        picture, size = _open(path, content)
    except OSError as error:
        return Look(problem=f"{path}: cannot be read: {error.strerror}")
    except SourceError as error:
        return Look(problem=str(error))
    return Look(fingerprint(picture), hashlib.sha256(content).hexdigest(), size)


def _ends(path: Path) -> bytes:
    """A fingerprint of the size of a file, its first MiB and its last."""
    digest = hashlib.blake2b(digest_size=8 * WORDS)
    with path.open("rb") as file:
        digest.update(str(file.seek(0, 2)).encode())
        for start in (0, max(0, file.tell() - ENDS)):
            file.seek(start)
            digest.update(file.read(ENDS))
    return digest.digest()


def _open(path: Path, content: bytes) -> tuple[Image, tuple[int, int]]:
    """Decode a picture as `emollm.pictures` does, but no larger than a fingerprint needs; return its own size too."""
    from PIL import Image, ImageOps

    with as_source_error(path), Image.open(BytesIO(content)) as file:
        check_size(path, file.size)
        whole = file.size
        file.draft("RGB", (DRAFT_SIDE, DRAFT_SIDE))
        picture = to_rgb(ImageOps.exif_transpose(file))
        is_turned = (picture.width > picture.height) != (whole[0] > whole[1])
    return picture, (whole[1], whole[0]) if is_turned else whole


def fingerprint(picture: Image) -> bytes:
    """Return the short and the long dHash of a picture (Krawetz 2013): copies of another size or quality share them."""
    from PIL.Image import Resampling

    grey = picture.convert("L")
    bits = []
    for side in (SHORT, LONG):
        small = np.asarray(grey.resize((side + 1, side), Resampling.LANCZOS))
        bits.append((small[:, 1:] > small[:, :-1]).ravel())
    return np.packbits(np.concatenate(bits)).tobytes()
