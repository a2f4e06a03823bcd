"""`emollm train sft`: supervised fine-tuning on explanations, all weights or a LoRA adapter.

    emollm train sft --config recipes/quickstart/sft.yaml max_steps=100
    accelerate launch --config_file recipes/accelerate/ddp.yaml -m emollm.train.sft --config …

Samples with `reasoning` and `label` go in as `emollm generate` wrote them. The model learns the answers alone: prompts,
pictures and padding carry no loss.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import msgspec

from emollm.errors import EmoLLMError
from emollm.labels import check_label_set
from emollm.prompts import prompt_hash
from emollm.train.careful import Careful
from emollm.train.collate import Collator, check_rows
from emollm.train.curriculum import LabelsFirst
from emollm.train.fit import fit
from emollm.train.launch import ENCODED, EVALUATION, Method, build_settings, launch, run_program
from emollm.train.launch import REFUSED as REFUSED_EVERYWHERE
from emollm.train.limits import Count
from emollm.train.lora import Lora, Parts, Train, check_trained, freeze, peft_config, trained_parts, widen
from emollm.train.mistakes import mistakes_said
from emollm.train.prepare import max_tokens, prepare
from emollm.train.processes import is_first_process
from emollm.train.refused import Refused, nothing_left, of_split
from emollm.train.rows import BARE, TEXT_ALONE, Mixture, Row, check_styles, make_rows
from emollm.train.run import Run
from emollm.train.validate import Validation, Validator, check_held_out, make_validator, validation_callback
from emollm.vlm.load import read_config

EXAMPLE = "emollm train sft --config recipes/quickstart/sft.yaml max_steps=100 per_device_train_batch_size=16"


class Recipe(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """The recipe of supervised fine-tuning; every other key is one of TRL's SFTConfig, under its own name."""

    model: str
    """Directory or hub name of the base."""
    train_file: str
    """Samples, as `emollm generate` writes them."""
    media_root: str | None = None
    """Where media paths start; the folder of train_file unless given."""
    split: str | None = "train"
    """Only samples of this split are learnt; null takes all."""
    label_set: str | None = None
    """The choices in the question; each sample's own unless given."""
    styles: dict[str, float] = msgspec.field(default_factory=lambda: {"sections": 1.0})
    """Rows per sample and epoch in each answer style, for example {label: 3, sections: 1}."""
    label_first: bool = False
    """Each bare label once, then explanations to the end; otherwise all are shuffled together."""
    lora: Lora | None = None
    """A LoRA adapter instead of all weights."""
    freeze_vision: bool = False
    """Keep the vision tower and its projector as they are."""
    train: Train | None = None
    """Part by part: vision, projector, language, each all, lora or none; what is left out follows the two above."""
    quantization: Literal["nf4"] | None = None
    """Store the language model's layers in four bits (QLoRA); needs lora."""
    max_pixels: Count | None = None
    """Largest picture the model sees, in pixels; saved with the model, so that prediction sees the same."""
    dtype: str = "auto"
    """Precision in which the base is loaded."""
    num_processes: Count | None = None
    """How many processes must take part; a launcher that starts fewer is refused."""
    validation: Validation | None = None
    """Measure while training: keep the best model, and stop when none better comes."""

    def __post_init__(self) -> None:
        try:
            check_styles(self.styles)
            check_label_set(self.label_set)
            parts = self.parts()
        except EmoLLMError as error:
            raise ValueError(str(error)) from None
        if self.quantization is not None and parts.language == "all":
            raise ValueError("quantization: four-bit weights cannot be trained; add a lora, or leave it out")

    def parts(self) -> Parts:
        """Return how each part of the model is trained. Raises ConfigError where the keys contradict each other."""
        return trained_parts(self.train, self.lora, self.freeze_vision)


DEFAULTS = {
    "max_length": None,  # TRL would cut at 1,024 tokens, through a picture if need be; nothing is cut here
    "logging_steps": 10,
}
"""What a recipe need not say."""

_PACKING = (
    "rows with pictures are not packed: places of a picture's tokens count in three directions (M-RoPE), which in a "
    "packed row would run on from the row before, and transformers would let that one be seen; leave it out"
)
_OURS = "loss is on answers alone, always; leave it out"
REFUSED = {
    **REFUSED_EVERYWHERE,
    **dict.fromkeys(EVALUATION, "there is no evaluation by loss; `validation: {metric: accuracy}` measures answers"),
    **dict.fromkeys(("dataset_kwargs", "dataset_num_proc", "dataset_text_field", "pad_to_multiple_of"), ENCODED),
    **dict.fromkeys(("eos_token", "pad_token", "chat_template_path"), ENCODED),
    **dict.fromkeys(("packing", "eval_packing", "packing_strategy"), _PACKING),
    "max_length": "nothing is cut off here; leave it out, and lower max_pixels or shorten the texts",
    "padding_free": "rows with pictures need padding; leave it out",
    "assistant_only_loss": _OURS,
    "completion_only_loss": _OURS,
}
"""Arguments of TRL's that our rows make meaningless, and what to do instead."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage and return the exit code."""
    return launch(METHOD, argv)


def trainer_settings(config: Any, values: dict[str, Any], recipe: Recipe) -> Any:
    """Build TRL's arguments. Raises ConfigError where they contradict each other or the machine."""
    return build_settings(config, values, recipe.num_processes)


def train(recipe: Recipe, settings: Any, run: Run) -> None:
    """Load, check, train and save. Leaves a checkpoint behind when it is stopped, and then raises KeyboardInterrupt."""
    rows, refused = read_rows(recipe, settings.seed, run)
    validator = read_validator(recipe, settings.seed)
    if validator is not None:
        check_held_out(validator, rows)
    model, processor = prepare(recipe, quantization=recipe.quantization)
    freeze(model, recipe.parts())
    check_rows(processor, rows, max_tokens(model))
    with mistakes_said():
        trainer = make_trainer(model, processor, rows, recipe, settings)
    check_trained(trainer.model, recipe.parts(), recipe.train)
    widen(trainer.model, settings)
    styles = Counter(row.style for row in rows)
    unseen = sum(not row.images for row in rows)
    run.note(
        rows=dict(styles),
        without_picture=unseen,
        refused=dict(refused),
        prompts=prompt_hash(),
        world_size=settings.world_size,
    )
    if is_first_process():
        told = f"{dict(styles)}, {unseen:,} of them without a picture" if unseen else dict(styles)
        print(f"{len(rows):,} rows {told}, {settings.world_size} process(es)", file=sys.stderr)
    if validator is not None:
        trainer.add_callback(validation_callback(trainer, processor, validator, run))
    fit(trainer, processor, run)


def read_validator(recipe: Recipe, seed: int) -> Validator | None:
    """Return what measures the training, if the recipe says so. Raises SourceError where it has no samples."""
    if recipe.validation is None:
        return None
    style = next(style for style, share in recipe.styles.items() if share)
    return make_validator(recipe.validation, Path(recipe.train_file), recipe.media_root, recipe.label_set, style, seed)


def read_rows(recipe: Recipe, seed: int, run: Run) -> tuple[list[Row], Refused]:
    """Turn the training file into rows and say what was refused. Raises SourceError where nothing is left."""
    path = Path(recipe.train_file)
    mixture = Mixture(recipe.styles, recipe.label_set, recipe.label_first, seed)
    takes_text = read_config(recipe.model).model_type in TEXT_ALONE
    rows, refused = make_rows(of_split(path, recipe.split), Path(recipe.media_root or path.parent), mixture, takes_text)
    refused.tell(path, run.directory)
    if not rows:
        raise nothing_left(path, recipe.split, refused)
    return rows, refused


def make_trainer(model: Any, processor: Any, rows: Sequence[Row], recipe: Recipe, settings: Any) -> Any:
    """Return TRL's trainer on our rows and our collator."""
    from datasets import Dataset
    from trl import SFTTrainer

    num_labels = sum(row.style in BARE for row in rows)

    class Trainer(Careful, SFTTrainer):  # type: ignore[misc]
        def _get_train_sampler(self, *arguments: Any) -> Any:
            if not recipe.label_first:
                return super()._get_train_sampler(*arguments)
            seed = settings.seed if settings.data_seed is None else settings.data_seed
            return LabelsFirst(num_labels, len(rows), seed, lambda: int(self.state.epoch or 0))

    columns = {name: [getattr(row, name) for row in rows] for name in Row._fields if name != "picture"}
    trainer = Trainer(
        model=model,
        args=settings,
        # TRL knows a data set of pictures by this column, and then leaves the rows to the collator.
        train_dataset=Dataset.from_dict(columns | {"images": [row.images for row in rows]}),
        processing_class=processor,
        data_collator=Collator(processor),
        peft_config=None if recipe.lora is None else peft_config(recipe.lora, recipe.parts(), model),
    )
    # Every token of a step counts alike, over all processes and micro-batches: TRL divides by their number where it is
    # told to count them. Qwen-VL, Gemma and PaliGemma say they cannot, which is about a loss of their own; a bare label
    # would then weigh as much as a whole explanation beside it.
    trainer.model_accepts_loss_kwargs = True
    return trainer


METHOD = Method("sft", EXAMPLE, Recipe, "SFTConfig", DEFAULTS, REFUSED, trainer_settings, train)

if __name__ == "__main__":
    run_program(main)
