"""`emollm generate --batch`: files for a batch service, and its answers."""

import json
from pathlib import Path

import pytest
from fake_batch_service import by_service
from generating import generate, manifest, rejected
from scripted_teacher import OBSERVED, READ, happy


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
            lines.append(by_service(json.loads(line)["custom_id"], json.dumps(script)))
        (tmp_path / f"out{number}.jsonl").write_text("".join(lines), "utf-8")
        answers = ["--batch-answers", str(tmp_path / f"out{number}.jsonl")]
    last = (*url, "--price", "1,2", "--batch", str(tmp_path / "last.jsonl"), *answers)
    assert len(generate(tmp_path, samples, None, *last)) == 3
    accounts = manifest(tmp_path)["accounts"]
    paid = {stage: told["m"]["paid"] for stage, told in accounts.items()}
    assert paid == {"describe": 3, "infer": 1, "refine": 3}  # the same description is read once
    assert accounts["describe"]["m"]["prompt_tokens"] == 27


def test_what_a_batch_service_refuses_is_not_written_again(tmp_path: Path) -> None:
    pytest.importorskip("aiohttp")
    batch, answers, again = (tmp_path / name for name in ("batch.jsonl", "out.jsonl", "again.jsonl"))
    url = ("--base-url", "http://localhost:9/v1")
    generate(tmp_path, [happy()], None, *url, "--batch", str(batch), code=1)
    key = json.loads(batch.read_text("utf-8"))["custom_id"]
    answers.write_text(by_service(key, "", "content_filter"), "utf-8")
    generate(tmp_path, [happy()], None, *url, "--batch", str(again), "--batch-answers", str(answers), code=1)
    assert rejected(tmp_path) == [("s", "teacher_refusal")]
    assert not again.exists()


def test_answers_for_another_run_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("aiohttp")
    answers = tmp_path / "out.jsonl"
    answers.write_text(by_service("0" * 64, "It smiles."), "utf-8")
    batch = ("--base-url", "http://localhost:9/v1", "--batch", str(tmp_path / "batch.jsonl"))
    generate(tmp_path, [happy()], None, *batch, "--batch-answers", str(answers), code=1)
    assert "none of the 1 answers is for a request of this run" in capsys.readouterr().err
