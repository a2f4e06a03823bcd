"""The nets in torch, for learning: the layers of `nets`, with batch norm that is folded away when they are shipped."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from data_engine.detectors.tiny.layers import Array, Conv, Dense, Layers


class TorchNet(nn.Module):  # type: ignore[misc]
    """A net that learns: (N, 1, H, W) → what the layers say, channels last."""

    def __init__(self, layers: Layers, dropout: float = 0.0) -> None:
        super().__init__()
        self.layers = layers
        self.parts = nn.ModuleList([_part(layer) for layer in layers])
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        """Return the outputs: (N, outputs), or (N, h, w, outputs) where the last layer is a convolution."""
        for layer, part in zip(self.layers, self.parts, strict=True):
            if isinstance(layer, Dense):
                x = part(self.dropout(x.permute(0, 2, 3, 1).flatten(1) if x.dim() == 4 else x))
                x = x if layer.is_last else x.relu()
            else:
                y = part(x)
                y = y if layer.is_last else y.relu()
                x = x + y if layer.is_residual else y
        return x.permute(0, 2, 3, 1) if x.dim() == 4 else x


def _part(layer: Conv | Dense) -> nn.Module:
    if isinstance(layer, Dense):
        return nn.Linear(layer.inputs, layer.outputs)
    conv = nn.Conv2d(layer.inputs, layer.outputs, layer.kernel, layer.stride, layer.kernel // 2, bias=layer.is_last)
    return conv if layer.is_last else nn.Sequential(conv, nn.BatchNorm2d(layer.outputs))


def folded(net: TorchNet, name: str) -> dict[str, Array]:
    """Return the weights as `layers.Net` takes them, batch norm folded in."""
    weights: dict[str, Array] = {}
    for place, (layer, part) in enumerate(zip(net.layers, net.parts, strict=True)):
        weight, bias = _dense(part) if isinstance(layer, Dense) else _folded_conv(part)
        weights[f"{name}.{place}.weight"], weights[f"{name}.{place}.bias"] = weight, bias
    return weights


def _dense(part: Any) -> tuple[Array, Array]:
    return np.ascontiguousarray(part.weight.detach().numpy().T), part.bias.detach().numpy()


def _folded_conv(part: Any) -> tuple[Array, Array]:
    """(kernel² × inputs, outputs) and (outputs,)."""
    conv, norm = (part, None) if isinstance(part, nn.Conv2d) else part
    weight = conv.weight.detach()
    bias = torch.zeros(len(weight)) if conv.bias is None else conv.bias.detach()
    if norm is not None:
        gain = norm.weight.detach() / torch.sqrt(norm.running_var + norm.eps)
        weight, bias = weight * gain[:, None, None, None], norm.bias.detach() + (bias - norm.running_mean) * gain
    return np.ascontiguousarray(weight.permute(2, 3, 1, 0).flatten(0, 2).numpy()), bias.numpy()
