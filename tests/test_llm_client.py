from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from asking import QUICK, ask, question
from fake_endpoint import FakeEndpoint, Manners

import emollm.llm.endpoint as endpoint_module
from emollm.errors import ConfigError
from emollm.llm.budget import Budget, Price
from emollm.llm.client import Client
from emollm.llm.endpoint import HANDFUL
from emollm.llm.in_order import in_order
from emollm.llm.ledger import Ledger
from emollm.llm.pace import Limits
from emollm.llm.wire import EndpointError, Failure, Image, Reply, Request, Turn

pytest.importorskip("aiohttp", reason="the extra `teacher` is not installed")

SECRET = "sk-very-secret-0123456789"


@pytest.fixture(autouse=True)
def no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)


@pytest.fixture
def endpoint() -> Iterator[FakeEndpoint]:
    with FakeEndpoint() as endpoint:
        endpoint.keeps = True
        yield endpoint


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger(tmp_path / "asked.jsonl") as ledger:
        yield ledger


def bodies(endpoint: FakeEndpoint) -> list[dict[str, Any]]:
    return [json.loads(body) for _, _, body in endpoint.requests]


def picture(folder: Path, data: bytes = b"\xff\xd8\xff\xe0 a face") -> Image:
    path = folder / "face.jpg"
    path.write_bytes(data)
    return Image(path, hashlib.sha256(data).hexdigest())


# --- what is sent -----------------------------------------------------------------------------------------------------


def test_a_question_becomes_a_chat_completion(endpoint: FakeEndpoint) -> None:
    turns = (Turn("system", "You code faces."), Turn("user", "Wie heißt das? 悲伤"))
    schema = '{"type":"object","properties":{},"additionalProperties":false}'
    request = Request(turns=turns, max_tokens=77, temperature=0.5, top_p=0.9, seed=3, schema=schema)
    [reply] = ask(Client(endpoint.url, "m"), request)
    assert isinstance(reply, Reply)
    assert (reply.model, reply.finish, reply.prompt_tokens, reply.completion_tokens) == ("stand-in-1", "stop", 100, 30)
    assert reply.text.startswith("answer to ")
    assert not reply.is_remembered
    assert bodies(endpoint) == [
        {
            "model": "m",
            "messages": [
                {"role": "system", "content": "You code faces."},
                {"role": "user", "content": "Wie heißt das? 悲伤"},
            ],
            "temperature": 0.5,
            "top_p": 0.9,
            "seed": 3,
            "max_tokens": 77,
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": "answer", "schema": json.loads(schema), "strict": True},
            },
        }
    ]


def test_several_answers_to_one_question_are_asked_for_with_seeds_of_their_own(
    endpoint: FakeEndpoint, ledger: Ledger
) -> None:
    client = Client(endpoint.url, "m", ledger=ledger)
    ask(client, *[question(seed=7, index=index) for index in range(3)], *[question(index=index) for index in range(2)])
    assert sorted(body.get("seed", -1) for body in bodies(endpoint)) == [-1, -1, 7, 8, 9]
    ask(client, question(seed=8))  # as if nothing had been asked: ledgers remember the seed and the index
    assert len(endpoint.requests) == len(ledger) == 6


def test_pictures_are_sent_as_they_are(endpoint: FakeEndpoint, ledger: Ledger, tmp_path: Path) -> None:
    image = picture(tmp_path)
    ask(Client(endpoint.url, "m", ledger=ledger), Request(turns=(Turn("user", "Look.", images=(image,)),)))
    [body] = bodies(endpoint)
    picture_part, text_part = body["messages"][0]["content"]
    url = picture_part["image_url"]["url"]
    assert base64.b64decode(url.removeprefix("data:image/jpeg;base64,")) == image.path.read_bytes()
    assert text_part == {"type": "text", "text": "Look."}
    assert url[30:] not in ledger.path.read_text()
    assert image.sha256 in ledger.path.read_text()


def test_a_large_picture_goes_through(endpoint: FakeEndpoint, tmp_path: Path) -> None:
    image = picture(tmp_path, b"\x89PNG" + bytes(3 << 20))
    [reply] = ask(Client(endpoint.url, "m"), Request(turns=(Turn("user", "Look.", images=(image,)),)))
    assert isinstance(reply, Reply)
    assert len(endpoint.requests[0][2]) > 4 << 20


@pytest.mark.parametrize("trouble", ["gone", "changed", "text"])
def test_a_picture_that_cannot_be_sent_is_a_failure_that_names_it(
    endpoint: FakeEndpoint, tmp_path: Path, trouble: str
) -> None:
    image = picture(tmp_path, b"no picture" if trouble == "text" else b"\xff\xd8\xff")
    if trouble == "gone":
        image.path.unlink()
    if trouble == "changed":
        image.path.write_bytes(b"\xff\xd8\xff another")
    [failure] = ask(Client(endpoint.url, "m"), Request(turns=(Turn("user", "Look.", images=(image,)),)))
    assert isinstance(failure, Failure)
    assert failure.kind == "refused_request"
    assert "face.jpg" in failure.detail
    assert endpoint.calls == 0


def test_half_a_surrogate_pair_is_a_failure(endpoint: FakeEndpoint) -> None:
    [failure] = ask(Client(endpoint.url, "m"), question("\ud800"))
    assert isinstance(failure, Failure)
    assert failure.kind == "refused_request"


# --- the key ----------------------------------------------------------------------------------------------------------


def test_the_key_is_sent_and_nowhere_else(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MY_KEY", f" {SECRET}\n")
    with FakeEndpoint(Manners(key=SECRET)) as endpoint:
        client = Client(endpoint.url, "m", ledger=ledger, key_env="MY_KEY")
        assert isinstance(ask(client, question())[0], Reply)
        shown = (
            f"{ledger.path.read_text()} {client.accounts} {client.accounts.as_json()} {client!r} {capfd.readouterr()}"
        )
    assert SECRET not in shown


def test_a_wrong_key_ends_the_run_and_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    with FakeEndpoint(Manners(key="another")) as endpoint:
        with pytest.raises(EndpointError, match=r"status 401.*\*\*\*.*check the key") as error:
            ask(Client(endpoint.url, "m"), question())
        assert SECRET not in str(error.value)
        assert endpoint.calls == 1


def test_a_word_in_place_of_a_key_is_left_in_the_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "e")
    with FakeEndpoint() as endpoint:
        [reply] = ask(Client(endpoint.url, "m"), question())
    assert isinstance(reply, Reply)
    assert "*" not in reply.text
    assert "e" in reply.text


@pytest.mark.parametrize("key", ["sk-proj-abc123def456", "gsk_AbCdEf0123456789", "0a1b2c3d4e5f", "AIzaSyA1234567890"])
def test_a_key_in_place_of_the_name_of_its_variable_is_not_shown(key: str) -> None:
    with pytest.raises(ConfigError, match="--api-key-env: ") as error:
        Client("https://api.openai.com/v1", "m", key_env=key)
    assert key not in str(error.value)


def test_the_name_of_a_variable_that_is_not_set_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MY_TEAMS_KEY", raising=False)
    with pytest.raises(ConfigError, match="MY_TEAMS_KEY: is not set"):
        Client("https://api.openai.com/v1", "m", key_env="MY_TEAMS_KEY")


@pytest.mark.parametrize("num", [1, 40])
def test_a_wrong_key_leaves_no_money_in_doubt(monkeypatch: pytest.MonkeyPatch, num: int) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    with FakeEndpoint(Manners(key="another", latency_s=0.02)) as endpoint:
        client = Client(endpoint.url, "m", prices={"m": Price(10.0, 20.0)}, budget=Budget(5.0))

        async def one(number: int) -> Reply:
            return await client(question(f"Face {number}?"))

        with pytest.raises(EndpointError, match="check the key"):
            list(in_order(range(num), one, in_flight=40, within=client))
    assert client.accounts.total().usd_in_doubt == 0
    assert "doubt" not in str(client.accounts)


def test_a_key_that_is_echoed_is_not_shown(endpoint: FakeEndpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    [failure] = ask(Client(endpoint.url, "m", limits=QUICK), question("!echo"))
    assert isinstance(failure, Failure)
    assert "sk-" not in failure.detail


def test_a_key_that_an_answer_repeats_is_kept_nowhere(
    endpoint: FakeEndpoint, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    endpoint.manners.text = f"You are {SECRET}."
    [reply] = ask(Client(endpoint.url, "m", ledger=ledger), question())
    assert isinstance(reply, Reply)
    assert reply.text == "You are ***."
    assert SECRET not in ledger.path.read_text()


def test_openai_without_a_key_is_said_at_once() -> None:
    with pytest.raises(ConfigError, match="OPENAI_API_KEY: is not set"):
        Client("https://api.openai.com/v1/", "gpt-4o")


@pytest.mark.parametrize("key", ["two words", "schlüssel"])
def test_what_can_be_no_key_is_said_without_showing_it(monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", key)
    with pytest.raises(ConfigError, match="holds no key") as error:
        Client("http://localhost:1/v1", "m")
    assert key not in str(error.value)


@pytest.mark.parametrize(
    "address", ["localhost:8000", "ftp://x/v1", "http://", "http://[::1/v1", "http://x:99999/v1", ""]
)
def test_what_is_no_address_is_said(address: str) -> None:
    with pytest.raises(ConfigError, match="is no address"):
        Client(address, "m")


def test_an_address_with_a_password_is_refused_without_showing_it() -> None:
    with pytest.raises(ConfigError) as error:
        Client("http://me:secret@host/v1", "m")
    assert "secret" not in str(error.value)


def test_an_address_may_be_given_in_several_ways() -> None:
    ways = ("http://localhost:80/v1", "http://LOCALHOST:80/v1/", "http://localhost:80/v1/chat/completions")
    assert {Client(way, "m").endpoint.url for way in ways} == {"http://localhost:80/v1"}


# --- remembering ------------------------------------------------------------------------------------------------------


def test_an_equal_request_is_paid_once(endpoint: FakeEndpoint, ledger: Ledger) -> None:
    client = Client(endpoint.url, "m", ledger=ledger)
    [first] = ask(client, question(stage="infer"))
    [second] = ask(client, question(stage="refine"))
    assert isinstance(first, Reply)
    assert isinstance(second, Reply)
    assert (second.text, second.is_remembered, endpoint.calls) == (first.text, True, 1)
    assert client.accounts.of("infer", "m").paid == 1
    assert client.accounts.of("refine", "m").remembered == 1


def test_equal_requests_at_the_same_moment_are_paid_once(endpoint: FakeEndpoint) -> None:
    replies = ask(Client(endpoint.url, "m"), *[question()] * 20)
    assert endpoint.calls == 1
    assert [isinstance(reply, Reply) and reply.is_remembered for reply in replies] == [False, *[True] * 19]


def test_equal_requests_at_the_same_moment_fail_together(endpoint: FakeEndpoint) -> None:
    client = Client(endpoint.url, "m", limits=QUICK)
    failures = ask(client, *[question("!refusal")] * 5)
    assert endpoint.calls == 1
    assert [isinstance(failure, Failure) and failure.kind for failure in failures] == ["refusal"] * 5
    assert client.accounts.total().failed == {"refusal": 5}


def test_who_waited_for_a_cancelled_request_asks_itself(endpoint: FakeEndpoint) -> None:
    async def run() -> Reply:
        async with Client(endpoint.url, "m") as client:
            first, second = (asyncio.create_task(client(question())) for _ in range(2))
            await asyncio.sleep(0)
            first.cancel()
            return await second

    assert not asyncio.run(run()).is_remembered


def test_another_index_model_or_setting_is_another_request(endpoint: FakeEndpoint, ledger: Ledger) -> None:
    asked = [question(), question(index=1), question(seed=1), question(temperature=0.7), question(max_tokens=9)]
    ask(Client(endpoint.url, "m", ledger=ledger), *asked)
    ask(Client(endpoint.url, "n", ledger=ledger), question())
    assert endpoint.calls == len(ledger) == 6


FAULTS = {
    "refusal": ("refusal", 1),
    "filter": ("refusal", 1),
    "filtered": ("refusal", 1),
    "400": ("refused_request", 1),
    "empty": ("unreadable", 1),
    "huge": ("unreadable", 1),
    "html": ("unreadable", 3),
    "half": ("unreadable", 3),
    "event": ("unreadable", 3),
    "no_choices": ("unreadable", 3),
    "null": ("unreadable", 3),
    "bad_utf8": ("unreadable", 3),
    "deep": ("unreadable", 3),
    "error_200": ("transport", 3),
    "500": ("transport", 3),
    "503": ("transport", 3),
    "cut": ("transport", 3),
    "garbage": ("transport", 3),
    "reset": ("transport", 3),
}
"""Fault to the kind of failure, and how often it is tried with two retries."""


@pytest.mark.parametrize("fault", FAULTS)
def test_trouble_is_a_typed_failure_and_never_remembered(endpoint: FakeEndpoint, ledger: Ledger, fault: str) -> None:
    client = Client(endpoint.url, "m", ledger=ledger, limits=QUICK)
    failure, reply = ask(client, question(f"!{fault}"), question("fine"))
    assert isinstance(failure, Failure)
    assert (failure.kind, failure.tries) == FAULTS[fault]
    assert len(failure.detail) < 300
    assert failure.detail.isprintable()
    assert isinstance(reply, Reply)
    assert [entry.text for entry in ledger.entries()] == [reply.text]
    assert client.accounts.of("ask", "m").failed == {failure.kind: 1}


@pytest.mark.parametrize("fault", ["500", "html", "half", "cut", "reset", "error_200", "429", "busy"])
def test_trouble_that_passes_costs_no_answer(fault: str) -> None:
    with FakeEndpoint(Manners(faults=[fault, fault])) as endpoint:
        client = Client(endpoint.url, "m", limits=QUICK)
        assert isinstance(ask(client, question())[0], Reply)
        account = client.accounts.of("ask", "m")
        assert (account.retries, account.told_to_wait) == ((0, 2) if fault in ("429", "busy") else (2, 0))


@pytest.mark.parametrize(
    ("fault", "text"),
    [("plain", "fine, whatever the type says"), ("parts", "in parts"), ("no_usage", "free?"), ("types", "x")],
)
def test_what_is_odd_but_clear_is_an_answer(endpoint: FakeEndpoint, fault: str, text: str) -> None:
    [reply] = ask(Client(endpoint.url, "m", limits=QUICK), question(f"!{fault}"))
    assert isinstance(reply, Reply)
    assert reply.text == text


def test_an_answer_that_was_cut_by_its_length_says_so(endpoint: FakeEndpoint) -> None:
    [reply] = ask(Client(endpoint.url, "m"), question("!length"))
    assert isinstance(reply, Reply)
    assert reply.finish == "length"


@pytest.mark.parametrize("fault", ["drip", "hang"])
def test_slow_answers_end_at_the_deadline(endpoint: FakeEndpoint, fault: str) -> None:
    started = time.monotonic()
    [failure] = ask(Client(endpoint.url, "m", limits=Limits(deadline_s=0.3)), question(f"!{fault}"))
    assert isinstance(failure, Failure)
    assert (failure.kind, failure.tries) == ("deadline", 1)
    assert time.monotonic() - started < 2


# --- what an endpoint does not take -----------------------------------------------------------------------------------


def test_the_newer_name_of_max_tokens_is_learned_once(capsys: pytest.CaptureFixture[str]) -> None:
    with FakeEndpoint(Manners(refuses=["max_tokens"])) as endpoint:
        endpoint.keeps = True
        client = Client(endpoint.url, "m")
        assert isinstance(ask(client, question("a"))[0], Reply)
        assert all(isinstance(reply, Reply) for reply in ask(client, question("b"), question("c")))
        assert [("max_tokens" in body, body.get("max_completion_tokens")) for body in bodies(endpoint)] == [
            (True, None),
            (False, 1024),
            (False, 1024),
            (False, 1024),
        ]
    assert capsys.readouterr().err.count("does not take 'max_tokens'") == 1


def test_what_can_be_left_out_is_left_out_and_remembered_as_such(ledger: Ledger) -> None:
    with FakeEndpoint(Manners(refuses=["temperature", "seed"])) as endpoint:
        [reply] = ask(Client(endpoint.url, "m", ledger=ledger), question(seed=3))
        assert isinstance(reply, Reply)
        assert next(ledger.entries()).without == ["seed", "temperature"]


def test_a_schema_that_is_not_taken_is_asked_for_in_words(capsys: pytest.CaptureFixture[str]) -> None:
    with FakeEndpoint(Manners(refuses=["response_format"])) as endpoint:
        endpoint.keeps = True
        [reply] = ask(Client(endpoint.url, "m"), question(schema='{"type":"object"}'))
        assert isinstance(reply, Reply)
        text = bodies(endpoint)[-1]["messages"][-1]["content"]
    assert text.startswith("Which expression is this?")
    assert text.endswith('{"type":"object"}')
    assert "asking for the schema in words" in capsys.readouterr().err


def test_an_endpoint_that_takes_no_limit_at_all_is_not_asked_without_one() -> None:
    with FakeEndpoint(Manners(refuses=["max_tokens", "max_completion_tokens"])) as endpoint:
        [failure] = ask(Client(endpoint.url, "m"), question())
        assert isinstance(failure, Failure)
        assert failure.kind == "refused_request"
        assert endpoint.calls == 2


# --- no hope ----------------------------------------------------------------------------------------------------------


def test_nobody_there_ends_the_run_soon() -> None:
    started = time.monotonic()
    with pytest.raises(EndpointError, match=r"127\.0\.0\.1:9/v1: cannot connect .*; is the address right"):
        ask(Client("http://127.0.0.1:9/v1", "m", limits=Limits(backoff_s=0.01)), question())
    assert time.monotonic() - started < 5


@pytest.mark.parametrize("fault", ["403", "404", "moved"])
def test_what_no_request_would_survive_ends_the_run_where_it_comes_first(endpoint: FakeEndpoint, fault: str) -> None:
    client = Client(endpoint.url, "m")
    with pytest.raises(EndpointError, match=r"http://127\.0\.0\.1:\d+/v1: status \d+"):
        ask(client, question(f"!{fault}"))
    with pytest.raises(EndpointError):
        ask(client, question("any other"))
    assert endpoint.calls == 1


@pytest.mark.parametrize("fault", ["403", "404", "moved", "html", "500"])
def test_an_endpoint_that_is_dead_from_the_start_is_asked_by_a_handful(endpoint: FakeEndpoint, fault: str) -> None:
    client = Client(endpoint.url, "m", limits=QUICK)
    with pytest.raises(EndpointError):
        ask(client, *[question(f"Face {number} !{fault}") for number in range(64)])
    # What may pass is tried again, by each of those who have to fail and of those beside the last of them.
    assert endpoint.calls <= ((2 * HANDFUL - 1) * (1 + QUICK.retries) if fault in ("html", "500") else HANDFUL)


def test_where_nobody_is_there_a_handful_knocks() -> None:
    client = Client("http://127.0.0.1:9/v1", "m", limits=QUICK)
    with pytest.raises(EndpointError, match="cannot connect"):
        ask(client, *[question(f"Face {number}?") for number in range(64)])
    assert client.accounts.total().retries <= 2 * HANDFUL


def test_an_endpoint_that_takes_its_time_is_asked_by_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoint_module, "AT_WORK_AFTER_S", 0.02)
    with FakeEndpoint(Manners(latency_s=0.5)) as endpoint:
        ask(Client(endpoint.url, "m", limits=QUICK), *[question(f"Face {number}?") for number in range(32)])
        assert endpoint.most_at_work == 32


def test_whoever_goes_ahead_and_fails_by_itself_holds_up_nobody(endpoint: FakeEndpoint) -> None:
    gone = Request(turns=(Turn("user", "Which?", images=(Image(Path("gone.jpg"), "0" * 64),)),))
    replies = ask(Client(endpoint.url, "m"), *[gone] * 20, *[question(f"Face {number}?") for number in range(20)])
    assert [isinstance(reply, Failure) for reply in replies] == [True] * 20 + [False] * 20


def test_later_it_is_the_failure_of_one_request(endpoint: FakeEndpoint) -> None:
    client = Client(endpoint.url, "m")
    ask(client, question())
    [failure] = ask(client, question("!404"))
    assert isinstance(failure, Failure)
    assert failure.kind == "refused_request"


def test_an_empty_account_ends_the_run_at_any_time(endpoint: FakeEndpoint) -> None:
    client = Client(endpoint.url, "m")
    ask(client, question())
    with pytest.raises(EndpointError, match="exceeded your current quota"):
        ask(client, question("!quota"))


def test_an_endpoint_that_is_gone_ends_the_run(endpoint: FakeEndpoint) -> None:
    client = Client(endpoint.url, "m", limits=Limits(in_flight=4, retries=0))
    ask(client, question())
    with pytest.raises(EndpointError, match="20 requests in a row got no answer"):
        ask(client, *[question(f"{number} !500") for number in range(60)])
    assert endpoint.calls < 30


@pytest.mark.parametrize("fault", ["html", "500"])
def test_an_endpoint_that_never_answers_ends_the_run_sooner(endpoint: FakeEndpoint, fault: str) -> None:
    client = Client(endpoint.url, "m", limits=Limits(retries=1, backoff_s=0.001), prices={"m": Price(10.0, 20.0)})

    async def run() -> None:
        async with client:
            for number in range(60):
                with contextlib.suppress(Failure):
                    await client(question(f"{number} !{fault}"))

    with pytest.raises(EndpointError, match=r"5 requests in a row got no answer.*is this the address"):
        asyncio.run(run())
    assert endpoint.calls == 2 * 5
    assert client.accounts.total().usd_in_doubt == 0


def test_who_waits_for_a_turn_is_not_sent_any_more_when_it_is_over(endpoint: FakeEndpoint) -> None:
    client = Client(endpoint.url, "m", limits=Limits(in_flight=1, retries=0))
    with pytest.raises(EndpointError):
        ask(client, *[question(f"{number} !404") for number in range(60)])
    assert endpoint.calls == 1


def test_without_the_extra_one_line_names_the_pip_command() -> None:
    import subprocess
    import sys

    code = """
import asyncio, sys
sys.modules["aiohttp"] = None
from emollm.llm.client import Client
async def run():
    async with Client("http://localhost:1/v1", "m"):
        pass
try:
    asyncio.run(run())
except Exception as error:
    print(type(error).__name__, error)
"""
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert shown.startswith("MissingExtraError asking an endpoint needs")
    assert "pip install 'emollm[teacher]'" in shown
