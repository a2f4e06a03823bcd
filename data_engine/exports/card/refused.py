"""Refused: what `generate` kept aside, per class and reason, from the file beside its output.

    refused = read_refused(Path("cot.jsonl"), split="train")
    refused.classes["fear"]["unverified"]

The file is read a line at a time, and of each line no more than a few fields.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import NamedTuple

import msgspec

from emollm.cards.classes import NO_LABEL, class_of
from emollm.stage import rejects_beside


class _Kept(msgspec.Struct):
    """What is read of a refused sample; the rest of its fields is passed over."""

    split: str | None = None
    label_set: str | None = None
    label: str | None = None
    labels: list[str] | None = None
    soft: dict[str, float] | None = None


class _Line(msgspec.Struct):
    reason: str = "unknown"
    record: _Kept | str | None = None
    """The sample; the text of a line that is none."""


class Refused(NamedTuple):
    """Counts of what was refused."""

    classes: dict[str, Counter[str]]
    """Class to reason to number of samples."""
    is_listed: bool
    """Whether there is a list at all; without one nothing is known per class."""
    num_unreadable: int = 0

    @property
    def reasons(self) -> Counter[str]:
        """The number of samples for each reason."""
        return sum(self.classes.values(), Counter())


def read_refused(path: Path, split: str | None = None) -> Refused:
    """Count what was kept aside beside `path`; of one split alone where it is named."""
    aside = rejects_beside(path)
    if not aside.is_file():
        return Refused({}, is_listed=False)
    decoder = msgspec.json.Decoder(_Line)
    classes: dict[str, Counter[str]] = {}
    num_unreadable = 0
    with aside.open("rb") as file:
        for text in file:
            if not text.strip():
                continue
            try:
                line = decoder.decode(text)
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                num_unreadable += 1
                continue
            kept = line.record
            if isinstance(kept, _Kept):
                if split is not None and kept.split != split:
                    continue
                name = class_of(kept)
            elif split is not None:
                continue  # of a line that is no sample nobody knows the split
            else:
                name = NO_LABEL
            classes.setdefault(name, Counter())[line.reason] += 1
    return Refused(classes, is_listed=True, num_unreadable=num_unreadable)
