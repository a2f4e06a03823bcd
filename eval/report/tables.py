"""The confusion matrix, and the tables of labels and of action units."""

from __future__ import annotations

from collections.abc import Sequence

from emollm import facs
from eval.report.figures import gauge, percent
from eval.report.markup import Markup, heading, section, table, tag
from eval.report.numbers import cards
from eval.results import Confusion, Rates, Results

AU_CARDS = ("au_macro_f1", "au_micro_f1", "au_set_f1")

BESIDE = 9
"""Labels up to which matrix and table fit beside each other."""

NAMED = {
    "model": "Named: the explanation says that it is there. Present: its measured value reaches the threshold.",
    "detector": "Named: its detected value reaches the threshold. Present: its value in gold does.",
}

CAPTION = "The bar is the F1, the whisker its interval. n: samples in which it is there."


def labels(results: Results) -> Markup | None:
    """Draw the confusion matrix beside recall, precision and F1 of each label."""
    if results.confusion is None:
        return None
    rates = [rate for rate in results.labels if rate.support or rate.named]
    lead = "Rows are gold labels, columns are answers; each row sums to the samples of its label."
    pair = tag(
        "div",
        heat(results.confusion),
        _rates(rates, "Label"),
        class_="pair" if len(rates) <= BESIDE else "pair stacked",
    )
    return section("labels", "Labels", lead, pair)


def heat(confusion: Confusion) -> Markup:
    """Draw the matrix; a label that is neither gold nor answered has no row and no column."""
    answered = [sum(column) for column in zip(*confusion.counts, strict=True)]
    support = [sum(row) for row in confusion.counts]
    used = [k for k in range(len(confusion.labels)) if support[k] or answered[k]]
    shown = [*used, len(confusion.labels)]
    head = [heading("gold ↓ answer →")]
    head += [tag("th", tag("span", confusion.columns[k]), scope="col") for k in shown]
    rows = []
    for k in used:
        label, counts = confusion.labels[k], confusion.counts[k]
        cells = (_cell(counts[j], support[k], label, confusion.columns[j]) for j in shown)
        rows.append(tag("tr", tag("th", label, scope="row"), *cells))
    return table(head, rows, "Samples; the shade is the share of the row.", class_="heat")


def _cell(n: int, support: int, gold: str, answer: str) -> Markup:
    share = n / support if support else 0.0
    kinds = [kind for kind, holds in (("hit", gold == answer), ("dark", share > 0.55), ("zero", n == 0)) if holds]
    title = f"{gold} answered as {answer}: {n:,} of {support:,} ({percent(share)} %)"
    return tag("td", f"{n:,}", class_=" ".join(kinds) or None, style=f"--share:{share:.3f}", title=title)


def aus(results: Results) -> Markup | None:
    """Draw precision, recall and F1 of each AU that is present or named at least once."""
    shown = [rate for rate in results.aus if rate.support or rate.named]
    silent = [facs.prose(rate.name) for rate in results.aus if not (rate.support or rate.named)]
    if not shown:
        return None
    lead = NAMED[results.settings.judged]
    note = tag("p", f"Measured, never present and never named: {', '.join(silent)}.", class_="note") if silent else None
    return section("aus", "Action units", lead, cards(results, AU_CARDS), _rates(shown, "Action unit"), note)


def _rates(rates: Sequence[Rates], name: str) -> Markup:
    head = [heading(name), heading("n", "num"), heading("named", "num wide"), heading("Precision", "num wide")]
    head += [heading("Recall", "num wide"), heading("F1", "num"), heading("", "bar")]
    return table(head, [_rate(rate) for rate in rates], CAPTION, class_="rates")


def _rate(rate: Rates) -> Markup:
    name = facs.prose(rate.name) if rate.name in facs.UNITS else rate.name
    return tag(
        "tr",
        tag("th", name, tag("small", rate.title) if rate.title != rate.name else None, scope="row"),
        tag("td", f"{rate.support:,}", class_="num"),
        tag("td", f"{rate.named:,}", class_="num wide"),
        tag("td", percent(rate.precision.value), class_="num wide"),
        tag("td", percent(rate.recall.value), class_="num wide"),
        tag("td", percent(rate.f1.value), class_="num"),
        tag("td", gauge(rate.f1), class_="bar"),
    )
