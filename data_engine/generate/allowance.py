"""The allowance of a run with a budget: how many samples may be under way, so that what is begun is also finished.

    allowance = Allowance(budget, price, max_tokens)
    await allowance.begin()                      # waits, in the order of the samples
    draft = await explain(...)
    allowance.end(draft)

A sample takes several requests, and a budget that is spent on the first ones of many buys nothing. So a sample begins
only where the budget has room for it and for all that are under way, each thought to cost what the dearest one has
cost so far. The first one goes alone. What the budget itself forbids is decided request by request, as ever.
"""

from __future__ import annotations

import asyncio
from collections import deque

from data_engine.exp_cot.draft import Draft
from emollm.llm.budget import Budget, Price


class Allowance:
    """Lets samples begin, first come first served. Belongs to one event loop."""

    def __init__(self, budget: Budget, price: Price, max_tokens: int) -> None:
        self._budget = budget
        self._price = price
        self._margin = price.of(4 * max_tokens, max_tokens)
        """The budget lets no request go that could cost more than is left, and most cost far less."""
        self._dearest: float | None = None
        """What the dearest sample cost, in USD, as if none of its answers had been remembered."""
        self._num_under_way = 0
        self._num_ended = 0
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def begin(self) -> None:
        """Wait until the budget has room for one more sample."""
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        self._serve()
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.end(None)
            raise

    def end(self, draft: Draft | None) -> None:
        """Count a sample that is done, None where it was broken off."""
        self._num_under_way -= 1
        if draft is not None and draft.reason != "budget":
            self._num_ended += 1
            self._dearest = max(self._dearest or 0.0, self._cost(draft))
        self._serve()

    def _cost(self, draft: Draft) -> float:
        """Return what a sample cost, remembered answers included; by the budget where an endpoint tells no tokens."""
        told = draft.provenance.get("tokens")
        if told and told["prompt"]:
            return self._price.of(told["prompt"], told["completion"])
        return self._budget.spent / self._num_ended

    def _serve(self) -> None:
        while self._waiting and self._has_room():
            turn = self._waiting.popleft()
            if not turn.done():
                self._num_under_way += 1
                turn.set_result(None)

    def _has_room(self) -> bool:
        if not self._num_under_way:
            return True
        if self._dearest is None:
            return False
        needed = (self._num_under_way + 1) * self._dearest + self._margin
        return self._budget.spent + needed <= self._budget.usd
