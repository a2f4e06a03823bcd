from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emollm.llm.chat import Answer, Style, Trouble, read_answer, read_complaint, to_body
from emollm.llm.tokens import likely_tokens, most_tokens
from emollm.llm.transport import read_retry_after
from emollm.llm.wire import FAILURES, Image, Request, Turn

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 600) | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "choices",
                    "message",
                    "content",
                    "refusal",
                    "finish_reason",
                    "usage",
                    "error",
                    "code",
                    "text",
                    "detail",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@settings(max_examples=300, deadline=None)
@given(status=st.integers(100, 599), body=st.binary(max_size=200) | JSON.map(lambda told: json.dumps(told).encode()))
def test_anything_an_endpoint_says_is_an_answer_or_typed_trouble(status: int, body: bytes) -> None:
    outcome: Answer | Trouble
    try:
        outcome = read_answer(status, body)
    except Trouble as trouble:
        outcome = trouble
    if isinstance(outcome, Trouble):
        assert outcome.kind in FAILURES
        assert outcome.detail.isprintable()
        assert len(outcome.detail) < 300
    else:
        assert outcome.text.strip()


COMPLAINTS: dict[str, tuple[int, Any, str, str | None]] = {
    "OpenAI, newer models": (
        400,
        {
            "error": {
                "message": "Unsupported parameter: 'max_tokens' is not supported with this model. "
                "Use 'max_completion_tokens' instead.",
                "param": "max_tokens",
                "code": "unsupported_parameter",
            }
        },
        "refused_request",
        "max_tokens",
    ),
    "OpenAI, reasoning models": (
        400,
        {
            "error": {
                "message": "Unsupported value: 'temperature' does not support 0 with this model. "
                "Only the default (1) value is supported.",
                "param": "temperature",
                "code": "unsupported_value",
            }
        },
        "refused_request",
        "temperature",
    ),
    "OpenAI, older models": (
        400,
        {
            "error": {
                "message": "Invalid parameter: 'response_format' of type 'json_schema' is not supported "
                "with this model."
            }
        },
        "refused_request",
        "response_format",
    ),
    "a server that forbids extra fields": (
        422,
        {"detail": [{"loc": ["body", "seed"], "msg": "Extra inputs are not permitted", "type": "extra_forbidden"}]},
        "refused_request",
        "seed",
    ),
    "a server that knows two formats": (
        422,
        {"detail": [{"loc": ["body", "response_format", "type"], "msg": "Input should be 'text' or 'json_object'"}]},
        "refused_request",
        "response_format",
    ),
    "a server of few words": (
        400,
        {"error": "'response_format.type' must be 'text'"},
        "refused_request",
        "response_format",
    ),
    "a wrong schema is the asker's fault": (
        400,
        {"error": {"message": "Invalid schema for response_format 'answer': 'required' is required."}},
        "refused_request",
        None,
    ),
    "too many tokens are the asker's fault": (
        400,
        {"error": {"message": "max_tokens is too large: 9999. This model supports at most 4096."}},
        "refused_request",
        None,
    ),
    "Azure's filter": (
        400,
        {
            "error": {
                "message": "filtered",
                "code": "content_filter",
                "innererror": {"code": "ResponsibleAIPolicyViolation"},
            }
        },
        "refusal",
        None,
    ),
    "Ollama, unknown model": (404, {"error": "model 'x' not found"}, "refused_request", None),
    "a page": (502, "<html>Bad Gateway</html>", "transport", None),
    "nothing": (500, "", "transport", None),
}


@pytest.mark.parametrize("case", COMPLAINTS)
def test_complaints_of_many_servers(case: str) -> None:
    status, told, kind, parameter = COMPLAINTS[case]
    body = told.encode() if isinstance(told, str) else json.dumps(told).encode()
    trouble = read_complaint(status, body)
    assert (trouble.kind, trouble.parameter) == (kind, parameter)


def test_a_style_forgets_each_parameter_once() -> None:
    style = Style()
    assert style.uses("max_tokens")
    newer = style.dropping("max_tokens")
    assert newer is not None
    assert newer.length == "max_completion_tokens"
    assert newer.dropping("max_completion_tokens") is None
    colder = newer.dropping("temperature")
    assert colder is not None
    assert not colder.uses("temperature")
    assert colder.length == "max_completion_tokens"


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "2"}, 2.0),
        ({"retry-after": "0.5", "retry-after-ms": "20"}, 0.02),
        ({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}, 0.0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "-3"}, 0.0),
    ],
)
def test_retry_after_is_read_in_all_its_forms(headers: dict[str, str], seconds: float | None) -> None:
    assert read_retry_after(headers) == seconds


def test_a_byte_order_mark_and_half_a_character_spoil_no_answer() -> None:
    body = json.dumps({"choices": [{"message": {"content": 'The lips: \ud83d, "\\ud83d", 悲 \U0001f600.'}}]}).encode()
    assert read_answer(200, b"\xef\xbb\xbf" + body).text == 'The lips: , "\\ud83d", 悲 \U0001f600.'


def test_tokens_are_guessed_from_characters() -> None:
    def tokens(text: str, *images: Image) -> tuple[int, int]:
        request = Request(turns=(Turn("user", text, images),))
        return likely_tokens(request), most_tokens(request)

    assert tokens("a" * 400) == (108, 472)
    assert tokens("悲" * 100) == (108, 372)
    assert tokens("\ud800") == (8, 73)
    likely, most = tokens("", *[Image(path=None, sha256="")] * 2)  # type: ignore[arg-type]
    assert 2 * 85 < likely < 2 * 8500 < most


def test_every_one_of_several_answers_has_a_seed_of_its_own() -> None:
    def seed(index: int) -> int:
        request = Request(turns=(Turn(role="user", text="Which?"),), seed=7, index=index)
        return int(json.loads(to_body(request, "m", Style(), unused))["seed"])

    assert [seed(0), seed(1), seed(2)] == [7, 8, 9]


def unused(image: Image) -> msgspec.Raw:
    raise AssertionError(image)
