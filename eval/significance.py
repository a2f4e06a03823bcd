"""Is a difference of two runs more than chance, and how many samples would show one?

    for swapped in draw_swaps(num_clusters, width, num_permutations=2000, seed=0):     # (chunk, C), 0 or 1
        ...                                             # the difference of the runs, had they swapped these subjects
    p = p_value(observed, permuted)
    of_all = adjust(all_observed, all_permuted)         # had one looked at all of them

Two models that are interchangeable could as well have given each other's answers. So the answers of both are swapped
for every subject or none, at random, and p is how often the difference is then at least as far from 0 as it is: the
paired permutation test (Fisher 1935, The Design of Experiments, section 21; for scores that are no means, Yeh 2000,
COLING, p. 947). Whole subjects are swapped, because pictures of one person are not independent.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from eval.intervals import Array, chunks

LEVEL = 0.05
"""p at or below which a difference is called clear."""

POWER = 0.8
"""Chance of seeing a difference that is there, for which `--power` counts subjects."""

_Z = 1.959963984540054 + 0.8416212335729143
"""Normal quantiles of 1 − LEVEL / 2 and of POWER."""

_SAME = 1e-12
"""What rounding may leave between equal differences."""


def draw_swaps(num_clusters: int, width: int, *, num_permutations: int, seed: int) -> Iterator[Array]:
    """Yield whether each cluster is swapped (chunk, C), so many at a time that arrays of `width` stay small."""
    if num_clusters == 0:
        return
    rng = np.random.default_rng(seed % 2**64)
    for rows in chunks(num_permutations, width):
        yield rng.integers(0, 2, size=(rows, num_clusters)).astype(np.float64)


def p_value(observed: float, permuted: Array) -> float:
    """Return the share of permutations (R,) whose difference is at least as far from 0, the observed one among them.

    Phipson and Smyth 2010, SAGMB 9:39, equation 2: never 0. NaN where no permutation gives a number.
    """
    known = permuted[~np.isnan(permuted)]
    if math.isnan(observed) or not len(known):
        return math.nan
    far = int((np.abs(known) >= abs(observed) - _SAME).sum())
    return (far + 1) / (len(known) + 1)


def adjust(observed: Array, permuted: Array) -> Array:
    """Return the p of each difference (M,), adjusted for all of them, from the same permutations of all (R, M).

    Step-down maxT (Westfall and Young 1993, Resampling-Based Multiple Testing, algorithm 4.1; Ge, Dudoit and Speed
    2003, TEST 12:1, box 2), each difference in units of its standard deviation: p is the chance that any of those that
    are no clearer would come out as clear. Calling all clear that are at most 0.05, one that is chance is among them in
    5 % of studies. Unlike Holm's, it costs little to show numbers that move together. NaN for what never differs.
    """
    deviation = np.sqrt(np.nanmean(permuted**2, axis=0)) if len(permuted) else np.zeros_like(observed)
    tested = np.flatnonzero(deviation > _SAME)
    adjusted = np.full(len(observed), np.nan)
    if not len(tested):
        return adjusted
    clear = np.abs(observed[tested]) / deviation[tested]
    order = np.argsort(-clear, kind="stable")
    drawn = np.abs(np.nan_to_num(permuted[:, tested[order]])) / deviation[tested[order]]
    clearest = np.maximum.accumulate(drawn[:, ::-1], axis=1)[:, ::-1]  # of those from here on
    far = (clearest >= clear[order] - _SAME).sum(axis=0)
    adjusted[tested[order]] = np.maximum.accumulate((far + 1) / (len(permuted) + 1))
    return adjusted


def mcnemar(only_first: int, only_second: int) -> float:
    """Return the exact two-sided p of McNemar's test, for samples that are independent of each other.

    Of the samples that just one run has right, each run is expected to have half (McNemar 1947, Psychometrika 12:153);
    p is binomial. 1 where there is no such sample.
    """
    n, fewer = only_first + only_second, min(only_first, only_second)
    logs = (math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1) for k in range(fewer + 1))
    tail = math.fsum(math.exp(log - n * math.log(2)) for log in logs)
    return min(1.0, 2 * tail)


def clusters_needed(deviation: float, num_clusters: int, difference: float) -> int | None:
    """Return how many subjects show a difference (in the unit of `deviation`) at p ≤ 0.05 in 80 % of such studies.

    `deviation` is the standard deviation of the paired difference over resamples of `num_clusters` subjects. Its square
    shrinks with the number of subjects, so C · ((z₀.₉₇₅ + z₀.₈) · deviation / difference)² are needed (Cohen 1988,
    Statistical Power Analysis, section 2.4). None: the runs do not differ anywhere, which tells nothing.
    """
    if not deviation > 0:
        return None
    return max(2, math.ceil(num_clusters * (_Z * deviation / difference) ** 2))


def smallest_visible(deviation: float) -> float:
    """Return the difference that as many subjects as there are would show in 80 % of such studies."""
    return _Z * deviation
