"""compared.html: runs on the same samples side by side, in one file that needs no network.

    write_comparison(path, runs, found, media_root=None, max_samples=40)

The first run is what the others are compared with. Every drawing of `report` that says more beside another is here:
the differences with their intervals, confusion, bars for each label and action unit, curves, and the samples on which
the runs differ.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from itertools import zip_longest
from pathlib import Path

from emollm import facs
from emollm.files import in_one_step
from eval.differences import Difference, chance_note, describe, only_one_right, verdict
from eval.metrics.families import METRIC_FAMILY, is_detail
from eval.report import contents, curves, frame, notes
from eval.report.explanation import explanation
from eval.report.figures import change_cells, gauge, p_said, percent, plural
from eval.report.markup import Markup, heading, section, table, tag
from eval.report.samples import View, aus_of, faults, legend, picture
from eval.report.tables import heat
from eval.results import Rates
from eval.runs import Run, names_of
from eval.scored import Scored

Found = Sequence[Sequence[Difference]]
"""The differences of each run but the first."""


def write_comparison(
    path: Path, runs: Sequence[Run], found: Found, *, media_root: Path | None, max_samples: int
) -> None:
    """Write the page. `media_root` None leaves the pictures out."""
    chosen = choose(runs, max_samples)
    view = View(runs[0].results.settings.thresholds, media_root, total=len(runs[0].rows))
    parts = (
        ("Differences", _differences(runs, found)),
        ("Labels", _confusions(runs)),
        ("Each label", _bars(runs, "labels", "Each label", [run.results.labels for run in runs])),
        ("Action units", _bars(runs, "aus", "Each action unit", [run.results.aus for run in runs])),
        ("Curves", _curves(runs)),
        ("Samples", _samples(runs, chosen, view)),
    )
    page = frame(
        f"{' · '.join(names_of(runs))} · emollm compare",
        _header(runs, found),
        contents(parts),
        *(part for _, part in parts),
        notes.care(),
        *(
            notes.provenance(run.results, name, place)
            for place, (run, name) in enumerate(zip(runs, names_of(runs), strict=True))
        ),
    )
    with in_one_step(path) as part:
        part.write_text(page, encoding="utf-8")


def _header(runs: Sequence[Run], found: Found) -> Markup:
    names = names_of(runs)
    colours = (
        tag("li", tag("span", class_=f"swatch run{place}"), tag("b", name), tag("span", ", ".join(run.results.models)))
        for place, (run, name) in enumerate(zip(runs, names, strict=True))
    )
    several = len(runs) > 2
    told = [f"{name}: " * several + only_one_right(runs[0], run) for run, name in zip(runs[1:], names[1:], strict=True)]
    told.append(chance_note([one for each in found for one in each]))
    return tag(
        "header",
        tag("p", "emollm compare", class_="eyebrow"),
        tag("h1", " and ".join(names)),
        tag("ul", *colours, class_="legend"),
        tag("ul", *(tag("li", line) for line in told), class_="notices"),
    )


# --- numbers ----------------------------------------------------------------------------------------------------------


def _differences(runs: Sequence[Run], found: Found) -> Markup:
    """Tabulate every metric that is shown, those of labels and claims first, the families folded."""
    lead = (
        "Difference to the first run, shares in points. The line shows it with its interval, the middle being 0. p: "
        "paired permutation test over subjects, and adjusted for all numbers of this page."
    )
    groups: dict[str, list[str]] = {}
    for metric in dict.fromkeys(one.metric for each in found for one in each if not is_detail(one.metric)):
        groups.setdefault(METRIC_FAMILY.get(metric, ""), []).append(metric)
    facts = runs[0].results.families
    parts = [
        _table(runs, found, metrics)
        if not family
        else tag(
            "details",
            tag("summary", tag("h3", facts[family].title), tag("span", *_brief(found, metrics), class_="brief")),
            _table(runs, found, metrics),
            class_="family",
        )
        for family, metrics in groups.items()
    ]
    return section("differences", "How they differ", lead, *parts)


def _brief(found: Found, metrics: Sequence[str]) -> list[Markup]:
    """Say of a family how many of its differences are clear."""
    known = [one for each in found for one in each if one.metric in metrics]
    said = [verdict(one) for one in known]
    clear = [word for word in ("better", "worse", "different") if word in said]
    return [tag("span", tag("b", str(said.count(word))), f" {word}") for word in clear] or [
        tag("span", "none is clear")
    ]


def _table(runs: Sequence[Run], found: Found, metrics: Sequence[str]) -> Markup:
    names = names_of(runs)
    is_pair = len(runs) == 2
    head = [heading("metric"), heading(names[0], "num"), *([] if is_pair else [heading("run")])]
    head += [heading(names[1] if is_pair else "value", "num"), heading("difference", "num"), heading("", "bar")]
    head += [heading("p", "num wide"), heading("adjusted", "num wide")]
    by_metric = [{one.metric: one for one in each} for each in found]
    rows = []
    for metric in metrics:
        known = [(place, each[metric]) for place, each in enumerate(by_metric, start=1) if metric in each]
        for k, (place, one) in enumerate(known):
            first = (
                [tag("th", describe(metric).title, scope="row", title=describe(metric).definition)]
                if k == 0
                else [tag("th", "")]
            )
            rows.append(tag("tr", *first, *_cells(one, None if is_pair else names[place], place, is_first=k == 0)))
    return table(head, rows, class_="differences")


def _cells(one: Difference, name: str | None, place: int, *, is_first: bool) -> list[Markup]:
    first, second, change, between = change_cells(one, describe(one.metric).unit)
    said = verdict(one)
    shade = {"better": "supported", "worse": "contradicted"}.get(said)
    return [
        tag("td", first if is_first else None, class_="num"),
        *([] if name is None else [tag("td", tag("span", class_=f"swatch run{place}"), name, class_="whole")]),
        tag("td", second, class_="num"),
        tag("td", change, tag("small", said), class_=f"num whole {shade or ''}".strip(), title=between),
        tag("td", _forest(one), class_=f"bar run{place}"),
        tag("td", p_said(one.p), class_="num wide"),
        tag("td", p_said(one.p_adjusted), class_="num wide"),
    ]


def _forest(one: Difference) -> Markup:
    """Draw a difference and its interval on a line whose middle is 0, in units of what the metric can reach here."""
    reach = 1.1 * max(abs(one.low), abs(one.high), abs(one.second - one.first), 1e-9)
    if describe(one.metric).unit == "share":
        reach = max(reach, 0.25)
    low, high, value = (100 * (0.5 + end / (2 * reach)) for end in (one.low, one.high, one.second - one.first))
    band = tag("i", style=f"--low:{low:.1f}%;--high:{high:.1f}%")
    return tag("div", tag("u"), band, tag("b", style=f"--value:{value:.1f}%"), class_="forest", aria_hidden="true")


def _confusions(runs: Sequence[Run]) -> Markup | None:
    known = [(run.results.confusion, name) for run, name in zip(runs, names_of(runs), strict=True)]
    drawn = [tag("div", tag("h3", name), heat(confusion)) for confusion, name in known if confusion is not None]
    if not drawn:
        return None
    lead = "Rows are gold labels, columns are answers; each row sums to the samples of its label."
    return section("confusion", "Labels", lead, tag("div", *drawn, class_="pair"))


def _bars(runs: Sequence[Run], anchor: str, title: str, rates: Sequence[Sequence[Rates]]) -> Markup | None:
    """Draw the F1 of each label or action unit, one bar a run."""
    named = [{rate.name: rate for rate in each} for each in rates]
    shown = [name for name in dict.fromkeys(name for each in named for name in each)
             if any(name in each and (each[name].support or each[name].named) for each in named)]  # fmt: skip
    if not shown:
        return None
    names, rows = names_of(runs), []
    for name in shown:
        known = next(each[name] for each in named if name in each)
        short = facs.prose(name) if name in facs.UNITS else name
        full = tag("small", known.title) if known.title != name else None
        bars = [
            tag(
                "div",
                gauge(each[name].f1),
                class_=f"run{place}",
                title=f"{names[place]}: {percent(each[name].f1.value)} %",
            )
            for place, each in enumerate(named)
            if name in each
        ]
        values = [tag("div", percent(each[name].f1.value) if name in each else "—") for each in named]
        rows.append(
            tag("tr", tag("th", short, full, scope="row"), tag("td", f"{known.support:,}", class_="num"),
                tag("td", *values, class_="num"), tag("td", *bars, class_="bar"))
        )  # fmt: skip
    head = [heading(""), heading("n", "num"), heading("F1", "num"), heading("", "bar")]
    return section(anchor, title, "F1, one bar a run; the whisker is its interval.", table(head, rows, class_="runs"))


def _curves(runs: Sequence[Run]) -> Markup | None:
    results = [run.results for run in runs]
    drawn = [figure for figure in (curves.reliability(results), curves.risk(results)) if figure]
    if not drawn:
        return None
    return section("curves", "What the scores are worth", "One line a run.", tag("div", *drawn, class_="curves"))


# --- samples ----------------------------------------------------------------------------------------------------------


def choose(runs: Sequence[Run], limit: int) -> list[list[Scored]]:
    """Return at most `limit` samples, each as the runs have it: in turn the ones that each run has better than the
    first and the ones that it has worse, the greatest differences first; none on which they agree."""
    by_id = [{row.id: row for row in run.rows} for run in runs]
    queues: list[list[str]] = []
    for other in by_id[1:]:
        gaps = {id: _gap(by_id[0][id], other[id]) for id in by_id[0]}
        order = sorted((id for id in gaps if any(gaps[id])), key=lambda id: hashlib.sha256(id.encode()).digest())
        better = sorted((id for id in order if gaps[id] > (0, 0, 0)), key=lambda id: gaps[id], reverse=True)
        queues += [better, sorted((id for id in order if gaps[id] < (0, 0, 0)), key=lambda id: gaps[id])]
    turns = [id for turn in zip_longest(*queues) for id in turn if id is not None]
    return [[rows[id] for rows in by_id] for id in list(dict.fromkeys(turns))[:limit]]


def _gap(first: Scored, other: Scored) -> tuple[float, int, int]:
    """Return how many more faults the first has."""
    one, two = faults(first), faults(other)
    return one[0] - two[0], one[1] - two[1], one[2] - two[2]


def _samples(runs: Sequence[Run], chosen: Sequence[Sequence[Scored]], view: View) -> Markup | None:
    if not chosen:
        return None
    lead = (
        f"{plural(len(chosen), 'sample')} of {view.total:,} on which the runs differ most, better and worse in turn: "
        "to look at, not to count."
    )
    names = names_of(runs)
    return section("samples", "Where they differ", lead, legend(), *(_card(rows, names, view) for rows in chosen))


def _card(rows: Sequence[Scored], names: Sequence[str], view: View) -> Markup:
    row = rows[0]
    gold = tag("span", "gold: ", tag("b", row.gold)) if row.gold is not None else None
    said = (
        tag("div", tag("h3", tag("span", class_=f"swatch run{place}"), f"{name}: ", _answer(one)), explanation(one),
            class_="said")
        for place, (name, one) in enumerate(zip(names, rows, strict=True))
    )  # fmt: skip
    return tag(
        "article",
        tag("div", gold, tag("span", row.id, class_="id"), class_="head"),
        tag("div", picture(row, view), tag("div", aus_of(row), class_="note"), class_="face"),
        tag("div", *said, class_="beside"),
        class_="sample versus",
    )


def _answer(row: Scored) -> Markup:
    if row.judged == "detector":
        return tag(
            "span", "no face" if row.au_set_f1 is None else f"AU F1 {row.au_set_f1:.2f}", class_="verdict unknown"
        )
    correct = {True: "right", False: "wrong", None: "unknown"}[row.correct]
    sign = {"right": "✓", "wrong": "✗", "unknown": "?"}[correct]
    return tag("span", f"{sign} {row.predicted or 'no label'}", class_=f"verdict {correct}")
