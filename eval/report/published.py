"""Published numbers beside ours, each with its source, below what keeps them from being comparable."""

from __future__ import annotations

from eval.benchmarks import BENCHMARKS, Benchmark, Published, caveats
from eval.report.figures import amount, gauge, interval
from eval.report.markup import Markup, heading, section, table, tag
from eval.results import Number, Results


def published(results: Results) -> Markup | None:
    """Tabulate what is published on the data set and what this run has, the best first."""
    benchmark = BENCHMARKS.get(results.settings.benchmark or "")
    if benchmark is None:
        return None
    metrics = [name for name in benchmark.metrics if _is_known(results, name)]
    named = [one for one in benchmark.published if not one.values.keys().isdisjoint(metrics)]
    if not named:
        return None
    first, is_share = results.metrics[metrics[0]], results.definitions[metrics[0]].unit == "share"
    scale = 100 if is_share else 1
    rows = [((first.value or 0.0) * scale, _ours(results, metrics, gauge(first) if is_share else None))]
    for one in named:
        value = one.values.get(metrics[0])
        rows.append((value or 0.0, _row(one, metrics, _gauge(value / 100 if is_share and value else None))))
    rows.sort(key=lambda row: row[0], reverse=True)
    head = [heading("method"), *(heading(results.definitions[name].title, "num") for name in metrics)]
    return section(
        "published",
        f"Beside published numbers: {benchmark.title}",
        "As they stand in publications; none was computed again here.",
        _caveats(results, benchmark),
        table([*head, heading("", "bar")], [row for _, row in rows], class_="published"),
    )


def _is_known(results: Results, metric: str) -> bool:
    return metric in results.metrics and results.metrics[metric].value is not None


def _caveats(results: Results, benchmark: Benchmark) -> Markup | None:
    lines = [tag("li", line) for line in caveats(results, benchmark)]
    return tag("ul", *lines, class_="notices") if lines else None


def _row(one: Published, metrics: list[str], bar: Markup | None) -> Markup:
    return tag(
        "tr",
        tag("th", one.method, tag("small", one.how) if one.how else None, _source(f"{one.source}{_noted(one.note)}"),
            scope="row"),
        *(tag("td", _as_published(one.values.get(name)), class_="num") for name in metrics),
        tag("td", bar, class_="bar"),
    )  # fmt: skip


def _ours(results: Results, metrics: list[str], bar: Markup | None) -> Markup:
    numbers = [(results.metrics[name], results.definitions[name].unit) for name in metrics]
    intervals = "; ".join(interval(number, unit) for number, unit in numbers)
    told = f"{numbers[0][0].num_samples:,} samples; {intervals}"
    return tag(
        "tr",
        tag("th", ", ".join(results.models), tag("small", "this run"), _source(told), scope="row"),
        *(tag("td", tag("b", amount(number, unit)), class_="num") for number, unit in numbers),
        tag("td", bar, class_="bar"),
        class_="ours",
    )


def _as_published(value: float | None) -> str:
    """Return 93.0 and 94.76 with the digits that publications give."""
    if value is None:
        return "—"
    return f"{value:.1f}" if round(value, 1) == value else f"{value:.2f}"


def _source(told: str) -> Markup:
    return tag("span", told, class_="source")


def _noted(note: str) -> str:
    return f"; {note}" if note else ""


def _gauge(share: float | None) -> Markup | None:
    """Draw a published share, which has no interval."""
    if share is None:
        return None
    return gauge(Number(value=share, low=None, high=None, num_samples=0, num_clusters=0))
