"""`emollm generate` with teachers that are asked: stand-ins of an endpoint, a local one, an own model."""

import asyncio
import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from lying_endpoint import lying_endpoint
from lying_teacher import LyingTeacher
from made_clips import made_clip
from scripted_teacher import OBSERVED, READ, Scripted, happy

from data_engine.generate import main
from emollm.answers import render
from emollm.errors import ConfigError, EmoLLMError
from emollm.llm.wire import Ask, Failure, Reply, Request, Turn
from emollm.records import Media, Reasoning, Sample, encode, read_records

ASKED = ("--teacher", "openai", "--model", "m")


def write(folder: Path, samples: list[Sample]) -> Path:
    path = folder / "samples.jsonl"
    path.write_bytes(b"".join(encode(one) + b"\n" for one in samples))
    return path


def generate(
    folder: Path, samples: list[Sample], ask: Ask | None, *options: str, output: str = "cot.jsonl", code: int = 0
) -> list[Sample]:
    source = write(folder, samples)
    assert main([str(source), "-o", str(folder / output), *ASKED, *options], ask=ask) == code
    return list(read_records(folder / output, Sample))


def manifest(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "cot.manifest.json").read_text("utf-8"))


def rejected(folder: Path) -> list[tuple[str, str]]:
    path = folder / "cot.rejected.jsonl"
    lines = path.read_text("utf-8").splitlines() if path.exists() else []
    return [(line["id"], line["reason"]) for line in map(json.loads, lines)]


def faces(count: int) -> list[Sample]:
    labels = ("happiness", "anger", "neutral", "sadness", None)
    samples = [made_clip(number, label=labels[number % 5]) for number in range(count)]
    for sample in samples:
        sample.label_set, sample.events = "basic7", None
    return samples


def test_every_sample_is_kept_in_order_or_set_aside_with_its_reason(tmp_path: Path) -> None:
    samples = faces(60)
    kept = generate(tmp_path, samples, LyingTeacher())
    aside = dict(rejected(tmp_path))
    order = [sample.id for sample in samples]
    assert [one.id for one in kept] == [name for name in order if name not in aside]
    assert set(order) == {one.id for one in kept} | set(aside)
    assert set(aside.values()) <= {"label_not_read", "unverified", "too_few_aus"}
    assert all(one.reasoning and one.label and one.provenance["generate"]["teacher"] == "openai" for one in kept)


def test_result_does_not_depend_on_how_many_are_under_way(tmp_path: Path) -> None:
    for number in ("1", "64"):
        options = ("--in-flight", number, "--balance", "4", "--overwrite")
        generate(tmp_path, faces(60), LyingTeacher(), *options, output=f"{number}.jsonl")
    for name in ("jsonl", "rejected.jsonl"):
        assert (tmp_path / f"1.{name}").read_bytes() == (tmp_path / f"64.{name}").read_bytes()


def test_manifest_tells_prompts_problems_and_options(tmp_path: Path) -> None:
    generate(tmp_path, faces(30), LyingTeacher(), "--votes", "2", "--eliminate")
    told = manifest(tmp_path)
    assert {"describe.clip", "infer", "refine", "system"} <= set(told["prompts"])
    assert {"label", "omitted"} & set(told["problems"])
    assert (told["options"]["votes"], told["options"]["eliminate"], told["options"]["model"]) == (2, True, "m")


def test_rerun_goes_on_and_with_other_options_is_refused(tmp_path: Path) -> None:
    whole = generate(tmp_path, faces(30), LyingTeacher())
    lines = (tmp_path / "cot.jsonl").read_bytes().splitlines(keepends=True)
    (tmp_path / "cot.jsonl").write_bytes(b"".join(lines[:5]) + lines[5][:40])
    assert generate(tmp_path, faces(30), LyingTeacher()) == whole
    with pytest.raises(ConfigError, match="votes 1 → 3"):
        generate(tmp_path, faces(30), LyingTeacher(), "--votes", "3")
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "infer.md").write_text("{description} {choices}", "utf-8")
    with pytest.raises(ConfigError, match="prompts"):
        generate(tmp_path, faces(30), LyingTeacher(), "--prompts", str(tmp_path / "own"))


@pytest.mark.parametrize("name", ["cot.jsonl", "cot.manifest.json", "cot.rejected.jsonl", "samples.jsonl"])
def test_ledger_is_no_other_file_of_the_run(tmp_path: Path, name: str) -> None:
    write(tmp_path, faces(1))
    before = sorted(tmp_path.iterdir())
    run = [str(tmp_path / "samples.jsonl"), "-o", str(tmp_path / "cot.jsonl"), *ASKED]
    with pytest.raises(ConfigError, match="is another file of this run"):
        main([*run, "--ledger", str(tmp_path / name)])
    assert sorted(tmp_path.iterdir()) == before


# --- quota ------------------------------------------------------------------------------------------------------------


def test_quota_of_a_class_keeps_the_first_and_asks_for_no_more(tmp_path: Path) -> None:
    ask = Scripted()
    samples = [happy(id=f"h{number}") for number in range(10)] + [happy(id="free", label=None)]
    kept = generate(tmp_path, samples, ask, "--balance", "3", "--in-flight", "1")
    assert [one.id for one in kept] == ["h0", "h1", "h2"]
    assert {reason for _, reason in rejected(tmp_path)} == {"class_full"}
    assert ask.calls["describe"] <= 3 + 4 + 1  # those under way when the class was full, and the one without a label


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


# --- money ------------------------------------------------------------------------------------------------------------


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


# --- pictures ---------------------------------------------------------------------------------------------------------


def picture(folder: Path, name: str = "a.png") -> Media:
    from PIL import Image

    Image.new("RGB", (16, 16), (200, 160, 130)).save(folder / name)
    return Media(kind="image", path=name)


def test_pictures_are_shown_where_asked_for_and_bad_ones_set_aside(tmp_path: Path) -> None:
    (tmp_path / "torn.png").write_bytes(b"\x89PNG torn")
    samples = [
        happy(id="good", media=picture(tmp_path)),
        happy(id="torn", media=Media(kind="image", path="torn.png")),
        happy(id="gone", media=Media(kind="image", path="gone.png")),
        happy(id="clip", media=Media(kind="video", path="clip.mp4")),
        happy(id="none"),
    ]
    ask = Scripted()
    kept = generate(tmp_path, samples, ask, "--pictures")
    assert [one.id for one in kept] == ["good", "clip", "none"]
    assert rejected(tmp_path) == [("torn", "bad_picture"), ("gone", "bad_picture")]
    shown = [image for request in ask.requests for turn in request.turns for image in turn.images]
    assert [(image.path.name, len(image.sha256)) for image in shown] == [("a.png", 64)]
    assert [one.provenance["generate"]["picture"] for one in kept] == [True, False, False]
    ask = Scripted()
    generate(tmp_path, samples, ask, "--overwrite")
    assert not any(turn.images for request in ask.requests for turn in request.turns)


# --- a real endpoint --------------------------------------------------------------------------------------------------


@pytest.fixture
def endpoint() -> Iterator[tuple[str, LyingTeacher]]:
    """An OpenAI-compatible server on this machine behind which the lying teacher sits."""
    teacher = LyingTeacher(lie=0.2)

    with lying_endpoint(teacher) as url:
        yield url, teacher


def test_endpoint_is_asked_once_for_what_it_has_answered(tmp_path: Path, endpoint: tuple[str, LyingTeacher]) -> None:
    pytest.importorskip("aiohttp")
    url, teacher = endpoint
    options = ("--base-url", url, "--price", "1,2", "--budget", "5")
    first = generate(tmp_path, faces(12), None, *options)
    num_asked = len(teacher.requests)
    told = manifest(tmp_path)
    assert len(first) >= 3
    assert told["accounts"]["describe"]["m"]["paid"] == teacher.calls["describe"]
    assert told["accounts"]["describe"]["m"]["usd"] > 0
    assert first[0].provenance["generate"]["model"] == "liar-1"
    again = generate(tmp_path, faces(12), None, *options, "--overwrite")
    assert (again, len(teacher.requests)) == (first, num_asked)
    generate(tmp_path, [*faces(12), happy(id="one more")], None, *options)
    assert 2 <= len(teacher.requests) - num_asked <= 9


def test_budget_stops_an_endpoint_before_it_is_passed(tmp_path: Path, endpoint: tuple[str, LyingTeacher]) -> None:
    pytest.importorskip("aiohttp")
    url, _ = endpoint
    generate(tmp_path, faces(60), None, "--base-url", url, "--price", "10,20", "--budget", "0.1", code=1)
    told = manifest(tmp_path)["accounts"]
    assert sum(account["usd"] for stage in told.values() for account in stage.values()) <= 0.1
    assert "budget" in {reason for _, reason in rejected(tmp_path)}


def test_batch_files_are_filled_stage_by_stage(tmp_path: Path) -> None:
    """The file of each round is answered by hand, as a batch service would."""
    pytest.importorskip("aiohttp")
    samples = [happy(id=f"h{number}") for number in range(3)]
    url = ("--base-url", "http://localhost:9/v1")
    answers: list[str] = []
    scripts = ({"observations": OBSERVED}, {"because": "…", "label": "happiness"}, READ)
    for number, script in enumerate(scripts):
        batch = tmp_path / f"batch{number}.jsonl"
        generate(tmp_path, samples, None, *url, "--batch", str(batch), *answers, code=1)
        assert {reason for _, reason in rejected(tmp_path)} == {"teacher_deferred"}
        lines = []
        for line in batch.read_text("utf-8").splitlines():
            choice = {"message": {"role": "assistant", "content": json.dumps(script)}, "finish_reason": "stop"}
            body = {"model": "m-1", "choices": [choice], "usage": {"prompt_tokens": 9, "completion_tokens": 9}}
            told = {"status_code": 200, "body": body}
            lines.append(json.dumps({"custom_id": json.loads(line)["custom_id"], "response": told}) + "\n")
        (tmp_path / f"out{number}.jsonl").write_text("".join(lines), "utf-8")
        answers = ["--batch-answers", str(tmp_path / f"out{number}.jsonl")]
    assert len(generate(tmp_path, samples, None, *url, "--batch", str(tmp_path / "last.jsonl"), *answers)) == 3


# --- an own model -----------------------------------------------------------------------------------------------------


def test_own_model_writes_from_the_picture_and_its_texts_are_checked(tmp_path: Path, tiny_dir: Path) -> None:
    samples = [
        happy(id="seen", media=picture(tmp_path)),
        happy(id="clip", media=Media(kind="video", path="a.mp4")),
        happy(id="bare"),
    ]
    source = write(tmp_path, samples)
    command = [str(source), "-o", str(tmp_path / "cot.jsonl"), "--teacher", str(tiny_dir), "--rounds", "2"]
    assert main([*command, "--device", "cpu"]) == 1  # an untaught model writes nothing that holds
    assert rejected(tmp_path) == [("seen", "unverified"), ("clip", "bad_picture"), ("bare", "no_picture")]
    record = json.loads((tmp_path / "cot.rejected.jsonl").read_text("utf-8").splitlines()[0])["record"]
    told = record["provenance"]["generate"]
    assert (told["teacher"], len(told["attempts"]), told["attempts"][0]["stage"]) == ("own", 2, "write")


def test_whole_answer_is_taken_apart_checked_and_kept_with_the_label_it_gives() -> None:
    from data_engine.exp_cot.draft import Options
    from data_engine.exp_cot.loop import Effort, explain
    from data_engine.exp_cot.own_model import WholeWriter
    from data_engine.exp_cot.task import Task, admit

    good = render("sections", "happiness", Reasoning(observations=OBSERVED, **READ))
    wrong = good.replace("no brow lowering", "marked brow lowering")
    other = good.replace("consistent with happiness", "consistent with sadness")
    ask = Scripted(write=[wrong, other, "no sections", good])
    task = admit(happy(), Options())
    assert isinstance(task, Task)
    draft = asyncio.run(explain(task, WholeWriter(ask, None, task.sight, "basic7"), Effort(rounds=4)))
    assert draft.reasoning is not None
    assert (draft.label, draft.provenance["label_seen"]) == ("happiness", False)
    tried = draft.provenance["attempts"]
    assert [(one["stage"], one["text"]) for one in tried] == [
        ("write", wrong),
        ("write", other),
        ("write", "no sections"),
    ]
    assert [one.temperature for one in ask.requests] == [0.0, 0.8, 0.8, 0.8]
    assert "AU" not in ask.requests[0].turns[0].text


def test_requests_that_wait_together_are_answered_in_one_batch(tmp_path: Path, tiny_dir: Path) -> None:
    from data_engine.exp_cot.language_model import hash_image
    from data_engine.exp_cot.own_model import LocalModel
    from emollm.llm.wire import Image
    from emollm.vlm.load import load_model

    picture(tmp_path)
    image = hash_image(tmp_path / "a.png")
    local = LocalModel(*load_model(tiny_dir, device="cpu"), "tiny", batch_size=4)

    async def run() -> list[Reply | BaseException]:
        asked = [Request(turns=(Turn("user", "Which expression?", (image,)),), max_tokens=4) for _ in range(6)]
        missing = Request(turns=(Turn("user", "?", (Image(path=tmp_path / "gone.png", sha256="0"),)),), max_tokens=4)
        return await asyncio.gather(*map(local, [*asked, missing]), return_exceptions=True)

    *replies, failure = asyncio.run(run())
    assert len({reply.text for reply in replies if isinstance(reply, Reply)}) == 1
    assert isinstance(failure, Failure)


class Saying:
    """A teacher that says one thing, or fails in one way, whatever it is asked."""

    def __init__(self, answer: Reply | Failure) -> None:
        self.answer = answer
        self.num_asked = 0

    async def __call__(self, _request: Request) -> Reply:
        self.num_asked += 1
        if isinstance(self.answer, Failure):
            raise self.answer
        return self.answer


SORRY = "I'm sorry, but I can't help with identifying or describing people in images."


@pytest.mark.parametrize(
    "answer",
    [
        Reply(text="", model="m", finish="length"),
        Reply(text=SORRY, model="m"),
        Failure("refusal", "I cannot help with faces"),
        Failure("unreadable", "the answer is empty (finish_reason length); raise max_tokens"),
    ],
    ids=["cut off", "polite", "refusal", "empty"],
)
def test_a_teacher_that_says_nothing_of_use_is_not_paid_to_the_end(tmp_path: Path, answer: Reply | Failure) -> None:
    teacher = Saying(answer)
    with pytest.raises(EmoLLMError, match=r"20 samples cannot be read.*--max-tokens"):
        generate(tmp_path, faces(400), teacher, "--in-flight", "8")
    assert teacher.num_asked < 200


def test_what_got_no_answer_is_told_and_asked_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    samples = faces(6)
    generate(tmp_path, samples, Saying(Failure("deadline", "no answer within 3 s")), code=1)
    assert "6 samples got no answer; the same command asks for them again" in capsys.readouterr().err
    assert generate(tmp_path, samples, LyingTeacher(lie=0, misread=0))
