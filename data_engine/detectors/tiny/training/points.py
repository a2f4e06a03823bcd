"""Teach the net that finds landmarks and pose in a square, and that tells faces from other things."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from data_engine.detectors.tiny.crops import EYES, MARGIN, PASSES
from data_engine.detectors.tiny.nets import NUM_POINTS, POINTS, POINTS_SIDE
from data_engine.detectors.tiny.training.course import Course, batches, learn
from data_engine.detectors.tiny.training.drawing import Lessons
from data_engine.detectors.tiny.training.lures import Lures
from data_engine.detectors.tiny.training.torch_nets import TorchNet
from data_engine.detectors.tiny.training.views import (
    MIRRORED_POINTS,
    around,
    bent,
    even,
    into,
    look,
    mirrored,
    shaken,
    spoilt,
    squares,
)

TURN, SCALE, SHIFT, STRETCH = 0.20, 0.14, 0.055, 0.05
"""How far the finder's square may be off, as standard deviations: radians, log scale, shares of the crop."""
BEND = 0.012
NO_FACES = 0.2
"""Crops of each kind without a face, as a share of the batch: other things, parts of faces, and lures."""


class Read(NamedTuple):
    """What the outputs of the net say."""

    points: Tensor
    """(N, 68, 2) shares of the crop."""
    pose: Tensor
    """(N, 3) radians; the roll is against the crop."""
    face: Tensor
    """(N,) logits of this being a face."""


def split(outputs: Tensor) -> Read:
    """Take the outputs (N, 140) apart."""
    places = outputs[:, : 2 * NUM_POINTS].reshape(-1, NUM_POINTS, 2)
    return Read(places + 0.5, outputs[:, 2 * NUM_POINTS : -1], outputs[:, -1])


def teach_points(lessons: Lessons, others: NDArray[np.uint8], lures: Lures, course: Course) -> TorchNet:
    """Train the net on drawn faces, on pictures of other things, (M, H, W) uint8, and on what lured the finder."""
    torch.manual_seed(course.seed)
    net = TorchNet(POINTS).to(memory_format=torch.channels_last)
    pictures, points, poses = (torch.from_numpy(field) for field in lessons[:3])
    strange, luring = torch.from_numpy(others), torch.from_numpy(lures.pictures)
    where = torch.from_numpy(lures.squares)

    def loss(batch: Tensor) -> Tensor:
        num_others = int(NO_FACES * len(batch))
        crops, wanted, pose = face_crops(pictures[batch], points[batch], poses[batch])
        elsewhere = strange_crops(strange[torch.randint(len(strange), (num_others,))])
        astray = stray_crops(pictures[batch[:num_others]], points[batch[:num_others]])
        lured = torch.randint(len(where), (num_others,))
        luring_crops = lure_crops(luring[where[lured, 0].long()], where[lured, 1:])
        seen = torch.cat([crops, elsewhere, astray, luring_crops])
        read = split(net(seen.contiguous(memory_format=torch.channels_last)).float())
        return loss_of(read, wanted, pose)

    return learn(net, loss, batches(len(pictures), course), course, "points")


def placed(net: TorchNet, lessons: Lessons, seed: int) -> Lessons:
    """Return the lessons with the landmarks that the net gives, started as at work: from the finder's upright squares.

    What learns from them meets the errors that it will meet, on average no more and no less.
    """
    torch.manual_seed(seed)
    pairs = zip(*(torch.from_numpy(field).split(256) for field in (lessons.pictures, lessons.points)), strict=True)
    with torch.inference_mode():
        return lessons._replace(points=torch.cat([_placed(net, *pair) for pair in pairs]).numpy())


def _placed(net: TorchNet, pictures: Tensor, points: Tensor) -> Tensor:
    turns = torch.zeros(len(points))
    middles, sides = around(points, turns)
    placements = shaken(squares(middles, MARGIN * sides, turns), turn=0, scale=SCALE, shift=SHIFT)
    for _ in range(PASSES):
        places = split(net(look(pictures, placements, POINTS_SIDE))).points
        points = places @ placements[:, :, :2].transpose(1, 2) + placements[:, None, :, 2]
        eyes = points[:, EYES[1]].mean(1) - points[:, EYES[0]].mean(1)
        turns = torch.atan2(eyes[:, 1], eyes[:, 0])
        middles, sides = around(points, turns)
        placements = squares(middles, MARGIN * sides, turns)
    return points


def loss_of(read: Read, points: Tensor, poses: Tensor) -> Tensor:
    """Mean distance of landmarks and pose where there is a face, cross-entropy of there being one."""
    num = len(points)
    is_face = torch.zeros(len(read.face))
    is_face[:num] = 1
    distance = (read.points[:num] - points).abs()
    near = torch.where(distance < 0.02, 25 * distance * distance, distance - 0.01).mean()
    return (
        20 * near
        + (read.pose[:num] - poses).abs().mean()
        + 0.5 * F.binary_cross_entropy_with_logits(read.face, is_face)
    )


def face_crops(pictures: Tensor, points: Tensor, poses: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return crops around faces, the landmarks in them, and the poses as they look there."""
    num = len(pictures)
    turns = torch.where(torch.rand(num) < 0.5, poses[:, 2], torch.zeros(num)) + TURN * torch.randn(num)
    middles, sides = around(points, turns)
    placements = shaken(squares(middles, MARGIN * sides, turns), turn=0, scale=SCALE, shift=SHIFT, stretch=STRETCH)
    flipped = torch.rand(num) < 0.5
    placements = mirrored(placements, flipped)
    seen_points = torch.where(flipped[:, None, None], points[:, MIRRORED_POINTS], points)
    pose = poses - torch.stack([torch.zeros(num), torch.zeros(num), turns], 1)
    sign = 1 - 2 * flipped.float()
    pose = pose * torch.stack([sign, torch.ones(num), sign], 1)
    bend = bent(num, 4, BEND)
    crops = even(spoilt(look(pictures, placements, POINTS_SIDE, bend)))
    return crops, unbent(into(placements, seen_points), bend), pose


def unbent(places: Tensor, bend: Tensor) -> Tensor:
    """Return where places (N, P, 2) of a straight crop lie in one that was bent as it was cut."""
    straight = places
    for _ in range(4):
        moved = F.grid_sample(bend, 2 * places[:, :, None] - 1, "bicubic", "border", align_corners=True)
        places = straight - moved[..., 0].transpose(1, 2)
    return places


def strange_crops(pictures: Tensor) -> Tensor:
    """Return crops of pictures without faces, anywhere and of any size."""
    num, height, width = pictures.shape
    sides = height * torch.exp(torch.rand(num) * 1.6 - 1.4)
    middles = torch.rand(num, 2) * torch.tensor([width, height])
    return even(spoilt(look(pictures, squares(middles, sides, 3 * torch.rand(num)), POINTS_SIDE)))


def lure_crops(pictures: Tensor, where: Tensor) -> Tensor:
    """Return crops of what the finder took for a face, (N, 3): middle and side."""
    placements = squares(where[:, :2], MARGIN * where[:, 2], 0.2 * torch.randn(len(where)))
    placements = shaken(placements, turn=0, scale=SCALE, shift=SHIFT)
    return even(spoilt(look(pictures, mirrored(placements, torch.rand(len(where)) < 0.5), POINTS_SIDE)))


def stray_crops(pictures: Tensor, points: Tensor) -> Tensor:
    """Return crops beside a face, of a part of it, or of far too much around it: no faces either."""
    num = len(pictures)
    middles, sides = around(points, torch.zeros(num))
    angle = 6.3 * torch.rand(num)
    far = sides * (0.65 + 0.5 * torch.rand(num))
    beside = middles + far[:, None] * torch.stack([torch.cos(angle), torch.sin(angle)], 1)
    kind = torch.rand(num)
    middles = torch.where((kind < 0.5)[:, None], beside, middles)
    factor = torch.where(kind < 0.5, torch.exp(0.3 * torch.randn(num)), torch.where(kind < 0.75, 0.38, 2.6))
    return even(spoilt(look(pictures, squares(middles, MARGIN * sides * factor, 0.3 * torch.randn(num)), POINTS_SIDE)))
