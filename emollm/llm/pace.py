"""Pace: how many requests are in flight and how fast they follow each other, learned from what the endpoint says.

    pace = Pace(Limits(in_flight=128, requests_per_minute=500))
    slot = await pace.enter(tokens=900)
    ...
    pace.leave(slot, "answered")                 # or "refused" with the seconds it said to wait, or "failed"

The limits a user gives are kept. Within them the window of requests in flight opens fast until the endpoint first says
429. Then it shrinks to three quarters and grows back, slowly near the place where that was; all refusals until a later
request is answered are one storm and count once. Where a storm refuses most of what was in flight, one request goes
ahead alone, and what comes after is sent no faster than answers came (`ceiling`). Nobody is sent before Retry-After.
A refusal without it that has nothing to do with load is waited for by its request alone.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Literal, NamedTuple

import msgspec

from emollm.errors import ConfigError
from emollm.llm.ceiling import OPENING_STEP_S, Rate, Window

Outcome = Literal["answered", "refused", "failed"]

BRUSH_S = 0.01
"""How long a refusal without Retry-After halts everybody; doubled with every storm on the heels of another."""
CALM = 16
"""Answers after which a storm is over."""
MAX_HALT_S = 30.0
TICK_S = 0.001
"""What a clock can tell apart."""


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What a user allows. Raises ConfigError for what cannot be."""

    in_flight: int = 64
    """Requests at a time, at most."""
    requests_per_minute: float | None = None
    tokens_per_minute: float | None = None
    """Of prompts and answers together."""
    deadline_s: float = 180.0
    """How long the endpoint may take for one request, all its tries together; waiting for a turn does not count."""
    patience_s: float = 600.0
    """How long a request may be told to wait, over and over, before it fails as `rate`."""
    retries: int = 5
    """After a broken or missing answer; being told to wait does not count."""
    backoff_s: float = 0.5
    """Before the first retry at most; doubled each time, up to 20 s. The real wait is a random part of it."""

    def __post_init__(self) -> None:
        if self.in_flight < 1 or self.retries < 0 or self.backoff_s < 0:
            raise ConfigError("limits: in_flight must be 1 or more, retries and backoff_s not negative")
        for name in ("requests_per_minute", "tokens_per_minute", "deadline_s", "patience_s"):
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise ConfigError(f"limits: {name} must be more than 0, not {value}")


class Slot(NamedTuple):
    """A request's leave to be sent."""

    sent_at: float
    tokens: int
    level: int
    """Requests in flight when it was given, this one included."""


class Bucket:
    """A limit a minute that is kept in every minute: what comes in a burst is taken from the steady flow."""

    def __init__(self, per_minute: float) -> None:
        self._most = max(1.0, per_minute / 61)
        self._per_s = max(per_minute - self._most, per_minute / 2) / 60
        self._level = self._most
        self._filled_at = -1e9

    def wait_s(self, amount: float, now: float) -> float:
        """Return how long until the amount may be taken; more than the bucket holds may be taken when it is full."""
        self._level = min(self._most, self._level + (now - self._filled_at) * self._per_s)
        self._filled_at = now
        return max(0.0, (min(amount, self._most) - self._level) / self._per_s)

    def take(self, amount: float) -> None:
        """Take the amount, or give back a negative one; the level may fall below nothing."""
        self._level -= amount


class Pace:
    """Lets requests through, first come, first served. Belongs to one event loop."""

    def __init__(self, limits: Limits) -> None:
        self.in_flight = 0
        self._window = Window(limits.in_flight)
        self._rate = Rate()
        self._requests = Bucket(limits.requests_per_minute) if limits.requests_per_minute else None
        self._tokens = Bucket(limits.tokens_per_minute) if limits.tokens_per_minute else None
        self._waiting: deque[tuple[asyncio.Future[Slot], int]] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._halted_until = self._halted_s = 0.0
        self._halts = 0
        self._calm = CALM

    async def enter(self, tokens: int, refused: int = 0) -> Slot:
        """Wait for a turn. Who was told to wait, `refused` times so far, goes first.

        Where nobody else has to wait for that, it waits alone, and longer each time.
        """
        if refused and not self.halt_left_s():
            await asyncio.sleep(min(MAX_HALT_S, BRUSH_S * 2 ** min(refused - 1, 20)))
        turn: asyncio.Future[Slot] = asyncio.get_running_loop().create_future()
        if refused:
            self._waiting.appendleft((turn, tokens))
        else:
            self._waiting.append((turn, tokens))
        self._serve()
        try:
            return await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.leave(turn.result(), "failed")
            raise

    def halt_left_s(self) -> float:
        """Return how long nobody will be let through because of a refusal."""
        return max(0.0, self._halted_until - asyncio.get_running_loop().time())

    def leave(self, slot: Slot, outcome: Outcome, tokens: int | None = None, wait_s: float | None = None) -> None:
        """Give the turn back; `tokens` is what the request really took, `wait_s` what Retry-After said."""
        now = asyncio.get_running_loop().time()
        if self._tokens is not None:
            self._tokens.take((0 if outcome == "refused" else slot.tokens if tokens is None else tokens) - slot.tokens)
        if outcome == "answered":
            self._window.answered(slot.sent_at, self.in_flight)
            self._rate.answered(now - slot.sent_at)
            self._calm += 1
        elif outcome == "refused":
            self._refused(slot, now, wait_s)
        self.in_flight -= 1
        self._serve()

    def _refused(self, slot: Slot, now: float, wait_s: float | None) -> None:
        is_stray = self._window.strays.refused(slot.level)
        if is_stray and wait_s is None and self._rate.per_s is None:
            return  # it will wait when it comes back
        is_new = self._window.refused(self.in_flight, now)
        if is_new:
            if self._rate.refused(now, self._halted_s, limits=not self._window.is_the_point):
                self._window.reopen()
            self._halted_s = 0.0
        if is_new or slot.sent_at >= self._halted_until:
            self._halts = 0 if self._calm >= CALM else self._halts + 1
            self._calm = 0
        halt_s = min(MAX_HALT_S, BRUSH_S * 2 ** min(self._halts, 20)) if wait_s is None else wait_s
        until = max(self._halted_until, now + halt_s)
        self._halted_s += until - max(self._halted_until, now)
        self._halted_until = until
        self._window.halted(halt_s * self._rate.measured)
        self._rate.halted(halt_s)

    def _serve(self) -> None:
        """Let through whom the limits allow, and come back when they will allow the next."""
        while self._waiting:
            turn, tokens = self._waiting[0]
            if not turn.done():
                now = asyncio.get_running_loop().time()
                if self.in_flight >= self._window.size(now):
                    if self._window.is_opening:
                        self._return_in(OPENING_STEP_S)
                    return
                wait_s = self._wait_s(tokens, now)
                if wait_s > 0:
                    self._return_in(wait_s)
                    return
                self._take(tokens)
                self.in_flight += 1
                slot = Slot(now, tokens, self.in_flight)
                self._window.strays.sent(slot.level)
                turn.set_result(slot)
            self._waiting.popleft()

    def _wait_s(self, tokens: int, now: float) -> float:
        wait_s = max(self._halted_until - now, self._rate.wait_s(now, self._window.size(now)))
        if self._requests is not None:
            wait_s = max(wait_s, self._requests.wait_s(1, now))
        if self._tokens is not None:
            wait_s = max(wait_s, self._tokens.wait_s(tokens, now))
        return wait_s

    def _take(self, tokens: int) -> None:
        self._rate.take()
        if self._requests is not None:
            self._requests.take(1)
        if self._tokens is not None:
            self._tokens.take(tokens)

    def _return_in(self, seconds: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(max(seconds, TICK_S), self._serve)
