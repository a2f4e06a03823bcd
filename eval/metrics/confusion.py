"""Functions of a confusion matrix (..., K, K + 1): gold × answered, the last column for answers of none of the labels.

    macro_f1(sum_up(cells(gold, answered, 3)))

An answer of none of the labels lowers recall and raises no label's precision. Means run over the labels that occur in
gold, so that a label without a sample neither adds a 0 nor a 1 (scikit-learn's `labels=` of those in gold).
"""

from __future__ import annotations

import numpy as np

from eval.intervals import Cells
from eval.metrics.counts import Array, mean_known, ratio


def cells(gold: Array, answered: Array, num_labels: int) -> Cells:
    """Return where each sample stands in the matrix (K, K + 1), from indices (n,).

    An answer that is NaN is none of the labels; a sample whose gold is NaN stands nowhere.
    """
    column = np.where(np.isnan(answered), num_labels, answered)
    place = np.where(np.isnan(gold), -1, gold * (num_labels + 1) + column)
    return Cells(place.astype(np.intp), (num_labels, num_labels + 1))


def one_hot(gold: Array, answered: Array, num_labels: int) -> Array:
    """Return the matrix of each sample (n, K, K + 1), written out: for a handful of labels."""
    matrices = np.zeros((len(gold), num_labels, num_labels + 1))
    column = np.where(np.isnan(answered), num_labels, answered).astype(np.intp)
    matrices[np.arange(len(gold)), gold.astype(np.intp), column] = 1.0
    return matrices


def hits(confusion: Array) -> Array:
    """Right answers of each label."""  # (..., K)
    return np.diagonal(confusion[..., :-1], axis1=-2, axis2=-1)


def support(confusion: Array) -> Array:
    """Samples of each gold label."""  # (..., K)
    return np.asarray(confusion.sum(axis=-1))


def answered(confusion: Array) -> Array:
    """Answers of each label."""  # (..., K)
    return np.asarray(confusion[..., :-1].sum(axis=-2))


def recall(confusion: Array) -> Array:
    """Right answers / samples of the label; NaN where the label is not in gold."""  # (..., K)
    return ratio(hits(confusion), support(confusion))


def precision(confusion: Array) -> Array:
    """Right answers / answers of the label; NaN where it was never answered."""  # (..., K)
    return ratio(hits(confusion), answered(confusion))


def f1(confusion: Array) -> Array:
    """2 · right / (samples + answers of the label); 0 if never answered, NaN where the label is not in gold."""
    there = support(confusion)
    return np.where(there > 0, ratio(2 * hits(confusion), there + answered(confusion)), np.nan)  # (..., K)


def accuracy(confusion: Array) -> Array:
    """Right answers / samples. Also called WAR (weighted average recall)."""
    return ratio(hits(confusion).sum(axis=-1), confusion.sum(axis=(-2, -1)))


def uar(confusion: Array) -> Array:
    """Mean recall over the labels present in gold (unweighted average recall, balanced accuracy)."""
    return mean_known(recall(confusion))


def macro_f1(confusion: Array) -> Array:
    """Mean F1 over the labels present in gold."""
    return mean_known(f1(confusion))


def weighted_f1(confusion: Array) -> Array:
    """F1 of the labels, weighted by their samples in gold (also called WAF)."""
    there = support(confusion)
    return ratio((there * np.nan_to_num(f1(confusion))).sum(axis=-1), there.sum(axis=-1))
