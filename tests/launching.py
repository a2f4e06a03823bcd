"""Several processes, launched as users launch them: accelerate, a file of recipes/accelerate, a stage and its recipe.

train(folder / "whole", "sft", recipe, "zero2")                       # returns what it said
train(folder / "killed", "sft", recipe, "zero2", is_stopped=True, KILLED_AT="5")
read_log(folder / "whole", "loss")
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent
LAUNCHERS = ("ddp", "zero2", "zero3", "fsdp2")
TIMEOUT_S = 280
DIFFERING = ("models", "inputs")
"""What the scores of two models with the same answers differ in: their names, and the digests of their files."""


def train(
    output: Path,
    stage: str,
    recipe: Mapping[str, Any],
    launcher: str | Path | None = None,
    *,
    is_stopped: bool = False,
    **environment: str,
) -> str:
    """Train with two processes under a launcher file, or with one, and return what was said on stderr."""
    name = Path(launcher).stem if launcher else ""
    if name.startswith("zero") and (find_spec("deepspeed") is None or shutil.which("c++") is None):
        pytest.skip("DeepSpeed is an extra, compiles its parts on first use, and needs a C++ compiler for it")
    file = launcher if isinstance(launcher, Path) else ROOT / "recipes" / "accelerate" / f"{launcher}.yaml"
    launch = ["-m", "accelerate.commands.launch", "--config_file", str(file)] if launcher else []
    settings = {"use_cpu": name != "fsdp2", "bf16": False, "num_processes": 2 if launcher else 1, **recipe}
    if not settings["use_cpu"]:
        environment["SHARD_ON_CPUS"] = "1"
    path = output.with_suffix(".json")
    path.write_text(json.dumps({**settings, "output_dir": str(output)}))
    process = subprocess.Popen(
        [sys.executable, *launch, str(ROOT / "tests" / "launched.py"), stage, "--config", str(path)],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)} | environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    said = until_the_end(process)
    assert (process.returncode != 0) == is_stopped, said[-6000:]
    return said


def until_the_end(process: subprocess.Popen[str]) -> str:
    """Return what a process said; one that hangs is ended with all that it started."""
    import psutil

    try:
        return process.communicate(timeout=TIMEOUT_S)[1]
    except subprocess.TimeoutExpired:
        for one in (*psutil.Process(process.pid).children(recursive=True), process):
            one.kill()
        raise AssertionError(f"still running after {TIMEOUT_S} s: {process.communicate()[1][-6000:]}") from None


def read_log(output: Path, name: str) -> list[float]:
    """Return a column of a run's log, one number a step."""
    lines = [json.loads(line) for line in (output / "train_log.jsonl").read_text().splitlines()]
    return [line[name] for line in lines if name in line]


def compare_weights(found: Path, expected: Path, base: Path) -> None:
    """Hold that two runs ended with the same weights, up to rounding, under the names of their base."""
    import torch
    from safetensors.torch import load_file

    here, there, before = (load_file(folder / "model.safetensors") for folder in (found, expected, base))
    assert here.keys() == there.keys() == before.keys()
    for name, value in there.items():
        assert torch.allclose(here[name], value, atol=1e-4, rtol=1e-4), name
    assert any((there[name] - value).abs().max() > 1e-2 for name, value in before.items())  # they have learnt


def compare_scores(found: Path, expected: Path, samples: Path, style: str = "sections") -> None:
    """Hold that two models say the same about faces that neither has learnt from, and that it is scored alike.

    `style` is one to which they do not answer with silence.
    """
    from emollm.records import Prediction, read_records
    from eval import predict, score

    said, scored = [], []
    for model in (found, expected):
        answers, results = model / "predictions.jsonl", model / "score"
        asked = ["--style", style, "--split", "test", "--max-new-tokens", "24", "--device", "cpu", "--overwrite"]
        assert predict.main(["--model", str(model), str(samples), "-o", str(answers), *asked]) == 0
        few = ["--split", "test", "--num-resamples", "100", "--no-report", "--overwrite"]
        assert score.main([str(answers), str(samples), "-o", str(results), *few]) == 0
        said.append([prediction.completion for prediction in read_records(answers, Prediction)])
        scored.append(json.loads((results / "results.json").read_text()))
    assert said[0] == said[1]
    assert any(said[0])
    here, there = ({name: value for name, value in one.items() if name not in DIFFERING} for one in scored)
    assert here == there
    assert here["coverage"]["predictions"] == len(said[0])
