"""Classes: under which label a sample is counted, by cards and checks alike.

Counter(class_of(sample) for sample in samples)
"""

from __future__ import annotations

from typing import Protocol

from emollm.labels import LABEL_SETS, canonical

NO_LABEL, A_LIST = "(no label)", "(a list)"


class Labelled(Protocol):
    """What tells the class of a sample."""

    label_set: str | None
    label: str | None
    labels: list[str] | None
    soft: dict[str, float] | None


def class_of(sample: Labelled) -> str:
    """Return the class under which a sample is counted, in the words of its label set."""
    label = sample.label or (max(sample.soft, key=sample.soft.__getitem__) if sample.soft else None)
    if label is None:
        return A_LIST if sample.labels else NO_LABEL
    known = canonical(label, sample.label_set) if sample.label_set in LABEL_SETS else None
    return known or label
