"""The tables of a terminal: what `emollm score` found, and how runs differ in it.

Both print the main metrics, and all of them with --all.
"""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from eval.differences import Comparison, Difference
from eval.metrics.families import describe, headlines, is_detail
from eval.report.figures import amount, change_cells, interval, p_said, plural
from eval.report.numbers import data, notices
from eval.results import RESULTS_NAME, Results
from eval.runs import Run, names_of
from eval.significance import smallest_visible
from eval.verdicts import needed, num_clusters, sentences, verdict

if TYPE_CHECKING:
    from rich.console import Console

WIDE = 200
"""Characters in which every table has room; a narrower terminal breaks its lines, not its cells."""

POWER_NOTE = (
    "Subjects: as many such as these show a difference of so many points at p ≤ 0.05 in 80 % of studies, by the paired "
    "variance seen here; a sample without a subject is one. Visible: the points that as many as there are here show. "
    "—: cannot be computed, where the number is no share, is the same in both runs, or rests on one subject."
)


def add_table_argument(parser: ArgumentParser) -> None:
    """Add --all."""
    help = "print every metric (default: the main ones; results.json and the page always have every one)"
    parser.add_argument("--all", action="store_true", help=help)


def print_results(results: Results, path: Path, *, every: bool = False) -> None:
    """Print the metrics that could be computed, what to know about the data, and where the rest is."""
    from rich.markup import escape
    from rich.table import Table

    confidence = f"{100 * results.settings.confidence:g} % interval"
    table = Table("metric", box=None, pad_edge=False, header_style="dim")
    for column in ("value", confidence, "n", "clusters"):
        table.add_column(column, justify="right")
    known = [name for name, number in results.metrics.items() if number.value is not None and not is_detail(name)]
    shown = known if every else headlines(known, results.settings.aus)
    for name in shown:
        number, definition = results.metrics[name], results.definitions[name]
        unit = {"share": "%", "number": ""}.get(definition.unit, definition.unit)
        value = f"{amount(number, definition.unit)} {unit}".strip()
        n, clusters = f"{number.num_samples:,}", f"{number.num_clusters:,}"
        table.add_row(definition.title, value, interval(number, definition.unit), n, clusters)
    console = _console()
    console.print(f"{escape(', '.join(results.models))}: {plural(results.coverage.samples, 'sample')}")
    console.print(table)
    _tell_rest(console, len(known) - len(shown), f", {RESULTS_NAME} holds them")
    told = [*notices(results.coverage, results.settings.judged), *results.notices]
    for line in [*told, *(line for facts in results.families.values() for line in facts.notices)]:
        console.print(escape(line))
    console.print(escape(str(path)))


def print_comparisons(
    runs: Sequence[Run], found: Sequence[Comparison], *, every: bool = False, power: float | None = None
) -> None:
    """Print the differences metric by metric, a line for each two runs, and what to know about them.

    `power` adds, of so many points, how many subjects would show them.
    """
    from rich.markup import escape
    from rich.table import Table

    names = [escape(name) for name in names_of(runs)]
    is_pair = len(found) == 1
    table = Table("metric", box=None, pad_edge=False, header_style="dim")
    for column in () if is_pair else ("runs",):
        table.add_column(column)
    for column in (*(names if is_pair else ("first", "second")), "difference", "95 % interval", "p", "adjusted"):
        table.add_column(column, justify="right")
    table.add_column("second is")
    for column in (f"subjects for {power:g}", "visible") if power is not None else ():
        table.add_column(column, justify="right")
    by_metric = [{one.metric: one for one in each.differences} for each in found]
    known = [name for name in dict.fromkeys(name for each in by_metric for name in each) if not is_detail(name)]
    shown = known if every else headlines(known, runs[0].results.settings.aus)
    for metric in shown:
        title = describe(metric).title
        for pair, each in zip(found, by_metric, strict=True):
            if metric not in each:
                continue
            of_runs = () if is_pair else (f"{names[pair.first]} → {names[pair.second]}",)
            table.add_row(title, *of_runs, *_cells(each[metric], power, num_clusters(runs)))
            title = ""
    console = _console()
    console.print(escape(data(runs[0].results)))
    console.print(table)
    _tell_rest(console, len(known) - len(shown))
    for line in [*sentences(runs, found), *([POWER_NOTE] if power is not None else [])]:
        console.print(escape(line))


def _cells(one: Difference, power: float | None, clusters: int) -> list[str]:
    """Return the cells of a difference, from the first value on."""
    unit = describe(one.metric).unit
    cells = [*change_cells(one, unit), p_said(one.p), p_said(one.p_adjusted), verdict(one)]
    if power is not None:
        count = needed(one, clusters, power)
        cells += ["—", "—"] if count is None else [f"{count:,}", f"{100 * smallest_visible(one.deviation):.1f}"]
    return cells


def _tell_rest(console: Console, hidden: int, where: str = "") -> None:
    """Say how many metrics are not printed."""
    if hidden:
        console.print(f"{hidden} more: --all prints them{where}", style="dim")


def _console() -> Console:
    from rich.console import Console

    console = Console(highlight=False, soft_wrap=True)
    console.width = max(console.width, WIDE)
    return console
