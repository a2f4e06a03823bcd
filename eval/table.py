"""The printed result: the headline numbers with their intervals, for a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from eval.beside import Beside, known_metrics
from eval.metrics.families import is_detail
from eval.report.beside import lead, value
from eval.report.figures import amount, interval, plural
from eval.report.numbers import notices
from eval.results import Results

WIDE = 200
"""Characters in which the table of several runs has room; a narrower terminal breaks its lines, not its cells."""


def print_results(results: Results, path: Path) -> None:
    """Print every metric that could be computed, what to know about the data, and where the rest is."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    confidence = f"{100 * results.settings.confidence:g} % interval"
    table = Table("metric", box=None, pad_edge=False, header_style="dim")
    for column in ("value", confidence, "n", "clusters"):
        table.add_column(column, justify="right")
    for name, number in results.metrics.items():
        definition = results.definitions[name]
        if number.value is not None and not is_detail(name):
            unit = {"share": "%", "number": ""}.get(definition.unit, definition.unit)
            value = f"{amount(number, definition.unit)} {unit}".strip()
            n, clusters = f"{number.num_samples:,}", f"{number.num_clusters:,}"
            table.add_row(definition.title, value, interval(number, definition.unit), n, clusters)
    console = Console(highlight=False, soft_wrap=True)
    console.print(f"{escape(', '.join(results.models))}: {plural(results.coverage.samples, 'sample')}")
    console.print(table)
    told = [*notices(results.coverage, results.settings.judged), *results.notices]
    for line in [*told, *(line for facts in results.families.values() for line in facts.notices)]:
        console.print(escape(line))
    console.print(escape(str(path)))


def print_beside(results: Results, own: str, others: Sequence[Beside]) -> None:
    """Print a row for each run and, under each of the others, how far this one, called `own`, is ahead of it."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    metrics = known_metrics(results)
    table = Table("%, and 95 % intervals", box=None, pad_edge=False, header_style="dim")
    for name in metrics:
        table.add_column(results.definitions[name].title, justify="right")
    for run, leads in others:
        table.add_row(escape(run.folder.name), *(value(run.results, name) for name in metrics))
        table.add_row(escape(f"  {own} - {run.folder.name}"), *(lead(leads.get(name)) for name in metrics), style="dim")
    table.add_row(escape(own), *(value(results, name) for name in metrics))
    console = Console(highlight=False, soft_wrap=True)
    console.width = max(console.width, WIDE)
    console.print(table)
