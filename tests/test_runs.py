"""Reading scored runs: what is not one run, or is given twice, is refused in one line."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from test_compare import run_of

from emollm.errors import ConfigError, RecordError
from eval.compare import main
from eval.runs import read_run, read_runs


def test_an_id_that_stands_twice_is_refused(tmp_path: Path) -> None:
    folder = run_of(tmp_path / "a", [True, False])
    path = folder / "samples.jsonl"
    path.write_bytes(path.read_bytes() * 2)
    with pytest.raises(RecordError, match=re.escape(f"{path}: id '0' stands there twice; write both again")):
        read_run(folder)


def test_lines_that_are_not_those_of_the_results_are_refused(tmp_path: Path) -> None:
    folder = run_of(tmp_path / "a", [True] * 5)
    path = folder / "samples.jsonl"
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-1]))
    with pytest.raises(RecordError, match=re.escape(f"{path}: 4 samples, where results.json has 5; write both again")):
        read_run(folder)


def test_a_folder_given_twice_is_refused(tmp_path: Path) -> None:
    first, second = (run_of(tmp_path / name, [True, False]) for name in "ab")
    (tmp_path / "link").symlink_to(second)
    for again in (second, tmp_path / "a" / ".." / "b", tmp_path / "link"):
        with pytest.raises(ConfigError, match=re.escape(f"{again}: is given twice")):
            read_runs([first, second, again])


def test_folders_of_one_name_are_both_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folders = []
    for parent, num_right in (("base", 2), ("one", 5), ("two", 9)):
        (tmp_path / parent).mkdir()
        folders.append(str(run_of(tmp_path / parent / "scores", [i < num_right for i in range(10)])))
    assert main([*folders, "--json", "--num-resamples", "10"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert {name: each["accuracy"]["second"] for name, each in told["differences"].items()} == {
        folders[1]: 0.5,
        folders[2]: 0.9,
    }
