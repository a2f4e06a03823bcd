"""Runs that go on from where they are, and those that cannot: each says so in one line."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("trl")

from asking_toys import LETTER_E, recipe_of_toys  # noqa: E402
from running import carry_out, logged, manifest, sft_of_toys, weights  # noqa: E402
from transformers import TrainerCallback  # noqa: E402

from emollm.errors import ModelError, TrainingError  # noqa: E402
from emollm.train import grpo, sft  # noqa: E402
from emollm.train.rewards import REWARDS, Reward  # noqa: E402

FULL = (
    "CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of 23.60 GiB of which 1.10 GiB is free."
)


@pytest.fixture
def values(toy_file: Path, tiny_dir: Path, tmp_path: Path) -> dict[str, Any]:
    return sft_of_toys(toy_file, tiny_dir, tmp_path) | {"max_steps": 3}


class AtStep(TrainerCallback):  # type: ignore[misc]
    """Does something as a step begins."""

    def __init__(self, step: int, action: Callable[[], None]) -> None:
        self.step, self.action = step, action

    def on_step_begin(self, _args: Any, state: Any, _control: Any, **_: Any) -> None:
        if state.global_step + 1 == self.step:
            self.action()


def test_a_lost_model_comes_back_from_the_last_checkpoint(values: dict[str, Any], tmp_path: Path) -> None:
    run = carry_out(sft.main, values, tmp_path)
    before = weights(run)
    (run / "model.safetensors").unlink()
    carry_out(sft.main, values, tmp_path)
    assert manifest(run)["status"] == "done"
    assert [line["step"] for line in logged(run)] == [1, 2, 3]
    for name, value in weights(run).items():
        assert torch.equal(before[name], value), name


def test_a_damaged_checkpoint_leads_to_the_one_before(
    values: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = carry_out(sft.main, values | {"max_steps": 4, "output_dir": str(tmp_path / "whole")}, tmp_path)
    run = carry_out(sft.main, values, tmp_path)
    damaged = run / "checkpoint-3" / "model.safetensors"
    damaged.write_bytes(damaged.read_bytes()[:-100])
    carry_out(sft.main, values | {"max_steps": 4}, tmp_path)
    told = r"checkpoint-3: model\.safetensors has \d+ of \d+ bytes; going on from an earlier checkpoint"
    assert re.search(told, capsys.readouterr().err)
    for name, value in weights(whole).items():
        assert torch.equal(weights(run)[name], value), name


def test_what_is_damaged_in_the_middle_is_one_line(values: dict[str, Any], tmp_path: Path) -> None:
    run = carry_out(sft.main, values, tmp_path)
    path = run / "checkpoint-3" / "rng_state.pth"
    content = bytearray(path.read_bytes())
    content[len(content) // 2 : len(content) // 2 + 300] = bytes(300)
    path.write_bytes(content)
    with pytest.raises(TrainingError, match=r"checkpoint-3: cannot be read \(.*\); remove it to go on from an earlier"):
        carry_out(sft.main, values | {"max_steps": 4}, tmp_path)


def test_memory_that_does_not_suffice_is_one_line(
    values: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def overflow() -> None:
        raise torch.OutOfMemoryError(FULL)

    make = sft.make_trainer

    def overflowing(*arguments: Any) -> Any:
        trainer = make(*arguments)
        trainer.add_callback(AtStep(2, overflow))
        return trainer

    monkeypatch.setattr(sft, "make_trainer", overflowing)
    told = r"run: step 2: out of memory: 2\.00 GiB more than is free of the 23\.60 GiB of GPU 0; lower per_device_train"
    with pytest.raises(TrainingError, match=told) as raised:
        carry_out(sft.main, values, tmp_path)
    for remedy in ("max_pixels", "activation_checkpointing", "--plan"):
        assert remedy in str(raised.value)
    assert manifest(tmp_path / "run")["reason"] == str(raised.value)


def test_memory_that_does_not_hold_the_model_is_one_line(
    values: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def overflow(*_: Any) -> Any:
        raise torch.OutOfMemoryError(FULL)

    monkeypatch.setattr(sft, "make_trainer", overflow)
    with pytest.raises(ModelError, match=r"run: out of memory: 2\.00 GiB .*; lower per_device_train_batch_size"):
        carry_out(sft.main, values, tmp_path)
    assert manifest(tmp_path / "run")["status"] == "failed"


@pytest.mark.parametrize("is_paid", [False, True])
def test_groups_that_are_all_paid_alike_have_taught_nothing(
    is_paid: bool,
    toy_file: Path,
    tiny_dir: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    reward = LETTER_E if is_paid else Reward(lambda _: 0.5, 0, 1, "test", "the same for all")
    monkeypatch.setitem(REWARDS, "letter_e", reward)
    changes = {"rewards": {"letter_e": 1.0}, "max_steps": 2, "save_strategy": "no", "max_completion_length": 24}
    carry_out(grpo.main, recipe_of_toys(toy_file, tiny_dir, tmp_path) | changes, tmp_path)
    assert ("no reward taught anything" in capsys.readouterr().err) != is_paid


def test_an_answer_that_does_not_fit_into_memory_is_one_line(tiny_dir: Path) -> None:
    from emollm.vlm.generate import Sampling, generate
    from emollm.vlm.load import load_model
    from emollm.vlm.turns import Turn

    class TooLarge:
        """A model that is full as soon as it is asked."""

        def __init__(self, model: Any) -> None:
            self.device, self.generation_config = model.device, model.generation_config

        def generate(self, **_: Any) -> Any:
            raise torch.OutOfMemoryError(FULL)

    model, processor = load_model(tiny_dir, device="cpu")
    turn = Turn([{"role": "user", "content": [{"type": "text", "text": "?"}]}])
    with pytest.raises(ModelError, match=r"1 answer\(s\) of 9 tokens at once: out of memory: .*; lower the size"):
        generate(TooLarge(model), processor, [turn], Sampling(max_new_tokens=9))
