"""Scored runs on the same samples: the difference of every metric, its interval, and whether it is more than chance.

found = differences(runs[0], runs[1], num_resamples=1000, seed=0)
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import NamedTuple, TypeAlias, TypeVar

import numpy as np

from eval.intervals import Index, number_clusters, percentile_interval, resample, sum_by_cluster
from eval.metrics import METRICS, Array, Counts, Metric, tally, total
from eval.metrics.families import FAMILIES, METRIC_FAMILY, is_detail
from eval.metrics.family import Family, FamilyMetric, Line, block, drawn, to_array, whole
from eval.runs import Run
from eval.scored import Scored
from eval.significance import LEVEL, adjust, draw_swaps, mcnemar, p_value
from eval.summary import cluster_key, known_aus

NUM_PERMUTATIONS = 4_999
"""p is a multiple of 1 / 5,000."""


class Difference(NamedTuple):
    """One metric of two runs. Shares run from 0 to 1; words are words."""

    metric: str
    first: float
    second: float
    low: float
    high: float
    deviation: float
    """Of the difference over resamples of the subjects: its standard error."""
    p: float
    """Of the paired permutation test."""
    p_adjusted: float | None = None
    """Adjusted for all that are shown; None for one that is only in JSON, NaN where the runs do not differ anywhere."""

    @property
    def is_clear_alone(self) -> bool:
        """Whether the interval leaves 0 out: clear, were it the only number that is looked at."""
        return self.low > 0 or self.high < 0

    @property
    def is_clear(self) -> bool:
        """Whether it is clear among all that are shown."""
        return self.is_clear_alone and self.p_adjusted is not None and self.p_adjusted <= LEVEL


Sums = TypeVar("Sums", Counts, Array)
Pair: TypeAlias = tuple[Sums, Sums]
"""The same of the first and of the second run."""
Lines: TypeAlias = Sequence[Line | None]


class Draws(NamedTuple):
    """How to draw: the same subjects for both runs, and the same swaps for all metrics."""

    clusters: Index  # (n,)
    num_resamples: int
    num_permutations: int
    seed: int

    @property
    def num_clusters(self) -> int:
        """Subjects, and samples without one."""
        return int(self.clusters.max()) + 1 if len(self.clusters) else 0

    def swaps(self, width: int) -> Iterator[Array]:
        """Yield whether each cluster is swapped (chunk, C)."""
        return draw_swaps(self.num_clusters, width, num_permutations=self.num_permutations, seed=self.seed)


def compare_runs(
    first: Run, others: Sequence[Run], *, num_resamples: int, seed: int, num_permutations: int = NUM_PERMUTATIONS
) -> list[list[Difference]]:
    """Compute other − first for each other run and every metric that both have, with a paired 95 % interval and p.

    Runs are resampled with the same seed over the same clusters, so each draw holds the same samples in all. p is
    adjusted for all metrics that are shown, of all runs.
    """
    clusters = number_clusters([cluster_key(row) for row in first.rows])
    draws = Draws(clusters, num_resamples, num_permutations, seed)
    tables = [_tested(first, other, draws) for other in others]
    shown = [one for table in tables for one in table if not is_detail(one.difference.metric)]
    observed = np.array([one.difference.second - one.difference.first for one in shown])
    permuted = np.stack([one.permuted for one in shown], axis=1) if shown else np.empty((0, 0))
    told = {id(one): float(p) for one, p in zip(shown, adjust(observed, permuted), strict=True)}
    return [[one.difference._replace(p_adjusted=told.get(id(one))) for one in table] for table in tables]


def differences(first: Run, second: Run, *, num_resamples: int, seed: int) -> list[Difference]:
    """Compare two runs."""
    return compare_runs(first, [second], num_resamples=num_resamples, seed=seed)[0]


class _Tested(NamedTuple):
    difference: Difference
    permuted: Array  # (R,)


def _tested(first: Run, second: Run, draws: Draws) -> list[_Tested]:
    """Compute the differences of two runs, and those of their permutations."""
    order = {row.id: place for place, row in enumerate(first.rows)}
    aligned = (first.rows, sorted(second.rows, key=lambda row: order[row.id]))
    labels = first.results.confusion.labels if first.results.confusion else []
    found = _of_counts(aligned, labels, draws)
    for name in (name for name in first.results.families if name in second.results.families):
        lines = ([row.measures.get(name) for row in aligned[0]], [row.measures.get(name) for row in aligned[1]])
        found += _of_family(FAMILIES[name], lines, draws)
    return [one for one in found if not math.isnan(one.difference.first) and not math.isnan(one.difference.second)]


def _of_counts(
    aligned: tuple[Sequence[Scored], Sequence[Scored]], labels: Sequence[str], draws: Draws
) -> list[_Tested]:
    """Compare the metrics of labels, claims and action units."""
    aus = sorted({au for rows in aligned for au in known_aus(rows)})
    counts = [tally(rows, labels, aus) for rows in aligned]
    resampled = [
        Counts._make(resample(one, draws.clusters, num_resamples=draws.num_resamples, seed=draws.seed))
        for one in counts
    ]
    swapped = ((Counts._make(one), Counts._make(other)) for one, other in _swapped_sums(counts[0], counts[1], draws))
    functions = {name: metric.function for name, metric in METRICS.items()}
    return _differences(functions, (total(counts[0]), total(counts[1])), (resampled[0], resampled[1]), swapped)


def _of_family(family: Family, lines: tuple[Lines, Lines], draws: Draws) -> list[_Tested]:
    """Compare the metrics of a family."""
    first, second = lines
    drawn_of = partial(drawn, family, clusters=draws.clusters, num_resamples=draws.num_resamples, seed=draws.seed)
    if family.ranks is None:
        blocks = ([block(family, first)], [block(family, second)])
        swapped: Iterable[Pair[Array]] = ((one[0], other[0]) for one, other in _swapped_sums(*blocks, draws))
    else:
        swapped = _swapped_ranks(family.ranks, lines, draws)
    functions = {name: metric.function for name, metric in family.metrics.items()}
    wholes = (whole(family, first), whole(family, second))
    return _differences(functions, wholes, (drawn_of(first), drawn_of(second)), swapped)


def _swapped_sums(
    first: Sequence[Array], second: Sequence[Array], draws: Draws
) -> Iterator[tuple[list[Array], list[Array]]]:
    """Yield the sums of both runs, had they swapped some subjects: of blocks (n, ...) each (chunk, ...)."""
    wholes = [(one.sum(axis=0), other.sum(axis=0)) for one, other in zip(first, second, strict=True)]
    changes = [
        sum_by_cluster(other - one, draws.clusters, draws.num_clusters)
        for one, other in zip(first, second, strict=True)
    ]  # (C, F) each
    width = max(draws.num_clusters, sum(change.shape[1] for change in changes))
    for swaps in draws.swaps(width):
        moved = [(swaps @ c).reshape(len(swaps), *one.shape) for c, (one, _) in zip(changes, wholes, strict=True)]
        yield (
            [one + move for move, (one, _) in zip(moved, wholes, strict=True)],
            [other - move for move, (_, other) in zip(moved, wholes, strict=True)],
        )


def _swapped_ranks(
    ranks: Callable[[Array, Array], Array], lines: tuple[Lines, Lines], draws: Draws
) -> Iterator[Pair[Array]]:
    """Yield the numbers of both runs, had they swapped some subjects, where nothing adds up."""
    known = [np.array([line is not None for line in one], dtype=np.bool_) for one in lines]
    both = to_array([line for one in lines for line in one if line is not None])
    places = [draws.clusters[one] for one in known]
    for swaps in draws.swaps(2 * len(both)):
        first, second = swaps[:, places[0]], swaps[:, places[1]]
        yield (
            ranks(both, np.concatenate([1.0 - first, second], axis=1)),
            ranks(both, np.concatenate([first, 1.0 - second], axis=1)),
        )


def _differences(
    functions: Mapping[str, Callable[[Sums], Array]],
    wholes: Pair[Sums],
    resampled: Pair[Sums],
    swapped: Iterable[Pair[Sums]],
) -> list[_Tested]:
    """Put together what the whole, the resamples and the permutations say of each metric."""
    permuted: dict[str, list[Array]] = {name: [np.empty(0)] for name in functions}
    for one, other in swapped:
        for name, function in functions.items():
            permuted[name].append(function(other) - function(one))
    found = []
    for name, function in functions.items():
        first, second = (float(function(sums)) for sums in wholes)
        change = function(resampled[1]) - function(resampled[0])  # (R,)
        low, high = percentile_interval(change)
        deviation = float(np.nanstd(change)) if not np.isnan(change).all() else math.nan
        swaps = np.concatenate(permuted[name])
        p = p_value(second - first, swaps)
        found.append(_Tested(Difference(name, first, second, float(low), float(high), deviation, p), swaps))
    return found


# --- words ------------------------------------------------------------------------------------------------------------


def describe(name: str) -> Metric | FamilyMetric:
    """Return the title, unit and direction of a metric of any family."""
    return METRICS[name] if name in METRICS else FAMILIES[METRIC_FAMILY[name]].metrics[name]


def verdict(difference: Difference) -> str:
    """Say what a difference means: better, worse, different, perhaps one of them, or not clear."""
    if not difference.is_clear_alone:
        return "not clear"
    better, is_higher = describe(difference.metric).better, difference.second > difference.first
    said = ("better" if is_higher == (better == "higher") else "worse") if better else "different"
    return said if difference.is_clear else f"perhaps {said}"


def chance_note(found: Sequence[Difference]) -> str:
    """Say how many of the shown differences would be clear by chance, and how many stay clear after correction."""
    shown = [one for one in found if one.p_adjusted is not None]
    alone, clear = (sum(getattr(one, name) for one in shown) for name in ("is_clear_alone", "is_clear"))
    expected = LEVEL * len(shown)
    return (
        f"Of {len(shown)} differences, about {expected:.0f} would leave 0 out of the interval by chance alone; {alone} "
        f"do, and {clear} are clear with p adjusted for all of them."
    )


def only_one_right(first: Run, second: Run) -> str:
    """Count the samples on which the labels differ in being right: what the difference in accuracy rests on."""
    n = len(first.rows)
    if first.results.settings.judged == "detector":
        return f"{n:,} samples"
    right = {row.id: row.correct for row in first.rows}
    only_first = sum(right[row.id] is True and row.correct is False for row in second.rows)
    only_second = sum(right[row.id] is False and row.correct is True for row in second.rows)
    said = f"{n:,} samples; the label is right only in the first: {only_first:,}, only in the second: {only_second:,}"
    if len({cluster_key(row) for row in first.rows}) < n:  # samples of one subject are not independent
        return said
    return f"{said} (exact McNemar p = {mcnemar(only_first, only_second):.3g})"
