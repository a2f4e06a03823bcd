"""Agreement of two numbers a sample, from sums: concordance, correlation, and the size of the differences.

    pairs = pair_sums(stated, gold).sum(axis=0)
    ccc(pairs), pearson(pairs), mae(pairs), rmse(pairs)

CCC = 2 · cov(x, y) / (var x + var y + (mean x − mean y)²), with population moments (Lin 1989, Biometrics 45:255). It is
at most 1; a constant answer has 0, as has one that does not move with the gold. Where gold does not move, nothing can
follow it: that is not known, and no 0.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from eval.metrics.counts import Array, ratio

NUM_SUMS = 7

_STILL = 1e-10
"""Variance, as a share of the mean square, at or below which nothing varies: what rounding leaves of equal numbers."""


def pair_sums(first: Array, gold: Array) -> Array:
    """Return n, x, y, x², y², xy and |x − y| of each pair (n, 7), all 0 where one of the two is not known.

    x and y count from the least gold number, so that rounding does not make squares of equal ones differ.
    """
    known, least = ~(np.isnan(first) | np.isnan(gold)), np.fmin.reduce(gold, axis=0, initial=np.inf)
    x, y = np.where(known, first - least, 0.0), np.where(known, gold - least, 0.0)
    return np.stack([known.astype(np.float64), x, y, x * x, y * y, x * y, np.abs(x - y)], axis=-1)


class Moments(NamedTuple):
    """Population moments of summed pairs, NaN where nothing is known. Means count from the least gold number."""

    mean_x: Array
    mean_y: Array
    var_x: Array
    var_y: Array
    cov: Array


def moments(pairs: Array) -> Moments:
    """Return the moments of summed pairs (..., 7); what stands behind these is passed over."""
    n, x, y, xx, yy, xy = np.moveaxis(pairs[..., :6], -1, 0)
    mean_x, mean_y = ratio(x, n), ratio(y, n)
    var_x, var_y = (_variance(ratio(square, n), mean) for square, mean in ((xx, mean_x), (yy, mean_y)))
    cov = np.where((var_x == 0) | (var_y == 0), 0.0, ratio(xy, n) - mean_x * mean_y)
    return Moments(mean_x, mean_y, var_x, var_y, cov)


def _variance(square: Array, mean: Array) -> Array:
    variance = square - mean**2
    return np.where(variance <= _STILL * square, 0.0, variance)


def ccc(pairs: Array) -> Array:
    """Return the concordance of summed pairs (..., 7); NaN where nothing is known or gold does not vary."""
    one = moments(pairs)
    spread = one.var_x + one.var_y + (one.mean_x - one.mean_y) ** 2
    return np.where(one.var_y > 0, ratio(2 * one.cov, spread), np.nan)


def pearson(pairs: Array) -> Array:
    """Return the correlation of summed pairs (..., 7); NaN where one side does not vary."""
    one = moments(pairs)
    return np.clip(ratio(one.cov, np.sqrt(one.var_x * one.var_y)), -1.0, 1.0)  # rounding may leave a hair beyond


def icc(pairs: Array) -> Array:
    """Return ICC(3,1) of summed pairs (..., 7): two fixed raters, single values, consistency.

    (BMS − EMS) / (BMS + (k − 1) · EMS) of Shrout and Fleiss (1979, Psychological Bulletin 86:420) is for k = 2 raters
    2 · cov / (var x + var y): a constant offset costs nothing. NaN where neither side varies.
    """
    one = moments(pairs)
    return ratio(2 * one.cov, one.var_x + one.var_y)


def mae(pairs: Array) -> Array:
    """Return the mean absolute difference of summed pairs (..., 7)."""
    return ratio(pairs[..., 6], pairs[..., 0])


def rmse(pairs: Array) -> Array:
    """Return the root of the mean squared difference of summed pairs (..., 7)."""
    squares = pairs[..., 3] + pairs[..., 4] - 2 * pairs[..., 5]
    return np.sqrt(np.maximum(ratio(squares, pairs[..., 0]), 0.0))
