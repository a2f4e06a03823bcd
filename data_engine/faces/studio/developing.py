"""From light to pixels: the lens, the exposure, the colours, the sensor's noise, 8 bits."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from data_engine.faces.curves import Field
from data_engine.faces.spec import FaceSpec
from data_engine.faces.studio.projection import HALF_FRAME

Pixels = NDArray[np.uint8]
"""(H, W, 3) RGB."""

LUMA = (0.299, 0.587, 0.114)
"""Shares of red, green and blue in brightness."""
MIDDLE_GREY = 0.45
GAMMA = 2.2
"""Pixels go with the light to the power of 1 / GAMMA."""
KNEE = 0.78
"""Above this brightness, highlights are pressed together instead of cut off."""
MOST_PASSES = 8
"""Of the blur; each adds 2 / 3 at most to the squared width."""


def develop(picture: Field, spec: FaceSpec) -> Pixels:
    """Turn light (3, S, S) into pixels (S, S, 3): lens, exposure, colours, sensor noise, 8 bits. In place."""
    if spec.blur > 0:
        blur(picture, spec.blur * (picture.shape[-1] - 1) / (2 * HALF_FRAME) * spec.zoom)
    gain = np.array(spec.tint, np.float32) * np.float32(2.0 ** (spec.exposure / GAMMA))
    picture *= gain[:, None, None]
    if spec.saturation != 1:
        grey = LUMA[0] * picture[0] + LUMA[1] * picture[1] + LUMA[2] * picture[2]
        picture -= grey
        picture *= spec.saturation
        picture += grey
    if spec.contrast != 1:
        picture -= MIDDLE_GREY
        picture *= spec.contrast
        picture += MIDDLE_GREY
    shoulder = np.maximum(picture - KNEE, 0)
    picture -= shoulder * shoulder / (shoulder + (1 - KNEE))
    np.clip(picture, 0, 1, out=picture)
    if spec.sensor_noise > 0:
        picture += spec.sensor_noise * sensor_noise(spec.seed, picture.size).reshape(picture.shape)
        np.clip(picture, 0, 1, out=picture)
    picture *= 255
    picture += 0.5
    return np.ascontiguousarray(picture.astype(np.uint8).transpose(1, 2, 0))


def blur(picture: Field, sigma: float) -> None:
    """Blur a picture in place by about a Gaussian of `sigma` pixels, 2.3 at most: three points each way, repeated."""
    passes = min(MOST_PASSES, max(1, round(2 * sigma * sigma)))
    share = np.float32(min(1 / 3, sigma * sigma / (2 * passes)))
    for _ in range(passes):
        for lines in (picture, picture.swapaxes(-1, -2)):
            step = np.diff(lines, axis=-1) * share
            lines[..., :-1] += step
            lines[..., 1:] -= step


def sensor_noise(seed: int, count: int) -> Field:
    """Return `count` standard normal numbers: a stretch of one long row of them, from a place that the seed gives."""
    row = _noise_row()
    if count > len(row) // 2:
        return np.random.default_rng(seed).standard_normal(count, dtype=np.float32)
    start = int(np.random.default_rng(seed).integers(len(row) - count))
    return row[start : start + count]


@lru_cache(maxsize=1)
def _noise_row() -> Field:
    return np.random.default_rng(0).standard_normal(1 << 20, dtype=np.float32)
