"""`emollm generate` with teachers that are asked: the loop, a local endpoint, an own model."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from generating import ASKED, faces, generate, manifest, picture, rejected, write
from lying_endpoint import lying_endpoint
from lying_teacher import LyingTeacher
from scripted_teacher import OBSERVED, READ, Scripted, happy

from data_engine.generate import main
from emollm.answers import render
from emollm.errors import ConfigError, EmoLLMError
from emollm.llm.wire import Failure, Reply, Request, Turn
from emollm.records import Media, Reasoning


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
