"""`emollm compare`: two scored runs on the same samples, and how sure each difference is.

Example:

    emollm compare scores/sft scores/grpo
    emollm compare scores/sft scores/grpo --json      # the same for a program
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from emollm.errors import ConfigError
from eval.intervals import add_interval_argument, number_clusters, percentile_interval, resample
from eval.metrics import METRICS, Array, Counts, Metric, tally, total
from eval.metrics.families import FAMILIES, METRIC_FAMILY, is_detail
from eval.metrics.family import FamilyMetric, drawn, whole
from eval.results import SAMPLES_NAME, Results, read_results
from eval.scored import Scored, read_scored
from eval.summary import cluster_key, known_aus

EPILOG = """\
example:
  emollm compare scores/sft scores/grpo

The difference is second minus first, in points. Both runs are resampled together (paired), over subjects where they
are known; a difference whose interval holds 0 may be chance, and so is about one in twenty of the others.
"""


class Run(NamedTuple):
    """A folder of `emollm score`."""

    folder: Path
    results: Results
    rows: list[Scored]


class Difference(NamedTuple):
    """One metric of two runs. Shares run from 0 to 1; words are words."""

    metric: str
    first: float
    second: float
    low: float
    high: float

    @property
    def is_clear(self) -> bool:
        """Whether the interval leaves 0 out."""
        return self.low > 0 or self.high < 0


def main(argv: Sequence[str] | None = None) -> int:
    """Compare and print."""
    parser = argparse.ArgumentParser(
        prog="emollm compare",
        description="Compare two scored runs on the same samples, with paired intervals.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("first", type=Path, help="a folder that `emollm score` wrote")
    parser.add_argument("second", type=Path, help="another, on the same samples")
    add_interval_argument(parser)
    parser.add_argument("--seed", type=int, default=0, help="of the bootstrap (default: 0)")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table: shares from 0 to 1")
    options = parser.parse_args(argv)
    first, second = read_run(options.first), read_run(options.second)
    refuse_incomparable(first, second)
    found = differences(first, second, num_resamples=options.num_resamples, seed=options.seed)
    if options.json:
        told = {one.metric: {**one._asdict(), "second_is": verdict(one)} for one in found}
        print(json.dumps({"samples": len(first.rows), "differences": told}, indent=1))
    else:
        _print(first, second, found)
    return 0


def read_run(folder: Path) -> Run:
    """Read results.json and samples.jsonl of a folder."""
    return Run(folder, read_results(folder), list(read_scored(folder / SAMPLES_NAME)))


def refuse_incomparable(first: Run, second: Run) -> None:
    """Raise ConfigError, with every reason, where a difference would not be due to the models."""
    problems = []
    for name in ("judged", "label_set", "split", "thresholds", "aus"):
        one, other = (getattr(run.results.settings, name) for run in (first, second))
        if one != other:
            problems.append(f"{name} {one!r} and {other!r}")
    pins = [{name: facts.pins for name, facts in run.results.families.items()} for run in (first, second)]
    problems += [
        f"other {name}: {_differing(pins[0][name], pins[1][name])}"
        for name in pins[0].keys() & pins[1].keys()
        if pins[0][name] != pins[1][name]
    ]
    ids = [{row.id for row in run.rows} for run in (first, second)]
    if ids[0] != ids[1]:
        alone = (len(ids[0] - ids[1]), len(ids[1] - ids[0]))
        problems.append(f"other samples ({alone[0]:,} only in the first, {alone[1]:,} only in the second)")
    elif changed := _changed_gold(first, second):
        problems.append(f"other gold for {len(changed):,} samples, such as '{changed[0]}'")
    if problems:
        where = f"{first.folder} and {second.folder}"
        raise ConfigError(
            f"{where}: not comparable: {'; '.join(problems)}; score both with the same samples and settings"
        )


def _changed_gold(first: Run, second: Run) -> list[str]:
    other = {row.id: row for row in second.rows}
    return [row.id for row in first.rows if (row.gold, row.face) != (other[row.id].gold, other[row.id].face)]


def _differing(first: Mapping[str, Any], second: Mapping[str, Any]) -> str:
    """Name what two families depend on differently."""
    names = [name for name in sorted({*first, *second}) if first.get(name) != second.get(name)]
    return ", ".join(f"{name} {first.get(name)!r} and {second.get(name)!r}" for name in names)


def differences(first: Run, second: Run, *, num_resamples: int, seed: int) -> list[Difference]:
    """Compute second − first for every metric that both runs have, with a paired 95 % interval.

    Both runs are resampled with the same seed over the same clusters, so each draw holds the same samples in both.
    """
    order = {row.id: place for place, row in enumerate(first.rows)}
    aligned = (first.rows, sorted(second.rows, key=lambda row: order[row.id]))
    labels = first.results.confusion.labels if first.results.confusion else []
    aus = sorted({*known_aus(first.rows), *known_aus(second.rows)})
    clusters = number_clusters([cluster_key(row) for row in first.rows])
    counts = [tally(rows, labels, aus) for rows in aligned]
    draws = [Counts._make(resample(c, clusters, num_resamples=num_resamples, seed=seed)) for c in counts]
    found = [
        _difference(name, [metric.function(total(c)) for c in counts], [metric.function(d) for d in draws])
        for name, metric in METRICS.items()
    ]
    for name in [name for name in first.results.families if name in second.results.families]:
        family = FAMILIES[name]
        lines = [[row.measures.get(name) for row in rows] for rows in aligned]
        sums = [whole(family, one) for one in lines]
        resampled = [drawn(family, one, clusters, num_resamples=num_resamples, seed=seed) for one in lines]
        for metric_name, metric_of in family.metrics.items():
            values = [metric_of.function(one) for one in sums]
            found.append(_difference(metric_name, values, [metric_of.function(one) for one in resampled]))
    return [one for one in found if not math.isnan(one.first) and not math.isnan(one.second)]


def _difference(name: str, values: Sequence[Array], draws: Sequence[Array]) -> Difference:
    low, high = percentile_interval(draws[1] - draws[0])
    return Difference(name, float(values[0]), float(values[1]), float(low), float(high))


def describe(name: str) -> Metric | FamilyMetric:
    """Return the title, unit and direction of a metric of any family."""
    return METRICS[name] if name in METRICS else FAMILIES[METRIC_FAMILY[name]].metrics[name]


def verdict(difference: Difference) -> str:
    """Say what a difference means: better, worse, different, or not clear."""
    if not difference.is_clear:
        return "not clear"
    better = describe(difference.metric).better
    if not better:
        return "different"
    return "better" if (difference.second > difference.first) == (better == "higher") else "worse"


def _print(first: Run, second: Run, found: Sequence[Difference]) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table("metric", box=None, pad_edge=False, header_style="dim")
    for title in (escape(first.folder.name), escape(second.folder.name), "difference", "95 % interval"):
        table.add_column(title, justify="right")
    table.add_column("second is")
    for difference in (one for one in found if not is_detail(one.metric)):
        table.add_row(describe(difference.metric).title, *_cells(difference), verdict(difference))
    console = Console(highlight=False, soft_wrap=True)
    console.print(table)
    console.print(escape(_only_one_right(first, second)))


def _cells(difference: Difference) -> tuple[str, str, str, str]:
    unit = describe(difference.metric).unit
    scale, digits = (100 if unit == "share" else 1), (3 if unit == "number" else 1)
    first, second = (f"{value * scale:.{digits}f}" for value in (difference.first, difference.second))
    change, low, high = (
        f"{value * scale:+.{digits}f}"
        for value in (difference.second - difference.first, difference.low, difference.high)
    )
    return first, second, change, f"{low} – {high}"


def _only_one_right(first: Run, second: Run) -> str:
    """Count the samples on which the labels differ in being right: what the difference in accuracy rests on."""
    right = {row.id: row.correct for row in first.rows}
    only_first = sum(right[row.id] is True and row.correct is False for row in second.rows)
    only_second = sum(right[row.id] is False and row.correct is True for row in second.rows)
    n = len(first.rows)
    if first.results.settings.judged == "detector":
        return f"{n:,} samples"
    return f"{n:,} samples; the label is right only in the first: {only_first:,}, only in the second: {only_second:,}"
