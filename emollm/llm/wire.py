"""What is asked of a language model, and what comes back: the words that teacher, judge, client and ledger share.

    reply = await ask(Request(turns=(Turn("user", "Which expression is this?", images=(image,)),), stage="infer"))
    reply.text

`Ask` is all that a teacher or a judge knows of a model; who answers is decided elsewhere: an endpoint, a ledger that
has the answer already, or a stand-in of a test.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Literal, get_args

import msgspec

from emollm.errors import EmoLLMError

Role = Literal["system", "user", "assistant"]
FailureKind = Literal["transport", "rate", "refusal", "refused_request", "deadline", "budget", "unreadable", "deferred"]
"""transport: no or a broken answer; rate: still told to wait after all retries; refusal: the model or its filter would
not; refused_request: the endpoint says that the request is wrong (4xx); deadline: took longer than allowed; budget: not
sent, it could have passed the budget; unreadable: an answer that is none of the protocol's; deferred: not sent, but
written to a batch file for the provider."""
FAILURES = get_args(FailureKind)


class Image(msgspec.Struct, frozen=True):
    """A picture to be looked at; the file is read when it is sent, its digest is what is remembered."""

    path: Path
    sha256: str


class Turn(msgspec.Struct, frozen=True):
    """One message of the conversation."""

    role: Role
    text: str
    images: tuple[Image, ...] = ()


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """One question to a model. Equal requests are paid once."""

    turns: tuple[Turn, ...]
    max_tokens: int = 1024
    temperature: float = 0.0
    top_p: float | None = None
    seed: int | None = None
    schema: str | None = None
    """JSON schema that the answer has to follow, as canonical JSON, where the endpoint supports that."""
    index: int = 0
    """Which of several answers to the same question this is: self-consistency asks more than once."""
    stage: str = "ask"
    """What it is asked for: the accounts are kept by stage. No part of what is remembered as asked."""


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """What a model said."""

    text: str
    model: str
    finish: str = "stop"
    """`stop`, `length`, or what else the endpoint says."""
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    """None where the endpoint does not tell."""
    is_remembered: bool = False
    """Whether it comes from the ledger and costs nothing now."""


class Failure(EmoLLMError):  # noqa: N818 - an outcome, often caught and counted
    """A request that got no answer that could be used. Never remembered as an answer."""

    def __init__(self, kind: FailureKind, detail: str, tries: int = 1) -> None:
        super().__init__(f"{kind}: {detail}")
        self.kind = kind
        self.detail = detail
        self.tries = tries


class EndpointError(EmoLLMError):
    """No request can be answered: a wrong key or address, an unknown model, an empty account, a server that is gone.

    No Failure, so that whoever asks for many samples does not refuse one after the other: the run ends with one line.
    """


Ask = Callable[[Request], Awaitable[Reply]]
"""Answers one request, or raises Failure; EndpointError ends the run."""
