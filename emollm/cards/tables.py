"""Tables: Markdown that reads well wherever it is shown, with bars made of letters.

    table(("label", "samples", ""), [(name("fear"), 12, bar(0.5))], "lr")

Names come from data and may hold anything: they go through `name` or `code`, so that none is read as Markdown.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

WIDTH = 20
"""Letters of a full bar."""

_EIGHTHS = ("", "▏", "▎", "▍", "▌", "▋", "▊", "▉")
_ESCAPED = str.maketrans(
    {"|": "\\|", "<": "&lt;", ">": "&gt;", "`": "'", "*": "\\*", "_": "\\_", "[": "\\[", "]": "\\]"}
)

MOST = 25
"""Names that a table has rows for."""

MAX_CELL = 80
"""Characters of a name in a table; a label can be a sentence."""


def bar(share: float) -> str:
    """Return a bar for a share of 0 to 1; what is not zero is never invisible."""
    eighths = min(max(round(share * WIDTH * 8), 1 if share > 0 else 0), WIDTH * 8)
    return "█" * (eighths // 8) + _EIGHTHS[eighths % 8]


def table(heads: Sequence[str], rows: Iterable[Sequence[object]], sides: str = "") -> list[str]:
    """Return the lines of a table; cells are Markdown. `sides` has an `l` or `r` for each column; `l` by default."""
    sides = sides.ljust(len(heads), "l")
    rule = ["---:" if side == "r" else "---" for side in sides]
    return [_line(heads), _line(rule), *(_line([str(cell) for cell in row]) for row in rows)]


def name(text: str) -> str:
    """Return a name from the data as the text of a cell: no Markdown, no HTML, one line."""
    text = " ".join(text.split())
    text = text if len(text) <= MAX_CELL else f"{text[: MAX_CELL - 1]}…"
    return text.replace("\\", "\\\\").translate(_ESCAPED)


def code(text: str) -> str:
    """Return a name from the data in letters of one width."""
    return f"`{' '.join(text.replace('`', chr(39)).split())}`".replace("|", "\\|")


def share(part: float, whole: float) -> str:
    """Return a share in percent."""
    return f"{100 * part / whole:.1f} %" if whole else "–"


def bars(num: int, counter: Counter[str]) -> tuple[str, str]:
    """Return two cells: a number's share of all that was counted, and a bar for it."""
    return share(num, counter.total()), bar(num / counter.total())


def shares(heads: Sequence[str], counter: Counter[str], whole: int) -> list[str]:
    """Return the table of the most frequent names: their numbers, and their shares of `whole`."""
    rows = ((name(one), f"{num:,}", share(num, whole), bar(num / whole)) for one, num in counter.most_common(MOST))
    return table((*heads, ""), rows, "lrr")


def rest(counter: Counter[str]) -> Iterator[str]:
    """Yield a line below a table that shows the `MOST` most frequent names, where there are more."""
    if len(counter) > MOST:
        yield ""
        yield f"… and {len(counter) - MOST:,} rarer ones."


def part_of(num: int, total: int) -> str:
    """Return a number as a part of another: `3 of 4 (75.0 %)`."""
    return f"{num:,} of {total:,} ({share(num, total)})"


def number_of(num: int, one: str, many: str = "") -> str:
    """Return a number of things: `1 clip`, `2 clips`."""
    return f"{num:,} {one if num == 1 else many or f'{one}s'}"


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
