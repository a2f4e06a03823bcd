"""The course of the rounds: which steps there are, in order, and when they end.

main(["--config", "recipes/emollm-tiny/rounds.yaml"])

output_dir/rounds.json      the steps that are done, and their seconds; a rerun goes on after the last of them
output_dir/round-2/         train.jsonl, sft(.yaml), grpo(.yaml), predictions.jsonl, score/, compare.json, own.jsonl
output_dir/best             a link to the model of the best round
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from emollm.errors import ConfigError, TrainingError
from emollm.files import in_one_step, write_json
from emollm.prompts import prompt_hash
from emollm.train.lock import locked
from emollm.train.recipe import recipe_parser
from emollm.train.rounds.data import count, divide, join
from emollm.train.rounds.recipe import Recipe, check_paths, grpo_values, model_of, read_recipe, sft_values
from emollm.train.rounds.table import Outcome, read_outcome, table
from emollm.train.rounds.verbs import Call, call_verb
from emollm.train.run import Run, open_run
from emollm.vlm.processors import import_transformers

EXAMPLE = "emollm train rounds --config recipes/emollm-tiny/rounds.yaml rounds=2 sft.max_steps=200"


class Places(NamedTuple):
    """The files of one round."""

    folder: Path

    @property
    def train_file(self) -> Path:
        """Gold texts, and the model's own of the round before."""
        return self.folder / "train.jsonl"

    @property
    def model(self) -> Path:
        """What the round makes: a model or an adapter."""
        return self.folder / "grpo"

    @property
    def score(self) -> Path:
        """What it is worth."""
        return self.folder / "score"

    @property
    def own(self) -> Path:
        """The texts that the model wrote and that passed the checks."""
        return self.folder / "own.jsonl"


def main(argv: Sequence[str] | None = None, call: Call | None = None) -> int:
    """Run the rounds and return the exit code. `call` carries out verbs in place of programs of their own."""
    arguments = recipe_parser("rounds", EXAMPLE).parse_args(argv)
    if "RANK" in os.environ:
        raise ConfigError("rounds: starts several processes itself; give launcher: in the recipe, and no launcher here")
    import_transformers()
    recipe = read_recipe(arguments.config, arguments.overrides)
    if arguments.print_config:
        print(msgspec.json.format(msgspec.json.encode(recipe)).decode())
        return 0
    check_paths(recipe)
    with locked(Path(recipe.output_dir)):
        run = open_rounds(recipe, overwrite=arguments.overwrite)
        Course(recipe, run, call or partial(_call, recipe.launcher)).carry_out()
    return 0


def _call(launcher: str | None, arguments: Sequence[str]) -> str:
    return call_verb(arguments, launcher if arguments[0] == "train" else None)


def open_rounds(recipe: Recipe, *, overwrite: bool) -> Run:
    """Make or reopen the folder. Raises ConfigError where it holds rounds of other settings or other data."""
    folder = Path(recipe.output_dir)
    options = msgspec.to_builtins(recipe)
    del options["rounds"]  # there may be more of them in a rerun
    inputs = dict.fromkeys([Path(recipe.train_file), recipe.pool(), recipe.test()])
    run = open_run(folder, stage="rounds", options=options, inputs=list(inputs), overwrite=overwrite)
    if overwrite:
        for path in folder.glob("round-*"):
            shutil.rmtree(path)
        (folder / "rounds.json").unlink(missing_ok=True)
    return run


class Course:
    """The rounds of one folder, and what of them is done."""

    def __init__(self, recipe: Recipe, run: Run, call: Call) -> None:
        self.recipe, self.run, self.call = recipe, run, call
        self._path = run.directory / "rounds.json"
        self.steps: dict[str, float] = json.loads(self._path.read_text("utf-8"))["steps"] if self._path.exists() else {}
        """Steps that are done, and how many seconds each took."""

    def carry_out(self) -> None:
        """Run round after round until one does not help, and say which is the best."""
        folder = self.run.directory
        self._do("data", lambda: divide(self.recipe, folder))
        outcomes: list[Outcome] = []
        ended = "all rounds are done"
        for number in range(1, self.recipe.rounds + 1):
            before, now = (Places(folder / f"round-{n}") for n in (number - 1, number))
            if number > 1 and not self._explain(before):
                ended = f"no text of round {number - 1} passed the checks; see {before.own.stem}.rejected.jsonl"
                break
            now.folder.mkdir(exist_ok=True)
            self._learn(now, before if number > 1 else None)
            self._measure(now, before if number > 1 else None)
            outcomes.append(read_outcome(now.folder, number, self.recipe.metric))
            if number > 1 and not outcomes[-1].is_better:
                ended = f"round {number} does not help: {outcomes[-1].verdict()}"
                break
        self._end(outcomes, ended)

    def _do(self, name: str, action: Callable[[], Any]) -> None:
        """Carry out a step, unless it is done."""
        if name in self.steps:
            return
        started = time.monotonic()
        try:
            action()
        except KeyboardInterrupt:
            self.run.note(status="stopped", steps=self.steps)
            raise
        except TrainingError as error:
            self.run.note(status="failed", steps=self.steps, reason=f"{name}: {error}")
            raise TrainingError(f"{self.run.directory}: {name}: {error}") from None
        self.steps[name] = round(time.monotonic() - started, 1)
        write_json(self._path, {"steps": self.steps})

    def _verb(
        self,
        places: Places,
        name: str,
        arguments: Sequence[str | Path],
        is_fine: Callable[[], bool] = lambda: False,
    ) -> None:
        """Carry out a verb as a step of a round. `is_fine` tells whether its failure is none after all."""
        step = f"{places.folder.name}/{name}"

        def action() -> None:
            print(f"\n[{step}]", file=sys.stderr, flush=True)
            try:
                print(self.call([*map(str, arguments)]), file=sys.stderr, end="")
            except TrainingError:
                if not is_fine():
                    raise

        self._do(step, action)

    def _learn(self, now: Places, before: Places | None) -> None:
        """SFT on gold and own texts, then GRPO on all samples that are not held out."""
        recipe, folder = self.recipe, self.run.directory
        own = before.own if before else None
        self._do(f"{now.folder.name}/train", lambda: join(folder / "gold.jsonl", own, now.train_file))
        tuned = now.folder / "sft"
        stages = {
            "sft": sft_values(recipe, str(now.train_file), str(tuned)),
            "grpo": grpo_values(recipe, str(tuned), str(folder / "questions.jsonl"), str(now.model)),
        }
        for stage, values in stages.items():
            path = now.folder / f"{stage}.yaml"
            write_json(path, values)  # JSON is YAML
            self._verb(now, stage, ["train", stage, "--config", path])

    def _measure(self, now: Places, before: Places | None) -> None:
        """Predict and score the held-out split, and compare with the round before."""
        recipe = self.recipe
        held_out = ["--split", recipe.test_split, "--media-root", str(recipe.root())]
        held_out += ["--label-set", recipe.label_set] if recipe.label_set else []
        spoken = ["--language", recipe.language] if recipe.language else []
        predictions = now.folder / "predictions.jsonl"
        model, adapter = model_of(recipe, str(now.model))
        asked = ["--model", model, *(["--adapter", adapter] if adapter else []), "--style", recipe.style]
        asked += ["--max-new-tokens", str(recipe.max_new_tokens), "--batch-size", str(recipe.batch_size)]
        self._verb(now, "predict", ["predict", recipe.test(), "-o", predictions, *asked, *spoken, *held_out])
        self._verb(now, "score", ["score", predictions, recipe.test(), "-o", now.score, *held_out])
        if before:
            both = ["compare", str(before.score), str(now.score), "--json"]
            self._do(f"{now.folder.name}/compare", lambda: _write(now.folder / "compare.json", self.call(both)))

    def _explain(self, places: Places) -> int:
        """Let the model of a round explain what has no text yet. Returns how many texts passed the checks."""
        recipe = self.recipe
        teacher, adapter = model_of(recipe, str(places.model))
        arguments = ["generate", str(self.run.directory / "pool.jsonl"), "-o", str(places.own), "--teacher", teacher]
        arguments += ["--adapter", adapter] if adapter else []
        arguments += ["--style", recipe.style, "--rounds", str(recipe.tries), "--seed", str(recipe.seed)]
        arguments += ["--max-tokens", str(recipe.max_new_tokens), "--batch-size", str(recipe.batch_size)]
        arguments += ["--media-root", str(recipe.root())]
        arguments += ["--language", recipe.language] if recipe.language else []
        arguments += ["--balance", str(recipe.balance)] if recipe.balance else []
        arguments += ["--label-set", recipe.label_set] if recipe.label_set else []
        self._verb(places, "generate", arguments, is_fine=lambda: _all_refused(places.own))
        return count(places.own)

    def _end(self, outcomes: Sequence[Outcome], ended: str) -> None:
        """Say which round is the best, and link to its model."""
        best = max(outcome.number for outcome in outcomes if outcome.number == 1 or outcome.is_better)
        folder = self.run.directory
        model, adapter = model_of(self.recipe, str(folder / f"round-{best}" / "grpo"))
        _link(folder / "best", Path(f"round-{best}") / "grpo")
        rows: list[Mapping[str, Any]] = [outcome.told() for outcome in outcomes]
        self.run.note(status="done", steps=self.steps, rounds=rows, best=best, ended=ended, prompts=prompt_hash())
        print("\n".join(table(outcomes, self.recipe.metric)))
        print(f"{ended}; the best is round {best}: --model {model}" + (f" --adapter {adapter}" if adapter else ""))


def _all_refused(path: Path) -> bool:
    """Tell whether `emollm generate` failed for no other reason than that nothing passed its checks."""
    try:
        told = json.loads(path.with_name(f"{path.stem}.manifest.json").read_text("utf-8"))
    except (OSError, ValueError):
        return False
    has_ended = told["status"] == "done" or told.get("stopped_by") == "UselessTeacherError"
    return has_ended and count(path) == 0 and "malformed" not in told["rejected"]


def _write(path: Path, text: str) -> None:
    json.loads(text)
    with in_one_step(path) as part:
        part.write_text(text, encoding="utf-8")


def _link(path: Path, target: Path) -> None:
    with in_one_step(path) as part:
        part.unlink(missing_ok=True)
        part.symlink_to(target, target_is_directory=True)
