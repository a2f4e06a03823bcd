"""Recipes: would the stage take it, and is everything there that it names?

list(check_recipe(Path("recipes/quickstart/sft.yaml")))
"""

from __future__ import annotations

import contextlib
import importlib
import io
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from emollm.doctor.finding import Finding, error, fine, warning
from emollm.errors import EmoLLMError
from emollm.train import STAGES
from emollm.train.recipe import read_values
from emollm.vlm.load import located

FILES = ("train_file", "pool_file", "test_file", "eval_file", "wheel_mapping", "launcher")
FOLDERS = ("media_root", "completions")
MODELS = ("model", "adapter")
_STAGE = re.compile(r"emollm[ .]train[ .](\w+)")


def check_recipe(path: Path) -> Iterator[Finding]:
    """Yield what is wrong with a recipe. It is parsed by its own stage, and nothing is loaded."""
    values = read_values(path)
    if "distributed_type" in values:
        yield from _launcher(path, values)
        return
    stage = stage_of(path, values)
    if stage is None:
        stages = ", ".join(STAGES)
        yield error(path, "does not say which stage it is for", f"begin it with its launch line, emollm train {stages}")
        return
    try:
        options = checked(path, stage)
    except EmoLLMError as problem:
        yield error(path, str(problem), "mend the keys; recipes/README.md describes them")
        return
    yield fine(path, f"`train {stage}` takes it")
    yield from _names(path, options)
    steps, epochs = options.get("max_steps"), options.get("num_train_epochs")
    if stage not in ("base", "rounds") and steps is None and epochs is None:
        yield warning(path, "says neither max_steps nor num_train_epochs", "3 epochs are the trainer's own choice")


def stage_of(path: Path, values: Mapping[str, Any]) -> str | None:
    """Return the stage of the launch line at the head of the recipe, or the one that its keys belong to."""
    head = "".join(path.read_text(encoding="utf-8").splitlines(True)[:6])
    named = [stage for stage in _STAGE.findall(head) if stage in STAGES]
    if named:
        return str(named[0])
    if "eye_steps" in values or "arch" in values:
        return "base"
    return "grpo" if "rewards" in values else "sft" if "train_file" in values else None


def checked(path: Path, stage: str) -> dict[str, Any]:
    """Return the options as the stage prints them. Raises what the stage raises."""
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        importlib.import_module(STAGES[stage].module).main(["--config", str(path), "--print-config"])
    options: dict[str, Any] = json.loads(said.getvalue())
    return options


def _names(path: Path, options: Mapping[str, Any]) -> Iterator[Finding]:
    """Yield which of the files, folders and models are not there; their paths start at the working directory."""
    for key in (*FILES, *FOLDERS, *MODELS):
        value = options.get(key)
        if not isinstance(value, str):
            continue
        there = Path(value).is_file() if key in FILES else Path(located(value)).is_dir()
        if there:
            yield fine(path, f"{key}: {value} is there")
        elif key in MODELS and value.count("/") == 1 and not value.startswith((".", "~", "/", "runs/")):
            yield warning(path, f"{key}: {value} is no directory here", "it will be taken from the hub or its cache")
        else:
            yield error(path, f"{key}: {value} is not there", f"make it first, or give {key}=… on the command line")


def _launcher(path: Path, values: Mapping[str, Any]) -> Iterator[Finding]:
    """Yield what would stop a launcher file on this machine."""
    from emollm.doctor.machine import check_compiler

    kind = values["distributed_type"]
    yield fine(path, f"a launcher file for accelerate: {kind}, {values.get('num_processes')} processes")
    if kind == "DEEPSPEED":
        yield from (finding._replace(where=str(path)) for finding in check_compiler())
    if kind in ("MULTI_CPU", "NO") and int(values.get("num_processes") or 1) > 1:
        yield error(path, f"{kind} starts one process without a word", "use recipes/accelerate/ddp.yaml")
