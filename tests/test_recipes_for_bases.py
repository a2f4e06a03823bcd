"""The recipes for published bases: each says its memory and its source, and trains a step on a stand-in of its base."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

trl = pytest.importorskip("trl")

from stand_ins import save_stand_in  # noqa: E402

from emollm.records import Sample, read_records  # noqa: E402
from emollm.train import base, grpo, sft  # noqa: E402
from emollm.train.launch import DEFAULTS, launch  # noqa: E402
from emollm.train.lora import Lora, peft_config  # noqa: E402
from emollm.train.plan.memory import GB  # noqa: E402
from emollm.train.plan.plan import Launcher, make_plan, read_launcher  # noqa: E402
from emollm.train.plan.table import trainer_defaults  # noqa: E402
from emollm.train.recipe import check_values, read_values  # noqa: E402
from emollm.vlm.bases import BASES  # noqa: E402
from emollm.vlm.load import load_model  # noqa: E402

ROOT = Path(__file__).parent.parent
OTHERS = ("accelerate", "quickstart", "emollm-tiny")
RECIPES = [path for path in sorted((ROOT / "recipes").glob("*/*.yaml")) if path.parent.name not in OTHERS]
METHODS = {"sft": sft.METHOD, "grpo": grpo.METHOD}
QUICK = ("qwen2.5-vl-3b/sft_qlora.yaml", "qwen3-vl-4b/sft_lora.yaml", "expllm/sft.yaml")
"""One of each architecture and kind; the others are walked in the slow tests."""


def name_of(path: Path) -> str:
    return f"{path.parent.name}/{path.name}"


def method_of(path: Path) -> Any:
    return METHODS[path.stem.partition("_")[0]]


def base_of(path: Path) -> str:
    """The published base of a recipe; one that goes on from another run names it where it says its memory."""
    named = re.search(r"--plan model=(\S+),", path.read_text())
    return named[1] if named else str(read_values(path)["model"])


@pytest.mark.parametrize("path", RECIPES, ids=name_of)
def test_a_recipe_says_its_memory_and_its_source(path: Path) -> None:
    text = path.read_text()
    assert re.search(r"# Memory: [\d.]+ GB .*by --plan.*, an estimate; not measured", text)
    assert "Settings: " in text or re.search(r"arXiv|AAAI|ICML|NeurIPS|IEEE", text)
    assert base_of(path) in BASES


@pytest.mark.slow
@pytest.mark.parametrize("path", RECIPES, ids=name_of)
def test_the_memory_that_a_recipe_says_is_the_one_that_its_plan_says(path: Path) -> None:
    method, text = method_of(path), path.read_text()
    config = getattr(trl, method.config)
    values = read_values(path) | {"model": base_of(path), "train_file": "none.jsonl"}
    recipe, trainer = check_values(values, method.recipe, config, method.refused)
    options = trainer_defaults(config) | DEFAULTS | msgspec.to_builtins(recipe) | trainer
    launched = re.match(r"# accelerate launch --config_file (\S+)", text)
    launcher = read_launcher(ROOT / launched[1]) if launched else Launcher()
    said = re.search(r"# Memory: ([\d.]+) GB", text)
    assert said is not None
    assert float(said[1]) == pytest.approx(make_plan(method.name, options, launcher).total / GB, abs=0.06)


class Shelf(dict[str, Path]):
    """Folders of stand-ins by model type, each made when it is first asked for."""

    def __init__(self, folder: Path, toy_file: Path) -> None:
        super().__init__()
        self.folder = folder
        samples = list(read_records(toy_file, Sample))
        self.texts = list(base.corpus(samples, sorted(base.questions_about(samples))))

    def __missing__(self, arch: str) -> Path:
        self[arch] = save_stand_in(arch, self.texts, self.folder / arch)
        return self[arch]


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory, toy_file: Path) -> Shelf:
    return Shelf(tmp_path_factory.mktemp("stand_ins"), toy_file)


def save_adapter(standing: Path, folder: Path) -> Path:
    """Write an untaught adapter, as an SFT before would have left one."""
    from peft import get_peft_model

    get_peft_model(load_model(standing, trainable=True)[0], peft_config(Lora(r=4))).save_pretrained(folder)
    return folder


@pytest.mark.parametrize(
    "path",
    [pytest.param(p, marks=[] if name_of(p) in QUICK else pytest.mark.slow, id=name_of(p)) for p in RECIPES],
)
def test_a_recipe_trains_a_step_on_a_stand_in(path: Path, shelf: Shelf, toy_file: Path, tmp_path: Path) -> None:
    method, values = method_of(path), read_values(path)
    if "quantization" in values:
        pytest.importorskip("bitsandbytes")
    standing = shelf[BASES[base_of(path)].model_type]
    small: dict[str, Any] = {
        "model": standing,
        "train_file": toy_file,
        "output_dir": tmp_path / "run",
        "num_processes": "null",
        "dtype": "float32",
        "bf16": "false",
        "max_steps": 1,
        "per_device_train_batch_size": 2,
        "gradient_accumulation_steps": 1,
        "warmup_steps": 0,
        "save_strategy": "no",
        "logging_steps": 1,
    }
    if "labels" in values.get("styles", {}):
        small["styles"] = "{label: 1, sections: 1}"  # the toy faces have one label each
    if method.name == "grpo":
        small |= {"num_generations": 2, "max_completion_length": 6}
    if "adapter" in values:
        small["adapter"] = save_adapter(standing, tmp_path / "adapter")
    assert launch(method, ["--config", str(path), *(f"{name}={value}" for name, value in small.items())]) == 0
    log = [json.loads(line) for line in (tmp_path / "run" / "train_log.jsonl").read_text().splitlines()]
    assert all(math.isfinite(entry["loss"]) for entry in log if "loss" in entry)
    if method.name == "sft":
        assert log[0]["grad_norm"] > 0
    lora = values.get("lora")
    saved = "model.safetensors" if lora is None and "adapter" not in values else "adapter_model.safetensors"
    assert (tmp_path / "run" / saved).is_file()
