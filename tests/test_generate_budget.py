"""`emollm generate` and money: what is begun is finished, and a dry run knows what is paid for already."""

import asyncio
import json
from pathlib import Path

import pytest
from lying_endpoint import lying_endpoint
from lying_teacher import LyingTeacher
from scripted_teacher import happy

from data_engine.exp_cot.draft import Draft
from data_engine.generate import main
from data_engine.generate.allowance import Allowance
from emollm.errors import ConfigError
from emollm.llm.budget import Budget, Price
from emollm.records import Sample, encode

PRICE = Price(1.0, 2.0)
"""An answer of the stand-in, 100 + 20 tokens, costs 0.00014 USD, and a sample three of them."""
SAMPLE_USD = 3 * PRICE.of(100, 20)


def command(folder: Path, url: str, *options: str, num: int = 200) -> list[str]:
    samples: list[Sample] = [happy(id=f"h{number}") for number in range(num)]
    (folder / "samples.jsonl").write_bytes(b"".join(encode(one) + b"\n" for one in samples))
    asked = ["--teacher", "openai", "--model", "m", "--base-url", url, "--price", "1,2"]
    return [str(folder / "samples.jsonl"), "-o", str(folder / "cot.jsonl"), *asked, *options]


def lines(path: Path) -> list[bytes]:
    return path.read_bytes().splitlines() if path.exists() else []


@pytest.mark.parametrize("in_flight", ["1", "64"])
def test_budget_is_spent_on_samples_that_are_finished(tmp_path: Path, in_flight: str) -> None:
    pytest.importorskip("aiohttp")
    margin = PRICE.of(4 * 700, 700)
    with lying_endpoint(LyingTeacher(lie=0.0, misread=0.0), latency_s=0.01) as url:
        usd = 20 * SAMPLE_USD + margin
        assert main(command(tmp_path, url, "--budget", f"{usd:.6f}", "--in-flight", in_flight)) == 1
    num_written = len(lines(tmp_path / "cot.jsonl"))
    paid = json.loads((tmp_path / "cot.manifest.json").read_text("utf-8"))["accounts"]
    num_paid = sum(account["paid"] for stage in paid.values() for account in stage.values())
    assert num_written >= 18
    assert num_paid <= 3 * num_written + 3, "no more than one sample was begun and not finished"


def test_without_a_budget_all_begin_at_once(tmp_path: Path) -> None:
    pytest.importorskip("aiohttp")
    with lying_endpoint(LyingTeacher(lie=0.0, misread=0.0)) as url:
        assert main(command(tmp_path, url, num=30)) == 0
    assert len(lines(tmp_path / "cot.jsonl")) == 30


def draft(prompt: int, completion: int, reason: str | None = None) -> Draft:
    return Draft(reason=reason, provenance={"tokens": {"prompt": prompt, "completion": completion}})


def test_samples_begin_in_their_order_as_the_budget_has_room() -> None:
    async def run() -> list[list[int]]:
        budget = Budget(5.0)
        allowance = Allowance(budget, Price(1e6, 0.0), 0)  # a USD for each token
        begun: list[int] = []
        seen: list[list[int]] = []

        async def begin(number: int) -> None:
            await allowance.begin()
            begun.append(number)

        tasks = [asyncio.create_task(begin(number)) for number in range(6)]
        for _ in range(3):
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            seen.append(list(begun))
            budget.spent += 1.0
            allowance.end(draft(1, 0))
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return seen

    # The first alone; then 4 USD are left for samples of 1 USD each; then 3, and three are under way.
    assert asyncio.run(run()) == [[0], [0, 1, 2, 3, 4], [0, 1, 2, 3, 4]]


def test_who_is_cancelled_while_waiting_takes_no_room() -> None:
    async def run() -> None:
        allowance = Allowance(Budget(1.0), PRICE, 100)
        await allowance.begin()
        waiting = [asyncio.create_task(allowance.begin()) for _ in range(3)]
        await asyncio.sleep(0)
        waiting[0].cancel()
        await asyncio.sleep(0)
        allowance.end(draft(100, 20))
        await asyncio.wait_for(asyncio.gather(*waiting[1:]), 1)

    asyncio.run(run())


def test_endpoint_that_tells_no_tokens_is_counted_by_what_the_budget_counts() -> None:
    async def run() -> bool:
        budget = Budget(1.0)
        allowance = Allowance(budget, PRICE, 100)
        await allowance.begin()
        budget.spent = 0.4
        allowance.end(draft(0, 0))
        await allowance.begin()
        second = asyncio.create_task(allowance.begin())
        await asyncio.sleep(0)
        is_waiting = not second.done()
        second.cancel()
        return is_waiting

    assert asyncio.run(run())


def test_dry_run_says_what_is_written_and_what_is_remembered(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("aiohttp")
    teacher = LyingTeacher(lie=0.0, misread=0.0)
    with lying_endpoint(teacher) as url:
        assert main(command(tmp_path, url, num=12)) == 0
        (tmp_path / "cot.jsonl").write_bytes(b"".join(line + b"\n" for line in lines(tmp_path / "cot.jsonl")[:5]))
        before = {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.name != "samples.jsonl"}
        num_asked = len(teacher.requests)
        capsys.readouterr()
        assert main(command(tmp_path, url, "--dry-run", num=20)) == 0
        assert len(teacher.requests) == num_asked
    out = capsys.readouterr().out
    assert "5 of 20 samples are written already" in out
    assert "7 of 15 already answered: the ledger has all that they need" in out
    assert "15 samples, 8 to be asked about" in out
    assert "if nothing is refused: 24 requests" in out
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.name != "samples.jsonl"} == before


def test_pasted_key_is_not_shown(tmp_path: Path) -> None:
    pytest.importorskip("aiohttp")
    with pytest.raises(ConfigError, match="--api-key-env") as error:
        main(command(tmp_path, "http://localhost:1/v1", "--api-key-env", "sk-proj-0123456789abcdef"))
    assert "sk-" not in str(error.value)
    assert not any(b"sk-proj" in path.read_bytes() for path in tmp_path.iterdir())
