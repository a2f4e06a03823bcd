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
from typing import Any

import msgspec

from emollm.errors import ConfigError, EmoLLMError, SourceError
from emollm.prompts import prompt_hash
from emollm.records import Sample, read_records
from emollm.train.collate import Collator, check_rows
from emollm.train.limits import Count
from emollm.train.lora import Lora, freeze_vision, peft_config, trainable_table
from emollm.train.recipe import check_values, read_values, recipe_parser
from emollm.train.rows import Mixture, Row, check_styles, make_rows
from emollm.train.run import Run, is_first_process, leave_together, open_run, stop_on_signal
from emollm.vlm.load import load_model
from emollm.vlm.processors import import_transformers, save_processor, set_max_pixels

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
    """Bare labels first, explanations after; otherwise all are shuffled together."""
    lora: Lora | None = None
    """A LoRA adapter instead of all weights."""
    freeze_vision: bool = False
    """Keep the vision tower as it is."""
    max_pixels: Count | None = None
    """Largest picture the model sees, in pixels; saved with the model, so that prediction sees the same."""
    dtype: str = "auto"
    """Precision in which the base is loaded."""
    num_processes: Count | None = None
    """How many processes must take part; a launcher that starts fewer is refused."""

    def __post_init__(self) -> None:
        try:
            check_styles(self.styles)
        except EmoLLMError as error:
            raise ValueError(str(error)) from None
        if self.lora is not None and self.freeze_vision:
            raise ValueError("freeze_vision: is for training all weights; with lora, set lora.vision to false")


DEFAULTS = {
    "report_to": "none",
    "disable_tqdm": True,
    "remove_unused_columns": False,  # rows become tensors in our own collator
    "max_length": None,  # TRL would cut at 1,024 tokens, through a picture if need be; nothing is cut here
    "activation_checkpointing": False,
    "logging_steps": 10,
}
"""What a recipe need not say."""

_OURS = "loss is on answers alone, always; leave it out"
REFUSED = {
    "max_length": "nothing is cut off here; leave it out, and lower max_pixels or shorten the texts",
    "packing": "rows with pictures cannot be packed; leave it out",
    "padding_free": "rows with pictures need padding; leave it out",
    "assistant_only_loss": _OURS,
    "completion_only_loss": _OURS,
    "eval_strategy": "there is no evaluation by loss; use `emollm predict` and `emollm score` on the saved model",
}
"""Arguments of TRL's that our rows make meaningless, and what to do instead."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage and return the exit code."""
    arguments = recipe_parser("sft", EXAMPLE).parse_args(argv)
    import_transformers()
    from trl import SFTConfig

    values = read_values(arguments.config, arguments.overrides)
    recipe, trainer_values = check_values(values, Recipe, SFTConfig, REFUSED)
    options = msgspec.to_builtins(recipe) | trainer_values
    if arguments.print_config:
        print(msgspec.json.format(msgspec.json.encode(options)).decode())
        return 0
    settings = trainer_settings(SFTConfig, trainer_values, recipe)
    run = open_run(
        Path(settings.output_dir),
        stage="sft",
        options=options,
        inputs=[Path(recipe.train_file)],
        overwrite=arguments.overwrite,
    )
    if run.is_done:
        print(f"{run.directory}: is done already; --overwrite starts again", file=sys.stderr)
        return 0
    train(recipe, settings, run)
    leave_together()
    return 0


def trainer_settings(config: Any, values: dict[str, Any], recipe: Recipe) -> Any:
    """Build TRL's arguments. Raises ConfigError where they contradict each other or the machine."""
    import torch

    values = DEFAULTS | values
    if recipe.label_first:
        values = values | {"train_sampling_strategy": "sequential"}
    if not torch.cuda.is_available():
        values = {"use_cpu": True, "bf16": False, "dataloader_pin_memory": False} | values
    try:
        settings = config(**values)
    except (TypeError, ValueError) as error:
        raise ConfigError(f"the recipe does not hold together: {' '.join(str(error).split())}") from None
    if recipe.num_processes not in (None, settings.world_size):
        raise ConfigError(
            f"num_processes: {recipe.num_processes} must take part, but the launcher started {settings.world_size}; "
            "on CPUs use `accelerate launch --config_file recipes/accelerate/ddp.yaml`"
        )
    return settings


def train(recipe: Recipe, settings: Any, run: Run) -> None:
    """Load, check, train and save. Leaves a checkpoint behind when it is stopped, and then raises KeyboardInterrupt."""
    rows, refused = read_rows(recipe, settings.seed)
    model, processor = load_model(recipe.model, dtype=recipe.dtype, trainable=True)
    if recipe.max_pixels is not None:
        set_max_pixels(processor, recipe.max_pixels)
    if recipe.freeze_vision:
        freeze_vision(model)
    check_rows(processor, rows, getattr(model.config.get_text_config(), "max_position_embeddings", None))
    trainer = make_trainer(model, processor, rows, recipe, settings, run)
    styles = Counter(row.style for row in rows)
    run.note(rows=dict(styles), refused=dict(refused), prompts=prompt_hash(), world_size=settings.world_size)
    if is_first_process():
        print(f"{sum(styles.values()):,} rows {dict(styles)}, {settings.world_size} process(es)", file=sys.stderr)
        print(trainable_table(trainer.model), file=sys.stderr)
    with stop_on_signal() as stopped:
        trainer.add_callback(_stop_callback(stopped))
        result = trainer.train(resume_from_checkpoint=run.last_checkpoint())
    if stopped:
        run.note(status="stopped", steps=trainer.state.global_step)
        raise KeyboardInterrupt
    trainer.save_model(str(run.directory))
    if is_first_process():
        save_processor(processor, run.directory)
    run.note(status="done", steps=trainer.state.global_step, loss=round(result.training_loss, 4))
    if is_first_process():
        print(f"{run.directory}: {trainer.state.global_step} steps, loss {result.training_loss:.3f}", file=sys.stderr)


def read_rows(recipe: Recipe, seed: int) -> tuple[list[Row], Counter[str]]:
    """Turn the training file into rows and say what was refused. Raises SourceError where nothing is left."""
    path = Path(recipe.train_file)
    samples = (s for s in read_records(path, Sample) if recipe.split in (None, s.split))
    mixture = Mixture(recipe.styles, recipe.label_set, recipe.label_first, seed)
    rows, refused = make_rows(samples, Path(recipe.media_root or path.parent), mixture)
    if refused and is_first_process():
        reasons = ", ".join(f"{reason} {count:,}" for reason, count in refused.most_common())
        print(f"{path}: {sum(refused.values()):,} samples left out ({reasons})", file=sys.stderr)
    if not rows:
        raise SourceError(f"{path}: nothing to learn from; check split '{recipe.split}', media_root and styles")
    return rows, refused


def make_trainer(model: Any, processor: Any, rows: Sequence[Row], recipe: Recipe, settings: Any, run: Run) -> Any:
    """Return TRL's trainer on our rows and our collator."""
    from datasets import Dataset
    from trl import SFTTrainer

    columns = {name: [getattr(row, name) for row in rows] for name in Row._fields if name != "picture"}
    trainer = SFTTrainer(
        model=model,
        args=settings,
        # TRL knows a data set of pictures by this column, and then leaves the rows to the collator.
        train_dataset=Dataset.from_dict(columns | {"images": [[row.picture] for row in rows]}),
        processing_class=processor,
        data_collator=Collator(processor),
        peft_config=None if recipe.lora is None else peft_config(recipe.lora),
    )
    from transformers import PrinterCallback

    trainer.remove_callback(PrinterCallback)
    trainer.add_callback(_log_callback(run))
    return trainer


def _log_callback(run: Run) -> Any:
    """Return a callback that writes train_log.jsonl and one line per logged step to stderr."""
    from transformers import TrainerCallback

    class Log(TrainerCallback):  # type: ignore[misc]
        def on_log(self, _args: Any, state: Any, _control: Any, logs: dict[str, Any], **_: Any) -> None:
            if not state.is_world_process_zero:
                return
            run.log({"step": state.global_step, **logs})
            if "loss" in logs:
                rate = float(logs.get("learning_rate", 0))
                line = f"step {state.global_step}/{state.max_steps}  loss {float(logs['loss']):.4f}  lr {rate:.1e}"
                print(line, file=sys.stderr, flush=True)

    return Log()


def _stop_callback(stopped: list[int]) -> Any:
    """Return a callback that saves and stops at the end of the step in which a signal arrived."""
    from transformers import TrainerCallback

    class Stop(TrainerCallback):  # type: ignore[misc]
        def on_step_end(self, _args: Any, _state: Any, control: Any, **_: Any) -> None:
            if stopped:
                control.should_save = control.should_training_stop = True

    return Stop()


if __name__ == "__main__":
    try:
        sys.exit(main())
    except EmoLLMError as error:
        sys.exit(f"error: {error}")
