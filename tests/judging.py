"""Runs of `emollm score --metrics judge` against a judge on this machine, and what they find."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from emollm.records import Prediction, Reasoning, Sample, encode
from eval.results import Results
from eval.score import main

SMILE = Reasoning(observations="He smiles.", interpretation="He speaks softly.", conclusion="He is happy.")
SAMPLES = [Sample(id=f"clip_{n}", subject=f"s{n // 2}", reasoning=SMILE, text="Fine.") for n in range(6)]
ANSWERS = [Prediction(id=f"clip_{n}", completion=f"The lips are pressed, {n}.", model="m") for n in range(6)]


def write(path: Path, records: list[Any]) -> Path:
    path.write_bytes(b"".join(encode(record) + b"\n" for record in records))
    return path


def score(
    folder: Path, url: str, *options: str, samples: list[Sample] = SAMPLES, answers: list[Prediction] = ANSWERS,
    out: str = "scores",
) -> Path:  # fmt: skip
    """Score and return the folder with the results."""
    inputs = write(folder / f"{out}.predictions.jsonl", answers), write(folder / f"{out}.samples.jsonl", samples)
    judge = ["--metrics", "judge", "--judge-model", "stub", "--judge-base-url", url]
    assert main([*map(str, inputs), "-o", str(folder / out), "--num-resamples", "50", *judge, *options]) == 0
    return folder / out


def values(results: Results) -> dict[str, float]:
    own = results.families["judge"].metrics
    return {name: number.value for name, number in results.metrics.items() if name in own and number.value is not None}
