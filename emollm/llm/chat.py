"""The chat-completions protocol: a request as the JSON that endpoints read, and their answers as text.

    style = Style()                                            # which parameters this endpoint takes
    body = to_body(request, "gpt-4o-mini", style, urls.find)
    answer = read_answer(200, body)                            # or raises Trouble

OpenAI, vLLM, Ollama, llama.cpp and many others speak it, each with its own gaps. Where an endpoint says that it does
not take a parameter, the style changes and the request is sent again: `max_tokens` becomes `max_completion_tokens`, a
schema becomes words, a temperature is left out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from typing import Any, Literal, NamedTuple

import msgspec

from emollm.llm.address import OPENAI
from emollm.llm.budget import Price
from emollm.llm.wire import FailureKind, Image, Request, Turn

LENGTHS = ("max_tokens", "max_completion_tokens")
"""Two names of one limit. Local servers know the first, the newer models of OpenAI only the second."""
OMITTED = ("temperature", "top_p", "seed")
"""What can be left out; the answers are then less repeatable, which is said once."""
_CUE = re.compile(
    r"unsupported|not (?:currently )?support|supported values"
    r"|unrecognized|unknown|unexpected|extra inputs|not permitted",
    re.IGNORECASE,
)
_SCHEMA_CUE = re.compile(r"must be|should be|literal", re.IGNORECASE)
FILTERED = {"content_filter", "content_policy_violation", "ResponsibleAIPolicyViolation"}
EMPTY_ACCOUNT = {"insufficient_quota", "billing_hard_limit_reached", "billing_not_active"}
_SHOWN = 200
"""Characters of an endpoint's complaint that are shown."""


class Style(NamedTuple):
    """Which parameters an endpoint takes."""

    length: str = LENGTHS[0]
    without: frozenset[str] = frozenset()

    def uses(self, name: str) -> bool:
        """Tell whether requests in this style may hold the parameter."""
        return name == self.length if name in LENGTHS else name not in self.without

    def dropping(self, name: str) -> Style | None:
        """Return the style without a parameter; None where the limit of the answer's length would be lost."""
        if name not in LENGTHS:
            return self._replace(without=self.without | {name})
        [other] = {*LENGTHS} - {name}
        return None if other in self.without else Style(other, self.without | {name})


def first_style(address: str) -> Style:
    """Return the style to begin with: only OpenAI knows the newer name, and some of its models know no other."""
    return Style(LENGTHS[1] if address == OPENAI else LENGTHS[0])


class Answer(NamedTuple):
    """What an endpoint said."""

    text: str
    model: str | None
    finish: str
    prompt_tokens: int | None
    completion_tokens: int | None

    @property
    def tokens(self) -> int | None:
        """Tokens of prompt and answer; None where the endpoint does not tell both."""
        if self.prompt_tokens is None or self.completion_tokens is None:
            return None
        return self.prompt_tokens + self.completion_tokens

    def usd(self, price: Price | None) -> float | None:
        """Return what it cost, or None where the price or the tokens are not known."""
        if price is None or self.prompt_tokens is None or self.completion_tokens is None:
            return None
        return price.of(self.prompt_tokens, self.completion_tokens)


class Trouble(Exception):  # noqa: N818 - what it means is decided by who catches it
    """A try that gave no answer, and what that means for the next one."""

    def __init__(
        self,
        kind: FailureKind,
        detail: str,
        *,
        may_retry: bool = False,
        ends_run: Literal["never", "at_first", "always"] = "never",
        parameter: str | None = None,
        answer: Answer | None = None,
        may_cost: bool = False,
    ) -> None:
        super().__init__(detail)
        self.kind = kind
        self.detail = detail
        self.may_retry = may_retry
        self.ends_run = ends_run
        """Whether every other request would meet it too, or would where it is the first thing an endpoint says."""
        self.parameter = parameter
        """The parameter that the endpoint does not take."""
        self.answer = answer
        """What was said and must be paid all the same."""
        self.may_cost = may_cost
        """It may have been paid without an answer that tells."""
        self.wait_s: float | None = None


# --- asking -----------------------------------------------------------------------------------------------------------


def to_body(request: Request, model: str, style: Style, find_url: Callable[[Image], msgspec.Raw]) -> bytes:
    """Return the JSON of a request. `find_url` may raise Failure for a picture that cannot be sent."""
    body: dict[str, Any] = {"model": model, "messages": [_message(turn, find_url) for turn in request.turns]}
    # Servers that honour a seed would give the k-th answer to one question k times.
    seed = None if request.seed is None else request.seed + request.index
    options = {"temperature": request.temperature, "top_p": request.top_p, "seed": seed}
    body |= {name: value for name, value in options.items() if value is not None and name not in style.without}
    body[style.length] = request.max_tokens
    if request.schema is not None:
        if "response_format" in style.without:
            _add_words(body["messages"], request.schema)
        else:
            body["response_format"] = _format(request.schema)
    return msgspec.json.encode(body)


def _message(turn: Turn, find_url: Callable[[Image], msgspec.Raw]) -> dict[str, Any]:
    if not turn.images:
        return {"role": turn.role, "content": turn.text}
    parts: list[dict[str, Any]] = [
        {"type": "image_url", "image_url": {"url": find_url(image)}} for image in turn.images
    ]
    return {"role": turn.role, "content": [*parts, {"type": "text", "text": turn.text}]}


def _format(schema: str) -> dict[str, Any]:
    # `strict` demands a closed schema, and OpenAI refuses an open one with it.
    is_closed = msgspec.json.decode(schema).get("additionalProperties") is False
    return {
        "type": "json_schema",
        "json_schema": {"name": "answer", "schema": msgspec.Raw(schema.encode()), "strict": is_closed},
    }


def _add_words(messages: list[dict[str, Any]], schema: str) -> None:
    words = f"\n\nAnswer with one JSON object and nothing else. It follows this JSON schema:\n{schema}"
    last = messages[-1]
    if isinstance(last["content"], str):
        last["content"] += words
    else:
        last["content"][-1]["text"] += words


# --- answers ----------------------------------------------------------------------------------------------------------


class _Message(msgspec.Struct):
    content: str | list[Any] | None = None
    refusal: str | None = None


class _Choice(msgspec.Struct):
    message: _Message
    finish_reason: Any = None


class _Completion(msgspec.Struct):
    choices: list[_Choice] = []
    model: Any = None
    usage: Any = None
    error: Any = None


_decoder = msgspec.json.Decoder(_Completion)
_any_decoder = msgspec.json.Decoder()
_UNREADABLE = (ValueError, RecursionError)


def read_answer(status: int, body: bytes) -> Answer:
    """Return what an endpoint said. Raises Trouble for everything that is no answer."""
    if status != 200:
        raise read_complaint(status, body)
    try:
        completion = _decode(body)
    except _UNREADABLE:
        detail = f"no answer of the protocol: {_one_line(body.decode('utf-8', 'replace'))}"
        is_page = body.lstrip()[:1] == b"<"  # a page to sign in at, or of a gateway: no model has been asked
        raise Trouble("unreadable", detail, may_retry=True, may_cost=not is_page) from None
    if not completion.choices:
        if isinstance(completion.error, dict) and isinstance(code := completion.error.get("code"), int):
            raise read_complaint(code, body)
        raise Trouble("unreadable", f"an answer without choices: {_one_line(body.decode())}", may_retry=True)
    choice, usage = completion.choices[0], completion.usage if isinstance(completion.usage, dict) else {}
    answer = Answer(
        text=_text(choice.message.content),
        model=completion.model if isinstance(completion.model, str) else None,
        finish=choice.finish_reason if isinstance(choice.finish_reason, str) else "stop",
        prompt_tokens=_count(usage.get("prompt_tokens")),
        completion_tokens=_count(usage.get("completion_tokens")),
    )
    if choice.message.refusal:
        raise Trouble("refusal", _one_line(choice.message.refusal), answer=answer)
    if answer.finish == "content_filter":
        raise Trouble("refusal", "the endpoint's filter stopped the answer", answer=answer)
    if not answer.text.strip():
        hint = "; raise max_tokens" if answer.finish == "length" else ""
        raise Trouble("unreadable", f"the answer is empty (finish_reason {answer.finish}){hint}", answer=answer)
    return answer


def _decode(body: bytes) -> _Completion:
    """Return a completion, without a byte order mark and halves of characters, which no file may hold."""
    try:
        return _decoder.decode(body)
    except msgspec.DecodeError:
        whole = json.dumps(json.loads(body), ensure_ascii=False)
        return _decoder.decode(whole.encode("utf-8", "ignore"))


def _text(content: str | Sequence[Any] | None) -> str:
    if content is None or isinstance(content, str):
        return content or ""
    texts = [part.get("text") for part in content if isinstance(part, dict)]
    return "".join(text for text in texts if isinstance(text, str))


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


# --- complaints -------------------------------------------------------------------------------------------------------


def read_complaint(status: int, body: bytes) -> Trouble:
    """Return what an answer that is none means."""
    message, code = _explain(body)
    detail = f"status {status}: {_one_line(message)}" if message else f"status {status}"
    if status == 429:
        if code in EMPTY_ACCOUNT:
            return Trouble("refused_request", detail, ends_run="always")
        return Trouble("rate", detail, may_retry=True)
    if status >= 500 or status in (408, 425):
        return Trouble("transport", detail, may_retry=True)
    if code in FILTERED:
        return Trouble("refusal", detail)
    if status in (401, 402):
        return Trouble("refused_request", detail, ends_run="always")
    if status in (403, 404, 405) or status < 400:
        return Trouble("refused_request", detail, ends_run="at_first")
    return Trouble("refused_request", detail, parameter=_refused_parameter(message))


def _explain(body: bytes) -> tuple[str, str]:
    """Return the message and the code of a complaint, in the shapes that OpenAI, vLLM, Ollama and FastAPI give it."""
    text = body.decode("utf-8", "replace")
    try:
        told = _any_decoder.decode(body)
    except _UNREADABLE:
        return text, ""
    if not isinstance(told, dict):
        return text, ""
    found = told.get("error", told)
    if not isinstance(found, dict):
        return str(found), ""
    message = found.get("message", found.get("detail"))
    if isinstance(message, list):  # FastAPI: one row for each wrong field
        rows = [row for row in message if isinstance(row, dict)]
        message = "; ".join(f"{'.'.join(map(str, row.get('loc') or []))}: {row.get('msg')}" for row in rows)
    inner = found.get("innererror")
    code = inner.get("code") if isinstance(inner, dict) else found.get("code")
    return str(message or text), str(code or found.get("type") or "")


def _refused_parameter(message: str) -> str | None:
    for name in ("response_format", *reversed(LENGTHS), *OMITTED):
        place = message.find(name)
        if place < 0 or not (_CUE.search(message) or (name == "response_format" and _SCHEMA_CUE.search(message))):
            continue
        if name in LENGTHS:  # "'max_tokens' is not supported. Use 'max_completion_tokens'": the first is meant
            places = {other: message.find(other) for other in LENGTHS}
            return min((other for other in LENGTHS if places[other] >= 0), key=places.__getitem__)
        return name
    return None


def _one_line(text: str) -> str:
    line = " ".join("".join(char if char.isprintable() else " " for char in text[: 5 * _SHOWN]).split())
    return line if len(line) <= _SHOWN else f"{line[:_SHOWN]} …"
