"""Verbs as programs of their own: how they are called, how they fail, and what becomes of a Ctrl-C."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("torch")
pytest.importorskip("trl")

from emollm.errors import TrainingError
from emollm.train.rounds.verbs import call_verb, command

ROOT = Path(__file__).parent.parent


def test_a_verb_that_fails_ends_with_what_to_do(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="`emollm compare` ended with code 1 and said why above"):
        call_verb(["compare", str(tmp_path), str(tmp_path)])
    assert "error: " in capfd.readouterr().err
    assert call_verb(["--version"]).startswith("emollm ")


def test_a_launcher_starts_the_module_of_the_stage() -> None:
    line = command(["train", "sft", "--config", "r.yaml"], "zero2.yaml")
    assert line[-6:] == ["--config_file", "zero2.yaml", "-m", "emollm.train.sft", "--config", "r.yaml"]


@pytest.fixture
def sleeper(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A program that waits for a verb which notes the signals that it gets."""
    verb = (
        "import pathlib, signal, sys, time\n"
        "def noted(number, frame):\n"
        f"    pathlib.Path({str(tmp_path / 'noted')!r}).write_text(str(int(number)))\n"
        "    sys.exit(130)\n"
        "signal.signal(signal.SIGINT, noted)\n"
        f"pathlib.Path({str(tmp_path / 'ready')!r}).touch()\n"
        "time.sleep(60)\n"
    )
    code = (
        "import sys\n"
        "from emollm.train.rounds import verbs\n"
        f"verbs.command = lambda *_: [sys.executable, '-c', {verb!r}]\n"
        "try:\n"
        "    verbs.call_verb(['x'])\n"
        "except KeyboardInterrupt:\n"
        "    sys.exit(99)\n"
    )
    process = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT)
    yield process
    process.kill()


def test_ctrl_c_is_handed_on_and_waited_for(sleeper: subprocess.Popen[bytes], tmp_path: Path) -> None:
    until = time.monotonic() + 60
    while not (tmp_path / "ready").exists() and time.monotonic() < until:
        time.sleep(0.05)
    os.kill(sleeper.pid, signal.SIGINT)
    assert sleeper.wait(30) == 99
    assert (tmp_path / "noted").read_text() == str(int(signal.SIGINT))
