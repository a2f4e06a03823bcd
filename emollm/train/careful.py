"""A careful trainer: it ends where it can no longer learn or write, and a rerun sees the samples in the same order.

    class Trainer(Careful, SFTTrainer): ...

Careful stands to the left of a trainer of TRL's, and works with any of them.
"""

from __future__ import annotations

import errno
import math
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emollm.errors import TrainingError
from emollm.train.checkpoints import begin_anew, list_files
from emollm.train.processes import first_problem, is_first_process

if TYPE_CHECKING:
    from transformers import Trainer
else:
    Trainer = object  # the trainer of TRL's that it is mixed into; importing it here would cost seconds

FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO}
WRITING = ("No space left", "File too large", "quota exceeded", "PytorchStreamWriter", "inline_container", "iostream")
"""Words in the errors of torch, safetensors and Arrow when a file cannot be written; they have no class in common."""


class Careful(Trainer):  # type: ignore[misc]
    """What every training of ours adds to TRL's trainers."""

    _last_loss: Any = 0.0

    def training_step(self, *arguments: Any, **options: Any) -> Any:
        """Remember the loss, which is looked at once a step: reading it makes the GPU wait."""
        self._last_loss = super().training_step(*arguments, **options)
        return self._last_loss

    def _get_grad_norm(self, model: Any, grad_norm: Any = None) -> Any:
        """Return the norm of the gradient. Raises TrainingError, before the weights change, where it is no number.

        A loss that is no number in one process makes the gradient none in all, so all of them end here.
        """
        norm = super()._get_grad_norm(model, grad_norm)
        if not _is_finite(self._last_loss):
            self.give_up(f"the loss is {float(self._last_loss)}; lower learning_rate, or look at max_grad_norm")
        # With fp16 the first gradients may overflow: the scaler then skips the step.
        if getattr(self.accelerator, "scaler", None) is None and norm is not None and not _is_finite(norm):
            self.give_up(f"the gradient is {float(norm)}; lower learning_rate")
        return norm

    def give_up(self, reason: str, step: int | None = None) -> None:
        """Raise TrainingError naming the step, the present one unless given. To be called in every process."""
        step = self.state.global_step + 1 if step is None else step
        raise TrainingError(f"{self.args.output_dir}: step {step}: {reason}")

    def check_weights(self) -> None:
        """Raise TrainingError where the last step has made a weight no number, which only a next step would show."""
        broken = first_problem(broken_weight(self.model))
        if broken is not None:
            self.give_up(f"{broken} holds no numbers any more; lower learning_rate", self.state.global_step)

    def _run_epoch(self, *arguments: Any, **options: Any) -> None:
        """Run an epoch, but none where the checkpoint was that of the last step: transformers would take one more."""
        if self.state.global_step < self.state.max_steps:
            super()._run_epoch(*arguments, **options)
        else:
            self.control.should_training_stop = True

    def _save_checkpoint(self, model: Any, trial: Any) -> None:
        """Save a checkpoint, whole or not at all."""
        self.check_weights()
        directory = Path(self.args.output_dir) / f"checkpoint-{self.state.global_step}"
        if is_first_process():
            begin_anew(directory)
        try:
            with full_disk_said(directory):
                super()._save_checkpoint(model, trial)
        except TrainingError:
            if is_first_process():
                shutil.rmtree(directory, ignore_errors=True)
            raise

    def _save_rng_state(self, output_dir: str) -> None:
        """Save it, the last file of every process; only then is the trainer state written, which vouches for all."""
        super()._save_rng_state(output_dir)
        self.accelerator.wait_for_everyone()
        if is_first_process():
            list_files(Path(output_dir))

    def _save(self, output_dir: str | None = None, state_dict: dict[str, Any] | None = None) -> None:
        """Save the weights, tied ones under one name: DeepSpeed and FSDP hand out a copy under each."""
        model = self.accelerator.unwrap_model(self.model)
        for config in getattr(model, "peft_config", {}).values():
            # PEFT would ask the hub whether the vocabulary has changed, which it has not; it fills in the base's name.
            config.base_model_name_or_path = None
        tied = getattr(model, "all_tied_weights_keys", {})
        if state_dict is not None:
            state_dict = {name: value for name, value in state_dict.items() if name not in tied}
        super()._save(output_dir, state_dict=state_dict)

    def create_model_card(self, *_arguments: Any, **_options: Any) -> None:
        """Write none: TRL's knows nothing of the data. `emollm card` writes one."""

    def _get_train_sampler(self, *arguments: Any) -> Any:
        """Return a sampler whose order follows from the seed and the number of the epoch."""
        sampler = super()._get_train_sampler(*arguments)
        seed = self.args.seed if self.args.data_seed is None else self.args.data_seed
        is_shuffled = hasattr(sampler, "generator")
        return ByEpoch(sampler, seed, lambda: int(self.state.epoch or 0)) if is_shuffled else sampler


def broken_weight(model: Any) -> str | None:
    """Return the name of a weight that learns and has NaN or infinity in it; None where there is none.

    Of weights split over processes, each looks at its own part.
    """
    import torch

    for name, weight in model.named_parameters():
        part = getattr(weight, "ds_tensor", weight)  # where DeepSpeed's ZeRO-3 keeps it
        part = part.to_local() if hasattr(part, "to_local") else part  # FSDP2
        if weight.requires_grad and not bool(torch.isfinite(part).all()):
            return str(name)
    return None


def _is_finite(value: Any) -> bool:
    return math.isfinite(float(value))


@contextmanager
def full_disk_said(directory: Path) -> Iterator[None]:
    """Raise TrainingError, in one line, for whatever a library raises when the disk of a directory is full."""
    from safetensors import SafetensorError

    try:
        yield
    except (OSError, RuntimeError, SafetensorError) as error:
        message = " ".join(str(error).split())
        is_written = any(word in message for word in WRITING) and "PytorchStreamReader" not in message
        if getattr(error, "errno", None) not in FULL and not is_written:
            raise
        free = shutil.disk_usage(directory.parent).free / 1e9
        raise TrainingError(
            f"{directory}: cannot be written ({message[:120]}); {free:.1f} GB are free; make room and run again"
        ) from error


class ByEpoch:
    """A shuffling sampler that begins each epoch from the seed and the epoch's number.

    Those of torch and TRL go on from where the last epoch left their generator, which a rerun does not know.
    """

    def __init__(self, sampler: Any, seed: int, epoch: Callable[[], int]) -> None:
        import torch

        self.sampler, self.seed, self.epoch = sampler, seed, epoch
        self.sampler.generator = torch.Generator()

    def __iter__(self) -> Iterator[int]:
        """Return the indices of this epoch."""
        self.sampler.generator.manual_seed(self.seed + self.epoch())
        return iter(self.sampler)

    def __len__(self) -> int:
        """Return how many indices an epoch has."""
        return len(self.sampler)
