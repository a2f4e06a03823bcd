"""Training: one recipe in YAML, one stage each.

Example:

    emollm train sft --config recipes/quickstart/sft.yaml learning_rate=1.0e-3
    accelerate launch --config_file recipes/accelerate/ddp.yaml -m emollm.train.sft --config …

recipe   reads a recipe and its overrides, and refuses what no stage knows
limits   the ranges of the numbers in a recipe
rows     turns samples into questions and answers
run      the run folder: manifest, resume, log, Ctrl-C
base     builds the tiny model and teaches its eyes
sft      supervised fine-tuning, full or LoRA
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
