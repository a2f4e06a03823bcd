"""Loading: models, processors and adapters that work, and one clear line for those that do not."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from emollm.errors import ModelError  # noqa: E402
from emollm.pictures import open_picture  # noqa: E402
from emollm.vlm.load import load_model  # noqa: E402
from emollm.vlm.processors import has_torchvision, load_processor, set_max_pixels, without_video  # noqa: E402
from emollm.vlm.turns import ask_about, encode_prompts  # noqa: E402


def test_what_the_image_only_processor_saves_names_the_stock_class(tiny_dir: Path) -> None:
    assert json.loads((tiny_dir / "processor_config.json").read_text())["processor_class"] == "Qwen3VLProcessor"
    assert (tiny_dir / "video_preprocessor_config.json").exists()


@pytest.mark.skipif(has_torchvision(), reason="torchvision is there, so the stock class is used")
def test_without_torchvision_the_processor_still_sees_pictures(tiny_dir: Path) -> None:
    processor = load_processor(str(tiny_dir), "qwen3_vl")
    assert hasattr(processor, "image_processor")
    assert not hasattr(processor, "video_processor")


def test_a_torchvision_that_cannot_be_imported_harms_nothing(tiny_dir: Path, tmp_path: Path) -> None:
    package = tmp_path / "torchvision"
    package.mkdir()
    (package / "__init__.py").write_text("raise RuntimeError('operator torchvision::nms does not exist')")
    (tmp_path / "torchvision-0.28.0.dist-info").mkdir()
    (tmp_path / "torchvision-0.28.0.dist-info" / "METADATA").write_text("Name: torchvision\nVersion: 0.28.0\n")
    program = (
        f"import sys; sys.path[:0] = [{str(tmp_path)!r}, {str(Path(__file__).parent.parent)!r}]\n"
        "from emollm.vlm import load_model\n"
        f"model, processor = load_model({str(tiny_dir)!r})\n"
        "print(type(processor.image_processor).__name__)\n"
        "from transformers import Trainer\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-2000:]
    assert "Qwen2VLImageProcessor" in done.stdout


@pytest.mark.parametrize(
    "name", ["Qwen2VLProcessor", "Qwen2_5_VLProcessor", "InternVLProcessor", "LlavaOnevisionProcessor"]
)
def test_the_image_only_class_of_every_family_asks_for_two_parts(name: str) -> None:
    import transformers

    assert without_video(getattr(transformers, name)).get_attributes() == ["image_processor", "tokenizer"]


def test_a_directory_that_holds_no_processor_is_refused(tiny_dir: Path, tmp_path: Path) -> None:
    for name in ("config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"):
        (tmp_path / name).write_bytes((tiny_dir / name).read_bytes())
    with pytest.raises(ModelError, match="the processor cannot be loaded"):
        load_model(tmp_path)


def test_a_directory_without_a_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"has no config\.json"):
        load_model(tmp_path)


def test_weights_that_are_pickled_are_refused(tiny_dir: Path, tmp_path: Path) -> None:
    for path in tiny_dir.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "model.safetensors").rename(tmp_path / "pytorch_model.bin")
    with pytest.raises(ModelError):
        load_model(tmp_path)


def test_an_adapter_given_as_model_says_how_to_call(tmp_path: Path) -> None:
    (tmp_path / "adapter_config.json").write_text('{"base_model_name_or_path": "some/base"}')
    with pytest.raises(ModelError, match="--model some/base --adapter"):
        load_model(tmp_path)


def test_the_pixel_limit_is_kept_in_the_processor(tiny_dir: Path, toy_file: Path) -> None:
    processor = load_processor(str(tiny_dir), "qwen3_vl")
    set_max_pixels(processor, 32 * 32)
    inputs = encode_prompts(processor, [ask_about(open_picture(toy_file.parent / "0.png"), "?")])
    assert inputs["image_grid_thw"].tolist() == [[1, 2, 2]]


# --- what cannot be loaded is one line --------------------------------------------------------------------------------


def cut(name: str, num_bytes: int) -> Callable[[Path], object]:
    return lambda folder: (folder / name).write_bytes((folder / name).read_bytes()[:num_bytes])


def remove(*names: str) -> Callable[[Path], object]:
    return lambda folder: [(folder / name).unlink() for name in names]


def widen(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text())
    config["text_config"]["vocab_size"] *= 2
    (folder / "config.json").write_text(json.dumps(config))


def deepen(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text())
    config["text_config"]["num_hidden_layers"] += 1
    config["text_config"].pop("layer_types", None)
    (folder / "config.json").write_text(json.dumps(config))


DAMAGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "weights cut off": (cut("model.safetensors", 5000), "the weights are damaged .*copy them again"),
    "weights empty": (cut("model.safetensors", 0), "the weights are damaged"),
    "weights of another shape": (widen, r"the weights do not fit config\.json"),
    "weights of one layer missing": (deepen, "weights are missing, such as .*copy the model again"),
    "config cut off": (cut("config.json", 40), r"config\.json cannot be used: .*not a valid JSON"),
    "no tokenizer": (remove("tokenizer.json", "tokenizer_config.json"), r"has no tokenizer_config\.json; add"),
    "tokenizer cut off": (cut("tokenizer.json", 500), "the processor cannot be loaded"),
    "no chat template": (remove("chat_template.jinja"), "has no chat template; add"),
    "chat template cut off": (cut("chat_template.jinja", 60), "the chat template does not work"),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_a_damaged_model_is_one_clear_line(name: str, tiny_dir: Path, tmp_path: Path) -> None:
    damage, message = DAMAGES[name]
    shutil.copytree(tiny_dir, tmp_path / "model")
    damage(tmp_path / "model")
    with pytest.raises(ModelError, match=message) as caught:
        load_model(tmp_path / "model", device="cpu")
    assert "\n" not in str(caught.value)
    assert "no such directory" not in str(caught.value)


@pytest.mark.parametrize("device", ["cuda:99", "gpu", "meta"])
def test_a_device_that_is_not_there_is_refused_before_the_model_is_read(device: str) -> None:
    with pytest.raises(ModelError, match=f"device '{device}' cannot be used .*; this machine has '"):
        load_model("/no/such/model", device=device)


@pytest.mark.parametrize("source", ["/no/such/model", "./nothing", __file__])
def test_a_path_that_is_no_directory_is_not_taken_for_a_name(source: str) -> None:
    with pytest.raises(ModelError, match=r"no such directory$"):
        load_model(source)


def test_an_adapter_that_is_not_there_is_said_before_the_weights_are_read(tiny_dir: Path, tmp_path: Path) -> None:
    shutil.copytree(tiny_dir, tmp_path / "model")
    (tmp_path / "model" / "model.safetensors").unlink()
    with pytest.raises(ModelError, match=r"/none: no such directory$"):
        load_model(tmp_path / "model", tmp_path / "none")


LORA = '{"peft_type": "LORA", "target_modules": ["q_proj"]}'


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({}, r"has no adapter_config\.json"),
        ({"adapter_config.json": "{}"}, r"has no adapter_model\.safetensors"),
        ({"adapter_config.json": '{"peft', "adapter_model.safetensors": ""}, r"adapter_config\.json cannot be used"),
        ({"adapter_config.json": LORA, "adapter_model.safetensors": "x"}, "the weights are damaged"),
    ],
    ids=["empty", "no weights", "config cut off", "weights cut off"],
)
def test_a_damaged_adapter_is_one_clear_line(
    files: dict[str, str], message: str, tiny_dir: Path, tmp_path: Path
) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    with pytest.raises(ModelError, match=message):
        load_model(tiny_dir, tmp_path, device="cpu")


def test_a_name_next_to_that_of_the_embedded_base_is_not_looked_for_on_the_hub() -> None:
    for name in ("emolm-tiny", "emollm_tiny"):
        with pytest.raises(ModelError, match=rf"{name}: no such directory; did you mean 'emollm-tiny'\?"):
            load_model(name)
