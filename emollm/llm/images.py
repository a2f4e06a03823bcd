"""Pictures as data URLs: the bytes of the file as they are, encoded once.

    urls = DataUrls()
    urls.find(image)                     # JSON text of "data:image/jpeg;base64,…"

A picture is asked about several times, one question after the other; the encoded forms of the last ones are kept.
"""

from __future__ import annotations

import base64
import hashlib
from collections import OrderedDict

import msgspec

from emollm.llm.wire import Failure, Image

KEPT_BYTES = 1 << 26
"""Encoded pictures in memory: 64 MiB."""

SIGNATURES = ((0, b"\xff\xd8\xff", "jpeg"), (0, b"\x89PNG", "png"), (0, b"GIF8", "gif"), (8, b"WEBP", "webp"))
"""What every endpoint of the field reads."""


class DataUrls:
    """Encodes pictures and keeps those used last, up to `KEPT_BYTES`."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, tuple[msgspec.Raw, int]] = OrderedDict()
        self._num_bytes = 0

    def find(self, image: Image) -> msgspec.Raw:
        """Return a picture as a JSON string. Raises Failure where the file is gone, changed, or of no known kind."""
        if image.sha256 in self._kept:
            self._kept.move_to_end(image.sha256)
            return self._kept[image.sha256][0]
        encoded = _encode(image)
        url = msgspec.Raw(encoded)
        self._kept[image.sha256] = url, len(encoded)
        self._num_bytes += len(encoded)
        while self._num_bytes > KEPT_BYTES and len(self._kept) > 1:
            _, (_, num_bytes) = self._kept.popitem(last=False)
            self._num_bytes -= num_bytes
        return url


def _encode(image: Image) -> bytes:
    try:
        data = image.path.read_bytes()
    except OSError as error:
        raise Failure("refused_request", f"{image.path}: {error.strerror}", tries=0) from None
    if hashlib.sha256(data).hexdigest() != image.sha256:
        raise Failure("refused_request", f"{image.path}: has changed since it was listed", tries=0)
    for place, signature, kind in SIGNATURES:
        if data.startswith(signature, place):
            return b'"data:image/%s;base64,%s"' % (kind.encode(), base64.b64encode(data))
    raise Failure(
        "refused_request", f"{image.path}: is no JPEG, PNG, WebP or GIF; convert it, endpoints read no others", tries=0
    )
