"""`emollm train dpo`: preference training on pairs of a better and a worse answer.

    emollm train dpo --config recipes/emollm-tiny/dpo.yaml
    accelerate launch --config_file recipes/accelerate/ddp.yaml -m emollm.train.dpo --config …

The better answer becomes likelier than the worse one, compared with the model as it came (DPO, Rafailov et al. 2023,
arXiv:2305.18290, eq. 7). Pairs are those of `emollm export --format preference`, or the best and the worst of each
group that `emollm train grpo` has paid. TRL's DPOTrainer computes the loss, and takes its other losses by their names.

With `lora` the model as it came is the base with the adapter off; with `adapter`, which goes on learning, it is a copy
of that adapter; without either it is a second model in memory.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import msgspec

from emollm.errors import ConfigError, SourceError
from emollm.labels import check_label_set
from emollm.prompts import Language, prompt_hash
from emollm.train.careful import Careful
from emollm.train.collate import check_rows, open_shown
from emollm.train.fit import fit
from emollm.train.launch import ENCODED, Method, build_settings, launch, run_program
from emollm.train.launch import REFUSED as REFUSED_EVERYWHERE
from emollm.train.limits import AtLeast, Count
from emollm.train.lora import Lora, Parts, Train, check_trained, freeze, peft_config, trained_parts, widen
from emollm.train.mistakes import mistakes_said
from emollm.train.pairs import Choosing, Pair, find_pairs, read_written, rows_of, write_pairs
from emollm.train.prepare import max_tokens, prepare
from emollm.train.processes import is_first_process
from emollm.train.refused import Refused
from emollm.train.run import Run
from emollm.vlm.turns import IGNORED, ask_about, encode_answers

EXAMPLE = "emollm train dpo --config recipes/emollm-tiny/dpo.yaml beta=0.3 max_steps=50"


class Recipe(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """The recipe of DPO; every other key is one of TRL's DPOConfig, under its own name."""

    model: str
    """Directory or hub name of the model to start from, or of the base of `adapter`."""
    adapter: str | None = None
    """A LoRA adapter of SFT's or GRPO's, which goes on learning."""
    train_file: str
    """Pairs, as `emollm export --format preference` writes them to data.jsonl; with `completions`, the samples that
    were asked about."""
    media_root: str | None = None
    """Where paths of pictures start; the folder of train_file unless given."""
    completions: str | None = None
    """The folder `completions` of a run of GRPO, of which pairs are made."""
    margin: AtLeast = 0.5
    """By how much the best completion of a group must be paid more than the worst to make a pair."""
    style: Literal["think", "sections"] = "sections"
    """The form of the completions."""
    label_set: str | None = None
    """The choices in the question about completions; each sample's own unless given."""
    language: Language | None = None
    """Of the question about completions, en or zh; that of each sample's explanation unless given."""
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
            parts = self.parts()
        except ConfigError as error:
            raise ValueError(str(error)) from None
        if self.adapter is not None and (self.lora or self.freeze_vision or self.train):
            raise ValueError(
                "adapter: goes on with its own settings; leave lora, freeze_vision and train out, or merge it"
            )
        if self.quantization is not None and self.adapter is None and parts.language == "all":
            raise ValueError("quantization: four-bit weights cannot be trained; add a lora, or leave it out")

    def parts(self) -> Parts:
        """Return how each part of the model is trained where no adapter says it."""
        return trained_parts(self.train, self.lora, self.freeze_vision)

    def root(self) -> Path:
        """Return where paths of pictures start."""
        return Path(self.media_root or Path(self.train_file).parent)


DEFAULTS = {
    "max_length": None,  # TRL would cut at 1,024 tokens, through a picture if need be; nothing is cut here
    "logging_steps": 10,
    "disable_dropout": True,  # policy and reference must not differ by chance
}
"""What a recipe need not say."""

SMOOTHED = {"robust", "exo_pair", "aot"}
"""Losses that use label_smoothing."""

_WHOLE = "nothing is cut off here; leave it out, and lower max_pixels or shorten the texts"
_IN_MEMORY = "pictures are encoded when they are needed, and so is the reference; leave it out"
REFUSED = REFUSED_EVERYWHERE | {
    "max_length": _WHOLE,
    "truncation_mode": _WHOLE,
    "dataset_num_proc": ENCODED,
    "pad_token": ENCODED,
    "padding_free": "rows with pictures need padding; leave it out",
    "pad_to_multiple_of": "rows with pictures are padded to the longest; leave it out",
    "precompute_ref_log_probs": _IN_MEMORY,
    "precompute_ref_batch_size": _IN_MEMORY,
}
"""Arguments of TRL's that our pairs make meaningless, and what to do instead."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage and return the exit code."""
    return launch(METHOD, argv)


def trainer_settings(config: Any, values: dict[str, Any], recipe: Recipe) -> Any:
    """Build TRL's arguments. Raises ConfigError where they contradict each other or the machine."""
    if values.get("beta") == 0:
        raise ConfigError("beta: at 0 no answer is better than another; 0.1 is usual")
    if values.get("label_smoothing") and not SMOOTHED & {*values.get("loss_type", ())}:
        raise ConfigError("label_smoothing: the loss does not use it; for noisy pairs set loss_type to [robust]")
    return build_settings(config, values, recipe.num_processes)


def train(recipe: Recipe, settings: Any, run: Run) -> None:
    """Load, check, train and save. Leaves a checkpoint behind when it is stopped, and then raises KeyboardInterrupt."""
    pairs, refused = choose_pairs(recipe, run)
    model, processor = prepare(recipe, recipe.adapter, recipe.quantization)
    if recipe.adapter is None:
        freeze(model, recipe.parts())
    check_rows(processor, rows_of(pairs), max_tokens(model))
    with mistakes_said():
        trainer = make_trainer(model, processor, pairs, recipe, settings)
    if recipe.adapter is None:
        check_trained(trainer.model, recipe.parts(), recipe.train)
    widen(trainer.model, settings)
    run.note(pairs=len(pairs), refused=dict(refused), prompts=prompt_hash(), world_size=settings.world_size)
    if is_first_process():
        print(f"{len(pairs):,} pairs, {settings.world_size} process(es)", file=sys.stderr)
    fit(trainer, processor, run)


def choose_pairs(recipe: Recipe, run: Run) -> tuple[list[Pair], Refused]:
    """Return the pairs to learn from, and say what was left out. Raises SourceError where none is left.

    Those made of completions are written to pairs.jsonl in the run folder, and a run that goes on takes them from
    there: the completions may have become more since.
    """
    path, written = Path(recipe.train_file), run.directory / "pairs.jsonl"
    completions = None if recipe.completions is None else Path(recipe.completions)
    if completions is not None and run.last_checkpoint() is not None and written.exists():
        return read_written(written)
    choosing = Choosing(recipe.margin, recipe.style, recipe.label_set, recipe.language)
    pairs, refused = find_pairs(path, recipe.root(), completions, choosing)
    refused.tell(completions or path, run.directory, "groups" if completions else "pairs")
    if not pairs:
        hint = "lower margin, and check train_file and style" if completions else "check media_root"
        raise SourceError(f"{completions or path}: no pair to learn from; {hint}")
    if completions is not None and is_first_process():
        write_pairs(written, pairs, refused)
    return pairs, refused


class PairCollator:
    """Turns pairs into a batch: (2B, T), the better answers first. Holds the processor, as data loaders need it to."""

    def __init__(self, processor: Any) -> None:
        self.processor = processor

    def __call__(self, pairs: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """Open the pictures and encode questions and answers as for SFT and prediction."""
        turns = [ask_about(open_shown(pair["id"], pair["images"][0]), pair["question"]) for pair in pairs]
        answers = [pair[which] for which in ("chosen", "rejected") for pair in pairs]
        batch = encode_answers(self.processor, turns * 2, answers)
        batch["completion_mask"] = (batch.pop("labels") != IGNORED).long()
        return batch


def make_trainer(model: Any, processor: Any, pairs: Sequence[Pair], recipe: Recipe, settings: Any) -> Any:
    """Return TRL's trainer on our pairs and our collator."""
    from datasets import Dataset
    from trl import DPOTrainer

    class Trainer(Careful, DPOTrainer):  # type: ignore[misc]
        pass

    # TRL would load it again by its name, with whatever code lies beside it.
    is_whole = recipe.lora is None and recipe.adapter is None
    reference = prepare(recipe)[0].requires_grad_(False) if is_whole else None
    columns = {name: [getattr(pair, name) for pair in pairs] for name in ("id", "question", "chosen", "rejected")}
    return Trainer(
        model=model,
        ref_model=reference,
        args=settings,
        # TRL knows a data set of pictures by this column, and then leaves the pairs to the collator.
        train_dataset=Dataset.from_dict(columns | {"images": [[pair.picture] for pair in pairs]}),
        processing_class=processor,
        data_collator=PairCollator(processor),
        peft_config=None if recipe.lora is None else peft_config(recipe.lora, recipe.parts(), model),
    )


METHOD = Method("dpo", EXAMPLE, Recipe, "DPOConfig", DEFAULTS, REFUSED, trainer_settings, train)

if __name__ == "__main__":
    run_program(main)
