"""Label metrics. Those of a closed set are functions of the confusion counts (gold × predicted + "none of these").

An answer without a readable label is in the last column: it lowers recall and raises no other class's count.
"""

from __future__ import annotations

import numpy as np

from eval.metrics.counts import Array, Counts, mean_known, ratio


def accuracy(counts: Counts) -> Array:
    """Right answers / samples with a gold label. Also called WAR (weighted average recall)."""
    return ratio(_hits(counts).sum(axis=-1), counts.confusion.sum(axis=(-2, -1)))


def class_support(counts: Counts) -> Array:
    """Samples of each gold label."""  # (..., K)
    return np.asarray(counts.confusion.sum(axis=-1))


def class_predicted(counts: Counts) -> Array:
    """Answers of each label."""  # (..., K)
    return np.asarray(counts.confusion[..., :-1].sum(axis=-2))


def class_recall(counts: Counts) -> Array:
    """Right answers / samples of the label; NaN where the label is not in gold."""  # (..., K)
    return ratio(_hits(counts), class_support(counts))


def class_precision(counts: Counts) -> Array:
    """Right answers / answers of the label; NaN where it was never answered."""  # (..., K)
    return ratio(_hits(counts), class_predicted(counts))


def class_f1(counts: Counts) -> Array:
    """2 · right / (samples + answers of the label); 0 if never answered, NaN where the label is not in gold."""
    support = class_support(counts)
    return np.where(support > 0, ratio(2 * _hits(counts), support + class_predicted(counts)), np.nan)  # (..., K)


def uar(counts: Counts) -> Array:
    """Mean recall over the labels present in gold (unweighted average recall, balanced accuracy)."""
    return mean_known(class_recall(counts))


def macro_f1(counts: Counts) -> Array:
    """Mean F1 over the labels present in gold."""
    return mean_known(class_f1(counts))


def weighted_f1(counts: Counts) -> Array:
    """F1 of the labels, weighted by their samples in gold (also called WAF)."""
    support = class_support(counts)
    return ratio((support * np.nan_to_num(class_f1(counts))).sum(axis=-1), support.sum(axis=-1))


def labels_f1(counts: Counts) -> Array:
    """Mean over samples of the F1 between the set of named and the set of gold words (open vocabulary)."""
    return ratio(counts.word_sets[..., 0], counts.word_sets[..., 1])


def _hits(counts: Counts) -> Array:
    return np.diagonal(counts.confusion[..., :-1], axis1=-2, axis2=-1)
