"""What is trained: parts settled from the recipe, adapters of every kind, and a base in four bits."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("trl")

from peft import get_peft_model  # noqa: E402
from stand_ins import STAND_INS, build_stand_in  # noqa: E402

from emollm.errors import ConfigError, MissingExtraError, ModelError  # noqa: E402
from emollm.pictures import open_picture  # noqa: E402
from emollm.train import sft  # noqa: E402
from emollm.train.lora import (  # noqa: E402
    Lora,
    Parts,
    Train,
    check_trained,
    freeze,
    part_of,
    peft_config,
    trainable_table,
    trained_parts,
    widen,
)
from emollm.vlm.load import load_model  # noqa: E402
from emollm.vlm.turns import ask_about, encode_prompts  # noqa: E402

TEXTS = ["Which expression is this? Choose from: happiness, sadness.", "AU12 is clearly there, so happiness."] * 9
has_bitsandbytes = pytest.mark.skipif(importlib.util.find_spec("bitsandbytes") is None, reason="quant is not installed")


@pytest.fixture
def recipe(toy_file: Path, tiny_dir: Path, tmp_path: Path) -> Path:
    values = {
        "model": str(tiny_dir),
        "train_file": str(toy_file),
        "output_dir": str(tmp_path / "run"),
        "max_steps": 2,
        "per_device_train_batch_size": 2,
        "learning_rate": 0.01,
        "save_strategy": "no",
        "lora": {"r": 4, "dropout": 0.0},
    }
    path = tmp_path / "recipe.yaml"
    path.write_text(json.dumps(values))
    return path


@pytest.mark.parametrize(
    ("train", "lora", "freeze_vision", "expected"),
    [
        (None, None, False, ("all", "all", "all")),
        (None, None, True, ("none", "none", "all")),
        (None, Lora(), False, ("lora", "lora", "lora")),
        (None, Lora(vision=False), False, ("none", "none", "lora")),
        (Train(projector="all"), Lora(vision=False), False, ("none", "all", "lora")),
        (Train(vision="none"), None, False, ("none", "all", "all")),
        (Train(projector="all"), None, True, ("none", "all", "all")),
    ],
)
def test_parts_are_settled(train: Any, lora: Any, freeze_vision: bool, expected: tuple[str, ...]) -> None:
    assert trained_parts(train, lora, freeze_vision) == expected


@pytest.mark.parametrize(
    ("train", "lora", "freeze_vision", "message"),
    [
        (None, Lora(), True, "lora.vision to false"),
        (Train(language="lora"), None, False, "no 'lora'"),
        (Train(vision="all", projector="all", language="none"), Lora(), False, "leave lora out"),
        (Train(language="all"), Lora(), False, "train.language"),
        (Train(vision="none", projector="none", language="none"), None, False, "every part"),
    ],
)
def test_parts_that_contradict_each_other_are_refused(train: Any, lora: Any, freeze_vision: bool, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        trained_parts(train, lora, freeze_vision)


@pytest.mark.parametrize("arch", sorted(set(STAND_INS) - {"smolvlm"}))
@pytest.mark.parametrize(
    "train",
    [Train(vision="none", projector="all"), Train(vision="all", projector="all"), Train(vision="none")],
    ids=["projector whole", "eyes whole", "projector adapted"],
)
def test_each_part_is_trained_as_it_is_said(arch: str, train: Train) -> None:
    lora = Lora(r=4, dora=True, target_modules="all-linear")
    parts = trained_parts(train, lora)
    model, _ = build_stand_in(arch, TEXTS)
    model = get_peft_model(model, peft_config(lora, parts, model))
    if arch == "gemma3" and parts.projector == "lora":
        check_trained(model, parts)  # its projector is no layer that an adapter could be put on
        with pytest.raises(ModelError, match="projector: no layer matches"):
            check_trained(model, parts, Train(projector="lora"))
        return
    check_trained(model, parts, train)
    learns = {part_of(name) for name, parameter in model.named_parameters() if parameter.requires_grad}
    assert learns == set(parts.having("all", "lora"))


def test_what_leaks_and_what_is_missed_is_an_error(tiny_dir: Path) -> None:
    model = load_model(tiny_dir, trainable=True)[0]
    parts = Parts("none", "none", "all")
    with pytest.raises(ModelError, match=r"visual.*is trained, but the recipe says vision: none"):
        check_trained(model, parts)
    freeze(model, parts)
    check_trained(model, parts)
    model.lm_head.weight.requires_grad_(False)
    with pytest.raises(ModelError, match="is not trained, but the recipe says language: all"):
        check_trained(model, parts)


def test_the_table_names_all_three_parts_and_the_adapter(tiny_dir: Path) -> None:
    lora = Lora(r=4)
    parts = trained_parts(Train(projector="all"), lora)
    model = load_model(tiny_dir, trainable=True)[0]
    size = model.num_parameters()
    model = get_peft_model(model, peft_config(lora, parts, model))
    rows = {line.split()[0]: line.split()[1:] for line in trainable_table(model).splitlines()[1:]}
    assert list(rows) == ["vision", "projector", "language", "adapter", "all"]
    assert rows["projector"][-1] == "100.0%"
    assert rows["vision"][-1] == rows["language"][-1] == "0.0%"
    assert int(rows["all"][0].replace(",", "")) == size + int(rows["adapter"][0].replace(",", ""))


def test_rank_stabilised_adapters_are_scaled_by_the_root_of_the_rank(tiny_dir: Path) -> None:
    scales = []
    for lora in (Lora(r=16, alpha=32), Lora(r=16, alpha=32, rslora=True)):
        model = get_peft_model(load_model(tiny_dir, trainable=True)[0], peft_config(lora))
        layers = [module for module in model.modules() if hasattr(module, "lora_A")]
        scales.append({scale for layer in layers for scale in layer.scaling.values()})
    assert scales == [{2.0}, {8.0}]


def test_what_is_whole_beside_an_adapter_is_held_in_32_bits(tiny_dir: Path) -> None:
    lora = Lora(r=4)
    parts = trained_parts(Train(projector="all"), lora)
    model = load_model(tiny_dir, dtype="bfloat16", trainable=True)[0]
    model = get_peft_model(model, peft_config(lora, parts, model))
    for has_autocast, expected in ((False, torch.bfloat16), (True, torch.float32)):
        widen(model, SimpleNamespace(deepspeed_plugin=None, bf16=has_autocast, fp16=False))
        assert {p.dtype for n, p in model.named_parameters() if ".modules_to_save." in n} == {expected}
    assert {p.dtype for n, p in model.named_parameters() if ".original_module." in n} == {torch.bfloat16}


def logits(model: Any, processor: Any, toy_file: Path) -> Any:
    inputs = encode_prompts(processor, [ask_about(open_picture(toy_file.parent / "0.png"), "?")])
    with torch.inference_mode():
        return model(**inputs).logits


@pytest.mark.parametrize("train", [Train(projector="all"), Train(vision="all"), Train(vision="all", projector="all")])
def test_what_is_widened_goes_with_its_surroundings_in_16_bits(train: Train, tiny_dir: Path, toy_file: Path) -> None:
    lora = Lora(r=4)
    model, processor = load_model(tiny_dir, dtype="bfloat16", trainable=True)
    model = get_peft_model(model, peft_config(lora, trained_parts(train, lora), model)).eval()
    before = logits(model, processor, toy_file)
    widen(model, SimpleNamespace(deepspeed_plugin=None, bf16=True, fp16=False))
    after = logits(model, processor, toy_file)  # without autocast, as answers are generated
    assert after.dtype == before.dtype == torch.bfloat16
    torch.testing.assert_close(after, before, atol=0.1, rtol=0.1)


@pytest.mark.parametrize("options", [["lora.dora=true"], ["lora.rslora=true"], ["train={projector: all}"]])
def test_an_adapter_of_any_kind_comes_back_and_can_be_merged(
    options: list[str], recipe: Path, tmp_path: Path, tiny_dir: Path, toy_file: Path
) -> None:
    assert sft.main(["--config", str(recipe), *options]) == 0
    plain, processor = load_model(tiny_dir, device="cpu")
    before = logits(plain, processor, toy_file)
    adapted, _ = load_model(tiny_dir, tmp_path / "run", device="cpu")
    after = logits(adapted, processor, toy_file)
    assert not torch.allclose(before, after, atol=1e-4)
    torch.testing.assert_close(logits(adapted.merge_and_unload(), processor, toy_file), after, atol=1e-4, rtol=1e-4)


@has_bitsandbytes
def test_four_bits_are_for_the_layers_of_the_language_model(tiny_dir: Path, toy_file: Path) -> None:
    plain, processor = load_model(tiny_dir, device="cpu")
    packed, _ = load_model(tiny_dir, device="cpu", quantization="nf4")
    kinds = {name: type(module).__name__ for name, module in packed.named_modules() if hasattr(module, "in_features")}
    assert {part_of(name) for name, kind in kinds.items() if kind == "Linear4bit"} == {"language"}
    assert {kind for name, kind in kinds.items() if "language_model" in name} == {"Linear4bit"}
    assert kinds["lm_head"] == "Linear"
    assert trainable_table(packed).splitlines()[-1].split()[1] == f"{plain.num_parameters():,}"
    difference = (logits(plain, processor, toy_file) - logits(packed, processor, toy_file)).abs().mean()
    assert 0 < difference < logits(plain, processor, toy_file).abs().mean()


@has_bitsandbytes
@pytest.mark.parametrize("dora", [False, True])
def test_an_adapter_learns_on_four_bits_and_fits_the_plain_base(
    dora: bool, recipe: Path, tmp_path: Path, tiny_dir: Path, toy_file: Path
) -> None:
    assert sft.main(["--config", str(recipe), "quantization=nf4", f"lora.dora={dora}"]) == 0
    adapted, processor = load_model(tiny_dir, tmp_path / "run", device="cpu")
    with adapted.disable_adapter():
        before = logits(adapted, processor, toy_file)
    assert not torch.allclose(before, logits(adapted, processor, toy_file), atol=1e-4)
    assert "quantization_config" not in json.loads((tiny_dir / "config.json").read_text())


def test_four_bits_without_the_package_are_one_line(tiny_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    find_spec = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *more: None if name == "bitsandbytes" else find_spec(name, *more)
    )
    with pytest.raises(MissingExtraError, match=r"pip install 'emollm\[quant\]'"):
        load_model(tiny_dir, quantization="nf4")


def test_four_bits_need_an_adapter_and_are_spelt_right(recipe: Path, tiny_dir: Path) -> None:
    with pytest.raises(ConfigError, match="quantization: four-bit weights cannot be trained"):
        sft.main(["--config", str(recipe), "quantization=nf4", "lora=null"])
    with pytest.raises(ConfigError, match="quantization"):
        sft.main(["--config", str(recipe), "quantization=nf5"])
    with pytest.raises(ModelError, match="did you mean 'nf4'"):
        load_model(tiny_dir, quantization="nf5")
