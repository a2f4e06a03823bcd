"""Faults: what is wrong with records of a file, counted, with the first ones by name.

faults = Faults({"no_face": Fault("warning", "samples without a face", "detect again")})
faults.add("no_face", "s17")
list(faults.findings(path))
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from emollm.doctor.finding import Finding, Level

NUM_NAMED = 3
"""Records that are named of each fault."""


class Fault(NamedTuple):
    """A kind of fault."""

    level: Level
    what: str
    """Of whatever number of records; it follows the number."""
    todo: str


class Faults:
    """The faults of one file."""

    def __init__(self, kinds: Mapping[str, Fault]) -> None:
        self.counts = dict.fromkeys(kinds, 0)
        self._kinds = kinds
        self._first: dict[str, list[str]] = {}

    def add(self, kind: str, where: str) -> None:
        """Count a fault of a record."""
        self.counts[kind] += 1
        first = self._first.setdefault(kind, [])
        if len(first) < NUM_NAMED:
            first.append(where)

    def findings(self, path: Path) -> Iterator[Finding]:
        """Yield a finding for each kind that occurs."""
        for kind, (level, what, todo) in self._kinds.items():
            if number := self.counts[kind]:
                examples = "; ".join(self._first[kind])
                yield Finding(
                    level, str(path), f"{number:,} {what}: {examples}{' …' if number > NUM_NAMED else ''}", todo
                )
