"""Label metrics. Those of a closed set are functions of the confusion counts (gold × predicted + "none of these")."""

from __future__ import annotations

import eval.metrics.confusion as confusion  # from the package would be a circle
from eval.metrics.counts import Array, Counts, ratio


def accuracy(counts: Counts) -> Array:
    """Right answers / samples with a gold label. Also called WAR (weighted average recall)."""
    return confusion.accuracy(counts.confusion)


def class_recall(counts: Counts) -> Array:
    """Right answers / samples of the label; NaN where the label is not in gold."""  # (..., K)
    return confusion.recall(counts.confusion)


def class_precision(counts: Counts) -> Array:
    """Right answers / answers of the label; NaN where it was never answered."""  # (..., K)
    return confusion.precision(counts.confusion)


def class_f1(counts: Counts) -> Array:
    """F1 of each label; 0 if never answered, NaN where the label is not in gold."""  # (..., K)
    return confusion.f1(counts.confusion)


def uar(counts: Counts) -> Array:
    """Mean recall over the labels present in gold (unweighted average recall, balanced accuracy)."""
    return confusion.uar(counts.confusion)


def macro_f1(counts: Counts) -> Array:
    """Mean F1 over the labels present in gold."""
    return confusion.macro_f1(counts.confusion)


def weighted_f1(counts: Counts) -> Array:
    """F1 of the labels, weighted by their samples in gold (also called WAF)."""
    return confusion.weighted_f1(counts.confusion)


def labels_f1(counts: Counts) -> Array:
    """Mean over samples of the F1 between the set of named and the set of gold words (open vocabulary)."""
    return ratio(counts.word_sets[..., 0], counts.word_sets[..., 1])
