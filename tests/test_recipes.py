"""Recipes: every YAML here is one that a stage accepts, and a wrong one is refused with all its problems."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import msgspec
import pytest

yaml = pytest.importorskip("yaml")
pytest.importorskip("trl")

from emollm.errors import ConfigError  # noqa: E402
from emollm.train import STAGES, base, dpo, grpo, main, sft  # noqa: E402
from emollm.train.groups import check_groups  # noqa: E402
from emollm.train.limits import ROLLOUT, TRAINER  # noqa: E402
from emollm.train.recipe import check_values, read_values  # noqa: E402
from emollm.train.rounds.recipe import read_recipe  # noqa: E402

ROOT = Path(__file__).parent.parent
RECIPES = sorted(path for path in (ROOT / "recipes").rglob("*.yaml") if path.parent.name != "accelerate")
LAUNCHERS = sorted((ROOT / "recipes" / "accelerate").glob("*.yaml"))
SFT = {"model": "m", "train_file": "t.jsonl", "output_dir": "o"}


def check_sft(values: dict[str, Any]) -> tuple[sft.Recipe, dict[str, Any]]:
    from trl import SFTConfig

    return check_values(values, sft.Recipe, SFTConfig, sft.REFUSED)


def check_grpo(values: dict[str, Any]) -> dict[str, Any]:
    from trl import GRPOConfig

    trainer = check_values(values, grpo.Recipe, GRPOConfig, grpo.REFUSED)[1]
    check_groups(trainer, world=1)
    return trainer


def check_dpo(values: dict[str, Any]) -> dict[str, Any]:
    from trl import DPOConfig

    return check_values(values, dpo.Recipe, DPOConfig, dpo.REFUSED)[1]


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_every_recipe_is_accepted_by_its_stage(path: Path) -> None:
    values = read_values(path)
    if path.stem == "base":
        recipe, _ = check_values(values, base.Recipe)
        assert recipe.train_file
    elif path.stem == "rounds":
        assert read_recipe(path).train_file
    else:
        checks = {"sft": lambda values: check_sft(values)[1], "grpo": check_grpo, "dpo": check_dpo}
        trainer = checks.get(path.stem.partition("_")[0], checks["sft"])(values)
        assert trainer["output_dir"]
        assert isinstance(trainer["learning_rate"], float)


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_every_recipe_begins_with_its_launch_line(path: Path) -> None:
    assert f"--config {path.relative_to(ROOT).as_posix()}" in "".join(path.read_text().splitlines(True)[:4])


@pytest.mark.parametrize("path", LAUNCHERS, ids=lambda path: path.name)
def test_accelerate_takes_every_launcher_file(path: Path) -> None:
    from accelerate.commands.config.config_args import load_config_from_file

    assert load_config_from_file(str(path)).num_processes >= 1


def test_all_problems_are_listed_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        check_sft({"model": 3, "train_fil": "a", "learning_rate": "fast", "lora": {"rank": 8}, "output_dir": "o"})
    message = str(caught.value)
    assert "5 problem(s)" in message
    for part in ("model: ", "did you mean 'train_file'", "learning_rate: ", "lora.rank: ", "train_file: is missing"):
        assert part in message


WRONG_NUMBERS: dict[str, Any] = {
    "max_steps": -5,
    "learning_rate": "nan",
    "per_device_train_batch_size": 0,
    "warmup_steps": -3,
    "adam_beta2": 1,
    "save_total_limit": 0,
    "seed": 2**32,
    "max_pixels": 0,
    "num_processes": 0,
    "lora": {"r": 0},
    "styles": {"label": float("inf")},
}


def test_every_number_out_of_its_range_is_listed() -> None:
    with pytest.raises(ConfigError) as caught:
        check_sft(SFT | WRONG_NUMBERS)
    message = str(caught.value)
    assert f"{len(WRONG_NUMBERS)} problem(s)" in message
    assert all(f"\n  {name}" in message for name in WRONG_NUMBERS)
    assert message.count(": expected") == len(WRONG_NUMBERS)


def test_every_number_of_the_base_has_its_range() -> None:
    wrong = {"image_size": 0, "eye_steps": -1, "batch_size": 0, "learning_rate": -1, "seed": -1}
    with pytest.raises(ConfigError, match=rf"{len(wrong)} problem\(s\)"):
        check_values({"train_file": "t", "output_dir": "o"} | wrong, base.Recipe)


def test_every_limited_number_and_every_refused_key_is_one_that_the_trainer_has() -> None:
    from trl import GRPOConfig, SFTConfig

    of_sft, of_grpo = ({field.name for field in dataclasses.fields(config)} for config in (SFTConfig, GRPOConfig))
    assert {*TRAINER, *sft.REFUSED, *sft.DEFAULTS} <= of_sft
    assert {*TRAINER, *ROLLOUT, *grpo.REFUSED, *grpo.DEFAULTS} <= of_grpo


@pytest.mark.parametrize("name", ["facial-r1", "r1-omni"])
def test_published_grpo_does_not_follow_the_defaults_of_trl(name: str) -> None:
    """Both sum the rewards, scale them by the spread of the group, and take the mean over each answer's tokens."""
    trainer = check_grpo(read_values(ROOT / "recipes" / name / "grpo.yaml"))
    published = {"loss_type": "grpo", "scale_rewards": "group", "num_iterations": 1, "temperature": 1.0}
    assert {key: trainer.get(key) for key in published} == published
    assert trainer["beta"] == {"facial-r1": 0.0, "r1-omni": 0.04}[name]


def test_a_number_that_yaml_reads_as_text_is_a_number() -> None:
    assert check_sft(SFT | {"learning_rate": "2e-5"})[1]["learning_rate"] == 2e-5


def test_the_no_that_yaml_reads_as_false_is_a_word(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("save_strategy: no\nmodel: m\ntrain_file: t\noutput_dir: o\n")
    assert check_sft(read_values(tmp_path / "a.yaml"))[1]["save_strategy"] == "no"


def test_an_override_goes_over_the_recipe_also_inside_a_mapping(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("model: m\nlora: {r: 4, alpha: 8}\n")
    values = read_values(path, ["lora.r=32", "styles={label: 2}", "model=n"])
    assert values == {"model": "n", "lora": {"r": 32, "alpha": 8}, "styles": {"label": 2}}


@pytest.mark.parametrize("override", ["learning_rate", "=3", "a={b"])
def test_an_override_that_is_none_is_refused(override: str, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("model: m\n")
    with pytest.raises(ConfigError):
        read_values(tmp_path / "a.yaml", [override])


@pytest.mark.parametrize("text", ["- a\n- b", "a: [", ""], ids=["list", "torn", "empty"])
def test_a_file_that_is_no_recipe_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(text)
    with pytest.raises(ConfigError, match=r"a\.yaml"):
        read_values(tmp_path / "a.yaml")


def test_a_recipe_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        read_values(tmp_path / "none.yaml")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"styles": {"sektions": 1}}, "did you mean 'sections'"),
        ({"styles": {"label": -1}}, "negative"),
        ({"styles": {"label": 0}}, "every share is 0"),
        ({"lora": {}, "freeze_vision": True}, "lora.vision"),
    ],
)
def test_values_that_cannot_work_are_refused(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        check_sft(SFT | values)


def test_a_length_that_would_cut_pictures_is_refused() -> None:
    with pytest.raises(ConfigError, match="max_length: nothing is cut off here"):
        check_sft(SFT | {"max_length": 1024})


def test_a_launcher_that_starts_too_few_processes_is_refused(tmp_path: Path) -> None:
    from trl import SFTConfig

    recipe, trainer = check_sft(SFT | {"num_processes": 2, "output_dir": str(tmp_path)})
    with pytest.raises(ConfigError, match="2 must take part, but the launcher started 1"):
        sft.trainer_settings(SFTConfig, trainer, recipe)


def test_train_without_a_stage_lists_the_stages(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    shown = capsys.readouterr().out
    assert all(name in shown for name in STAGES)


def test_an_unknown_stage_is_a_usage_error_with_a_hint(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["stf"]) == 2
    assert "did you mean 'sft'" in capsys.readouterr().err


def test_a_recipe_can_be_printed_without_a_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("model: m\ntrain_file: t.jsonl\noutput_dir: o\n")
    assert sft.main(["--config", str(path), "max_steps=3", "--print-config"]) == 0
    assert msgspec.json.decode(capsys.readouterr().out)["max_steps"] == 3


@pytest.mark.parametrize(
    ("values", "world", "message"),
    [
        ({"per_device_train_batch_size": 9, "num_generations": 4}, 2, "2, 3, 6 or 9 would do, or .* 8 or 10$"),
        ({"num_generations": 3}, 1, r"rollout of 8 \(per_device.* 2, 4 or 8 would do, or .*_size 6 or 9$"),
        ({"per_device_train_batch_size": 1, "gradient_accumulation_steps": 2}, 2, r"4 \(.* 2 or 4 would .*_size 2$"),
        ({"per_device_train_batch_size": 1}, 1, r"8 answers .* a rollout of 1 \(.*\); take per_device_.* 8$"),
        ({"generation_batch_size": 10}, 1, r"10 \(generation_batch_size\); .* or generation_batch_size 8 or 16$"),
        ({"per_device_train_batch_size": 3, "gradient_accumulation_steps": 8}, 1, ""),
        ({"per_device_train_batch_size": 3, "steps_per_generation": 4}, 2, ""),
    ],
)
def test_a_rollout_holds_whole_groups(values: dict[str, Any], world: int, message: str) -> None:
    if not message:
        check_groups(values, world)
        return
    with pytest.raises(ConfigError, match=message):
        check_groups(values, world)
