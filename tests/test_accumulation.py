"""Accumulation: a step teaches the same however it is cut into micro-batches, and however long its rows are."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("trl")

import launched  # noqa: E402

from emollm.errors import ConfigError  # noqa: E402
from emollm.train import grpo, sft  # noqa: E402
from emollm.train.rewards import REWARDS  # noqa: E402
from emollm.train.rollouts import Rollouts  # noqa: E402

CUTS = ((8, 1), (2, 4), (1, 8))
"""Rows of a micro-batch, and micro-batches of a step."""


def curves(main: Any, recipe: dict[str, Any], folder: Path, toy_file: Path, tiny_dir: Path) -> list[list[list[float]]]:
    """Return loss and norm of the gradient, step by step, for each way of cutting."""
    shared = {
        "model": str(tiny_dir),
        "train_file": str(toy_file),
        "max_steps": 3,
        "logging_steps": 1,
        "save_strategy": "no",
        "learning_rate": 2e-3,
    }
    found = []
    for rows, cuts in CUTS:
        output = folder / str(rows)
        sizes = {"per_device_train_batch_size": rows, "gradient_accumulation_steps": cuts, "output_dir": str(output)}
        path = folder / f"{rows}.json"
        path.write_text(json.dumps(shared | recipe | sizes))
        assert main(["--config", str(path)]) == 0
        log = [json.loads(line) for line in (output / "train_log.jsonl").read_text().splitlines()]
        found.append([[line["loss"], line["grad_norm"]] for line in log if "loss" in line])
    return found


@pytest.mark.parametrize("lora", [None, {"r": 4, "dropout": 0}], ids=["all weights", "lora"])
def test_every_token_of_a_step_counts_alike(
    lora: dict[str, Any] | None, toy_file: Path, tiny_dir: Path, tmp_path: Path
) -> None:
    # Bare labels are two tokens, explanations some twenty times as many.
    recipe = {"styles": {"label": 1, "sections": 1}, "lora": lora}
    whole, *cut = curves(sft.main, recipe, tmp_path, toy_file, tiny_dir)
    assert len(whole) == 3
    for one in cut:
        assert torch.allclose(torch.tensor(one), torch.tensor(whole), atol=1e-4)


def test_every_sampled_token_of_a_step_counts_alike(
    toy_file: Path, tiny_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch, "multinomial", torch.multinomial)
    monkeypatch.setattr(Rollouts, "_generate_and_score_completions", Rollouts._generate_and_score_completions)
    monkeypatch.setitem(REWARDS, "letter_e", launched.LETTER_E)
    launched.SAMPLING.install()
    recipe = {"rewards": {"letter_e": 1}, "num_generations": 4, "max_completion_length": 12}
    whole, *cut = curves(grpo.main, recipe, tmp_path, toy_file, tiny_dir)
    assert all(norm > 0 for _, norm in whole)
    for one in cut:
        assert torch.allclose(torch.tensor(one), torch.tensor(whole), atol=1e-4)


def test_a_checkpoint_of_another_launcher_is_refused(toy_file: Path, tiny_dir: Path, tmp_path: Path) -> None:
    recipe = {"model": str(tiny_dir), "train_file": str(toy_file), "output_dir": str(tmp_path / "run")}
    path = tmp_path / "recipe.json"
    path.write_text(json.dumps(recipe | {"max_steps": 1, "save_steps": 1, "per_device_train_batch_size": 2}))
    assert sft.main(["--config", str(path)]) == 0
    parts = tmp_path / "run" / "checkpoint-1" / "global_step1"
    parts.mkdir()
    (parts.parent / "latest").write_text(parts.name)
    for rank in range(2):
        (parts / f"zero_pp_rank_{rank}_mp_rank_00_optim_states.pt").touch()
    with pytest.raises(ConfigError, match=r"ZeRO-1 or 2 over 2 processes, and this runs without sharding; take"):
        sft.main(["--config", str(path), "max_steps=2"])
