"""Writers: what a teacher has to be for the loop, what it hands over, and what became of its texts.

    class RulesWriter:            # a Writer: describe, infer, refine
        async def describe(self, log: Sequence[Attempt], index: int) -> Said: ...

An `Attempt` is a text that was refused; the loop tells it to the writer before it tries again.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, NamedTuple, Protocol

from data_engine.exp_cot.language import Language
from emollm.claims import Claim
from emollm.records import Reasoning


class Attempt(NamedTuple):
    """A text that was refused, and why."""

    stage: str
    """Where it failed: `describe`, `infer` (read as another label), `read` (an answer that gives no label), `refine`,
    `repair`, or `write` where all was written at once."""
    text: str
    problems: tuple[str, ...]


class Said(NamedTuple):
    """A description."""

    observations: str
    told: tuple[Claim, ...] | None = None
    """The claims that the teacher stated beside it."""
    text: str = ""
    """The whole of what the teacher wrote, where one answer is the whole explanation."""


class AnswerError(Exception):
    """An answer in which what was asked for is not to be found; it counts as an attempt."""

    def __init__(self, problem: str, text: str = "") -> None:
        super().__init__(problem)
        self.problem = problem
        self.text = text


VOICE = ("text", "prosody")
"""What a sight may hold of speech: what was said, and how."""


class Writer(Protocol):
    """Who writes about one sample. Each method may raise AnswerError, or Failure where no answer could be had."""

    language: Language
    revises: bool
    """Whether a refused ending is written again for the same observations; otherwise all is written anew."""
    is_whole: bool
    """Whether one answer is the whole explanation: a refused text is then one as well."""
    hears: Collection[str]
    """Which of `VOICE` it is told."""

    async def describe(self, log: Sequence[Attempt], index: int, /) -> Said:
        """Say what is seen; `index` tells apart descriptions of one round."""
        ...

    async def infer(self, said: Said, without: Sequence[str], log: Sequence[Attempt], /) -> tuple[str, ...]:
        """Return the labels that a description is read as, the likeliest first; empty where it supports none.

        `log` holds the answers about this description that could not be used.
        """
        ...

    async def refine(self, said: Said, labels: tuple[str, ...], log: Sequence[Attempt], is_told: bool, /) -> Reasoning:
        """Write interpretation and conclusion. `is_told`: the labels were given, not read from the description."""
        ...

    def provenance(self) -> dict[str, Any]:
        """Return what the sample is to remember of this writer; `teacher` names it."""
        ...
