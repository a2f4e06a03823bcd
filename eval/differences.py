"""Scored runs on the same samples: the difference of every metric, its interval, and whether it is more than chance.

    found = compare_runs(runs, "previous", num_resamples=1000, seed=0)      # each run minus the one before it

Every place that puts runs side by side shows these: the table and the JSON of `emollm compare`, and its page. What they
mean in words is in `verdicts`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Literal, NamedTuple, TypeAlias, TypeVar

import numpy as np

from eval.intervals import (
    Block,
    Cells,
    Index,
    number_clusters,
    percentile_interval,
    resample,
    shape_of,
    sum_up,
    weighted,
)
from eval.metrics import METRICS, Array, Counts, tally, total
from eval.metrics.families import FAMILIES, is_detail
from eval.metrics.family import Family, Line, block, drawn, to_array, whole
from eval.runs import Run, refuse_incomparable
from eval.scored import Scored
from eval.significance import LEVEL, adjust, draw_swaps, p_value
from eval.summary import cluster_key, known_aus

NUM_PERMUTATIONS = 4_999
"""p is a multiple of 1 / 5,000."""

UNKNOWN_DRAWS = 0.2
"""The share of resamples without a number from which on a metric rests on one cluster: one of C is left out with chance
(1 − 1/C)^C, 0.25 to 0.37, and both of two with 0.14 at most."""


class Difference(NamedTuple):
    """One metric of two runs. Shares run from 0 to 1; words are words.

    Interval, deviation and p are NaN where the metric rests on one subject or sample, of which nothing can be drawn.
    """

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
    """Adjusted for all of all runs but details, which have None; NaN where the runs do not differ anywhere, and where p
    is NaN."""

    @property
    def is_tested(self) -> bool:
        """Whether there is a p."""
        return not math.isnan(self.p)

    @property
    def is_clear_alone(self) -> bool:
        """Whether the interval leaves 0 out: clear, were it the only number that is looked at."""
        return self.low > 0 or self.high < 0

    @property
    def is_clear(self) -> bool:
        """Whether it is clear among all."""
        return self.is_clear_alone and self.p_adjusted is not None and self.p_adjusted <= LEVEL


Against = Literal["first", "previous"]
"""What each run is compared with: the first of all, or the one before it."""


class Comparison(NamedTuple):
    """One run minus another, metric by metric."""

    first: int
    """Its place among the runs."""
    second: int
    differences: list[Difference]
    only_first: list[str]
    """Metrics that could not be computed of the other."""
    only_second: list[str]


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
    runs: Sequence[Run],
    against: Against = "first",
    *,
    num_resamples: int,
    seed: int,
    num_permutations: int = NUM_PERMUTATIONS,
) -> list[Comparison]:
    """Compute each run but the first minus the one it is compared with, for every metric that both have.

    Runs are resampled with the same seed over the same clusters, so each draw holds the same samples in all: the 95 %
    intervals are paired. p is adjusted for all metrics but details, of all runs. Raises ConfigError where two runs are
    not comparable.
    """
    places = [(0 if against == "first" else second - 1, second) for second in range(1, len(runs))]
    for one, other in places:
        refuse_incomparable(runs[one], runs[other])
    order = {row.id: place for place, row in enumerate(runs[0].rows)}
    runs = [run._replace(rows=sorted(run.rows, key=lambda row: order[row.id])) for run in runs]
    clusters = number_clusters([cluster_key(row) for row in runs[0].rows])
    draws = Draws(clusters, num_resamples, num_permutations, seed)
    tables = [_tested(runs[one], runs[other], draws) for one, other in places]
    whole_table = [one for table in tables for one in table if not is_detail(one.difference.metric)]
    observed = np.array([one.difference.second - one.difference.first for one in whole_table])
    permuted = np.stack([one.permuted for one in whole_table], axis=1) if whole_table else np.empty((0, 0))
    told = {id(one): float(p) for one, p in zip(whole_table, adjust(observed, permuted), strict=True)}
    return [
        _compared(runs, pair, [one.difference._replace(p_adjusted=told.get(id(one))) for one in table])
        for pair, table in zip(places, tables, strict=True)
    ]


def _compared(runs: Sequence[Run], pair: tuple[int, int], differences: list[Difference]) -> Comparison:
    """Put the differences of two runs beside what only one of them has."""
    names = {one.metric for one in differences}
    numbers = [runs[place].results.metrics for place in pair]
    alone = [[name for name, one in each.items() if one.value is not None and name not in names] for each in numbers]
    return Comparison(*pair, differences, *alone)


class _Tested(NamedTuple):
    difference: Difference
    permuted: Array  # (R,)

    def without_test(self) -> _Tested:
        """Return the same without interval and p, and without weight in the adjustment."""
        bare = self.difference._replace(low=math.nan, high=math.nan, deviation=math.nan, p=math.nan)
        return _Tested(bare, np.zeros_like(self.permuted))


def _tested(first: Run, second: Run, draws: Draws) -> list[_Tested]:
    """Compute the differences of two runs whose samples are in the same order, and those of their permutations."""
    labels = first.results.confusion.labels if first.results.confusion else []
    found = _of_counts((first.rows, second.rows), labels, draws)
    for name in (name for name in first.results.families if name in second.results.families):
        lines = ([row.measures.get(name) for row in first.rows], [row.measures.get(name) for row in second.rows])
        found += _of_family(FAMILIES[name], lines, draws)
    known = [one for one in found if not math.isnan(one.difference.first) and not math.isnan(one.difference.second)]
    numbers = [run.results.metrics for run in (first, second)]
    clusters = [min(each[one.difference.metric].num_clusters for each in numbers) for one in known]
    return [one if count > 1 else one.without_test() for one, count in zip(known, clusters, strict=True)]


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
    first: Sequence[Block], second: Sequence[Block], draws: Draws
) -> Iterator[tuple[list[Array], list[Array]]]:
    """Yield the sums of both runs, had they swapped some subjects: of blocks (n, ...) each (chunk, ...)."""
    blocks = list(zip(first, second, strict=True))
    wholes = [(sum_up(one), sum_up(other)) for one, other in blocks]
    changes = [_change(one, other, draws) for one, other in blocks]
    width = max(draws.num_clusters, sum(math.prod(shape_of(one)) for one in first))
    for swaps in draws.swaps(width):
        moved = [change(swaps) for change in changes]
        yield (
            [one + move for move, (one, _) in zip(moved, wholes, strict=True)],
            [other - move for move, (_, other) in zip(moved, wholes, strict=True)],
        )


def _change(one: Block, other: Block, draws: Draws) -> Callable[[Array], Array]:
    """Return what tells by how much the sums of the first run change where clusters are swapped (chunk, C)."""
    if isinstance(one, Cells) or isinstance(other, Cells):
        comes, goes = (weighted(block, draws.clusters, draws.num_clusters) for block in (other, one))
        return lambda swaps: comes(swaps) - goes(swaps)
    return weighted(other - one, draws.clusters, draws.num_clusters)


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
        tested = _Tested(Difference(name, first, second, float(low), float(high), deviation, p), swaps)
        found.append(tested if np.isnan(change).mean() < UNKNOWN_DRAWS else tested.without_test())
    return found
