"""The preview of a run that costs money: the first prompts as they would be sent, and what all of it may cost.

    print(preview(samples, options, prompts, settings, effort, price))

Nothing is asked. How long descriptions and endings will be is taken from what the rules teacher writes about the same
faces, and what they count in tokens from their characters.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import islice
from random import Random
from typing import TYPE_CHECKING, NamedTuple

from data_engine.exp_cot.draft import Draft, Options
from data_engine.exp_cot.language_model import ModelWriter, Settings
from data_engine.exp_cot.loop import Effort
from data_engine.exp_cot.rules import compose
from data_engine.exp_cot.task import Task, admit
from data_engine.exp_cot.wording import Prompts
from data_engine.exp_cot.writer import Said
from emollm.llm.tokens import LIKELY_IMAGE_TOKENS, likely_tokens
from emollm.llm.wire import Reply, Request, Turn
from emollm.records import Sample

if TYPE_CHECKING:
    from emollm.llm.budget import Price
    from emollm.records.ids import Ids

LOOKED_AT = 1000
"""Samples that the estimate is made from."""
OVERHEAD = 25
"""Tokens of an answer besides its text: the JSON around it, and a reason."""


class Need(NamedTuple):
    """Tokens of one sample that is kept at once."""

    prompt: int
    completion: int


def preview(
    samples: Iterable[Sample],
    options: Options,
    prompts: Prompts,
    settings: Settings,
    effort: Effort,
    price: Price | None,
    has_pictures: bool = False,
    written: Ids | frozenset[str] = frozenset(),
    remembered: frozenset[str] = frozenset(),
) -> str:
    """Return the prompts of the first sample that can be explained, and an estimate for all that are not done.

    `written` are ids of samples in the output, `remembered` of samples whose answers are all in the ledger.
    """
    refused: Counter[str] = Counter()
    needs: list[Need] = []
    shown, num_samples, num_remembered = "", 0, 0
    counted = _Unwritten(samples, written)
    source = iter(counted)
    for sample in islice(source, LOOKED_AT):
        num_samples += 1
        task = admit(sample, options)
        if isinstance(task, Draft):
            refused[task.reason or ""] += 1
            continue
        turns = _turns(task, prompts, settings)
        shown = shown or _show(sample, turns)
        if sample.id in remembered:
            num_remembered += 1
            continue
        needs.append(_need(task, turns, effort, has_pictures))
    num_looked_at = num_samples
    num_samples += sum(1 for _ in source)
    lines = [*shown.splitlines(), ""]
    if counted.num_written:
        lines.append(f"{counted.num_written:,} of {counted.num_written + num_samples:,} samples are written already")
    if num_remembered:
        looked_at = f" of the first {num_looked_at:,}" if num_looked_at < num_samples else ""
        total = num_remembered + len(needs)
        lines.append(f"{num_remembered:,} of {total:,} already answered{looked_at}: the ledger has all that they need")
    return "\n".join([*lines, *_estimate(needs, num_looked_at, num_samples, refused, effort, price)])


class _Unwritten:
    """Samples that are not in the output; counts those that are."""

    def __init__(self, samples: Iterable[Sample], written: Ids | frozenset[str]) -> None:
        self._samples = samples
        self._written = written
        self.num_written = 0

    def __iter__(self) -> Iterator[Sample]:
        for sample in self._samples:
            if sample.id in self._written:
                self.num_written += 1
            else:
                yield sample


def _turns(task: Task, prompts: Prompts, settings: Settings) -> dict[str, list[Turn]]:
    """Return what would be asked at each stage, with a text by rule in place of answers."""
    writer = ModelWriter(_nobody, prompts, settings, task.sight, task.label_set)
    reasoning = compose(task.sight.view, task.finding, Random(0))
    said = Said(reasoning.observations)
    labels = task.finding.labels
    system = Turn("system", prompts.fill("system"))
    return {
        "describe": [system, writer.question()],
        "infer": [system, writer.riddle(said, writer.choices())],
        "refine": [system, writer.ending(said, labels, "refine")],
    }


async def _nobody(request: Request) -> Reply:
    raise AssertionError(f"a preview asked for {request.stage}")


def _show(sample: Sample, turns: dict[str, list[Turn]]) -> str:
    lines = [f"The prompts of {sample.id}; behind describe, in place of the model's answers, stands a text by rule."]
    for stage, asked in turns.items():
        for turn in asked if stage == "describe" else asked[1:]:
            lines += ["", f"--- {stage}: {turn.role} ---", turn.text]
    return "\n".join(lines)


def _need(task: Task, turns: dict[str, list[Turn]], effort: Effort, has_pictures: bool) -> Need:
    """Return what one round counts in which nothing is refused."""
    reasoning = compose(task.sight.view, task.finding, Random(0))
    prompt = {stage: likely_tokens(Request(turns=tuple(asked))) for stage, asked in turns.items()}
    if has_pictures:
        prompt["describe"] += LIKELY_IMAGE_TOKENS
    description = len(reasoning.observations) // 4 + OVERHEAD
    ending = (len(reasoning.interpretation) + len(reasoning.conclusion)) // 4 + OVERHEAD
    votes = effort.votes
    return Need(
        votes * (prompt["describe"] + prompt["infer"]) + prompt["refine"],
        votes * (description + 2 * OVERHEAD) + ending,
    )


def _estimate(
    needs: list[Need], num_looked_at: int, num_samples: int, refused: Counter[str], effort: Effort, price: Price | None
) -> list[str]:
    scale = num_samples / max(1, num_looked_at)
    num_asked = round(scale * len(needs))
    lines = [f"{num_samples:,} samples, {num_asked:,} to be asked about"]
    if refused:
        reasons = ", ".join(f"{reason} {round(scale * n):,}" for reason, n in refused.most_common())
        lines[0] += f"; refused before that: {reasons}"
    prompt = round(scale * sum(need.prompt for need in needs))
    completion = round(scale * sum(need.completion for need in needs))
    calls = num_asked * (2 * effort.votes + 1)
    cost = f", about ${price.of(prompt, completion):,.2f}" if price else ""
    lines.append(f"if nothing is refused: {calls:,} requests, about {prompt:,} tokens in and {completion:,} out{cost}")
    # A round costs what the first did, and the conversation it goes on from; an ending more is a part of that.
    worst_prompt = sum(range(1, effort.rounds + 1)) * prompt
    worst = f", about ${price.of(worst_prompt, effort.rounds * completion):,.2f}" if price else ""
    lines.append(f"if every sample takes all {effort.rounds} rounds: {effort.rounds * calls:,} requests at most{worst}")
    if price is None:
        lines.append("the price of this model is not known; --price IN,OUT (USD per 1M tokens) adds the cost")
    return lines
