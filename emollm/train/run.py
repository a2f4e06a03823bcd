"""The run folder of a training: what was asked for, how it went, and how to go on after a stop.

Example:

    run = open_run(output_dir, stage="sft", options=options, inputs=[train_file], overwrite=False)
    if run.is_done: …
    with stop_on_signal() as stop: …

output_dir/manifest.json               options, versions, input hashes, counts, status
output_dir/train_log.jsonl             one line per logged step
output_dir/rejected.jsonl              samples that are not learnt from, and why
output_dir/curves.svg                  the same as a picture, drawn with each checkpoint and at the end
output_dir/checkpoint-N/               where a rerun goes on
output_dir/completions/step-N.parquet  what the model said in step N and was paid for it, where a reward pays
"""

from __future__ import annotations

import json
import math
import shutil
import signal
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType, MappingProxyType
from typing import Any

from emollm.errors import ConfigError
from emollm.files import in_one_step, write_json
from emollm.stage import new_manifest
from emollm.train import STAGES
from emollm.train.checkpoints import checkpoints, newest_whole, read_state, step_of
from emollm.train.processes import is_alone, is_first_process, leave, wait_turn

LENGTHS = {"max_steps", "num_train_epochs"}
"""Options that say how long a run is: a rerun may make it longer."""
FILES = {"output_dir", "train_file", "pool_file", "test_file", "media_root"}
"""Places, which may be others: the folder may have been moved, and what lies in a file is known by its digest."""
MAY_CHANGE = {
    *LENGTHS,
    *FILES,
    *("report_to", "run_name", "project", "disable_tqdm", "logging_steps", "logging_strategy", "logging_first_step"),
    "save_steps",
    "save_strategy",
    "save_total_limit",
    "num_processes",
    "dataloader_num_workers",
    "dataloader_prefetch_factor",
    "dataloader_persistent_workers",
    "dataloader_pin_memory",
}
"""Options that a rerun may change without starting again."""
SAME_SIGNAL_S = 1.0
LOG, CURVES, REJECTED = "train_log.jsonl", "curves.svg", "rejected.jsonl"
BEGINNING = {"manifest.json", REJECTED, "pairs.jsonl", "pairs.manifest.json"}
"""What a run writes before its first step."""


@dataclass
class Run:
    """One training, on disk. Only the first process of a distributed run writes, but why it failed."""

    directory: Path
    manifest: dict[str, Any]
    is_done: bool = False
    started: float = field(default_factory=time.monotonic)

    def note(self, **facts: Any) -> None:
        """Put facts into the manifest and write it."""
        self._update(facts)
        if is_first_process():
            self._write()

    def fail(self, error: Exception, **facts: Any) -> None:
        """Put into the manifest why the run ended; whichever process it ended in, one of them does.

        A process that comes when another has done so exits without a word: that one has said it.
        """
        wait_turn()
        if not is_alone() and _read_manifest(self.directory).get("status") == "failed":
            leave(1)
        self._update(facts | {"status": "failed", "reason": " ".join(str(error).split())})
        self._write()

    def _update(self, facts: Mapping[str, Any]) -> None:
        self.manifest.update(facts)
        self.manifest["seconds"] = round(time.monotonic() - self.started, 1)

    def _write(self) -> None:
        write_json(self.directory / "manifest.json", self.manifest)

    def log(self, entry: Mapping[str, Any]) -> None:
        """Append one line to train_log.jsonl."""
        with (self.directory / LOG).open("a", encoding="utf-8") as file:
            file.write(json.dumps(entry) + "\n")

    def last_checkpoint(self, is_told: bool = False) -> Path | None:
        """Return the newest whole checkpoint, or None. Those that are not whole are said, if they shall be told."""
        return newest_whole(self.directory, _say if is_told else lambda _: None)

    def completions_path(self, step: int) -> Path:
        """Return where the completions lie that were sampled for a step."""
        return self.directory / "completions" / f"step-{step:06}.parquet"

    def rewind(self, checkpoint: Path | None) -> None:
        """Forget what was logged after a checkpoint, or at all without one: it happens again."""
        if not is_first_process():
            return
        reached = 0 if checkpoint is None else step_of(checkpoint)
        log = self.directory / LOG
        if log.exists():
            lines = [json.dumps(line) + "\n" for line in read_log(log) if line["step"] <= reached]
            with in_one_step(log) as part:
                part.write_text("".join(lines), encoding="utf-8")
        for path in self.directory.glob("completions/step-*.parquet"):
            if step_of(path) > reached:
                path.unlink()


def read_log(path: Path) -> list[dict[str, Any]]:
    """Return the lines of a train_log.jsonl; one that a crash tore ends it. Raises OSError where it cannot be read."""
    lines: list[dict[str, Any]] = []
    for text in path.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            line = json.loads(text)
        except ValueError:
            break
        if isinstance(line, dict) and "step" in line:
            lines.append(line)
    return lines


def mean_loss(lines: Sequence[Mapping[str, Any]]) -> float | None:
    """Return the mean loss of all steps, from the lines of a log: each tells the mean since the one before it.

    None where no line tells a loss. It is the same whether the training went on after a stop or had none.
    """
    told = [(line["step"], line["loss"]) for line in lines if "loss" in line]
    starts = [0, *(step for step, _ in told)]
    total = sum(loss * (step - start) for (step, loss), start in zip(told, starts, strict=False))
    return total / told[-1][0] if told else None


def open_run(
    directory: Path,
    *,
    stage: str,
    options: Mapping[str, Any],
    inputs: Sequence[Path],
    overwrite: bool,
    defaults: Mapping[str, Any] = MappingProxyType({}),
) -> Run:
    """Make or reopen a run folder. `defaults` are what options are where they are not given.

    Raises ConfigError where it holds a run of another stage, with other options or other data, or a longer one.
    """
    manifest = new_manifest(stage, options, inputs)
    before = _read_manifest(directory)
    # The others may come when the first process has just made the folder.
    if is_first_process() and not before and directory.exists() and any(directory.iterdir()):
        raise ConfigError(f"{directory}: is not empty and no training of ours; give another output_dir")
    if before and not _has_begun(directory, before):
        before = {}  # it ended before its first step, as a mistake in the recipe makes it
    if before and before["stage"] != stage:
        verb = f"train {before['stage']}" if before["stage"] in STAGES else before["stage"]
        raise ConfigError(f"{directory}: holds what `emollm {verb}` made; give another output_dir")
    if overwrite:
        before = {}
        _remove_progress(directory)
    if before:
        _refuse_other(directory, before, manifest, defaults)
        _refuse_shorter(directory, before, {**defaults, **options})
    run = Run(directory, manifest, is_done=_is_done(directory, before, manifest, defaults))
    if not run.is_done:
        directory.mkdir(parents=True, exist_ok=True)
        run.note()
    return run


def _has_begun(directory: Path, before: Mapping[str, Any]) -> bool:
    """Tell whether a run has left anything that other settings would spoil."""
    return before.get("status") == "done" or any(path.name not in BEGINNING for path in directory.iterdir())


def _remove_progress(directory: Path) -> None:
    """Remove what a rerun would go on from. Everything else is written over when the new run is done."""
    if is_first_process():
        for checkpoint in checkpoints(directory):
            shutil.rmtree(checkpoint)
        for path in [directory / LOG, directory / CURVES, *directory.glob("completions/step-*.parquet")]:
            path.unlink(missing_ok=True)


def _read_manifest(directory: Path) -> dict[str, Any]:
    """Return the manifest of a run folder; nothing where there is none of ours. Raises ConfigError where it is torn."""
    path = directory / "manifest.json"
    if not path.exists():
        return {}
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        raise ConfigError(
            f"{path}: is damaged, so that nothing tells what the run was; put a copy back, or give another output_dir"
        ) from None
    is_ours = isinstance(found, dict) and {"stage", "options", "inputs"} <= found.keys()
    return found if is_ours else {}


def _refuse_other(
    directory: Path, before: Mapping[str, Any], now: Mapping[str, Any], defaults: Mapping[str, Any]
) -> None:
    keys = sorted({*before["options"], *now["options"]} - MAY_CHANGE)
    was, asked = ({**defaults, **one["options"]} for one in (before, now))
    changed = [f"{key} {was.get(key)!r} → {asked.get(key)!r}" for key in keys if was.get(key) != asked.get(key)]
    names = sorted({*before["inputs"], *now["inputs"]})
    changed += [f"{name} is another file" for name in names if before["inputs"].get(name) != now["inputs"].get(name)]
    if changed:
        raise ConfigError(
            f"{directory}: holds a run with other settings ({', '.join(changed)}); "
            "use --overwrite to start again, or another output_dir"
        )


def _refuse_shorter(directory: Path, before: Mapping[str, Any], asked: Mapping[str, Any]) -> None:
    """Raise ConfigError where more has been learnt already than is asked for: nothing can be unlearnt."""
    checkpoint = newest_whole(directory)
    state = {} if checkpoint is None else read_state(checkpoint)
    done = before.get("steps") if before.get("status") == "done" else None
    if (asked.get("max_steps") or -1) > 0:
        key, unit, reached = "max_steps", "steps", max(state.get("global_step", 0), done or 0)
    else:
        key, unit, reached = "num_train_epochs", "epochs", state.get("epoch") or 0.0
    if reached > asked.get(key, math.inf):
        raise ConfigError(
            f"{directory}: has learnt for {reached:g} {unit}, and {key} asks for {asked[key]:g}; ask for more, or use "
            "--overwrite to start again"
        )


def _is_done(directory: Path, before: Mapping[str, Any], now: Mapping[str, Any], defaults: Mapping[str, Any]) -> bool:
    """Tell whether a run as long as that is done, and what it has saved is still there."""
    if before.get("status") != "done" or not all((directory / name).exists() for name in before.get("saved", ())):
        return False
    was, asked = ({**defaults, **one["options"]} for one in (before, now))
    return all(was.get(key) == asked.get(key) for key in LENGTHS)


def _say(text: str) -> None:
    if is_first_process():
        print(text, file=sys.stderr, flush=True)


@contextmanager
def stop_on_signal() -> Iterator[list[int]]:
    """Within the block, the first Ctrl-C or SIGTERM is put on a list; the second acts as usual.

    A launcher hands on the Ctrl-C that its processes have already got from the terminal: what comes within a second
    is one and the same.
    """
    received: list[int] = []
    first_at = 0.0
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def remember(number: int, _frame: FrameType | None) -> None:
        nonlocal first_at
        if not received:
            first_at = time.monotonic()
            received.append(number)
            print("stopping after this step, with a checkpoint; once more stops at once", file=sys.stderr)
        elif time.monotonic() - first_at > SAME_SIGNAL_S:
            signal.signal(number, signal.SIG_DFL if number == signal.SIGTERM else signal.default_int_handler)
            signal.raise_signal(number)

    for number in before:
        signal.signal(number, remember)
    try:
        yield received
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
