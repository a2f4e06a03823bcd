"""Comparing two runs: paired differences, and refusing what cannot be compared."""

from __future__ import annotations

import json
import random
import re
from pathlib import Path

import msgspec
import pytest

from emollm import facs
from emollm.errors import ConfigError, EmoLLMError, RecordError
from emollm.records import encode
from eval.compare import Difference, differences, main, read_run, verdict
from eval.results import Coverage, Input, Settings, write_results
from eval.scored import Scored
from eval.summary import summarise

LABELS = ["happiness", "sadness"]


def run_of(
    folder: Path, right: list[bool], *, split: str | None = None, gold: str = "happiness", first_id: int = 0
) -> Path:
    """Write a folder in which a sample is right or wrong as the list says."""
    settings = Settings(
        label_set="basic7",
        split=split,
        limit=None,
        thresholds=dict(facs.THRESHOLDS),
        num_resamples=10,
        seed=0,
        confidence=0.95,
    )
    rows = [
        Scored(
            id=str(first_id + number),
            subject=f"s{number % 30}",
            model=folder.name,
            completion="x",
            gold=gold,
            predicted=gold if is_right else "sadness",
            correct=is_right,
        )
        for number, is_right in enumerate(right)
    ]
    n = len(rows)
    coverage = Coverage(
        samples=n, predictions=n, missing=0, surplus=0, malformed=0, labelled=n, measured=0, subjects=30, clusters=30
    )
    inputs = {name: Input(file=f"{name}.jsonl", sha256="0" * 64) for name in ("predictions", "samples")}
    folder.mkdir()
    write_results(folder, summarise(rows, LABELS, settings, coverage, inputs))
    (folder / "samples.jsonl").write_bytes(b"".join(encode(row) + b"\n" for row in rows))
    return folder


def accuracy_difference(first: Path, second: Path, seed: int = 0) -> Difference:
    found = differences(read_run(first), read_run(second), num_resamples=400, seed=seed)
    return next(difference for difference in found if difference.metric == "accuracy")


def test_a_clear_gain_is_better(tmp_path: Path) -> None:
    first = run_of(tmp_path / "a", [True, False] * 100)
    second = run_of(tmp_path / "b", [True, True, True, False] * 50)
    difference = accuracy_difference(first, second)
    assert (difference.first, difference.second) == (0.5, 0.75)
    assert 0 < difference.low < 0.25 < difference.high
    assert verdict(difference) == "better"


def test_pairing_makes_the_interval_narrower_than_two_separate_ones(tmp_path: Path) -> None:
    rng = random.Random(0)
    before = [rng.random() < 0.5 for _ in range(300)]
    after = [is_right or rng.random() < 0.08 for is_right in before]  # the same samples right, and some more
    difference = accuracy_difference(run_of(tmp_path / "a", before), run_of(tmp_path / "b", after))
    assert difference.low > 0  # two separate intervals of ±6 points would overlap
    assert difference.high - difference.low < 0.08


def test_a_run_against_itself_does_not_differ(tmp_path: Path) -> None:
    first = run_of(tmp_path / "a", [True, False] * 20)
    assert accuracy_difference(first, first)[1:] == (0.5, 0.5, 0.0, 0.0)


def test_order_of_the_samples_does_not_matter(tmp_path: Path) -> None:
    first = run_of(tmp_path / "a", [True] * 10 + [False] * 30)
    second = run_of(tmp_path / "b", [True] * 20 + [False] * 20)
    before = accuracy_difference(first, second)
    lines = (second / "samples.jsonl").read_bytes().splitlines(keepends=True)
    (second / "samples.jsonl").write_bytes(b"".join(reversed(lines)))
    assert accuracy_difference(first, second) == before


def test_metrics_without_gold_are_not_compared(tmp_path: Path) -> None:
    first = run_of(tmp_path / "a", [True, False])
    names = {difference.metric for difference in differences(read_run(first), read_run(first), num_resamples=5, seed=0)}
    assert "accuracy" in names
    assert "claim_precision" not in names


@pytest.mark.parametrize(
    ("metric", "low", "high", "expected"),
    [
        ("accuracy", 0.01, 0.1, "better"),
        ("accuracy", -0.1, -0.01, "worse"),
        ("accuracy", -0.1, 0.1, "not clear"),
        ("contradiction_rate", 0.01, 0.1, "worse"),
        ("contradiction_rate", -0.1, -0.01, "better"),
        ("mean_words", 1.0, 2.0, "different"),
    ],
)
def test_verdict(metric: str, low: float, high: float, expected: str) -> None:
    middle = (low + high) / 2
    assert verdict(Difference(metric, 0.5, 0.5 + middle, low, high)) == expected


def test_runs_on_other_samples_or_splits_are_refused_with_every_reason(tmp_path: Path) -> None:
    first = run_of(tmp_path / "a", [True] * 5)
    second = run_of(tmp_path / "b", [True] * 6, split="test", first_id=2)
    message = "split None and 'test'; other samples (2 only in the first, 3 only in the second); score both"
    with pytest.raises(ConfigError, match=re.escape(message)):
        main([str(first), str(second)])


def test_runs_on_other_gold_are_refused(tmp_path: Path) -> None:
    first, second = run_of(tmp_path / "a", [True] * 5), run_of(tmp_path / "b", [True] * 5, gold="sadness")
    with pytest.raises(ConfigError, match="other gold for 5 samples, such as '0'"):
        main([str(first), str(second)])


def test_a_folder_without_scores_is_named(tmp_path: Path) -> None:
    with pytest.raises(EmoLLMError, match=re.escape(f"{tmp_path}/results.json: cannot be read")):
        main([str(tmp_path), str(tmp_path)])


def test_results_of_another_shape_are_refused(tmp_path: Path) -> None:
    first = run_of(tmp_path / "a", [True])
    results = msgspec.json.decode((first / "results.json").read_bytes())
    results["verdict"] = 1
    (first / "results.json").write_bytes(msgspec.json.encode(results))
    with pytest.raises(RecordError, match="unknown field `verdict`"):
        main([str(first), str(first)])


def test_table_is_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first = run_of(tmp_path / "sft", [True, False] * 100)
    second = run_of(tmp_path / "grpo", [True, True, True, False] * 50)
    assert main([str(first), str(second), "--num-resamples", "200"]) == 0
    printed = capsys.readouterr().out
    assert re.search(r"Accuracy +50\.0 +75\.0 +\+25\.0 +\+\d+\.\d – \+\d+\.\d +better", printed)
    assert "only in the first: 0, only in the second: 50" in printed


def test_a_program_can_read_the_differences(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first = run_of(tmp_path / "a", [number % 2 == 0 for number in range(200)])
    second = run_of(tmp_path / "b", [True] * 200)
    assert main([str(first), str(second), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    accuracy = told["differences"]["accuracy"]
    assert (accuracy["first"], accuracy["second"], accuracy["second_is"]) == (0.5, 1.0, "better")
    assert 0 < accuracy["low"] < 0.5 < accuracy["high"] < 1
    assert told["samples"] == 200
