from __future__ import annotations

import asyncio
import hashlib
import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from emollm.errors import ConfigError
from emollm.llm.budget import Price
from emollm.llm.chat import Answer
from emollm.llm.entry import Entry, canonical, key_of
from emollm.llm.ledger import BLOCK, Ledger
from emollm.llm.wire import Image, Request, Turn

AT = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def entry(number: int = 0, text: str = "The brows are lowered.") -> Entry:
    answer = Answer(text, "m-2026", "stop", 100, 30)
    key = hashlib.sha256(str(number).encode()).hexdigest()
    return Entry.of(
        answer, key=key, stage="infer", endpoint="http://localhost/v1", model="m", at=AT, price=Price(1.0, 2.0)
    )


def write(path: Path, *entries: Entry) -> None:
    with Ledger(path) as ledger:
        ledger.keep_all(entries)


def test_the_key_of_a_request_stays_what_it_is() -> None:
    """A change here makes every ledger worthless: all that is in them would be paid again."""
    turns = (Turn("system", "You code faces."), Turn("user", "Look. 悲伤", images=(Image(Path("a.png"), "ab" * 32),)))
    plain = canonical("http://localhost:8000/v1", "m", Request(turns=turns))
    assert plain.decode() == (
        '{"endpoint":"http://localhost:8000/v1","model":"m","turns":[{"role":"system","text":"You code faces."},'
        '{"role":"user","text":"Look. 悲伤","images":["' + "ab" * 32 + '"]}],"max_tokens":1024,"temperature":0.0}'
    )
    assert key_of(plain) == "ebe9064aaa4aeae5d6311c00ca8cf4ee428bdda5aaf9e18113878d6131b5f95a"
    full = Request(turns=turns, max_tokens=9, temperature=1, top_p=0.5, seed=7, schema="{}", index=2, stage="infer")
    assert canonical("http://localhost:8000/v1", "m", full).endswith(
        b'"max_tokens":9,"temperature":1.0,"top_p":0.5,"seed":7,"schema":"{}","index":2}'
    )


def test_the_stage_and_the_place_of_a_picture_make_no_difference() -> None:
    def key(place: str, stage: str) -> str:
        request = Request(turns=(Turn("user", "Look.", images=(Image(Path(place), "ab" * 32),)),), stage=stage)
        return key_of(canonical("http://localhost/v1", "m", request))

    assert key("a.png", "infer") == key("moved/a.png", "refine")


def test_what_is_kept_is_found_again_by_the_next_run(tmp_path: Path) -> None:
    path = tmp_path / "new" / "asked.jsonl"
    write(path, *(entry(number, f"text {number}") for number in range(100)))
    with Ledger(path) as ledger:
        assert len(ledger) == 100
        for number in (0, 57, 99):
            assert ledger.find(entry(number).key) == entry(number, f"text {number}")
        assert ledger.find(entry(100).key) is None


def test_a_line_can_be_read_by_people_and_tools(tmp_path: Path) -> None:
    write(tmp_path / "asked.jsonl", entry())
    [line] = (tmp_path / "asked.jsonl").read_text("utf-8").splitlines()
    told = json.loads(line)
    assert next(iter(told)) == "key"
    assert (told["stage"], told["at"], told["usd"]) == ("infer", "2026-03-01T12:00:00+00:00", 0.00016)


def test_long_answers_are_found(tmp_path: Path) -> None:
    long = [entry(number, "悲" * (BLOCK // 3 * number)) for number in range(5)]
    write(tmp_path / "asked.jsonl", *long)
    with Ledger(tmp_path / "asked.jsonl") as ledger:
        assert [ledger.find(one.key) for one in long] == long


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts=st.lists(st.text(st.characters(exclude_categories=["Cs"])), max_size=4))
def test_any_text_comes_back_as_it_was(tmp_path: Path, texts: list[str]) -> None:
    path = tmp_path / "asked.jsonl"
    path.unlink(missing_ok=True)
    entries = [entry(number, text) for number, text in enumerate(texts)]
    write(path, *entries)
    with Ledger(path) as ledger:
        assert [ledger.find(one.key) for one in entries] == entries
        assert list(ledger.entries()) == entries


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(junk=st.binary(max_size=300), cut=st.integers(0, 200))
def test_whatever_a_crash_leaves_the_rest_is_found(tmp_path: Path, junk: bytes, cut: int) -> None:
    path = tmp_path / "asked.jsonl"
    path.unlink(missing_ok=True)
    write(path, entry(0), entry(1))
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) - cut] + junk)
    with Ledger(path) as ledger:
        assert ledger.find(entry(0).key) == entry(0)
        ledger.keep_all([entry(2)])
    with Ledger(path) as ledger:
        assert ledger.find(entry(2).key) == entry(2)


def test_a_torn_last_line_is_cut_off_and_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "asked.jsonl"
    write(path, entry(0), entry(1))
    path.write_bytes(path.read_bytes()[:-5])
    write(path, entry(2))
    assert "the last line was cut off by a crash" in capsys.readouterr().err
    with Ledger(path) as ledger:
        assert [one.key for one in ledger.entries()] == [entry(0).key, entry(2).key]


def test_a_damaged_line_is_passed_over_and_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "asked.jsonl"
    write(path, *(entry(number) for number in range(3)))
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(lines[0] + bytes(20) + b"\n" + lines[1].replace(b'"stage"', b'"stag\xff"') + lines[2])
    with Ledger(path) as ledger:
        assert ledger.find(entry(1).key) is None
        assert ledger.find(entry(2).key) == entry(2)
        assert len(list(ledger.entries())) == 2
    assert "1 lines are damaged" in capsys.readouterr().err


@pytest.mark.parametrize("content", ['{"id":"a"}\n', "hello", "\n", "\x89PNG"])
def test_another_file_is_refused_and_left_as_it_is(tmp_path: Path, content: str) -> None:
    path = tmp_path / "samples.jsonl"
    path.write_text(content)
    with pytest.raises(ConfigError, match=r"samples\.jsonl: is no ledger"):
        Ledger(path)
    assert path.read_text() == content


def test_one_run_at_a_time_has_it_open(tmp_path: Path) -> None:
    path = tmp_path / "asked.jsonl"
    code = f"from pathlib import Path; from emollm.llm.ledger import Ledger; Ledger(Path({str(path)!r}))"
    with Ledger(path):
        with pytest.raises(ConfigError, match="another run has this ledger open"):
            Ledger(path)
        other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
        assert "another run has this ledger open" in other.stderr
    subprocess.run([sys.executable, "-c", code], check=True)


def test_many_at_the_same_time_are_all_on_the_disk_when_they_return(tmp_path: Path) -> None:
    path = tmp_path / "asked.jsonl"

    async def keep(ledger: Ledger, number: int) -> None:
        await ledger.keep(entry(number))
        assert entry(number).key in path.read_text()
        assert ledger.find(entry(number).key) == entry(number)

    async def run(ledger: Ledger) -> None:
        await asyncio.gather(*(keep(ledger, number) for number in range(200)))

    with Ledger(path) as ledger:
        asyncio.run(run(ledger))
    assert len(path.read_text().splitlines()) == 200


def test_an_answer_is_written_even_where_nobody_waits_for_it(tmp_path: Path) -> None:
    path = tmp_path / "asked.jsonl"

    async def run(ledger: Ledger) -> None:
        tasks = [asyncio.create_task(ledger.keep(entry(number))) for number in range(50)]
        await asyncio.sleep(0)
        for task in tasks:
            task.cancel()

    with Ledger(path) as ledger:
        asyncio.run(run(ledger))
    with Ledger(path) as ledger:
        assert len(ledger) == 50


FULL_DISK = """
import asyncio, resource, signal, sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from test_llm_ledger import entry
from emollm.llm.ledger import Ledger
path = Path(sys.argv[1])
with Ledger(path) as ledger:
    ledger.keep_all([entry(0)])
    size = path.stat().st_size
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 50, resource.RLIM_INFINITY))
    try:
        asyncio.run(ledger.keep(entry(1)))
    except Exception as error:
        print(type(error).__name__, error)
    assert ledger.find(entry(1).key) is None
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    ledger.keep_all([entry(2)])
"""


def test_a_full_disk_is_one_line_and_leaves_no_half_answer(tmp_path: Path) -> None:
    path = tmp_path / "asked.jsonl"
    command = [sys.executable, "-c", FULL_DISK, str(path), str(Path(__file__).parent)]
    shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert shown.startswith(f"EmoLLMError {path}: File too large; make room and run again")
    with Ledger(path) as ledger:
        assert [one.key for one in ledger.entries()] == [entry(0).key, entry(2).key]
