"""Logs of inspect_ai: .eval and .json."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from handed import SAID, inspect_sample, log_eval, log_json, read, said

from emollm.errors import SourceError
from emollm.records import Sample

LOGS = [pytest.param(log_json, "log.json", id="json"), pytest.param(log_eval, "log.eval", id="eval")]


@pytest.mark.parametrize(("write", "name"), LOGS)
def test_inspect_logs_by_id(write: Callable[..., Path], name: str, tmp_path: Path) -> None:
    pairs = read(write(tmp_path / name, [inspect_sample(f"faces/{n}", SAID[n]) for n in (2, 0, 1, 3)]))
    assert said(pairs) == SAID
    assert {one.model for one in pairs.predictions.values()} == {"openai/gpt-4o"}


@pytest.mark.parametrize(("write", "name"), LOGS)
def test_inspect_numbers_its_samples_from_1(write: Callable[..., Path], name: str, tmp_path: Path) -> None:
    """All labels but the last are the same, so that a reader who counts from 0 finds nothing wrong."""
    samples = [Sample(id=f"faces/{n}", label="anger" if n < 3 else "fear", label_set="basic7") for n in range(4)]
    logged = [inspect_sample(n, SAID[n - 1], target=["anger"]) for n in (1, 2)]
    assert said(read(write(tmp_path / name, logged), samples)) == [*SAID[:2], None, None]


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
