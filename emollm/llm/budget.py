"""The budget: what tokens cost, and a cap on it that is never passed.

    price = price_of("gpt-4o-mini", PRICES)           # USD per 1M tokens, in and out
    budget = Budget(5.0)                              # for this run
    await budget.hold(worst)                          # before a request is sent; raises Failure("budget", …)
    budget.settle(worst, paid)                        # after its answer

A request sets aside what it can cost at most. Where that does not fit beside what others have set aside, it waits until
they are settled; where it does not fit beside what is spent, it fails, and so does every later one that is as dear.
What is spent is what answers cost by their `usage`; a request whose fate is not known (no answer in time, a broken
line) counts with all it had set aside.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping
from typing import NamedTuple

from emollm.errors import ConfigError, did_you_mean
from emollm.llm.wire import Failure


class Price(NamedTuple):
    """USD per 1M tokens."""

    prompt: float
    completion: float

    def of(self, prompt_tokens: int, completion_tokens: int) -> float:
        """Return what so many tokens cost in USD. A discount for cached prompts is not known to it."""
        return (prompt_tokens * self.prompt + completion_tokens * self.completion) / 1e6


PRICES = {
    "gpt-4o": Price(2.50, 10.00),
    "gpt-4o-mini": Price(0.15, 0.60),
    "gpt-4.1": Price(2.00, 8.00),
    "gpt-4.1-mini": Price(0.40, 1.60),
    "gpt-4.1-nano": Price(0.10, 0.40),
    "gpt-5": Price(1.25, 10.00),
    "gpt-5-mini": Price(0.25, 2.00),
    "gpt-5-nano": Price(0.05, 0.40),
    "o3": Price(2.00, 8.00),
    "o4-mini": Price(1.10, 4.40),
}
"""OpenAI's list prices of the standard tier, as of March 2026, from third parties' copies of its pricing page. They
change: look there before you rely on them, and give --price where they have."""


def price_of(model: str, prices: Mapping[str, Price]) -> Price | None:
    """Return the price of a model, also under its dated names (`gpt-4o-2024-08-06`), or None."""
    if model in prices:
        return prices[model]
    name, *date = model.rsplit("-", 3)
    is_dated = [len(part) for part in date] == [4, 2, 2] and "".join(date).isdecimal()
    return prices.get(name) if is_dated else None


def needed_price(model: str, prices: Mapping[str, Price]) -> Price:
    """Return the price of a model. Raises ConfigError where it is not known and a budget needs it."""
    price = price_of(model, prices)
    if price is None:
        raise ConfigError(
            f"--budget: the price of '{model}' is not known{did_you_mean(model, prices)}; "
            "give --price IN,OUT in USD per 1M tokens (0,0 for a server of your own)"
        )
    return price


def read_price(text: str) -> Price:
    """Read `IN,OUT`, USD per 1M tokens."""
    try:
        prompt, completion = (float(part) for part in text.split(","))
    except ValueError:
        prompt = completion = -1.0
    if not (0 <= prompt < float("inf") and 0 <= completion < float("inf")):
        raise ConfigError(f"--price: '{text}' is not of the form 2.50,10 (USD per 1M tokens in and out)")
    return Price(prompt, completion)


class Budget:
    """A cap in USD for what this run pays. Clients of one event loop may share it."""

    def __init__(self, usd: float) -> None:
        if not 0 <= usd < float("inf"):
            raise ConfigError(f"--budget: {usd} is no amount of USD")
        self.usd = usd
        self.spent = 0.0
        self._held = 0.0
        self._num_held = 0
        self._waiting: deque[tuple[float, asyncio.Future[None]]] = deque()

    def check(self, usd: float) -> None:
        """Raise Failure where so much does not fit beside what is spent, whatever becomes of the rest."""
        if self.spent + usd > self.usd:
            raise Failure(
                "budget", f"could cost ${usd:.4f}, and ${self.spent:.4f} of ${self.usd:.2f} are spent", tries=0
            )

    async def hold(self, usd: float) -> None:
        """Set aside what a request can cost, after those who wait for it already. Raises Failure where it cannot be."""
        self.check(usd)
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append((usd, turn))
        self._serve()
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled() and turn.exception() is None:
                self.settle(usd, 0.0)
            raise

    def settle(self, held: float, paid: float) -> None:
        """Put back what was set aside, less what was paid."""
        self._num_held -= 1
        self._held = self._held - held if self._num_held else 0.0
        self.spent += paid
        self._serve()

    def _serve(self) -> None:
        while self._waiting:
            usd, turn = self._waiting[0]
            if not turn.done():
                try:
                    self.check(usd)
                except Failure as failure:
                    turn.set_exception(failure)
                else:
                    if self._num_held and self.spent + self._held + usd > self.usd:
                        return
                    self._held += usd
                    self._num_held += 1
                    turn.set_result(None)
            self._waiting.popleft()
