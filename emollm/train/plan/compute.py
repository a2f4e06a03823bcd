"""Arithmetic and time: what a training multiplies, and how long a given card takes for it.

    work = arithmetic(anatomy, row, checkpointing=True)
    work.training / (card.tflops * 1e12 * mfu)              # seconds a row on one card

A weight costs a token 2 operations forward and 4 backward, 6·N·T in all (Kaplan et al. 2020, §2.1); attention adds
12·layers·width·T² a row (Chowdhery et al. 2022, appendix B). A frozen weight needs no gradient of its own, which saves
2 of the 6; a part that nothing learns in or before needs no backward pass at all.
"""

from __future__ import annotations

from typing import NamedTuple

from emollm.errors import ConfigError, did_you_mean
from emollm.train.plan.anatomy import Anatomy

MFU = 0.25
"""Assumed share of the card's peak that a training of transformers' own layers reaches, recomputation not counted."""


class Card(NamedTuple):
    """A GPU: memory in GB of 2^30 bytes, dense bf16 peak with 32-bit accumulation, memory bandwidth."""

    memory: int
    tflops: float
    gb_per_s: float


CARDS = {
    "h200": Card(141, 989, 4800),
    "h100": Card(80, 989, 3350),
    "a100-80g": Card(80, 312, 2039),
    "a100-40g": Card(40, 312, 1555),
    "l40s": Card(48, 362, 864),
    "a6000": Card(48, 155, 768),
    "4090": Card(24, 165, 1008),
    "3090": Card(24, 71, 936),
    "l4": Card(24, 121, 300),
}
"""From NVIDIA's data sheets (H200, H100, A100: SXM; L40S, RTX A6000, L4) and white papers (Ada: 4090; GA102: 3090).

Where they print the peak with sparsity, half of it is taken."""
SIZES = (24, 48, 80)
"""Memory of the cards that a plan is compared with where none is named."""


def card(name: str) -> Card:
    """Return a card by its name. Raises ConfigError with the known ones."""
    found = CARDS.get(name.lower())
    if found is None:
        raise ConfigError(f"--gpu {name}: not known{did_you_mean(name.lower(), CARDS)}; one of {', '.join(CARDS)}")
    return found


class Row(NamedTuple):
    """A row: its tokens, those of the answer and of the picture, and the patches that the picture is cut into."""

    tokens: float
    answer: float
    image: float
    patches: float


class Work(NamedTuple):
    """Operations for one row."""

    forward: float
    backward: float
    recomputed: float

    @property
    def training(self) -> float:
        """What counts for the MFU: recomputation is no progress."""
        return self.forward + self.backward


def arithmetic(anatomy: Anatomy, row: Row, checkpointing: bool = False) -> Work:
    """Return the operations of one row, the window attention of some vision towers counted as if it were full."""
    forward = backward = recomputed = 0.0
    flows = False
    tokens = {"vision": row.patches, "projector": row.image, "language": row.tokens}
    stacks = {"vision": anatomy.vision_stack, "language": anatomy.language_stack}
    for name, part in anatomy.parts.items():
        flows = flows or bool(part.trained or part.adapter)
        stack = stacks.get(name)
        attention = 4 * stack.layers * stack.queries * tokens[name] ** 2 if stack else 0.0
        there = 2 * (part.matrices + part.adapter) * tokens[name] + attention
        forward += there
        if flows:
            learning = min(part.trained, part.matrices) + part.adapter
            backward += 2 * (part.matrices + part.adapter + learning) * tokens[name] + 2 * attention
            recomputed += there if checkpointing and stack else 0.0
    head = 2 * anatomy.head * row.answer
    learns = bool(anatomy.language.trained)
    return Work(forward + head, backward + head * (2 if learns else 1), recomputed)


def seconds_to_generate(anatomy: Anatomy, weight_bytes: float, cache_bytes: float, tokens: int, gpu: Card) -> float:
    """Return the least time for a batch of answers: each new token reads all weights and the cache once."""
    read = (anatomy.language.matrices + anatomy.head) * weight_bytes + cache_bytes
    return tokens * read / (gpu.gb_per_s * 1e9)
