"""Small convolutional nets on numpy: what the detector needs to run, and no more.

    net = Net(FINDER, weights)
    net(crops)                # (N, H, W, 1) float32 → (N, outputs) or (N, h, w, outputs)

A net is a list of layers; `training.torch_nets` builds the same list in torch, with batch norm after each convolution,
which is folded into the weights before they are shipped.
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
            (np.ascontiguousarray(weights[f"{name}.{place}.weight"]), weights[f"{name}.{place}.bias"])
            for place in range(len(layers))
        ]

    def __call__(self, pictures: Array) -> Array:
        """Return the outputs for (N, H, W, inputs) pictures."""
        parts = [self._run(pictures[start : start + CHUNK]) for start in range(0, len(pictures), CHUNK)]
        return np.concatenate(parts) if len(parts) > 1 else parts[0]

    def _run(self, x: Array) -> Array:
        for layer, (weight, bias) in zip(self.layers, self._weights, strict=True):
            x = _convolve(x, layer, weight, bias) if isinstance(layer, Conv) else _connect(x, layer, weight, bias)
        return x


def _convolve(x: Array, layer: Conv, weight: Array, bias: Array) -> Array:
    """Convolve (N, H, W, C); `weight` is (kernel² × C, outputs)."""
    num, height, width, channels = x.shape
    kernel, stride, pad = layer.kernel, layer.stride, layer.kernel // 2
    if kernel == 1 and stride == 1:
        patches = x.reshape(-1, channels)
        out_height, out_width = height, width
    else:
        padded = np.zeros((num, height + 2 * pad, width + 2 * pad, channels), np.float32)
        padded[:, pad : pad + height, pad : pad + width] = x
        windows = sliding_window_view(padded, (kernel, kernel), axis=(1, 2))[:, ::stride, ::stride]
        out_height, out_width = windows.shape[1:3]
        patches = windows.transpose(0, 1, 2, 4, 5, 3).reshape(-1, kernel * kernel * channels)
    y = patches @ weight
    y += bias
    if not layer.is_last:
        np.maximum(y, 0, out=y)
    y = y.reshape(num, out_height, out_width, layer.outputs)
    return y + x if layer.is_residual else y


def _connect(x: Array, layer: Dense, weight: Array, bias: Array) -> Array:
    y: Array = x.reshape(len(x), -1) @ weight
    y += bias
    if not layer.is_last:
        np.maximum(y, 0, out=y)
    return y
