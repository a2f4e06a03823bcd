"""Batches of rows with and without pictures: every batch shows one, if only a blank one that changes nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from grpo_batches import COUSINS, build_cousin  # noqa: E402
from stand_ins import STAND_INS, build_stand_in  # noqa: E402

from emollm.train.collate import Collator, with_blank  # noqa: E402
from emollm.train.lora import part_of  # noqa: E402
from emollm.train.rows import TEXT_ALONE  # noqa: E402
from emollm.vlm.turns import IGNORED, ask_about, encode_answers  # noqa: E402

TEXTS = ["Which expression is this? Choose from: happiness, sadness.", "AU12 is clearly there, so happiness."] * 9
TOLERANCE = {"atol": 1e-5, "rtol": 1e-4}


@pytest.fixture(autouse=True)
def _num2words(monkeypatch: pytest.MonkeyPatch) -> None:
    """SmolVLM's processor wants this package to write the number of frames of a clip; pictures need none of it."""
    from transformers.models.smolvlm import processing_smolvlm

    monkeypatch.setattr(processing_smolvlm, "num2words", str)


def row_of(picture: Path | None, question: str = "Which?", answer: str = "AU12 is there.") -> dict[str, Any]:
    return {"id": "a", "images": [] if picture is None else [str(picture)], "question": question, "answer": answer}


UNSEEN = [row_of(None, "Measured: AU12. Which?", "sadness, and a longer text"), row_of(None)]


@pytest.fixture(params=TEXT_ALONE)
def stand_in(request: pytest.FixtureRequest) -> tuple[Any, Any]:
    if request.param in STAND_INS:
        model, processor = build_stand_in(request.param, TEXTS)
    else:
        model, processor = build_stand_in(COUSINS[request.param], TEXTS)
        model = build_cousin(request.param, model)
    return model.eval(), processor


def test_a_blank_picture_runs_the_vision_tower_and_changes_nothing(stand_in: tuple[Any, Any]) -> None:
    model, processor = stand_in
    turns = [ask_about(None, row["question"]) for row in UNSEEN]
    without = encode_answers(processor, turns, [row["answer"] for row in UNSEEN])
    batch = Collator(processor)(UNSEEN)
    assert "pixel_values" in batch
    assert "pixel_values" not in without
    width = without["input_ids"].shape[1]
    assert (batch["labels"][:, width:] == IGNORED).all()
    assert not batch["attention_mask"][:, width:].any()

    def learn(inputs: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        model.zero_grad()
        outputs = model(**inputs)
        outputs.loss.backward()
        gradients = {name: one.grad.clone() for name, one in model.named_parameters() if one.grad is not None}
        return outputs.logits[:, :width][without["attention_mask"].bool()], gradients

    (logits, gradients), (bare_logits, bare) = learn(batch), learn(without)
    torch.testing.assert_close(logits, bare_logits, **TOLERANCE)
    seeing = {name for name in gradients if part_of(name) != "language"}
    assert {part_of(name) for name in seeing} == {"vision", "projector"}
    for name, gradient in gradients.items():
        torch.testing.assert_close(gradient, bare.get(name, torch.zeros_like(gradient)), **TOLERANCE)
        assert name not in seeing or not gradient.any()


def test_a_row_without_a_picture_is_read_alike_beside_one_that_has_one(
    stand_in: tuple[Any, Any], toy_file: Path
) -> None:
    model, processor = stand_in
    mixed = Collator(processor)([row_of(toy_file.parent / "0.png"), UNSEEN[0]])
    alone = Collator(processor)(UNSEEN[:1])
    with torch.inference_mode():
        there, here = (model(**batch).logits for batch in (mixed, alone))
    kept = alone["attention_mask"][0].bool()
    torch.testing.assert_close(there[1, : int(kept.sum())], here[0][kept], **TOLERANCE)


def test_a_batch_with_a_picture_gets_no_other(tiny_dir: Path, toy_file: Path) -> None:
    from emollm.vlm.load import load_model

    processor = load_model(tiny_dir, device="cpu")[1]
    both = Collator(processor)([UNSEEN[0], row_of(toy_file.parent / "0.png")])
    assert len(both["image_grid_thw"]) == 1
    assert len(with_blank(processor, Collator(processor)(UNSEEN))["image_grid_thw"]) == 1
