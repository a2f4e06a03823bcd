"""The rules teacher: writes an explanation from action units and a codebook, checks it, and writes again when refused.

    draft = teach(sample, Options(codebook="emfacs", seed=0))

Its wording is drawn from the sample's id and the seed alone. Each attempt is drawn afresh, and what was refused is
kept with the reason. The observations are written before anything about the label is known.

It runs through the loop of every teacher (`loop`), with one difference: where the action units do not show the given
label, it does not describe them again, as they would be the same, but writes an ending that says so (`infer.settle`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from random import Random
from typing import Any

from data_engine.exp_cot.conclude import OF_STILLS, REMARKS, conclude
from data_engine.exp_cot.describe import NOTATIONS, describe
from data_engine.exp_cot.draft import Draft, Options
from data_engine.exp_cot.infer import Finding
from data_engine.exp_cot.interpret import details, interpret
from data_engine.exp_cot.language import ENGLISH, MIN_WORDS
from data_engine.exp_cot.loop import Effort, explain, run_now
from data_engine.exp_cot.narrative import narrate
from data_engine.exp_cot.task import Task, admit
from data_engine.exp_cot.view import View
from data_engine.exp_cot.writer import Attempt, Said
from emollm.records import Reasoning, Sample

MAX_ATTEMPTS = 5

DETAILED = 0.2
"""Share of texts of full length that say a detail of their pattern more."""

TERSE_FROM = 8
"""From this many signs on, sentences are kept short from the first attempt."""


def teach(sample: Sample, options: Options, effort: Effort = Effort(rounds=MAX_ATTEMPTS)) -> Draft:  # noqa: B008
    """Explain one sample, or say why not."""
    task = admit(sample, options)
    if isinstance(task, Draft):
        return task
    return run_now(explain(task, RulesWriter(task), effort))


class RulesWriter:
    """A writer that draws its wordings, a new random number generator for each attempt. It never waits."""

    language = ENGLISH
    revises = False
    is_whole = False
    hears: Collection[str] = ()

    def __init__(self, task: Task) -> None:
        self._task = task
        self._attempt = -1
        self._rng: Random

    async def describe(self, _log: Sequence[Attempt], _index: int) -> Said:
        """Write the observations; what was refused before is not looked at."""
        self._attempt += 1
        sight = self._task.sight
        self._rng = Random(_seed(self._task.options.seed, sight.id, self._attempt))
        return Said(observe(sight.view, self._rng, self._attempt))

    async def infer(self, _said: Said, _without: Sequence[str], _log: Sequence[Attempt]) -> tuple[str, ...]:
        """Return what the text will end with. The action units were read for it, which the observations name."""
        return self._task.finding.labels

    async def refine(self, said: Said, _labels: tuple[str, ...], _log: Sequence[Attempt], _is_told: bool) -> Reasoning:
        """Write interpretation and conclusion."""
        return end(said.observations, self._task.finding, self._task.sight.view, self._rng)

    def provenance(self) -> dict[str, Any]:
        """Return who wrote, and whether the label decided how the text ends."""
        finding = self._task.finding
        explained = finding.case == "rest" or (finding.case == "one" and len(finding.labels) == 1)
        return {"teacher": "rules", "label_seen": bool(self._task.labels) and not explained}


def compose(view: View, finding: Finding, rng: Random, attempt: int = 0) -> Reasoning:
    """Write all parts."""
    return end(observe(view, rng, attempt), finding, view, rng)


def observe(view: View, rng: Random, attempt: int = 0) -> str:
    """Write the observations, those of a clip with its course; later attempts are terse."""
    is_terse = len(view.signs) >= TERSE_FROM or attempt >= MAX_ATTEMPTS // 2
    notation = "" if is_terse else rng.choice(NOTATIONS)
    observations = describe(view, rng, notation, is_terse)
    return narrate(view, observations, rng, notation, is_terse) if view.courses else observations


def end(observations: str, finding: Finding, view: View, rng: Random) -> Reasoning:
    """Write interpretation and conclusion; now and then a detail more, and to what is too short details and remarks."""
    interpretation = interpret(finding, view, rng)
    conclusion = conclude(finding, view, rng)
    num_words = len(f"{observations} {interpretation} {conclusion}".split())
    if num_words < MIN_WORDS or rng.random() < DETAILED:
        special = details(finding, view, rng)
        remarks = [one for one in rng.sample(REMARKS, len(REMARKS)) if not (view.courses and one in OF_STILLS)]
        for place, sentence in enumerate((*special, *remarks)):
            if num_words >= MIN_WORDS and (place or not special):
                break
            interpretation += f" {sentence}"
            num_words += len(sentence.split())
    return Reasoning(observations=observations, interpretation=interpretation, conclusion=conclusion)


def _seed(seed: int, sample_id: str, attempt: int) -> int:
    """A number that depends on nothing but these three."""
    return int.from_bytes(hashlib.sha256(f"{seed}/{attempt}/{sample_id}".encode()).digest()[:8], "big")
