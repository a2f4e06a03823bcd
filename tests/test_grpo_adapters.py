"""GRPO and adapters: one of SFT's goes on learning, a new one stands beside what is trained whole."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("trl")

from asking_toys import LETTER_E, recipe_of_toys  # noqa: E402
from running import carry_out, logged, weights  # noqa: E402

from emollm.errors import ModelError  # noqa: E402
from emollm.train import grpo, sft  # noqa: E402
from emollm.train.rewards import REWARDS  # noqa: E402


@pytest.fixture(autouse=True)
def toy_reward(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(REWARDS, "letter_e", LETTER_E)


@pytest.fixture
def values(toy_file: Path, tiny_dir: Path, tmp_path: Path) -> dict[str, Any]:
    return recipe_of_toys(toy_file, tiny_dir, tmp_path)


@pytest.fixture
def run(values: dict[str, Any], tmp_path: Path) -> Callable[..., Path]:
    """Run the recipe with changes and return its run folder."""
    return lambda *options, **changes: carry_out(grpo.main, values | changes, tmp_path, *options)


@pytest.fixture
def adapter(values: dict[str, Any], tmp_path: Path) -> Path:
    """What SFT leaves behind."""
    shared = {name: values[name] for name in ("model", "train_file")}
    options = {"lora": {"r": 4}, "max_steps": 1, "learning_rate": 0.05, "per_device_train_batch_size": 4}
    return carry_out(sft.main, shared | options | {"output_dir": str(tmp_path / "adapter")}, tmp_path)


@pytest.mark.parametrize("beta", [0.0, 0.1])
def test_an_adapter_goes_on_learning_from_where_it_was(
    beta: float, adapter: Path, run: Callable[..., Path], tmp_path: Path
) -> None:
    still = run(adapter=str(adapter), beta=beta, learning_rate=1e-12, max_steps=2, output_dir=str(tmp_path / "still"))
    moved = run(adapter=str(adapter), beta=beta, max_steps=2)
    names = ("adapter_model.safetensors", "adapter_config.json")
    assert all((moved / name).exists() for name in names)
    assert not (moved / "model.safetensors").exists()
    assert not (moved / "ref").exists()
    before, unmoved, after = (weights(folder) for folder in (adapter, still, moved))
    assert before.keys() == unmoved.keys() == after.keys()
    assert all(torch.allclose(unmoved[name], value, atol=1e-7) for name, value in before.items())
    assert any(not torch.allclose(after[name], value, atol=1e-4) for name, value in before.items())
    if beta:
        assert logged(moved)[0]["kl"] == pytest.approx(0, abs=1e-6)  # measured against the adapter, not the base
        assert logged(moved)[1]["kl"] > 1e-6


def test_an_adapter_that_is_not_there_is_refused(run: Callable[..., Path], tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no such directory"):
        run(adapter=str(tmp_path / "none"))


IN_16_BITS = {"dtype": "bfloat16", "bf16": True, "lora": {"r": 4}, "train": {"projector": "all"}}


def test_what_is_whole_beside_an_adapter_learns_in_32_bits(
    run: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At this rate a step is far below what 16 bits can tell apart; answers are sampled all the same."""
    trained: list[Any] = []
    fit = grpo.fit
    monkeypatch.setattr(grpo, "fit", lambda trainer, *more: trained.append(trainer.model) or fit(trainer, *more))
    once = run(**IN_16_BITS, max_steps=2, learning_rate=1e-6, save_strategy="no")
    parts = {name: one for name, one in trained[0].named_parameters() if ".modules_to_save." in name}
    assert parts
    assert {parameter.dtype for parameter in parts.values()} == {torch.float32}
    saved = {name: value for name, value in weights(once).items() if "merger" in name}
    assert any(not torch.equal(value, value.to(torch.bfloat16).to(value.dtype)) for value in saved.values())
    again = {name: IN_16_BITS[name] for name in ("dtype", "bf16")} | {"adapter": str(once), "max_steps": 1}
    run(**again, save_strategy="no", output_dir=str(tmp_path / "again"))
    parts = {name: one for name, one in trained[1].named_parameters() if ".modules_to_save." in name}
    assert {parameter.dtype for parameter in parts.values() if parameter.requires_grad} == {torch.float32}
