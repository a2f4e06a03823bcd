"""A stage of training as the tests of several processes launch it: `launched.py sft --config …`.

It is `emollm.train.STAGE`, with three things besides:

- what GRPO samples follows from the step and the place in the rollout alone, not from the process that samples it;
- variables of the environment end it from inside: KILLED_AT, INTERRUPTED_AT, LOST_AT (the pictures, for the last
  process alone) and FAILING_IN;
- FSDP2 runs on CPUs with SHARD_ON_CPUS. accelerate shards on accelerators alone, so its processes are said to be on
  such; the sharding and all that follows is the library's own.
"""

from __future__ import annotations

import importlib
import os
import signal
import sys
from typing import Any

import torch

from emollm.train import careful, collate
from emollm.train.launch import run_program
from emollm.train.rewards import REWARDS, Reward
from emollm.train.rewards.heard import Heard
from emollm.train.rollouts import Rollouts

RANK, WORLD = (int(os.environ.get(name, default)) for name, default in (("RANK", "0"), ("WORLD_SIZE", "1")))


class Sampling:
    """torch.multinomial for GRPO: the race of exponentials, with noise and lengths drawn for each row of a rollout."""

    def __init__(self) -> None:
        self.multinomial, self.rollout = torch.multinomial, Rollouts._generate_and_score_completions
        self.trainer: Any = None
        self.position = 0

    def install(self) -> None:
        sampling = self

        def rollout(trainer: Any, inputs: Any) -> Any:
            sampling.trainer, sampling.position = trainer, 0
            try:
                return sampling.rollout(trainer, inputs)
            finally:
                sampling.trainer = None

        Rollouts._generate_and_score_completions = rollout
        torch.multinomial = self

    def __call__(self, probabilities: Any, num_samples: int, **options: Any) -> Any:
        if self.trainer is None:
            return self.multinomial(probabilities, num_samples, **options)
        settings = self.trainer.args
        chosen = []
        for row, likely in enumerate(probabilities):
            place = settings.generation_batch_size // WORLD * RANK + row
            rng = torch.Generator().manual_seed(self.trainer.state.global_step * 1000 + place)
            length = int(torch.randint(settings.max_completion_length, (), generator=rng))
            noise = torch.empty(self.position + 1, len(likely)).exponential_(generator=rng)[-1]
            is_over = self.position == length
            chosen.append(self.trainer._tokenizer.eos_token_id if is_over else int((likely / noise).argmax()))
        self.position += 1
        return torch.tensor(chosen)[:, None]


SAMPLING = Sampling()


def share_of_e(heard: Heard) -> float:
    if SAMPLING.trainer is not None and os.environ.get("FAILING_IN") == str(RANK):
        raise ZeroDivisionError("division by zero")
    return heard.completion.count("e") / max(1, len(heard.completion))


LETTER_E = Reward(share_of_e, 0, 1, "test", "the letter e")


class FromInside(careful.Careful):
    """A careful trainer to which something happens as a step begins: it is killed; its last process alone is sent
    Ctrl-C, or finds no picture any more."""

    def training_step(self, *arguments: Any, **options: Any) -> Any:
        step = str(self.state.global_step + 1)
        if os.environ.get("KILLED_AT") == step:
            os.kill(os.getpid(), signal.SIGKILL)
        if os.environ.get("INTERRUPTED_AT") == step and RANK == WORLD - 1:
            del os.environ["INTERRUPTED_AT"]  # a step has several micro-batches
            os.kill(os.getpid(), signal.SIGINT)
        if os.environ.get("LOST_AT") == step and RANK == WORLD - 1:
            del os.environ["LOST_AT"]
            there = collate.open_picture
            collate.open_picture = lambda path: there(path.with_name("lost") / path.name)
        return super().training_step(*arguments, **options)


def shard_on_cpus() -> None:
    from accelerate.state import PartialState
    from accelerate.utils import DistributedType

    os.environ["ACCELERATE_TORCH_DEVICE"] = "cpu"
    PartialState._prepare_backend = lambda *_: ("gloo", DistributedType.MULTI_GPU)


if __name__ == "__main__":
    stage, *arguments = sys.argv[1:]
    REWARDS["letter_e"] = LETTER_E
    SAMPLING.install()
    if "SHARD_ON_CPUS" in os.environ:
        shard_on_cpus()
    careful.Careful = FromInside  # type: ignore[misc]
    run_program(lambda: importlib.import_module(f"emollm.train.{stage}").main(arguments))
