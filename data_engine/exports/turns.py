"""Turns: one sample as the question and the answer that a model learns, before any file format."""

from __future__ import annotations

import hashlib
from typing import NamedTuple

from emollm.answers import render
from emollm.labels import LABEL_SETS
from emollm.prompts import ask, num_variants
from emollm.records import Sample

IMAGE = "<image>"
"""The placeholder that ShareGPT and LLaVA readers replace by the picture."""


class Row(NamedTuple):
    """One training example."""

    id: str
    image: str
    """Path relative to the export folder."""
    question: str
    answer: str
    label: str


class Wording(NamedTuple):
    """How samples are turned into questions and answers."""

    style: str = "sections"
    label_only: float = 0.0
    """Share of the samples that are asked for the bare label, or labels, instead."""
    variant: int | None = None
    """Which wording of the question; None draws one per sample."""
    seed: int = 0


def to_row(sample: Sample, image: str, wording: Wording) -> Row | str:
    """Return the example, or in one word why there is none.

    A sample with a list of `labels` and no `label` has two answers: the list (style `labels`), and sections, whose
    conclusion names every word of it. The other styles end with a single label.
    """
    style = wording.style
    if _draw(sample.id, wording.seed, "label_only") < wording.label_only:
        style = "label" if sample.label is not None or sample.labels is None else "labels"
    label = _label(sample, style)
    if label is None:
        return "no_labels" if style == "labels" else "no_label"
    if sample.label_set is not None and sample.label_set not in LABEL_SETS:
        return "unknown_label_set"
    if style not in ("label", "labels") and sample.reasoning is None:
        return "no_reasoning"
    variant = wording.variant
    if variant is None:
        variant = int(_draw(sample.id, wording.seed, "variant") * num_variants(style))
    question = ask(style, sample.label_set, variant, sample.text)
    named = "" if sample.label is None and style == "sections" else label
    answer = render(style, named, sample.reasoning, _context(sample))
    if IMAGE in question or IMAGE in answer:
        return "image_placeholder"
    return Row(sample.id, image, question, answer, label)


def _label(sample: Sample, style: str) -> str | None:
    """Return what the style answers with: the label, or the list with commas."""
    if style == "labels" or (style == "sections" and sample.label is None):
        return ", ".join(sample.labels) if sample.labels else None
    return sample.label


def _context(sample: Sample) -> str | None:
    """What is known besides the face: what is being said."""
    return f'The person says: "{sample.text}"' if sample.text else None


def _draw(sample_id: str, seed: int, purpose: str) -> float:
    """A number in [0, 1) that depends on nothing but these three."""
    digest = hashlib.sha256(f"{seed}/{purpose}/{sample_id}".encode()).digest()
    return int.from_bytes(digest[:6], "big") / 2**48
