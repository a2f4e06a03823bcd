"""An endpoint: one model at one address, asked again after trouble that may pass.

    endpoint = Endpoint("http://localhost:8000/v1", "Qwen2.5-VL-7B-Instruct", key=None, limits=Limits())
    await endpoint.open()
    answer = await endpoint.ask(request, account)        # or raises Failure, or EndpointError
    await endpoint.close()

Trouble and what is done about it:

    429, 503 with Retry-After      everybody waits and slows down (`pace`), but for strays; no retry is spent on it
    5xx, broken or no answer       bounded retries with a random wait
    a parameter it does not take   the request in another style (`chat`)
    refusals, 4xx, too late        Failure at once
    wrong key, unknown model, an empty account, nobody there      EndpointError: no other request would fare better

A handful goes ahead until one is answered or kept waiting for a second: what is dead from the start is asked no more.
"""

from __future__ import annotations

import asyncio
import random
import sys
import time
from dataclasses import dataclass
from http import HTTPStatus

from emollm.llm.accounts import Account
from emollm.llm.budget import Budget, Price
from emollm.llm.chat import LENGTHS, Answer, Style, Trouble, first_style, read_answer, to_body
from emollm.llm.images import DataUrls
from emollm.llm.pace import Limits, Outcome, Pace
from emollm.llm.tokens import likely_tokens, most_tokens
from emollm.llm.transport import Transport
from emollm.llm.wire import EndpointError, Failure, Request

MAX_BACKOFF_S = 20.0
MIN_TIMEOUT_S = 0.05
QUICK_RETRIES = 2
"""Retries to reach an endpoint that has never answered: a wrong address is not worth a minute."""
GONE_AFTER = 20
"""Requests in a row that no retry could save, after which the endpoint counts as gone."""
SECRET = 16
"""Characters of a key that opens something; the keys of paid services have twice as many."""
HANDFUL = 5
"""The same for an endpoint that has answered no request yet; until then, no more are asked at a time."""
AT_WORK_AFTER_S = 1.0
"""An endpoint that has kept silent for so long is at work: a wrong key, model or address is told at once."""


def answer_bytes(max_tokens: int) -> int:
    """Return how large an answer may be: far more than so many tokens need, far less than fills the memory."""
    return (1 << 16) + 64 * max_tokens


@dataclass
class Errand:
    """A request on its way: what it has used up of its limits."""

    request: Request
    account: Account
    left_s: float
    tries: int = 0
    retries: int = 0
    held_up_since: float | None = None
    """When it was first told to wait."""
    refused: int = 0
    """How often it was told to wait."""
    has_met_trouble: bool = False


class Endpoint:
    """Where the requests go. Opened and closed in one event loop; may then be opened again."""

    def __init__(
        self,
        url: str,
        model: str,
        *,
        key: str | None,
        limits: Limits,
        budget: Budget | None = None,
        price: Price | None = None,
    ) -> None:
        self.url = url
        self.model = model
        self.price = price
        self._key = key
        self._limits = limits
        self._budget = budget if price is not None else None
        self._urls = DataUrls()
        self.style = first_style(url)
        self._has_answered = False
        self._is_known = False
        """Whether all may ask: it has answered, or is at work."""
        self._num_lost = 0
        self._refuses_all = False
        """Whether the first that it said is that it answers nobody, with this key or this address."""
        self._end: EndpointError | None = None
        self._dearer = 1.0
        """How much dearer a request has been than it was thought to be at most."""
        self._pace: Pace | None = None
        self._http: Transport | None = None
        self._ahead = asyncio.Semaphore(HANDFUL)

    async def open(self) -> None:
        """Get ready to ask. Raises MissingExtraError where the HTTP library is not installed."""
        self._http = Transport(f"{self.url}/chat/completions", self._key)
        self._pace = Pace(self._limits)
        self._ahead = asyncio.Semaphore(HANDFUL)

    async def close(self) -> None:
        """Close the connections."""
        if self._http is not None:
            await self._http.close()
        self._http = self._pace = None

    async def ask(self, request: Request, account: Account) -> Answer:
        """Return the answer to a request, counting in the account what it takes to get it."""
        errand = Errand(request, account, self._limits.deadline_s)
        if not self._is_known:
            async with self._ahead:
                if not self._is_known:
                    return await self._go_ahead(errand)
        return await self._run(errand)

    async def _go_ahead(self, errand: Errand) -> Answer:
        """Find out whether anybody is there, before the others ask."""
        timer = asyncio.get_running_loop().call_later(AT_WORK_AFTER_S, self._note_silence, errand)
        try:
            return await self._run(errand)
        finally:
            timer.cancel()

    def _note_silence(self, errand: Errand) -> None:
        if not errand.has_met_trouble:
            self._let_all_ask()

    def _let_all_ask(self) -> None:
        if not self._is_known:
            self._is_known = True
            self._ahead.release()  # lets one of those who wait through, and each of them the next

    async def _run(self, errand: Errand) -> Answer:
        """Try until there is an answer, or no use in another try."""
        while True:
            if self._end is not None:
                raise self._end
            style = self.style
            errand.tries += 1
            try:
                answer = await self._try(errand, style)
            except Trouble as trouble:
                errand.has_met_trouble = True
                if not await self._may_try_again(trouble, errand, style):
                    raise self._failure(trouble, errand) from None
            else:
                self._has_answered, self._num_lost = True, 0
                self._let_all_ask()
                return answer

    # --- one try ------------------------------------------------------------------------------------------------------

    async def _try(self, errand: Errand, style: Style) -> Answer:
        """Send the request once, in its turn and within the budget."""
        if self._pace is None or self._http is None:
            raise RuntimeError("the endpoint is not open: use `async with`")
        request = errand.request
        worst = self._dearer * self._most_usd(request)
        if self._budget is not None:
            self._budget.check(worst)
        slot = await self._pace.enter(likely_tokens(request) + request.max_tokens, errand.refused)
        outcome: Outcome = "failed"
        tokens, wait_s = None, None
        try:
            if self._end is not None:  # another one has learned it meanwhile
                raise self._end
            body = to_body(request, self.model, style, self._urls.find)
            if self._budget is not None:
                await self._budget.hold(worst)
            answer = await self._send(body, errand, worst)
            outcome, tokens = "answered", answer.tokens
        except Trouble as trouble:
            outcome, wait_s = ("refused", trouble.wait_s) if trouble.kind == "rate" else ("failed", None)
            raise
        finally:
            self._pace.leave(slot, outcome, tokens, wait_s)
        return answer

    async def _send(self, body: bytes, errand: Errand, worst: float) -> Answer:
        """Send and read, and settle what it cost: by its usage, and with the worst where nobody can tell."""
        assert self._http is not None
        started = time.monotonic()
        usd, doubt = 0.0, worst
        try:
            timeout_s = max(MIN_TIMEOUT_S, errand.left_s)
            received = await self._http.post(body, timeout_s, answer_bytes(errand.request.max_tokens))
            try:
                answer = read_answer(received.status, self._without_key(received.body, received.status))
            except Trouble as trouble:
                trouble.wait_s = received.retry_after_s
                if received.status == 503 and received.retry_after_s is not None:
                    trouble.kind = "rate"
                raise
            usd, doubt = self._cost(answer, errand, worst)
            return answer
        except asyncio.CancelledError:
            doubt = 0.0 if self._refuses_all else worst
            raise
        except Trouble as trouble:
            usd, doubt = 0.0, worst if trouble.may_cost else 0.0
            if trouble.answer is not None:
                usd, doubt = self._cost(trouble.answer, errand, worst)
            raise
        finally:
            errand.left_s -= time.monotonic() - started
            errand.account.usd += usd
            errand.account.usd_in_doubt += doubt
            if self._budget is not None:
                self._budget.settle(worst, usd + doubt)

    def _cost(self, answer: Answer, errand: Errand, worst: float) -> tuple[float, float]:
        """Count the tokens of an answer; return what it cost and what it cost at most where it does not tell."""
        errand.account.prompt_tokens += answer.prompt_tokens or 0
        errand.account.completion_tokens += answer.completion_tokens or 0
        usd = answer.usd(self.price)
        if usd is None:
            return 0.0, worst
        if usd > worst:
            self._dearer = max(self._dearer, usd / self._most_usd(errand.request))
        return usd, 0.0

    def _most_usd(self, request: Request) -> float:
        return self.price.of(most_tokens(request), request.max_tokens) if self.price is not None else 0.0

    # --- after trouble ------------------------------------------------------------------------------------------------

    async def _may_try_again(self, trouble: Trouble, errand: Errand, style: Style) -> bool:
        """Decide whether there is another try, and wait for it."""
        if trouble.parameter is not None:
            return self._change_style(trouble.parameter, style)
        if trouble.kind == "rate":
            now = time.monotonic()
            errand.account.told_to_wait += 1
            errand.refused += 1
            errand.held_up_since = errand.held_up_since or now
            wait_s = max(trouble.wait_s or 0.0, self._pace.halt_left_s() if self._pace else 0.0)
            return now + wait_s - errand.held_up_since < self._limits.patience_s
        is_strange = trouble.ends_run == "at_first" or trouble.kind == "unreadable"
        is_stranger = is_strange and not self._has_answered
        most = min(QUICK_RETRIES, self._limits.retries) if is_stranger else self._limits.retries
        if not trouble.may_retry or errand.retries >= most or errand.left_s <= 0:
            return False
        errand.retries += 1
        errand.account.retries += 1
        backoff_s = min(MAX_BACKOFF_S, self._limits.backoff_s * 2 ** (errand.retries - 1))
        await asyncio.sleep(max(random.uniform(0, backoff_s), min(trouble.wait_s or 0.0, MAX_BACKOFF_S)))
        return True

    def _change_style(self, parameter: str, sent: Style) -> bool:
        """Leave out what the endpoint does not take; False where that was tried or cannot be."""
        if not sent.uses(parameter):
            return False
        if self.style.uses(parameter):
            style = self.style.dropping(parameter)
            if style is None:
                return False
            self.style = style
            instead = f"with '{style.length}'" if parameter in LENGTHS else "without it"
            if parameter == "response_format":
                instead = "for the schema in words"
            print(f"{self.url}: '{self.model}' does not take '{parameter}'; asking {instead}", file=sys.stderr)
        return True

    def _failure(self, trouble: Trouble, errand: Errand) -> Failure | EndpointError:
        """Return what to raise, and remember where there is no hope for any other request."""
        detail = trouble.detail
        lost = trouble.kind in ("transport", "deadline", "unreadable", "rate") and trouble.answer is None
        self._num_lost = self._num_lost + 1 if lost else 0
        if trouble.ends_run == "always" or (trouble.ends_run == "at_first" and not self._has_answered):
            self._refuses_all = trouble.kind == "refused_request" and not self._has_answered
            self._end = EndpointError(f"{self.url}: {detail}; {_advice(trouble)}")
        elif self._num_lost >= (GONE_AFTER if self._has_answered else HANDFUL):
            advice = "all that was answered is kept, the same command goes on from here"
            if not self._has_answered:
                self._refuses_all = not trouble.may_cost
                advice = "is this the address of an OpenAI-compatible API, and is the server well?"
            self._end = EndpointError(
                f"{self.url}: {self._num_lost} requests in a row got no answer, the last one: {detail}; {advice}"
            )
        else:
            if not lost:
                self._has_answered = True
                self._let_all_ask()
            return Failure(trouble.kind, detail, errand.tries)
        return self._end

    def _without_key(self, body: bytes, status: int) -> bytes:
        """Take the key out of what an endpoint says; some repeat what they were sent.

        In answers a short one stays, such as "none" for a server of one's own: it may be a word of theirs.
        """
        if not self._key or (status == HTTPStatus.OK and len(self._key) < SECRET):
            return body
        return body.replace(self._key.encode(), b"***")


def _advice(trouble: Trouble) -> str:
    if trouble.kind == "transport":
        return "is the address right, and the server running?"
    return "check the key, the name of the model, the address, and the account"
