"""The run folder of a training: what was asked for, how it went, and how to go on after a stop.

Example:

    run = open_run(output_dir, stage="sft", options=options, inputs=[train_file], overwrite=False)
    if run.is_done: …
    with stop_on_signal() as stop: …

output_dir/manifest.json      options, versions, input hashes, counts, status
output_dir/train_log.jsonl    one line per logged step
output_dir/checkpoint-N/      where a rerun goes on
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

from emollm.errors import ConfigError
from emollm.files import write_json
from emollm.stage import new_manifest

MAY_CHANGE = {
    "max_steps",
    "num_train_epochs",
    "logging_steps",
    "save_steps",
    "save_total_limit",
    "num_processes",
    "dataloader_num_workers",
}
"""Options that a rerun may change without starting again."""


@dataclass
class Run:
    """One training, on disk. Only the first process of a distributed run writes."""

    directory: Path
    manifest: dict[str, Any]
    is_done: bool = False
    started: float = field(default_factory=time.monotonic)

    def note(self, **facts: Any) -> None:
        """Put facts into the manifest and write it."""
        self.manifest.update(facts)
        self.manifest["seconds"] = round(time.monotonic() - self.started, 1)
        if is_first_process():
            write_json(self.directory / "manifest.json", self.manifest)

    def log(self, entry: Mapping[str, Any]) -> None:
        """Append one line to train_log.jsonl."""
        with (self.directory / "train_log.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(entry) + "\n")

    def last_checkpoint(self) -> str | None:
        """Return the newest whole checkpoint, or None. A checkpoint is whole once its trainer state is written."""
        found = [path for path in self.directory.glob("checkpoint-*") if (path / "trainer_state.json").exists()]
        return str(max(found, key=lambda path: int(path.name.rpartition("-")[2]))) if found else None


def open_run(
    directory: Path, *, stage: str, options: Mapping[str, Any], inputs: Sequence[Path], overwrite: bool
) -> Run:
    """Make or reopen a run folder. Raises ConfigError where it holds a run with other options or other data."""
    manifest = new_manifest(stage, options, inputs)
    before = _read_manifest(directory)
    # The others may come when the first process has just made the folder.
    if is_first_process() and not before and directory.exists() and any(directory.iterdir()):
        raise ConfigError(f"{directory}: is not empty and no training of ours; give another output_dir")
    if overwrite:
        before = {}
        _remove_progress(directory)
    _refuse_other(directory, before, manifest)
    run = Run(directory, manifest, is_done=_is_done(before, manifest))
    if not run.is_done:
        directory.mkdir(parents=True, exist_ok=True)
        run.note()
    return run


def _remove_progress(directory: Path) -> None:
    """Remove what a rerun would go on from. Everything else is written over when the new run is done."""
    if is_first_process():
        for checkpoint in directory.glob("checkpoint-*"):
            shutil.rmtree(checkpoint)
        (directory / "train_log.jsonl").unlink(missing_ok=True)


def _read_manifest(directory: Path) -> dict[str, Any]:
    path = directory / "manifest.json"
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return found


def _refuse_other(directory: Path, before: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    if not before:
        return
    was, asked = before["options"], now["options"]
    keys = sorted({*was, *asked} - MAY_CHANGE)
    changed = [f"{key} {was.get(key)!r} → {asked.get(key)!r}" for key in keys if was.get(key) != asked.get(key)]
    names = sorted({*before["inputs"], *now["inputs"]})
    changed += [f"{name} is another file" for name in names if before["inputs"].get(name) != now["inputs"].get(name)]
    if changed:
        raise ConfigError(
            f"{directory}: holds a run with other settings ({', '.join(changed)}); "
            "use --overwrite to start again, or another output_dir"
        )


def _is_done(before: Mapping[str, Any], now: Mapping[str, Any]) -> bool:
    return before.get("status") == "done" and before["options"] == now["options"]


def is_first_process() -> bool:
    """Tell whether this process writes files; the others of a distributed run only compute."""
    return int(os.environ.get("RANK", "0")) == 0


def leave_together() -> None:
    """Wait for the other processes and end the group: one that leaves early can abort those that still save."""
    import torch.distributed as group

    if group.is_available() and group.is_initialized():
        group.barrier()
        group.destroy_process_group()


@contextmanager
def stop_on_signal() -> Iterator[list[int]]:
    """Within the block, the first Ctrl-C or SIGTERM is put on a list; the second acts as usual."""
    received: list[int] = []
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def remember(number: int, _frame: FrameType | None) -> None:
        received.append(number)
        signal.signal(number, signal.SIG_DFL if number == signal.SIGTERM else signal.default_int_handler)
        print("stopping after this step, with a checkpoint; once more stops at once", file=sys.stderr)

    for number in before:
        signal.signal(number, remember)
    try:
        yield received
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
