"""The preview of a run that costs money: the first prompts as they would be sent, and what all of it may cost.

    print(preview(samples, options, prompts, settings, effort, price))

Nothing is asked. How long descriptions and endings will be is taken from what the rules teacher writes about the same
faces, and what they count in tokens from their characters.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, NamedTuple

from data_engine.exp_cot.draft import Draft, Options
from data_engine.exp_cot.language_model import ModelWriter, Settings
from data_engine.exp_cot.loop import READINGS, REPAIRS, Effort
from data_engine.exp_cot.rules import compose
from data_engine.exp_cot.task import Task, admit
from data_engine.exp_cot.wording import Prompts
from data_engine.exp_cot.writer import Said
from data_engine.generate.quota import Quota
from emollm.llm.tokens import LIKELY_IMAGE_TOKENS, likely_tokens
from emollm.llm.wire import Reply, Request, Turn
from emollm.records import Sample, media_path

if TYPE_CHECKING:
    from emollm.llm.budget import Price
    from emollm.records.ids import Ids

LOOKED_AT = 1000
"""Samples that the estimate is made from."""
OVERHEAD = 25
"""Tokens of an answer besides its text: the JSON around it, and a reason."""


class Need(NamedTuple):
    """Requests of a sample, and their tokens."""

    requests: int
    prompt: int
    completion: int


def preview(
    samples: Iterable[Sample],
    options: Options,
    prompts: Prompts,
    settings: Settings,
    effort: Effort,
    price: Price | None,
    media_root: Path | None = None,
    written: Ids | frozenset[str] = frozenset(),
    remembered: frozenset[str] = frozenset(),
    quota: Quota | None = None,
) -> str:
    """Return the prompts of the first sample that can be explained, and an estimate for all that are not done.

    `media_root` is where pictures lie, where they are shown; `written` are ids of samples in the output, `remembered`
    of samples whose answers are all in the ledger.
    """
    refused: Counter[str] = Counter()
    needs: list[tuple[Need, Need]] = []
    shown, num_samples, num_remembered = "", 0, 0
    counted = _Unwritten(samples, written)
    quota = quota or Quota(None)
    source = iter(counted)
    for sample in islice(source, LOOKED_AT):
        num_samples += 1
        task = admit(sample, options)
        if isinstance(task, Draft):
            refused[task.reason or ""] += 1
            continue
        if media_root is not None and (problem := _lacks_picture(sample, media_root)):
            refused[problem] += 1
            continue
        turns = _turns(task, prompts, settings)
        shown = shown or _show(sample, turns)
        if sample.id in remembered:
            num_remembered += 1
            continue
        needs.append(_needs(task, turns, effort, media_root is not None))
    num_looked_at = num_samples
    num_samples += sum(1 for _ in source)
    share = quota.share_wanted(counted.classes)
    lines = [*shown.splitlines(), ""]
    if counted.num_written:
        lines.append(f"{counted.num_written:,} of {counted.num_written + num_samples:,} samples are written already")
    if num_remembered:
        looked_at = f" of the first {num_looked_at:,}" if num_looked_at < num_samples else ""
        total = num_remembered + len(needs)
        lines.append(f"{num_remembered:,} of {total:,} already answered{looked_at}: the ledger has all that they need")
    if share < 1:
        lines.append(f"--balance {quota.most:,}: about {share:.0%} of these are wanted, more where texts are refused")
    scale = num_samples / max(1, num_looked_at)
    return "\n".join([*lines, *_estimate(needs, num_samples, scale, share, refused, effort, price)])


def _lacks_picture(sample: Sample, media_root: Path) -> str | None:
    """Return the reason for which a sample is refused whose picture cannot be shown; clips are told by their events."""
    if sample.media is None or sample.media.kind != "image":
        return None
    path = media_path(sample, media_root)
    return None if path is not None and path.is_file() else "bad_picture"


class _Unwritten:
    """Samples that are not in the output, counted by class; counts those that are, too."""

    def __init__(self, samples: Iterable[Sample], written: Ids | frozenset[str]) -> None:
        self._samples = samples
        self._written = written
        self.num_written = 0
        self.classes: Counter[str | None] = Counter()

    def __iter__(self) -> Iterator[Sample]:
        for sample in self._samples:
            if sample.id in self._written:
                self.num_written += 1
            else:
                self.classes[sample.label] += 1
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


def _needs(task: Task, turns: dict[str, list[Turn]], effort: Effort, has_pictures: bool) -> tuple[Need, Need]:
    """Return what a sample takes of which nothing is refused, and what it takes at most.

    At most, every description of every round is read READINGS times, and then all endings are refused. What is asked
    again goes on from the conversation before: the k-th time, its prompt is thought k times as long.
    """
    reasoning = compose(task.sight.view, task.finding, Random(0))
    prompt = {stage: likely_tokens(Request(turns=tuple(asked))) for stage, asked in turns.items()}
    if has_pictures:
        prompt["describe"] += LIKELY_IMAGE_TOKENS
    description = len(reasoning.observations) // 4 + OVERHEAD
    ending = (len(reasoning.interpretation) + len(reasoning.conclusion)) // 4 + OVERHEAD
    votes, reading, num_endings = effort.votes, 2 * OVERHEAD, 1 + REPAIRS * effort.repair
    num_described = votes * effort.rounds
    least = Need(
        2 * votes + 1,
        votes * (prompt["describe"] + prompt["infer"]) + prompt["refine"],
        votes * (description + reading) + ending,
    )
    most = Need(
        num_described * (1 + READINGS) + num_endings,
        votes * _growing(effort.rounds) * prompt["describe"]
        + num_described * _growing(READINGS) * prompt["infer"]
        + _growing(num_endings) * prompt["refine"],
        num_described * (description + READINGS * reading) + num_endings * ending,
    )
    return least, most


def _growing(times: int) -> int:
    """Return how long a prompt is all these times together."""
    return sum(range(1, times + 1))


def _estimate(
    needs: list[tuple[Need, Need]],
    num_samples: int,
    scale: float,
    share: float,
    refused: Counter[str],
    effort: Effort,
    price: Price | None,
) -> list[str]:
    """Estimate for all samples, `scale` times as many as were looked at, of which a share is wanted."""
    lines = [f"{num_samples:,} samples, {round(scale * share * len(needs)):,} to be asked about"]
    if refused:
        reasons = ", ".join(f"{reason} {round(scale * n):,}" for reason, n in refused.most_common())
        lines[0] += f"; refused before that: {reasons}"
    least, most = ([need[which] for need in needs] for which in (0, 1))
    calls, prompt, completion = _total(least, scale * share)
    cost = f", about ${price.of(prompt, completion):,.2f}" if price else ""
    lines.append(f"if nothing is refused: {calls:,} requests, about {prompt:,} tokens in and {completion:,} out{cost}")
    calls, prompt, completion = _total(most, scale)
    cost = f", about ${price.of(prompt, completion):,.2f}" if price else ""
    rounds = f"all {effort.rounds} rounds, every reading is asked for {READINGS} times"
    endings = " and no repair helps" if effort.repair else ""
    lines.append(f"if every sample takes {rounds}{endings}: {calls:,} requests at most{cost}")
    if price is None:
        lines.append("the price of this model is not known; --price IN,OUT (USD per 1M tokens) adds the cost")
    return lines


def _total(needs: list[Need], scale: float) -> Need:
    return Need(*(round(scale * sum(need[which] for need in needs)) for which in range(3)))
