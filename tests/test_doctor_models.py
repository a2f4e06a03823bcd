"""The doctor on models, runs and recipes: what would fail hours later is said now."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("trl")

from emollm.doctor import machine  # noqa: E402
from emollm.doctor.finding import Finding  # noqa: E402
from emollm.doctor.patient import Look, examine  # noqa: E402
from emollm.train import sft  # noqa: E402


def look(path: Path) -> list[Finding]:
    return examine(str(path), Look())


def worse(findings: list[Finding]) -> list[tuple[str, str]]:
    return [(one.level, one.what) for one in findings if one.level != "fine"]


def said(findings: list[Finding], level: str, what: str) -> bool:
    return any(one.level == level and what in one.what and (one.todo or level == "fine") for one in findings)


@pytest.fixture
def model(tiny_dir: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny_dir, tmp_path / "model"))


def test_a_good_model_has_nothing_wrong_with_it(tiny_dir: Path) -> None:
    findings = look(tiny_dir)
    assert worse(findings) == []
    assert said(findings, "fine", "a picture of 640 x 480 becomes 2 tokens")
    assert said(findings, "fine", "an answer ends with <|im_end|>, where generation stops")


def remove(*names: str) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        for name in names:
            (folder / name).unlink()

    return damage


def edit(name: str, **changes: Any) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        values = json.loads((folder / name).read_text())
        (folder / name).write_text(json.dumps(values | changes))

    return damage


def cut(folder: Path) -> None:
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-100])


def pickled(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")


def pickled_too(folder: Path) -> None:
    (folder / "weights.pt").write_bytes(b"x")


def blind(folder: Path) -> None:
    template = folder / "chat_template.jinja"
    template.write_text(template.read_text().replace("<|vision_start|><|image_pad|><|vision_end|>", ""))


def more_words(folder: Path) -> None:
    values = json.loads((folder / "config.json").read_text())
    values["text_config"]["vocab_size"] = 64
    (folder / "config.json").write_text(json.dumps(values))


def endless(folder: Path) -> None:
    template = folder / "chat_template.jinja"
    template.write_text(template.read_text().replace("<|im_end|>", "<|endoftext|>"))


def odd_width(folder: Path) -> None:
    from safetensors.torch import load_file, save_file

    weights = load_file(folder / "model.safetensors")
    save_file(weights | {"model.layers.0.mlp.odd_proj.weight": torch.zeros(4, 96)}, folder / "model.safetensors")


DAMAGES: dict[str, tuple[Callable[[Path], None], str, str]] = {
    "weights cut off": (cut, "error", "model.safetensors: the weights are cut off"),
    "only a pickle": (pickled, "error", "has only pickles: pytorch_model.bin"),
    "a pickle beside": (pickled_too, "warning", "holds pickles too: weights.pt"),
    "no weights": (remove("model.safetensors"), "error", "has no weights"),
    "no tokenizer": (remove("tokenizer.json", "tokenizer_config.json"), "error", "has no tokenizer_config.json"),
    "no chat template": (remove("chat_template.jinja"), "error", "has no chat template"),
    "config of nothing": (edit("config.json", model_type="none"), "error", "config.json cannot be used"),
    "template drops the picture": (blind, "error", "a picture"),
    "tokenizer of another model": (more_words, "error", "tokens, the model 64 rows for them"),
    "an end that stops nothing": (
        endless,
        "error",
        "an answer ends with <|endoftext|>, where generation does not stop",
    ),
    "widths for QLoRA": (odd_width, "warning", "model.layers.0.mlp.odd_proj.weight: 96"),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_each_damage_of_a_model_is_named(name: str, model: Path) -> None:
    damage, level, what = DAMAGES[name]
    damage(model)
    findings = look(model)
    assert said(findings, level, what), worse(findings)


def test_a_shard_that_is_missing_is_named(tiny_dir: Path, tmp_path: Path) -> None:
    from emollm.vlm.load import load_model

    loaded, processor = load_model(tiny_dir, device="cpu")
    loaded.save_pretrained(tmp_path / "sharded", max_shard_size="300KB")
    processor.save_pretrained(tmp_path / "sharded")
    assert worse(look(tmp_path / "sharded")) == []
    next(iter((tmp_path / "sharded").glob("model-00002*"))).unlink()
    assert said(look(tmp_path / "sharded"), "error", "model-00002-of-")


@pytest.fixture
def lora(tiny_dir: Path, tmp_path: Path) -> Path:
    from peft import LoraConfig, get_peft_model

    from emollm.vlm.load import load_model

    loaded, _ = load_model(tiny_dir, device="cpu", trainable=True)
    get_peft_model(loaded, LoraConfig(r=4, target_modules=["q_proj"])).save_pretrained(tmp_path / "lora")
    return tmp_path / "lora"


def test_an_adapter_is_looked_at_with_its_base(lora: Path, tiny_dir: Path) -> None:
    findings = look(lora)
    assert worse(findings) == []
    assert said(findings, "fine", f"its base is there: {tiny_dir}")


def test_an_adapter_without_its_base_is_an_error(lora: Path) -> None:
    edit("adapter_config.json", base_model_name_or_path="/gone/base")(lora)
    assert said(look(lora), "error", "/gone/base: no such directory")


@pytest.fixture(scope="module")
def trained(toy_file: Path, tiny_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of four steps with a checkpoint at the second."""
    folder = tmp_path_factory.mktemp("trained")
    values = {
        "model": str(tiny_dir),
        "train_file": str(toy_file),
        "output_dir": str(folder / "run"),
        "max_steps": 4,
        "per_device_train_batch_size": 4,
        "learning_rate": 2e-3,
        "logging_steps": 1,
        "save_steps": 2,
    }
    (folder / "recipe.yaml").write_text(f"# emollm train sft --config recipe.yaml\n{json.dumps(values)}")
    assert sft.main(["--config", str(folder / "recipe.yaml")]) == 0
    return folder / "run"


@pytest.fixture
def run(trained: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(trained, tmp_path / "run"))


def test_a_run_that_is_done_has_nothing_wrong_with_it(trained: Path) -> None:
    findings = look(trained)
    assert worse(findings) == [("warning", "holds what only its trainer reads: training_args.bin")]
    assert said(findings, "fine", "`train sft` is done, 4 steps")
    assert said(findings, "fine", "checkpoint-4 is whole")


def aged(folder: Path) -> None:
    import os

    for path in folder.rglob("*"):
        os.utime(path, (0, 0))


def test_a_run_that_was_killed_is_told_from_one_that_runs(run: Path) -> None:
    edit("manifest.json", status="running")(run)
    assert said(look(run), "warning", "`train sft` runs, at step 4")
    aged(run)
    assert said(look(run), "error", "`train sft` was killed after step 4")


def test_a_run_that_failed_or_was_stopped_says_so(run: Path) -> None:
    edit("manifest.json", status="stopped", steps=2)(run)
    assert said(look(run), "warning", "was stopped at step 2")
    edit("manifest.json", status="failed", reason="the loss is no number")(run)
    assert said(look(run), "error", "failed: the loss is no number")


def test_a_loss_that_is_no_number_is_named_by_its_step(run: Path) -> None:
    with (run / "train_log.jsonl").open("a") as file:
        file.write('{"step": 5, "loss": NaN}\n{"step": 6, "loss": NaN, "grad_norm": Infinity}\n{"step": 7, "lo')
    findings = look(run)
    assert said(findings, "error", "loss is nan from step 5 on")
    assert said(findings, "error", "grad_norm is inf from step 6 on")


def test_a_loss_that_goes_up_is_named(run: Path) -> None:
    lines = [{"step": step, "loss": 1.0 + step} for step in range(8)]
    (run / "train_log.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert said(look(run), "warning", "loss 1.5 in the first quarter, 7.5 in the last")


def shorten(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


TORN: dict[str, tuple[Callable[[Path], None], str]] = {
    "no trainer state": (lambda path: (path / "trainer_state.json").unlink(), "trainer_state.json is missing"),
    "no optimizer": (lambda path: (path / "optimizer.pt").unlink(), "optimizer.pt is missing"),
    "no schedule": (lambda path: (path / "scheduler.pt").unlink(), "scheduler.pt is missing"),
    "weights cut off": (lambda path: shorten(path / "model.safetensors"), "model.safetensors has "),
    "no weights": (lambda path: (path / "model.safetensors").unlink(), "model.safetensors is missing"),
}


@pytest.mark.parametrize("name", TORN)
def test_a_torn_checkpoint_is_an_error_as_long_as_the_run_needs_it(name: str, run: Path) -> None:
    damage, what = TORN[name]
    damage(run / "checkpoint-4")
    assert said(look(run), "warning", "checkpoint-4 is not whole: ")
    edit("manifest.json", status="stopped")(run)
    findings = look(run)
    assert said(findings, "error", what)
    assert said(findings, "fine", "checkpoint-2 is whole: a rerun goes on from there")


def test_a_training_file_that_changed_stops_a_rerun(run: Path, toy_file: Path, tmp_path: Path) -> None:
    moved = Path(shutil.copy(toy_file, tmp_path / toy_file.name))
    options = json.loads((run / "manifest.json").read_text())["options"]
    edit("manifest.json", status="stopped", options=options | {"train_file": str(moved)})(run)
    assert not said(look(run), "error", "has changed since")
    with moved.open("a") as file:
        file.write('{"id": "new"}\n')
    assert said(look(run), "error", "has changed since")
    moved.unlink()
    assert said(look(run), "error", "is not there any more")


def test_weights_that_deepspeed_split_are_named_with_the_way_to_mend_it(run: Path) -> None:
    (run / "model.safetensors").unlink()
    assert said(look(run), "error", "is done, but holds no weights")
    (run / "latest").write_text("global_step4")
    (finding,) = (one for one in look(run) if "DeepSpeed split them" in one.what)
    assert finding.todo == f"emollm merge --model {run} -o {run}-whole"


def test_a_recipe_is_parsed_by_its_stage_and_its_files_are_looked_for(trained: Path, tmp_path: Path) -> None:
    recipe = trained.parent / "recipe.yaml"
    findings = look(recipe)
    assert worse(findings) == []
    assert said(findings, "fine", "`train sft` takes it")
    text = recipe.read_text()
    (tmp_path / "wrong.yaml").write_text(text.replace("max_steps", "max_step").replace("cot.jsonl", "gone.jsonl"))
    assert said(look(tmp_path / "wrong.yaml"), "error", "max_step: unknown key; did you mean 'max_steps'?")
    (tmp_path / "gone.yaml").write_text(text.replace("cot.jsonl", "gone.jsonl"))
    assert said(look(tmp_path / "gone.yaml"), "error", "gone.jsonl is not there")
    (tmp_path / "torn.yaml").write_text("a: [")
    assert said(look(tmp_path / "torn.yaml"), "error", "not YAML")
    (tmp_path / "what.yaml").write_text("colour: blue")
    assert said(look(tmp_path / "what.yaml"), "error", "does not say which stage it is for")


ROOT = Path(__file__).parent.parent


@pytest.mark.parametrize(
    "path", sorted(ROOT.glob("recipes/*/*.yaml")), ids=lambda path: f"{path.parent.name}/{path.name}"
)
def test_every_shipped_recipe_is_taken_by_its_stage(path: Path) -> None:
    findings = look(path)
    takes = "a launcher file for accelerate" if path.parent.name == "accelerate" else "takes it"
    assert said(findings, "fine", takes), worse(findings)


def test_a_torchvision_that_does_not_fit_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    from emollm.vlm import processors

    monkeypatch.setattr(machine, "_version", lambda name: "0.28.0" if name == "torchvision" else None)
    monkeypatch.setattr(processors, "has_torchvision", lambda: False)
    (finding,) = machine._torchvision()
    assert (finding.level, "0.28.0 does not fit" in finding.what) == ("warning", True)
