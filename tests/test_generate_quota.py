"""What a run may take: at most so many of a class, so much money, and options that fit together."""

import asyncio
import json
import re
from collections import Counter
from pathlib import Path

import pytest
from generating import ASKED, faces, generate, manifest, rejected, write
from scripted_teacher import OBSERVED, Scripted, face, happy

from data_engine.generate import main
from emollm.errors import EmoLLMError
from emollm.llm.wire import Failure, Reply, Request
from emollm.records import Sample, read_records


def test_quota_of_a_class_keeps_the_first_and_asks_for_no_more(tmp_path: Path) -> None:
    ask = Scripted()
    samples = [happy(id=f"h{number}") for number in range(10)] + [happy(id="free", label=None)]
    kept = generate(tmp_path, samples, ask, "--balance", "3", "--in-flight", "64")
    assert [one.id for one in kept] == ["h0", "h1", "h2"]
    assert {reason for _, reason in rejected(tmp_path)} == {"class_full"}
    assert ask.calls["describe"] == 3 + 1  # three of the class, and the one without a label


def test_quota_lets_the_next_one_begin_where_a_text_is_refused(tmp_path: Path) -> None:
    samples = [happy(id=f"h{number}") for number in range(6)]
    samples[1].faces = [face({"AU04": 3.0, "AU07": 2.0})]
    ask = Scripted()
    kept = generate(tmp_path, samples, ask, "--balance", "3", "--in-flight", "64", "--rounds", "1")
    assert [one.id for one in kept] == ["h0", "h2", "h3"]  # what is said of h1 is not what its face shows
    assert dict(rejected(tmp_path)) == {"h1": "unverified", "h4": "class_full", "h5": "class_full"}
    assert ask.calls["describe"] == 4


def test_dry_run_knows_the_quota(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = write(tmp_path, [happy(id=f"h{number}") for number in range(20)])
    assert main([str(source), "-o", str(tmp_path / "cot.jsonl"), *ASKED, "--balance", "5", "--dry-run"]) == 0
    told = capsys.readouterr().out
    assert "--balance 5: about 25% of these are wanted" in told
    assert "20 samples, 5 to be asked about" in told
    assert "if nothing is refused: 15 requests" in told


def test_quota_counts_what_an_earlier_run_has_kept(tmp_path: Path) -> None:
    samples = [happy(id=f"h{number}") for number in range(6)]
    options = ("--balance", "3")
    first = generate(tmp_path, samples, Scripted(), *options)
    lines = (tmp_path / "cot.jsonl").read_bytes().splitlines(keepends=True)
    (tmp_path / "cot.jsonl").write_bytes(b"".join(lines[:2]))
    assert generate(tmp_path, samples, Scripted(), *options) == first


def test_quota_holds_for_rules_too(tmp_path: Path) -> None:
    source = write(tmp_path, [happy(id=f"h{number}") for number in range(250)])
    assert main([str(source), "-o", str(tmp_path / "cot.jsonl"), "--balance", "2"]) == 0
    assert [one.id for one in read_records(tmp_path / "cot.jsonl", Sample)] == ["h0", "h1"]
    assert len(rejected(tmp_path)) == 248


class Purse:
    """Answers as the script says until so many requests are paid, then fails for want of budget."""

    def __init__(self, most: int) -> None:
        self.left = most
        self.ask = Scripted()

    async def __call__(self, request: Request) -> Reply:
        await asyncio.sleep(0)
        if self.left <= 0:
            raise Failure("budget", "nothing is left")
        self.left -= 1
        return await self.ask(request)


def test_budget_that_is_used_up_ends_the_run_in_order(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    samples = [happy(id=f"h{number}") for number in range(400)]
    purse = Purse(most=30)
    kept = generate(tmp_path, samples, purse, "--in-flight", "4", code=1)
    assert 8 <= len(kept) <= 10
    assert {reason for _, reason in rejected(tmp_path)} == {"budget"}
    assert len(rejected(tmp_path)) < 40
    assert "higher --budget goes on from here" in capsys.readouterr().err
    again = generate(tmp_path, samples, Purse(most=10_000), "--in-flight", "4")
    assert [one.id for one in again] == [one.id for one in samples]


def test_dry_run_shows_prompts_and_cost_and_asks_and_writes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = write(tmp_path, [*faces(20), Sample(id="bare")])
    ask = Scripted()
    options = ["--dry-run", "--model", "gpt-4o-mini", "--votes", "3"]
    assert main([str(source), "-o", str(tmp_path / "cot.jsonl"), *ASKED[:2], *options], ask=ask) == 0
    out = capsys.readouterr().out
    for words in ("--- describe: system ---", "AU12 (", "--- infer: user ---", "--- refine: user ---", "no_aus 1", "$"):
        assert words in out
    assert "21 samples" in out
    assert f"{20 * 7} requests" in out or "19" in out
    assert ask.requests == []
    assert [path.name for path in tmp_path.iterdir()] == ["samples.jsonl"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--model", "m"], "--model: not for --teacher rules"),
        (["--budget", "3", "--votes", "2"], "--votes, --budget: not for --teacher rules"),
        (["--teacher", "openai"], "name the model with --model"),
        (["--teacher", "opnai"], "did you mean 'openai'"),
        (["--teacher", "nowhere/model"], "the directory of a model"),
        ([*ASKED, "--workers", "2"], "--workers: not for --teacher openai"),
        ([*ASKED, "--style", "think"], "--style: not for"),
        ([*ASKED, "--prompts", "nowhere"], "there is no such folder"),
        ([*ASKED, "--base-url", "ftp://x"], "is no address"),
        ([*ASKED, "--base-url", "http://localhost:1", "--deadline", "0"], "--deadline"),
        ([*ASKED, "--base-url", "http://localhost:1", "--price", "a"], "--price"),
        ([*ASKED, "--batch", "b.jsonl", "--budget", "3"], "--batch"),
        ([*ASKED, "--votes", "2", "--temperature", "0"], "every vote says the same"),
        ([*ASKED, "--eliminate", "--rounds", "1"], "--rounds 1 has none"),
        ([*ASKED, "--media-root", "."], "they are shown with --pictures"),
    ],
)
def test_options_that_do_not_fit_are_refused_in_one_line(tmp_path: Path, options: list[str], message: str) -> None:
    source = write(tmp_path, faces(2))
    with pytest.raises(EmoLLMError, match=message) as error:
        main([str(source), "-o", str(tmp_path / "cot.jsonl"), *options])
    assert "\n" not in str(error.value)
    assert not (tmp_path / "cot.jsonl").exists()


class Wearing:
    """Answers such that a sample takes as many requests as it can: misread at the third try, never ended."""

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()

    async def __call__(self, request: Request) -> Reply:
        self.calls[request.stage] += 1
        num_read = sum(turn.role == "assistant" for turn in request.turns)
        told = {
            "describe": json.dumps({"observations": OBSERVED}),
            "infer": "?" if num_read < 2 else '{"label":"fear"}',
        }
        return Reply(text=told.get(request.stage, "?"), model="m")


@pytest.mark.parametrize("options", [(), ("--votes", "2", "--rounds", "2", "--repair")])
def test_dry_run_counts_all_that_a_sample_can_take(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], options: tuple[str, ...]
) -> None:
    ask = Wearing()
    source = write(tmp_path, [happy()])
    command = [str(source), "-o", str(tmp_path / "cot.jsonl"), *ASKED, *options]
    assert main([*command, "--dry-run"]) == 0
    told = re.search(r"([\d,]+) requests at most", capsys.readouterr().out)
    assert told is not None
    main(command, ask=ask)
    assert int(told[1]) - 1 == ask.calls.total()  # the one is an ending, which only a reading that is right leads to


def test_a_resumed_run_tells_of_all_that_is_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    samples = [happy(id=f"h{number}") for number in range(4)]
    generate(tmp_path, samples, Scripted())
    whole = manifest(tmp_path)
    lines = (tmp_path / "cot.jsonl").read_bytes().splitlines(keepends=True)
    (tmp_path / "cot.jsonl").write_bytes(b"".join(lines[:3]))
    capsys.readouterr()
    generate(tmp_path, samples, Scripted())
    again = manifest(tmp_path)
    assert again["counts"]["resumed"] == 3
    assert {key: again[key] for key in ("classes", "cases")} == {key: whole[key] for key in ("classes", "cases")}
    assert re.search(r"happiness +4 +0 +100\.0", capsys.readouterr().err)


def test_endings_that_were_told_the_label_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ask = Scripted(infer={"label": "fear"})
    generate(tmp_path, [happy()], ask, "--rounds", "1", "--repair")
    assert "1 kept with an ending that was told the label (label_seen)" in capsys.readouterr().err
