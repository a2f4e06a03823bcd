"""Rounds: two that run, a rerun that goes on in the middle, and an end when nothing helps."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import pytest

pytest.importorskip("torch")
pytest.importorskip("trl")

from round_verbs import Verbs, here
from running import carry_out, manifest

from emollm.errors import ConfigError, SourceError
from emollm.records import Prediction, Sample, encode, read_records
from emollm.train.rounds import main
from emollm.train.rounds.recipe import Metric
from eval.metrics import METRICS


@pytest.fixture
def samples(toy_file: Path, tmp_path: Path) -> Path:
    """The toy faces: 12 with gold texts, 24 to be explained, 12 held out."""
    splits = {0: "train", 1: "pool", 2: "pool", 3: "other"}
    found = []
    for number, sample in enumerate(read_records(toy_file, Sample)):
        if sample.split == "train":
            sample.split = splits[number // 3 % 4]
        found.append(sample)
    path = tmp_path / "cot.jsonl"
    path.write_bytes(b"".join(encode(sample) + b"\n" for sample in found))
    return path


@pytest.fixture
def values(samples: Path, toy_file: Path, tiny_dir: Path, tmp_path: Path) -> dict[str, Any]:
    """A recipe of two rounds, in which next to nothing is learnt."""
    return {
        "model": str(tiny_dir),
        "train_file": str(samples),
        "media_root": str(toy_file.parent),
        "output_dir": str(tmp_path / "rounds"),
        "rounds": 2,
        "metric": "accuracy",
        "max_new_tokens": 24,
        "tries": 1,
        "sft": {"max_steps": 1, "per_device_train_batch_size": 4, "save_strategy": "no"},
        "grpo": {
            "rewards": {"label": 1.0},
            "max_steps": 1,
            "num_generations": 2,
            "per_device_train_batch_size": 4,
            "max_completion_length": 4,
            "save_strategy": "no",
        },
    }


@pytest.fixture
def verbs() -> Verbs:
    return Verbs()


@pytest.fixture
def run(values: dict[str, Any], verbs: Verbs, tmp_path: Path) -> Callable[..., Path]:
    """Run the rounds with changes and return their folder."""

    def with_verbs(arguments: list[str]) -> int:
        return main(arguments, verbs)

    return lambda *options, **changes: carry_out(with_verbs, values | changes, tmp_path, *options)


ROOT = Path(__file__).parent.parent
ROUND = ["train sft", "train grpo", "predict", "score"]
HELD_OUT = ["happiness", "sadness", "surprise"]


def ids(path: Path) -> list[str]:
    return [sample.id for sample in read_records(path, Sample)]


def test_the_second_round_learns_from_the_texts_of_the_first(
    run: Callable[..., Path], verbs: Verbs, capsys: pytest.CaptureFixture[str]
) -> None:
    verbs.gold = {"1": ["anger"], "2": HELD_OUT}
    folder = run()
    assert verbs.called == [*ROUND, "generate", *ROUND, "compare"]
    gold, pool, own = (ids(folder / name) for name in ("gold.jsonl", "pool.jsonl", "round-1/own.jsonl"))
    assert (len(gold), len(pool)) == (12, 24)
    assert own
    assert set(own) <= set(pool)
    assert ids(folder / "round-1" / "train.jsonl") == gold
    assert ids(folder / "round-2" / "train.jsonl") == [*gold, *own]
    assert not any(sample.reasoning for sample in read_records(folder / "questions.jsonl", Sample))
    assert not any(sample.reasoning for sample in read_records(folder / "pool.jsonl", Sample))
    told = manifest(folder)
    assert (told["status"], told["best"], told["ended"]) == ("done", 2, "all rounds are done")
    assert [one["own"] for one in told["rounds"]] == [0, len(own)]
    assert [one["accuracy"] for one in told["rounds"]] == [0, 1]
    assert (folder / "best").resolve() == (folder / "round-2" / "grpo").resolve()
    printed = capsys.readouterr().out
    assert "+100.0 [+100.0, +100.0] better" in printed
    assert f"the best is round 2: --model {folder / 'round-2' / 'grpo'}" in printed


def test_a_metric_that_does_not_rise_ends_the_rounds_and_the_round_before_is_the_best(
    run: Callable[..., Path], verbs: Verbs
) -> None:
    verbs.gold = {"1": ["anger"], "2": HELD_OUT, "3": HELD_OUT}
    folder = run(rounds=5)
    assert verbs.called.count("train sft") == 3
    told = manifest(folder)
    assert told["best"] == 2
    assert told["ended"] == "round 3 does not help: +0.0 [+0.0, +0.0] not clear"
    assert (folder / "best").resolve() == (folder / "round-2" / "grpo").resolve()


def test_a_metric_that_falls_ends_the_rounds(run: Callable[..., Path], verbs: Verbs) -> None:
    verbs.gold = {"1": HELD_OUT, "2": ["anger"]}
    assert manifest(run(rounds=1))["best"] == 1
    assert manifest(run(rounds=5))["best"] == 1  # more rounds than before are no other run
    assert verbs.called == [*ROUND, "generate", *ROUND, "compare"]


def test_a_model_whose_texts_all_fail_ends_the_rounds(
    run: Callable[..., Path], verbs: Verbs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verbs, "_generate", here)  # the untaught model itself explains
    folder = run()
    run()
    assert verbs.called == [*ROUND, "generate"]
    assert (folder / "round-1" / "own.rejected.jsonl").exists()
    assert manifest(folder)["ended"] == "no text of round 1 passed the checks; see own.rejected.jsonl"
    assert manifest(folder)["best"] == 1


@pytest.mark.parametrize("step", ["train grpo", "generate"])
def test_a_run_that_was_stopped_goes_on_with_the_step_it_was_in(
    step: str, run: Callable[..., Path], verbs: Verbs, tmp_path: Path
) -> None:
    verbs.gold = {"1": ["anger"], "2": HELD_OUT}
    verbs.fails_at = step
    with pytest.raises(KeyboardInterrupt):
        run()
    assert manifest(tmp_path / "rounds")["status"] == "stopped"
    reached = verbs.called[:]
    folder = run()
    whole = [*ROUND, "generate", *ROUND, "compare"]
    assert verbs.called == [*whole[: whole.index(step) + 1], *whole[whole.index(step) :]]
    assert reached == whole[: whole.index(step) + 1]
    assert manifest(folder)["best"] == 2
    verbs.called.clear()
    run()
    assert verbs.called == []
    with pytest.raises(ConfigError, match=r"holds a run with other settings \(tries 1 → 2\)"):
        run(tries=2)


def test_overwrite_starts_again(run: Callable[..., Path], verbs: Verbs) -> None:
    run(rounds=1)
    verbs.called.clear()
    run("--overwrite", rounds=1, tries=2)
    assert verbs.called == ROUND


def test_a_language_is_that_of_every_step(run: Callable[..., Path], verbs: Verbs) -> None:
    verbs.gold = {"1": ["anger"], "2": HELD_OUT}
    folder = run(language="zh")
    assert json.loads((folder / "round-1" / "grpo.yaml").read_text())["language"] == "zh"
    assert (verbs.languages["predict"], verbs.languages["generate"]) == ("zh", "zh")


def test_an_adapter_goes_through_the_round(run: Callable[..., Path], values: dict[str, Any], verbs: Verbs) -> None:
    folder = run(sft=values["sft"] | {"lora": {"r": 4}}, rounds=1)
    assert (folder / "best" / "adapter_model.safetensors").exists()
    assert json.loads((folder / "round-1" / "grpo.yaml").read_text())["adapter"] == str(folder / "round-1" / "sft")
    predicted = next(read_records(folder / "round-1" / "predictions.jsonl", Prediction))
    assert predicted.model == f"{values['model']}+{folder / 'round-1' / 'grpo'}"
    assert verbs.called == ROUND


def test_rounds_begin_with_a_model_by_its_name(
    run: Callable[..., Path],
    values: dict[str, Any],
    verbs: Verbs,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """An adapter of the embedded base, which explains by its name and that of its adapter; no text passes."""
    monkeypatch.setattr(verbs, "_generate", here)
    folder = run(model="emollm-tiny", sft=values["sft"] | {"lora": {"r": 4}}, max_new_tokens=4)
    assert verbs.called == [*ROUND, "generate"]
    told = json.loads((folder / "round-1" / "own.manifest.json").read_text())
    assert told["options"]["model"] == "emollm-tiny"
    best = f"the best is round 1: --model emollm-tiny --adapter {folder / 'round-1' / 'grpo'}"
    assert best in capsys.readouterr().out


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"sft": {"max_stepps": 1}}, r"sft\.max_stepps: unknown key; did you mean 'max_steps'"),
        ({"sft": {"model": "m"}}, r"sft\.model: is set by the loop"),
        ({"sft": {"validation": {}}}, r"sft\.validation: every round is measured on test_split"),
        ({"sft": {"styles": {"think": 1}}}, r"sft\.styles: lacks 'sections'"),
        ({"grpo": {"num_generations": 3}}, r"grpo\.num_generations: 3 answers .* do not divide a rollout of 8 "),
        (
            {"grpo": {"num_generations": 3}, "launcher": str(ROOT / "recipes" / "accelerate" / "ddp.yaml")},
            r"grpo\.num_generations: 3 answers .* do not divide a rollout of 16 ",
        ),
        ({"grpo": {"lora": {"r": 4}}}, r"grpo\.lora: the adapter of SFT goes on"),
        ({"metric": "loss"}, "metric: 'loss' is not known; "),
        (
            {"metric": "loss", "sft": {"max_stepps": 1}, "grpo": {"language": "zh"}},
            r"(?s)3 problem.*metric: 'loss'.*grpo\.language: is set by the loop.*sft\.max_stepps: unknown",
        ),
        ({"model": "nobody/nothing"}, "model: nobody/nothing: no such directory, and no model of that name"),
        ({"pool_file": "none.jsonl"}, "pool_file: none.jsonl is not there"),
        ({"launcher": "none.yaml"}, "launcher: none.yaml is not there"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_what_cannot_work_is_said_before_anything_is_trained(
    changes: dict[str, Any], message: str, run: Callable[..., Path], verbs: Verbs, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match=message):
        run(**changes)
    assert verbs.called == []
    assert not (tmp_path / "rounds").exists()


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"pool_split": "test"}, ConfigError, "12 held-out samples are learnt from too, such as 'toy48'"),
        ({"pool_split": "none"}, SourceError, "no sample without a gold text in pool_split 'none'"),
        ({"split": "none"}, SourceError, "no text in split 'none'"),
        ({"test_split": "none"}, SourceError, "no sample of split 'none'; there are .*; set test_split to one"),
        ({"media_root": "/"}, ConfigError, "held-out sample 'toy48': .*no such file"),
    ],
)
def test_data_that_cannot_work_is_said_before_anything_is_trained(
    changes: dict[str, Any], error: type[Exception], message: str, run: Callable[..., Path], verbs: Verbs
) -> None:
    with pytest.raises(error, match=message):
        run(**changes)
    assert verbs.called == []


def test_every_metric_that_can_decide_is_one_of_which_more_is_better() -> None:
    assert all(METRICS[name].better == "higher" for name in get_args(Metric))


@pytest.mark.slow  # a dozen programs, each of which imports torch
def test_rounds_of_real_programs(values: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Face and text are so simple here that every text of the model may fail: either way the run ends in order."""
    path = tmp_path / "rounds.yaml"
    sft = values["sft"] | {"max_steps": 60, "learning_rate": 3e-3, "per_device_train_batch_size": 12}
    path.write_text(json.dumps(values | {"sft": sft, "max_new_tokens": 96}))
    assert main(["--config", str(path)]) == 0
    folder = tmp_path / "rounds"
    assert manifest(folder)["status"] == "done"
    assert (folder / "best" / "model.safetensors").exists()
    assert "the best is round" in capsys.readouterr().out
