"""Small convolutional nets on numpy: what the detector needs to run, and no more.

    net = Net(FINDER, weights)
    net(crops)                # (N, H, W, 1) float32 → (N, outputs) or (N, h, w, outputs)

A net is a list of layers; `training.torch_nets` builds the same list in torch, with batch norm after each convolution,
which is folded into the weights before they are shipped.

Convolutions of 3 × 3 without stride, most of the work, are done in tiles of 4 × 4 outputs as Winograd found (Lavin &
Gray 2016): 36 sums of the tile's inputs are multiplied by 36 sums of the weights, where 144 products would be needed
otherwise, and sums of these are the outputs. All other convolutions are one product of patches and weights.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

Array = NDArray[np.float32]

CHUNK = 16
"""Pictures that go through a net together: more do not fit into the processor's cache."""
BLOCK = 1 << 18
"""Inputs, each as often as it is needed, that are convolved together: more do not fit into the cache of one core."""

TILE = 4
POINTS = (0, 1, -1, 2, -2)
"""A convolution is a product of polynomials: it is known from their values here and at infinity."""


def _powers(num: int) -> NDArray[np.float64]:
    """Return the first powers of the points and of infinity, (6, num)."""
    return np.vstack([np.vander(POINTS, num, increasing=True), np.eye(num)[-1]])


WEIGHTS = _powers(3)
SUMS = np.linalg.inv(_powers(6)).T.astype(np.float32)
OUTPUTS = _powers(TILE).T.astype(np.float32)


class Conv(NamedTuple):
    """A convolution with zero padding, and what is above 0 of it."""

    inputs: int
    outputs: int
    kernel: int = 3
    stride: int = 1
    is_residual: bool = False
    """Whether the input is added to the output; both have the same shape then."""
    is_last: bool = False
    """Whether the output is taken as it is, below 0 as well."""

    @property
    def is_tiled(self) -> bool:
        """Whether it is done in tiles."""
        return self.kernel == 3 and self.stride == 1


class Dense(NamedTuple):
    """Every output sees every input."""

    inputs: int
    outputs: int
    is_last: bool = False


Layer = Conv | Dense
Layers = Sequence[Layer]


class Net:
    """A net with its weights. Calling it is all that can be done with it."""

    def __init__(self, layers: Layers, weights: Mapping[str, Array], name: str) -> None:
        self.layers = layers
        self._weights = [
            (_ready(weights[f"{name}.{place}.weight"], layer), weights[f"{name}.{place}.bias"])
            for place, layer in enumerate(layers)
        ]
        np.empty(31 << 20, np.uint8)  # freed at once: glibc then keeps arrays of this size for the next picture

    def __call__(self, pictures: Array) -> Array:
        """Return the outputs for (N, H, W, inputs) pictures."""
        parts = [self._run(pictures[start : start + CHUNK]) for start in range(0, len(pictures), CHUNK)]
        return np.concatenate(parts) if len(parts) > 1 else parts[0]

    def _run(self, x: Array) -> Array:
        for layer, (weight, bias) in zip(self.layers, self._weights, strict=True):
            x = _convolve(x, layer, weight, bias) if isinstance(layer, Conv) else _connect(x, layer, weight, bias)
        return x


def _ready(weight: Array, layer: Layer) -> Array:
    """Return a weight as it is multiplied: (kernel² × inputs, outputs), or (36, inputs, outputs) for tiles."""
    if isinstance(layer, Conv) and layer.is_tiled:
        square = weight.reshape(3, 3, layer.inputs, layer.outputs)
        weight = np.einsum("ai,bj,ijxy->abxy", WEIGHTS, WEIGHTS, square).reshape(36, layer.inputs, layer.outputs)
    return np.ascontiguousarray(weight, np.float32)


def _convolve(x: Array, layer: Conv, weight: Array, bias: Array) -> Array:
    """Convolve (N, H, W, C), some rows at a time."""
    num, *sides, channels = x.shape
    kernel, stride, pad = layer.kernel, layer.stride, layer.kernel // 2
    tile, product = (TILE, _by_tiles) if layer.is_tiled else (1, _by_patches)
    height, width = (-(-side // stride) for side in sides)
    down, across = (-(-side // tile) * tile for side in (height, width))
    padded = np.zeros((num, stride * down + kernel - 1, stride * across + kernel - 1, channels), np.float32)
    padded[:, pad : pad + sides[0], pad : pad + sides[1]] = x
    seen, step = tile + kernel - 1, tile * stride
    windows = sliding_window_view(padded, (seen, seen), axis=(1, 2))[:, ::step, ::step]
    rows = max(1, BLOCK // windows[:, 0].size)
    y = np.empty((num, down, across, layer.outputs), np.float32)
    for row in range(0, down // tile, rows):
        part = y[:, tile * row : tile * (row + rows)]
        product(windows[:, row : row + rows], weight, bias, part)
        if not layer.is_last:
            np.maximum(part, 0, out=part)
    y = y[:, :height, :width]
    return y + x if layer.is_residual else y


def _by_patches(windows: Array, weight: Array, bias: Array, out: Array) -> None:
    """Convolve windows (N, h, w, C, kernel, kernel) into out (N, h, w, outputs)."""
    if windows.shape[3] == 1:  # one channel is copied faster along the rows of the picture than patch by patch
        patches = windows.transpose(3, 4, 5, 0, 1, 2).reshape(len(weight), -1).T
    else:
        patches = windows.transpose(0, 1, 2, 4, 5, 3).reshape(-1, len(weight))
    np.add((patches @ weight).reshape(out.shape), bias, out=out)


def _by_tiles(windows: Array, weight: Array, bias: Array, out: Array) -> None:
    """Convolve windows (N, h, w, C, 6, 6) into out (N, 4 h, 4 w, outputs)."""
    num, down, across, channels = windows.shape[:4]
    sums = SUMS @ windows.transpose(4, 5, 0, 1, 2, 3).reshape(6, -1)
    sums = SUMS @ sums.reshape(6, 6, -1)
    products = sums.reshape(36, -1, channels) @ weight
    products[7] += bias  # the one at the point 1 in both directions, which is in every output once
    outputs = OUTPUTS @ (OUTPUTS @ products.reshape(6, -1)).reshape(TILE, 6, -1)
    tiles = outputs.reshape(TILE, TILE, num, down, across, -1).transpose(2, 3, 0, 4, 1, 5)
    out.reshape(tiles.shape)[:] = tiles


def _connect(x: Array, layer: Dense, weight: Array, bias: Array) -> Array:
    y: Array = x.reshape(len(x), -1) @ weight
    y += bias
    if not layer.is_last:
        np.maximum(y, 0, out=y)
    return y
