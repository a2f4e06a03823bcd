"""The table of differences: every two runs that are compared, metric by metric, each with its interval on a line."""

from __future__ import annotations

import math
from collections.abc import Sequence

from eval.differences import Comparison, Difference
from eval.metrics.families import FAMILIES, METRIC_FAMILY, describe, headlines, is_detail
from eval.report.figures import change_cells, p_said
from eval.report.markup import Markup, heading, join, section, table, tag
from eval.runs import Run, names_of
from eval.verdicts import sentences, verdict


def differences(runs: Sequence[Run], found: Sequence[Comparison]) -> Markup:
    """Tabulate the main metrics, and every one folded: those of labels and claims, then family by family."""
    lead = (
        "A run minus the one it is compared with, shares in points, with its paired 95 % interval; on the line, 0 is "
        "in the middle. p: paired permutation test over subjects, and adjusted for all numbers of this page."
    )
    known = [metric for metric in dict.fromkeys(one.metric for each in found for one in each.differences)
             if not is_detail(metric)]  # fmt: skip
    main = headlines(known, runs[0].results.settings.aus)
    groups: dict[str, list[str]] = {}
    for metric in known if len(main) < len(known) else ():
        groups.setdefault(METRIC_FAMILY.get(metric, ""), []).append(metric)
    own = "Labels and explanations" if runs[0].results.settings.judged == "model" else "Action units"
    titles = {"": own} | {name: FAMILIES[name].title for name in groups if name}
    folded = (
        tag(
            "details",
            tag("summary", tag("h3", titles[family]), tag("span", *_brief(found, metrics), class_="brief")),
            _table(runs, found, metrics),
            class_="family",
        )
        for family, metrics in groups.items()
    )
    told = tag("ul", *(tag("li", line) for line in sentences(runs, found)), class_="told note")
    return section("differences", "How they differ", lead, _table(runs, found, main), told, *folded)


def _brief(found: Sequence[Comparison], metrics: Sequence[str]) -> list[Markup]:
    """Say of a family how many of its differences are clear."""
    said = [verdict(one) for each in found for one in each.differences if one.metric in metrics]
    clear = [word for word in ("better", "worse", "different") if word in said]
    return [tag("span", tag("b", str(said.count(word))), f" {word}") for word in clear] or [
        tag("span", "none is clear")
    ]


def _table(runs: Sequence[Run], found: Sequence[Comparison], metrics: Sequence[str]) -> Markup:
    """Tabulate metrics, a row for each two runs."""
    names = names_of(runs)
    is_pair = len(found) == 1
    head = [heading("metric"), *([] if is_pair else [heading("runs")])]
    first, second = names if is_pair else ("first", "second")
    head += [heading(first, _first(is_pair)), heading(second, "num"), heading("difference", "num"), heading("", "bar")]
    head += [heading("p", "num wide"), heading("adjusted", "num wide"), heading("second is", "wide whole")]
    by_metric = [{one.metric: one for one in each.differences} for each in found]
    reach = _reach([one for each in by_metric for metric, one in each.items() if metric in metrics])
    rows = []
    for metric in metrics:
        title = tag("th", describe(metric).title, scope="row", title=describe(metric).definition)
        for pair, each in zip(found, by_metric, strict=True):
            if metric not in each:
                continue
            of_runs = [] if is_pair else [tag("td", _arrow(names, pair), class_="whole")]
            rows.append(
                tag("tr", title, *of_runs, *_cells(each[metric], reach[describe(metric).unit], _first(is_pair)))
            )
            title = tag("th", "")
    return table(head, rows, class_="differences")


def _first(is_pair: bool) -> str:
    """Return the class of the first value, which a phone has no room for beside the names of the runs."""
    return "num" if is_pair else "num wide"


def _arrow(names: Sequence[str], pair: Comparison) -> Markup:
    """Write `sft → grpo`, with the colour of the second."""
    return join(tag("span", class_=f"swatch run{pair.second}"), f"{names[pair.first]} → {names[pair.second]}")


def _cells(one: Difference, reach: float, first_class: str) -> list[Markup]:
    first, second, change, between = change_cells(one, describe(one.metric).unit)
    said = verdict(one)
    shade = {"better": "supported", "worse": "contradicted"}.get(said, "open")
    return [
        tag("td", first, class_=first_class),
        tag("td", second, class_="num"),
        tag("td", tag("b", change), tag("small", between), class_=f"num whole {shade}"),
        tag("td", _forest(one, reach), class_=f"bar {shade}"),
        tag("td", p_said(one.p), class_="num wide"),
        tag("td", p_said(one.p_adjusted), class_="num wide"),
        tag("td", said, class_=f"wide whole {shade}"),
    ]


def _reach(shown: Sequence[Difference]) -> dict[str, float]:
    """Return how far the lines of a table reach to both sides of 0, one for each unit: lines can then be compared."""
    reach = {"share": 0.1}
    for one in shown:
        unit = describe(one.metric).unit
        ends = (abs(one.low), abs(one.high), abs(one.second - one.first))
        reach[unit] = max(reach.get(unit, 1e-9), *(1.1 * end for end in ends if not math.isnan(end)))
    return reach


def _forest(one: Difference, reach: float) -> Markup:
    """Draw a difference, and its interval if there is one, on a line whose middle is 0."""
    low, high, value = (100 * (0.5 + end / (2 * reach)) for end in (one.low, one.high, one.second - one.first))
    band = None if math.isnan(low) else tag("i", style=f"--low:{low:.1f}%;--high:{high:.1f}%")
    return tag("div", tag("u"), band, tag("b", style=f"--value:{value:.1f}%"), class_="forest", aria_hidden="true")
