"""Bookmark: where the lessons of `train base` stand, on disk, so that the same command goes on from there.

    with stop_on_signal() as stopped:
        bookmark = Bookmark(run, save_steps=200, logging_steps=20, stopped=stopped)
        teach_eyes(model, processor, faces, lesson, bookmark)
        teach_gaze(model, processor, faces, questions, lesson, bookmark)

Steps are counted over both lessons. A checkpoint is a folder as of every other stage: checkpoint-N/ with lesson.pt, of
tensors and plain values alone, and trainer_state.json, which is written last.
"""

from __future__ import annotations

import shutil
from typing import Any

from emollm.files import write_json
from emollm.train.careful import full_disk_said
from emollm.train.checkpoints import STATE, begin_anew, checkpoints, list_files, read_state
from emollm.train.curves import write_curves
from emollm.train.run import Run
from emollm.vlm.lessons import Progress, Watch

LESSON = "lesson.pt"


class Bookmark(Watch):
    """Logs, saves, and ends a lesson after a signal: `stopped` then holds something."""

    def __init__(self, run: Run, save_steps: int, logging_steps: int, stopped: list[int]) -> None:
        self.run, self.save_steps, self.logging_steps, self.stopped = run, save_steps, logging_steps, stopped
        self.errors: dict[str, float] = {}
        """Of the lessons that were given to their ends."""
        self._name = ""
        self._first = self._next = 0
        self._checkpoint = run.last_checkpoint(is_told=True)
        self._left: dict[str, Any] = {}
        if self._checkpoint is not None:
            self._left = read_state(self._checkpoint)
        run.rewind(self._checkpoint)

    def begin(self, name: str, progress: Progress) -> None:
        """Bring a lesson to where it was left; one that was given to its end is over at once."""
        self._name = name
        self._first, self._next = self._next, self._next + progress.num_steps
        if name in self._left.get("errors", {}):
            progress.step, progress.error = progress.num_steps, self._left["errors"][name]
            self.errors[name] = progress.error
        elif self._checkpoint is not None and name == self._left["lesson"]:
            import torch

            progress.load(torch.load(self._checkpoint / LESSON, weights_only=True))

    def after_step(self, progress: Progress) -> None:
        """Log and save where it is due. Raises KeyboardInterrupt after a signal, when all is saved."""
        step, is_over = self._first + progress.step, progress.step == progress.num_steps
        if is_over:
            self.errors[self._name] = progress.error
        if is_over or progress.step % self.logging_steps == 0:
            rate = float(progress.schedule.get_last_lr()[0])
            self.run.log({"step": step, f"{self._name}_error": progress.error, "learning_rate": rate})
        if is_over or self.stopped or progress.step % self.save_steps == 0:
            self._save(step, progress)
        if self.stopped:
            self.run.note(status="stopped", steps=step)
            raise KeyboardInterrupt

    def _save(self, step: int, progress: Progress) -> None:
        """Write a checkpoint, then remove those before it."""
        import torch

        folder = self.run.directory / f"checkpoint-{step}"
        with full_disk_said(folder):
            folder.mkdir(exist_ok=True)
            begin_anew(folder)
            torch.save(progress.state(), folder / LESSON)
            list_files(folder)
            write_json(folder / STATE, {"lesson": self._name, "errors": self.errors, "global_step": step})
            write_curves(self.run.directory)
        for other in checkpoints(self.run.directory):
            if other != folder:
                shutil.rmtree(other)
