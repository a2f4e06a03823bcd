"""The table of other runs on the same samples: what a training, or a picture, is worth."""

from __future__ import annotations

from collections.abc import Sequence

from eval.beside import Beside, known_metrics
from eval.differences import Difference
from eval.report.figures import amount, interval
from eval.report.markup import Markup, heading, join, section, table, tag, void
from eval.results import Results

LEAD = (
    "The same samples, answered by others. In small print, this run minus the other, in points; both are drawn "
    "together (paired), so that an interval without 0 tells the two apart. Beside a model that was shown blank "
    "pictures, it is what seeing the face is worth."
)


def beside(results: Results, own: str, others: Sequence[Beside]) -> Markup | None:
    """Tabulate the other runs and, last, this one, which is called `own`."""
    if not others:
        return None
    metrics = known_metrics(results)
    head = [heading("run"), *(heading(results.definitions[name].title, "num") for name in metrics)]
    rows = [_row(other, metrics) for other in others]
    cells = (tag("td", tag("b", value(results, name)), class_="num whole") for name in metrics)
    rows.append(tag("tr", _name(own, results), *cells))
    return section("beside", "Beside other runs", LEAD, table(head, rows))


def _row(other: Beside, metrics: Sequence[str]) -> Markup:
    folder, results, _ = other.run
    cells = (
        tag("td", value(results, name), void("br"), tag("small", lead(other.leads.get(name))), class_="num whole")
        for name in metrics
    )
    return tag("tr", _name(folder.name, results), *cells)


def _name(name: str, results: Results) -> Markup:
    return tag("th", join(name, void("br"), tag("small", ", ".join(results.models))), scope="row")


def value(results: Results, metric: str) -> str:
    """Return `84.2 (79.1 – 88.7)`, in percent."""
    number = results.metrics[metric]
    return "—" if number.value is None else f"{amount(number, 'share')} ({interval(number, 'share')})"


def lead(difference: Difference | None) -> str:
    """Return `+6.4 (+4.2 – +8.7)`, in points."""
    if difference is None:
        return "—"
    change, low, high = (
        f"{100 * points:+.1f}" for points in (difference.second - difference.first, difference.low, difference.high)
    )
    return f"{change} ({low} – {high})"
