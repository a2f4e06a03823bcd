"""`emollm quickstart`: the whole pipeline, offline, on a CPU, from rendered faces to a scored, chatting model.

    emollm quickstart --out quickstart

The embedded base describes faces and knows no emotion. SFT teaches it to explain them, GRPO pays it for labels that are
right and claims that hold; each is measured on people that none of the three has seen, the last one also on blank
pictures, and all four are put side by side.

Every step is a verb that can be called by hand, and is printed as such before it runs. A step that is done is not
done again, so that a run stopped with Ctrl-C goes on where it was.
"""

from __future__ import annotations

import argparse
import ctypes
import importlib
import os
import shlex
import sys
import time
from collections.abc import Iterable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from emollm.chat import print_checked
from emollm.cli import VERBS
from emollm.errors import EmoLLMError, MissingExtraError
from emollm.facs import CODEBOOKS, present
from emollm.labels import canonical
from emollm.records import Sample, read_records
from emollm.scoring import main_face
from emollm.vlm.load import EMBEDDED
from eval.results import Number, Results, read_results
from eval.scored import Scored, read_scored

EPILOG = """example:
  emollm quickstart --out quickstart
  emollm quickstart --profile small --out /tmp/try        in half the time, a weaker model"""

LABELS = "basic7"
PEOPLE = "0:2000"
"""Who is drawn. The base has seen 10000 to 39999."""
TEST = "test"
"""The split of the people that no lesson shows."""
PAGE = "compared.html"


M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4
"""Options of glibc's mallopt, from malloc.h."""


class Profile(NamedTuple):
    """How much of everything."""

    faces: int
    test_share: float
    sft_steps: int
    grpo_steps: int


PROFILES = {
    "full": Profile(faces=8000, test_share=0.075, sft_steps=500, grpo_steps=40),
    "small": Profile(faces=4000, test_share=0.075, sft_steps=300, grpo_steps=30),
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
        begun = time.monotonic()
        verb, *rest = step.arguments
        code: int = importlib.import_module(VERBS[verb].module).main(rest)
        if code:
            return code
        print(f"({time.monotonic() - begun:.0f} s)", file=sys.stderr)
    tell(arguments.out, time.monotonic() - started)
    return 0


def prepare_environment() -> None:
    """Keep the run offline, freed memory at hand, and threads from spinning while they wait, which costs most time."""
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    if sys.platform == "linux" and hasattr(libc := ctypes.CDLL(None), "mallopt"):
        # torch frees its large blocks in every step; returned to the system, each page has to be had and cleared anew.
        libc.mallopt(M_MMAP_MAX, 0)
        libc.mallopt(M_TRIM_THRESHOLD, 2**31 - 1)


def pipeline(out: Path, profile: Profile, seed: int) -> list[Step]:
    """Return the steps, in order."""
    return [*draw_and_explain(out, profile, seed), *train(out, profile, seed), *measure(out)]


def draw_and_explain(out: Path, profile: Profile, seed: int) -> list[Step]:
    """Return the steps that make the data."""
    faces, samples, cot = out / "faces", out / "faces" / "samples.jsonl", out / "faces" / "cot.jsonl"
    people = ["--identities", PEOPLE, "--split", f"train={1 - profile.test_share:g},{TEST}={profile.test_share:g}"]
    drawing = ["--num", str(profile.faces), "--labels", LABELS, "--difficulty", "studio", "--size", "96"]
    return [
        Step(
            "draw faces whose action units are known exactly",
            ["faces", str(faces), *drawing, *people, "--seed", str(seed)],
        ),
        Step(
            "explain them: observations, interpretation, conclusion, every claim checked",
            ["generate", str(samples), "-o", str(cot), "--seed", str(seed)],
        ),
        Step(
            "write the files other trainers read",
            ["export", str(cot), "-o", str(out / "messages"), "--format", "messages"],
        ),
    ]


def train(out: Path, profile: Profile, seed: int) -> list[Step]:
    """Return the two trainings: what the recipes say, with the folders and the length of this run."""
    recipes, cot = recipe_folder() / "quickstart", out / "faces" / "cot.jsonl"
    shared = [f"train_file={cot}", f"seed={seed}"]
    sft = [f"output_dir={out / 'sft'}", f"max_steps={profile.sft_steps}"]
    grpo = [f"model={out / 'sft'}", f"output_dir={out / 'grpo'}", f"max_steps={profile.grpo_steps}"]
    return [
        Step(
            "SFT: teach a tiny model, which can say what moves in a face, to explain expressions",
            ["train", "sft", "--config", str(recipes / "sft.yaml"), *shared, *sft],
        ),
        Step(
            "GRPO: pay it for labels that are right and claims that hold",
            ["train", "grpo", "--config", str(recipes / "grpo.yaml"), *shared, *grpo],
        ),
    ]


def measure(out: Path) -> list[Step]:
    """Return the steps that ask every model about people it has never seen, score the answers, and compare them."""
    samples, score = out / "faces" / "samples.jsonl", out / "score"
    asked = {
        "base": (EMBEDDED, ["--style", "observations"], "the base what moves in the faces of people never seen"),
        "sft": (out / "sft", [], "the model after SFT to explain the same faces"),
        "grpo": (out / "grpo", [], "the model after GRPO to explain them"),
        "blank": (out / "grpo", ["--picture", "blank"], "it to explain blank pictures in their place"),
    }
    steps = []
    for name, (model, options, what) in asked.items():
        predictions = out / "predictions" / f"{name}.jsonl"
        predicting = ["--split", TEST, "--batch-size", "128", *options]
        report = [] if name == "grpo" else ["--no-report"]
        steps += [
            Step(
                f"ask {what}",
                ["predict", "--model", str(model), str(samples), "-o", str(predictions), *predicting],
            ),
            Step(
                "score what it said",
                ["score", str(predictions), str(samples), "-o", str(score / name), "--split", TEST, *report],
            ),
        ]
    runs = [str(score / name) for name in asked]
    page = ["-o", str(score / PAGE), "--media-root", str(samples.parent)]
    return [
        *steps,
        Step("put them side by side: what each step brought", ["compare", *runs, "--against", "previous", *page]),
    ]


def recipe_folder() -> Path:
    """Return where the recipes lie: beside the package in a checkout, inside it in an installed wheel."""
    package = Path(__file__).parent
    for folder in (package.parent / "recipes", package / "recipes"):
        if (folder / "quickstart").is_dir():
            return folder
    raise EmoLLMError(f"{package}: the recipes are not there; install emollm again")


def tell(out: Path, seconds: float) -> None:
    """Print what came out, one explained face, where to look and how to go on."""
    samples, score = out / "faces" / "samples.jsonl", out / "score" / "grpo"
    tested = [sample for sample in read_records(samples, Sample) if sample.split == TEST]
    blank = read_results(out / "score" / "blank")
    for line in headline(read_results(score), blank, ceiling(tested)):
        print(line)
    row = explained_face(score)
    picture = samples.parent / row.media.path if row.media else samples.parent
    print(f"\nOne explained face, {picture}, drawn as {row.gold}:\n")
    if row.completion and row.face:
        print_checked(row.completion, row.face)
    print(f"\nreport   {score / 'report.html'}")
    print(f"compared {out / 'score' / PAGE}")
    print(f"chat     emollm chat --model {out / 'grpo'} --image {picture} --samples {samples}")
    print(f"done in {seconds / 60:.1f} minutes")


def headline(results: Results, blank: Results, highest: float) -> list[str]:
    """Return the sentences that matter: what the labels can reach at most and by chance, and without seeing."""
    coverage = results.coverage
    return [
        "",
        f"{coverage.samples} faces of {coverage.subjects} people never seen; labels right: "
        f"{shown(results.metrics['accuracy'])}.",
        f"Guessing would give {1 / len(results.labels):.1%}; the prototypes, told the exact action units, give "
        f"{highest:.1%}.",
        f"Shown a blank picture instead of each face, the same model gets {shown(blank.metrics['accuracy'])} of the "
        f"labels and an AU F1 of {shown(blank.metrics['au_micro_f1'])}.",
    ]


def ceiling(samples: Iterable[Sample]) -> float:
    """Return the share of labels that the EMFACS prototypes find when they are told the exact action units.

    Expressions are drawn from prototypes that share action units, so a label need not follow from its face.
    """
    found = [prototype_label(sample) == sample.label for sample in samples]
    return sum(found) / len(found)


def prototype_label(sample: Sample) -> str | None:
    """Return the label that fits a face's present action units best; neutral where there is none."""
    face = main_face(sample)
    there = present(face) if face else {}
    if face is None or not there:
        return "neutral"
    ranked = (canonical(match.label, LABELS) for match in CODEBOOKS["emfacs"].rank(there, face.aus or ()))
    return next((label for label in ranked if label is not None), None)


def explained_face(score: Path) -> Scored:
    """Return the face with most action units named among those explained truly and named rightly, else the first."""
    rows = list(read_scored(score / "samples.jsonl"))
    good = [row for row in rows if row.correct and row.is_true]
    return max(good, key=lambda row: len(row.au_hits or ()), default=rows[0])


def shown(number: Number) -> str:
    """Write a share with its interval."""
    if number.value is None or number.low is None or number.high is None:
        return "not known"
    return f"{number.value:.1%} [{number.low:.1%}, {number.high:.1%}]"
