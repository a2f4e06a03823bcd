"""The verbs of a round for the tests: the real ones, in this process, with the words of a taught model put into an
untaught one's mouth.

main(["--config", …], Verbs())
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from contextlib import redirect_stdout
from pathlib import Path

from emollm.cli import main as emollm
from emollm.records import Prediction, encode, read_records
from emollm.train.rounds.verbs import failed


def here(arguments: Sequence[str]) -> str:
    """Carry out a verb in this process: the same verb, without the seconds that its imports take."""
    printed = io.StringIO()
    with redirect_stdout(printed):
        code = emollm(list(arguments))
    if code == 130:
        raise KeyboardInterrupt
    if code:
        raise failed(arguments, code)
    return printed.getvalue()


class Verbs:
    """Carries out verbs, remembers which, and tells a model's words in place of an untaught one."""

    def __init__(self) -> None:
        self.called: list[str] = []
        self.languages: dict[str, str | None] = {}
        self.gold: dict[str, list[str]] = {}
        """Round to the labels that its model answers, in turn, over the held-out samples; else it answers nonsense."""
        self.kept = 5
        """How many samples of the pool it explains well."""
        self.fails_at: str | None = None

    def __call__(self, arguments: Sequence[str]) -> str:
        step = " ".join(arguments[: 2 if arguments[0] == "train" else 1])
        self.called.append(step)
        self.languages[step] = arguments[arguments.index("--language") + 1] if "--language" in arguments else None
        if step == self.fails_at:
            self.fails_at = None
            raise KeyboardInterrupt
        if step == "predict":
            return self._predict(arguments)
        if step == "generate":
            return self._generate(arguments)
        return here(arguments)

    def _predict(self, arguments: Sequence[str]) -> str:
        """Let the model answer, then put other words into its mouth."""
        printed = here(arguments)
        path = Path(arguments[arguments.index("-o") + 1])
        number = path.parent.name.removeprefix("round-")
        if number in self.gold:
            told = self.gold[number]
            found = [
                Prediction(
                    id=one.id, completion=f"**Conclusion**: It is {told[at % len(told)]}.", model="m", style="sections"
                )
                for at, one in enumerate(read_records(path, Prediction))
            ]
            path.write_bytes(b"".join(encode(one) + b"\n" for one in found))
        return printed

    def _generate(self, arguments: Sequence[str]) -> str:
        """Explain by rule what a taught model would explain, so that the checks have something to keep."""
        teacher = arguments[arguments.index("--teacher") + 1]
        assert (Path(teacher) / "model.safetensors").exists()
        pool, out = Path(arguments[1]), arguments[arguments.index("-o") + 1]
        return here(["generate", str(pool), "-o", out, "--limit", str(self.kept), "--disagreement", "reject"])
