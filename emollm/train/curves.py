"""Curves: what a training logged, as one picture of small panels: loss, rewards, drift, length, learning rate.

    Path("curves.svg").write_text(draw_curves(Path("runs/grpo/train_log.jsonl")))
    write_curves(Path("runs/grpo"))              # runs/grpo/curves.svg, of its own log

A panel is one quantity over the steps, with its last value beside its name. What goes up and down is drawn as a running
mean; behind it lies what was logged, as a faint line or, where there are more points than can be told apart, as a band
from the least to the largest. The picture brings its own paper, a dark one for readers of dark pages, and can be put
into a page as it is.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

from emollm.files import in_one_step
from emollm.train.run import CURVES, LOG, read_log

QUANTITIES = (
    ("loss", "loss", "training"),
    ("eval_loss", "loss", "held out"),
    ("eyes_error", "AU error", "eyes"),
    ("gaze_error", "AU error", "gaze"),
    ("reward", "reward", ""),
    (r"rewards/(.+)/mean", r"reward \1", ""),
    ("rewards/chosen", "reward", "better"),
    ("rewards/rejected", "reward", "worse"),
    ("rewards/margins", "margin of the better answer", ""),
    ("rewards/accuracies", "better answer preferred, share", ""),
    (r"validation_(.+)", r"validation \1", ""),
    ("kl", "KL to the model as it came", ""),
    ("entropy", "entropy, nats a token", ""),
    ("completions/mean_length", "length of answers, tokens", ""),
    ("frac_reward_zero_std", "groups paid alike, share", ""),
    ("grad_norm", "norm of the gradient", ""),
    ("learning_rate", "learning rate", ""),
)
"""Keys of the log in the order of the panels: a pattern, the panel's title, and the name of a curve among several."""

COLUMNS = 3
WIDTH, HEIGHT = 320, 190
"""Of a panel, in pixels of the unscaled picture."""
LEFT, RIGHT, TOP, BOTTOM = 48, 22, 36, 40
"""Room around the curves of a panel: for ticks, the title and the axis."""
MAX_POINTS = 130
"""Of a line; two pixels each."""
WINDOW = 12
"""A running mean goes over this part of a curve: a twelfth."""
CALM = 5.0
"""A curve that covers less than so many times its range is drawn as it is: a mean would only bend its corners."""

STYLE = """\
.curves{font:11px ui-sans-serif,system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",Arial,sans-serif}
.curves .paper{fill:#fff}.curves text{fill:#5d636d}.curves .title{fill:#20242a}
.curves .title,.curves .last{font-size:12.5px;font-weight:600}
.curves .rule{stroke:#e4e0d8}.curves .axis{stroke:#9aa1ab}.curves .lost{stroke:#b5402a;stroke-width:1.6}
.curves .line{fill:none;stroke-width:1.8;stroke-linejoin:round}.curves .all{opacity:.3;stroke-linejoin:round}
.curves .a{stroke:#2c5f8a}.curves .b{stroke:#b36a12}
.curves .a.last,.curves .a.all,.curves .a.dot{fill:#2c5f8a}.curves .b.last,.curves .b.all,.curves .b.dot{fill:#b36a12}
.curves .last{stroke:none}
@media (prefers-color-scheme:dark){
.curves .paper{fill:#1b1f25}.curves text{fill:#9aa1ab}.curves .title{fill:#e6e4df}
.curves .rule{stroke:#2e343c}.curves .axis{stroke:#5d636d}.curves .lost{stroke:#f0907a}
.curves .a{stroke:#7fb2dd}.curves .b{stroke:#e0a458}
.curves .a.last,.curves .a.all,.curves .a.dot{fill:#7fb2dd}.curves .b.last,.curves .b.all,.curves .b.dot{fill:#e0a458}
.curves .last{stroke:none}
}"""

Point: TypeAlias = tuple[float, float]


class Curve(NamedTuple):
    """One quantity as it was logged."""

    name: str
    """Among the curves of its panel; empty where it is alone."""
    points: Sequence[Point]
    """(step, value), with numbers alone."""
    lost: Sequence[float]
    """Steps whose value was NaN or infinite."""


class Panel(NamedTuple):
    """One or two curves in one unit, over the steps from 0 to the last that was logged."""

    title: str
    curves: Sequence[Curve]
    last_step: float

    @property
    def values(self) -> tuple[float, float]:
        """The range of the values, with a little room; never empty."""
        values = [value for curve in self.curves for _, value in curve.points] or [0.0]
        low, high = min(values), max(values)
        room = (high - low) / 20 or abs(high) / 10 or 1.0
        return low - room, high + room

    def x(self, step: float) -> float:
        """Return where a step lies, in pixels from the panel's left side."""
        return LEFT + (WIDTH - LEFT - RIGHT) * step / max(1.0, self.last_step)

    def y(self, value: float) -> float:
        """Return where a value lies, in pixels from the panel's top."""
        low, high = self.values
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * (value - low) / (high - low)


def write_curves(folder: Path) -> None:
    """Write curves.svg of the log in a run folder; nothing where nothing was logged yet."""
    if (folder / LOG).exists():
        with in_one_step(folder / CURVES) as part:
            part.write_text(draw_curves(folder / LOG), encoding="utf-8")


def draw_curves(log: Path) -> str:
    """Return the picture of a train_log.jsonl, of any stage, as SVG. Raises OSError where the log cannot be read."""
    return draw(read_log(log))


def draw(lines: Sequence[Mapping[str, Any]]) -> str:
    """Return the picture of the lines of a log."""
    panels = list(read_panels(lines))
    columns = min(COLUMNS, max(1, len(panels)))
    rows = max(1, math.ceil(len(panels) / columns))
    width, height = WIDTH * columns, HEIGHT * rows
    drawn = [
        f'<g transform="translate({WIDTH * (at % columns)},{HEIGHT * (at // columns)})">{"".join(_panel(panel))}</g>'
        for at, panel in enumerate(panels)
    ] or [f'<text x="{LEFT}" y="{HEIGHT / 2}">no step was logged</text>']
    size = f'viewBox="0 0 {width} {height}" width="{width}" height="{height}" style="max-width:100%;height:auto"'
    opening = f'<svg xmlns="http://www.w3.org/2000/svg" class="curves" {size} role="img" aria-label="{_told(panels)}">'
    paper = f'<rect class="paper" width="{width}" height="{height}" rx="6"/>'
    return "\n".join([opening, f"<style>{STYLE}</style>", paper, *drawn, "</svg>", ""])


def read_panels(lines: Sequence[Mapping[str, Any]]) -> Iterator[Panel]:
    """Yield the panels of what was logged, in the order of QUANTITIES."""
    keys = dict.fromkeys(key for line in lines for key in line)
    found: dict[str, list[Curve]] = {}
    for pattern, title, name in QUANTITIES:
        for key in keys:
            if match := re.fullmatch(pattern, key):
                curve = _curve(name, key, lines)
                if curve.points or curve.lost:
                    found.setdefault(match.expand(title), []).append(curve)
    last_step = max((step for curves in found.values() for curve in curves for step in _steps(curve)), default=0)
    yield from (Panel(title, curves, last_step) for title, curves in found.items())


def _curve(name: str, key: str, lines: Sequence[Mapping[str, Any]]) -> Curve:
    logged = [(float(line["step"]), line[key]) for line in lines if isinstance(line.get(key), int | float)]
    return Curve(
        name,
        [(step, float(value)) for step, value in logged if math.isfinite(value)],
        [step for step, value in logged if not math.isfinite(value)],
    )


def _steps(curve: Curve) -> list[float]:
    return [*(step for step, _ in curve.points), *curve.lost]


def _told(panels: Sequence[Panel]) -> str:
    """Return what the picture shows, for who cannot see it."""
    last = [f"{panel.title} {_last(curve)}" for panel in panels for curve in panel.curves]
    step = number(panels[0].last_step) if panels else "0"
    return escape(f"Curves of a training up to step {step}. Last values: {', '.join(last) or 'none'}.")


def _panel(panel: Panel) -> Iterator[str]:
    """Yield the parts of a panel: title, last values, axes, curves."""
    yield f'<text class="title" x="{LEFT - 34}" y="20">{escape(panel.title)}</text>'
    names = ["" if len(panel.curves) == 1 else f"{curve.name} " for curve in panel.curves]
    told = (
        f'<tspan class="{colour} last" dx="{6 if at else 0}">{names[at]}{_last(curve)}</tspan>'
        for at, (colour, curve) in enumerate(zip("ab", panel.curves, strict=False))
    )
    yield f'<text x="{WIDTH - RIGHT}" y="20" text-anchor="end">{"".join(told)}</text>'
    yield from _axes(panel)
    for colour, curve in zip("ab", panel.curves, strict=False):
        yield from _drawn(panel, colour, curve)


def _last(curve: Curve) -> str:
    """Return the last value of a curve as text."""
    if not curve.points or (curve.lost and curve.lost[-1] > curve.points[-1][0]):
        return "no number"
    return number(curve.points[-1][1])


def _axes(panel: Panel) -> Iterator[str]:
    base, right = HEIGHT - BOTTOM, WIDTH - RIGHT
    for value in ticks(*panel.values):
        y = f"{panel.y(value):.1f}"
        yield f'<path class="rule" d="M{LEFT} {y}H{right}"/>'
        yield f'<text x="{LEFT - 6}" y="{y}" dy="4" text-anchor="end">{number(value, 6)}</text>'
    yield f'<path class="axis" d="M{LEFT} {base}H{right}"/>'
    for step in ticks(0, max(1.0, panel.last_step), least=1):
        x = f"{panel.x(step):.1f}"
        yield f'<path class="axis" d="M{x} {base}v4"/>'
        yield f'<text x="{x}" y="{base + 16}" text-anchor="middle">{number(step, 6)}</text>'
    yield f'<text x="{(LEFT + right) / 2}" y="{base + 31}" text-anchor="middle">step</text>'


def _drawn(panel: Panel, colour: str, curve: Curve) -> Iterator[str]:
    """Yield what was logged, its running mean, its end, and marks on the axis for values that were no numbers."""
    low, high = outline(curve.points)
    if low:
        yield f'<path class="{colour} all" d="{_path(panel, [*high, *reversed(low)])}Z"/>'
        yield f'<path class="{colour} line" d="{_path(panel, running_mean(curve.points))}"/>'
        step, value = curve.points[-1]
        yield f'<circle class="{colour} dot" cx="{panel.x(step):.1f}" cy="{panel.y(value):.1f}" r="2.4"/>'
    for x in dict.fromkeys(round(panel.x(step)) for step in curve.lost):
        yield f'<path class="lost" d="M{x} {HEIGHT - BOTTOM}v-8"/>'


def _path(panel: Panel, points: Sequence[Point]) -> str:
    return "M" + "L".join(f"{panel.x(step):.1f} {panel.y(value):.1f}" for step, value in points)


def outline(points: Sequence[Point]) -> tuple[list[Point], list[Point]]:
    """Return the lower and the upper edge of what was logged, of MAX_POINTS points at most: one line where all fit."""
    size = max(1, math.ceil(len(points) / MAX_POINTS))
    groups = [points[at : at + size] for at in range(0, len(points), size)]
    low, high = ([(group[0][0], edge(value for _, value in group)) for group in groups] for edge in (min, max))
    return low, high


def running_mean(points: Sequence[Point]) -> list[Point]:
    """Return the mean around each of about MAX_POINTS points, or the points themselves where the curve is calm."""
    values = [value for _, value in points]
    way = math.fsum(abs(after - before) for before, after in pairwise(values))
    half = 0 if way < CALM * (max(values) - min(values)) else len(points) // (2 * WINDOW)
    stride = max(1, math.ceil(len(points) / MAX_POINTS))
    line = []
    for at in dict.fromkeys([*range(0, len(points), stride), len(points) - 1]):
        around = values[max(0, at - half) : at + half + 1]
        line.append((points[at][0], math.fsum(around) / len(around)))
    return line


def ticks(low: float, high: float, least: float = 0.0) -> list[float]:
    """Return two to five round numbers within a range, at distances of 1, 2 or 5 times a power of ten, or `least`."""
    rough = max((high - low) / 4, least)
    power = 10.0 ** math.floor(math.log10(rough))
    distance = next(power * round_one for round_one in (1, 2, 5, 10) if power * round_one >= rough * 0.999)
    return [at * distance for at in range(math.ceil(low / distance), math.floor(high / distance) + 1)]


def number(value: float, digits: int = 4) -> str:
    """Return a number as short text: 1.399, 2,000, 2e-5."""
    if value and not 1e-3 <= abs(value) < 1e6:
        leading, _, power = f"{value:.{min(digits, 3) - 1}e}".partition("e")
        short = leading.rstrip("0").rstrip(".") if "." in leading else leading
        return f"{short}e{int(power)}".replace("-", "−")
    return (f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.{digits}g}").replace("-", "−")
