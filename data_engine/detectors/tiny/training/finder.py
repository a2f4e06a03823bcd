"""Teach the net that looks for faces in whole pictures."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from data_engine.detectors.tiny.nets import FINDER, FINDER_SIZE, FINDER_STRIDE
from data_engine.detectors.tiny.training.course import Course, batches, learn
from data_engine.detectors.tiny.training.crowds import Crowds
from data_engine.detectors.tiny.training.torch_nets import TorchNet
from data_engine.detectors.tiny.training.views import even, into, look, mirrored, shaken, spoilt, squares

SMALLEST, LARGEST = 17.0, 50.0
"""Sides of the faces that are to be found at one size of the picture; others are left to its other sizes."""


def teach_finder(crowds: Crowds, course: Course) -> TorchNet:
    """Train the net on pictures with faces somewhere."""
    torch.manual_seed(course.seed)
    net = TorchNet(FINDER).to(memory_format=torch.channels_last)
    pictures, faces = (torch.from_numpy(field) for field in crowds)

    def loss(batch: Tensor) -> Tensor:
        crops, seen = shaken_pictures(pictures[batch], faces[batch])
        return loss_of(net(crops.contiguous(memory_format=torch.channels_last)).float(), seen)

    return learn(net, loss, batches(len(pictures), course), course, "finder")


def shaken_pictures(pictures: Tensor, faces: Tensor) -> tuple[Tensor, Tensor]:
    """Return the pictures as they will be met, and the faces where they are then."""
    num, side = len(pictures), pictures.shape[-1]
    whole = squares(torch.full((num, 2), (side - 1) / 2), torch.full((num,), float(side)), torch.zeros(num))
    flipped = torch.rand(num) < 0.5
    placements = mirrored(shaken(whole, turn=0.15, scale=0.2, shift=0.06, stretch=0.03), flipped)
    straight = placements[:, :, :2]
    middles = into(placements, faces[..., :2])
    scale = side / straight.det().abs().sqrt()
    seen = torch.cat([middles * side - 0.5, faces[..., 2:] * scale[:, None, None]], -1)
    return even(spoilt(look(pictures, placements, side))), seen


def loss_of(outputs: Tensor, faces: Tensor) -> Tensor:
    """Penalty-reduced focal loss of the scores (Zhou et al. 2019), and the errors of size and place at the faces."""
    height, width = outputs.shape[1:3]
    is_face = faces[..., 2] > 0
    fits = is_face & (faces[..., 2] > SMALLEST) & (faces[..., 2] < LARGEST)
    y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    cells = (faces[..., :2] + 0.5) / FINDER_STRIDE - 0.5
    across = x - cells[..., 0, None, None]
    down = y - cells[..., 1, None, None]
    spread = (faces[..., 2] / FINDER_STRIDE / 6).clamp(min=0.7)[..., None, None]
    bump = torch.exp(-(across**2 + down**2) / (2 * spread**2))
    heat = (bump * fits[..., None, None]).amax(1)
    unknown = (bump * (is_face & ~fits)[..., None, None]).amax(1) > 0.1
    at = (across.abs() <= 1) & (down.abs() <= 1) & fits[..., None, None]
    score = outputs[..., 0]
    return _focal(score, heat, unknown) + _errors(outputs, at, across, down, faces[..., 2])


def _focal(score: Tensor, heat: Tensor, unknown: Tensor) -> Tensor:
    peak = heat > 0.8
    chance = torch.sigmoid(score)
    found = -F.logsigmoid(score) * (1 - chance) ** 2 * peak
    spurious = -F.logsigmoid(-score) * chance**2 * (1 - heat) ** 4 * ~peak * ~unknown
    return (found + spurious).sum() / peak.sum().clamp(min=1)


def _errors(outputs: Tensor, at: Tensor, across: Tensor, down: Tensor, sides: Tensor) -> Tensor:
    """Mean errors of log2 size and of the middle, in cells, over the cells at faces."""
    size = torch.log2(sides.clamp(min=1) / FINDER_SIZE)[..., None, None].expand_as(across)
    wanted = torch.stack([size, -across, -down], -1)
    errors = (outputs[:, None, ..., 1:] - wanted).abs()
    return (errors * at[..., None]).sum() / at.sum().clamp(min=1)
