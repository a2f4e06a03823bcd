"""Merging: the result says what base and adapter say, or there is no result."""

from __future__ import annotations

import json
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("peft")

from emollm.errors import ConfigError, ModelError  # noqa: E402
from emollm.train import consolidate, merge  # noqa: E402
from emollm.vlm import parity  # noqa: E402
from emollm.vlm.load import load_model  # noqa: E402
from emollm.vlm.processors import save_processor, set_max_pixels  # noqa: E402
from emollm.vlm.weights import read_weights  # noqa: E402

ADAPTERS: dict[str, dict[str, Any]] = {
    "LoRA": {"target_modules": "all-linear"},
    "DoRA": {"target_modules": ["q_proj", "v_proj"], "use_dora": True},
    "rsLoRA": {"target_modules": ["q_proj", "down_proj"], "use_rslora": True},
    "a head of its own": {"target_modules": ["q_proj"], "modules_to_save": ["lm_head"]},
}


def make_adapter(base: Path, folder: Path, **settings: Any) -> Path:
    """An adapter with random weights, large enough to change what the model says."""
    from peft import LoraConfig, get_peft_model

    torch.manual_seed(0)
    model, processor = load_model(base, trainable=True, device="cpu")
    model = get_peft_model(model, LoraConfig(r=4, lora_alpha=16, task_type="CAUSAL_LM", **settings))
    for name, parameter in model.named_parameters():
        if parameter.requires_grad and "lora_A" not in name:
            parameter.data += 0.05 * torch.randn_like(parameter)
    model.save_pretrained(folder)
    set_max_pixels(processor, 9216)
    save_processor(processor, folder)
    return folder


@pytest.fixture(scope="module")
def adapter(tiny_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_adapter(tiny_dir, tmp_path_factory.mktemp("adapter"), target_modules="all-linear")


def run(adapter: Path | None, output: Path, *options: str) -> int:
    return merge.main(
        [*(["--adapter", str(adapter)] if adapter else []), "-o", str(output), "--device", "cpu", *options]
    )


def logits(model: Any, processor: Any) -> Any:
    return torch.cat(parity.read_probes(model, processor).logits)


@pytest.mark.parametrize("kind", ADAPTERS)
def test_the_merged_model_says_what_base_and_adapter_say(
    kind: str, tiny_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = make_adapter(tiny_dir, tmp_path / "adapter", **ADAPTERS[kind])
    assert run(folder, tmp_path / "merged") == 0
    assert "logits differ by at most" in capsys.readouterr().out
    both = logits(*load_model(tiny_dir, folder, device="cpu"))
    merged, processor = load_model(tmp_path / "merged", device="cpu")
    torch.testing.assert_close(logits(merged, processor), both, atol=1e-4, rtol=1e-4)
    assert not torch.allclose(logits(*load_model(tiny_dir, device="cpu")), both, atol=1e-2)
    assert processor.image_processor.size["longest_edge"] == 9216
    assert not list((tmp_path / "merged").glob("adapter*"))


def test_weights_keep_their_names_and_stay_tied(tiny_dir: Path, adapter: Path, tmp_path: Path) -> None:
    assert run(adapter, tmp_path / "merged") == 0
    assert read_weights(tmp_path / "merged") == read_weights(tiny_dir)
    model, _ = load_model(tmp_path / "merged", device="cpu")
    assert model.get_output_embeddings().weight is model.get_input_embeddings().weight


def test_the_manifest_names_what_went_in(tiny_dir: Path, adapter: Path, tmp_path: Path) -> None:
    assert run(adapter, tmp_path / "merged") == 0
    manifest = json.loads((tmp_path / "merged" / "manifest.json").read_text())
    assert (manifest["stage"], manifest["status"]) == ("merge", "done")
    assert set(manifest["inputs"]) >= {
        "base/config.json",
        "base/model.safetensors",
        "adapter/adapter_model.safetensors",
    }
    assert set(manifest["files"]) >= {"model.safetensors", "config.json", "chat_template.jinja", "tokenizer.json"}
    assert manifest["options"]["model"] == str(tiny_dir)
    assert manifest["delta"] <= manifest["tolerance"] < manifest["effect"]


@pytest.mark.parametrize(("dtype", "saved"), [("bfloat16", "BF16"), ("float16", "F16")])
def test_the_dtype_is_the_one_asked_for(dtype: str, saved: str, adapter: Path, tmp_path: Path) -> None:
    assert run(adapter, tmp_path / "merged", "--dtype", dtype) == 0
    assert {weight.dtype for weight in read_weights(tmp_path / "merged").values()} == {saved}
    assert dtype in json.loads((tmp_path / "merged" / "manifest.json").read_text())["parity"]


def test_a_large_model_lies_in_several_files(
    adapter: Path, tiny_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(merge, "MAX_SHARD", "300KB")
    assert run(adapter, tmp_path / "merged") == 0
    assert len(list((tmp_path / "merged").glob("model-*.safetensors"))) > 2
    assert read_weights(tmp_path / "merged") == read_weights(tiny_dir)


def without_adapter(model: Any, _source: Any) -> Any:
    return model.unload()


def half_of_it(model: Any, source: Any) -> Any:
    for name, parameter in model.named_parameters():
        if "lora_B" in name:
            parameter.data /= 2
    return MERGE_WEIGHTS(model, source)


def with_a_nan(model: Any, source: Any) -> Any:
    merged = MERGE_WEIGHTS(model, source)
    merged.get_input_embeddings().weight.data[:] = float("nan")
    return merged


MERGE_WEIGHTS = merge.merge_weights


@pytest.mark.parametrize("fault", [without_adapter, half_of_it, with_a_nan])
def test_a_merge_that_is_not_the_same_model_fails_and_leaves_nothing(
    fault: Callable[..., Any], adapter: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(merge, "merge_weights", fault)
    with pytest.raises(ModelError, match=r"not the same model: logits differ by at most .*, tolerance .* in float32"):
        run(adapter, tmp_path / "merged")
    assert list(tmp_path.iterdir()) == []


def test_an_image_pipeline_that_got_lost_fails_too(
    adapter: Path, tiny_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from emollm.vlm import processors

    of_the_base = load_model(tiny_dir, device="cpu")[1]
    save = processors.save_processor
    monkeypatch.setattr(processors, "save_processor", lambda _processor, folder: save(of_the_base, folder))
    with pytest.raises(ModelError, match=r"image pipeline has other limits: .*9216.* became .*4096"):
        run(adapter, tmp_path / "merged")
    assert list(tmp_path.iterdir()) == []


def test_names_that_the_base_does_not_know_are_refused(tiny_dir: Path, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    weights = {f"model.{name}": value for name, value in load_file(tiny_dir / "model.safetensors").items()}
    save_file(weights, tmp_path / "model.safetensors")
    with pytest.raises(ModelError, match=r"have names that .* does not know, such as model\.model"):
        merge.check_names(tmp_path, tiny_dir)


def test_an_adapter_that_changes_less_than_rounding_proves_nothing(
    tiny_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from peft import LoraConfig, get_peft_model

    model, _ = load_model(tiny_dir, trainable=True, device="cpu")
    get_peft_model(model, LoraConfig(r=4, target_modules=["q_proj"])).save_pretrained(tmp_path / "untrained")
    assert run(tmp_path / "untrained", tmp_path / "merged") == 0
    assert "warning: what the adapter changes is below the tolerance" in capsys.readouterr().err


def test_nan_is_never_within_the_tolerance() -> None:
    assert not parity.Parity(float("nan"), 1.0, "float32").holds


def test_a_merge_that_is_done_is_kept(adapter: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(adapter, tmp_path / "merged") == 0
    before = (tmp_path / "merged" / "model.safetensors").stat().st_mtime_ns
    assert run(adapter, tmp_path / "merged") == 0
    assert "is done already" in capsys.readouterr().err
    assert (tmp_path / "merged" / "model.safetensors").stat().st_mtime_ns == before
    (tmp_path / "merged" / "model.safetensors").write_bytes(b"torn")
    assert run(adapter, tmp_path / "merged") == 0
    assert read_weights(tmp_path / "merged")
    with pytest.raises(ConfigError, match="holds another merge; use --overwrite"):
        run(adapter, tmp_path / "merged", "--dtype", "bfloat16")
    assert run(adapter, tmp_path / "merged", "--dtype", "bfloat16", "--overwrite") == 0
    assert {weight.dtype for weight in read_weights(tmp_path / "merged").values()} == {"BF16"}


def test_what_is_merged_and_what_is_foreign_is_never_written_over(adapter: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="is what is merged"):
        run(adapter, adapter, "--overwrite")
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(ConfigError, match="is not empty and no result"):
        run(adapter, tmp_path, "--overwrite")
    assert (tmp_path / "thesis.tex").exists()


def test_a_quantised_base_is_refused(adapter: Path, tiny_dir: Path, tmp_path: Path) -> None:
    shutil.copytree(tiny_dir, tmp_path / "base")
    config = json.loads((tmp_path / "base" / "config.json").read_text())
    config["quantization_config"] = {"quant_method": "bitsandbytes", "load_in_4bit": True}
    (tmp_path / "base" / "config.json").write_text(json.dumps(config))
    with pytest.raises(ModelError, match=r"base: is quantised.*name its full base as --model"):
        run(adapter, tmp_path / "merged", "--model", str(tmp_path / "base"))


def test_an_adapter_of_a_quantised_base_goes_into_the_full_one_and_that_is_said(
    adapter: Path, tiny_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(adapter, tmp_path / "run")
    manifest = {"stage": "sft", "options": {"model": "elsewhere/tiny-bnb-4bit", "quantization": "nf4"}}
    (tmp_path / "run" / "manifest.json").write_text(json.dumps(manifest))
    config = json.loads((adapter / "adapter_config.json").read_text())
    (tmp_path / "run" / "adapter_config.json").write_text(
        json.dumps(config | {"base_model_name_or_path": "elsewhere/tiny-bnb-4bit"})
    )
    assert run(tmp_path / "run", tmp_path / "merged", "--model", str(tiny_dir)) == 0
    said = capsys.readouterr().err
    assert "was trained on a base in nf4, and is merged into the full one" in said
    assert f"was trained on elsewhere/tiny-bnb-4bit, and is merged into {tiny_dir}" in said
    assert json.loads((tmp_path / "merged" / "manifest.json").read_text())["training"] == manifest


def test_a_base_that_was_trained_again_is_another_merge(adapter: Path, tiny_dir: Path, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    base = Path(shutil.copytree(tiny_dir, tmp_path / "base"))
    assert run(adapter, tmp_path / "merged", "--model", str(base)) == 0
    weights = load_file(base / "model.safetensors")
    save_file({name: value * 1.01 for name, value in weights.items()}, base / "model.safetensors", {"format": "pt"})
    with pytest.raises(ConfigError, match="holds another merge"):
        run(adapter, tmp_path / "merged", "--model", str(base))


def test_what_fsdp_split_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "checkpoint-1" / "pytorch_model_fsdp_0").mkdir(parents=True)
    with pytest.raises(ConfigError, match=r"was split by FSDP; run: accelerate merge-weights .*fsdp_0 OUTPUT"):
        run(None, tmp_path / "merged", "--model", str(tmp_path / "checkpoint-1"))


@pytest.mark.parametrize(
    ("options", "message"),
    [([], "what is to be merged"), (["--model", "TINY"], "is no checkpoint that DeepSpeed split")],
    ids=["nothing", "a whole model"],
)
def test_nothing_to_merge_is_one_line(options: list[str], message: str, tiny_dir: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=message):
        run(None, tmp_path / "merged", *[str(tiny_dir) if option == "TINY" else option for option in options])


class Burglar:
    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (Path(STOLEN),)


STOLEN = ""


def test_a_checkpoint_with_more_than_weights_in_it_is_not_opened(tiny_dir: Path, tmp_path: Path) -> None:
    pytest.importorskip("deepspeed")
    global STOLEN
    STOLEN = str(tmp_path / "stolen")
    folder = tmp_path / "checkpoint-1"
    shutil.copytree(tiny_dir, folder, ignore=shutil.ignore_patterns("*.safetensors"))
    (folder / "latest").write_text("global_step1")
    (folder / "global_step1").mkdir()
    for kind in ("model", "optim"):
        part = folder / "global_step1" / f"zero_pp_rank_0_mp_rank_00_{kind}_states.pt"
        torch.save({"optimizer_state_dict": Burglar()}, part)
    with pytest.raises(ModelError, match="holds more than weights, or is damaged"):
        run(None, tmp_path / "merged", "--model", str(folder))
    assert not Path(STOLEN).exists()
    pickle.loads(pickle.dumps(Burglar()))
    assert Path(STOLEN).exists()


def test_a_checkpoint_without_its_parts_is_one_line(tiny_dir: Path, tmp_path: Path) -> None:
    pytest.importorskip("deepspeed")
    shutil.copytree(tiny_dir, tmp_path / "checkpoint-1", ignore=shutil.ignore_patterns("*.safetensors"))
    (tmp_path / "checkpoint-1" / "latest").write_text("global_step1")
    assert consolidate.is_sharded(tmp_path / "checkpoint-1")
    with pytest.raises(ModelError, match="latest names global_step1, which is not there"):
        run(None, tmp_path / "merged", "--model", str(tmp_path / "checkpoint-1"))
