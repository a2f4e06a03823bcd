"""The families of metrics: what matters most in the line that unfolds each, the rest in cards, drawings and tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from emollm import facs
from eval.metrics.families import FAMILIES
from eval.report.curves import reliability, risk
from eval.report.faithfulness import faithfulness
from eval.report.figures import amount, gauge, interval
from eval.report.markup import Markup, heading, section, table, tag
from eval.report.numbers import cards
from eval.results import FamilyFacts, Results

DRAWN: Mapping[str, Callable[[Results], Markup | None]] = {
    "faithfulness": faithfulness,
    "calibration": lambda results: reliability([results]),
    "selective": lambda results: risk([results]),
}
"""Families that say or draw what matters most, before the table of their numbers."""

DIFFERENCES = ("faithfulness",)
"""Families whose numbers no card or bar from 0 to 100 % can show."""


def families(results: Results) -> Markup | None:
    """Draw each family that was computed, folded but for those that were asked for."""
    if not results.families:
        return None
    lead = "Each is folded, and tells its main numbers; those that had to be asked for are open."
    drawn = (_family(results, name, facts) for name, facts in results.families.items())
    return section("families", "More measurements", lead, *drawn)


def _family(results: Results, name: str, facts: FamilyFacts) -> Markup:
    known = [metric for metric in facts.metrics if results.metrics[metric].value is not None]
    large = [metric for metric in known if FAMILIES[name].metrics[metric].is_headline]
    details = [metric for metric in known if FAMILIES[name].metrics[metric].is_detail]
    rest = [metric for metric in known if metric not in large and metric not in details]
    brief = [_brief(results, metric) for metric in (large or rest)[:3]]
    if name in DIFFERENCES:
        large, rest, details = [], [], known
    drawing = DRAWN[name](results) if name in DRAWN else None
    parts = _parts(results, facts) if facts.table else None
    return tag(
        "details",
        tag("summary", tag("h3", facts.title), tag("span", *brief, class_="brief")),
        tag("p", facts.about, class_="lead"),
        tag("ul", *(tag("li", line) for line in facts.notices), class_="notices") if facts.notices else None,
        cards(results, large) if large else None,
        drawing,
        _table(results, rest) if rest else None,
        _folded(f"{len(details)} more", _table(results, details)) if details else None,
        _folded("the table behind it", parts) if parts and drawing else parts,
        class_="family",
        id=f"family-{name}",
        open=FAMILIES[name].is_asked_for or name in DIFFERENCES,
    )


def _brief(results: Results, name: str) -> Markup:
    number, definition = results.metrics[name], results.definitions[name]
    unit = " %" if definition.unit == "share" else ""
    return tag("span", f"{definition.title} ", tag("b", f"{amount(number, definition.unit)}{unit}"))


def _folded(title: str, body: Markup) -> Markup:
    return tag("details", tag("summary", title), body)


def _table(results: Results, names: list[str]) -> Markup:
    head = [heading("metric"), heading("value", "num"), heading("interval", "num"), heading("n", "num")]
    return table([*head, heading("", "bar")], [_row(results, name) for name in names])


def _parts(results: Results, facts: FamilyFacts) -> Markup:
    """Tabulate what is known part by part; the title of a cell holds its interval."""
    names = list(next(iter(facts.table.values())))
    head = [heading(""), *(heading(results.definitions[name].title, "num") for name in names)]
    rows = []
    for part, numbers in facts.table.items():
        cells = []
        for name in names:
            unit, number = results.definitions[name].unit, numbers[name]
            about = f"{interval(number, unit)}, n = {number.num_samples:,}"
            cells.append(tag("td", amount(number, unit), class_="num", title=about))
        is_au = part in facs.UNITS
        title = tag("small", facs.UNITS[part].name) if is_au else None
        rows.append(tag("tr", tag("th", facs.prose(part) if is_au else part, title, scope="row"), *cells))
    return table(head, rows, "Shares in percent.")


def _row(results: Results, name: str) -> Markup:
    number, definition = results.metrics[name], results.definitions[name]
    value = amount(number, definition.unit) + (" %" if definition.unit == "share" else "")
    return tag(
        "tr",
        tag("th", definition.title, scope="row"),
        tag("td", value, class_="num"),
        tag("td", interval(number, definition.unit), class_="num whole"),
        tag("td", f"{number.num_samples:,}", class_="num"),
        tag("td", gauge(number) if definition.unit == "share" and (number.low or 0.0) >= 0 else None, class_="bar"),
        title=definition.text,
    )
