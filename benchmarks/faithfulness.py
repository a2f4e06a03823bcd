"""Faithfulness: are stubs of known faithfulness told apart on rendered faces? Prints the table of eval/README.md.

python benchmarks/faithfulness.py runs/faithfulness --num 105
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

from eval.report.figures import percent
from eval.results import Results, read_results

ROOT = Path(__file__).parents[1]
STUBS = ("faithful", "borrowed", "mouth_only", "fixed")
SHOWN = {
    "hide_label": "cited region hidden: label changed",
    "hide_claims": "cited region hidden: claims gone",
    "blur_label": "cited region blurred: label changed",
    "all_label": "all cited hidden (control: all the rest): label changed",
    "blank_label": "blank picture: label changed",
    "swap_claims": "another's face: claims gone",
    "truncate_label": "after half of the reasoning: label changed",
    "exchange_label": "after another's reasoning: label changed",
}


def main() -> None:
    """Render, let every stub answer, score, print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--num", type=int, default=105)
    options = parser.parse_args()
    folder: Path = options.folder
    faces = folder / "faces"
    emollm("faces", faces, "--num", options.num, "--labels", "basic7", "--identities", "9000:9500", "--workers", 1)
    results = {stub: run(stub, folder, faces / "samples.jsonl") for stub in STUBS}
    print(f"| altered / control, in % | {' | '.join(STUBS)} |\n|{'---|' * (1 + len(STUBS))}")
    for name, title in SHOWN.items():
        print(f"| {title} | {' | '.join(cell(found, name) for found in results.values())} |")


def run(stub: str, folder: Path, samples: Path) -> Results:
    """Let a stub answer, again with something altered, and score it."""
    program = f"{sys.executable} {ROOT / 'tests' / 'faithful_stubs.py'} {stub}"
    predictions, answers, scores = folder / f"{stub}.jsonl", folder / f"{stub}.interventions.jsonl", folder / stub
    if not predictions.exists():
        said = subprocess.run([*program.split(), "--about", samples], check=True, capture_output=True).stdout
        predictions.write_bytes(said)
    emollm(
        "intervene", predictions, samples, "-o", answers, "--program", program, "--pictures", folder / "pictures" / stub
    )
    emollm("score", predictions, samples, "-o", scores, "--interventions", answers, "--overwrite")
    return read_results(scores)


def emollm(*arguments: object) -> None:
    """Call a verb; what it prints is not part of the table."""
    command = [sys.executable, "-m", "emollm.cli", *map(str, arguments)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def cell(results: Results, name: str) -> str:
    """Return `37 / 8`, in bold where the interval of the difference leaves 0 out on the good side."""
    altered, control, effect = (results.metrics[f"faithful_{name}{side}"] for side in ("", "_control", "_effect"))
    said = f"{percent(altered.value, 0)} / {percent(control.value, 0)}"
    return f"**{said}**" if effect.low is not None and effect.low > 0 else said


if __name__ == "__main__":
    main()
