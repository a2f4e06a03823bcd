"""Callbacks of every trainer: the log, its picture, and checkpoints where a rerun can go on."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import Any

from emollm.train.curves import write_curves
from emollm.train.processes import in_any_process
from emollm.train.run import LOG, Run, mean_loss, read_log

SHOWN = {
    "loss": "loss {:.4f}",
    "reward": "reward {:.3f}",
    "completions/mean_length": "{:.0f} tokens",
    "frac_reward_zero_std": "{:.0%} of groups alike",
    "rewards/margins": "margin {:.3f}",
    "rewards/accuracies": "{:.0%} preferred",
    "learning_rate": "lr {:.1e}",
}
"""What the line of a logged step shows, where it is there; everything is in train_log.jsonl."""


def log_callback(run: Run) -> Any:
    """Return a callback that writes train_log.jsonl, one line per logged step to stderr, and curves.svg now and then.

    The picture is drawn with each checkpoint and at the end, so that a training can be looked at while it runs.
    """
    from transformers import TrainerCallback

    class Log(TrainerCallback):  # type: ignore[misc]
        def on_log(self, _args: Any, state: Any, _control: Any, logs: dict[str, Any], **_: Any) -> None:
            if not state.is_world_process_zero:
                return
            if "train_loss" in logs:  # that of transformers knows only the steps since the last start
                logs = logs | {"train_loss": mean_loss(read_log(run.directory / LOG))}
            run.log({"step": state.global_step, **logs})
            if "loss" in logs:
                print(f"step {state.global_step}/{state.max_steps}  {_line(logs)}", file=sys.stderr, flush=True)

        def on_save(self, _args: Any, state: Any, _control: Any, **_: Any) -> None:
            if state.is_world_process_zero:
                write_curves(run.directory)

        on_train_end = on_save

    return Log()


def _line(logs: Mapping[str, Any]) -> str:
    return "  ".join(form.format(float(logs[name])) for name, form in SHOWN.items() if logs.get(name) is not None)


def checkpoint_callback(stopped: list[int], can_go_on_here: Callable[[], bool]) -> Any:
    """Return a callback that saves, and stops after a signal, only at steps from which a rerun can go on.

    What is due elsewhere is done at the next such step. A signal that reaches one process stops all of them after the
    same step: `stopped` then holds something in each. A step that is saved or the last is logged, too: a rerun begins
    its means anew, and no step is lost to the log.
    """
    from transformers import TrainerCallback

    class Checkpoints(TrainerCallback):  # type: ignore[misc]
        is_due = False

        def on_step_end(self, _args: Any, _state: Any, control: Any, **_: Any) -> None:
            is_stopped = in_any_process(bool(stopped))
            if is_stopped and not stopped:
                stopped.append(0)
            self.is_due |= control.should_save or is_stopped
            control.should_save = self.is_due and can_go_on_here()
            if control.should_save:
                self.is_due = False
                control.should_training_stop |= is_stopped
            control.should_log |= control.should_save or control.should_training_stop

        def on_epoch_end(self, _args: Any, _state: Any, control: Any, **_: Any) -> None:
            control.should_log |= control.should_save

    return Checkpoints()
