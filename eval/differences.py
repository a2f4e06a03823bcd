"""Scored runs on the same samples: the difference of every metric, its interval, and whether it is more than chance.

    found = compare_runs(runs, "previous", num_resamples=1000, seed=0)      # each run minus the one before it

Every place that puts runs side by side shows these: the table and the JSON of `emollm compare`, and its page.
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
from eval.metrics.families import FAMILIES, describe, is_detail
from eval.metrics.family import Family, Line, block, drawn, to_array, whole
from eval.runs import Run, names_of, refuse_incomparable
from eval.scored import Scored
from eval.significance import LEVEL, adjust, clusters_needed, draw_swaps, mcnemar, p_value
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
    """Adjusted for all of all runs but details, which have None; NaN where the runs do not differ anywhere."""

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
        Comparison(*pair, [one.difference._replace(p_adjusted=told.get(id(one))) for one in table])
        for pair, table in zip(places, tables, strict=True)
    ]


class _Tested(NamedTuple):
    difference: Difference
    permuted: Array  # (R,)


def _tested(first: Run, second: Run, draws: Draws) -> list[_Tested]:
    """Compute the differences of two runs whose samples are in the same order, and those of their permutations."""
    labels = first.results.confusion.labels if first.results.confusion else []
    found = _of_counts((first.rows, second.rows), labels, draws)
    for name in (name for name in first.results.families if name in second.results.families):
        lines = ([row.measures.get(name) for row in first.rows], [row.measures.get(name) for row in second.rows])
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
        found.append(_Tested(Difference(name, first, second, float(low), float(high), deviation, p), swaps))
    return found


# --- power ------------------------------------------------------------------------------------------------------------


def needed(difference: Difference, num_clusters: int, points: float) -> int | None:
    """Return how many subjects would show a difference of so many points; None for what is no share."""
    if describe(difference.metric).unit != "share":
        return None
    return clusters_needed(difference.deviation, num_clusters, points / 100)


def num_clusters(runs: Sequence[Run]) -> int:
    """Count the subjects, and the samples without one; the same in all runs."""
    return len({cluster_key(row) for row in runs[0].rows})


# --- words ------------------------------------------------------------------------------------------------------------


def verdict(difference: Difference) -> str:
    """Say what a difference means: better, worse, different, perhaps one of them, or not clear."""
    if not difference.is_clear_alone:
        return "not clear"
    better, is_higher = describe(difference.metric).better, difference.second > difference.first
    said = ("better" if is_higher == (better == "higher") else "worse") if better else "different"
    return said if difference.is_clear else f"perhaps {said}"


def sentences(runs: Sequence[Run], found: Sequence[Comparison]) -> list[str]:
    """Say in sentences what the differences rest on, and how many of them chance alone would make."""
    names, is_model = names_of(runs), runs[0].results.settings.judged == "model"
    return [*(_only_one_right(runs, names, one) for one in found if is_model), _chance(found)]


def _only_one_right(runs: Sequence[Run], names: Sequence[str], found: Comparison) -> str:
    """Count the samples on which the labels differ in being right: what the difference in accuracy rests on."""
    first, second = runs[found.first], runs[found.second]
    right = {row.id: row.correct for row in first.rows}
    only_first = sum(right[row.id] is True and row.correct is False for row in second.rows)
    only_second = sum(right[row.id] is False and row.correct is True for row in second.rows)
    said = (
        f"The label is right only in {names[found.first]}: {only_first:,}, only in {names[found.second]}: "
        f"{only_second:,}"
    )
    if num_clusters(runs) < len(first.rows):  # samples of one subject are not independent
        return f"{said}."
    return f"{said} (exact McNemar p = {mcnemar(only_first, only_second):.3g})."


def _chance(found: Sequence[Comparison]) -> str:
    """Say how many of the differences would be clear by chance, and how many stay clear after correction."""
    adjusted = [one for each in found for one in each.differences if one.p_adjusted is not None]
    counted = [one for one in adjusted if not math.isnan(one.p_adjusted or 0.0)]
    alone, clear = (sum(getattr(one, name) for one in counted) for name in ("is_clear_alone", "is_clear"))
    same = len(adjusted) - len(counted)
    beside = f" {same} other numbers stand on what is the same in both runs." if same else ""
    return (
        f"Of all {len(counted)} differences, about {LEVEL * len(counted):.0f} would leave 0 out of the interval by "
        f"chance alone; {alone} do, and {clear} are clear with p adjusted for all of them.{beside}"
    )
