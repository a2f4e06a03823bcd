"""The ids of a file in a few bytes each: exact whatever their hashes are."""

from __future__ import annotations

import json
import os
import threading
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from emollm.errors import RecordError
from emollm.records import BadLine, Sample, ids, read_records
from emollm.records.ids import Ids

LINES = st.lists(st.one_of(st.text(min_size=1, max_size=3), st.integers(0, 300).map(str), st.none()), max_size=400)
"""Ids, many of them again; None is a line that is no record."""


def write(path: Path, names: list[str | None]) -> Path:
    lines = ["nothing" if name is None else json.dumps({"text": "é", "id": name}) for name in names]
    path.write_text("\ufeff" + "".join(line + "\n" for line in lines), encoding="utf-8")
    return path


def expected(names: list[str | None]) -> tuple[list[str], list[tuple[int, str]]]:
    """What a dictionary of all ids says."""
    first: dict[str, int] = {}
    again = []
    for line, name in enumerate(names, start=1):
        if name is not None and first.setdefault(name, line) != line:
            again.append((line, f"id: '{name}' is already on line {first[name]}"))
    return list(first), again


@pytest.mark.parametrize("bits", [0xFFFFFFFF, 0b11, 0], ids=["as shipped", "four hashes", "one hash"])
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(names=LINES)
def test_ids_are_exact_even_where_hashes_agree(
    names: list[str | None], bits: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ids, "BITS", bits)
    path = write(tmp_path / "samples.jsonl", names)
    bad: list[BadLine] = []
    known = Ids(path)
    read = [sample.id for sample in read_records(path, Sample, bad=bad.append, ids=known)]
    again = [(line.line, line.reason) for line in bad if line.reason.startswith("id: ")]
    kept, repeated = expected(names)
    assert read == kept
    assert again == repeated
    assert len(known) == len(kept)
    assert all(name in known for name in kept)
    assert "of nobody" not in known


def test_the_message_names_the_first_line_across_many_blocks(tmp_path: Path) -> None:
    names: list[str | None] = [None if number % 7 == 0 else f"face/{number}" for number in range(5000)]
    path = write(tmp_path / "samples.jsonl", [*names, "face/1234", "face/1", "face/4999", "new"])
    bad: list[BadLine] = []
    assert list(read_records(path, Sample, bad=bad.append))[-1].id == "new"
    assert [str(line) for line in bad[-3:]] == [
        f"{path}:5001: id: 'face/1234' is already on line 1235",
        f"{path}:5002: id: 'face/1' is already on line 2",
        f"{path}:5003: id: 'face/4999' is already on line 5000",
    ]


def test_a_pipe_which_cannot_be_read_twice_is_exact_too(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    text = "".join(f'{{"id":"{name}"}}\n' for name in (*range(100), 42))
    writer = threading.Thread(target=pipe.write_text, args=(text,))
    writer.start()
    with pytest.raises(RecordError, match="pipe:101: id: '42' is already on line 43"):
        list(read_records(pipe, Sample))
    writer.join()


def test_an_id_costs_a_few_bytes_however_long_it_is(tmp_path: Path) -> None:
    num = 20_000
    path = write(tmp_path / "samples.jsonl", [f"{'a/long/folder/' * 10}{number}" for number in range(num)])
    known = Ids(path)
    tracemalloc.start()
    for _ in read_records(path, Sample, ids=known):
        pass
    size, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert size < 24 * num
    assert peak < 32 * num


def test_a_file_that_was_replaced_meanwhile_is_no_crash(tmp_path: Path) -> None:
    path = write(tmp_path / "samples.jsonl", ["a", "b"])
    known = Ids(path)
    list(read_records(path, Sample, ids=known))
    path.write_text("something else")
    assert "a" not in known
