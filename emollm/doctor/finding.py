"""Findings: what is said of a patient, as a table or as JSON.

found = [error("cot.jsonl", "3 pictures are missing", "check --media-root")]
print_findings(found)
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

Level = Literal["error", "warning", "fine"]
WIDE = 1000
"""Characters of a line that no terminal wraps."""
COLOURS: dict[Level, str] = {"error": "red", "warning": "yellow", "fine": "green"}


class Finding(NamedTuple):
    """One thing that was looked at, and what came out."""

    level: Level
    where: str
    what: str
    todo: str = ""
    """What to do about it; empty where there is nothing to do."""


def error(where: object, what: str, todo: str) -> Finding:
    """Return what would fail, or teach or measure something false."""
    return Finding("error", str(where), what, todo)


def warning(where: object, what: str, todo: str) -> Finding:
    """Return what works and is worth a look."""
    return Finding("warning", str(where), what, todo)


def fine(where: object, what: str) -> Finding:
    """Return what is as it should be."""
    return Finding("fine", str(where), what)


def is_well(found: Iterable[Finding]) -> bool:
    """Tell whether nothing is an error."""
    return not any(finding.level == "error" for finding in found)


def print_findings(found: Sequence[Finding]) -> None:
    """Print the findings, patient by patient, the worst first."""
    from rich.console import Console
    from rich.table import Table

    # Nothing is wrapped in a file or a pipe, so that a finding stays a line.
    console = Console(highlight=False, width=None if sys.stdout.isatty() else WIDE)
    order = list(COLOURS)
    for where in dict.fromkeys(finding.where for finding in found):
        table = Table(box=None, show_header=False, pad_edge=False)
        here = [finding for finding in found if finding.where == where]
        for finding in sorted(here, key=lambda finding: order.index(finding.level)):
            table.add_row(f"[{COLOURS[finding.level]}]{finding.level}[/]", _plain(finding.what), _plain(finding.todo))
        console.print(f"\n{_plain(where)}")
        console.print(table)
    counts = {level: sum(finding.level == level for finding in found) for level in COLOURS}
    console.print(
        "\n" + ", ".join(f"{num} {level}" + ("s" * (num != 1 and level != "fine")) for level, num in counts.items())
    )


def _plain(text: str) -> str:
    """Return a text in which rich reads no markup."""
    from rich.markup import escape

    return escape(text)
