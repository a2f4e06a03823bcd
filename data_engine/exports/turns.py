"""Turns: one sample as the question and the answer that a model learns, before any file format.

    for one in turns(sample, Wording(style="think")):
        ...                     # a Row, or a Refusal that says why there is none

The question depends on the sample's id and the seed alone, speaks of a clip where the sample is one, and is in the
language of its text.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import NamedTuple

from emollm.answers import render
from emollm.labels import LABEL_SETS
from emollm.prompts import ask, language_of, num_variants, tell_transcript
from emollm.records import MediaKind, Reasoning, Sample

PLACEHOLDERS: dict[MediaKind, str] = {"image": "<image>", "video": "<video>"}
"""What ShareGPT and LLaVA readers replace by the picture or the clip."""

RESERVED = ("<image>", "<video>", "<audio>")
"""Such readers count these in every text, whoever wrote it."""


class Row(NamedTuple):
    """One training example."""

    sample: Sample
    question: str
    answer: str
    label: str
    media: str = ""
    """Path of the picture or clip relative to the export folder."""
    frames: int = 1
    """How many frames it has."""
    rejected: str = ""
    """In a preference pair, the worse answer."""
    attempt: int = 0
    """In a preference pair, which refused attempt the worse answer is, counted from 1."""
    problems: tuple[str, ...] = ()
    """In a preference pair, why it was refused."""

    @property
    def id(self) -> str:
        """The sample's id."""
        return self.sample.id

    @property
    def kind(self) -> MediaKind:
        """Whether it is about a picture or a clip."""
        return kind_of(self.sample)


class Refusal(NamedTuple):
    """Why a sample, or a part of it, gives no example: one machine-readable word, and what a person wants to know."""

    reason: str
    detail: str = ""


class Wording(NamedTuple):
    """How samples are turned into questions and answers."""

    style: str = "sections"
    label_only: float = 0.0
    """Share of the samples that are asked for the bare label, or labels, instead."""
    variant: int | None = None
    """Which wording of the question; None draws one per sample."""
    seed: int = 0


def turns(sample: Sample, wording: Wording) -> Iterator[Row | Refusal]:
    """Yield the example, or why there is none.

    A sample with a list of `labels` and no `label` has two answers: the list (style `labels`), and sections, whose
    conclusion names every word of it. The other styles end with a single label.
    """
    style = wording.style
    if _draw(sample.id, wording.seed, "label_only") < wording.label_only:
        style = "label" if sample.label is not None or sample.labels is None else "labels"
    if lack := missing(sample, style):
        yield lack
        return
    label = label_of(sample, style)
    question = question_about(sample, style, wording)
    named = "" if sample.label is None and style == "sections" else label
    answer = render(style, named, sample.reasoning, context(sample))
    yield reserved_in(question, answer) or Row(sample, question, answer, label)


def missing(sample: Sample, style: str) -> Refusal | None:
    """Return what the sample lacks for an answer in a style; None where it has everything."""
    if not label_of(sample, style):
        return Refusal("no_labels" if style == "labels" else "no_label")
    if sample.label_set is not None and sample.label_set not in LABEL_SETS:
        return Refusal("unknown_label_set", f"'{sample.label_set}' is not known")
    if style not in ("label", "labels") and sample.reasoning is None:
        return Refusal("no_reasoning")
    return None


def label_of(sample: Sample, style: str) -> str:
    """Return what a style answers with: the label, or the list with commas; empty where there is none."""
    if style == "labels" or (style == "sections" and sample.label is None):
        return ", ".join(sample.labels or ())
    return sample.label or ""


def question_about(sample: Sample, style: str, wording: Wording) -> str:
    """Return the question, in the language of the sample's text."""
    variant, kind, language = variant_of(sample, wording, style), kind_of(sample), language_of(sample)
    return ask(style, sample.label_set, variant, sample.text, kind, language)


def variant_of(sample: Sample, wording: Wording, style: str) -> int:
    """Return which wording of the question the sample gets."""
    if wording.variant is not None:
        return wording.variant
    return int(_draw(sample.id, wording.seed, "variant") * num_variants(style))


def kind_of(sample: Sample) -> MediaKind:
    """Return whether the sample is a picture or a clip; what has no media counts as a picture."""
    return sample.media.kind if sample.media is not None else "image"


def reserved_in(*texts: str) -> Refusal | None:
    """Refuse texts that hold a placeholder: a reader would look for one more picture than there is."""
    for word in RESERVED:
        if any(word in text for text in texts):
            return Refusal(f"{word[1:-1]}_placeholder", f"a text holds {word}")
    return None


def prose(reasoning: Reasoning) -> str:
    """Return an explanation as one paragraph."""
    parts = (reasoning.observations, reasoning.interpretation, reasoning.conclusion)
    return " ".join(" ".join(part.split()) for part in parts)


def context(sample: Sample) -> str | None:
    """What is known besides the face: what is being said."""
    return tell_transcript(sample.text, language_of(sample)) if sample.text else None


def _draw(sample_id: str, seed: int, purpose: str) -> float:
    """A number in [0, 1) that depends on nothing but these three."""
    digest = hashlib.sha256(f"{seed}/{purpose}/{sample_id}".encode()).digest()
    return int.from_bytes(digest[:6], "big") / 2**48
