"""Entries of the ledger: what makes two requests equal, and what is remembered of an answer.

    asked = canonical("http://localhost:8000/v1", "Qwen2.5-VL-7B-Instruct", request)
    entry = Entry.of(answer, key=key_of(asked), ...)

The key is the sha256 of the canonical request: endpoint, model, turns, settings, and which of several answers is meant.
Pictures are in it by their digests. What a request is asked for, its stage, is no part of it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from datetime import datetime
from typing import Self

import msgspec

from emollm.llm.budget import Price
from emollm.llm.chat import Answer
from emollm.llm.wire import Reply, Request

_KEY = re.compile(r"[0-9a-f]{64}")
_NULL = msgspec.Raw(b"null")


class _AskedTurn(msgspec.Struct, omit_defaults=True):
    role: str
    text: str
    images: list[str] = []


class _Asked(msgspec.Struct, omit_defaults=True):
    """The canonical request. New fields need defaults: what is left out of it keeps the keys as they were."""

    endpoint: str
    model: str
    turns: list[_AskedTurn]
    max_tokens: int
    temperature: float
    top_p: float | None = None
    seed: int | None = None
    schema: str | None = None
    index: int = 0


class Entry(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One line: an answer, what it cost, and what was asked."""

    key: str
    at: str
    """When it was answered, UTC, ISO 8601."""
    stage: str
    endpoint: str
    model: str
    answered_by: str
    """The model as the endpoint names it, often with a date."""
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    usd: float | None = None
    finish: str = "stop"
    without: list[str] = []
    """Parameters that the endpoint would not take."""
    text: str
    request: msgspec.Raw = _NULL
    """The canonical request; null where only a provider's batch file was at hand."""

    @classmethod
    def of(
        cls,
        answer: Answer,
        *,
        key: str,
        stage: str,
        endpoint: str,
        model: str,
        at: datetime,
        price: Price | None,
        without: Sequence[str] = (),
        request: msgspec.Raw = _NULL,
    ) -> Self:
        """Return the line for an answer."""
        return cls(
            key=key,
            at=at.isoformat(timespec="seconds"),
            stage=stage,
            endpoint=endpoint,
            model=model,
            answered_by=answer.model or model,
            prompt_tokens=answer.prompt_tokens,
            completion_tokens=answer.completion_tokens,
            usd=answer.usd(price),
            finish=answer.finish,
            without=list(without),
            text=answer.text,
            request=request,
        )


def to_reply(entry: Entry, is_remembered: bool) -> Reply:
    """Return what whoever asked gets to see."""
    return Reply(
        text=entry.text,
        model=entry.answered_by,
        finish=entry.finish,
        prompt_tokens=entry.prompt_tokens,
        completion_tokens=entry.completion_tokens,
        is_remembered=is_remembered,
    )


def canonical(endpoint: str, model: str, request: Request) -> bytes:
    """Return what makes two requests equal, as JSON: all but the stage; pictures by their digests."""
    turns = [_AskedTurn(turn.role, turn.text, [image.sha256 for image in turn.images]) for turn in request.turns]
    return msgspec.json.encode(
        _Asked(
            endpoint=endpoint,
            model=model,
            turns=turns,
            max_tokens=request.max_tokens,
            temperature=float(request.temperature),
            top_p=None if request.top_p is None else float(request.top_p),
            seed=request.seed,
            schema=request.schema,
            index=request.index,
        )
    )


def key_of(asked: bytes) -> str:
    """Return the key of a canonical request: its sha256 in hex."""
    return hashlib.sha256(asked).hexdigest()


def is_key(text: str) -> bool:
    """Tell whether a text can be the key of an answer."""
    return _KEY.fullmatch(text) is not None
