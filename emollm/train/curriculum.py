"""Curriculum: bare labels first, explanations for the rest of the training.

    LabelsFirst(num_labels=3000, num_rows=4000, seed=0, epoch=lambda: int(trainer.state.epoch or 0))

An epoch has as many rows as there are, so that steps, schedule and resuming stay those of any training; after the first
it holds explanations alone, time and again.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator


class LabelsFirst:
    """A sampler over rows of which the first `num_labels` are bare labels.

    Each label comes once, then the explanations, each time round in another order. What an epoch holds follows from the
    seed and its number, so a rerun goes on in the middle of one.
    """

    def __init__(self, num_labels: int, num_rows: int, seed: int, epoch: Callable[[], int]) -> None:
        self.num_labels, self.num_rows, self.seed, self.epoch = num_labels, num_rows, seed, epoch

    def __iter__(self) -> Iterator[int]:
        """Yield the indices of this epoch."""
        start = self.epoch() * self.num_rows
        end = start + self.num_rows
        first = 0 if self.num_labels < self.num_rows else self.epoch()  # labels alone come again
        if start < self.num_labels or first:
            yield from self._shuffled(first, 0, self.num_labels)
            start += self.num_labels
        num_explanations = self.num_rows - self.num_labels
        while start < end:
            time, place = divmod(start - self.num_labels, num_explanations)
            some = self._shuffled(time, self.num_labels, self.num_rows)[place : place + end - start]
            yield from some
            start += len(some)

    def __len__(self) -> int:
        """Return how many indices an epoch has."""
        return self.num_rows

    def _shuffled(self, time: int, start: int, end: int) -> list[int]:
        order = list(range(start, end))
        random.Random(f"{self.seed} {time}").shuffle(order)
        return order
