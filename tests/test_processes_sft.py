"""SFT in two processes: they learn what one learns, and go on after a stop as if nothing had happened.

The rows have pictures or none and answers of one word or of many, so that processes and micro-batches differ in both.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("trl")

import msgspec  # noqa: E402
from launching import LAUNCHERS, ROOT, compare_scores, compare_weights, read_log, train  # noqa: E402

from emollm.records import Sample, encode, read_records  # noqa: E402
from emollm.train import merge  # noqa: E402
from emollm.train.sharding import sharding_in  # noqa: E402

NUM_SAMPLES, STEPS = 12, 8
"""An epoch is three steps of eight rows, so that a run stops in the middle of a later one."""
STOPPED = {"ddp": "INTERRUPTED_AT", "zero2": "KILLED_AT", "zero3": "KILLED_AT", "fsdp2": "KILLED_AT"}
"""A Ctrl-C that reaches one process alone, and kills of both; a checkpoint is made after step 4 anyway."""
SHARDING = {
    "ddp": "without sharding",
    "zero2": "with DeepSpeed ZeRO-1 or 2 over 2 processes",
    "zero3": "with DeepSpeed ZeRO-3 over 2 processes",
    "fsdp2": "with FSDP",
}
WHOLE = "zero3_save_16bit_model: true"


@pytest.fixture(scope="module")
def recipe(toy_file: Path, tiny_dir: Path) -> dict[str, Any]:
    samples = list(read_records(toy_file, Sample))[:NUM_SAMPLES]
    mixed = [msgspec.structs.replace(one, media=None) if at % 5 < 3 else one for at, one in enumerate(samples)]
    path = toy_file.parent / "mixed.jsonl"
    path.write_bytes(b"".join(encode(sample) + b"\n" for sample in mixed))
    return {
        "model": str(tiny_dir),
        "train_file": str(path),
        "styles": {"label": 1, "sections": 1},
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
    """The run of one process, with the same eight rows in a step."""
    folder = tmp_path_factory.mktemp("alone") / "run"
    train(folder, "sft", recipe | {"gradient_accumulation_steps": 4})
    return folder


@pytest.fixture
def launcher_file(launcher: str, tmp_path: Path) -> Path:
    """The launcher's file of recipes/accelerate; for ZeRO-3, one that leaves the weights in parts."""
    text = (ROOT / "recipes" / "accelerate" / f"{launcher}.yaml").read_text()
    assert launcher != "zero3" or WHOLE in text
    path = tmp_path / f"{launcher}.yaml"
    path.write_text(text.replace(WHOLE, WHOLE.replace("true", "false")))
    return path


@pytest.mark.slow
@pytest.mark.parametrize("launcher", LAUNCHERS)
def test_two_processes_that_were_stopped_learn_what_one_learns(
    launcher: str,
    launcher_file: Path,
    recipe: dict[str, Any],
    alone: Path,
    toy_file: Path,
    tiny_dir: Path,
    tmp_path: Path,
) -> None:
    output = tmp_path / "run"
    said = train(output, "sft", recipe, launcher_file, is_stopped=True, **{STOPPED[launcher]: "6"})
    assert "16 of them without a picture, 2 process(es)" in said
    if launcher == "ddp":
        assert said.count("stopped; the same command goes on from here") == 1
        assert json.loads((output / "manifest.json").read_text())["status"] == "stopped"
    checkpoint = max(output.glob("checkpoint-*"))
    assert checkpoint.name == ("checkpoint-6" if launcher == "ddp" else "checkpoint-4")
    assert str(sharding_in(checkpoint)) == SHARDING[launcher]

    train(output, "sft", recipe, launcher_file)
    assert json.loads((output / "manifest.json").read_text())["world_size"] == 2
    for name in ("loss", "grad_norm"):
        expected, found = (read_log(folder, name) for folder in (alone, output))
        assert len(found) == STEPS
        assert found == pytest.approx(expected, abs=1e-4), name
    if launcher == "zero3":
        assert not list(output.glob("*.safetensors"))
        assert merge.main(["--model", str(output), "-o", str(tmp_path / "merged"), "--device", "cpu"]) == 0
        output = tmp_path / "merged"
    compare_weights(output, alone, tiny_dir)
    compare_scores(output, alone, toy_file)


@pytest.mark.slow
@pytest.mark.parametrize("launcher", ["ddp", "zero3"])
def test_a_picture_that_one_process_loses_ends_both_with_one_line(
    launcher: str, recipe: dict[str, Any], tmp_path: Path
) -> None:
    said = train(tmp_path / "run", "sft", recipe, launcher, is_stopped=True, LOST_AT="2")
    [line] = [line for line in said.splitlines() if line.startswith("error: ")]
    assert "after step 2: sample 'toy" in line
    assert said.count("Traceback (most") == 1  # the launcher's
    assert "emollm/train" not in said
    assert "stopping after this step" not in said
    manifest = json.loads((tmp_path / "run" / "manifest.json").read_text())
    assert (manifest["status"], f"error: {manifest['reason']}") == ("failed", line)
