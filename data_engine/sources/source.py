"""A source: an AU file that was recognised, with its columns, ready to be read.

    source, reason = open_source(Path("openface/anna.csv"), "anna", None)

What a detector of this process found becomes a source as well: see `data_engine.media.rows`.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from data_engine.sources import DIALECTS, Dialect, Head, Layout, read_head, recognise, require
from data_engine.sources.confidence import confidence_top
from emollm.errors import SourceError


class Source(NamedTuple):
    """One AU file, recognised."""

    head: Head
    dialect: Dialect
    layout: Layout
    name: str
    """The file's own name as an id."""


def open_source(path: Path, name: str, dialect: Dialect | None) -> tuple[Source, str]:
    """Recognise a file, or check that it is of the given dialect; return it with the reason. Raises SourceError."""
    head = read_head(path)
    found, reason = recognise(head) if dialect is None else (dialect, require(head, dialect))
    layout = found.layout(head)
    top = confidence_top(head, layout)
    if top != 1.0:
        layout, reason = replace(layout, confidence_top=top), f"{reason}; confidence read as percent"
    return Source(head, found, layout, name), reason


def is_other_text(path: Path) -> bool:
    """Tell whether a file is a readable table or JSON of no AU dialect: notes, a list of labels."""
    try:
        head = read_head(path)
    except SourceError:
        return False
    return not any(dialect.recognises(head) for dialect in DIALECTS.values())
