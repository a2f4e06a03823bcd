"""The plan of a training: rows and steps as the run has them, and a text that says what fits and what helps."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

pytest.importorskip("torch")
pytest.importorskip("trl")

from stand_ins import save_stand_in

from emollm.errors import ConfigError, ModelError
from emollm.train import grpo, sft
from emollm.train.launch import DEFAULTS
from emollm.train.plan import memory as accounts
from emollm.train.plan.compute import arithmetic, card
from emollm.train.plan.memory import GB
from emollm.train.plan.plan import Launcher, Plan, make_plan, read_launcher, remedies
from emollm.train.plan.table import fits, render, trainer_defaults

ROOT = Path(__file__).parent.parent
TEXTS = ["Which expression is this? Choose from: happiness, sadness.", "AU12 is clearly there, so happiness."] * 9


def sft_options(**values: Any) -> dict[str, Any]:
    from trl import SFTConfig

    recipe = sft.Recipe(model="Qwen/Qwen2.5-VL-3B-Instruct", train_file="none.jsonl")
    own = {field: getattr(recipe, field) for field in recipe.__struct_fields__}
    return trainer_defaults(SFTConfig) | DEFAULTS | own | values


def test_the_plan_of_a_file_counts_rows_and_steps_as_the_run_does(toy_file: Path, tmp_path: Path) -> None:
    folder = save_stand_in("qwen3_vl", TEXTS, tmp_path / "base")
    values = {"model": str(folder), "train_file": str(toy_file), "per_device_train_batch_size": 5}
    values |= {"gradient_accumulation_steps": 2, "num_train_epochs": 1.0}
    plan = make_plan("sft", sft_options(**values), Launcher())
    assert (plan.lengths.rows, plan.steps_per_epoch, plan.steps) == (48, 5, 5)
    assert "measured on" in plan.lengths.origin
    (tmp_path / "r.yaml").write_text(json.dumps({**values, "output_dir": str(tmp_path / "run"), "save_strategy": "no"}))
    assert sft.main(["--config", str(tmp_path / "r.yaml")]) == 0
    assert json.loads((tmp_path / "run" / "manifest.json").read_text())["steps"] == plan.steps


@pytest.mark.slow
def test_grpo_takes_the_steps_that_the_plan_says(toy_file: Path, tmp_path: Path) -> None:
    from trl import GRPOConfig

    folder = save_stand_in("qwen3_vl", TEXTS, tmp_path / "base")
    values: dict[str, Any] = {"model": str(folder), "train_file": str(toy_file), "output_dir": str(tmp_path / "run")}
    values |= {"split": "test", "rewards": {"format": 1.0}, "num_generations": 2, "per_device_train_batch_size": 5}
    values |= {"gradient_accumulation_steps": 2, "max_completion_length": 4, "num_train_epochs": 1.0}
    (tmp_path / "r.yaml").write_text(json.dumps(values | {"save_strategy": "no"}))
    own = {name: getattr(grpo.Recipe(model="", train_file=""), name) for name in grpo.Recipe.__struct_fields__}
    plan = make_plan("grpo", trainer_defaults(GRPOConfig) | DEFAULTS | own | values, Launcher())
    assert grpo.main(["--config", str(tmp_path / "r.yaml")]) == 0
    assert json.loads((tmp_path / "run" / "manifest.json").read_text())["steps"] == plan.steps == 2


def plan_of(**values: Any) -> Plan:
    return make_plan("sft", sft_options(**values), Launcher())


def test_memory_goes_where_it_is_expected() -> None:
    lora = {"lora": {"r": 16}, "dtype": "bfloat16", "activation_checkpointing": True}
    plain = plan_of(**lora)
    assert plain.lines["weights"] == pytest.approx(3_754_622_976 * 2)
    assert plan_of(**lora, quantization="nf4").lines["weights"] < plain.lines["weights"] / 2
    assert plan_of(**lora | {"activation_checkpointing": False}).lines["activations"] > 3 * plain.lines["activations"]
    smoothed = plan_of(**lora, label_smoothing_factor=0.1)
    assert smoothed.lines["work"] > 2 * plain.lines["work"]


def test_a_plan_that_does_not_fit_says_what_would_help() -> None:
    options = sft_options(dtype="float32", per_device_train_batch_size=8)
    plan = make_plan("sft", options, Launcher())
    text = "\n".join(render("sft", options, Launcher(), plan, card("4090"), 0.25))
    assert "fits into 24 GB: no" in text
    helping = {name: changed.total for name, changed in remedies("sft", options, Launcher(), plan)}
    assert set(helping) >= {"activation_checkpointing=true", "lora={}", "optim=adamw_8bit"}
    assert all(total < plan.total for total in helping.values())
    assert all(name in text for name in helping)


def test_the_doubt_decides_between_yes_and_perhaps() -> None:
    plan = plan_of()
    total, doubt = plan.total / GB, accounts.doubt(plan.lines) / GB
    verdicts = [fits(plan, total + share * doubt) for share in (1.1, 0.5, -0.5, -1.1)]
    assert verdicts == ["yes", "perhaps", "perhaps", "no"]


def test_sixteen_bit_weights_without_a_copy_are_warned_of() -> None:
    for launcher, dtype, is_warned in ((Launcher(), "bfloat16", True), (Launcher(), "float32", False)):
        options = sft_options(dtype=dtype)
        plan = make_plan("sft", options, launcher)
        assert ("careful: 16-bit" in "\n".join(render("sft", options, launcher, plan, None, 0.25))) == is_warned


def test_a_launcher_file_says_how_many_processes_and_which_stage() -> None:
    found = read_launcher(ROOT / "recipes" / "accelerate" / "zero3.yaml")
    assert found._replace(num_processes=8) == Launcher(8, 3, deepspeed=True)
    with pytest.raises(ConfigError, match="no distributed_type"):
        read_launcher(ROOT / "recipes" / "quickstart" / "sft.yaml")


def test_what_fsdp_offloads_is_not_on_the_gpu(tmp_path: Path) -> None:
    text = (ROOT / "recipes" / "accelerate" / "fsdp2.yaml").read_text()
    assert "fsdp_offload_params: false" in text
    path = tmp_path / "offload.yaml"
    path.write_text(text.replace("fsdp_offload_params: false", "fsdp_offload_params: true"))
    options = sft_options(dtype="float32")
    launchers = [read_launcher(file) for file in (ROOT / "recipes" / "accelerate" / "fsdp2.yaml", path)]
    here, away = (make_plan("sft", options, launcher) for launcher in launchers)
    gone = {"weights", "gradients", "optimizer"}
    assert here.lines.keys() - away.lines.keys() == gone
    assert away.total == pytest.approx(here.total - sum(here.lines[name] for name in gone))
    helping = {text: plan.total for text, plan in remedies("sft", options, launchers[0], here)}
    assert helping["fsdp_offload_params: true"] == away.total
    assert "fsdp_offload_params: true" not in dict(remedies("sft", options, launchers[1], away))


def test_the_command_plans_without_loading(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    recipe = ["--config", "recipes/qwen2.5-vl-3b/sft_lora.yaml", "train_file=none.jsonl", "--plan"]
    assert sft.main([*recipe, "--gpu", "4090"]) == 0
    shown = capsys.readouterr().out
    for part in ("3,754,622,976", "nothing is loaded", "fits into 24 GB: yes", "at 25% of 165 TFLOP/s", "± 25%"):
        assert part in shown
    with pytest.raises(ConfigError, match="--gpu 4080: not known; did you mean '4090'"):
        sft.main([*recipe, "--gpu", "4080"])
    with pytest.raises(ModelError, match="no such directory"):
        sft.main([*recipe, "model=somebody/unknown"])


def test_the_longest_row_counts_for_memory_and_the_mean_for_time() -> None:
    plan = plan_of(styles={"label": 3.0, "sections": 1.0})
    assert plan.batch.tokens == math.ceil(plan.lengths.longest.tokens) > plan.lengths.mean.tokens
    assert plan.work == arithmetic(plan.anatomy, plan.lengths.mean)


def test_groups_that_do_not_fit_the_batch_are_said_before_anything_is_planned(tmp_path: Path) -> None:
    values = {"model": "Qwen/Qwen2.5-VL-3B-Instruct", "train_file": "t.jsonl", "output_dir": "o", "num_generations": 6}
    (tmp_path / "r.yaml").write_text(json.dumps(values | {"per_device_train_batch_size": 9}))
    plan = ["--config", str(tmp_path / "r.yaml"), "--plan"]
    with pytest.raises(ConfigError, match="num_generations 3 or 9 would do, or per_device_train_batch_size 6 or 12"):
        grpo.main(plan)
    with pytest.raises(ModelError):  # eighteen answers are three groups
        grpo.main([*plan, "--launcher", str(ROOT / "recipes" / "accelerate" / "ddp.yaml"), "model=none/of/these"])


def test_the_embedded_base_is_found_where_it_lies() -> None:
    from emollm.vlm.bases import find_config

    assert find_config("emollm-tiny")[1] == "config.json"


def test_a_plan_of_a_known_base_asks_no_hub(tmp_path: Path) -> None:
    asked: list[str] = []

    class Hub(BaseHTTPRequestHandler):
        """Writes down what it is asked for, and has none of it."""

        def do_HEAD(self) -> None:
            asked.append(self.path)
            self.send_error(404)

        do_GET = do_HEAD  # noqa: N815

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    values = {"model": "Qwen/Qwen2.5-VL-3B-Instruct", "train_file": "none.jsonl", "output_dir": "o", "lora": {"r": 8}}
    (tmp_path / "r.yaml").write_text(json.dumps(values))
    with ThreadingHTTPServer(("127.0.0.1", 0), Hub) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}"
        told = subprocess.run(
            [sys.executable, "-m", "emollm.cli", "train", "sft", "--config", str(tmp_path / "r.yaml"), "--plan"],
            env=os.environ | {"HF_HUB_OFFLINE": "0", "HF_ENDPOINT": address, "HF_HOME": str(tmp_path / "home")},
            capture_output=True,
            text=True,
        )
        server.shutdown()
    assert told.returncode == 0, told.stderr
    assert "sizes from our table of published bases" in told.stdout
    assert not [path for path in asked if "Qwen" in path]
