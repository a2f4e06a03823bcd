"""The families of metrics: large what matters most, the rest in a table with its definition and source."""

from __future__ import annotations

from emollm import facs
from eval.metrics.families import FAMILIES
from eval.report.faithfulness import faithfulness
from eval.report.figures import amount, gauge, interval
from eval.report.markup import Markup, heading, join, section, table, tag
from eval.report.numbers import cards
from eval.results import FamilyFacts, Results


def families(results: Results) -> Markup:
    """Draw a section for each family that was computed."""
    return join(*(_family(results, name, facts) for name, facts in results.families.items()))


DRAWN = {"faithfulness": faithfulness}
"""Families that say their numbers in words, before the table of all of them."""


def _family(results: Results, name: str, facts: FamilyFacts) -> Markup:
    known = [metric for metric in facts.metrics if results.metrics[metric].value is not None]
    large = [metric for metric in known if FAMILIES[name].metrics[metric].is_headline]
    notices = tag("ul", *(tag("li", line) for line in facts.notices), class_="notices") if facts.notices else None
    folded = [metric for metric in known if FAMILIES[name].metrics[metric].is_detail]
    if name in DRAWN:  # its numbers are differences, which no card or bar from 0 to 100 % can show
        everything = tag("details", tag("summary", f"all {len(known)} numbers"), _table(results, known))
        return section(f"family-{name}", facts.title, facts.about, notices, DRAWN[name](results), everything)
    rest = [metric for metric in known if metric not in large and metric not in folded]
    return section(
        f"family-{name}",
        facts.title,
        facts.about,
        notices,
        cards(results, large) if large else None,
        _table(results, rest) if rest else None,
        tag("details", tag("summary", f"{len(folded)} more"), _table(results, folded)) if folded else None,
        _parts(results, facts) if facts.table else None,
    )


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
