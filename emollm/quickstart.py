"""`emollm quickstart`: the whole pipeline, offline, on a CPU, from rendered faces to a scored, chatting model.

    emollm quickstart --out quickstart

Every step is a verb that can be called by hand, and is printed as such before it runs. A step that is done is not
done again, so that a run stopped with Ctrl-C goes on where it was.
"""

from __future__ import annotations

import argparse
import importlib
import os
import shlex
import sys
import time
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from emollm.chat import print_checked
from emollm.cli import VERBS
from emollm.errors import EmoLLMError, MissingExtraError
from eval.results import Number, Results, read_results
from eval.scored import Scored, read_scored

EPILOG = """example:
  emollm quickstart --out quickstart
  emollm quickstart --profile small --out /tmp/try        a few minutes, a weaker model"""


class Profile(NamedTuple):
    """How much of everything."""

    faces: int
    test_share: float
    eye_steps: int
    gaze_steps: int
    train_steps: int


PROFILES = {
    "full": Profile(faces=7000, test_share=0.05, eye_steps=800, gaze_steps=400, train_steps=450),
    "small": Profile(faces=3000, test_share=0.08, eye_steps=600, gaze_steps=300, train_steps=300),
}


class Step(NamedTuple):
    """One verb with its arguments, and what it is for."""

    aim: str
    arguments: list[str]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the pipeline and return the exit code of the first step that fails, or 0."""
    parser = argparse.ArgumentParser(
        prog="emollm quickstart",
        description="The whole pipeline, offline, on a CPU, from rendered faces to a scored, chatting model.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--out", type=Path, default=Path("quickstart"), metavar="DIR", help="default: ./quickstart")
    parser.add_argument("--profile", choices=PROFILES, default="full", help="how much of everything (default: full)")
    parser.add_argument("--seed", type=int, default=0, help="everything random follows from it (default: 0)")
    arguments = parser.parse_args(argv)
    for package in ("torch", "transformers", "trl"):
        if find_spec(package) is None:
            raise MissingExtraError("the quickstart trains a model, which", "train")
    prepare_environment()
    started = time.monotonic()
    steps = pipeline(arguments.out, PROFILES[arguments.profile], arguments.seed)
    for number, step in enumerate(steps, start=1):
        print(f"\n[{number}/{len(steps)}] {step.aim}\n$ emollm {shlex.join(step.arguments)}", file=sys.stderr)
        verb, *rest = step.arguments
        code: int = importlib.import_module(VERBS[verb].module).main(rest)
        if code:
            return code
    tell(arguments.out, time.monotonic() - started)
    return 0


def prepare_environment() -> None:
    """Keep the run offline, and threads from spinning while they wait: on a shared CPU that costs most of the time."""
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    os.environ.setdefault("HF_HUB_OFFLINE", "1")


def pipeline(out: Path, profile: Profile, seed: int) -> list[Step]:
    """Return the steps, in order."""
    faces, samples, cot = out / "faces", out / "faces" / "samples.jsonl", out / "faces" / "cot.jsonl"
    base, model, predictions = out / "base", out / "model", out / "predictions.jsonl"
    recipes = recipe_folder()
    split = f"train={1 - profile.test_share:g},test={profile.test_share:g}"
    drawing = [
        "--num",
        str(profile.faces),
        "--labels",
        "basic7",
        "--difficulty",
        "studio",
        "--size",
        "96",
        "--split",
        split,
    ]
    base_recipe = [f"train_file={cot}", f"output_dir={base}", f"seed={seed}"]
    lessons = [f"eye_steps={profile.eye_steps}", f"gaze_steps={profile.gaze_steps}"]
    sft_recipe = [f"model={base}", f"train_file={cot}", f"output_dir={model}", f"seed={seed}"]
    lesson = [f"max_steps={profile.train_steps}"]
    tested = ["--split", "test"]
    return [
        Step("draw faces whose action units are known exactly", ["faces", str(faces), *drawing, "--seed", str(seed)]),
        Step(
            "explain them: observations, interpretation, conclusion, every claim checked",
            ["generate", str(samples), "-o", str(cot), "--seed", str(seed)],
        ),
        Step(
            "write the files other trainers read",
            ["export", str(cot), "-o", str(out / "messages"), "--format", "messages"],
        ),
        Step(
            "build a tiny vision-language model and teach its eyes",
            ["train", "base", "--config", str(recipes / "quickstart" / "base.yaml"), *base_recipe, *lessons],
        ),
        Step(
            "teach it to explain what it sees",
            ["train", "sft", "--config", str(recipes / "quickstart" / "sft.yaml"), *sft_recipe, *lesson],
        ),
        Step(
            "let it explain people it has never seen",
            ["predict", "--model", str(model), str(samples), "-o", str(predictions), *tested],
        ),
        Step(
            "score the labels and the explanations",
            ["score", str(predictions), str(samples), "-o", str(out / "score"), *tested],
        ),
    ]


def recipe_folder() -> Path:
    """Return where the recipes lie: beside the package in a checkout, inside it in an installed wheel."""
    package = Path(__file__).parent
    for folder in (package.parent / "recipes", package / "recipes"):
        if (folder / "quickstart").is_dir():
            return folder
    raise EmoLLMError(f"{package}: the recipes are not there; install emollm again")


def tell(out: Path, seconds: float) -> None:
    """Print one explained face, what came out, where to look and how to go on."""
    samples, score = out / "faces" / "samples.jsonl", out / "score"
    row = explained_face(score)
    picture = samples.parent / row.media.path if row.media else samples.parent
    print(f"\nOne explained face, {picture}, drawn as {row.gold}:\n")
    if row.completion and row.face:
        print_checked(row.completion, row.face)
    for line in headline(read_results(score)):
        print(line)
    print(f"\nreport   {score / 'report.html'}")
    print(f"chat     emollm chat --model {out / 'model'} --image {picture} --samples {samples}")
    print(f"done in {seconds / 60:.1f} minutes")


def explained_face(score: Path) -> Scored:
    """Return the face with most action units named among those explained truly and named rightly, else the first."""
    rows = list(read_scored(score / "samples.jsonl"))
    good = [row for row in rows if row.correct and row.is_true]
    return max(good, key=lambda row: len(row.au_hits or ()), default=rows[0])


def headline(results: Results) -> list[str]:
    """Return the sentences that matter: is the label right, is the explanation true, and what chance would give."""
    labels = len(results.labels)
    return [
        "",
        f"Label accuracy on {results.coverage.subjects} people never seen: {shown(results.metrics['accuracy'])}; "
        f"guessing would give {1 / labels:.0%}.",
        f"Action units named: F1 {shown(results.metrics['au_micro_f1'])}. "
        f"Claims that the face supports: {shown(results.metrics['claim_precision'])}.",
    ]


def shown(number: Number) -> str:
    """Write a share with its interval."""
    if number.value is None or number.low is None or number.high is None:
        return "not known"
    return f"{number.value:.1%} [{number.low:.1%}, {number.high:.1%}]"
