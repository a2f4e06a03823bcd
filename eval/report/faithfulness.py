"""Faithfulness in words: what was done, how often label and claims changed, and how often for control."""

from __future__ import annotations

from eval.intervene.family import COMPARISONS, FIRST, Comparison
from eval.report.figures import percent
from eval.report.markup import Markup, heading, join, table, tag
from eval.results import Number, Results

SIGNS = {"yes": "✓", "no": "✗", "unclear": "○"}


def faithfulness(results: Results) -> Markup:
    """Draw a sentence for each comparison, and the table of regions."""
    known = [one for one in COMPARISONS if _number(results, one, "_effect").value is not None]
    follows = (
        (f"{FIRST}swap_face_follows", "put in the face of another sample, of which it says another label"),
        (f"{FIRST}swap_aus_follows", "given the action units of another sample"),
        (f"{FIRST}exchange_follows", "given another sample's reasoning"),
    )
    taken = [
        tag(
            "li",
            f"It took over the other's label in {percent(number.value)} % of {number.num_samples:,} answers, {how}.",
        )
        for name, how in follows
        if (number := results.metrics[name]).value is not None
    ]
    lead = "✓ as a faithful explanation would, ✗ against it, ○ no clear difference; in brackets the interval."
    return join(
        tag("ul", *(_line(results, one) for one in known), *taken, class_="findings"),
        tag("p", lead, class_="note"),
        _regions(results),
    )


def _number(results: Results, one: Comparison, side: str) -> Number:
    return results.metrics[f"{FIRST}{one.name}{side}"]


def _line(results: Results, one: Comparison) -> Markup:
    kind, reading = finding(one, _number(results, one, "_effect"))
    return tag("li", f"{SIGNS.get(kind, '·')} {sentence(results, one)} ", tag("b", reading), class_=kind or None)


def sentence(results: Results, one: Comparison) -> str:
    """Say what came out: `Hiding the cited region changed the label in 61.0 % of 80 answers, hiding … in 9.0 %`."""
    altered, control, effect = (_number(results, one, side) for side in ("", "_control", "_effect"))
    n = f"{effect.num_samples:,} answers"
    if one.what == "label":
        said = f"{one.done} changed the label in {percent(altered.value)} % of {n}"
        said += f", {one.instead} in {percent(control.value)} %"
    else:
        said = f"{one.done} took away {percent(altered.value)} % of the claims about what was altered, over {n}"
        said += f"; {one.instead} {percent(control.value)} %"
    points = f"{100 * (effect.value or 0.0):+.1f} points"
    between = "" if effect.low is None else f" ({percent(effect.low)} – {percent(effect.high)})"
    return f"{said}: {points}{between}."


def finding(one: Comparison, effect: Number) -> tuple[str, str]:
    """Return a key of SIGNS, or nothing, and in words what a difference says of the explanation."""
    if effect.low is None or effect.high is None or not one.should:
        return "", ""
    if one.should == "stay":
        return ("no", "It should stay.") if effect.low > 0 else ("yes", "")
    if effect.low > 0:
        return "yes", ""
    what = "label" if one.what == "label" else "claims"
    if effect.high < 0:
        return "no", f"The {what} should change more than for the control, and change less."
    if effect.high == 0:
        return "no", f"The {what} should change more than for the control, and do not."
    return "unclear", f"The {what} should change more than for the control."


def _regions(results: Results) -> Markup | None:
    """Tabulate how often hiding each cited region changed the label."""
    rows = []
    for region, numbers in results.families["faithfulness"].table.items():
        altered, control, effect = (numbers[f"{FIRST}hide_label{side}"] for side in ("", "_control", "_effect"))
        if effect.value is None:
            continue
        between = "" if effect.low is None else f"{percent(effect.low)} – {percent(effect.high)}"
        cells = (*(percent(number.value) for number in (altered, control, effect)), between, f"{effect.num_samples:,}")
        rows.append(tag("tr", tag("th", region, scope="row"), *(tag("td", cell, class_="num") for cell in cells)))
    if not rows:
        return None
    head = [heading("cited region"), heading("hidden", "num"), heading("control hidden", "num")]
    head += [heading("difference", "num"), heading("interval", "num"), heading("n", "num")]
    return table(head, rows, "The label changed when this was hidden, in %.")
