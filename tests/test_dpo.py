"""DPO: margins that rise, the reference that stays, runs that resume, and what is refused before they begin."""

from __future__ import annotations

import dataclasses
import math
import os
import re
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("trl")

from paired import write_paid, write_pairs  # noqa: E402
from running import carry_out, logged, manifest, weights  # noqa: E402

from emollm.errors import ConfigError, SourceError, TrainingError  # noqa: E402
from emollm.pictures import open_picture  # noqa: E402
from emollm.train import dpo, sft  # noqa: E402
from emollm.train.pairs import read_pairs  # noqa: E402
from emollm.vlm.load import load_model  # noqa: E402
from emollm.vlm.turns import IGNORED, ask_about, encode_answers, encode_prompts  # noqa: E402


@pytest.fixture(scope="module")
def pairs_file(toy_file: Path) -> Path:
    return write_pairs(toy_file)


@pytest.fixture
def values(pairs_file: Path, tiny_dir: Path, tmp_path: Path) -> dict[str, Any]:
    """A recipe of four steps, of which two are an epoch."""
    return {
        "model": str(tiny_dir),
        "train_file": str(pairs_file),
        "output_dir": str(tmp_path / "run"),
        "max_steps": 4,
        "per_device_train_batch_size": 4,
        "learning_rate": 1e-3,
        "lr_scheduler_type": "constant",
        "logging_steps": 1,
        "save_steps": 1,
    }


@pytest.fixture
def run(values: dict[str, Any], tmp_path: Path) -> Callable[..., Path]:
    """Run the recipe with changes and return its run folder."""
    return lambda *options, **changes: carry_out(dpo.main, values | changes, tmp_path, *options)


def log_probability(model: Any, processor: Any, pair: Any, answer: str) -> float:
    """The log-probability of an answer, computed from the logits of a plain forward pass."""
    batch = encode_answers(processor, [ask_about(open_picture(Path(pair.picture)), pair.question)], [answer])
    labels = batch.pop("labels")[0, 1:]
    with torch.inference_mode():
        logps = model(**batch).logits[0, :-1].log_softmax(-1)
    kept = labels != IGNORED
    return float(logps[kept].gather(1, labels[kept, None]).sum())


@pytest.mark.parametrize("changes", [{}, {"lora": {"r": 8}, "learning_rate": 5e-3}], ids=["whole", "lora"])
def test_the_better_answer_becomes_likelier_than_it_was(
    changes: dict[str, Any],
    run: Callable[..., Path],
    tiny_dir: Path,
    pairs_file: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    folder = run(**changes, max_steps=12, per_device_train_batch_size=8, save_strategy="no")
    assert re.search(r"step 12/12  loss \d\.\d{4}  margin \d+\.\d{3}  \d+% preferred  lr ", capsys.readouterr().err)
    log = logged(folder)
    assert log[0]["loss"] == pytest.approx(math.log(2), abs=1e-4)  # policy and reference are the same still
    assert log[-1]["rewards/margins"] > 0.3 > log[0]["rewards/margins"] == pytest.approx(0, abs=1e-4)
    assert log[-1]["rewards/accuracies"] > 0.8
    pairs, _ = read_pairs(pairs_file, pairs_file.parent)
    before, processor = load_model(tiny_dir, device="cpu")
    gains = []
    with_adapter = folder if changes else None
    after, _ = load_model(tiny_dir if changes else folder, with_adapter, device="cpu")
    for pair in pairs:
        margins = [
            log_probability(model, processor, pair, pair.chosen)
            - log_probability(model, processor, pair, pair.rejected)
            for model in (before, after)
        ]
        gains.append(margins[1] - margins[0])
    assert sum(gain > 0 for gain in gains) >= 7
    assert manifest(folder)["pairs"] == 8


def test_the_loss_is_that_of_the_paper(run: Callable[..., Path], values: dict[str, Any], tiny_dir: Path) -> None:
    """Equation 7 of Rafailov et al., from the logits of the saved model and of the base."""
    few = Path(values["train_file"]).with_name("one.jsonl")
    few.write_text("".join(Path(values["train_file"]).read_text().splitlines(keepends=True)[:4]))
    folder = run(train_file=str(few), max_steps=3, beta=0.3)
    pairs, _ = read_pairs(few, few.parent)
    reference, processor = load_model(tiny_dir, device="cpu")
    policy, _ = load_model(folder / "checkpoint-2", device="cpu")
    losses = []
    for pair in pairs:
        ratios = [
            log_probability(policy, processor, pair, answer) - log_probability(reference, processor, pair, answer)
            for answer in (pair.chosen, pair.rejected)
        ]
        losses.append(-math.log(1 / (1 + math.exp(-0.3 * (ratios[0] - ratios[1])))))
    assert logged(folder)[2]["loss"] == pytest.approx(sum(losses) / len(losses), abs=2e-4)


@pytest.mark.parametrize("kind", ["whole", "lora", "adapter"])
def test_a_run_that_was_stopped_and_went_on_ends_with_the_same_weights(
    kind: str, run: Callable[..., Path], values: dict[str, Any], tmp_path: Path
) -> None:
    changes: dict[str, Any] = {"lora": {"r": 4}} if kind == "lora" else {}
    changes |= {"adapter": str(tmp_path / "adapter")} if kind == "adapter" else {}
    if kind == "adapter":
        samples = str(Path(values["train_file"]).with_name("cot.jsonl"))
        recipe = values | {"lora": {"r": 4}, "max_steps": 1, "train_file": samples, "output_dir": changes["adapter"]}
        carry_out(sft.main, recipe, tmp_path)
    whole = run(**changes, output_dir=str(tmp_path / "whole"))
    assert logged(whole)[0]["loss"] == pytest.approx(math.log(2), abs=1e-4)
    run(**changes, max_steps=3)
    again = run(**changes)
    expected, found = weights(whole), weights(again)
    assert expected.keys() == found.keys()
    for name, value in expected.items():
        assert torch.equal(found[name], value), name
    assert [entry["loss"] for entry in logged(again)] == [entry["loss"] for entry in logged(whole)]
    assert not (again / "ref").exists()


def test_ctrl_c_saves_and_the_same_command_goes_on(
    run: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    encode = encode_answers

    def pressed(*arguments: Any) -> Any:
        if not (tmp_path / "pressed").exists():
            (tmp_path / "pressed").touch()
            os.kill(os.getpid(), signal.SIGINT)
        return encode(*arguments)

    monkeypatch.setattr(dpo, "encode_answers", pressed)
    with pytest.raises(KeyboardInterrupt):
        run(save_strategy="no")
    assert manifest(tmp_path / "run")["status"] == "stopped"
    assert manifest(run(save_strategy="no"))["steps"] == 4


def test_a_loss_that_is_no_number_ends_the_run_with_one_line(run: Callable[..., Path], tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"run: step 2: the (loss|gradient) is (nan|inf); lower learning_rate"):
        run(learning_rate=1e30)
    assert manifest(tmp_path / "run")["status"] == "failed"


def test_pairs_are_encoded_as_for_prediction(tiny_dir: Path, pairs_file: Path) -> None:
    pairs, _ = read_pairs(pairs_file, pairs_file.parent)
    processor = load_model(tiny_dir, device="cpu")[1]
    rows = [pair._asdict() | {"images": [pair.picture]} for pair in pairs]
    batch = dpo.PairCollator(processor)(rows)
    for place, pair in enumerate(pairs):
        prompt = encode_prompts(processor, [ask_about(open_picture(Path(pair.picture)), pair.question)])
        length = prompt["input_ids"].shape[1]
        for at, answer in ((place, pair.chosen), (len(pairs) + place, pair.rejected)):
            assert torch.equal(batch["input_ids"][at, :length], prompt["input_ids"][0])
            said = batch["input_ids"][at][batch["completion_mask"][at].bool()]
            assert processor.tokenizer.decode(said) == f"{answer}<|im_end|>"
    assert batch["completion_mask"].shape == batch["attention_mask"].shape


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"beta": 0}, "beta: at 0 no answer is better"),
        ({"label_smoothing": 0.1}, "label_smoothing: the loss does not use it"),
        ({"max_length": 512}, "max_length: nothing is cut off here"),
        ({"precompute_ref_log_probs": True}, "precompute_ref_log_probs: "),
        ({"adapter": "a", "lora": {"r": 4}}, "adapter: goes on with its own settings"),
        ({"quantization": "nf4"}, "quantization: four-bit weights cannot be trained"),
        ({"margin": -1}, "margin: expected `float` >= 0"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_what_cannot_work_is_said_before_anything_is_loaded(
    changes: dict[str, Any], message: str, run: Callable[..., Path], tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match=message):
        run(**({"model": "no/such/model"} | changes))
    assert not (tmp_path / "run").exists()


def test_a_file_without_pairs_is_said(run: Callable[..., Path], tmp_path: Path) -> None:
    (tmp_path / "none.jsonl").write_text("")
    with pytest.raises(SourceError, match="no pair to learn from; check media_root"):
        run(train_file=str(tmp_path / "none.jsonl"))
    with pytest.raises(SourceError, match="holds no completions"):
        run(completions=str(tmp_path), output_dir=str(tmp_path / "other"))


def test_a_run_on_completions_goes_on_with_the_pairs_it_began_with(
    run: Callable[..., Path], toy_file: Path, tmp_path: Path
) -> None:
    completions = write_paid(tmp_path)
    changes = {"train_file": str(toy_file), "completions": str(completions), "per_device_train_batch_size": 1}
    whole = run(**changes, output_dir=str(tmp_path / "whole"))
    run(**changes, max_steps=2)
    shutil.rmtree(completions)
    again = run(**changes)
    assert manifest(again)["refused"] == manifest(whole)["refused"]
    assert manifest(again)["refused"]["too_alike"] == 2
    for name, value in weights(whole).items():
        assert torch.equal(weights(again)[name], value), name


def test_a_plan_counts_both_answers_and_the_reference(
    run: Callable[..., Path], values: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    run("--plan")
    shown = capsys.readouterr().out
    assert "pairs       8 (" in shown
    assert "8 answers a step, 2 steps an epoch, 4 steps in all" in shown
    assert "reference" in shown.partition("memory on")[2]
    run("--plan", lora={"r": 4}, train_file=str(Path(values["train_file"]).with_name("none.jsonl")))
    shown = capsys.readouterr().out
    assert "the first model, to measure drift" not in shown
    assert "there is no" in shown


def test_every_refused_key_and_every_default_is_one_that_the_trainer_has() -> None:
    from trl import DPOConfig

    assert {*dpo.REFUSED, *dpo.DEFAULTS} <= {field.name for field in dataclasses.fields(DPOConfig)}
