"""What a teacher is given besides the sample, and what it hands back.

A draft depends on its sample, the options and what a teacher answers, so it is the same whatever else is in the file,
and in whatever order.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

from emollm.facs import THRESHOLDS
from emollm.records import Reasoning


class Options(NamedTuple):
    """How explanations are written."""

    codebook: str = "auto"
    """Whose patterns of action units; `auto` takes those that suit the label set (`infer.choose_codebook`)."""
    label_set: str = "basic7"
    """For samples that name no label set of their own."""
    thresholds: Mapping[str, float] = THRESHOLDS
    disagreement: Literal["keep", "reject"] = "keep"
    """What becomes of a sample whose label its action units do not support."""
    seed: int = 0


class Draft(NamedTuple):
    """An explanation that passed every check, or the reason why there is none."""

    reasoning: Reasoning | None = None
    label_set: str | None = None
    label: str | None = None
    """None also where the sample has no more than a list of `labels`."""
    labels: tuple[str, ...] = ()
    """Every label that the text ends with."""
    case: str | None = None
    """How the action units stand to the label; see `infer.CASES`."""
    reason: str | None = None
    """Why there is no reasoning, in one machine-readable word."""
    detail: str = ""
    provenance: Mapping[str, Any] = {}
    """What the sample remembers of how it was written, refused attempts included."""
