"""Logs of inspect_ai: .eval and .json."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from handed import LABELS, SAID, TWELVE, inspect_sample, log_eval, log_json, read, said

from emollm.errors import SourceError

LOGS = [pytest.param(log_json, "log.json", id="json"), pytest.param(log_eval, "log.eval", id="eval")]


@pytest.mark.parametrize(("write", "name"), LOGS)
def test_inspect_logs_by_id(write: Callable[..., Path], name: str, tmp_path: Path) -> None:
    pairs = read(write(tmp_path / name, [inspect_sample(f"faces/{n}", SAID[n]) for n in (2, 0, 1, 3)]))
    assert said(pairs) == SAID
    assert {one.model for one in pairs.predictions.values()} == {"openai/gpt-4o"}


@pytest.mark.parametrize(("write", "name"), LOGS)
def test_inspect_numbers_its_samples_from_1(write: Callable[..., Path], name: str, tmp_path: Path) -> None:
    logged = [inspect_sample(n + 1, SAID[n % 4], target=[LABELS[n % 4]]) for n in range(10)]
    assert said(read(write(tmp_path / name, logged), TWELVE)) == [*SAID * 2, *SAID[:2], None, None]


def test_parts_of_a_message_attachments_epochs_and_failures(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    parts = [{"type": "reasoning", "reasoning": "A frown."}, {"type": "text", "text": "<answer>anger</answer>"}]
    hidden = [{"type": "reasoning", "reasoning": "gAAA", "redacted": True}, {"type": "text", "text": "fear"}]
    logged = [
        inspect_sample("faces/0", "later", epoch=2),
        inspect_sample("faces/0", parts),
        inspect_sample("faces/1", hidden, error=None),
        inspect_sample("faces/2", "attachment://6ed", attachments={"6ed": "A long answer: sadness."}, epoch=2),
        inspect_sample("faces/3", "", error={"message": "rate limit"}),
    ]
    pairs = read(log_eval(tmp_path / "log.eval", logged))
    assert said(pairs) == ["<think>A frown.</think>\n<answer>anger</answer>", "fear", "A long answer: sadness.", None]
    told = capsys.readouterr().err
    assert "4 documents answered with inspect_ai; 1 of them without success" in told
    assert "1 later answers to the same" in told


def test_what_a_sample_said_before_it_failed_is_no_answer(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    logged = [inspect_sample(f"faces/{n}", SAID[n]) for n in range(4)]
    logged[1] |= {"error": {"message": "timeout"}}
    logged[2] = inspect_sample("faces/2", None, error={"message": "timeout"}) | {"output": {"completion": SAID[2]}}
    pairs = read(log_json(tmp_path / "log.json", logged))
    assert said(pairs) == [SAID[0], None, None, SAID[3]]
    assert pairs.missing == ["faces/1", "faces/2"]
    assert "2 of them without success, which count as missing" in capsys.readouterr().err


def test_the_id_may_stand_in_the_metadata(tmp_path: Path) -> None:
    logged = [inspect_sample(n + 1, SAID[n], metadata={"id": f"faces/{3 - n}"}) for n in range(4)]
    assert said(read(log_json(tmp_path / "log.json", logged))) == SAID[::-1]


def test_a_log_in_zstandard_names_the_way_out(tmp_path: Path) -> None:
    path = log_eval(tmp_path / "log.eval", [inspect_sample("faces/0", SAID[0])])
    deflated, zstandard = (8).to_bytes(2, "little"), (93).to_bytes(2, "little")
    raw = bytearray(path.read_bytes())
    for mark, at in ((b"PK\x03\x04", 8), (b"PK\x01\x02", 10)):
        start = raw.find(mark)
        while start >= 0:
            assert raw[start + at : start + at + 2] == deflated
            raw[start + at : start + at + 2] = zstandard
            start = raw.find(mark, start + 4)
    path.write_bytes(bytes(raw))
    with pytest.raises(SourceError, match="run: inspect log convert --to json"):
        read(path)
