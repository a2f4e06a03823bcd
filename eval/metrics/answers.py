"""Answer metrics: could the completion be read at all, and how long is it."""

from __future__ import annotations

from eval.metrics.counts import Array, Counts, ratio


def coverage(counts: Counts) -> Array:
    """Predictions / samples."""
    return ratio(counts.answers[..., 1], counts.answers[..., 0])


def format_rate(counts: Counts) -> Array:
    """Well-formed answers / samples."""
    return ratio(counts.answers[..., 2], counts.answers[..., 0])


def label_read_rate(counts: Counts) -> Array:
    """Answers with a label of the set / samples."""
    return ratio(counts.answers[..., 3], counts.answers[..., 0])


def mean_words(counts: Counts) -> Array:
    """Words / predictions."""
    return ratio(counts.answers[..., 4], counts.answers[..., 1])
