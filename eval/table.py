"""The printed result: the headline numbers with their intervals, for a terminal."""

from __future__ import annotations

from pathlib import Path

from eval.metrics.families import is_detail
from eval.report.figures import amount, interval, plural
from eval.report.numbers import notices
from eval.results import Results


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
