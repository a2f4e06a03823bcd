"""Who answers altered questions: a model on this machine, or any program that reads lines and writes lines.

    {"picture": "/tmp/…/1.png", "question": "Which …", "begun": "<think>…</think>\\n<answer>"}     to the program
    {"completion": "anger</answer>"}                                                              its answer, a line

`begun` is empty, or what the answer begins with: the program hands back what it says after it, or null where it cannot
go on from there.
"""

from __future__ import annotations

import json
import shlex
import subprocess
from collections.abc import Sequence
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Protocol

import msgspec

from emollm.errors import ModelError
from emollm.records.lines import UNREADABLE
from eval.intervene.trials import Question


class Answerer(Protocol):
    """Answers some questions, in their order; None where there is no answer."""

    def answer(self, questions: Sequence[Question]) -> list[str | None]:
        """Return the whole completions, with what they begin with."""
        ...


class Model:
    """A model of emollm or of transformers."""

    def __init__(self, loaded: tuple[Any, Any], sampling: dict[str, Any]) -> None:
        from emollm.vlm.generate import Sampling

        self._loaded = loaded
        self._sampling = Sampling(**sampling)

    def answer(self, questions: Sequence[Question]) -> list[str | None]:
        """Let the model answer one batch."""
        from emollm.vlm.generate import generate
        from emollm.vlm.turns import ask_about

        turns = [ask_about(one.picture, one.text)._replace(begun=one.begun) for one in questions]
        said = generate(*self._loaded, turns, self._sampling)
        return [joined(one.begun, completion.text) for one, completion in zip(questions, said, strict=True)]


class Program(AbstractContextManager["Program"]):
    """A program of the user's, started once. Its pictures are gone when it ends."""

    def __init__(self, command: str) -> None:
        self._command = command
        self._folder = TemporaryDirectory(prefix="emollm-")
        try:
            self._process = subprocess.Popen(shlex.split(command), stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        except (OSError, ValueError, IndexError) as error:
            self._folder.cleanup()
            raise ModelError(f"--program: '{command}' cannot be started ({error}); check the command") from None

    def answer(self, questions: Sequence[Question]) -> list[str | None]:
        """Ask one question after the other. Raises ModelError where an answer is no such line."""
        return [self._ask(question) for question in questions]

    def _ask(self, question: Question) -> str | None:
        path = Path(self._folder.name) / "picture.png"
        question.picture.save(path)
        line = json.dumps({"picture": str(path), "question": question.text, "begun": question.begun})
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with suppress(BrokenPipeError):  # its exit code tells more
            self._process.stdin.write(line.encode() + b"\n")
            self._process.stdin.flush()
        reply = self._process.stdout.readline()
        if not reply:
            raise ModelError(f"--program: '{self._command}' ended with exit code {self._process.wait()}; see above")
        try:
            completion = msgspec.json.decode(reply)["completion"]  # refuses half a character, which json lets pass
        except (*UNREADABLE, KeyError, TypeError):
            completion = 0
        if completion is not None and not isinstance(completion, str):
            told = reply[:80].decode("utf-8", "replace")
            raise ModelError(f'--program: answered {told!r}, not {{"completion": "…"}} in one line')
        return None if completion is None else joined(question.begun, completion)

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with suppress(BrokenPipeError):
            self._process.stdin.close()
        self._process.stdout.close()
        try:
            self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._folder.cleanup()


def joined(begun: str, said: str) -> str:
    """Return the whole completion."""
    return f"{begun} {said}" if begun.endswith(":") else begun + said
