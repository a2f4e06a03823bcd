"""Fitting: train to the end, or to Ctrl-C, save, and say how it went.

fit(trainer, processor, run)
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from traceback import walk_tb
from typing import Any

from emollm.errors import SourceError, TrainingError
from emollm.train.callbacks import checkpoint_callback, log_callback
from emollm.train.careful import full_disk_said
from emollm.train.checkpoints import step_of
from emollm.train.curves import write_curves
from emollm.train.lora import trainable_table
from emollm.train.mistakes import mistake
from emollm.train.processes import is_first_process, is_lost_peer, leave_together
from emollm.train.run import LOG, Run, mean_loss, read_log, stop_on_signal
from emollm.train.sharding import check_goes_on, sharding_of
from emollm.vlm.memory import is_out_of_memory, lacking
from emollm.vlm.processors import save_processor

LESS = (
    "lower per_device_train_batch_size (and raise gradient_accumulation_steps instead) or max_pixels, or set "
    "activation_checkpointing: true; --plan says what fits"
)
"""What a training can do to take less memory."""
LOADING = {"_load_from_checkpoint", "_load_optimizer_and_scheduler", "_load_rng_state", "deepspeed_load_checkpoint"}
"""Functions of transformers that read a checkpoint: its files may be damaged in the middle, too."""


def fit(trainer: Any, processor: Any, run: Run, can_go_on_here: Callable[[], bool] = lambda: True) -> None:
    """Train from the newest checkpoint to the end and save the model.

    `can_go_on_here` tells after a step whether a rerun could go on from a checkpoint of it as if nothing had happened;
    elsewhere no checkpoint is made. Raises KeyboardInterrupt after Ctrl-C, with a checkpoint left behind, ConfigError
    where that was split over processes in another way, and TrainingError where the training cannot go on.
    """
    from transformers import PrinterCallback

    checkpoint = run.last_checkpoint(is_told=True)
    if checkpoint is not None:
        check_goes_on(checkpoint, sharding_of(trainer))
    run.rewind(checkpoint)
    if is_first_process():
        print(trainable_table(trainer.model), file=sys.stderr)
    trainer.remove_callback(PrinterCallback)
    trainer.add_callback(log_callback(run))
    try:
        with stop_on_signal() as stopped, full_disk_said(run.directory):
            trainer.add_callback(checkpoint_callback(stopped, can_go_on_here))
            trainer.train(resume_from_checkpoint=None if checkpoint is None else str(checkpoint))
            trainer.check_weights()
    except Exception as error:
        ended = _told(error, trainer.state.global_step, checkpoint, run)
        with suppress(OSError):  # where the disk is full, the line on stderr must do
            run.fail(ended, steps=trainer.state.global_step)
            write_curves(run.directory)
        if ended is error:
            raise
        raise ended from error
    if stopped:
        run.note(status="stopped", steps=trainer.state.global_step)
        leave_together()
        raise KeyboardInterrupt
    with full_disk_said(run.directory):
        _save(trainer, processor, run.directory)
    loss = (mean_loss(read_log(run.directory / LOG)) if is_first_process() else None) or 0.0
    saved = sorted(path.name for path in run.directory.glob("*.safetensors"))
    run.note(status="done", steps=trainer.state.global_step, loss=round(loss, 4), saved=saved)
    if is_first_process():
        print(f"{run.directory}: {trainer.state.global_step} steps, mean loss {loss:.3f}", file=sys.stderr)


def _told(error: Exception, step: int, checkpoint: Path | None, run: Run) -> Exception:
    """Return what ended a training: where it stood, and what the recipe, the checkpoint or the machine made fail.

    A library that refuses its work before the first step is done has been told to do what it cannot.
    """
    if is_lost_peer(error):
        lost = "another process has ended, and may have said why; the same command goes on from the last checkpoint"
        return TrainingError(f"{run.directory}: after step {step}: {lost}")
    if is_out_of_memory(error):
        return TrainingError(f"{run.directory}: step {step + 1}: {lacking(error)}; {LESS}")
    if checkpoint is not None and any(frame.f_code.co_name in LOADING for frame, _ in walk_tb(error.__traceback__)):
        reason = (" ".join(str(error).split()) or type(error).__name__)[:120]
        return TrainingError(f"{checkpoint}: cannot be read ({reason}); remove it to go on from an earlier one")
    if not isinstance(error, SourceError):
        is_first = step == (0 if checkpoint is None else step_of(checkpoint))
        return (mistake(error) if is_first else None) or error
    # A worker of the data loader hands on the whole traceback, of which the last line is the error.
    reason = str(error).strip().splitlines()[-1].rpartition("SourceError: ")[2]
    return TrainingError(f"{run.directory}: after step {step}: {reason}")


def _save(trainer: Any, processor: Any, directory: Path) -> None:
    """Save the model, or the adapter alone, without the copy of it that TRL measures drift against."""
    model = trainer.accelerator.unwrap_model(trainer.model)
    if "ref" in getattr(model, "peft_config", {}):
        model.delete_adapter("ref")
    trainer.save_model(str(directory))
    if is_first_process():
        save_processor(processor, directory)
