"""Asking: one judge, what it is shown, and what became of every question.

judge = Judge(client, load_prompts("en"), Settings())
text = await judge.ask("words", description=as_data(said))        # None: no answer, and counted why
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

from emollm.llm.wire import Ask, Failure, Request, Turn
from eval.judge.wording import Prompts

T = TypeVar("T")

TRIES = 3
"""How often a question is put until its answer can be read. From the second time on a line of ours says so: that makes
it another question, which a judge at temperature 0 need not answer as before. What it answered before, which can hold
words of those who are judged, is not shown to it. All answers are remembered: a rerun asks for none of them again."""


class Subject(NamedTuple):
    """What is judged: one explanation, and what it is compared with."""

    id: str
    gold: str
    """The gold description."""
    said: str | None
    """What the model said; None or blank: nothing."""
    transcript: str | None = None
    """What the person said."""
    other: str | None = None
    """What another model said, for pairs."""

    @property
    def is_silent(self) -> bool:
        """Whether there is nothing to judge."""
        return not (self.said or "").strip()


class Settings(NamedTuple):
    """How the judge is asked. All of it is pinned in the scores."""

    samples: int = 1
    """Verdicts on each explanation."""
    temperature: float = 0.0
    """Of verdicts; the gold side is summarised at 0."""
    max_tokens: int = 700
    schema: bool = True
    """Whether typed verdicts are also asked for as a JSON schema."""


class Judged(NamedTuple):
    """The votes on one explanation."""

    votes: Mapping[str, Sequence[float | None]]
    """Number to its value in each verdict; None: that verdict could not be read."""
    asked: int = 0
    """Verdicts asked for; none where a silent model has the least value without a question."""
    read: int = 0
    gold: Sequence[str] = ()
    """The gold side as it was summarised: part of what the scores are pinned to."""
    detail: Mapping[str, Any] | None = None


class Judge:
    """Who judges."""

    def __init__(self, ask: Ask, prompts: Prompts, settings: Settings) -> None:
        self.prompts = prompts
        self.settings = settings
        self.failed: Counter[str] = Counter()
        """Questions without an answer, by kind of failure."""
        self.unread: Counter[str] = Counter()
        """Answers that could not be read, by prompt."""
        self.models: set[str] = set()
        """Who answered, as the endpoint calls it, often with a date."""
        self._ask = ask

    async def ask(
        self,
        prompt: str,
        read: Callable[[str], T | None],
        *,
        index: int | None = None,
        schema: str | None = None,
        **slots: str,
    ) -> T | None:
        """Return what is read out of the answer to a prompt; None where there is none, or none that can be read.

        `index` tells which of several verdicts this is; None: there is one answer, at temperature 0. Where an answer
        cannot be read, the question is put again, `TRIES` times in all.
        """
        question = f"{self.prompts.fill('rule')}\n\n{self.prompts.fill(prompt, **slots)}"
        for number in range(1, TRIES + 1):
            text = question if number == 1 else f"{question}\n\n{self.prompts.fill('again', number=str(number))}"
            request = Request(
                turns=(Turn("user", text),),
                max_tokens=self.settings.max_tokens,
                temperature=0.0 if index is None else self.settings.temperature,
                schema=schema if self.settings.schema else None,
                index=index or 0,
                stage=f"judge.{prompt}",
            )
            try:
                reply = await self._ask(request)
            except Failure as failure:
                self.failed[failure.kind] += 1
                return None
            self.models.add(reply.model)
            found = None if reply.finish == "length" else read(reply.text)
            if found is not None:
                return found
            self.unread[prompt] += 1
        return None
