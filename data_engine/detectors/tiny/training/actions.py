"""Teach the net that measures action units in aligned faces."""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from data_engine.detectors.tiny.nets import ACTIONS, ACTIONS_SIDE, HIDDEN, PRESENT, REGION_OF_AU, split_actions
from data_engine.detectors.tiny.training.course import Course, batches, learn
from data_engine.detectors.tiny.training.drawing import Lessons
from data_engine.detectors.tiny.training.torch_nets import TorchNet
from data_engine.detectors.tiny.training.views import aligned, bent, even, look, mirrored, shaken, spoilt
from data_engine.faces.actions import FULL


class Read(NamedTuple):
    """What the outputs of the net say, (N, AUs or regions, 2) each: left and right."""

    strength: Tensor
    """Logits of intensity / 5."""
    occurs: Tensor
    """Logits of being present."""
    hidden: Tensor
    """Logits of the region being hidden."""


def split(outputs: Tensor) -> Read:
    """Take the outputs (N, ACTION_OUTPUTS) apart."""
    return Read(*split_actions(outputs))


def seen_aus(hidden: Tensor) -> Tensor:
    """Return (N, AUs, 2) 1 where the AU's region shows and 0 where it is hidden."""
    shows = (hidden < HIDDEN).float()
    return shows[:, REGION_OF_AU]


def teach_actions(lessons: Lessons, course: Course) -> TorchNet:
    """Train the net on drawn faces, upright by the landmarks that come with them: those that `points.placed` gives."""
    torch.manual_seed(course.seed)
    net = TorchNet(ACTIONS, dropout=0.05).to(memory_format=torch.channels_last)
    data = [torch.from_numpy(field) for field in (lessons.pictures, lessons.points, lessons.aus, lessons.hidden)]

    def loss(batch: Tensor) -> Tensor:
        return lesson(net, *(field[batch] for field in data))

    return learn(net, loss, batches(len(data[0]), course), course, "actions")


def lesson(net: TorchNet, pictures: Tensor, points: Tensor, aus: Tensor, hidden: Tensor) -> Tensor:
    """Return the loss of one batch."""
    crops, flipped = shaken_crops(pictures, points)
    aus, hidden = mirror_sides(aus, flipped), mirror_sides(hidden, flipped)
    return loss_of(split(net(crops).float()), aus, hidden)


def loss_of(read: Read, aus: Tensor, hidden: Tensor) -> Tensor:
    """Soft-target cross-entropy: intensities, occurrences, and what is hidden. Hidden AUs are not asked for."""
    shows = seen_aus(hidden)
    strength = F.binary_cross_entropy_with_logits(read.strength, aus / FULL, reduction="none")
    occurs = F.binary_cross_entropy_with_logits(read.occurs, (aus >= PRESENT).float(), reduction="none")
    covered = F.binary_cross_entropy_with_logits(read.hidden, hidden)
    return ((2 * strength + occurs) * shows).sum() / shows.sum() + 0.5 * covered


def shaken_crops(pictures: Tensor, points: Tensor) -> tuple[Tensor, Tensor]:
    """Return aligned crops, a little off and bent so that none is met twice, and which of them are mirrored."""
    num = len(pictures)
    flipped = torch.rand(num) < 0.5
    placements = shaken(aligned(points), turn=0.015, scale=0.02, shift=0.007, stretch=0.02)
    crops = look(pictures, mirrored(placements, flipped), ACTIONS_SIDE, bent(num, 4, 0.005))
    return even(spoilt(crops)).contiguous(memory_format=torch.channels_last), flipped


def mirror_sides(values: Tensor, flipped: Tensor) -> Tensor:
    """Swap left and right, the last dimension, where the picture is mirrored."""
    return torch.where(flipped[:, None, None], values.flip(-1), values)
