"""The client: asks any OpenAI-compatible endpoint, within limits and a budget, and remembers every answer.

    async with Client("http://localhost:8000/v1", "Qwen2.5-VL-7B-Instruct", ledger=ledger) as ask:
        reply = await ask(Request(turns=(Turn("user", "Which expression is this?", images=(image,)),)))

A request is looked up in the ledger; it waits for its turn and for the budget; it is sent, and again after trouble that
may pass (`endpoint`); its answer is on the disk before it is counted and returned. Two equal requests at the same time
are one. The key comes from the environment and is in no message, ledger or manifest.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

import msgspec

from emollm.llm.accounts import Account, Accounts
from emollm.llm.address import KEY_ENV, read_address, read_key
from emollm.llm.budget import PRICES, Budget, Price, needed_price, price_of
from emollm.llm.endpoint import Endpoint
from emollm.llm.entry import Entry, canonical, key_of, to_reply
from emollm.llm.ledger import Ledger
from emollm.llm.pace import Limits
from emollm.llm.wire import EndpointError, Failure, Reply, Request


class Client:
    """Asks one model at one endpoint; an `Ask`. Use it inside `async with`, or hand it to `in_order` as `within`.

    Without `prices` the built-in table is used. Raises ConfigError for an address that is none, for a key that is
    missing or no key, and for a budget where the model's price is not known.
    """

    def __init__(
        self,
        endpoint: str,
        model: str,
        *,
        ledger: Ledger | None = None,
        limits: Limits | None = None,
        budget: Budget | None = None,
        prices: Mapping[str, Price] | None = None,
        key_env: str = KEY_ENV,
    ) -> None:
        prices = PRICES if prices is None else prices
        url = read_address(endpoint)
        self.model = model
        self.ledger = ledger
        self.accounts = Accounts()
        self.endpoint = Endpoint(
            url,
            model,
            key=read_key(key_env, url),
            limits=limits or Limits(),
            budget=budget,
            price=price_of(model, prices) if budget is None else needed_price(model, prices),
        )
        self._asking: dict[str, asyncio.Future[Reply | Failure | EndpointError | None]] = {}

    async def __aenter__(self) -> Self:
        await self.endpoint.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None
    ) -> None:
        await self.endpoint.close()

    async def __call__(self, request: Request) -> Reply:
        """Answer a request. Raises Failure where it cannot be answered, EndpointError where none can."""
        account = self.accounts.of(request.stage, self.model)
        try:
            return await self._remember_or_pay(request, account)
        except Failure as failure:
            account.failed[failure.kind] = account.failed.get(failure.kind, 0) + 1
            raise

    async def _remember_or_pay(self, request: Request, account: Account) -> Reply:
        asked = self._canonical(request)
        key = key_of(asked)
        while (other := self._asking.get(key)) is not None:
            await asyncio.wait([other])
            outcome = other.result()
            if isinstance(outcome, Reply):
                account.remembered += 1
                return msgspec.structs.replace(outcome, is_remembered=True)
            if outcome is not None:
                raise outcome
        if self.ledger is not None and (entry := self.ledger.find(key)) is not None:
            account.remembered += 1
            account.usd_saved += entry.usd or 0.0
            return to_reply(entry, is_remembered=True)
        mine = self._asking[key] = asyncio.get_running_loop().create_future()
        outcome = None
        try:
            outcome = await self._pay(request, asked, key, account)
            return outcome
        except (Failure, EndpointError) as error:
            outcome = error
            raise
        finally:  # without an outcome, as after a cancellation, the next in line asks itself
            del self._asking[key]
            mine.set_result(outcome)

    async def _pay(self, request: Request, asked: bytes, key: str, account: Account) -> Reply:
        """Get an answer from the endpoint and keep it."""
        answer = await self.endpoint.ask(request, account)
        entry = Entry.of(
            answer,
            key=key,
            stage=request.stage,
            endpoint=self.endpoint.url,
            model=self.model,
            at=datetime.now(UTC),
            price=self.endpoint.price,
            without=sorted(self.endpoint.style.without),
            request=msgspec.Raw(asked),
        )
        if self.ledger is not None:
            await self.ledger.keep(entry)
        account.paid += 1
        return to_reply(entry, is_remembered=False)

    def _canonical(self, request: Request) -> bytes:
        try:
            return canonical(self.endpoint.url, self.model, request)
        except UnicodeEncodeError:
            raise Failure("refused_request", "the text is no valid Unicode (half a surrogate pair)", tries=0) from None
