"""Several processes: they stop together, fail together, and go on as if nothing had happened."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("trl")

from emollm.records import Sample, encode, read_records  # noqa: E402
from emollm.vlm.load import load_model  # noqa: E402

ROOT = Path(__file__).parent.parent
PROGRAM = """
import importlib, os, sys
from emollm.train.launch import run_program
from emollm.train.rewards import REWARDS, Reward

def share_of_e(heard):
    if heard.completion and os.environ["RANK"] == os.environ.get("FAILING"):
        raise ZeroDivisionError("division by zero")
    return heard.completion.count("e") / max(1, len(heard.completion))

REWARDS["letter_e"] = Reward(share_of_e, 0, 1, "test", "the letter e")
stage, *arguments = sys.argv[1:]
run_program(lambda: importlib.import_module(f"emollm.train.{stage}").main(arguments))
"""
SHARED = {
    "gradient_accumulation_steps": 2,
    "per_device_train_batch_size": 2,
    "learning_rate": 1e-2,
    "lr_scheduler_type": "constant",
    "max_steps": 8,
    "save_steps": 100,
    "logging_steps": 1,
    "use_cpu": True,
    "bf16": False,
    "num_processes": 2,
}
STAGES: dict[str, dict[str, Any]] = {
    "sft": {"split": "train"},
    # Groups of four in batches of two: every group lies in both processes.
    "grpo": {"rewards": {"letter_e": 1}, "num_generations": 4, "max_completion_length": 6},
}


def start(folder: Path, stage: str, output: str, **environment: str) -> subprocess.Popen[str]:
    """Launch two processes that train on the folder's recipe."""
    import os

    launch = ["-m", "accelerate.commands.launch", "--config_file", "recipes/accelerate/ddp.yaml"]
    recipe = [str(folder / "program.py"), stage, "--config", str(folder / "recipe.yaml")]
    return subprocess.Popen(
        [sys.executable, *launch, *recipe, f"output_dir={folder / output}"],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)} | environment,
        stderr=subprocess.PIPE,
        text=True,
    )


def interrupt_one(launcher: subprocess.Popen[str], log: Path) -> None:
    """Send Ctrl-C to the second process alone, once the first step is logged."""
    import psutil

    while not (log.exists() and log.read_text().endswith("\n")):
        assert launcher.poll() is None
        time.sleep(0.05)
    for process in psutil.Process(launcher.pid).children():
        if process.environ().get("RANK") == "1":
            process.send_signal(signal.SIGINT)


def weights(folder: Path) -> dict[str, Any]:
    return dict(load_model(folder, device="cpu")[0].state_dict())


@pytest.mark.slow
@pytest.mark.parametrize("stage", STAGES)
def test_what_stops_one_process_stops_both_and_both_go_on(
    stage: str, toy_file: Path, tiny_dir: Path, tmp_path: Path
) -> None:
    # A few samples, so that the run stops in the middle of a later epoch, and goes on with the right ones.
    num = {"sft": 20, "grpo": 6}[stage]
    few = toy_file.parent / f"{stage}.jsonl"
    few.write_bytes(b"".join(encode(sample) + b"\n" for sample in list(read_records(toy_file, Sample))[:num]))
    recipe = SHARED | STAGES[stage] | {"model": str(tiny_dir), "train_file": str(few)}
    (tmp_path / "recipe.yaml").write_text(json.dumps(recipe))
    (tmp_path / "program.py").write_text(PROGRAM)

    whole = start(tmp_path, stage, "whole")
    assert whole.wait(200) == 0, whole.communicate()[1][-4000:]

    stopped = start(tmp_path, stage, "stopped")
    interrupt_one(stopped, tmp_path / "stopped" / "train_log.jsonl")
    said = stopped.communicate(timeout=200)[1]
    assert said.count("stopped; the same command goes on from here") == 1
    assert json.loads((tmp_path / "stopped" / "manifest.json").read_text())["status"] == "stopped"
    [checkpoint] = (tmp_path / "stopped").glob("checkpoint-*")
    assert 0 < int(checkpoint.name.rpartition("-")[2]) < 8
    again = start(tmp_path, stage, "stopped")
    assert again.wait(200) == 0, again.communicate()[1][-4000:]
    expected = weights(tmp_path / "whole")
    for name, value in weights(tmp_path / "stopped").items():
        assert torch.equal(expected[name], value), name

    if stage == "grpo":
        failing = start(tmp_path, stage, "failing", FAILING="1")
        said = failing.communicate(timeout=200)[1]
        [line] = [line for line in said.splitlines() if line.startswith("error: ")]
        assert "step 1: reward 'letter_e': sample 'toy" in line
        assert "ZeroDivisionError: division by zero" in line
        assert "emollm/train" not in said  # no traceback of ours
