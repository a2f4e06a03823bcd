"""Overlaps of label sets: precision and recall of each sample, averaged, and F as the harmonic mean of the two means.

A line holds |P ∩ G|, |P| and |G| of each rule and variant. P are the categories of the predicted labels, G those of the
gold ones. Rule 0 is the published one, rule 1 ours. A sample whose G is empty does not count in that variant.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from emollm.wheel import Overlap
from eval.metrics.counts import Array, mean_known, ratio
from eval.metrics.family import Line

RULES = ("", "corrected_")
"""Which rule a metric follows, as its name says after the family's."""


def to_line(published: Iterable[Overlap], corrected: Iterable[Overlap]) -> Line:
    """Return the sizes of all variants, by the published rule and then by the corrected one."""
    return tuple(float(size) for rule in (published, corrected) for overlap in rule for size in overlap)


def by_variant(lines: Array) -> Array:
    """Return |P ∩ G|, |P| and |G| of each rule and variant (n, 2, V, 3)."""
    return lines.reshape(len(lines), len(RULES), lines.shape[1] // len(RULES) // 3, 3)


def sums(lines: Array) -> Array:
    """Return precision, recall and whether the gold is known, of each rule and variant, in two parts: (n, 2, V, 3, 2).

    The two parts make sums exact: a test set has the same last digit in any order of its lines.
    """
    both, num_said, num_gold = np.moveaxis(by_variant(lines), -1, 0)
    known = num_gold > 0
    precision = np.where(known & (num_said > 0), both / np.where(num_said > 0, num_said, 1.0), 0.0)
    recall = np.where(known, both / np.where(known, num_gold, 1.0), 0.0)
    return halves(np.stack([precision, recall, known.astype(np.float64)], axis=-1))


def halves(values: Array) -> Array:
    """Return values from 0 to 1 as sums of a multiple of 2⁻²⁶ and a rest (..., 2), each of which adds up exactly."""
    coarse = np.floor(values * 2**26) / 2**26
    return np.stack([coarse, np.round((values - coarse) * 2**52) / 2**52], axis=-1)


def precision(sums: Array, rule: int, variants: Sequence[int]) -> Array:
    """Return the mean precision of the samples, averaged over variants; 0 for a sample without prediction."""
    return mean_known(_means(sums, rule, variants)[0])


def recall(sums: Array, rule: int, variants: Sequence[int]) -> Array:
    """Return the mean recall of the samples, averaged over variants."""
    return mean_known(_means(sums, rule, variants)[1])


def f_score(sums: Array, rule: int, variants: Sequence[int]) -> Array:
    """Return the harmonic mean of mean precision and mean recall, averaged over variants; 0 where both are 0."""
    precisions, recalls = _means(sums, rule, variants)
    total = precisions + recalls
    return mean_known(np.where(total == 0, 0.0, ratio(2 * precisions * recalls, total)))


def average(sums: Array, rule: int, variants: Sequence[int]) -> Array:
    """Return the mean of mean precision and mean recall, averaged over variants."""
    return np.asarray((precision(sums, rule, variants) + recall(sums, rule, variants)) / 2)


def _means(sums: Array, rule: int, variants: Sequence[int]) -> tuple[Array, Array]:
    precisions, recalls, num = np.moveaxis(sums.sum(axis=-1)[..., rule, list(variants), :], -1, 0)
    return ratio(precisions, num), ratio(recalls, num)


def counts_in(lines: Array, rule: int, variants: Sequence[int]) -> Array:
    """Tell which samples (n,) have gold in one of the variants."""
    num_gold = by_variant(lines)[:, rule, list(variants), 2]
    return np.asarray((num_gold > 0).any(axis=-1), dtype=np.float64)
