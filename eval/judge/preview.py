"""The preview of a run that costs money: the first prompts as they would be sent, and what all of it may cost.

    print(preview(subjects, mode, settings, endpoint, ledger_path))

Nothing is asked: an answer of the usual length stands in for each, so that the questions that follow from it are
counted too. What the ledger remembers costs nothing and is said apart.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

from emollm.llm.address import read_address
from emollm.llm.budget import price_of
from emollm.llm.entry import canonical, key_of
from emollm.llm.ledger import Ledger
from emollm.llm.options import EndpointOptions, prices_of
from emollm.llm.tokens import likely_tokens
from emollm.llm.wire import Reply, Request
from eval.judge.asking import Judge, Settings, Subject
from eval.judge.mode import Mode
from eval.judge.wording import Prompts

LOOKED_AT = 500
"""Samples that the estimate is made from."""
CHARACTERS = 3
"""Of a token of an answer, JSON and words together."""


class _StandIn:
    """Answers from the ledger, and else with the usual; remembers what it would have asked."""

    def __init__(self, mode: Mode, recall: Callable[[Request], str | None]) -> None:
        self._mode = mode
        self._recall = recall
        self.remembered: set[Request] = set()
        self.new: dict[Request, int] = {}
        """Each different request, and the tokens of its answer."""

    async def __call__(self, request: Request) -> Reply:
        text = self._recall(request)
        if text is not None:
            self.remembered.add(request)
        else:
            text = self._mode.typical[request.stage.removeprefix("judge.")]
            self.new[request] = len(text) // CHARACTERS
        return Reply(text=text, model="nobody")


def preview(
    subjects: Sequence[Subject],
    mode: Mode,
    prompts: Prompts,
    settings: Settings,
    endpoint: EndpointOptions,
    ledger: Path,
) -> str:
    """Return the prompts of the first sample, how many requests the run takes, and about what they cost."""
    with ExitStack() as stack:
        stand_in = _StandIn(mode, _recall(endpoint, ledger, stack))
        judge = Judge(stand_in, prompts, settings)
        for subject in subjects[:LOOKED_AT]:
            asyncio.run(mode.judge(judge, subject))
    new = stand_in.new
    scale = len(subjects) / max(1, min(len(subjects), LOOKED_AT))
    prompt, completion = sum(map(likely_tokens, new)), sum(new.values())
    price = price_of(str(endpoint.model), prices_of(endpoint))
    cost = f", about ${scale * price.of(prompt, completion):,.2f}" if price else ""
    lines = [
        *(_show(list(new)) if new else ()),
        f"{len(subjects):,} samples to judge: {round(scale * len(new)):,} requests, about {round(scale * prompt):,} "
        f"tokens in and {round(scale * completion):,} out{cost}",
    ]
    if stand_in.remembered:
        lines.append(f"{round(scale * len(stand_in.remembered)):,} more are in the ledger and cost nothing")
    if price is None:
        lines.append("the price of this model is not known; --judge-price IN,OUT (USD per 1M tokens) adds the cost")
    return "\n".join(lines)


def _show(requests: Sequence[Request]) -> list[str]:
    """Return the first prompt of each kind."""
    lines = ["The first prompts of each kind; an answer of the usual length stands in place of the judge's.", ""]
    first: dict[str, Request] = {}
    for request in requests:
        first.setdefault(request.stage, request)
    for stage, request in first.items():
        lines += [f"--- {stage} ---", *(turn.text for turn in request.turns), ""]
    return lines


def _recall(endpoint: EndpointOptions, path: Path, stack: ExitStack) -> Callable[[Request], str | None]:
    """Return what finds an answer in the ledger, where there is one."""
    if not path.exists():
        return lambda _: None
    url, ledger = read_address(endpoint.base_url), stack.enter_context(Ledger(path))

    def recall(request: Request) -> str | None:
        entry = ledger.find(key_of(canonical(url, str(endpoint.model), request)))
        return None if entry is None else entry.text

    return recall
