"""Training: one recipe in YAML, one stage each.

Example:

    emollm train sft --config recipes/quickstart/sft.yaml learning_rate=1.0e-3
    accelerate launch --config_file recipes/accelerate/ddp.yaml -m emollm.train.sft --config …

recipe, limits        read a recipe and its overrides, and refuse what no stage knows and numbers out of range
run, processes        the run folder: manifest, log, Ctrl-C; what several processes do together
checkpoints, lock     from where a run can go on; one training at a time in a folder
launch, prepare, fit  what the stages on TRL share: from the command line to a model, from the model to a trained one
careful, callbacks    what every trainer of ours does: stop in one line, checkpoint where a rerun can go on, log
curves                what was logged, as a picture
rows, collate, lora   samples as questions and answers, as tensors; what is trained
longest, refused      the rows that have to fit; what is left out, and why
mistakes, curriculum  what a library refuses, in one line; labels first
plan, validate        what a training will take, before anything is loaded; how good the model is while it learns
base, bookmark        builds the tiny model and teaches its eyes, from where an earlier run left them
sft                   supervised fine-tuning, full or LoRA
grpo                  reinforcement learning: questions, payment by rewards, rollouts, groups, completions
dpo, pairs            preference training on a better and a worse answer to one question
rounds                SFT, GRPO, texts of the model's own, and again, while it helps
rewards               what reinforcement learning pays a completion
sharding              what is split over processes, and which checkpoints a run can go on from
merge, consolidate    an adapter and its base as one model, checked; what DeepSpeed split, as one model
card, push            the model card; a model to the hub, when asked
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from typing import NamedTuple, cast

from emollm.errors import did_you_mean


class Stage(NamedTuple):
    """Where a stage of training lives and what it does."""

    module: str
    help: str


STAGES = {
    "base": Stage("emollm.train.base", "build the tiny model and teach its eyes: faces to action units"),
    "sft": Stage("emollm.train.sft", "supervised fine-tuning on explanations, full or LoRA"),
    "grpo": Stage("emollm.train.grpo", "reinforcement learning: what the rewards pay for becomes likelier"),
    "dpo": Stage("emollm.train.dpo", "preference training: of two answers, the better becomes likelier"),
    "rounds": Stage("emollm.train.rounds", "sft, grpo, texts of the model's own, and again while it helps"),
}

USAGE = "usage: emollm train STAGE --config RECIPE.yaml [key=value …]"


def help_text() -> str:
    """Return what `emollm train` prints without a stage."""
    lines = "\n".join(f"  {name:<6} {stage.help}" for name, stage in STAGES.items())
    example = "emollm train sft --config recipes/quickstart/sft.yaml max_steps=100"
    return f"{USAGE}\n\n{lines}\n\nexample:\n  {example}\n\nRecipes are described in recipes/README.md.\n"


def main(argv: Sequence[str] | None = None) -> int:
    """Run one stage and return the exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if not arguments or arguments[0] in ("-h", "--help"):
        print(help_text(), end="")
        return 0
    name = arguments[0]
    if name not in STAGES:
        print(f"error: '{name}' is no stage of training{did_you_mean(name, STAGES)}\n{USAGE}", file=sys.stderr)
        return 2
    return cast(int, importlib.import_module(STAGES[name].module).main(arguments[1:]))
