"""A course: how long, in what steps and how fast a net learns."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from data_engine.detectors.tiny.training.torch_nets import TorchNet
from emollm.stage import track


class Course(NamedTuple):
    """How long and how fast a net learns."""

    epochs: int
    batch_size: int = 128
    learning_rate: float = 3e-3
    weight_decay: float = 0.03
    seed: int = 0


def batches(num: int, course: Course) -> list[Tensor]:
    """Return the places of the examples of each step; every epoch has an order of its own."""
    order = [torch.randperm(num) for _ in range(course.epochs)]
    full = num // course.batch_size * course.batch_size
    return [batch for places in order for batch in places[:full].split(course.batch_size)]


def learn(
    net: TorchNet, loss: Callable[[Tensor], Tensor], steps: Sequence[Tensor], course: Course, label: str
) -> TorchNet:
    """Train a net in place, one step a batch, and return it ready for use."""
    weights = [p for p in net.parameters() if p.dim() > 1]
    others = [p for p in net.parameters() if p.dim() <= 1]
    groups = [{"params": weights, "weight_decay": course.weight_decay}, {"params": others, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, course.learning_rate)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, course.learning_rate, len(steps), pct_start=0.15)
    net.train()
    halved = torch.autocast("cpu", torch.bfloat16, enabled=multiplies_halves())
    for batch in track(steps, label, total=len(steps)):
        optimizer.zero_grad()
        with halved:
            error = loss(batch)
        error.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimizer.step()
        schedule.step()
    net.eval()
    return net


def multiplies_halves() -> bool:
    """Tell whether the processor multiplies 16-bit floats, which halves the time and changes nothing that matters."""
    return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())
