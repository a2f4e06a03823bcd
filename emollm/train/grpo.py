"""`emollm train grpo`: reinforcement learning with rewards that can be checked.

    emollm train grpo --config recipes/quickstart/grpo.yaml max_steps=20
    accelerate launch --config_file recipes/accelerate/ddp.yaml -m emollm.train.grpo --config …

The policy answers each question several times; what is paid above the mean of its group becomes likelier (GRPO, Shao
et al. 2024, arXiv:2402.03300). Samples need no reasoning, only what the rewards compare with: labels, AUs. Start from a
model that SFT has taught the answer style.

`adapter` goes on learning where SFT left it: the result is again one adapter on the same base, a quantised base stays
possible, and with `beta` the drift is measured against the adapter as it came. Who wants a fresh one merges first.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

import msgspec

from emollm.errors import ConfigError, SourceError, did_you_mean
from emollm.labels import check_label_set
from emollm.prompts import Language, prompt_hash
from emollm.records import Sample
from emollm.train.careful import Careful
from emollm.train.fit import fit
from emollm.train.groups import check_groups
from emollm.train.launch import REFUSED as REFUSED_EVERYWHERE
from emollm.train.launch import Method, build_settings, launch, run_program
from emollm.train.limits import Count
from emollm.train.lora import Lora, Parts, Train, check_trained, freeze, peft_config, trained_parts, widen
from emollm.train.mistakes import mistakes_said
from emollm.train.payment import Listening, Payment
from emollm.train.prepare import max_tokens, prepare
from emollm.train.processes import is_first_process
from emollm.train.questions import Asking, Question, check_questions, make_questions
from emollm.train.refused import Refused, nothing_left, of_split
from emollm.train.rewards import DEFAULTS as DEFAULT_REWARDS
from emollm.train.rewards import WORDS, check_weights
from emollm.train.rollouts import Rollouts
from emollm.train.run import LOG, Run, read_log
from emollm.train.shared_prefix import SharedPrefix
from emollm.vlm.generate import end_ids, never_sampled
from emollm.wheel import read_wheels

EXAMPLE = "emollm train grpo --config recipes/quickstart/grpo.yaml max_steps=20 rewards.claims=1.0"


class Recipe(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """The recipe of GRPO; every other key is one of TRL's GRPOConfig, under its own name."""

    model: str
    """Directory or hub name of the model that SFT has taught, or of the base of `adapter`."""
    adapter: str | None = None
    """A LoRA adapter of SFT's, which goes on learning."""
    train_file: str
    """Samples with labels, AUs or whatever the rewards compare with."""
    media_root: str | None = None
    """Where media paths start; the folder of train_file unless given."""
    split: str | None = "train"
    """Only samples of this split are asked about; null takes all."""
    label_set: str | None = None
    """The choices in the question; each sample's own unless given."""
    style: Literal["think", "sections"] = "sections"
    """The form of the answers: that which SFT has taught."""
    language: Language | None = None
    """Of questions and answers, en or zh; that of each sample's explanation unless given, and English without one."""
    rewards: dict[str, float] = msgspec.field(default_factory=lambda: dict(DEFAULT_REWARDS))
    """What is paid, and how much of it; a weight of 0 is logged and not paid."""
    wheel_mapping: str | None = None
    """The file of emotion wheels, for the rewards that compare on them."""
    words: tuple[Count, Count] = WORDS
    """How many words an answer should have, from and to, for the reward `length`."""
    lora: Lora | None = None
    """A new LoRA adapter instead of all weights."""
    freeze_vision: bool = False
    """Keep the vision tower and its projector as they are."""
    train: Train | None = None
    """Part by part: vision, projector, language, each all, lora or none; what is left out follows the two above."""
    quantization: Literal["nf4"] | None = None
    """Store the language model's layers in four bits (QLoRA); needs lora or an adapter."""
    max_pixels: Count | None = None
    """Largest picture the model sees, in pixels; saved with the model, so that prediction sees the same."""
    dtype: str = "auto"
    """Precision in which the base is loaded."""
    num_processes: Count | None = None
    """How many processes must take part; a launcher that starts fewer is refused."""

    def __post_init__(self) -> None:
        try:
            check_label_set(self.label_set)
            check_weights(self.rewards, has_wheels=self.wheel_mapping is not None)
            parts = self.parts()
        except ConfigError as error:
            raise ValueError(str(error)) from None
        if self.adapter is not None and (self.lora or self.freeze_vision or self.train):
            raise ValueError(
                "adapter: goes on with its own settings; leave lora, freeze_vision and train out, or merge it"
            )
        if self.quantization is not None and self.adapter is None and parts.language == "all":
            raise ValueError("quantization: four-bit weights cannot be trained; add a lora, or leave it out")
        if self.words[0] > self.words[1]:
            raise ValueError(f"words: from {self.words[0]} to {self.words[1]} is no range; give the smaller first")

    def parts(self) -> Parts:
        """Return how each part of the model is trained where no adapter says it."""
        return trained_parts(self.train, self.lora, self.freeze_vision)


DEFAULTS = {
    "logging_steps": 1,  # a step samples for seconds or minutes
    "log_multimodal": False,  # TRL would keep the pictures of a rollout for a dashboard
    "disable_dropout": True,  # the policy that is trained must be the one that spoke
}
"""What a recipe need not say."""

_KEPT = "every completion goes to completions/step-N.parquet in the run folder; leave it out"
REFUSED = REFUSED_EVERYWHERE | {
    "reward_weights": "weights stand beside the rewards: rewards: {label: 1.0, au_f1: 0.5}",
    "log_completions": _KEPT,
    "log_completions_hub_repo": _KEPT,
    "chat_template_kwargs": "questions are encoded as for SFT and prediction; leave it out",
    "use_transformers_continuous_batching": "cannot see pictures; leave it out, or use_vllm: true",
    "num_generations_eval": "there is no evaluation inside the training; leave it out",
}
"""Arguments of TRL's that mean nothing here, and what to do instead."""


_KEY = "is a key of the recipe itself; write it there"
_GROUP = "a group is sampled, each answer by itself; leave it out"
SAMPLED = {
    **dict.fromkeys(("temperature", "top_p", "top_k", "min_p", "repetition_penalty", "cache_implementation"), _KEY),
    **dict.fromkeys(("num_beams", "do_sample", "num_return_sequences"), _GROUP),
    **dict.fromkeys(("max_new_tokens", "max_length"), "the key of the recipe is max_completion_length; write it there"),
}
"""Settings of transformers' sampling that do not belong under generation_kwargs, and what to do instead."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage and return the exit code."""
    return launch(METHOD, argv)


def trainer_settings(config: Any, values: dict[str, Any], recipe: Recipe) -> Any:
    """Build TRL's arguments. Raises ConfigError where they contradict each other or the machine."""
    values = values | {"reward_weights": list(recipe.rewards.values())}
    check_groups(values, int(os.environ.get("WORLD_SIZE", "1")))
    check_generation(values.get("generation_kwargs") or {}, by_vllm=bool(values.get("use_vllm")))
    if values.get("use_vllm") and find_spec("vllm") is None:
        raise ConfigError("use_vllm: vLLM is not installed; pip install vllm, or set use_vllm to false")
    return build_settings(config, values, recipe.num_processes)


def check_generation(values: Mapping[str, Any], by_vllm: bool = False) -> None:
    """Raise ConfigError for a setting of the sampling that is unknown, or has a key of the recipe."""
    from transformers import GenerationConfig

    known = [name for name in vars(GenerationConfig()) if not name.startswith("_")]
    for name in values:
        where = f"generation_kwargs.{name}"
        if name in SAMPLED:
            raise ConfigError(f"{where}: {SAMPLED[name]}")
        if name not in known and not by_vllm:
            raise ConfigError(f"{where}: unknown key{did_you_mean(name, known)}")


def train(recipe: Recipe, settings: Any, run: Run) -> None:
    """Load, check, train and save. Leaves a checkpoint behind when it is stopped, and then raises KeyboardInterrupt."""
    questions, samples, refused = read_questions(recipe, settings, run)
    payment = make_payment(recipe, samples)
    model, processor = prepare(recipe, recipe.adapter, recipe.quantization)
    if recipe.adapter is None:
        freeze(model, recipe.parts())
    check_questions(processor, questions, settings.max_completion_length, max_tokens(model))
    forbid_control_tokens(settings, model, processor)
    with mistakes_said():
        trainer = make_trainer(model, processor, questions, payment, recipe, settings, run)
    if recipe.adapter is None:
        check_trained(trainer.model, recipe.parts(), recipe.train)
    widen(trainer.model, settings)
    run.note(samples=len(samples), refused=dict(refused), prompts=prompt_hash(), world_size=settings.world_size)
    if is_first_process():
        size = settings.num_generations
        group = f"{settings.generation_batch_size // size} x {size} answers a rollout"
        print(f"{len(samples):,} samples, {group}, {settings.world_size} process(es)", file=sys.stderr)
    fit(trainer, processor, run, trainer.is_whole)
    if is_first_process() and (idle := nothing_paid(run.directory / LOG)):
        print(f"{run.directory}: {idle}", file=sys.stderr)


def nothing_paid(log: Path) -> str | None:
    """Return what to do where no step of a log had a group whose answers were paid differently."""
    lines = read_log(log) if log.exists() else []
    shares = [line["frac_reward_zero_std"] for line in lines if "frac_reward_zero_std" in line]
    if not shares or min(shares) < 1:
        return None
    return (
        "careful: all answers to a question were paid alike in every step, so that no reward taught anything; look at "
        "completions/, and take rewards that the model earns now and then, or a higher temperature"
    )


def read_questions(recipe: Recipe, settings: Any, run: Run) -> tuple[list[Question], list[Sample], Refused]:
    """Ask about the training file and say what was refused. Raises SourceError where too little is left."""
    path = Path(recipe.train_file)
    asking = Asking(recipe.style, recipe.label_set, settings.seed, recipe.language)
    asked, refused = make_questions(of_split(path, recipe.split), Path(recipe.media_root or path.parent), asking)
    refused.tell(path, run.directory)
    needed = settings.generation_batch_size // settings.num_generations
    if not asked:
        raise nothing_left(path, recipe.split, refused)
    if len(asked) < needed:
        some = f"{len(asked)} samples" + (f" of split '{recipe.split}'" if recipe.split else "")
        raise SourceError(
            f"{path}: {some}, but a rollout asks about {needed}; check split and media_root, or lower "
            "per_device_train_batch_size or gradient_accumulation_steps"
        )
    return [question for question, _ in asked], [sample for _, sample in asked], refused


def make_payment(recipe: Recipe, samples: Sequence[Sample]) -> Payment:
    """Return the rewards, and say what they lack. Raises ConfigError where none that pays has any gold."""
    wheels = None if recipe.wheel_mapping is None else read_wheels(Path(recipe.wheel_mapping))
    payment = Payment(recipe.rewards, samples, Listening(recipe.label_set, recipe.style, wheels, recipe.words))
    lacking = payment.without_gold()
    if payment.problem:
        raise ConfigError(payment.problem)
    if all(lacking[name] == len(samples) for name, weight in recipe.rewards.items() if weight):
        names = ", ".join(name for name, weight in recipe.rewards.items() if weight)
        raise ConfigError(
            f"{recipe.train_file}: no sample has what the rewards ({names}) compare with; see recipes/README.md"
        )
    if lacking and is_first_process():
        counts = ", ".join(f"{name} for {count:,}" for name, count in lacking.most_common())
        print(f"no gold, so not paid: {counts} of {len(samples):,} samples", file=sys.stderr)
    unearned = [name for name in payment.never_earned() if lacking[name] < len(samples)]
    if payment.problem:
        raise ConfigError(payment.problem)
    if unearned and is_first_process():
        names = ", ".join(unearned)
        print(f"careful: not even the gold texts of {recipe.train_file} earn {names} in this style", file=sys.stderr)
    return payment


def forbid_control_tokens(settings: Any, model: Any, processor: Any) -> None:
    """Let no control token be sampled but those that end an answer: an image token would ask for a picture."""
    wanted = dict(settings.generation_kwargs or {})
    never = never_sampled(processor, end_ids(model, processor.tokenizer)) or []
    if settings.use_vllm:
        # vLLM has no list of forbidden tokens; -100 is the lowest it adds to a logit.
        wanted["logit_bias"] = dict.fromkeys(never, -100.0) | wanted.get("logit_bias", {})
    else:
        wanted["suppress_tokens"] = sorted({*never, *wanted.get("suppress_tokens", ())}) or None
    settings.generation_kwargs = wanted


def make_trainer(
    model: Any,
    processor: Any,
    questions: Sequence[Question],
    payment: Payment,
    recipe: Recipe,
    settings: Any,
    run: Run,
) -> Any:
    """Return TRL's trainer on our questions and our rewards."""
    from datasets import Dataset
    from trl import GRPOTrainer

    class Trainer(SharedPrefix, Rollouts, Careful, GRPOTrainer):  # type: ignore[misc]
        pass

    columns = {name: [getattr(question, name) for question in questions] for name in Question._fields}
    return Trainer(
        payment,
        run,
        model=model,
        args=settings,
        train_dataset=Dataset.from_dict(columns | {"place": list(range(len(questions)))}),
        processing_class=processor,
        peft_config=None if recipe.lora is None else peft_config(recipe.lora, recipe.parts(), model),
    )


METHOD = Method("grpo", EXAMPLE, Recipe, "GRPOConfig", DEFAULTS, REFUSED, trainer_settings, train)

if __name__ == "__main__":
    run_program(main)
