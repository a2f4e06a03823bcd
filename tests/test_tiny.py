"""The tiny model, and how its eyes are taught."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from PIL import Image  # noqa: E402

from emollm.errors import ConfigError, SourceError  # noqa: E402
from emollm.pictures import open_picture, sample_picture  # noqa: E402
from emollm.records import AU, Sample, read_records  # noqa: E402
from emollm.vlm.eyes import start_patches, teach_eyes, teach_gaze  # noqa: E402
from emollm.vlm.generate import Sampling, generate  # noqa: E402
from emollm.vlm.lessons import LEAST_SPREAD, Lesson, Seen, au_targets, mirror  # noqa: E402
from emollm.vlm.load import load_model  # noqa: E402
from emollm.vlm.tiny import Shape, build_tiny, save_tiny  # noqa: E402
from emollm.vlm.turns import ask_about  # noqa: E402

SMALL = Shape(image_size=64, width=64, text_layers=1, vision_layers=1, vocab_size=320)


@pytest.fixture(scope="module")
def loaded(tiny_dir: Path) -> tuple[Any, Any]:
    return load_model(tiny_dir, device="cpu")


@pytest.mark.parametrize("arch", ["qwen3_vl", "idefics3"])
def test_a_saved_tiny_model_loads_bit_for_bit_and_generates(arch: str, tmp_path: Path, toy_file: Path) -> None:
    model, processor = build_tiny(["the lip corner is raised"] * 20, arch, SMALL)
    save_tiny(model, processor, tmp_path)
    again, its_processor = load_model(tmp_path, device="cpu")
    for name, value in model.state_dict().items():
        assert torch.equal(value, again.state_dict()[name]), name
    turn = ask_about(open_picture(toy_file.parent / "0.png"), "What is it?")
    assert generate(again, its_processor, [turn], Sampling(max_new_tokens=4))[0].num_tokens <= 4


def test_the_same_seed_builds_the_same_model() -> None:
    one, two = (build_tiny(["lips and brows"] * 5, shape=SMALL, seed=3)[0] for _ in range(2))
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), two.parameters(), strict=True))


def test_every_linear_width_of_the_tiny_model_is_a_multiple_of_64(loaded: tuple[Any, Any]) -> None:
    widths = {m.in_features for m in loaded[0].modules() if isinstance(m, torch.nn.Linear)}
    assert all(width % 64 == 0 for width in widths), widths


@pytest.mark.parametrize("shape", [Shape(image_size=70), Shape(width=100)], ids=["size", "width"])
def test_a_shape_that_cannot_be_built_is_refused(shape: Shape) -> None:
    with pytest.raises(ConfigError, match="multiple"):
        build_tiny(["a"], shape=shape)


def test_an_unknown_architecture_is_refused_with_a_hint() -> None:
    with pytest.raises(ConfigError, match="did you mean 'qwen3_vl'"):
        build_tiny(["a"], "qwen3vl")


# --- eyes -------------------------------------------------------------------------------------------------------------


def toy_seen(toy_file: Path) -> list[Seen]:
    samples = [s for s in read_records(toy_file, Sample) if s.split == "train"]
    return [Seen(sample_picture(s, toy_file.parent), s.faces[0].aus) for s in samples if s.faces and s.faces[0].aus]


def test_an_au_that_was_not_measured_is_no_target() -> None:
    picture = Image.new("RGB", (64, 64))
    high, low = AU(value=5, kind="intensity", left=5, right=0), AU(value=0, kind="intensity")
    faces = [Seen(picture, {"AU01": high, "AU12": low}), Seen(picture, {"AU01": low}), Seen(picture, {"AU12": high})]
    targets, spread = au_targets(faces)
    assert targets.nan_to_num(-1).tolist() == [[1, 0, 0, 0], [0, -1, 0, -1], [-1, 1, -1, 0]]
    assert (spread > 0).all()


def test_an_au_that_hardly_ever_shows_does_not_outweigh_the_others() -> None:
    picture = Image.new("RGB", (8, 8))
    usual = [AU(value=value, kind="intensity") for value in (0, 5)]
    rare = [AU(value=0.2 if place == 7 else 0, kind="intensity") for place in range(400)]
    faces = [Seen(picture, {"AU01": usual[place % 2], "AU13": rare[place]}) for place in range(400)]
    assert au_targets(faces)[1].tolist() == pytest.approx([0.5, LEAST_SPREAD] * 2)


def test_a_mirrored_face_has_its_sides_swapped() -> None:
    assert mirror(torch.tensor([1.0, 2.0, 3.0, 4.0])).tolist() == [3.0, 4.0, 1.0, 2.0]


def test_faces_that_are_all_alike_cannot_teach(loaded: tuple[Any, Any]) -> None:
    seen = [Seen(Image.new("RGB", (64, 64)), {"AU01": AU(value=1, kind="presence")})] * 3
    with pytest.raises(SourceError, match="differ"):
        teach_eyes(*loaded, seen, Lesson(steps=1))


@pytest.mark.parametrize("arch", ["qwen3_vl", "idefics3"])
def test_a_short_lesson_teaches_the_eyes(arch: str, toy_file: Path) -> None:
    model, processor = build_tiny(["lips"] * 5, arch, SMALL)
    error = teach_eyes(model, processor, toy_seen(toy_file), Lesson(steps=100, batch_size=16, learning_rate=3e-3))
    assert error < 0.6


def test_the_language_model_learns_to_look_while_the_eyes_stay(toy_file: Path) -> None:
    model, processor = build_tiny(["What is it? lips"] * 5, shape=SMALL)
    teach_eyes(model, processor, toy_seen(toy_file), Lesson(steps=60, batch_size=16, learning_rate=3e-3))
    before = {name: value.clone() for name, value in model.model.visual.state_dict().items()}
    lesson = Lesson(steps=60, batch_size=16, learning_rate=3e-3)
    assert teach_gaze(model, processor, toy_seen(toy_file), ["What is it?", "lips?"], lesson) < 0.8
    assert all(torch.equal(value, before[name]) for name, value in model.model.visual.state_dict().items())
    assert all(parameter.requires_grad for parameter in model.parameters())


def test_patches_start_with_outputs_of_similar_size(toy_file: Path) -> None:
    from emollm.vlm.eyes import _patches, pixels

    model, processor = build_tiny(["lips"] * 5, shape=SMALL)
    inputs = pixels(processor, [face.picture for face in toy_seen(toy_file)])
    start_patches(model, inputs)
    embedding, patches = _patches(model, inputs)
    outputs = patches @ embedding.weight.detach().view(len(embedding.weight), -1).T
    assert 0.1 < outputs.std(0)[:8].min() <= outputs.std(0)[:8].max() < 1.0
