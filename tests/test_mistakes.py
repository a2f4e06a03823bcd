"""Mistakes in a recipe: each is one line that says what to do, before a step is taken."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")
pytest.importorskip("trl")

from asking_toys import LETTER_E, recipe_of_toys
from running import carry_out

from emollm.errors import ConfigError
from emollm.train import dpo, grpo, sft
from emollm.train.mistakes import mistakes_said
from emollm.train.rewards import REWARDS


@pytest.fixture
def refusal(toy_file: Path, tiny_dir: Path, tmp_path: Path) -> Callable[..., str]:
    """What a stage says to a recipe with overrides."""

    def refused(main: Any, *overrides: str, **more: Any) -> str:
        values = {
            "model": str(tiny_dir),
            "train_file": str(toy_file),
            "output_dir": str(tmp_path / "run"),
            "max_steps": 1,
            "per_device_train_batch_size": 2,
        }
        with pytest.raises(ConfigError) as raised:
            carry_out(main, values | more, tmp_path, *overrides)
        return str(raised.value)

    return refused


SFT = [
    ("label_set=ekman", "label_set: 'ekman' is not known; basic7, "),
    ("label_set=afectnet8", "did you mean 'affectnet8'?"),
    ("lora.target_modules=q_prj", "lora.target_modules: the pattern 'q_prj' fits the whole name of no layer; did you"),
    ("lora.target_modules=[q_proj, v_prj]", "lora.target_modules: no layer is named 'v_prj'; did you mean 'v_proj'?"),
    ("push_to_hub=true", "push_to_hub: a model is pushed when it is done: `emollm merge"),
    ("eos_token=foo", "eos_token: rows become tensors in our own code"),
    ("chat_template_path=x", "chat_template_path: rows become tensors in our own code"),
    ("eval_on_start=true", "eval_on_start: there is no evaluation by loss; `validation: {metric: accuracy}` measures"),
    ("eval_steps=5", "eval_steps: there is no evaluation by loss; `validation"),
    ("do_eval=true", "do_eval: there is no evaluation by loss; `validation"),
    ("metric_for_best_model=accuracy", "metric_for_best_model: there is no evaluation by loss; `validation"),
    ("resume_from_checkpoint=/x", "resume_from_checkpoint: the same command goes on from the newest checkpoint"),
    ("save_strategy=best", "save_strategy: 'best' is not known; no, steps, epoch"),
    ("loss_type=foo", "loss_type: 'foo' is not known; nll, dft"),
    ("lora.rank=8", "lora.rank: unknown key; r, alpha, dropout"),
    ("lora.alfa=8", "lora.alfa: unknown key; did you mean 'alpha'?"),
    ("lora.r=0", "lora.r: expected `int` >= 1"),
    ("quantization=int8", "quantization: 'int8' is not known; nf4"),
    ("train.vision=some", "train.vision: 'some' is not known; all, lora, none"),
    ("styles={label:1}", "styles: 'label:1' is one word to YAML; put a blank after the colon"),
    ("packing=true", "count in three directions (M-RoPE)"),
    ("optim=galore_adamw", "the recipe does not hold together: You need to install `galore_torch`"),
    ("lr_scheduler_kwargs={foo: 1}", "unexpected keyword argument 'foo' (transformers, get_scheduler)"),
]


@pytest.mark.parametrize(("override", "message"), SFT, ids=[override for override, _ in SFT])
def test_sft_says_it_in_one_line(override: str, message: str, refusal: Callable[..., str]) -> None:
    said = refusal(sft.main, override)
    assert message in said
    assert len(said.splitlines()) <= 2  # the second begins a list of problems


def test_liger_is_asked_for_before_the_model_is_loaded(refusal: Callable[..., str]) -> None:
    if find_spec("liger_kernel") is not None:
        pytest.skip("it is installed")
    said = refusal(sft.main, "use_liger_kernel=true", model="/nowhere/at/all")
    assert "use_liger_kernel: is not installed; pip install liger-kernel" in said


GRPO = [
    ("loss_type=foo", "loss_type: 'foo' is not known; grpo, dapo"),
    ("scale_rewards=foo", "scale_rewards: 'foo' is not known; group, batch, none"),
    ("cache_implementation=foo", "cache_implementation: 'foo' is not known; dynamic"),
    ("importance_sampling_level=tokens", "did you mean 'token'?"),
    ("generation_kwargs={temperature: 2}", "generation_kwargs.temperature: is a key of the recipe itself"),
    ("generation_kwargs={max_new_tokens: 2}", "the key of the recipe is max_completion_length"),
    ("generation_kwargs={num_beams: 2}", "a group is sampled, each answer by itself"),
    ("generation_kwargs={tipical_p: 0.9}", "unknown key; did you mean 'typical_p'?"),
    ("label_set=ekman", "label_set: 'ekman' is not known"),
    ("eval_steps=5", "eval_steps: there is no evaluation by loss; use `emollm predict`"),
    ("sync_ref_model=true", "the recipe does not hold together: You passed `sync_ref_model=True` while `beta=0.0`"),
]


@pytest.mark.parametrize(("override", "message"), GRPO, ids=[override for override, _ in GRPO])
def test_grpo_says_it_in_one_line(
    override: str,
    message: str,
    refusal: Callable[..., str],
    toy_file: Path,
    tiny_dir: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(REWARDS, "letter_e", LETTER_E)
    said = refusal(grpo.main, override, **recipe_of_toys(toy_file, tiny_dir, tmp_path))
    assert message in said
    assert len(said.splitlines()) <= 2


@pytest.mark.parametrize("override", ["loss_type=[sigmiod]", "f_divergence_type=revers_kl"])
def test_dpo_says_it_in_one_line(override: str, refusal: Callable[..., str]) -> None:
    assert "did you mean" in refusal(dpo.main, override)


def test_rewards_may_go_unscaled(toy_file: Path, tiny_dir: Path, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setitem(REWARDS, "letter_e", LETTER_E)
    values = recipe_of_toys(toy_file, tiny_dir, tmp_path) | {"max_steps": 1, "save_strategy": False}
    carry_out(grpo.main, values | {"scale_rewards": False}, tmp_path)


def test_what_our_own_code_raises_keeps_its_traceback() -> None:
    with pytest.raises(ValueError, match="of our own"), mistakes_said():
        raise ValueError("of our own")
