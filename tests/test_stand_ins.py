"""The architectures that recipes name: one batch through our own encoding, on the stock model and processor classes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from stand_ins import STAND_INS, build_stand_in, save_stand_in  # noqa: E402

from emollm.errors import ModelError  # noqa: E402
from emollm.pictures import open_picture  # noqa: E402
from emollm.vlm.generate import Sampling, generate  # noqa: E402
from emollm.vlm.load import load_model  # noqa: E402
from emollm.vlm.turns import IGNORED, answer_end, ask_about, encode_answers, encode_prompts  # noqa: E402

TEXTS = ["Which expression is this? Choose from: happiness, sadness.", "AU12 is clearly there, so happiness."] * 9
ANSWERS = ["AU12 is there.", "sadness, and a longer text"]


@pytest.fixture(autouse=True)
def _num2words(monkeypatch: pytest.MonkeyPatch) -> None:
    """SmolVLM's processor wants this package to write the number of frames of a clip; pictures need none of it."""
    from transformers.models.smolvlm import processing_smolvlm

    monkeypatch.setattr(processing_smolvlm, "num2words", str)


@pytest.fixture(scope="module")
def built() -> dict[str, tuple[Any, Any]]:
    return {}


@pytest.fixture(params=STAND_INS)
def stand_in(request: pytest.FixtureRequest, built: dict[str, tuple[Any, Any]]) -> tuple[Any, Any]:
    if request.param not in built:
        built[request.param] = build_stand_in(request.param, TEXTS)
    return built[request.param]


@pytest.fixture
def turns(toy_file: Path) -> list[Any]:
    wide = open_picture(toy_file.parent / "0.png").resize((100, 60))
    return [ask_about(picture, "Which?") for picture in (wide, open_picture(toy_file.parent / "1.png"))]


def test_one_step_learns_answers_and_reaches_every_part(stand_in: tuple[Any, Any], turns: list[Any]) -> None:
    from emollm.train.lora import PARTS, part_of

    model, processor = stand_in
    batch = encode_answers(processor, turns, ANSWERS)
    for labels, answer in zip(batch["labels"], ANSWERS, strict=True):
        assert processor.tokenizer.decode(labels[labels != IGNORED]) == answer + answer_end(processor)
    loss = model.train()(**batch).loss
    assert torch.isfinite(loss)
    loss.backward()
    learnt = {part_of(name) for name, parameter in model.named_parameters() if parameter.grad is not None}
    assert learnt == set(PARTS)
    model.zero_grad()


def test_the_span_of_the_picture_stays_whole(stand_in: tuple[Any, Any], turns: list[Any]) -> None:
    _, processor = stand_in
    image_id = processor.tokenizer.convert_tokens_to_ids(getattr(processor.tokenizer, "image_token", "<IMG_CONTEXT>"))
    alone = [(encode_prompts(processor, [turn])["input_ids"] == image_id).sum() for turn in turns]
    together = (encode_answers(processor, turns, ANSWERS)["input_ids"] == image_id).sum(1)
    assert together.tolist() == [int(count) for count in alone]
    assert min(alone) > 0


def test_no_token_of_an_answer_sees_a_later_one(stand_in: tuple[Any, Any], turns: list[Any]) -> None:
    model, processor = stand_in
    batch = encode_answers(processor, turns, ANSWERS)
    last = int((batch["labels"][0] != IGNORED).nonzero()[-1])
    changed = batch | {"input_ids": batch["input_ids"].clone()}
    changed["input_ids"][0, last] = processor.tokenizer.convert_tokens_to_ids("a")
    with torch.inference_mode():
        before, after = (model.eval()(**inputs).logits[0] for inputs in (batch, changed))
    torch.testing.assert_close(before[:last], after[:last])
    assert not torch.allclose(before[last], after[last])


@pytest.mark.parametrize("arch", STAND_INS)
def test_it_loads_from_its_folder_and_answers(arch: str, tmp_path: Path, turns: list[Any]) -> None:
    model, processor = load_model(save_stand_in(arch, TEXTS, tmp_path / arch), device="cpu")
    assert len(generate(model, processor, turns, Sampling(max_new_tokens=3))) == 2


def test_a_missing_package_of_a_processor_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from transformers.models.smolvlm import processing_smolvlm

    folder = save_stand_in("smolvlm", TEXTS, tmp_path / "smolvlm")
    monkeypatch.setattr(processing_smolvlm, "num2words", None)
    with pytest.raises(ModelError, match="pip install num2words"):
        load_model(folder, device="cpu")
