"""The sample cards: the face, its measured action units, and what was said about it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import NamedTuple

from emollm import facs
from emollm.errors import RecordError
from emollm.records import AU, AU_RANGE, Sample, media_path
from eval.report.details import details
from eval.report.explanation import explanation
from eval.report.figures import measured, plural
from eval.report.markup import Markup, join, section, tag, void
from eval.report.thumbnails import thumbnail
from eval.scored import Scored

STATES = {"hit": "named", "miss": "not named", "false_alarm": "named, not there"}


class View(NamedTuple):
    """What the cards need besides the scores."""

    thresholds: Mapping[str, float]
    media_root: Path | None
    """None: no pictures."""
    total: int
    """Samples scored, shown or not."""


class Choice(NamedTuple):
    """The samples that are shown."""

    worst: list[Scored]
    drawn: list[Scored]


def choose(rows: Sequence[Scored], limit: int, seed: int) -> Choice:
    """Return at most `limit` samples: the worst as half of them, the others drawn evenly from right and wrong labels
    with true and untrue explanations.

    The draw depends on the ids and the seed alone.
    """
    shuffled = sorted(rows, key=lambda row: hashlib.sha256(f"{seed}:{row.id}".encode()).digest())
    worst = [row for row in sorted(shuffled, key=faults, reverse=True) if any(faults(row))][: (limit + 1) // 2]
    ids = {row.id for row in worst}
    cells: dict[tuple[bool, bool], list[Scored]] = {}
    for row in (row for row in shuffled if row.id not in ids):
        cells.setdefault((row.correct is not False, row.is_true), []).append(row)
    order = [cells[key] for key in sorted(cells)]
    drawn = [row for turn in zip_longest(*order) for row in turn if row is not None]
    return Choice(worst, drawn[: limit - len(worst)])


def faults(row: Scored) -> tuple[float, int, int]:
    """Return how wrong the label is (0 to 1), how many claims are contradicted, and how many action units are missed:
    the worst sample has the greatest."""
    if row.judged == "detector":
        return 1.0 - (1.0 if row.au_set_f1 is None else row.au_set_f1), len(row.au_false_alarms or ()), 0
    wrong = float(row.correct is False) if row.correct is not None or row.labels_f1 is None else 1.0 - row.labels_f1
    return wrong, row.num_claims("contradicted"), len(row.omitted)


WORST_LEAD = {
    "model": "A wrong label first, then the most contradicted claims, then the most action units left out.",
    "detector": "The lowest F1 of the action units first.",
}


def samples(choice: Choice, view: View) -> Markup:
    """Draw the legend, the filters and the cards, the worst first."""
    shown = [*choice.worst, *choice.drawn]
    if not shown:
        return join()
    lead = f"All {plural(view.total, 'sample')}, the worst first."
    if len(shown) < view.total:
        lead = f"{len(shown):,} of {view.total:,}: to look at, not to count. The rest is in samples.jsonl."
    parts = [
        (choice.worst, "The worst", WORST_LEAD[shown[0].judged]),
        (choice.drawn, "Others", "Drawn evenly from right and wrong labels with true and untrue explanations."),
    ]
    cards = [
        tag("div", tag("h3", title), tag("p", told, class_="note"), *(_card(row, view) for row in rows), class_="part")
        for rows, title, told in parts
        if rows
    ]
    return section("samples", "Samples", lead, legend(shown), _filters(shown), *cards)


def legend(rows: Sequence[Scored]) -> Markup | None:
    """Say what the marks under claims mean, where there can be any."""
    if rows[0].judged == "detector":
        return None
    meanings = {
        "supported": "the face shows it",
        "contradicted": "the face does not show it",
        "not_assessable": "not measured, hidden or borderline",
    }
    items = (
        tag("li", tag("span", tag("mark", verdict.replace("_", " "), class_=verdict), f" {meaning}"))
        for verdict, meaning in meanings.items()
    )
    return tag("ul", *items, class_="legend")


def _filters(rows: Sequence[Scored]) -> Markup:
    radios = [
        tag("label", void("input", type="radio", name="correct", value=value, checked=not value), title)
        for value, title in (("", "All"), ("right", "Right"), ("wrong", "Wrong"))
    ]
    golds = sorted({row.gold for row in rows if row.gold is not None})
    options = [tag("option", "any label", value=""), *(tag("option", gold, value=gold) for gold in golds)]
    return tag(
        "form",
        tag("fieldset", *radios, aria_label="Right or wrong"),
        tag("label", "Gold ", tag("select", *options, name="gold")),
        tag("label", void("input", type="checkbox", name="contradicted"), " with a contradicted claim"),
        tag("span", id="shown", role="status"),
        id="filters",
        hidden=True,
    )


def _card(row: Scored, view: View) -> Markup:
    correct = {True: "right", False: "wrong", None: "unknown"}[row.correct]
    return tag(
        "article",
        tag("div", _labels(row, correct), tag("span", row.id, class_="id"), class_="head"),
        tag("div", picture(row, view), class_="face"),
        tag("div", _aus(row, view.thresholds), class_="aus"),
        tag("div", explanation(row), details(row), class_="said"),
        class_="sample",
        data_correct=correct,
        data_gold=row.gold or "",
        data_contradicted=str(row.num_claims("contradicted")),
    )


def _labels(row: Scored, correct: str) -> Markup:
    sign = {"right": "✓", "wrong": "✗", "unknown": "?"}[correct]
    said = row.predicted if row.predicted is not None else "no label"
    if row.judged == "detector":
        f1 = "no action units" if row.au_set_f1 is None else f"AU F1 {row.au_set_f1:.2f}"
        return tag("h3", f1, class_="verdict unknown")
    gold = tag("span", "gold: ", tag("b", row.gold)) if row.gold is not None else tag("span", "no gold label")
    return join(tag("h3", f"{sign} {said}", class_=f"verdict {correct}"), gold)


def picture(row: Scored, view: View) -> Markup:
    """Return the face, or that there is no picture of it."""
    found = _thumbnail(row, view.media_root) if view.media_root is not None else None
    if found is None:
        return tag("div", "no picture", class_="blank")
    return void("img", src=found, alt=f"face of sample {row.id}", loading="lazy")


def _thumbnail(row: Scored, root: Path) -> str | None:
    try:
        path = media_path(Sample(id=row.id, media=row.media), root)
    except RecordError:  # a link that leads out of the folder
        return None
    return thumbnail(path, row.face.box if row.face else None) if path is not None else None


def aus_of(row: Scored) -> str:
    """Name the AUs that are present, in a line."""
    there = sorted({*(row.au_hits or ()), *(row.au_misses or ())})
    aus = (row.face.aus if row.face else None) or {}
    if row.au_hits is None:
        return "No action units were measured."
    return (
        ", ".join(f"{facs.prose(au)} {measured(aus[au])}" for au in there if au in aus) or "No action unit is present."
    )


def _aus(row: Scored, thresholds: Mapping[str, float]) -> Markup:
    """Draw the AUs that are present or named, and list the others."""
    aus = (row.face.aus if row.face else None) or {}
    if not aus:
        return tag("p", "No action units were measured.", class_="note")
    kinds = {"hit": row.au_hits, "miss": row.au_misses, "false_alarm": row.au_false_alarms}
    state = {au: kind for kind, found in kinds.items() for au in found or ()}
    bars = (_bar(au, aus[au], state[au], thresholds) for au in sorted(state))
    hidden = ", ".join((row.face.hidden if row.face else None) or ())
    return join(
        tag("h3", "Measured on the face; dashed: threshold"),
        *bars,
        tag("p", f"Hidden: {hidden}.", class_="note") if hidden else None,
        _quiet(row.au_rejections or ()),
    )


def _quiet(aus: Sequence[str]) -> Markup | None:
    """List the AUs that are not there and were rightly not named, folded away."""
    if not aus:
        return None
    summary = tag("summary", f"{plural(len(aus), 'other')} below the threshold, not named")
    return tag("details", summary, tag("p", ", ".join(map(facs.prose, aus)), class_="note"))


def _bar(name: str, au: AU, state: str, thresholds: Mapping[str, float]) -> Markup:
    top = AU_RANGE[au.kind]
    sides = [f"{side} {v:g}" for side, v in (("left", au.left), ("right", au.right)) if v is not None]
    place = f"--value:{100 * au.value / top:.1f}%;--threshold:{100 * thresholds[au.kind] / top:.1f}%"
    title = facs.UNITS[name].name
    return tag(
        "div",
        tag("span", facs.prose(name), class_="code"),
        tag("span", tag("b"), tag("u"), class_="track", style=place),
        tag("span", measured(au), class_="value"),
        tag("span", f"{title} · ", tag("span", STATES[state], class_="state"), class_="name"),
        class_=f"row {state}",
        title=f"{title}: {au.kind} {au.value:g} of {top:g}" + (f" ({', '.join(sides)})" if sides else ""),
    )
