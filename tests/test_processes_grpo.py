"""GRPO in two processes: they learn what one learns, go on after a stop as if nothing had happened, and fail together.

What is sampled does not depend on the number of processes (`launched.py`); completions end after one token or twelve.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("trl")

from launching import LAUNCHERS, compare_scores, compare_weights, read_log, train  # noqa: E402

from emollm.records import Sample, encode, read_records  # noqa: E402

NUM_SAMPLES, STEPS = 6, 8
"""An epoch is three rollouts of two questions, so that a run stops in the middle of a later one."""
STOPPED = {"ddp": "INTERRUPTED_AT", "zero2": "KILLED_AT", "zero3": "KILLED_AT"}
"""A Ctrl-C that reaches one process alone, and kills of both; under FSDP2 only SFT is stopped."""


@pytest.fixture(scope="module")
def recipe(toy_file: Path, tiny_dir: Path) -> dict[str, Any]:
    samples = list(read_records(toy_file, Sample))[:NUM_SAMPLES]
    path = toy_file.parent / "asked.jsonl"
    path.write_bytes(b"".join(encode(sample) + b"\n" for sample in samples))
    return {
        "model": str(tiny_dir),
        "train_file": str(path),
        "rewards": {"letter_e": 1},
        "num_generations": 4,
        "max_completion_length": 12,
        # Groups of four in batches of two: every group lies in several of them.
        "per_device_train_batch_size": 2,
        "gradient_accumulation_steps": 2,
        "learning_rate": 2e-3,
        "lr_scheduler_type": "constant",
        "max_steps": STEPS,
        "save_steps": 4,
        "logging_steps": 1,
    }


@pytest.fixture(scope="module")
def alone(recipe: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run of one process, with the same eight answers in a step."""
    folder = tmp_path_factory.mktemp("alone") / "run"
    train(folder, "grpo", recipe | {"gradient_accumulation_steps": 4})
    return folder


def said_in(output: Path) -> list[list[tuple[str, str]]]:
    """Return the completions of each rollout with the samples they are about."""
    from pyarrow import parquet

    rollouts = [parquet.read_table(path).to_pydict() for path in sorted(output.glob("completions/*.parquet"))]
    return [sorted(zip(one["id"], one["completion"], strict=True)) for one in rollouts]


@pytest.mark.slow
@pytest.mark.parametrize("launcher", LAUNCHERS)
def test_two_processes_that_were_stopped_learn_what_one_learns(
    launcher: str, recipe: dict[str, Any], alone: Path, toy_file: Path, tiny_dir: Path, tmp_path: Path
) -> None:
    output = tmp_path / "run"
    if launcher in STOPPED:
        said = train(output, "grpo", recipe, launcher, is_stopped=True, **{STOPPED[launcher]: "6"})
        assert ("stopped; the same command goes on from here" in said) == (launcher == "ddp")
        assert max(output.glob("checkpoint-*")).name == ("checkpoint-6" if launcher == "ddp" else "checkpoint-4")
    train(output, "grpo", recipe, launcher)
    assert json.loads((output / "manifest.json").read_text())["world_size"] == 2
    assert len(set(read_log(alone, "completions/mean_length"))) > 1
    for name in ("loss", "grad_norm", "reward", "completions/mean_length"):
        expected, found = (read_log(folder, name) for folder in (alone, output))
        assert len(found) == STEPS
        assert found == pytest.approx(expected, abs=1e-4), name
    assert said_in(output) == said_in(alone)
    compare_weights(output, alone, tiny_dir)
    compare_scores(output, alone, toy_file, style="label")


@pytest.mark.slow
def test_a_reward_that_raises_in_one_process_ends_both_with_one_line(recipe: dict[str, Any], tmp_path: Path) -> None:
    said = train(tmp_path / "run", "grpo", recipe, "ddp", is_stopped=True, FAILING_IN="1")
    [line] = [line for line in said.splitlines() if line.startswith("error: ")]
    assert "step 1: reward 'letter_e': sample 'toy" in line
    assert "ZeroDivisionError: division by zero" in line
    assert "emollm/train" not in said  # no traceback of ours


@pytest.mark.slow
def test_fsdp_is_refused_where_accelerate_would_train_copies(recipe: dict[str, Any], tmp_path: Path) -> None:
    said = train(tmp_path / "run", "grpo", recipe | {"use_cpu": True}, "fsdp2", is_stopped=True)
    [line] = [line for line in said.splitlines() if line.startswith("error: ")]
    assert line.startswith("error: FSDP: accelerate splits nothing on CPUs")
