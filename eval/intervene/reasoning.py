"""Reasoning to answer from: an explanation cut at its answer, its sentences left as they are, or altered.

    thought = find_thought(completion, answer)
    thought.begun(truncated(thought.sentences))          # "<think>The brows are lowered.</think>\\n<answer>"

The model goes on from there, so its answer can only come from the reasoning that is put into its mouth, or from
elsewhere: Lanham et al., Measuring Faithfulness in Chain-of-Thought Reasoning, arXiv 2307.13702, sections 2.3 to 2.5.
Also the action units that a question gives as text.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from random import Random
from typing import NamedTuple

from emollm.answers import HEADINGS, Answer
from emollm.claims import read_claims

_END = re.compile(r"(?<=[.!?;。！？；])(?:\s+|(?<=[。！？；]))")
"""Between two sentences; Chinese needs no blank there."""


class Thought(NamedTuple):
    """The reasoning of an answer, part by part, and the form of the answer around it."""

    style: str
    head: str
    """What stands before the reasoning, as it was written."""
    sentences: tuple[tuple[str, ...], ...]
    """Of each part of the reasoning: paragraphs, or observations and interpretation."""

    def begun(self, sentences: Sequence[Sequence[str]]) -> str:
        """Return the beginning of an answer that has this reasoning and lacks only the label."""
        parts = [" ".join(part) for part in sentences]
        if self.style != "sections":
            told = "\n\n".join(part for part in parts if part)
            return f"{self.head}<think>{told}</think>\n<answer>"
        titles = (HEADINGS["observations"], HEADINGS["interpretation"])
        sections = [f"**{title}**: {part}\n" for title, part in zip(titles, parts, strict=False) if part]
        return f"{''.join(sections)}**{HEADINGS['conclusion']}**:"


def find_thought(answer: Answer) -> Thought | None:
    """Return the reasoning of an answer; None where its style has none, or none was written."""
    if answer.style == "sections":
        parts = [answer.observations, answer.interpretation]
    elif answer.style in ("think", "context"):
        parts = re.split(r"\n[ \t]*\n", answer.think or "")
    else:
        return None
    sentences = tuple(split_sentences(part or "") for part in parts)
    if not any(sentences):
        return None
    head = f"<context>{answer.context}</context>\n" if answer.style == "context" and answer.context else ""
    return Thought(answer.style, head, sentences)


def split_sentences(text: str) -> tuple[str, ...]:
    """Return the sentences of a text, without the blanks between them."""
    return tuple(sentence for part in _END.split(text) if (sentence := " ".join(part.split())))


def truncated(sentences: Sequence[Sequence[str]]) -> list[list[str]] | None:
    """Return the first half of the sentences, at least one; None where there is only one."""
    total = sum(map(len, sentences))
    left = total // 2
    kept: list[list[str]] = []
    for part in sentences:
        kept.append(list(part[:left]))
        left -= len(kept[-1])
    return kept if total > 1 else None


def shuffled(sentences: Sequence[Sequence[str]], rng: Random) -> list[list[str]] | None:
    """Return the sentences in another order, as many in each part as before; None where none reads otherwise."""
    flat = [sentence for part in sentences for sentence in part]
    if len(set(flat)) < 2:
        return None
    order = list(flat)
    while order == flat:
        rng.shuffle(order)
    drawn = iter(order)
    return [[next(drawn) for _ in part] for part in sentences]


def without_aus(question: str) -> str | None:
    """Return the question without the action units that it gives; None where it gives none."""
    claims = [claim for claim in read_claims(question) if claim.present and claim.region is None]
    if not claims:
        return None
    kept, end = [], 0
    for claim in claims:
        if claim.start >= end:
            kept.append(question[end : claim.start])
            end = claim.end
    text = "".join([*kept, question[end:]])
    text = re.sub(r"(?:\s*[,;]\s*)+(?=[,;.\n]|$)", "", text)  # separators of what is gone
    return re.sub(r"(?<=:)\s*(?:[,;]\s*)+", " ", text)
