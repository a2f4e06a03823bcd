"""A bad photographer: what cameras, editors and the web do to a picture of a face.

    grey = photograph(pixels, rng)      # (H, W, 3) uint8 → (H, W) uint8

Renders are clean and photographs are not. A net that has seen every kind of damage on renders looks at form.
"""

from __future__ import annotations

from io import BytesIO

import numpy as np
from numpy.typing import NDArray

from data_engine.detectors.protocol import Pixels

Grey = NDArray[np.uint8]

GOOD = 1 / 3
"""Share of the pictures that the photographer does not spoil: users have good ones, too."""


def photograph(pixels: Pixels, rng: np.random.Generator) -> Grey:
    """Return the picture in grey: most with a random film, light, lens, size and compression, some as they are."""
    if rng.random() < GOOD:
        return _plain(pixels)
    grey = _film(pixels, rng)
    grey = _light(grey, rng)
    grey = _tone(grey, rng)
    return _file(np.clip(grey * 255 + 0.5, 0, 255).astype(np.uint8), rng)


def _plain(pixels: Pixels) -> Grey:
    from PIL import Image

    return np.asarray(Image.fromarray(pixels).convert("L"))


def _film(pixels: Pixels, rng: np.random.Generator) -> NDArray[np.float32]:
    """Mix the colours to grey 0–1: by eye mostly, sometimes as if through a coloured filter."""
    weights = np.array([0.299, 0.587, 0.114]) if rng.random() < 0.6 else rng.dirichlet((2.0, 3.0, 1.2))
    grey: NDArray[np.float32] = (pixels @ (weights / 255)).astype(np.float32)
    return grey


def _light(grey: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """Lay uneven light over the picture: a smooth field, sometimes the hard edge of a shadow."""
    height, width = grey.shape
    if rng.random() < 0.5:
        cells = rng.normal(0, rng.uniform(0.05, 0.35), (4, 4)).astype(np.float32)
        grey = grey * np.exp(_stretch(cells, width, height))
    if rng.random() < 0.1:
        angle, offset = rng.uniform(0, 2 * np.pi), rng.normal(0, 0.25)
        y, x = np.mgrid[-0.5 : 0.5 : height * 1j, -0.5 : 0.5 : width * 1j].astype(np.float32)
        edge = (np.cos(angle) * x + np.sin(angle) * y - offset) / rng.uniform(0.01, 0.15)
        grey = grey * (1 - rng.uniform(0.2, 0.6) / (1 + np.exp(-np.clip(edge, -30, 30))))
    return grey.astype(np.float32, copy=False)


def _stretch(cells: NDArray[np.float32], width: int, height: int) -> NDArray[np.float32]:
    from PIL import Image

    return np.asarray(Image.fromarray(cells).resize((width, height), Image.Resampling.BICUBIC), np.float32)


def _tone(grey: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """Expose and develop: brightness, contrast and gamma; highlights and shadows may be clipped."""
    low, high = np.quantile(grey, (0.02, 0.98))
    spread = (grey - low) / max(high - low, 0.05)
    black, white = rng.uniform(-0.1, 0.25), rng.uniform(0.6, 1.15)
    toned: NDArray[np.float32] = np.clip(black + spread * (white - black), 0, 1) ** np.exp(rng.normal(0, 0.25))
    return toned


def _file(grey: Grey, rng: np.random.Generator) -> Grey:
    """Blur, shrink and enlarge, add grain, compress: each now and then."""
    from PIL import Image, ImageFilter

    image = Image.fromarray(grey)
    size = image.size
    if rng.random() < 0.25:
        image = image.filter(ImageFilter.GaussianBlur(rng.uniform(0.2, 1.0)))
    if rng.random() < 0.3:
        share = rng.uniform(0.5, 0.9)
        small = image.resize((round(size[0] * share), round(size[1] * share)), Image.Resampling.BILINEAR)
        image = small.resize(size, rng.choice([Image.Resampling.BILINEAR, Image.Resampling.BICUBIC]))
    if rng.random() < 0.2:
        image = image.filter(ImageFilter.UnsharpMask(rng.uniform(0.5, 2.0), int(rng.uniform(30, 200)), 0))
    if rng.random() < 0.35:
        grain = rng.normal(0, rng.uniform(1, 7), (size[1], size[0]))
        image = Image.fromarray(np.clip(np.asarray(image) + grain, 0, 255).astype(np.uint8))
    if rng.random() < 0.5:
        file = BytesIO()
        image.save(file, "JPEG", quality=int(rng.uniform(20, 95)))
        image = Image.open(file)
    return np.asarray(image)
