from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from asking import QUICK, ask, question
from fake_endpoint import FakeEndpoint, Manners

from emollm.errors import ConfigError
from emollm.llm.accounts import Accounts
from emollm.llm.budget import PRICES, Budget, Price, price_of, read_price
from emollm.llm.client import Client
from emollm.llm.ledger import Ledger
from emollm.llm.pace import Limits
from emollm.llm.wire import Failure, Reply

PRICE = {"m": Price(10.0, 20.0)}
"""An answer of the stand-in, 100 + 30 tokens, costs 0.0016 USD."""


def test_prices_are_known_under_dated_names() -> None:
    assert price_of("gpt-4o-2024-08-06", PRICES) == PRICES["gpt-4o"]
    assert price_of("gpt-4o-mini", PRICES) == PRICES["gpt-4o-mini"]
    for stranger in ("gpt-4o-audio", "my-model-1-2-3", "gpt-4o-2024-08", "", "-"):
        assert price_of(stranger, PRICES) is None


def test_a_price_is_read_from_the_command_line() -> None:
    assert read_price("2.5,10") == Price(2.5, 10.0)
    for wrong in ("2.5", "a,b", "1,2,3", "-1,2", "nan,1", "inf,1", ""):
        with pytest.raises(ConfigError, match="--price"):
            read_price(wrong)


def test_a_budget_for_a_model_without_a_price_is_said_before_anything_is_sent() -> None:
    with pytest.raises(ConfigError, match=r"'gpt-4o-mni' is not known; did you mean 'gpt-4o-mini'\?; give --price"):
        Client("http://localhost:1/v1", "gpt-4o-mni", budget=Budget(1.0))


@pytest.mark.parametrize("usd", [-1.0, float("nan"), float("inf")])
def test_what_is_no_amount_is_no_budget(usd: float) -> None:
    with pytest.raises(ConfigError, match="--budget"):
        Budget(usd)


@pytest.mark.parametrize("in_flight", [1, 16])
def test_a_budget_is_used_up_and_never_passed(in_flight: int) -> None:
    manners = Manners(prompt_tokens=20, completion_tokens=50, latency_s=0.002)
    with FakeEndpoint(manners) as endpoint:
        budget = Budget(0.1)
        client = Client(endpoint.url, "m", limits=Limits(in_flight=in_flight), budget=budget, prices=PRICE)
        outcomes = ask(client, *[question(f"Face {number}?", max_tokens=50) for number in range(200)])
    replies = [outcome for outcome in outcomes if isinstance(outcome, Reply)]
    failures = [outcome for outcome in outcomes if isinstance(outcome, Failure)]
    one = PRICE["m"].of(20, 50)
    assert len(replies) == endpoint.calls
    assert 0.1 - 3 * one < len(replies) * one == pytest.approx(budget.spent)
    assert budget.spent <= 0.1
    assert {failure.kind for failure in failures} == {"budget"}
    assert "are spent" in failures[0].detail
    assert client.accounts.as_json()["ask"]["m"]["failed"] == {"budget": len(failures)}
    assert client.accounts.total().usd == pytest.approx(budget.spent)


def test_an_answer_that_is_dearer_than_it_should_be_makes_the_next_ones_be_thought_dearer() -> None:
    manners = Manners(prompt_tokens=5000, completion_tokens=50)
    with FakeEndpoint(manners) as endpoint:
        budget = Budget(0.2)
        client = Client(endpoint.url, "m", budget=budget, prices=PRICE)
        for number in range(10):
            ask(client, question(f"Face {number}?", max_tokens=50))
        assert budget.spent <= 0.2
        assert endpoint.calls == 3


def test_a_refusal_costs_what_it_costs() -> None:
    with FakeEndpoint() as endpoint:
        client = Client(endpoint.url, "m", budget=Budget(1.0), prices=PRICE)
        ask(client, question("!refusal"))
        account = client.accounts.of("ask", "m")
        assert (account.paid, account.failed) == (0, {"refusal": 1})
        assert account.usd == pytest.approx(0.0016)


def test_what_may_have_been_paid_is_counted_with_the_worst() -> None:
    with FakeEndpoint() as endpoint:
        budget = Budget(1.0)
        client = Client(endpoint.url, "m", limits=QUICK, budget=budget, prices=PRICE)
        ask(client, question("!reset"))
        assert client.accounts.total().usd_in_doubt == pytest.approx(budget.spent)
        assert budget.spent > 0
        spent = budget.spent
        ask(client, question("!500"), question("!400"))
        assert budget.spent == spent


def test_a_free_model_is_asked_with_a_budget_of_nothing() -> None:
    with FakeEndpoint() as endpoint:
        client = Client(endpoint.url, "m", budget=Budget(0.0), prices={"m": Price(0.0, 0.0)})
        assert isinstance(ask(client, question())[0], Reply)


def test_who_is_cancelled_while_waiting_for_the_budget_leaves_nothing_behind() -> None:
    async def run() -> Budget:
        budget = Budget(1.0)
        await budget.hold(0.9)
        waiting = [asyncio.create_task(budget.hold(0.5)) for _ in range(3)]
        await asyncio.sleep(0)
        waiting[0].cancel()
        waiting[2].cancel()
        budget.settle(0.9, 0.1)
        await asyncio.gather(*waiting, return_exceptions=True)
        budget.settle(0.5, 0.0)
        await budget.hold(0.9)
        return budget

    assert asyncio.run(run()).spent == pytest.approx(0.1)


def test_accounts_are_kept_by_stage_and_model_and_for_all_runs(tmp_path: Path) -> None:
    with FakeEndpoint() as endpoint, Ledger(tmp_path / "asked.jsonl") as ledger:
        first = Client(endpoint.url, "m", ledger=ledger, prices=PRICE)
        ask(first, question("a", stage="infer"))
        client = Client(endpoint.url, "m", ledger=ledger, prices=PRICE)
        ask(client, *[question(text, stage="infer") for text in "abc"], question("d", stage="refine"))
        ask(client, question("!refusal", stage="refine"))
        for_all = Accounts.of_ledger(ledger.entries()).as_json()
    told = client.accounts.as_json()
    assert (told["infer"]["m"]["paid"], told["infer"]["m"]["remembered"]) == (2, 1)
    assert told["infer"]["m"]["usd"] == pytest.approx(0.0032)
    assert (told["refine"]["m"]["paid"], told["refine"]["m"]["failed"]) == (1, {"refusal": 1})
    assert json.loads(json.dumps(told)) == told
    assert str(client.accounts).splitlines() == [
        "infer m: 2 paid (260 tokens, $0.0032), 1 remembered ($0.0016 saved)",
        "refine m: 1 paid (260 tokens, $0.0032), 1 refusal",
        "total: 3 paid (520 tokens, $0.0064), 1 remembered ($0.0016 saved), 1 refusal",
    ]
    assert (for_all["infer"]["m"]["paid"], for_all["infer"]["m"]["usd"]) == (3, pytest.approx(0.0048))
