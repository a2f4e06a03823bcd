"""Answers to altered questions: one line a sample, with all that was asked about it.

{"id": "s1", "completion": "…", "trials": [{"intervention": "hide_cited", "regions": ["mouth"], …}, …], …}
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from emollm.records import Keyed, Record, read_records
from eval.intervene.regions import PLACES


class Trial(Record):
    """One altered question and what was answered."""

    intervention: str
    """A key of `trials.INTERVENTIONS`."""
    completion: str | None
    """With the reasoning that was put before it, if any. None: there was no answer."""
    regions: tuple[str, ...] = ()
    """What was hidden or blurred; for a control, around what it lies."""
    share: float | None = None
    """Of the picture's pixels that were altered, 0 to 1."""
    other: str | None = None
    """The sample whose face, action units or reasoning took the place of this one's."""


class Interventions(Keyed):
    """All trials of one sample."""

    completion: str
    """The answer that is tested, as the predictions have it."""
    model: str
    layout: str
    """What the regions follow from: `landmarks`, `box`, or `picture`, as if it were an aligned face."""
    settings: str
    """A digest of what shapes the interventions besides the samples; see `digest`."""
    trials: list[Trial]


def digest(seed: int) -> str:
    """Return a short digest of the seed and of where regions lie: answers with another one are not comparable."""
    return hashlib.sha256(json.dumps([seed, PLACES]).encode()).hexdigest()[:12]


def read_interventions(path: Path) -> dict[str, Interventions]:
    """Return the lines of the file by id. Raises RecordError for one that is malformed."""
    return {line.id: line for line in read_records(path, Interventions)}
