"""Supervised fine-tuning: runs that resume, and LoRA."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("trl")

from emollm.errors import ConfigError, SourceError, TrainingError  # noqa: E402
from emollm.pictures import open_picture  # noqa: E402
from emollm.records import Sample, encode  # noqa: E402
from emollm.train import sft  # noqa: E402
from emollm.train.lora import Lora, is_vision, peft_config, trainable_table  # noqa: E402
from emollm.train.run import open_run, read_log  # noqa: E402
from emollm.vlm.load import load_model  # noqa: E402
from emollm.vlm.turns import ask_about, encode_prompts  # noqa: E402


@pytest.fixture
def recipe(toy_file: Path, tiny_dir: Path, tmp_path: Path) -> Path:
    """A recipe of four steps."""
    values = {
        "model": str(tiny_dir),
        "train_file": str(toy_file),
        "output_dir": str(tmp_path / "run"),
        "max_steps": 4,
        "per_device_train_batch_size": 4,
        "learning_rate": 2e-3,
        "logging_steps": 1,
        "save_steps": 2,
    }
    path = tmp_path / "recipe.yaml"
    path.write_text(json.dumps(values))
    return path


def weights(folder: Path) -> dict[str, Any]:
    return dict(load_model(folder, device="cpu")[0].state_dict())


def test_a_run_leaves_a_model_a_log_and_a_manifest(recipe: Path, tmp_path: Path) -> None:
    assert sft.main(["--config", str(recipe), "styles={label: 1, sections: 1}"]) == 0
    manifest = json.loads((tmp_path / "run" / "manifest.json").read_text())
    assert manifest["status"] == "done"
    assert manifest["rows"] == {"label": 48, "sections": 48}
    assert list(manifest["inputs"]) == ["cot.jsonl"]
    log = [json.loads(line) for line in (tmp_path / "run" / "train_log.jsonl").read_text().splitlines()]
    assert [entry["step"] for entry in log if "loss" in entry] == [1, 2, 3, 4]
    assert hasattr(load_model(tmp_path / "run")[1], "image_processor")


def test_a_resumed_run_ends_like_one_that_was_not_stopped(recipe: Path, tmp_path: Path) -> None:
    whole = f"output_dir={tmp_path / 'whole'}"
    assert sft.main(["--config", str(recipe), whole]) == 0
    assert sft.main(["--config", str(recipe), "max_steps=2", "lr_scheduler_type=constant"]) == 0
    constant = f"output_dir={tmp_path / 'constant'}"
    assert sft.main(["--config", str(recipe), constant, "lr_scheduler_type=constant"]) == 0
    assert sft.main(["--config", str(recipe), "lr_scheduler_type=constant"]) == 0
    resumed, uninterrupted = weights(tmp_path / "run"), weights(tmp_path / "constant")
    for name, value in uninterrupted.items():
        torch.testing.assert_close(resumed[name], value, atol=1e-5, rtol=1e-4)


def test_a_run_that_is_done_is_left_alone(recipe: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert sft.main(["--config", str(recipe), "max_steps=1"]) == 0
    before = (tmp_path / "run" / "model.safetensors").stat().st_mtime_ns
    assert sft.main(["--config", str(recipe), "max_steps=1"]) == 0
    assert "done already" in capsys.readouterr().err
    assert (tmp_path / "run" / "model.safetensors").stat().st_mtime_ns == before


def test_other_settings_need_overwrite(recipe: Path, tmp_path: Path) -> None:
    assert sft.main(["--config", str(recipe), "max_steps=1"]) == 0
    with pytest.raises(ConfigError, match=r"learning_rate 0\.002 → 0\.001.*--overwrite"):
        sft.main(["--config", str(recipe), "max_steps=1", "learning_rate=0.001"])
    assert sft.main(["--config", str(recipe), "max_steps=1", "learning_rate=0.001", "--overwrite"]) == 0
    assert json.loads((tmp_path / "run" / "manifest.json").read_text())["options"]["learning_rate"] == 0.001


def test_a_mistake_before_the_first_step_binds_nobody(recipe: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no layer is named 'q_prj'"):
        sft.main(["--config", str(recipe), "max_steps=1", "lora={r: 4, target_modules: [q_prj]}"])
    told = json.loads((tmp_path / "run" / "manifest.json").read_text())
    assert (told["status"], "q_prj" in told["reason"]) == ("failed", True)
    assert sft.main(["--config", str(recipe), "max_steps=1", "lora={r: 4, target_modules: [q_proj]}"]) == 0


def test_a_folder_of_something_else_is_never_written_to(tmp_path: Path, toy_file: Path) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(ConfigError, match="not empty"):
        open_run(tmp_path, stage="sft", options={}, inputs=[toy_file], overwrite=True)
    assert (tmp_path / "thesis.tex").exists()


def test_ctrl_c_saves_and_the_same_command_goes_on(recipe: Path, tmp_path: Path) -> None:
    import os
    import signal

    from transformers import TrainerCallback

    class PressAtStepOne(TrainerCallback):  # type: ignore[misc]
        def on_step_begin(self, _args: Any, state: Any, _control: Any, **_: Any) -> None:
            if state.global_step == 0:
                os.kill(os.getpid(), signal.SIGINT)

    make = sft.make_trainer

    def pressed(*arguments: Any) -> Any:
        trainer = make(*arguments)
        trainer.add_callback(PressAtStepOne())
        return trainer

    sft.make_trainer = pressed
    try:
        with pytest.raises(KeyboardInterrupt):
            sft.main(["--config", str(recipe)])
    finally:
        sft.make_trainer = make
    assert (tmp_path / "run" / "checkpoint-1").is_dir()
    assert json.loads((tmp_path / "run" / "manifest.json").read_text())["status"] == "stopped"
    assert sft.main(["--config", str(recipe)]) == 0
    assert json.loads((tmp_path / "run" / "manifest.json").read_text())["steps"] == 4


def test_a_run_that_goes_on_in_a_later_epoch_sees_the_same_rows(recipe: Path, tmp_path: Path, toy_file: Path) -> None:
    few = toy_file.parent / "few.jsonl"
    few.write_bytes(b"".join(toy_file.read_bytes().splitlines(keepends=True)[:12]))  # three steps an epoch
    options = ["--config", str(recipe), f"train_file={few}", "lr_scheduler_type=constant", "save_steps=5"]
    assert sft.main([*options, f"output_dir={tmp_path / 'whole'}", "max_steps=8"]) == 0
    assert sft.main([*options, "max_steps=5"]) == 0
    assert sft.main([*options, "max_steps=8"]) == 0
    resumed = weights(tmp_path / "run")
    for name, value in weights(tmp_path / "whole").items():
        assert torch.equal(resumed[name], value), name
    log = [json.loads(line) for line in (tmp_path / "run" / "train_log.jsonl").read_text().splitlines()]
    assert [entry["step"] for entry in log if "loss" in entry] == [1, 2, 3, 4, 5, 6, 7, 8]


def test_a_loss_that_is_no_number_ends_the_run_with_one_line(recipe: Path, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"run: step 2: the (loss|gradient) is (nan|inf); lower learning_rate"):
        sft.main(["--config", str(recipe), "learning_rate=1e30", "save_steps=1"])
    assert [path.name for path in (tmp_path / "run").glob("checkpoint-*")] == ["checkpoint-1"]
    assert json.loads((tmp_path / "run" / "manifest.json").read_text())["status"] == "failed"


def test_a_last_step_that_blows_up_is_not_saved(recipe: Path, tmp_path: Path) -> None:
    for strategy in ("no", "steps"):
        options = ["max_steps=1", "learning_rate=1e38", "max_grad_norm=0", f"save_strategy={strategy}", "--overwrite"]
        with pytest.raises(TrainingError, match=r"run: step 1: .* holds no numbers any more; lower learning_rate"):
            sft.main(["--config", str(recipe), *options])
        assert not [*(tmp_path / "run").glob("checkpoint-*"), *(tmp_path / "run").glob("*.safetensors")]
        assert json.loads((tmp_path / "run" / "manifest.json").read_text())["status"] == "failed"


def test_the_mean_loss_is_that_of_all_steps_whatever_stopped_the_run(recipe: Path, tmp_path: Path) -> None:
    options = ["--config", str(recipe), "lr_scheduler_type=constant", "logging_steps=3", "save_steps=2"]
    assert sft.main([*options, f"output_dir={tmp_path / 'whole'}", "max_steps=7"]) == 0
    assert sft.main([*options, "max_steps=5"]) == 0
    assert sft.main([*options, "max_steps=7"]) == 0
    each = f"output_dir={tmp_path / 'each'}"
    assert sft.main([*options, each, "max_steps=7", "logging_steps=1"]) == 0
    manifests = [json.loads((tmp_path / name / "manifest.json").read_text()) for name in ("whole", "run", "each")]
    logs = [read_log(tmp_path / name / "train_log.jsonl") for name in ("whole", "run", "each")]
    losses = [line["loss"] for line in logs[2] if "loss" in line]
    assert len(losses) == 7
    for manifest, log in zip(manifests, logs, strict=True):
        assert manifest["loss"] == pytest.approx(sum(losses) / 7, abs=1e-4)
        assert log[-1]["train_loss"] == pytest.approx(sum(losses) / 7, abs=1e-4)


def test_a_full_disk_ends_the_run_with_one_line(recipe: Path, tmp_path: Path) -> None:
    import resource

    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    assert sft.main(["--config", str(recipe), "max_steps=1", "save_steps=1"]) == 0
    sizes = [
        (tmp_path / "run" / "checkpoint-1" / name).stat().st_size for name in ("optimizer.pt", "model.safetensors")
    ]
    for size in sizes:
        shutil.rmtree(tmp_path / "run")
        resource.setrlimit(resource.RLIMIT_FSIZE, (size - 1, limits[1]))
        try:
            with pytest.raises(TrainingError, match=r"checkpoint-2: cannot be written .*make room and run again"):
                sft.main(["--config", str(recipe)])
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        assert not (tmp_path / "run" / "checkpoint-2").exists()
    assert sft.main(["--config", str(recipe)]) == 0


def test_a_lora_adapter_goes_and_comes_back(recipe: Path, tmp_path: Path, tiny_dir: Path, toy_file: Path) -> None:
    assert sft.main(["--config", str(recipe), "lora={r: 4}", "learning_rate=0.05"]) == 0
    assert (tmp_path / "run" / "adapter_model.safetensors").exists()
    assert not (tmp_path / "run" / "model.safetensors").exists()
    plain, processor = load_model(tiny_dir, device="cpu")
    adapted, _ = load_model(tiny_dir, tmp_path / "run", device="cpu")
    inputs = encode_prompts(processor, [ask_about(open_picture(toy_file.parent / "0.png"), "?")])
    with torch.inference_mode():
        before, after = plain(**inputs).logits, adapted(**inputs).logits
        assert not torch.allclose(before, after, atol=1e-3)
        with adapted.disable_adapter():
            torch.testing.assert_close(adapted(**inputs).logits, before)
        merged = adapted.merge_and_unload()
        torch.testing.assert_close(merged(**inputs).logits, after, atol=1e-4, rtol=1e-4)


def test_an_adapter_of_another_base_is_refused(recipe: Path, tmp_path: Path) -> None:
    from emollm.errors import ModelError
    from emollm.vlm.tiny import Shape, build_tiny, save_tiny

    assert sft.main(["--config", str(recipe), "lora={r: 4}", "max_steps=1"]) == 0
    other = Shape(image_size=64, width=128, text_layers=1, vision_layers=1, vocab_size=320)
    save_tiny(*build_tiny(["a"], shape=other), tmp_path / "other")
    with pytest.raises(ModelError, match="does not fit"):
        load_model(tmp_path / "other", tmp_path / "run")


@pytest.mark.parametrize("vision", [True, False])
def test_lora_reaches_the_vision_tower_only_when_asked(vision: bool, tiny_dir: Path) -> None:
    from peft import get_peft_model

    model = get_peft_model(load_model(tiny_dir, trainable=True)[0], peft_config(Lora(r=4, vision=vision)))
    adapted = [name for name, parameter in model.named_parameters() if parameter.requires_grad]
    assert any("language_model" in name for name in adapted)
    assert any(is_vision(name) for name in adapted) == vision


def test_the_table_shows_what_is_trained(tiny_dir: Path) -> None:
    from emollm.train.lora import freeze_vision

    model = load_model(tiny_dir, trainable=True)[0]
    freeze_vision(model)
    rows = {line.split()[0]: line.split()[-1] for line in trainable_table(model).splitlines()[1:]}
    assert rows["vision"] == "0.0%"
    assert rows["language"] == "100.0%"


def test_nothing_to_learn_from_is_said_at_once(recipe: Path) -> None:
    with pytest.raises(SourceError, match="split 'validation'"):
        sft.main(["--config", str(recipe), "split=validation"])


def test_an_adapter_is_no_model_to_start_from(recipe: Path, tmp_path: Path) -> None:
    from emollm.errors import ModelError

    assert sft.main(["--config", str(recipe), "lora={r: 4}", "max_steps=1"]) == 0
    with pytest.raises(ModelError, match=r"run: is an adapter; .*: emollm merge --adapter .*run -o DIR"):
        sft.main(["--config", str(recipe), f"model={tmp_path / 'run'}", f"output_dir={tmp_path / 'more'}"])


def test_a_malformed_training_file_names_its_line(recipe: Path, tmp_path: Path) -> None:
    from emollm.errors import RecordError

    (tmp_path / "bad.jsonl").write_bytes(encode(Sample(id="a")) + b'\n{"id": "b", "lable": "fear"}\n')
    with pytest.raises(RecordError, match=r"bad\.jsonl:2: lable: .*did you mean 'label'"):
        sft.main(["--config", str(recipe), f"train_file={tmp_path / 'bad.jsonl'}", "split=null"])
