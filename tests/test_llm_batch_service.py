"""Batch files are handed over, fetched and used: against a batch service on this machine, by the openai package."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from asking import question
from fake_batch_service import FakeBatchService
from scripted_teacher import OBSERVED, READ, happy

from data_engine.generate import main
from emollm.errors import ConfigError, EmoLLMError, MissingExtraError
from emollm.llm import batch
from emollm.llm.batch import BatchFile
from emollm.llm.batch_service import BatchService
from emollm.llm.ledger import Ledger
from emollm.llm.wire import EndpointError, Failure
from emollm.records import Sample, encode, read_records

pytest.importorskip("openai", reason="the extra `teacher` is not installed")

KEY = "sk-secret-0123456789"


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)


@pytest.fixture
def service() -> Iterator[FakeBatchService]:
    with FakeBatchService(teacher, KEY) as service:
        yield service


def teacher(body: dict[str, Any]) -> str:
    """Answers each stage as a good teacher would."""
    properties = body["response_format"]["json_schema"]["schema"]["properties"]
    told = {"observations": OBSERVED} if "observations" in properties else READ
    return json.dumps({"because": "…", "label": "happiness"} if "label" in properties else told)


def written(path: Path, url: str, *texts: str) -> Path:
    """Write a batch file with one request a text."""

    async def run(file: BatchFile) -> None:
        for text in texts:
            with pytest.raises(Failure, match="deferred"):
                await file(question(text))

    with Ledger(path.with_name("asked.jsonl")) as ledger, BatchFile(path, url, "m", ledger) as file:
        asyncio.run(run(file))
    return path


def logged(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "b.submitted.jsonl").read_text("utf-8").splitlines()]


# --- the service ------------------------------------------------------------------------------------------------------


def test_file_goes_there_once_and_its_answers_come_back_once(tmp_path: Path, service: FakeBatchService) -> None:
    path = written(tmp_path / "b.jsonl", service.url, "one", "two")
    service.answer = lambda body: 400 if "two" in str(body) else "fine"
    first = BatchService(path, service.url, "m")
    assert [handed.batch for handed in first.submit()] == ["batch_1"]
    assert service.files["file-1"] == path.read_bytes()
    assert first.submit() == BatchService(path, service.url, "m").submit() == []

    states = list(BatchService(path, service.url, "m").fetch())
    assert [(one.status, one.num_done, one.num_requests, one.paths) for one in states] == [("in_progress", 0, 2, ())]
    service.run()
    later = BatchService(path, service.url, "m")
    (state,) = later.fetch()
    assert [one.name for one in state.paths] == ["b.output.jsonl", "b.errors.jsonl"]
    assert all(one.read_bytes() in service.files.values() for one in state.paths)
    assert list(later.fetch()) == later.submit() == []
    assert (service.created, service.asked["POST /files"]) == (1, 1)

    told = logged(tmp_path)
    assert [(one.get("batch"), one.get("ended")) for one in told] == [
        (None, None),
        ("batch_1", None),
        ("batch_1", "completed"),
    ]
    assert {one["file"] for one in told} == {"b.jsonl"}
    assert len({one["sha256"] for one in told}) == 1
    assert all(KEY not in one.read_text("utf-8") for one in tmp_path.iterdir())
    assert not list(tmp_path.glob("*.part"))


def test_further_parts_are_batches_of_their_own(
    tmp_path: Path, service: FakeBatchService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch, "MAX_REQUESTS", 2)
    service.answer = lambda _: "fine"
    path = written(tmp_path / "b.jsonl", service.url, *"abcde")
    handed = BatchService(path, service.url, "m").submit()
    assert [(one.file, one.batch) for one in handed] == [
        ("b.jsonl", "batch_1"),
        ("b-2.jsonl", "batch_2"),
        ("b-3.jsonl", "batch_3"),
    ]
    service.run()
    names = [one.name for state in BatchService(path, service.url, "m").fetch() for one in state.paths]
    assert names == ["b.output.jsonl", "b-2.output.jsonl", "b-3.output.jsonl"]


def test_batch_counts_as_taken_over_only_when_the_next_is_asked_for(tmp_path: Path, service: FakeBatchService) -> None:
    service.answer = lambda _: "fine"
    path = written(tmp_path / "b.jsonl", service.url, "one")
    BatchService(path, service.url, "m").submit()
    service.run()
    killed = BatchService(path, service.url, "m").fetch()
    assert next(killed).paths
    killed.close()  # as if the run had ended while it read the answers
    assert [state.is_over for state in BatchService(path, service.url, "m").fetch()] == [True]
    assert list(BatchService(path, service.url, "m").fetch()) == []


@pytest.mark.parametrize("others", [0, 5], ids=["newest", "on a later page"])
def test_batch_whose_making_was_never_told_is_found_and_not_paid_again(
    tmp_path: Path, service: FakeBatchService, others: int
) -> None:
    path = written(tmp_path / "b.jsonl", service.url, "one")
    service.faults = [("POST /batches", "lost")]
    with pytest.raises(EndpointError, match="may not be handed over"):
        BatchService(path, service.url, "m").submit()
    for number in range(others):
        other = written(tmp_path / str(number) / "b.jsonl", service.url, f"other {number}")
        BatchService(other, service.url, "m").submit()
    if others:
        assert BatchService(path, service.url, "m").submit() == []
    else:
        assert [state.batch for state in BatchService(path, service.url, "m").fetch()] == ["batch_1"]
    assert service.created == 1 + others
    assert logged(tmp_path)[-1]["batch"] == "batch_1"


def test_file_that_was_not_taken_is_handed_over_the_next_time(tmp_path: Path, service: FakeBatchService) -> None:
    path = written(tmp_path / "b.jsonl", service.url, "one")
    service.faults = [("POST /batches", "500")]
    with pytest.raises(EndpointError, match="500"):
        BatchService(path, service.url, "m").submit()
    with (tmp_path / "b.submitted.jsonl").open("a") as file:
        file.write('{"file": "b.js')  # and the power failed
    assert [one.batch for one in BatchService(path, service.url, "m").submit()] == ["batch_1"]
    assert [one.get("batch") for one in logged(tmp_path)] == [None, None, "batch_1"]


def test_upload_is_repeated_whole_after_trouble(tmp_path: Path, service: FakeBatchService) -> None:
    path = written(tmp_path / "b.jsonl", service.url, *map(str, range(2000)))
    service.faults = [("POST /files", "500"), ("POST /files", "lost")]
    BatchService(path, service.url, "m").submit()
    assert list(service.files.values())[-1] == path.read_bytes()
    assert service.created == 1


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (("POST /files", "401"), r"b\.jsonl is not handed over \(401, .*check the key in OPENAI_API_KEY"),
        (("POST /files", "404"), r"404.*there is no batch service at this address; --batch without --submit"),
        (("POST /files", "405"), "there is no batch service"),
        (("POST /files", "413"), "413"),
        (("POST /files", "html"), "cannot be read .*is this the address of a batch service"),
        (("POST /batches", "html"), "cannot be read"),
        (("POST /batches", "429"), "429.*check the account"),
    ],
    ids=lambda case: "-".join(case) if isinstance(case, tuple) else "",
)
def test_trouble_is_one_line_without_the_key(
    tmp_path: Path, service: FakeBatchService, fault: tuple[str, str], message: str
) -> None:
    path = written(tmp_path / "b.jsonl", service.url, "one")
    service.faults = [fault]
    with pytest.raises(EndpointError, match=message) as error:
        BatchService(path, service.url, "m").submit()
    assert "\n" not in str(error.value)
    assert KEY not in str(error.value)
    assert service.url in str(error.value)


def test_nobody_there_is_one_line(tmp_path: Path) -> None:
    path = written(tmp_path / "b.jsonl", "http://127.0.0.1:9/v1", "one")
    service = BatchService(path, "http://127.0.0.1:9/v1", "m")
    service._client = service._client.with_options(max_retries=0)
    with pytest.raises(EndpointError, match=r"not handed over \(.*refused.*\); is the address right"):
        service.submit()


def test_batch_or_output_that_is_gone_is_said(tmp_path: Path, service: FakeBatchService) -> None:
    service.answer = lambda _: "fine"
    path = written(tmp_path / "b.jsonl", service.url, "one")
    BatchService(path, service.url, "m").submit()
    service.run()
    del service.files["file-batch_1-output_file_id"]
    with pytest.raises(EndpointError, match=r"output of batch_1 cannot be fetched \(404.*b\.submitted\.jsonl"):
        list(BatchService(path, service.url, "m").fetch())
    service.batches.clear()
    with pytest.raises(EndpointError, match=r"how far batch_1 has come is not known \(404"):
        list(BatchService(path, service.url, "m").fetch())


def test_no_key_and_no_package_are_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY")
    with pytest.raises(ConfigError, match="OPENAI_API_KEY: is not set"):
        BatchService(tmp_path / "b.jsonl", "https://api.openai.com/v1", "m")
    monkeypatch.setitem(sys.modules, "openai", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'emollm\[teacher\]'"):
        BatchService(tmp_path / "b.jsonl", "https://api.openai.com/v1", "m")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"id": "s", "label": "happiness"}\n', r"b\.jsonl:1: is no request for a batch service"),
        ('{"custom_id": "row", "body": {"model": "m"}}\n', "asks 'm' for 'row', which is no request"),
        ('{"custom_id": "' + "a" * 64 + '", "body": {"model": "other"}}\n', "asks 'other'"),
        ('{"custom_id": "' + "a" * 64, "is no request"),
        ("", "holds no request"),
    ],
    ids=["samples", "another's", "another model", "torn", "empty"],
)
def test_file_of_another_kind_goes_nowhere(tmp_path: Path, service: FakeBatchService, line: str, message: str) -> None:
    (tmp_path / "b.jsonl").write_text(line)
    with pytest.raises(ConfigError, match=message):
        BatchService(tmp_path / "b.jsonl", service.url, "m").submit()
    assert not service.asked


def test_log_of_something_else_is_refused(tmp_path: Path, service: FakeBatchService) -> None:
    path = written(tmp_path / "b.jsonl", service.url, "one")
    BatchService(path, service.url, "m").submit()
    for url, model in ((service.url, "other"), ("http://localhost:1/v1", "m")):
        with pytest.raises(ConfigError, match=r"b\.submitted\.jsonl: is about 'm' at http://127"):
            BatchService(path, url, model)
    (tmp_path / "b.submitted.jsonl").write_text("hello\n")
    with pytest.raises(ConfigError, match=r"b\.submitted\.jsonl:1: is no line"):
        BatchService(path, service.url, "m")


NUM_ASKED = (3, 1, 3)
"""Requests of each stage for three equal faces: their descriptions are equal, so that one reader is enough."""
NUM_PAID = sum(NUM_ASKED)


# --- the command ------------------------------------------------------------------------------------------------------


class Stage:
    """`emollm generate` with a batch file, again and again."""

    def __init__(self, folder: Path, url: str, num_samples: int = 3) -> None:
        self.folder, self.url = folder, url
        self.command = [str(folder / "samples.jsonl"), "-o", str(folder / "cot.jsonl"), "--teacher", "openai"]
        self.command += ["--model", "m", "--base-url", url, "--batch", str(folder / "b.jsonl")]
        samples = [happy(id=f"h{number}") for number in range(num_samples)]
        (folder / "samples.jsonl").write_bytes(b"".join(encode(one) + b"\n" for one in samples))

    def __call__(self, *options: str) -> int:
        return main([*self.command, *options])

    @property
    def kept(self) -> list[str]:
        return [sample.id for sample in read_records(self.folder / "cot.jsonl", Sample)]

    @property
    def aside(self) -> list[tuple[str, str, str]]:
        path = self.folder / "cot.rejected.jsonl"
        lines = path.read_text("utf-8").splitlines() if path.exists() else []
        return [(one["id"], one["reason"], one["detail"]) for one in map(json.loads, lines)]


def test_same_command_again_and_again_finishes(
    tmp_path: Path, service: FakeBatchService, capsys: pytest.CaptureFixture[str]
) -> None:
    stage = Stage(tmp_path, service.url)
    for number in (1, 2, 3):
        assert stage("--submit") == 1
        assert service.created == number
        told = capsys.readouterr().err
        assert f"as batch_{number}\nbatches under way: 1; the same command fetches" in told
        assert stage("--submit") == 1  # too early: nothing is written or handed over
        told = capsys.readouterr().err
        assert f"b.jsonl: under way, 0 of {NUM_ASKED[number - 1]} requests done (batch_{number} in_progress)\n" in told
        assert service.created == number
        assert {reason for _, reason, _ in stage.aside} == {"teacher_deferred"}
        service.run()
    assert stage("--submit") == 0
    assert "b-3.output.jsonl: 3 answers\n" in capsys.readouterr().err
    assert stage.kept == ["h0", "h1", "h2"]
    assert (service.created, service.paid.total(), set(service.paid.values())) == (3, NUM_PAID, {1})
    assert stage("--submit") == 0
    Stage(tmp_path, service.url, 4)
    assert stage("--submit") == 1  # three are done, and the fourth waits
    assert all(KEY not in one.read_text("utf-8") for one in tmp_path.iterdir())


def test_fetch_hands_nothing_over_and_the_rest_may_be_asked_otherwise(
    tmp_path: Path, service: FakeBatchService, capsys: pytest.CaptureFixture[str]
) -> None:
    stage = Stage(tmp_path, service.url)
    assert stage() == 1
    assert stage("--fetch") == 1
    assert (service.asked.total(), [detail for *_, detail in stage.aside]) == (0, ["written to b.jsonl"] * 3)
    assert stage("--submit") == 1  # hands over what the first command has written
    service.run()
    capsys.readouterr()
    assert stage("--fetch") == stage("--fetch") == 1
    assert "1 requests wait in" in capsys.readouterr().err
    assert [one.name for one in sorted(tmp_path.glob("b*.jsonl"))] == [
        "b-2.jsonl",
        "b.jsonl",
        "b.output.jsonl",
        "b.submitted.jsonl",
    ]
    assert service.created == 1


def test_what_has_an_answer_by_now_is_not_handed_over(tmp_path: Path, service: FakeBatchService) -> None:
    stage = Stage(tmp_path, service.url)
    stage()
    lines = [json.loads(line) for line in (tmp_path / "b.jsonl").read_text("utf-8").splitlines()]
    body = {"choices": [{"message": {"content": teacher(lines[0]["body"])}, "finish_reason": "stop"}]}
    answer = {"custom_id": lines[0]["custom_id"], "response": {"status_code": 200, "body": body}}
    (tmp_path / "by_hand.jsonl").write_text(json.dumps(answer))
    with pytest.raises(ConfigError, match=r"b\.jsonl: some of its requests have an answer by now.*remove it"):
        stage("--submit", "--batch-answers", str(tmp_path / "by_hand.jsonl"))
    assert service.created == 0
    (tmp_path / "b.jsonl").unlink()
    stage("--submit")
    assert service.batches[0]["request_counts"]["total"] == 3  # two descriptions, and the next stage of the third


@pytest.mark.parametrize(
    ("status", "changes", "told"),
    [
        ("expired", {}, "batch_1 is expired; what has no answer is asked again"),
        ("cancelled", {}, "batch_1 is cancelled"),
        (
            "failed",
            {"errors": {"data": [{"code": "token_limit_exceeded", "message": "Enqueued token\nlimit reached"}]}},
            "batch_1 is failed (Enqueued token limit reached); what has no answer is asked again",
        ),
    ],
    ids=["expired", "cancelled", "failed"],
)
def test_batch_that_came_to_nothing_is_asked_again(
    tmp_path: Path,
    service: FakeBatchService,
    capsys: pytest.CaptureFixture[str],
    status: str,
    changes: dict[str, Any],
    told: str,
) -> None:
    stage = Stage(tmp_path, service.url)
    stage("--submit")
    reached = iter([True, False, False])
    service.answer = lambda body: teacher(body) if next(reached, True) else None
    service.run(status, **changes)
    capsys.readouterr()
    stage("--submit")
    assert told in capsys.readouterr().err
    for _ in range(3):
        service.run()
        code = stage("--submit")
    assert (code, stage.kept) == (0, ["h0", "h1", "h2"])
    assert set(service.paid.values()) == {1}


def test_request_that_is_refused_there_is_set_aside_and_the_run_ends(
    tmp_path: Path, service: FakeBatchService, capsys: pytest.CaptureFixture[str]
) -> None:
    stage = Stage(tmp_path, service.url)
    stage("--submit")
    refused = service.files["file-1"].splitlines()[1]
    content = json.loads(refused)["body"]
    service.answer = lambda body: 400 if body == content else teacher(body)
    codes = []
    for _ in range(3):
        service.run()
        codes.append(stage("--submit"))
        told = capsys.readouterr().err
        if len(codes) == 1:
            assert "b.errors.jsonl: 0 answers, 1 failed there (the last one: refused_request" in told
            assert ("h1", "teacher_refused_request") in [(name, reason) for name, reason, _ in stage.aside]
    assert (codes[-1], stage.kept) == (0, ["h0", "h2"])
    assert [name for name, *_ in stage.aside] == ["h1"]


def test_run_that_was_stopped_by_an_error_hands_nothing_over(tmp_path: Path, service: FakeBatchService) -> None:
    stage = Stage(tmp_path, service.url)
    stage()
    (tmp_path / "cot.manifest.json").unlink()
    (tmp_path / "cot.jsonl").write_text("precious\n")
    with pytest.raises(EmoLLMError, match=r"cot\.jsonl: is there already"):
        stage("--submit")
    assert service.created == 0


KILLED = """
import os, signal, sys
from pathlib import Path
from emollm.llm import {module} as place
whole = place.{name}
def killed(*args, **options):
    {before}
    os.kill(os.getpid(), signal.SIGKILL)
place.{name} = killed
from data_engine.generate import main
main(sys.argv[1:])
"""


@pytest.mark.parametrize(
    ("module", "name", "before"),
    [
        ("batch", "BatchFile._write", "whole(*args, **options)"),
        ("batch", "BatchFile._end_file", "whole(*args, **options)"),
        ("handed", "HandedLog.remember", "pass"),
        ("handed", "HandedLog.remember", "whole(*args)"),
        ("handed", "HandedLog.remember", "if len(args) == 2: return whole(*args)"),
        ("batch_service", "BatchService.submit", "whole(*args, **options)"),
    ],
    ids=["writing", "written", "uploaded", "batch not made", "batch made and not remembered", "handed over"],
)
def test_killed_run_goes_on_and_pays_nothing_twice(
    tmp_path: Path, service: FakeBatchService, module: str, name: str, before: str
) -> None:
    stage = Stage(tmp_path, service.url)
    code = KILLED.format(module=module, name=name, before=before)
    root = str(Path(__file__).parents[1])
    ended = subprocess.run([sys.executable, "-c", code, *stage.command, "--submit"], cwd=root, capture_output=True)
    assert ended.returncode == -signal.SIGKILL, ended.stderr.decode()
    for _ in range(3):
        assert stage("--submit") == 1
        service.run()
    assert (stage("--submit"), stage.kept) == (0, ["h0", "h1", "h2"])
    assert (service.paid.total(), set(service.paid.values())) == (NUM_PAID, {1})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--submit"], "--submit, --fetch: are for the requests of a file; name it with --batch FILE"),
        (["--fetch", "--budget", "3"], "--batch FILE"),
        (["--batch", "b.jsonl", "--submit", "--fetch"], "--submit: fetches, too"),
        (["--batch", "b.jsonl", "--submit", "--budget", "3"], "--batch: nothing is sent"),
        (["--teacher", "rules", "--submit"], "--submit: not for --teacher rules"),
        (["--batch", "samples.jsonl", "--submit"], "is another file of this run"),
    ],
    ids=["no file", "fetch without a file", "both", "budget", "rules", "the input"],
)
def test_options_that_do_not_fit_are_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: list[str], message: str
) -> None:
    Stage(tmp_path, "http://localhost:9/v1")
    monkeypatch.chdir(tmp_path)
    model = [] if "rules" in options else ["--teacher", "openai", "--model", "m"]
    with pytest.raises(ConfigError, match=message) as error:
        main(["samples.jsonl", "-o", "cot.jsonl", "--base-url", "http://localhost:9/v1", *model, *options])
    assert "\n" not in str(error.value)
    assert not (tmp_path / "cot.jsonl").exists()
