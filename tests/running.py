"""What the tests of training share: to carry out a recipe in this process, and to read what it leaves behind.

folder = carry_out(grpo.main, values | {"max_steps": 2}, tmp_path)
manifest(folder)["steps"], logged(folder)[-1]["reward"], weights(folder)
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

Main = Callable[[list[str]], int]


def carry_out(main: Main, values: Mapping[str, Any], folder: Path, *options: str) -> Path:
    """Write a recipe into a folder, carry it out, and return its run folder."""
    path = folder / "recipe.yaml"
    path.write_text(json.dumps(dict(values)))
    assert main(["--config", str(path), *options]) == 0
    return Path(values["output_dir"])


def sft_of_toys(toy_file: Path, tiny_dir: Path, folder: Path) -> dict[str, Any]:
    """A recipe of SFT that learns fast, logs every step and saves every second one."""
    return {
        "model": str(tiny_dir),
        "train_file": str(toy_file),
        "output_dir": str(folder / "run"),
        "per_device_train_batch_size": 2,
        "learning_rate": 1e-2,
        "lr_scheduler_type": "constant",
        "logging_steps": 1,
        "save_steps": 2,
    }


def manifest(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "manifest.json").read_text())
    return found


def logged(folder: Path) -> list[dict[str, Any]]:
    """The lines of the steps; the last line of a log, a summary, is none."""
    lines = map(json.loads, (folder / "train_log.jsonl").read_text().splitlines())
    return [line for line in lines if "loss" in line]


def weights(folder: Path) -> dict[str, Any]:
    from safetensors.torch import load_file

    return load_file(next(folder.glob("*model.safetensors")))
