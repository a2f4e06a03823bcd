"""What is said of differences that cannot be tested, and of numbers that one run alone has."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import Any

import pytest
from test_compare import run_of

from eval.compare import main
from eval.differences import compare_runs
from eval.runs import read_run
from eval.score import main as score
from eval.verdicts import sentences, verdict

FACE = {"aus": {"AU12": {"value": 3.0, "kind": "intensity"}, "AU04": {"value": 0.0, "kind": "intensity"}}}
SMILE = "**Key Observations**: The lip corners are raised.\n**Conclusion**: happiness"
FROWN = "**Key Observations**: The brows are lowered.\n**Conclusion**: sadness"


def scored(folder: Path, name: str, answers: list[str | None], **gold: Any) -> str:
    """Score answers to samples of as many subjects; `gold` gives fields, or a function of the place in the list."""
    samples, predictions = [], []
    for i, said in enumerate(answers):
        fields = {key: value(i) if callable(value) else value for key, value in gold.items()}
        samples.append({"id": str(i), "subject": f"s{i}", "label_set": "basic7", **fields})
        if said is not None:
            predictions.append({"id": str(i), "completion": said, "model": name})
    for path, records in ((folder / "samples.jsonl", samples), (folder / f"{name}.jsonl", predictions)):
        path.write_text("".join(json.dumps(record) + "\n" for record in records))
    arguments = [str(folder / f"{name}.jsonl"), str(folder / "samples.jsonl"), "-o", str(folder / name), "--no-report"]
    assert score([*arguments, "--num-resamples", "50"]) == 0
    return str(folder / name)


def told_of(folders: list[str], capsys: pytest.CaptureFixture[str], *options: str) -> dict[str, Any]:
    capsys.readouterr()
    assert main([*folders, "--json", *options]) == 0
    told: dict[str, Any] = json.loads(capsys.readouterr().out, parse_constant=pytest.fail)
    return told


# --- one subject ------------------------------------------------------------------------------------------------------


def test_of_one_subject_nothing_can_be_tested(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first = run_of(tmp_path / "a", [False] * 20, num_subjects=1)
    second = run_of(tmp_path / "b", [i < 7 for i in range(20)], num_subjects=1)
    runs = [read_run(first), read_run(second)]
    [found] = compare_runs(runs, num_resamples=50, seed=0)
    accuracy = next(one for one in found.differences if one.metric == "accuracy")
    assert (accuracy.first, accuracy.second) == (0.0, 0.35)
    assert all(math.isnan(value) for value in accuracy[3:7])
    assert verdict(accuracy) == "not clear"
    said = sentences(runs, [found])[-1]
    assert said == (
        "No difference can be told from chance. "
        f"Numbers that rest on one subject or sample, without interval and p: {len(found.differences)}."
    )
    capsys.readouterr()
    assert main([str(first), str(second), "--power", "2"]) == 0
    assert re.search(r"Accuracy +0\.0 +35\.0 +\+35\.0 +— +— +— +not clear +— +—", capsys.readouterr().out)
    one = told_of([str(first), str(second)], capsys, "--power", "2")["differences"]["accuracy"]
    assert [one[name] for name in ("low", "high", "deviation", "p", "p_adjusted", "needed_clusters")] == [None] * 6


def test_what_is_known_of_one_subject_is_not_tested_among_others(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Only one face is measured: its claims are those of one subject, whatever the labels of the others say."""
    gold: dict[str, Any] = {
        "label": lambda i: ("happiness", "sadness")[i % 2],
        "faces": lambda i: [FACE] if i == 3 else None,
    }
    first = scored(tmp_path, "a", [FROWN] * 20, **gold)
    second = scored(tmp_path, "b", [SMILE if i % 4 else FROWN for i in range(20)], **gold)
    told = told_of([first, second], capsys)["differences"]
    assert (told["claim_precision"]["first"], told["claim_precision"]["second"]) == (0.0, 1.0)
    assert (told["claim_precision"]["low"], told["claim_precision"]["p"]) == (None, None)
    assert told["accuracy"]["p_adjusted"] is not None
    runs = [read_run(Path(folder)) for folder in (first, second)]
    [found] = compare_runs(runs, num_resamples=50, seed=0)
    counted = [one for one in found.differences if one.p_adjusted is not None and not math.isnan(one.p_adjusted)]
    assert all(one.is_tested for one in counted)
    assert sentences(runs, [found])[-1].startswith(f"Of all {len(counted)} differences,")


def test_claims_about_one_subject_are_not_tested_though_all_are_measured(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    gold: dict[str, Any] = {"label": "happiness", "faces": [FACE]}
    folders = [
        scored(tmp_path, name, [said, *["happiness"] * 29], **gold) for name, said in (("a", FROWN), ("b", SMILE))
    ]
    one = told_of(folders, capsys)["differences"]["claim_precision"]
    assert (one["first"], one["second"], one["second_is"]) == (0.0, 1.0, "not clear")
    assert (one["low"], one["high"], one["p"], one["p_adjusted"]) == (None, None, None, None)


def test_claims_about_two_subjects_keep_their_interval(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    gold: dict[str, Any] = {"label": "happiness", "faces": [FACE]}
    folders = [
        scored(tmp_path, name, [said, SMILE, *["happiness"] * 28], **gold)
        for name, said in (("a", FROWN), ("b", SMILE))
    ]
    one = told_of(folders, capsys)["differences"]["claim_precision"]
    assert (one["low"], one["high"]) == (0.0, 1.0)
    assert one["p"] is not None


# --- only one run has it ----------------------------------------------------------------------------------------------


def test_what_one_run_alone_has_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    gold: dict[str, Any] = {"label": "happiness", "faces": [FACE]}
    silent = scored(tmp_path, "silent", [None] * 19 + [""], **gold)
    sft = scored(tmp_path, "sft", [SMILE] * 20, **gold)
    told = told_of([silent, sft], capsys)
    assert told["only_in"]["silent"] == []
    assert {"claim_precision", "contradiction_rate", "answered_accuracy"} <= set(told["only_in"]["sft"])
    assert set(told["only_in"]["sft"]).isdisjoint(told["differences"])
    page = tmp_path / "compared.html"
    assert main([silent, sft, "-o", str(page)]) == 0
    printed = capsys.readouterr().out
    [line] = re.findall(r"^Only in .*$", printed, re.MULTILINE)
    assert line.startswith("Only in sft, not in silent: Claim precision,")
    assert line in page.read_text(encoding="utf-8")
    several = told_of([silent, sft, scored(tmp_path, "grpo", [SMILE] * 20, **gold)], capsys, "--against", "previous")
    assert several["only_in"]["sft"] == told["only_in"]
    assert several["only_in"]["grpo"] == {"sft": [], "grpo": []}


def test_a_family_of_one_run_alone_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folders = [scored(tmp_path, name, ["happiness"] * 6, label="happiness") for name in ("a", "b")]
    arguments = [str(tmp_path / "b.jsonl"), str(tmp_path / "samples.jsonl"), "-o", folders[1], "--no-report"]
    assert score([*arguments, "--overwrite", "--metrics", "none", "--num-resamples", "50"]) == 0
    told = told_of(folders, capsys)["only_in"]
    assert "answered_accuracy" in told["a"]
    assert told["b"] == []


# --- gold -------------------------------------------------------------------------------------------------------------


def test_without_gold_labels_nothing_is_said_of_right_ones(tmp_path: Path) -> None:
    folders = [scored(tmp_path, name, [said] * 6, faces=[FACE]) for name, said in (("a", SMILE), ("b", FROWN))]
    runs = [read_run(Path(folder)) for folder in folders]
    found = compare_runs(runs, num_resamples=50, seed=0)
    assert not [line for line in sentences(runs, found) if "right" in line]
