"""Claim metrics: is what the explanation says about the face true, and does it say all of it."""

from __future__ import annotations

import numpy as np

from eval.metrics.counts import Array, Counts, ratio


def claim_precision(counts: Counts) -> Array:
    """Supported / (supported + contradicted), over all claims together."""
    supported, contradicted, _ = np.moveaxis(counts.claims, -1, 0)
    return ratio(supported, supported + contradicted)


def claim_recall(counts: Counts) -> Array:
    """Present AUs with a positive claim / present AUs, over all samples together."""
    present, omitted = np.moveaxis(counts.omissions, -1, 0)
    return ratio(present - omitted, present)


def contradiction_rate(counts: Counts) -> Array:
    """Contradicted / all claims."""
    return ratio(counts.claims[..., 1], counts.claims.sum(axis=-1))


def omission_rate(counts: Counts) -> Array:
    """Present AUs without a positive claim / present AUs."""
    return ratio(counts.omissions[..., 1], counts.omissions[..., 0])


def not_assessable_rate(counts: Counts) -> Array:
    """Claims that the measured AUs neither support nor contradict / all claims."""
    return ratio(counts.claims[..., 2], counts.claims.sum(axis=-1))


def true_explanations(counts: Counts) -> Array:
    """Samples whose explanation is true (see `Scored.is_true`) / samples with a gold label and a measured face."""
    return ratio(counts.joint[..., 1].sum(axis=-1), counts.joint.sum(axis=(-2, -1)))


def right_for_true_reasons(counts: Counts) -> Array:
    """Samples whose label is right and whose explanation is true / the same samples."""
    return ratio(counts.joint[..., 1, 1], counts.joint.sum(axis=(-2, -1)))
