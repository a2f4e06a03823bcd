"""Verbs of emollm as programs of their own: memory and signals are theirs, and only files come back.

print(call_verb(["compare", "round-1/score", "round-2/score", "--json"]))
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Any, TypeAlias

from emollm.errors import TrainingError

Call: TypeAlias = Callable[[Sequence[str]], str]
"""Carries out `emollm ARGUMENTS…` and returns what it printed. Raises TrainingError where it fails."""

STOPPED = 130


def call_verb(arguments: Sequence[str], launcher: str | None = None) -> str:
    """Carry out a verb and return what it printed; its stderr is ours.

    `launcher` is an accelerate file, for stages of training on TRL. Ctrl-C and SIGTERM are handed on, so that a
    training can make its checkpoint. Raises KeyboardInterrupt when it has, TrainingError where the verb fails.
    """
    # In a group of its own, so that a Ctrl-C in a terminal does not reach it twice.
    process = subprocess.Popen(
        command(arguments, launcher), stdout=subprocess.PIPE, text=True, encoding="utf-8", start_new_session=True
    )
    with _handing_on(process) as received:
        printed, _ = process.communicate()
    if received or process.returncode == STOPPED:
        raise KeyboardInterrupt
    if process.returncode:
        raise failed(arguments, process.returncode)
    return printed


def failed(arguments: Sequence[str], code: int) -> TrainingError:
    """Return the error of a verb that ended with an exit code; it has said why itself."""
    verb = " ".join(arguments[: 2 if arguments[0] == "train" else 1])
    return TrainingError(
        f"`emollm {verb}` ended with code {code} and said why above; mend it, and the same command goes on from here"
    )


def command(arguments: Sequence[str], launcher: str | None) -> list[str]:
    """Return the command line of a verb; under a launcher, that of its module."""
    if launcher is None:
        # Safely (-P): a folder `eval` where the user happens to work is not ours.
        return [sys.executable, "-P", "-m", "emollm.cli", *arguments]
    train, stage, *rest = arguments
    assert train == "train"
    launch = [sys.executable, "-m", "accelerate.commands.launch", "--config_file", launcher]
    return [*launch, "-m", f"emollm.train.{stage}", *rest]


@contextmanager
def _handing_on(process: subprocess.Popen[Any]) -> Iterator[list[int]]:
    """Within the block, hand Ctrl-C and SIGTERM on to a program and all that it has started."""
    received: list[int] = []

    def hand_on(number: int, _frame: FrameType | None) -> None:
        received.append(number)
        if process.poll() is None:
            os.killpg(process.pid, number)

    before = {number: signal.signal(number, hand_on) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield received
    except BaseException:
        process.kill()
        raise
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
