"""compared.html: runs on the same samples side by side, in one file that needs no network.

    write_comparison(path, runs, found, media_root=None, max_samples=40)

Every drawing of `report` that says more beside another is here: the differences with their intervals, confusion, bars
for each label and action unit, curves, and the samples on which the runs differ.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from itertools import zip_longest
from pathlib import Path

from emollm import facs
from emollm.files import in_one_step
from eval.differences import Comparison
from eval.report import contents, curves, frame, notes
from eval.report.differences import differences
from eval.report.explanation import explanation
from eval.report.figures import gauge, percent, plural
from eval.report.markup import Markup, heading, section, table, tag
from eval.report.numbers import data
from eval.report.samples import View, aus_of, faults, legend, picture
from eval.report.tables import heat
from eval.results import Rates
from eval.runs import Run, names_of
from eval.scored import Scored


def write_comparison(
    path: Path, runs: Sequence[Run], found: Sequence[Comparison], *, media_root: Path | None, max_samples: int
) -> None:
    """Write the page. `media_root` None leaves the pictures out."""
    chosen = choose(runs, found, max_samples)
    view = View(runs[0].results.settings.thresholds, media_root, total=len(runs[0].rows))
    parts = (
        ("Differences", differences(runs, found)),
        ("Labels", _confusions(runs)),
        ("Each label", _bars(runs, "labels", "Each label", [run.results.labels for run in runs])),
        ("Action units", _bars(runs, "aus", "Each action unit", [run.results.aus for run in runs])),
        ("Curves", _curves(runs)),
        ("Samples", _samples(runs, chosen, view)),
    )
    page = frame(
        f"{' · '.join(names_of(runs))} · emollm compare",
        _header(runs),
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


def _header(runs: Sequence[Run]) -> Markup:
    names = names_of(runs)
    models = [", ".join(run.results.models) for run in runs]
    return tag(
        "header",
        tag("p", "emollm compare", class_="eyebrow"),
        tag("h1", f"{', '.join(names[:-1])} and {names[-1]}"),
        tag("p", data(runs[0].results), class_="lead"),
        _colours(names, models),
    )


def _colours(names: Sequence[str], models: Sequence[str] | None = None) -> Markup:
    """Say which colour is which run."""
    entries = (
        tag(
            "li",
            tag("span", class_=f"swatch run{place}"),
            tag("b", name),
            tag("span", models[place]) if models else None,
        )
        for place, name in enumerate(names)
    )
    return tag("ul", *entries, class_="legend")


# --- numbers ----------------------------------------------------------------------------------------------------------


def _confusions(runs: Sequence[Run]) -> Markup | None:
    known = [(run.results.confusion, name) for run, name in zip(runs, names_of(runs), strict=True)]
    drawn = [tag("div", tag("h3", name), heat(confusion)) for confusion, name in known if confusion is not None]
    if not drawn:
        return None
    lead = "Rows are gold labels, columns are answers; each row sums to the samples of its label."
    return section("confusion", "Labels", lead, tag("div", *drawn, class_="pair even"))


def _bars(runs: Sequence[Run], anchor: str, title: str, rates: Sequence[Sequence[Rates]]) -> Markup | None:
    """Draw the F1 of each label or action unit, one bar a run."""
    named = [{rate.name: rate for rate in each} for each in rates]
    known = dict.fromkeys(name for each in named for name in each)
    shown = [name for name in known if any(name in each and each[name].f1.value is not None for each in named)]
    absent = [name for name in known if name not in shown and any(name in each and each[name].named for each in named)]
    if not shown:
        return None
    names, rows = names_of(runs), []
    for name in shown:
        one = next(each[name] for each in named if name in each)
        full = tag("small", one.title) if one.title != name else None
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
            tag("tr", tag("th", _short(name), full, scope="row"), tag("td", f"{one.support:,}", class_="num"),
                tag("td", *values, class_="num"), tag("td", *bars, class_="bar"))
        )  # fmt: skip
    head = [heading(""), heading("n", "num"), heading("F1", "num"), heading("", "bar")]
    lead = "F1, one bar a run; the whisker is its interval. n: samples in which it is there."
    note = tag("p", f"Never there, and named by some run: {', '.join(map(_short, absent))}.", class_="note")
    return section(anchor, title, lead, _colours(names), table(head, rows, class_="runs"), note if absent else None)


def _short(name: str) -> str:
    """Return a label, or an AU as it is written in prose."""
    return facs.prose(name) if name in facs.UNITS else name


def _curves(runs: Sequence[Run]) -> Markup | None:
    results = [run.results for run in runs]
    drawn = [figure for figure in (curves.reliability(results), curves.risk(results)) if figure]
    if not drawn:
        return None
    drawings = tag("div", *drawn, class_="curves")
    return section("curves", "What the scores are worth", "One line a run.", _colours(names_of(runs)), drawings)


# --- samples ----------------------------------------------------------------------------------------------------------


def choose(runs: Sequence[Run], found: Sequence[Comparison], limit: int) -> list[list[Scored]]:
    """Return at most `limit` samples, each as the runs have it: in turn the ones that each run has better than the run
    it is compared with and the ones that it has worse, the greatest differences first; none on which they agree."""
    by_id = [{row.id: row for row in run.rows} for run in runs]
    queues: list[list[str]] = []
    for pair in found:
        gaps = {id: _gap(row, by_id[pair.second][id]) for id, row in by_id[pair.first].items()}
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
    meanings = legend(chosen[0])
    return section("samples", "Where they differ", lead, meanings, *(_card(rows, names, view) for rows in chosen))


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
        tag("div", *said, class_="beside" if len(rows) % 2 else "beside even"),
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
