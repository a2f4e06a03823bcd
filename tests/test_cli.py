from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from emollm import cli


def emollm(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "emollm.cli", *arguments], capture_output=True, text=True, check=False)


def test_help_names_every_verb() -> None:
    result = emollm("--help")
    assert result.returncode == 0
    assert all(verb in result.stdout for verb in cli.VERBS)


def test_no_verb_is_a_usage_error() -> None:
    assert emollm().returncode == 2


def test_a_mistyped_verb_is_a_usage_error_with_a_suggestion() -> None:
    result = emollm("genrate")
    assert result.returncode == 2
    assert "did you mean 'generate'?" in result.stderr


def test_an_error_the_user_can_mend_is_one_line_without_traceback(tmp_path: Path) -> None:
    result = emollm("generate", str(tmp_path / "none.jsonl"), "-o", str(tmp_path / "cot.jsonl"))
    assert result.returncode == 1
    assert result.stderr.startswith("error: ")
    assert "Traceback" not in result.stderr


def test_an_output_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    samples = tmp_path / "samples.jsonl"
    samples.write_text('{"id":"a"}\n')
    result = emollm("generate", str(samples), "-o", str(tmp_path / "file" / "cot.jsonl"))
    assert (result.returncode, "Traceback" in result.stderr) == (1, False)


FULL_DISK = """
import resource, sys
from emollm.cli import main
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]), resource.RLIM_INFINITY))
sys.exit(main(sys.argv[2:]))
"""


@pytest.mark.parametrize(("room", "full"), [(4000, "cot.jsonl"), (100, "cot.manifest.json")])
def test_a_full_disk_is_one_line_that_names_the_file(tmp_path: Path, room: int, full: str) -> None:
    aus = {"AU06": {"value": 2.0, "kind": "intensity"}, "AU12": {"value": 3.0, "kind": "intensity"}}
    lines = [json.dumps({"id": f"{number}", "label": "happiness", "faces": [{"aus": aus}]}) for number in range(20)]
    (tmp_path / "samples.jsonl").write_text("\n".join(lines) + "\n")
    command = ["generate", str(tmp_path / "samples.jsonl"), "-o", str(tmp_path / "cot.jsonl")]
    script = [sys.executable, "-c", FULL_DISK, str(room)]
    result = subprocess.run([*script, *command], capture_output=True, text=True, check=False)
    assert result.returncode == 1
    assert f"error: {tmp_path / full}: " in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("verb", cli.VERBS)
def test_every_verb_has_a_help_with_an_example(verb: str) -> None:
    result = emollm(verb, "--help")
    assert result.returncode == 0, result.stderr
    assert f"emollm {verb}" in result.stdout


def test_the_installed_command_is_the_same_program() -> None:
    command = Path(sys.executable).with_name("emollm")
    if not command.exists():
        pytest.skip("emollm is not installed beside this Python")
    result = subprocess.run([command, "--version"], capture_output=True, text=True, check=True, env=dict(os.environ))
    assert result.stdout.startswith("emollm ")
