"""Numbers as text and as drawings: percentages, intervals, gauges."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from emollm import facs
from emollm.records import AU
from eval.report.markup import Markup, tag
from eval.results import Number

if TYPE_CHECKING:
    from eval.differences import Difference


def percent(share: float | None, digits: int = 1) -> str:
    """Return 0.8423 as 84.2, and — for what is not known."""
    return "—" if share is None else f"{100 * share:.{digits}f}"


def amount(number: Number, unit: str) -> str:
    """Return the value in its unit, without the unit's sign."""
    if number.value is None:
        return percent(None)
    return figures((number.value,), unit)[0]


def interval(number: Number, unit: str) -> str:
    """Return `79.1 – 88.7`, or that there is none."""
    if number.low is None or number.high is None:
        return "no interval"
    return " – ".join(figures((number.low, number.high), unit))


def figures(values: Sequence[float], unit: str) -> list[str]:
    """Return values that stand side by side with as many digits each: shares and words one, numbers two or three."""
    if unit == "share":
        return [percent(value) for value in values]
    digits = 1 if unit == "words" else 3 if min(map(abs, values)) < 1 else 2
    return [f"{value:.{digits}f}" for value in values]


def gauge(number: Number) -> Markup | None:
    """Draw a share and its interval on a line from 0 to 100 %."""
    if number.value is None:
        return None
    band = None
    if number.low is not None and number.high is not None:
        band = tag("i", style=f"--low:{percent(number.low, 2)}%;--high:{percent(number.high, 2)}%")
    return tag("div", band, tag("b", style=f"--value:{percent(number.value, 2)}%"), class_="gauge", aria_hidden="true")


def change_cells(one: Difference, unit: str) -> tuple[str, str, str, str]:
    """Return the first value, the second, the difference and its interval, shares in points; — for no interval."""
    first, second = figures((one.first, one.second), unit)
    change, low, high = (signed(value, unit) for value in (one.second - one.first, one.low, one.high))
    return first, second, change, "—" if math.isnan(one.low) else f"{low} – {high}"


def signed(value: float, unit: str) -> str:
    """Return a difference with its sign, of shares in points."""
    if unit == "share":
        return f"{100 * value:+.1f}"
    return f"{value:+.{1 if unit == 'words' else 3}f}"


def p_said(p: float | None) -> str:
    """Return p as `0.012`, `<0.001`, or — for none."""
    if p is None or math.isnan(p):
        return "—"
    return f"{p:.3f}" if p >= 0.001 else "<0.001"


def plural(n: int, noun: str) -> str:
    """Return `1 sample` or `1,200 samples`."""
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun}s"


def measured(au: AU, value: float | None = None) -> str:
    """Return an AU's value, or one side's, as `3.1 C` where it is an intensity and as `0.42` where it is not."""
    value = au.value if value is None else value
    if au.kind != "intensity":
        return f"{value:.2f}"
    return f"{value:.1f} {facs.letter(value) or ''}".strip()
