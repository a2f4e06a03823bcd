"""Scores of label lists on the emotion wheels: of one sample, as a reward, and of a test set, as published."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import fsum
from typing import NamedTuple

from emollm.wheel.shares import Shares
from emollm.wheel.tables import LEVEL1, VARIANTS, Wheels


class Score(NamedTuple):
    """A test set in one variant, all 0 to 1: means over samples, and F, the harmonic mean of these two means."""

    f: float
    precision: float
    recall: float
    num: int
    """How many samples have a gold category; the others are left out."""


def sample_f1(predicted: Iterable[str], gold: Iterable[str], wheels: Wheels | Shares) -> float | None:
    """Return F1 = 2 |P ∩ G| / (|P| + |G|) of the level-1 categories, averaged over the wheels that know the gold.

    None where no wheel does. The score of a test set is not the mean of this: see `score_lists`.
    """
    values = [
        2 * both / (num_predicted + num_gold)
        for both, num_predicted, num_gold in wheels.overlaps(predicted, gold, LEVEL1)
        if num_gold
    ]
    return sum(values) / len(values) if values else None


def sample_jaccard(first: Iterable[str], second: Iterable[str], wheels: Wheels | Shares) -> float:
    """Return |A ∩ B| / |A ∪ B| of the level-1 categories, averaged over the wheels that know either list; else 0.

    A wheel that knows neither is left out, lest what some wheels lack, such as disgust, scores less than others.
    """
    shares = [
        both / (num_first + num_second - both)
        for both, num_first, num_second in wheels.overlaps(first, second, LEVEL1)
        if num_first + num_second
    ]
    return sum(shares) / len(shares) if shares else 0.0


def score_lists(
    pairs: Iterable[tuple[Sequence[str], Sequence[str]]], wheels: Wheels | Shares, variants: Sequence[str] = VARIANTS
) -> dict[str, Score]:
    """Score pairs of predicted and gold labels in each variant, in any order to the same last digit.

    Per sample, precision is |P ∩ G| / |P| and recall |P ∩ G| / |G|, both 0 where nothing predicted is known.
    """
    precisions: list[list[float]] = [[] for _ in variants]
    recalls: list[list[float]] = [[] for _ in variants]
    for predicted, gold in pairs:
        for place, (both, num_predicted, num_gold) in enumerate(wheels.overlaps(predicted, gold, variants)):
            if num_gold:
                precisions[place].append(both / num_predicted if num_predicted else 0.0)
                recalls[place].append(both / num_gold)
    return {variant: _score(*values) for variant, *values in zip(variants, precisions, recalls, strict=True)}


def _score(precisions: list[float], recalls: list[float]) -> Score:
    num = len(recalls)
    precision, recall = (fsum(values) / num if num else 0.0 for values in (precisions, recalls))
    total = precision + recall
    return Score(2 * precision * recall / total if total else 0.0, precision, recall, num)
