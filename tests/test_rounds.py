"""Rounds: two that run, a rerun that goes on in the middle, and an end when nothing helps."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any, get_args

import pytest

pytest.importorskip("torch")
pytest.importorskip("trl")

from emollm.cli import main as emollm
from emollm.errors import ConfigError, SourceError, TrainingError
from emollm.records import Prediction, Sample, encode, read_records
from emollm.train.rounds import main
from emollm.train.rounds.recipe import Metric
from emollm.train.rounds.verbs import call_verb, command, failed
from eval.metrics import METRICS

ROOT = Path(__file__).parent.parent


def here(arguments: Sequence[str]) -> str:
    """Carry out a verb in this process: the same verb, without the seconds that its imports take."""
    printed = io.StringIO()
    with redirect_stdout(printed):
        code = emollm(list(arguments))
    if code == 130:
        raise KeyboardInterrupt
    if code:
        raise failed(arguments, code)
    return printed.getvalue()


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


class Verbs:
    """Carries out verbs, remembers which, and tells a model's words in place of an untaught one."""

    def __init__(self) -> None:
        self.called: list[str] = []
        self.gold: dict[str, list[str]] = {}
        """Round to the labels that its model answers, in turn, over the held-out samples; else it answers nonsense."""
        self.kept = 5
        """How many samples of the pool it explains well."""
        self.fails_at: str | None = None

    def __call__(self, arguments: Sequence[str]) -> str:
        step = " ".join(arguments[: 2 if arguments[0] == "train" else 1])
        self.called.append(step)
        if step == self.fails_at:
            self.fails_at = None
            raise KeyboardInterrupt
        if step == "predict":
            return self._predict(arguments)
        if step == "generate":
            return self._generate(arguments)
        return here(arguments)

    def _predict(self, arguments: Sequence[str]) -> str:
        """Let the model answer, then put other words into its mouth."""
        printed = here(arguments)
        path = Path(arguments[arguments.index("-o") + 1])
        number = path.parent.name.removeprefix("round-")
        if number in self.gold:
            told = self.gold[number]
            found = [
                Prediction(
                    id=one.id, completion=f"**Conclusion**: It is {told[at % len(told)]}.", model="m", style="sections"
                )
                for at, one in enumerate(read_records(path, Prediction))
            ]
            path.write_bytes(b"".join(encode(one) + b"\n" for one in found))
        return printed

    def _generate(self, arguments: Sequence[str]) -> str:
        """Explain by rule what a taught model would explain, so that the checks have something to keep."""
        teacher = arguments[arguments.index("--teacher") + 1]
        assert (Path(teacher) / "model.safetensors").exists()
        pool, out = Path(arguments[1]), arguments[arguments.index("-o") + 1]
        return here(["generate", str(pool), "-o", out, "--limit", str(self.kept), "--disagreement", "reject"])


@pytest.fixture
def verbs() -> Verbs:
    return Verbs()


@pytest.fixture
def run(values: dict[str, Any], verbs: Verbs, tmp_path: Path) -> Callable[..., Path]:
    """Run the rounds with changes and return their folder."""

    def run_with(*options: str, **changes: Any) -> Path:
        path = tmp_path / "rounds.yaml"
        path.write_text(json.dumps(values | changes))
        assert main(["--config", str(path), *options], verbs) == 0
        return Path((values | changes)["output_dir"])

    return run_with


ROUND = ["train sft", "train grpo", "predict", "score"]
HELD_OUT = ["happiness", "sadness", "surprise"]


def manifest(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "manifest.json").read_text())
    return found


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


def test_an_adapter_goes_through_the_round(run: Callable[..., Path], values: dict[str, Any], verbs: Verbs) -> None:
    folder = run(sft=values["sft"] | {"lora": {"r": 4}}, rounds=1)
    assert (folder / "best" / "adapter_model.safetensors").exists()
    assert json.loads((folder / "round-1" / "grpo.yaml").read_text())["adapter"] == str(folder / "round-1" / "sft")
    predicted = next(read_records(folder / "round-1" / "predictions.jsonl", Prediction))
    assert predicted.model == f"{values['model']}+{folder / 'round-1' / 'grpo'}"
    assert verbs.called == ROUND


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"sft": {"max_stepps": 1}}, r"sft\.max_stepps: unknown key; did you mean 'max_steps'"),
        ({"sft": {"model": "m"}}, r"sft\.model: is set by the loop"),
        ({"sft": {"validation": {}}}, r"sft\.validation: every round is measured on test_split"),
        ({"sft": {"styles": {"think": 1}}}, r"sft\.styles: lacks 'sections'"),
        ({"grpo": {"num_generations": 3}}, r"grpo\.num_generations: 3 answers .* do not divide"),
        ({"grpo": {"lora": {"r": 4}}}, r"grpo\.lora: the adapter of SFT goes on"),
        ({"metric": "loss"}, "metric: invalid enum value 'loss'"),
        ({"model": "Qwen/Qwen2.5-VL-3B-Instruct"}, "model: .* is no directory"),
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
        ({"test_split": "none"}, SourceError, "no sample in test_split 'none'"),
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


# --- verbs as programs of their own -----------------------------------------------------------------------------------


def test_a_verb_that_fails_ends_with_what_to_do(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="`emollm compare` ended with code 1 and said why above"):
        call_verb(["compare", str(tmp_path), str(tmp_path)])
    assert "error: " in capfd.readouterr().err
    assert call_verb(["--version"]).startswith("emollm ")


def test_a_launcher_starts_the_module_of_the_stage() -> None:
    line = command(["train", "sft", "--config", "r.yaml"], "zero2.yaml")
    assert line[-6:] == ["--config_file", "zero2.yaml", "-m", "emollm.train.sft", "--config", "r.yaml"]


@pytest.fixture
def sleeper(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A program that waits for a verb which notes the signals that it gets."""
    verb = (
        "import pathlib, signal, sys, time\n"
        "def noted(number, frame):\n"
        f"    pathlib.Path({str(tmp_path / 'noted')!r}).write_text(str(int(number)))\n"
        "    sys.exit(130)\n"
        "signal.signal(signal.SIGINT, noted)\n"
        f"pathlib.Path({str(tmp_path / 'ready')!r}).touch()\n"
        "time.sleep(60)\n"
    )
    code = (
        "import sys\n"
        "from emollm.train.rounds import verbs\n"
        f"verbs.command = lambda *_: [sys.executable, '-c', {verb!r}]\n"
        "try:\n"
        "    verbs.call_verb(['x'])\n"
        "except KeyboardInterrupt:\n"
        "    sys.exit(99)\n"
    )
    process = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT)
    yield process
    process.kill()


def test_ctrl_c_is_handed_on_and_waited_for(sleeper: subprocess.Popen[bytes], tmp_path: Path) -> None:
    until = time.monotonic() + 60
    while not (tmp_path / "ready").exists() and time.monotonic() < until:
        time.sleep(0.05)
    os.kill(sleeper.pid, signal.SIGINT)
    assert sleeper.wait(30) == 99
    assert (tmp_path / "noted").read_text() == str(int(signal.SIGINT))


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
