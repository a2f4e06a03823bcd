"""Pictures and clips as files; when the frames of a clip are shown.

    times, end_s = frame_times(3.0, 15, "webp")
    content = encode_clip(frames, times, end_s, "webp")

Animated WebP (the default: small, any browser, frame times to the millisecond) and GIF (256 colours, times in steps of
10 ms) need nothing but Pillow; mp4 (H.264) needs PyAV, the extra `video`. Both of Pillow's formats store equal
neighbours once, for the time of both; with a camera's noise or a swaying head no two frames are equal.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from data_engine.faces.studio.developing import Pixels
from emollm.errors import MissingExtraError

if TYPE_CHECKING:
    from PIL.Image import Image

PICTURE_FORMATS, CLIP_FORMATS = ("png", "jpg", "webp"), ("webp", "gif", "mp4")
TICK_MS = {"webp": 1, "gif": 10, "mp4": 1}
"""The shortest time that each format can tell apart."""
JPEG_QUALITY, WEBP_QUALITY, CLIP_WEBP_QUALITY = 95, 90, 85
"""Of pictures, and of clips: 100 is best."""
TOLERANCE_S = 5e-4
"""Two times closer than this, half a millisecond, are one."""
H264_QUALITY = 18
"""Constant rate factor: 18 looks like the original, 23 is the encoder's own default."""


def frame_times(seconds: float, fps: float, suffix: str) -> tuple[list[float], float]:
    """Return when each frame of a clip is first shown, as the format can say it, and when the clip ends: seconds."""
    tick = TICK_MS[suffix]
    edges = [round(1000 * number / fps / tick) * tick / 1000 for number in range(max(2, round(seconds * fps)) + 1)]
    return edges[:-1], edges[-1]


def encode_picture(pixels: Pixels, suffix: str) -> bytes:
    """Return the picture as the bytes of a file: `png` keeps every pixel, `jpg` and `webp` are smaller and do not."""
    from PIL import Image

    file, image = BytesIO(), Image.fromarray(pixels)
    if suffix == "png":
        image.save(file, "PNG", compress_level=1)
    elif suffix == "webp":
        image.save(file, "WEBP", quality=WEBP_QUALITY)
    else:
        image.save(file, "JPEG", quality=JPEG_QUALITY)
    return file.getvalue()


def encode_clip(frames: Sequence[Pixels], times: Sequence[float], end_s: float, suffix: str) -> bytes:
    """Return the clip as the bytes of a file. Raises MissingExtraError for mp4 without PyAV."""
    if suffix == "mp4":
        return _encode_mp4(frames, times)
    from PIL import Image

    edges = [*times, end_s]
    shown_ms = [round(1000 * (later - earlier)) for earlier, later in pairwise(edges)]
    options: dict[str, Any] = {"quality": CLIP_WEBP_QUALITY, "method": 4} if suffix == "webp" else {"disposal": 1}
    first, *rest = [Image.fromarray(pixels) for pixels in frames]
    file = BytesIO()
    first.save(file, suffix.upper(), save_all=True, append_images=rest, duration=shown_ms, loop=0, **options)
    return file.getvalue()


def require_encoder(suffix: str) -> None:
    """Raise MissingExtraError where a format cannot be written here, before anything is drawn."""
    if suffix == "mp4":
        _av()


def _av() -> Any:
    try:
        import av
    except ImportError:
        raise MissingExtraError("an mp4 clip", "video") from None
    return av


def _encode_mp4(frames: Sequence[Pixels], times: Sequence[float]) -> bytes:
    av = _av()
    file, millisecond = BytesIO(), Fraction(1, 1000)
    with av.open(file, "w", format="mp4") as container:
        # One thread, because clips are drawn on all cores at once.
        stream = container.add_stream("libx264", options={"crf": str(H264_QUALITY), "threads": "1", "bf": "0"})
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        stream.codec_context.time_base = millisecond
        for pixels, time_s in zip(frames, times, strict=True):
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            frame.pts, frame.time_base = round(1000 * time_s), millisecond
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return file.getvalue()


def read_frames(path: Path, seconds: Sequence[float]) -> list[Image]:
    """Return what a clip shows at these times; a picture shows itself at any."""
    shown: list[Image] = []
    for number, (start_s, image) in enumerate(_mp4_images(path) if path.suffix == ".mp4" else _images(path)):
        for place, time_s in enumerate(seconds):
            if number == 0:
                shown.append(image)
            elif start_s <= time_s + TOLERANCE_S:
                shown[place] = image
    return shown


def _images(path: Path) -> Iterator[tuple[float, Image]]:
    from PIL import Image

    with Image.open(path) as clip:
        start_ms = 0.0
        for number in range(getattr(clip, "n_frames", 1)):
            clip.seek(number)
            yield start_ms / 1000, clip.convert("RGB")
            start_ms += clip.info.get("duration", 0)


def _mp4_images(path: Path) -> Iterator[tuple[float, Image]]:
    with _av().open(str(path)) as container:
        for frame in container.decode(video=0):
            yield frame.time, frame.to_image()
