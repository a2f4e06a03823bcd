"""The upper half of the page: heading, notices, headline cards, label × explanation, groups."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from eval.intervals import FEW_CLUSTERS
from eval.report.figures import amount, gauge, interval, percent, plural
from eval.report.markup import Markup, heading, join, section, table, tag
from eval.results import Coverage, Number, Results
from eval.scored import Judged

LABEL_CARDS = ("accuracy", "uar", "macro_f1", "weighted_f1", "labels_f1")
CLAIM_CARDS = ("claim_precision", "claim_recall", "contradiction_rate", "true_explanations")
KEY_CARDS = ("uar", "claim_precision")
ANSWER_LINE = ("coverage", "label_read_rate", "format_rate", "not_assessable_rate", "mean_words")

JOINT = {
    "right_true": "label right, explanation true",
    "right_untrue": "label right only",
    "wrong_true": "explanation true only",
    "wrong_untrue": "neither",
}


def header(results: Results) -> Markup:
    """Say whose numbers these are and on which data."""
    files = results.inputs
    lead = join(
        tag("code", files["predictions"].file), " on ", tag("code", files["samples"].file), " · ", data(results)
    )
    lines = [tag("li", line) for line in [*notices(results.coverage, results.settings.judged), *results.notices]]
    return tag(
        "header",
        tag("p", "emollm score", class_="eyebrow"),
        tag("h1", ", ".join(results.models)),
        tag("p", lead, class_="lead"),
        tag("ul", *lines, class_="notices") if lines else None,
    )


def data(results: Results) -> str:
    """Say in a line which samples were scored, on which labels and action units."""
    coverage, settings = results.coverage, results.settings
    told = [plural(coverage.samples, "sample"), plural(coverage.subjects, "known subject")]
    told += [f"split {settings.split}"] if settings.split is not None else []
    told += [f"labels {settings.label_set}"] if settings.label_set is not None else []
    told += [f"action units {settings.protocol}"] if settings.protocol is not None else []
    return " · ".join(told)


def notices(coverage: Coverage, judged: Judged = "model") -> list[str]:
    """List what a reader must know before the first number."""
    is_model, found = judged == "model", []
    if coverage.missing:
        samples, what = plural(coverage.missing, "sample"), "a prediction" if is_model else "a detected face"
        found.append(f"Without {what}, and counted as wrong: {samples} of {coverage.samples:,}.")
    if coverage.surplus:
        records = plural(coverage.surplus, "prediction" if is_model else "detection")
        found.append(f"Without a sample, and counted nowhere: {records}.")
    if coverage.malformed:
        found.append(f"Not readable, and counted nowhere: {plural(coverage.malformed, 'line')}; see rejected.jsonl.")
    if is_model and not coverage.labelled:
        found.append("No sample has a gold label: whether the labels are right is not known.")
    if not coverage.measured:
        what = "explanations" if is_model else "detected ones"
        found.append(f"No sample has measured action units: whether the {what} are true is not known.")
    if coverage.clusters < FEW_CLUSTERS:
        found.append(f"Only {plural(coverage.clusters, 'independent subject')}: the intervals are probably too narrow.")
    return found


def headlines(results: Results) -> Markup:
    """Draw the cards: is the label right, is the explanation true, could the answer be read."""
    labels = explanations = None
    if results.coverage.labelled:
        confidence = f"{100 * results.settings.confidence:g} %"
        lead = f"The mark is the value, the band its {confidence} interval, on a line from 0 to 100 %."
        known = [name for name in LABEL_CARDS if results.metrics[name].value is not None]
        labels = section("labels-right", "Is the label right?", lead, cards(results, known))
    if results.coverage.measured and results.settings.judged == "model":
        lead = "Each claim about the face is compared with the action units that were measured on it."
        explanations = section("explanations-true", "Is the explanation true?", lead, cards(results, CLAIM_CARDS))
    return join(labels, explanations, _answer_line(results))


def cards(results: Results, names: Sequence[str]) -> Markup:
    """Draw one card per metric."""
    return tag("div", *(_card(results, name) for name in names), class_="cards")


def _card(results: Results, name: str) -> Markup:
    number, definition = results.metrics[name], results.definitions[name]
    unit = "%" if definition.unit == "share" and number.value is not None else ""
    n = f"n = {number.num_samples:,}"
    better = tag("small", "lower is better") if definition.better == "lower" else None
    return tag(
        "div",
        tag("h3", definition.title),
        tag("div", amount(number, definition.unit), tag("span", unit), class_="value"),
        gauge(number) if definition.unit == "share" else None,
        tag("small", f"{interval(number, definition.unit)} · ", tag("span", n, class_="whole")),
        better,
        tag("small", number.note) if number.note else None,
        class_="card key" if name in KEY_CARDS else "card",
        title=definition.text,
    )


def _answer_line(results: Results) -> Markup:
    items = []
    for name in ANSWER_LINE:
        number, definition = results.metrics[name], results.definitions[name]
        if number.value is not None:
            unit = "%" if definition.unit == "share" else definition.unit
            value = tag("b", f"{amount(number, definition.unit)} {unit}")
            items.append(tag("span", f"{definition.title} ", value, title=definition.text))
    return tag("p", *items, class_="plain")


def joint(results: Results) -> Markup | None:
    """Draw how often label and explanation are right together and apart."""
    n = sum(results.joint.values())
    if not n:
        return None
    bars, legend = [], []
    for name, title in JOINT.items():
        count = results.joint[name]
        share = f"{percent(count / n)}\N{NO-BREAK SPACE}%"
        wide = f"{100 * count / n:.0f} %" if count / n > 0.05 else None
        bars.append(tag("div", wide, class_=name, style=f"--n:{count}", title=f"{title}: {count:,} of {n:,}"))
        legend.append(tag("li", tag("span", class_=f"swatch {name}"), tag("b", share), tag("span", title)))
    number = results.metrics["right_for_true_reasons"]
    lead = (
        f"{amount(number, 'share')} % ({interval(number, 'share')}) of the samples have the right label and an "
        "explanation that holds: it names something that is there, and no claim is contradicted."
    )
    return section(
        "both", "Right for true reasons", lead, tag("div", *bars, class_="split"), tag("ul", *legend, class_="legend")
    )


def groups(results: Results) -> Markup | None:
    """Tabulate the group metrics for each attribute."""
    if not results.groups:
        return None
    lead = "Small groups have wide intervals; a difference between two groups is only as sure as both."
    tables = (_group_table(results, attribute, values) for attribute, values in results.groups.items())
    return section("groups", "By group", lead, *tables)


def _group_table(results: Results, attribute: str, values: Mapping[str, Mapping[str, Number]]) -> Markup:
    names = list(next(iter(values.values())))
    head = [heading(attribute), heading("n", "num wide")]
    head += [heading(results.definitions[name].title, "num") for name in names]
    rows = []
    for value, numbers in values.items():
        cells = [tag("td", _with_interval(numbers[name]), class_="num whole") for name in names]
        n = tag("td", f"{max(number.num_samples for number in numbers.values()):,}", class_="num wide")
        rows.append(tag("tr", tag("th", value, scope="row", class_="whole"), n, *cells))
    return table(head, rows, class_="groups")


def _with_interval(number: Number) -> Markup:
    if number.value is None:
        return join("—")
    return join(amount(number, "share"), " ", tag("small", interval(number, "share")))
