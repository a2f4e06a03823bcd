"""Crops in torch: the same squares that `crops` cuts at work, many at once, shaken as a lesson needs it.

crops = look(pictures, placements, side)            # (N, 1, side, side), mean 0, standard deviation 1
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from data_engine.detectors.tiny.crops import ANCHORS, EYES, MOUTH

MIRRORED_POINTS = [
    *range(16, -1, -1), *range(26, 16, -1), *range(27, 31), *range(35, 30, -1),
    45, 44, 43, 42, 47, 46, 39, 38, 37, 36, 41, 40,
    54, 53, 52, 51, 50, 49, 48, 59, 58, 57, 56, 55, 64, 63, 62, 61, 60, 67, 66, 65,
]  # fmt: skip
"""Which landmark each landmark becomes in a mirror."""


def look(pictures: Tensor, placements: Tensor, side: int, bend: Tensor | None = None) -> Tensor:
    """Cut crops out of (N, H, W) uint8 pictures at (N, 2, 3) placements, as `crops.Grey.cut` does.

    `bend` (N, 2, g, g) moves the places looked at, in shares of the crop, smoothly between g × g posts.
    """
    grey = pictures.float()[:, None]
    grey = grey - grey.mean((2, 3), keepdim=True)
    shares = (torch.arange(side) + 0.5) / side
    y, x = torch.meshgrid(shares, shares, indexing="ij")
    places = torch.stack([x, y, torch.ones_like(x)], -1).expand(len(pictures), -1, -1, -1)
    if bend is not None:
        moved = F.interpolate(bend, (side, side), mode="bicubic", align_corners=True).permute(0, 2, 3, 1)
        places = torch.cat([places[..., :2] + moved, places[..., 2:]], -1)
    pixels = torch.einsum("nij,nhwj->nhwi", placements, places)
    size = torch.tensor([pictures.shape[2], pictures.shape[1]])
    crops = F.grid_sample(grey, 2 * (pixels + 0.5) / size - 1, align_corners=False, padding_mode="zeros")
    return even(crops)


def even(crops: Tensor) -> Tensor:
    """Give every crop mean 0 and standard deviation 1, as `crops.normalised` does."""
    crops = crops - crops.mean((2, 3), keepdim=True)
    return crops / (crops.std((2, 3), keepdim=True) + 1e-3)


def aligned(points: Tensor) -> Tensor:
    """Return (N, 2, 3) placements for (N, 68, 2) landmarks, as `crops.aligned` does."""
    seen = torch.stack([points[:, part].mean(1) for part in (*EYES, MOUTH)], 1)
    wanted = torch.from_numpy(ANCHORS)
    seen_middle, wanted_middle = seen.mean(1), wanted.mean(0)
    to, start = seen - seen_middle[:, None], wanted - wanted_middle
    norm = (start * start).sum()
    a = (to * start).sum((1, 2)) / norm
    b = (to[..., 1] * start[:, 0] - to[..., 0] * start[:, 1]).sum(1) / norm
    turn = torch.stack([torch.stack([a, -b], -1), torch.stack([b, a], -1)], 1)
    return torch.cat([turn, (seen_middle - turn @ wanted_middle)[..., None]], -1)


def squares(middles: Tensor, sides: Tensor, turns: Tensor) -> Tensor:
    """Return (N, 2, 3) placements of squares, as `crops.Square.placement` does."""
    cos, sin = sides * torch.cos(turns), sides * torch.sin(turns)
    x, y = middles[:, 0] - (cos - sin) / 2, middles[:, 1] - (sin + cos) / 2
    return torch.stack([torch.stack([cos, -sin, x], -1), torch.stack([sin, cos, y], -1)], 1)


def around(points: Tensor, turns: Tensor) -> tuple[Tensor, Tensor]:
    """Return middles (N, 2) and sides (N,) of the smallest squares, turned, that hold the landmarks."""
    cos, sin = torch.cos(turns), torch.sin(turns)
    upright = points @ torch.stack([torch.stack([cos, -sin], -1), torch.stack([sin, cos], -1)], 1)
    low, high = upright.amin(1), upright.amax(1)
    middle = (low + high) / 2
    back = torch.stack([cos * middle[:, 0] - sin * middle[:, 1], sin * middle[:, 0] + cos * middle[:, 1]], 1)
    return back, (high - low).amax(1)


def into(placements: Tensor, points: Tensor) -> Tensor:
    """Take pixels (N, P, 2) to shares of the crops."""
    (a, b), (c, d) = placements[:, 0, :2].unbind(1), placements[:, 1, :2].unbind(1)
    inverse = torch.stack([d, -b, -c, a], 1).reshape(-1, 2, 2) / (a * d - b * c)[:, None, None]
    return (points - placements[:, None, :, 2]) @ inverse.transpose(1, 2)


def shaken(placements: Tensor, *, turn: float, scale: float, shift: float, stretch: float = 0.0) -> Tensor:
    """Turn (radians), scale, shift (shares of the crop) and stretch placements at random, by these deviations."""
    num = len(placements)
    angle, size = turn * torch.randn(num), torch.exp(scale * torch.randn(num))
    cos, sin = size * torch.cos(angle), size * torch.sin(angle)
    shake = torch.stack([torch.stack([cos, -sin], -1), torch.stack([sin, cos], -1)], 1)
    shake = shake * torch.exp(stretch * torch.randn(num, 1, 2))
    middle = torch.full((num, 2, 1), 0.5)
    move = middle - shake @ middle + shift * torch.randn(num, 2, 1)
    return torch.cat([placements[:, :, :2] @ shake, placements[:, :, :2] @ move + placements[:, :, 2:]], -1)


def mirrored(placements: Tensor, which: Tensor) -> Tensor:
    """Mirror the crops where `which` (N,) is true."""
    sign = 1 - 2 * which.float()
    flip = placements.clone()
    flip[:, :, 0] = placements[:, :, 0] * sign[:, None]
    flip[:, :, 2] = placements[:, :, 2] + placements[:, :, 0] * which.float()[:, None]
    return flip


def bent(num: int, posts: int, deviation: float) -> Tensor:
    """Draw smooth bends for `look`, so that no two heads have one shape."""
    return deviation * torch.randn(num, 2, posts, posts)


def spoilt(crops: Tensor) -> Tensor:
    """Spoil normalised crops: uneven light, grain, and a patch laid over some."""
    num, _, side, _ = crops.shape
    field = F.interpolate(0.3 * torch.rand(num, 1, 1, 1) * torch.randn(num, 1, 3, 3), (side, side), mode="bicubic")
    crops = crops + field + 0.12 * torch.rand(num, 1, 1, 1) * torch.randn_like(crops)
    for place in torch.nonzero(torch.rand(num) < 0.08).flatten().tolist():
        height, width = (torch.rand(2) * 0.25 * side + 0.06 * side).int().tolist()
        top, left = int(torch.rand(()) * (side - height)), int(torch.rand(()) * (side - width))
        crops[place, :, top : top + height, left : left + width] = 1.5 * torch.randn(())
    return crops
