"""What the families of metrics have to show about one sample: the votes of a judge, and what others read in the answer.

Everything in it comes from samples.jsonl, some of it from a language model: it is text, and stays text.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from eval.metrics.families import FAMILIES
from eval.report.markup import Markup, join, tag
from eval.scored import Scored

SHADES = {"matched": "supported", "contradicted": "contradicted", "missing": "not_assessable"}
"""Verdicts of the judge on a clue → how a claim of the same kind is coloured."""

MAX_CHARACTERS = 600
"""Of one value; the rest is in samples.jsonl."""


def details(row: Scored) -> Markup | None:
    """Draw the judge's votes, and folded away what every other family shows."""
    judged = row.details.get("judge")
    votes = _votes(judged) if isinstance(judged, Mapping) and "verdicts" in judged else None
    rest = {name: value for name, value in row.details.items() if votes is None or name != "judge"}
    entries = [
        part
        for name, value in rest.items()
        for part in (tag("dt", FAMILIES[name].title if name in FAMILIES else name), tag("dd", *_lines(value)))
    ]
    folded = tag("details", tag("summary", "what other measures read"), tag("dl", *entries)) if entries else None
    return join(votes, folded) if votes or folded else None


def _votes(judged: Mapping[str, Any]) -> Markup | None:
    """Tabulate how often each clue of the gold description got each verdict, and how the labels relate."""
    verdicts = [one for one in judged["verdicts"] if isinstance(one, Mapping)]
    if not verdicts:
        return tag("p", "The judge gave no verdict that could be read.", class_="note")
    rows = []
    for place, clue in enumerate(judged.get("clues") or ()):
        counts = Counter(str(one["clues"][place]) for one in verdicts if place < len(one.get("clues") or ()))
        rows.append(tag("tr", tag("td", str(clue)), _counted(counts)))
    relations = Counter(str(one["relation"]) for one in verdicts if one.get("relation") is not None)
    if relations:
        labels = f"labels: {', '.join(map(str, judged.get('labels') or ()))}"
        rows.append(tag("tr", tag("td", labels), _counted(relations)))
    head = tag("h3", f"Gold description, by the judge ({len(verdicts)} of {len(judged['verdicts'])} verdicts read)")
    return tag("div", head, tag("table", tag("tbody", *rows)), class_="votes")


def _counted(counts: Counter[str]) -> Markup:
    """Return a cell with each verdict and how often it was given, in the colour of the most frequent one."""
    several = counts.total() > 1
    said = ", ".join(f"{verdict} {n}×" if several else verdict for verdict, n in counts.most_common())
    shade = SHADES.get(counts.most_common(1)[0][0]) if counts else None
    return tag("td", said or "—", class_=shade)


def _lines(value: Any) -> list[Markup]:
    """Return any JSON value as lines of text."""
    if isinstance(value, Mapping):
        return [
            tag("div", f"{str(name).replace('_', ' ')}: {_said(one)}"[:MAX_CHARACTERS]) for name, one in value.items()
        ]
    return [tag("div", _said(value)[:MAX_CHARACTERS])]


def _said(value: Any) -> str:
    if value is None:
        return "—"
    if isinstance(value, Mapping):
        return "; ".join(f"{name} {_said(one)}" for name, one in value.items())
    if isinstance(value, Sequence) and not isinstance(value, str):
        counts = Counter(map(_said, value))
        return ", ".join(said if n == 1 else f"{said} {n}×" for said, n in counts.items()) or "nothing"
    return f"{value:g}" if isinstance(value, float) else str(value).replace("_", " ")
