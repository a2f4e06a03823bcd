"""What was said about one face: the text with every claim marked, and in words what the marks show."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

import msgspec

from emollm import facs
from emollm.claims.checker import REASONS, VERDICTS
from emollm.records import AU, Face
from eval.report.figures import measured, plural
from eval.report.markup import Markup, join, tag
from eval.scored import Scored, ScoredClaim

MAX_CHARACTERS = 4000
"""Of a completion; the rest is in samples.jsonl."""

APART = "Not the model's own answer: a question, or turns that it invents. Nothing of it is scored."

PART = re.compile(r"(\*\*[^*\n]{1,60}\*\*:?|</?(?:context|think|answer)>)")
"""The headings and tags of the answer styles."""

MAX_VALUES = 3
"""Measured values shown with a claim; a claim about a region has many AUs."""

TIMES = {"onset": "from", "apex": "strongest at", "offset": "until", "at": "at"}
"""How a time of a claim is said, by what it is."""

WORST_FIRST = ("contradicted", "not_assessable", "supported")


def explanation(row: Scored) -> Markup:
    """Draw the completion, what is wrong or left out, and the table of its claims."""
    if row.judged == "detector":
        return tag("p", f"Measured by {row.model}." if row.model else "No face was detected.", class_="note")
    if row.completion is None:
        return tag("p", "No prediction for this sample.", class_="missing")
    if not row.completion.strip():
        return tag("p", "The prediction is empty.", class_="missing")
    rest = len(row.completion) - MAX_CHARACTERS
    return join(
        tag("blockquote", _told(row)),
        tag("p", f"… and {rest:,} more characters in samples.jsonl", class_="note") if rest > 0 else None,
        _facts(row),
        _claims(row),
    )


def _told(row: Scored) -> Markup:
    """Return the completion with its claims marked; what is no part of the model's own answer is set back."""
    told = (row.completion or "")[:MAX_CHARACTERS]
    start, end = row.own or (0, len(told))
    claims = [msgspec.structs.replace(claim, start=claim.start - start, end=claim.end - start) for claim in row.claims]
    before, after = (tag("span", rest, class_="apart", title=APART) if rest.strip() else rest
                     for rest in (told[:start], told[end:]))  # fmt: skip
    return join(before, marked(told[start:end], claims, row.face), after)


def marked(said: str, claims: Sequence[ScoredClaim], face: Face | None = None) -> Markup:
    """Return the text with each claim's span marked; where spans overlap, the worst verdict shows."""
    parts: list[Markup] = []
    for start, end, covering in _pieces(len(said), claims):
        if covering:
            worst = min((claim.verdict for claim in covering), key=WORST_FIRST.index)
            parts.append(
                tag("mark", said[start:end], class_=worst, title="\n".join(reading(claim, face) for claim in covering))
            )
        else:
            parts.append(_plain(said[start:end]))
    return join(*parts)


def _plain(said: str) -> Markup:
    """Return text with the headings and tags of the answer styles set apart."""
    pieces = PART.split(said)  # text, part, text, part, …, text
    return join(*(tag("b", piece.replace("**", "")) if i % 2 else piece for i, piece in enumerate(pieces)))


def _pieces(length: int, claims: Sequence[ScoredClaim]) -> Iterator[tuple[int, int, list[ScoredClaim]]]:
    """Cut the text wherever a claim starts or ends; yield start, end and the claims that cover the piece."""
    spans = [(max(0, claim.start), min(length, claim.end), claim) for claim in claims]
    spans = sorted((span for span in spans if span[0] < span[1]), key=lambda span: span[0])
    cuts = sorted({0, length, *(cut for start, end, _ in spans for cut in (start, end))})
    covering: list[tuple[int, int, ScoredClaim]] = []
    upcoming = 0
    for start, end in pairwise(cuts):
        while upcoming < len(spans) and spans[upcoming][0] <= start:
            covering.append(spans[upcoming])
            upcoming += 1
        covering = [span for span in covering if span[1] > start]
        yield start, end, [claim for _, _, claim in covering]


def reading(claim: ScoredClaim, face: Face | None = None) -> str:
    """Say how a claim was read and judged: `AU4 there, left: contradicted (measured, and not there: AU4 0.2)`."""
    if claim.region is not None:
        what = f"{claim.region} {'in motion' if claim.present else 'at rest'}"
    else:
        what = f"{' or '.join(map(facs.prose, claim.aus))} {'there' if claim.present else 'not there'}"
    said = (_side_said(claim), claim.letters, _times_said(claim), "hedged" if claim.hedged else "")
    details = [what, *filter(None, said)]
    values = values_of(claim, face)
    why = f" ({REASONS.get(claim.reason, claim.reason)}{': ' if values else ''}{values})" if claim.reason else ""
    return f"{', '.join(details)}: {claim.verdict.replace('_', ' ')}{why}"


def _side_said(claim: ScoredClaim) -> str:
    if claim.uneven:
        return f"more on the {claim.side}" if claim.side else "uneven"
    return claim.side or ""


def _times_said(claim: ScoredClaim) -> str:
    return " ".join(f"{TIMES[time.kind]} {time.seconds:g}\N{NO-BREAK SPACE}s" for time in claim.times)


def values_of(claim: ScoredClaim, face: Face | None) -> str:
    """Return what was measured of a claim's AUs, the strongest first."""
    aus = (face.aus if face else None) or {}
    found = sorted((au for au in claim.aus if au in aus), key=lambda au: -aus[au].value)[:MAX_VALUES]
    return ", ".join(f"{facs.prose(name)}\N{NO-BREAK SPACE}{_sides(claim, aus[name])}" for name in found)


def _sides(claim: ScoredClaim, au: AU) -> str:
    if claim.reason != "side" or au.left is None or au.right is None:
        return measured(au)
    return f"left {measured(au, au.left)}, right {measured(au, au.right)}"


def _facts(row: Scored) -> Markup | None:
    """List the contradicted claims and the omitted AUs: what colour alone must not carry."""
    faults: dict[str, list[str]] = {}
    for claim in row.claims:
        if claim.verdict == "contradicted":
            faults.setdefault(_fault(claim, row.face), []).append(f"“{claim.text}”")
    lines = [tag("li", f"✗ {', '.join(quotes)} — {fault}", class_="no") for fault, quotes in faults.items()]
    if row.omitted:
        names = (
            f"{facs.prose(au)} {facs.UNITS[au].name}" if au in facs.UNITS else facs.prose(au) for au in row.omitted
        )
        lines.append(tag("li", f"○ not mentioned — {', '.join(names)}", class_="gap"))
    return tag("ul", *lines, class_="facts") if lines else None


def _fault(claim: ScoredClaim, face: Face | None) -> str:
    """Say in few words what is wrong: `said left, measured AU12 left 0.1, right 3.2 C`."""
    said = {"strength": claim.letters, "side": _side_said(claim), "time": _times_said(claim)}.get(claim.reason)
    return f"{f'said {said}, ' if said else ''}measured {values_of(claim, face)}"


def _claims(row: Scored) -> Markup:
    if not row.claims:
        return tag("p", "No claim about the face was read.", class_="note")
    counted = ", ".join(f"{n} {verdict.replace('_', ' ')}" for verdict in VERDICTS if (n := row.num_claims(verdict)))
    rows = (
        tag("tr", tag("td", claim.text), tag("td", reading(claim, row.face), class_=claim.verdict))
        for claim in row.claims
    )
    summary = tag("summary", f"{plural(len(row.claims), 'claim')}: {counted}")
    return tag("details", summary, tag("table", tag("tbody", *rows)))
