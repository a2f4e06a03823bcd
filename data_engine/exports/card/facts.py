"""Facts: all that a data card is written from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any, NamedTuple

from data_engine.exports.card.counts import Counts
from data_engine.exports.card.refused import Refused
from data_engine.exports.formats import Format
from emollm.cards.origin import Step


class Facts(NamedTuple):
    """What was exported, how, and out of what."""

    title: str
    format_name: str
    format: Format
    options: Mapping[str, Any]
    counts: Counts
    num_rows: int
    left_out: Counter[str]
    """What the export itself left out: reason to number."""
    problems: Counter[str]
    """Of preference pairs: which check refused the worse text."""
    refused: Refused
    """What `generate` kept aside."""
    steps: list[Step]
    """The exported file and everything before it."""
    written: tuple[str, ...]
    """The files of the export."""
    licence: str | None = None
    """As the user states it."""

    @property
    def data_files(self) -> dict[str, str]:
        """The files that the Hub can show, as far as they were written, by the name of their part."""
        return {config: name for config, name in self.format.shown.items() if name in self.written}

    @property
    def one_licence(self) -> str | None:
        """The licence that all samples state; None where they differ, or some state none."""
        stated = {licence for _, licence in self.counts.sources}
        return stated.pop() if len(stated) == 1 and "" not in stated else None
