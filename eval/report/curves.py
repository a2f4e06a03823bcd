"""Two curves, drawn as SVG: the reliability diagram, and the risk at every coverage.

    reliability([results])          one run
    risk([first, second])           runs over each other, in colours of their own

Both are the tables of the families `calibration` and `selective` in results.json; a mark's title tells its numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from eval.report.figures import interval, percent
from eval.report.markup import Markup, join, tag
from eval.results import Number, Results

SIDE, LEFT, BOTTOM, TOP = 300.0, 42.0, 40.0, 12.0
"""Of the square that is plotted in, and the room around it, in units of the drawing."""


class Point(NamedTuple):
    """A mark: where it is, 0 to 1 on both axes, its interval, its samples, and what is told of it."""

    x: float
    y: float
    low: float | None
    high: float | None
    n: int
    told: str


class Axes(NamedTuple):
    """What is plotted against what."""

    x: str
    y: str
    has_diagonal: bool


def reliability(runs: Sequence[Results]) -> Markup | None:
    """Draw how often the label with the highest score is right, by that score; the size of a mark is its samples."""
    axes = Axes("confidence", "how often right", has_diagonal=True)
    lead = "On the dashed line a model is right as often as its scores say; below it, it promises too much."
    return _figure("calibration", runs, _bins, axes, lead)


def risk(runs: Sequence[Results]) -> Markup | None:
    """Draw the share of wrong answers among those that the model is surest of."""
    axes = Axes("coverage: share of samples answered", "risk: share of wrong answers", has_diagonal=False)
    lead = "The surest answers are on the left; the lower the line, the better."
    return _figure("selective", runs, _coverages, axes, lead)


def _bins(results: Results) -> list[Point]:
    points = []
    for name, numbers in results.families["calibration"].table.items():
        right, confidence = numbers["scored_accuracy"], numbers["mean_confidence"]
        if right.value is not None and confidence.value is not None:
            told = f"confidence {name}: right {_told(right)}, n = {right.num_samples:,}"
            points.append(Point(confidence.value, right.value, right.low, right.high, right.num_samples, told))
    return points


def _coverages(results: Results) -> list[Point]:
    points = []
    for name, numbers in results.families["selective"].table.items():
        right = numbers["selective_accuracy"]
        if right.value is not None:
            low, high = (None if end is None else 1.0 - end for end in (right.high, right.low))
            told = f"{name} answered: right {_told(right)}"
            points.append(Point(float(name.removesuffix(" %")) / 100, 1.0 - right.value, low, high, 0, told))
    return points


def _told(number: Number) -> str:
    return f"{percent(number.value)} % ({interval(number, 'share')})"


def _figure(
    family: str, runs: Sequence[Results], points_of: Callable[[Results], list[Point]], axes: Axes, lead: str
) -> Markup | None:
    """Draw the axes and one line a run."""
    if not all(family in results.families for results in runs):
        return None
    drawn = [points_of(results) for results in runs]
    if not any(drawn):
        return None
    lines = (_line(points, place, is_alone=len(runs) == 1) for place, points in enumerate(drawn))
    width, height = LEFT + SIDE + 12, TOP + SIDE + BOTTOM
    drawing = tag(
        "svg", _grid(axes), *lines, viewBox=f"0 0 {width:g} {height:g}", role="img", aria_label=f"{axes.y} by {axes.x}"
    )
    return tag("figure", drawing, tag("figcaption", lead), class_="curve")


def _grid(axes: Axes) -> Markup:
    parts = []
    for tick in (0.0, 0.25, 0.5, 0.75, 1.0):
        x, y = _at(tick, tick)
        parts += [
            tag("line", x1=_n(LEFT), x2=_n(LEFT + SIDE), y1=_n(y), y2=_n(y), class_="rule"),
            tag("text", f"{100 * tick:.0f}", x=_n(LEFT - 7), y=_n(y + 4), class_="end"),
            tag("text", f"{100 * tick:.0f}", x=_n(x), y=_n(TOP + SIDE + 16), class_="middle"),
        ]
    if axes.has_diagonal:
        (x1, y1), (x2, y2) = _at(0, 0), _at(1, 1)
        parts.append(tag("line", x1=_n(x1), y1=_n(y1), x2=_n(x2), y2=_n(y2), class_="ideal"))
    parts.append(tag("text", f"{axes.x}, %", x=_n(LEFT + SIDE / 2), y=_n(TOP + SIDE + 34), class_="middle"))
    up = f"translate(11 {_n(TOP + SIDE / 2)}) rotate(-90)"
    parts.append(tag("text", f"{axes.y}, %", transform=up, class_="middle"))
    return join(*parts)


def _line(points: Sequence[Point], place: int, *, is_alone: bool) -> Markup:
    """Draw the points of a run, joined; intervals only where there is one run."""
    most = max((point.n for point in points), default=0)
    parts = [tag("polyline", points=" ".join(f"{_n(x)},{_n(y)}" for x, y in (_at(p.x, p.y) for p in points)))]
    for point in points:
        x, y = _at(point.x, point.y)
        if is_alone and point.low is not None and point.high is not None:
            (_, bottom), (_, top) = _at(point.x, point.low), _at(point.x, point.high)
            parts.append(tag("line", x1=_n(x), x2=_n(x), y1=_n(bottom), y2=_n(top), class_="whisker"))
        size = 2.0 if not most else 1.5 + 6.0 * (point.n / most) ** 0.5
        parts.append(tag("circle", tag("title", point.told), cx=_n(x), cy=_n(y), r=_n(size)))
    return tag("g", *parts, class_=f"run{place} sized" if most else f"run{place}")


def _at(x: float, y: float) -> tuple[float, float]:
    """Return where a point of the unit square lies in the drawing."""
    return LEFT + SIDE * x, TOP + SIDE * (1.0 - y)


def _n(value: float) -> str:
    return f"{value:.1f}"
