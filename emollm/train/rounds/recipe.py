"""The recipe of rounds: files, how long, what decides, and the recipes of SFT and GRPO as sections of it.

recipe = read_recipe(path, overrides)         # every problem of every section at once
sft_values(recipe, "round-1/train.jsonl", "round-1/sft")
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

import msgspec

from emollm.errors import ConfigError, ModelError
from emollm.prompts import Language
from emollm.train import grpo, sft
from emollm.train.groups import check_groups
from emollm.train.limits import Count, Seed
from emollm.train.plan.plan import read_launcher
from emollm.train.recipe import check_values, read_values
from emollm.vlm.load import read_config

Metric = Literal[
    "right_for_true_reasons",
    "true_explanations",
    "accuracy",
    "uar",
    "macro_f1",
    "weighted_f1",
    "au_micro_f1",
    "au_macro_f1",
    "claim_precision",
    "claim_recall",
]
"""Metrics of `emollm score` that can decide; of each, more is better."""

OURS = ("model", "adapter", "train_file", "output_dir", "split", "media_root", "label_set", "style", "language")
REFUSED = dict.fromkeys(OURS, "is set by the loop; leave it out") | {
    "validation": "every round is measured on test_split; leave it out"
}
"""Keys of a stage's recipe that mean nothing in a section, and why."""


class Recipe(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """The recipe of rounds."""

    model: str
    """Directory or hub name of the model that every round starts from."""
    output_dir: str
    train_file: str
    """Samples with gold texts, as `emollm generate` writes them."""
    split: str | None = "train"
    """Only gold texts of this split are learnt; null takes all."""
    pool_file: str | None = None
    """Samples that the model is to explain; those of train_file unless given. Texts that they have are left out."""
    pool_split: str | None = "pool"
    """Only samples of this split are explained; null takes all. Those with a gold text are not."""
    test_file: str | None = None
    """Samples that the rounds are measured on; those of train_file unless given."""
    test_split: str = "test"
    """The split that decides which round is kept. Report final numbers on another."""
    media_root: str | None = None
    """Where media paths of all three files start; the folder of train_file unless given."""
    rounds: Count = 3
    """At most so many."""
    metric: Metric = "right_for_true_reasons"
    """What has to rise: a round whose paired 95 % interval over the round before holds 0 is the last."""
    style: Literal["think", "sections"] = "sections"
    """The form of the answers, from SFT to prediction."""
    label_set: str | None = None
    """The choices in the question; each sample's own unless given."""
    language: Language | None = None
    """Of questions and answers, en or zh, in GRPO, when it explains and when it is measured. Unless given, the first
    two are in English, and held-out samples are asked about in the language of their texts. SFT follows the texts."""
    sft: dict[str, Any]
    """Keys of `train sft`."""
    grpo: dict[str, Any]
    """Keys of `train grpo`."""
    max_new_tokens: Count = 512
    """Longest answer when the model explains and when it is measured."""
    batch_size: Count = 32
    """Samples at a time, likewise."""
    tries: Count = 3
    """How often the model may try to explain a sample; tries after the first are drawn at random."""
    balance: Count | None = None
    """At most so many texts of its own for each label."""
    launcher: str | None = None
    """An accelerate file: SFT and GRPO are started with it, on as many processes as it says."""
    seed: Seed = 0
    """Of what the model draws when it explains; SFT and GRPO have their own."""

    def root(self) -> Path:
        """Return where media paths start."""
        return Path(self.media_root or Path(self.train_file).parent)

    def pool(self) -> Path:
        """Return the file of the samples to be explained."""
        return Path(self.pool_file or self.train_file)

    def test(self) -> Path:
        """Return the file of the held-out samples."""
        return Path(self.test_file or self.train_file)


def read_recipe(path: Path, overrides: Sequence[str] = ()) -> Recipe:
    """Read a recipe and its sections. Raises ConfigError that lists every problem."""
    values = read_values(path, overrides)
    problems: list[str] = []
    try:
        recipe, _ = check_values(values, Recipe)
    except ConfigError as error:
        problems = _lines(error)
        wrong = {re.split("[:.]", line)[0] for line in problems}
        try:  # without what is wrong, to see what its sections hide
            recipe, _ = check_values({key: value for key, value in values.items() if key not in wrong}, Recipe)
        except ConfigError:
            raise error from None
    _raise([*problems, *_check_sections(recipe)])
    return recipe


def check_paths(recipe: Recipe) -> None:
    """Raise ConfigError that lists every file which is not there, and the model where it cannot be used."""
    _raise(list(_check_paths(recipe)))


def _raise(problems: Sequence[str]) -> None:
    if problems:
        raise ConfigError(f"the recipe has {len(problems)} problem(s):\n  " + "\n  ".join(problems))


def _lines(error: ConfigError) -> list[str]:
    """Return the problems that an error lists below its first line."""
    return [line.strip() for line in str(error).splitlines()[1:]]


def _check_sections(recipe: Recipe) -> Iterator[str]:
    """Yield what the stages would refuse once it is their turn."""
    from trl import GRPOConfig, SFTConfig

    for name, section in (("sft", recipe.sft), ("grpo", recipe.grpo)):
        yield from (f"{name}.{key}: {why}" for key, why in REFUSED.items() if key in section)
    styles = recipe.sft.get("styles", {recipe.style: 1})
    if isinstance(styles, dict) and not styles.get(recipe.style):
        yield f"sft.styles: lacks '{recipe.style}', the form of the answers; add it, or change style"
    if "lora" in recipe.grpo:
        yield "grpo.lora: the adapter of SFT goes on learning; leave it out, and give sft.lora"
    try:
        check_values(sft_values(recipe, "-", "-"), sft.Recipe, SFTConfig, sft.REFUSED)
    except ConfigError as error:
        yield from (f"sft.{line}" for line in _lines(error))
    try:
        _, trainer = check_values(grpo_values(recipe, "-", "-", "-"), grpo.Recipe, GRPOConfig, grpo.REFUSED)
        if recipe.launcher is None or Path(recipe.launcher).is_file():
            check_groups(trainer, 1 if recipe.launcher is None else read_launcher(Path(recipe.launcher)).num_processes)
    except ConfigError as error:
        yield from (f"grpo.{line}" for line in _lines(error) or [str(error)])


def _check_paths(recipe: Recipe) -> Iterator[str]:
    try:
        read_config(recipe.model)
    except ModelError as error:
        yield f"model: {error}"
    if recipe.launcher is not None and not Path(recipe.launcher).is_file():
        yield f"launcher: {recipe.launcher} is not there; give a file of recipes/accelerate"
    files = {"train_file": Path(recipe.train_file), "pool_file": recipe.pool(), "test_file": recipe.test()}
    for name, path in files.items():
        if not path.is_file():
            yield f"{name}: {path} is not there; make it first"


def sft_values(recipe: Recipe, train_file: str, output_dir: str) -> dict[str, Any]:
    """Return the recipe of a round's SFT."""
    styles = {"styles": {recipe.style: 1}}
    return styles | recipe.sft | {"model": recipe.model} | _shared(recipe, train_file, output_dir)


def grpo_values(recipe: Recipe, sft_dir: str, train_file: str, output_dir: str) -> dict[str, Any]:
    """Return the recipe of a round's GRPO, which goes on from its SFT."""
    start = as_options(model_of(recipe, sft_dir))
    asking = {"style": recipe.style, "language": recipe.language}
    return recipe.grpo | asking | start | _shared(recipe, train_file, output_dir)


def _shared(recipe: Recipe, train_file: str, output_dir: str) -> dict[str, Any]:
    root = str(recipe.root())
    files = {"train_file": train_file, "output_dir": output_dir, "split": None, "media_root": root}
    return files | ({"label_set": recipe.label_set} if recipe.label_set else {})


def model_of(recipe: Recipe, trained: str) -> tuple[str, str | None]:
    """Return the model and the adapter that a stage's output folder stands for."""
    return (recipe.model, trained) if recipe.sft.get("lora") else (trained, None)


def as_options(model: tuple[str, str | None]) -> dict[str, Any]:
    """Return a model and its adapter under the keys of a recipe."""
    return {"model": model[0]} | ({"adapter": model[1]} if model[1] else {})
