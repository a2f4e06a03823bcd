"""The loop that every teacher runs through: describe, infer, verify, reflect, refine; nothing unchecked leaves it.

    draft = await explain(task, writer, Effort(rounds=3))
    draft = run_now(explain(task, RulesWriter(task), Effort(rounds=5)))    # it never waits, and needs no event loop

    describe   the writer says what is seen; it is told of no label
    infer      the description alone is read for a label
    verify     every claim against the action units, the label read against the one given
    reflect    what was wrong is kept, and told to the writer before it tries again; a reader whose answer could not be
               used is asked again for the same description
    refine     interpretation and conclusion for the checked observations, which stay as they are; checked as well

The observations are never touched by anyone who knows the label. Where no reader arrives at the label, the sample is
refused; with `repair` it gets an ending that is told the label and is marked `label_seen`. So is a label that was read
only after others had been ruled out. A sample without a label gets the one that was read, marked `label_from`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Coroutine, Sequence
from typing import Any, NamedTuple, TypeVar

from data_engine.exp_cot.chinese import find_unclaimed
from data_engine.exp_cot.draft import Draft
from data_engine.exp_cot.responsible import find_irresponsible
from data_engine.exp_cot.task import Task
from data_engine.exp_cot.verify import find_ending_problems, find_observation_problems
from data_engine.exp_cot.writer import AnswerError, Attempt, Said, Writer
from emollm.answers import render
from emollm.claims import Claim
from emollm.labels import LABEL_SETS
from emollm.llm.wire import Failure
from emollm.records import Reasoning

T = TypeVar("T")

REPAIRS = 2
"""How often an ending that knows the label is tried."""

READINGS = 3
"""How often a reader is asked about one description until the answer can be used."""

MAX_KEPT = 4000
"""Characters of a refused text that are kept; what is longer has lost its way."""


class Effort(NamedTuple):
    """How much is tried before a sample is given up."""

    rounds: int = 3
    """Descriptions and endings that are written, together."""
    votes: int = 1
    """Descriptions in a round; the label that most of them are read as counts, of equals the one named first."""
    eliminate: bool = False
    """Whether a label that was read and is wrong is no choice in the next round."""
    repair: bool = False
    """Whether, in the end, the label may be told to those who write interpretation and conclusion."""


async def explain(task: Task, writer: Writer, effort: Effort) -> Draft:
    """Return an explanation that passed every check, or why there is none, with all that was tried."""
    loop = _Loop(task, writer, effort)
    try:
        return await loop.run()
    except Failure as failure:
        reason = "budget" if failure.kind == "budget" else f"teacher_{failure.kind}"
        return loop.refused(reason, failure.detail)


def run_now(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run an async function that never waits to its end, without an event loop."""
    try:
        coroutine.send(None)
    except StopIteration as end:
        result: T = end.value
        return result
    coroutine.close()
    raise RuntimeError("a writer that waits was run as one that does not")


class _Loop:
    """The state of one sample on its way: what was tried, and what has passed so far."""

    def __init__(self, task: Task, writer: Writer, effort: Effort) -> None:
        self.task = task
        self.writer = writer
        self.effort = effort
        self.log: list[Attempt] = []
        self.eliminated: list[str] = []
        self.votes: Counter[str] = Counter()
        self.has_ended = False
        self.misread: Said | None = None
        """The last description that is true, but was read as another label."""
        self.is_unread = False
        """Whether descriptions are true and no reader gave an answer about them that could be used."""

    async def run(self) -> Draft:
        said: Said | None = None
        labels: tuple[str, ...] = ()
        for _ in range(self.effort.rounds):
            if said is None:
                said, labels = await self._observe()
            if self.is_unread:  # it is not the description that is at fault, and another one would not mend it
                break
            if said is not None:
                if refused := self._contradicted(labels):
                    return refused
                if draft := await self._end(said, labels, "refine"):
                    return draft
                if not self.writer.revises:
                    said = None
        if self.effort.repair and self.misread is not None:
            for _ in range(REPAIRS):
                if draft := await self._end(self.misread, self.task.labels, "repair"):
                    return draft
        return self.refused(self._reason(), "; ".join(self.log[-1].problems))

    def _reason(self) -> str:
        """Return why all that was tried has come to nothing."""
        if self.misread is not None and not self.has_ended:
            return "label_not_read"
        if self.is_unread:
            return "reader_unreadable"
        is_about_people = all(problem.startswith("responsible:") for problem in self.log[-1].problems)
        return "not_responsible" if is_about_people else "unverified"

    def _contradicted(self, labels: tuple[str, ...]) -> Draft | None:
        """Refuse a label that was read for an unlabelled sample as one that was given: it is checked no less."""
        if self.task.labels or not labels:
            return None
        refusal = self.task.disagreement(self.task.settled(labels))
        return self.refused(*refusal, labels) if refusal else None

    async def _observe(self) -> tuple[Said | None, tuple[str, ...]]:
        """Describe and infer: return a true description and the labels it is read as, or nothing."""
        indices = range(self.effort.votes)
        described = await _all([self._describe(tuple(self.log), index) for index in indices])
        sound = [said for said in described if isinstance(said, Said)]
        # Written down in this order, not in that of arrival: what is asked next depends on it.
        self.log += [attempt for attempt in described if isinstance(attempt, Attempt)]
        read = await _all([self._infer(said) for said in sound])
        self.log += [attempt for _, attempts in read for attempt in attempts]
        voted = [(said, labels) for said, (labels, _) in zip(sound, read, strict=True) if labels is not None]
        if not voted:
            self.is_unread = bool(sound)
            return None, ()
        self.votes = Counter(" ".join(labels[:1]) for _, labels in voted)
        ((winner, _),) = self.votes.most_common(1)
        said, labels = next((said, labels) for said, labels in voted if " ".join(labels[:1]) == winner)
        if not self.task.labels or set(labels) & set(self.task.labels):
            return said, labels
        self.misread = said
        self._refuse("infer", said.text or said.observations, [f"label: read as {winner or 'none'}, {self._wanted()}"])
        choices = LABEL_SETS[self.task.label_set].labels
        if self.effort.eliminate and winner in choices and len(choices) - len(self.eliminated) > 2:
            self.eliminated.append(winner)
        return None, ()

    async def _describe(self, log: Sequence[Attempt], index: int) -> Said | Attempt:
        """Return a description that passed the checks, or the one that did not."""
        try:
            said = await self.writer.describe(log, index)
        except AnswerError as error:
            return self._attempt("describe", error.text, [error.problem])
        task, language = self.task, self.writer.language
        problems = find_observation_problems(
            said.observations, task.sight.view, task.labels, task.label_set, language, said.told
        )
        more = find_irresponsible(said.observations, "observations", language.name, transcript=task.sight.text)
        problems += [one for one in more if not _is_told(one, problems)]
        if problems:
            return self._attempt("describe", said.text or said.observations, problems)
        return said

    async def _infer(self, said: Said) -> tuple[tuple[str, ...] | None, list[Attempt]]:
        """Return the labels that a description is read as, None where no answer can be used, and those that cannot."""
        unusable: list[Attempt] = []
        for _ in range(READINGS):
            try:
                return await self.writer.infer(said, tuple(self.eliminated), tuple(unusable)), unusable
            except AnswerError as error:
                unusable.append(self._attempt("read", error.text, [error.problem]))
        return None, unusable

    async def _end(self, said: Said, read: tuple[str, ...], stage: str) -> Draft | None:
        """Have the ending written and check the whole."""
        labels = self.task.labels or read
        self.has_ended = True
        try:
            reasoning = await self.writer.refine(said, labels, tuple(self.log), stage == "repair")
        except AnswerError as error:
            self._refuse(stage, error.text, [error.problem])
            return None
        problems = find_ending_problems(
            reasoning, self.task.sight.view, labels, self.task.label_set, self.writer.language
        )
        ending = f"{reasoning.interpretation} {reasoning.conclusion}"
        problems += find_irresponsible(ending, "ending", self.writer.language.name, labels, self.task.sight.text)
        if said.told is not None:
            problems += find_unclaimed(ending, said.told)
        if problems:
            self._refuse(stage, said.text or _whole(reasoning), problems)
            return None
        by_elimination = bool(self.eliminated) and stage != "repair"
        is_told = by_elimination or stage == "repair" or not set(labels) <= set(read)
        draft = self._kept(said, reasoning, labels, is_told)
        return draft._replace(provenance={**draft.provenance, "by_elimination": True}) if by_elimination else draft

    def _refuse(self, stage: str, text: str, problems: Sequence[str]) -> None:
        self.log.append(self._attempt(stage, text, problems))

    def _attempt(self, stage: str, text: str, problems: Sequence[str]) -> Attempt:
        if len(text) > MAX_KEPT:
            text = f"{text[:MAX_KEPT]} … ({len(text):,} characters)"
        return Attempt("write" if self.writer.is_whole else stage, text, tuple(problems))

    def _wanted(self) -> str:
        return f"not {' or '.join(self.task.labels)}"

    def _kept(self, said: Said, reasoning: Reasoning, labels: tuple[str, ...], label_seen: bool) -> Draft:
        finding = self.task.settled(labels)
        kept = self.task.provenance(finding, label_seen, self.writer.hears) | self.writer.provenance()
        if said.told is not None:
            kept["claims"] = [_plain(claim) for claim in said.told]
        if labels and not self.task.labels:
            kept["label_from"] = "rules" if kept["teacher"] == "rules" else "teacher"
        label = labels[0] if labels and not self.task.is_list else None
        kept |= self._tried()
        return Draft(reasoning, self.task.label_set, label, labels, finding.case, provenance=kept)

    def refused(self, reason: str, detail: str, read: tuple[str, ...] = ()) -> Draft:
        """Return why there is no explanation, with all that was tried; `read` are labels that none was given for."""
        finding = self.task.settled(read) if read else self.task.finding
        labels = finding.labels
        kept = self.task.provenance(finding, False, self.writer.hears) | self.writer.provenance() | self._tried()
        label = labels[0] if labels and not self.task.is_list else None
        return Draft(None, self.task.label_set, label, labels, finding.case, reason, detail, kept)

    def _tried(self) -> dict[str, Any]:
        """Return what is remembered of the way: votes, labels that were ruled out, attempts."""
        tried: dict[str, Any] = {}
        if self.effort.votes > 1:
            tried["votes"] = dict(self.votes)
        if self.eliminated:
            tried["eliminated"] = list(self.eliminated)
        if self.log:
            tried["attempts"] = [
                {"stage": stage, "text": text, "problems": list(problems)} for stage, text, problems in self.log
            ]
        return tried


def _is_told(problem: str, problems: Sequence[str]) -> bool:
    """Tell whether the words of a problem, in quotes, are told as another one already: the name of a mood is a leak."""
    said = problem.split("'")[1]
    return any(said in other for other in problems)


async def _all(waiting: Sequence[Awaitable[T]]) -> list[T]:
    """Wait for all of them, side by side; the first failure is raised when all have ended."""
    if len(waiting) < 2:
        return [await one for one in waiting]
    import asyncio  # only here: a writer that never waits gets by without

    results = await asyncio.gather(*waiting, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result
    return [result for result in results if not isinstance(result, BaseException)]


def _whole(reasoning: Reasoning) -> str:
    """Return a text with its headings, so that its parts can be told apart later; nothing is added to it."""
    return render("sections", "", reasoning)


def _plain(claim: Claim) -> dict[str, Any]:
    """Return a stated claim as it is remembered."""
    plain = {"au": claim.aus[0], "present": claim.present, "side": claim.side, "strength": claim.letters}
    return {name: value for name, value in plain.items() if value not in (None, "")}
