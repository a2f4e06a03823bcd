"""The folder that `score` writes: what may be overwritten, and the lines that go into it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from emollm.errors import ConfigError, EmoLLMError, RecordError
from emollm.files import in_one_step
from emollm.records import BadLine, encode
from eval.results import REPORT_NAME, RESULTS_NAME, SAMPLES_NAME, Input, Settings, read_results
from eval.scored import Scored

REJECTED_NAME = "rejected.jsonl"


def claim_folder(
    folder: Path, inputs: Sequence[Path], settings: Settings, hashes: Mapping[str, Input], *, overwrite: bool
) -> None:
    """Make the folder; refuse to write over the inputs, over foreign files, or over other results."""
    taken = {path.resolve() for path in inputs}
    for name in (RESULTS_NAME, SAMPLES_NAME, REPORT_NAME, REJECTED_NAME):
        if (folder / name).resolve() in taken:
            raise EmoLLMError(f"{folder / name}: is an input and would be overwritten; choose another -o")
    if (folder / SAMPLES_NAME).exists() and not (folder / RESULTS_NAME).exists():
        raise EmoLLMError(f"{folder / SAMPLES_NAME}: was not written by `emollm score`; choose another -o")
    if (folder / RESULTS_NAME).exists() and not overwrite and not _is_same(folder, settings, hashes):
        raise ConfigError(
            f"{folder}: holds the scores of other inputs or settings; use --overwrite to replace them, or another -o"
        )
    folder.mkdir(parents=True, exist_ok=True)


def _is_same(folder: Path, settings: Settings, hashes: Mapping[str, Input]) -> bool:
    """Whether the folder holds the scores that are about to be computed again."""
    try:
        before = read_results(folder)
    except RecordError:
        return False
    return (before.settings, before.inputs) == (settings, dict(hashes))


def write_lines(folder: Path, rows: Sequence[Scored], bad: Sequence[BadLine]) -> None:
    """Write samples.jsonl, and rejected.jsonl if any line of the inputs could not be read."""
    _write(folder / SAMPLES_NAME, (encode(row) for row in rows))
    rejected = folder / REJECTED_NAME
    if bad:
        _write(rejected, (json.dumps(_reject(line), ensure_ascii=False).encode() for line in bad))
    else:
        rejected.unlink(missing_ok=True)


def _reject(line: BadLine) -> dict[str, str | None]:
    return {"id": None, "reason": "malformed", "detail": str(line), "record": line.text}


def _write(path: Path, lines: Iterable[bytes]) -> None:
    """Write a file in one step, a line at a time."""
    with in_one_step(path) as part, part.open("wb") as file:
        file.writelines(line + b"\n" for line in lines)
