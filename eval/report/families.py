"""The families of metrics: large what matters most, the rest in a table with its definition and source."""

from __future__ import annotations

from eval.metrics.families import FAMILIES
from eval.report.figures import amount, gauge, interval
from eval.report.markup import Markup, heading, join, section, table, tag
from eval.report.numbers import cards
from eval.results import FamilyFacts, Results


def families(results: Results) -> Markup:
    """Draw a section for each family that was computed."""
    return join(*(_family(results, name, facts) for name, facts in results.families.items()))


def _family(results: Results, name: str, facts: FamilyFacts) -> Markup:
    known = [metric for metric in facts.metrics if results.metrics[metric].value is not None]
    large = [metric for metric in known if FAMILIES[name].metrics[metric].is_headline]
    notices = tag("ul", *(tag("li", line) for line in facts.notices), class_="notices") if facts.notices else None
    folded = [metric for metric in known if FAMILIES[name].metrics[metric].is_detail]
    rest = [metric for metric in known if metric not in large and metric not in folded]
    return section(
        f"family-{name}",
        facts.title,
        facts.about,
        notices,
        cards(results, large) if large else None,
        _table(results, rest) if rest else None,
        tag("details", tag("summary", f"{len(folded)} more"), _table(results, folded)) if folded else None,
    )


def _table(results: Results, names: list[str]) -> Markup:
    head = [heading("metric"), heading("value", "num"), heading("interval", "num"), heading("n", "num")]
    return table([*head, heading("", "bar")], [_row(results, name) for name in names])


def _row(results: Results, name: str) -> Markup:
    number, definition = results.metrics[name], results.definitions[name]
    value = amount(number, definition.unit) + (" %" if definition.unit == "share" else "")
    return tag(
        "tr",
        tag("th", definition.title, scope="row"),
        tag("td", value, class_="num"),
        tag("td", interval(number, definition.unit), class_="num whole"),
        tag("td", f"{number.num_samples:,}", class_="num"),
        tag("td", gauge(number) if definition.unit == "share" else None, class_="bar"),
        title=definition.text,
    )
