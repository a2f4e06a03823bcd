from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from asking import ask, question
from fake_endpoint import Manners, answer, complaint

from emollm.errors import ConfigError
from emollm.llm import batch
from emollm.llm.batch import BatchFile, read_batch
from emollm.llm.batches import read_answers
from emollm.llm.budget import Price
from emollm.llm.client import Client
from emollm.llm.ledger import Ledger
from emollm.llm.options import EndpointOptions
from emollm.llm.wire import Failure, Reply, Request

URL = "http://localhost:8000/v1"
REQUESTS = [question(f"Face {number}?", stage="infer") for number in range(5)]


def write(path: Path, ledger: Ledger, requests: list[Request]) -> list[str]:
    """Write a batch file and return the kinds of what the asker got."""
    kinds = []

    async def run(file: BatchFile) -> None:
        for request in requests:
            try:
                kinds.append((await file(request)).text)
            except Failure as failure:
                kinds.append(failure.kind)

    with BatchFile(path, URL, "m", ledger) as file:
        asyncio.run(run(file))
    return kinds


def read_lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def answered(key: str, body: bytes, status: int = 200) -> str:
    return (
        json.dumps({"id": "b", "custom_id": key, "response": {"status_code": status, "body": json.loads(body)}}) + "\n"
    )


@pytest.fixture
def ledger(tmp_path: Path) -> Any:
    with Ledger(tmp_path / "asked.jsonl") as ledger:
        yield ledger


def test_requests_go_out_and_answers_come_home(tmp_path: Path, ledger: Ledger) -> None:
    path, output = tmp_path / "batch.jsonl", tmp_path / "output.jsonl"
    assert write(path, ledger, [*REQUESTS, REQUESTS[0]]) == ["deferred"] * 6
    lines = read_lines(path)
    assert len(lines) == 5
    assert {(line["method"], line["url"], line["body"]["model"]) for line in lines} == {
        ("POST", "/v1/chat/completions", "m")
    }
    assert [line["body"]["messages"][0]["content"] for line in lines] == [f"Face {number}?" for number in range(5)]

    keys = [line["custom_id"] for line in lines]
    output.write_text("".join(answered(key, answer(f"It is {key[:4]}.", Manners())) for key in reversed(keys)))
    outcomes = list(read_batch(output, URL, "m", ledger, Price(1.0, 2.0)))
    assert [key for key, _ in outcomes] == keys[::-1]
    assert all(isinstance(outcome, Reply) and not outcome.is_remembered for _, outcome in outcomes)
    assert sum(entry.usd or 0 for entry in ledger.entries()) == pytest.approx(5 * 0.00016)

    replies = ask(Client(URL, "m", ledger=ledger), *REQUESTS)
    assert [isinstance(reply, Reply) and reply.text for reply in replies] == [f"It is {key[:4]}." for key in keys]
    assert write(tmp_path / "next.jsonl", ledger, REQUESTS) == [f"It is {key[:4]}." for key in keys]
    assert not (tmp_path / "next.jsonl").exists()

    again = list(read_batch(output, URL, "m", ledger))
    assert all(isinstance(outcome, Reply) and outcome.is_remembered for _, outcome in again)
    assert len(list(ledger.entries())) == 5


def test_what_is_no_answer_is_a_typed_failure_and_is_asked_again(tmp_path: Path, ledger: Ledger) -> None:
    path, output = tmp_path / "batch.jsonl", tmp_path / "output.jsonl"
    write(path, ledger, REQUESTS)
    keys = [line["custom_id"] for line in read_lines(path)]
    refused = answer(None, Manners(), message={"refusal": "I cannot."})
    lines = [
        answered(keys[0], refused),
        answered(keys[1], complaint("bad image"), status=400),
        json.dumps({"custom_id": keys[2], "response": None, "error": {"code": "batch_expired"}}) + "\n",
        answered(keys[3], answer("fine", Manners())),
        answered("row-17", answer("not ours", Manners())),
        "\n",
        '{"custom_id": "' + keys[4],
    ]
    output.write_text("".join(lines))
    outcomes = [outcome for _, outcome in read_batch(output, URL, "m", ledger)]
    kinds = [outcome.kind if isinstance(outcome, Failure) else outcome.text for outcome in outcomes]
    assert kinds == ["refusal", "refused_request", "transport", "fine", "unreadable", "unreadable"]
    assert len(ledger) == 1
    assert write(tmp_path / "next.jsonl", ledger, REQUESTS).count("deferred") == 4


@pytest.mark.parametrize("apart", [0, batch.GROUP], ids=["near", "far"])
def test_the_first_of_several_answers_is_kept_and_the_others_are_counted(
    apart: int, tmp_path: Path, ledger: Ledger, capsys: pytest.CaptureFixture[str]
) -> None:
    """An error is no answer: what follows it is."""
    write(tmp_path / "batch.jsonl", ledger, REQUESTS[:1])
    [key] = [line["custom_id"] for line in read_lines(tmp_path / "batch.jsonl")]
    failed, *told = [answered(key, complaint("busy"), status=500)] + [
        answered(key, answer(said, Manners())) for said in ("first", "second", "third")
    ]
    output = tmp_path / "output.jsonl"
    output.write_text(("\n" * apart).join([failed, *told, failed]))
    endpoint = EndpointOptions("m", URL, "KEY", None, None, None, 1, None, None, 9.0)
    assert read_answers(output, endpoint, ledger) == ({key}, {})
    assert [reply.text for reply in ask(Client(URL, "m", ledger=ledger), REQUESTS[0]) if isinstance(reply, Reply)] == [
        "first"
    ]
    assert len(list(ledger.entries())) == 1
    assert "1 answers, 1 failed there" in (said := capsys.readouterr().err)
    assert "3 more to the same requests, which are passed over" in said


def test_what_is_too_much_for_one_file_goes_into_the_next(
    tmp_path: Path, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch, "MAX_REQUESTS", 2)
    write(tmp_path / "batch.jsonl", ledger, REQUESTS)
    sizes = {path.name: len(read_lines(path)) for path in tmp_path.glob("batch*.jsonl")}
    assert sizes == {"batch.jsonl": 2, "batch-2.jsonl": 2, "batch-3.jsonl": 1}


def test_a_file_that_may_not_have_been_sent_is_not_written_over(tmp_path: Path, ledger: Ledger) -> None:
    (tmp_path / "batch.jsonl").write_text("precious")
    with pytest.raises(ConfigError, match=r"batch\.jsonl: is there already"):
        BatchFile(tmp_path / "batch.jsonl", URL, "m", ledger)
