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
from eval.compare import main
from eval.differences import Difference, compare_runs
from eval.results import Coverage, Input, Settings, write_results
from eval.runs import read_run
from eval.score import main as score
from eval.scored import Scored
from eval.summary import summarise
from eval.verdicts import sentences, verdict

LABELS = ["happiness", "sadness"]


def run_of(
    folder: Path,
    right: list[bool],
    *,
    split: str | None = None,
    gold: str = "happiness",
    first_id: int = 0,
    num_subjects: int = 30,
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
            subject=f"s{number % num_subjects}",
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
    [found] = compare_runs([read_run(first), read_run(second)], num_resamples=400, seed=seed)
    return next(difference for difference in found.differences if difference.metric == "accuracy")


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
    assert accuracy_difference(first, first)[1:7] == (0.5, 0.5, 0.0, 0.0, 0.0, 1.0)


def test_order_of_the_samples_does_not_matter(tmp_path: Path) -> None:
    first = run_of(tmp_path / "a", [True] * 10 + [False] * 30)
    second = run_of(tmp_path / "b", [True] * 20 + [False] * 20)
    before = accuracy_difference(first, second)
    lines = (second / "samples.jsonl").read_bytes().splitlines(keepends=True)
    (second / "samples.jsonl").write_bytes(b"".join(reversed(lines)))
    assert accuracy_difference(first, second) == before


def test_metrics_without_gold_are_not_compared(tmp_path: Path) -> None:
    first = run_of(tmp_path / "a", [True, False])
    [found] = compare_runs([read_run(first), read_run(first)], num_resamples=5, seed=0)
    names = {difference.metric for difference in found.differences}
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
    one = Difference(metric, 0.5, 0.5 + middle, low, high, deviation=0.01, p=0.01, p_adjusted=0.02)
    assert verdict(one) == expected
    doubtful = f"perhaps {expected}" if expected != "not clear" else expected
    assert verdict(one._replace(p_adjusted=0.2)) == doubtful  # clear alone, not among all that are shown


def test_runs_on_other_samples_or_splits_are_refused_with_every_reason(tmp_path: Path) -> None:
    first = run_of(tmp_path / "a", [True] * 5)
    second = run_of(tmp_path / "b", [True] * 6, split="test", first_id=2)
    message = "split None and 'test'; other samples (2 only in the first, 3 only in the second); score both"
    with pytest.raises(ConfigError, match=re.escape(message)):
        main([str(first), str(second)])


def test_runs_on_other_gold_are_refused(tmp_path: Path) -> None:
    first, second = run_of(tmp_path / "a", [True] * 5), run_of(tmp_path / "b", [True] * 5, gold="sadness")
    with pytest.raises(ConfigError, match=r"other gold for 5 samples \(label\), such as '0'"):
        main([str(first), str(second)])


def test_runs_scored_by_two_versions_are_refused(tmp_path: Path) -> None:
    first, second = (run_of(tmp_path / name, [True, False] * 5) for name in "ab")
    results = json.loads((second / "results.json").read_text())
    (second / "results.json").write_text(json.dumps(results | {"emollm": "0.0.1"}))
    with pytest.raises(ConfigError, match=rf"scored by emollm {re.escape(results['emollm'])} and 0\.0\.1; score both"):
        accuracy_difference(first, second)


def test_what_cannot_differ_makes_no_chance_findings(tmp_path: Path) -> None:
    """Both runs answer every sample in one word: coverage, words and the like are the same on each."""
    first, second = run_of(tmp_path / "a", [True, False] * 40), run_of(tmp_path / "b", [False, True] * 40)
    runs = [read_run(first), read_run(second)]
    found = compare_runs(runs, num_resamples=10, seed=0)
    num_differing = sum(one.p <= 1 and one.deviation > 0 for one in found[0].differences)
    said = sentences(runs, found)[-1]
    assert 0 < num_differing < len(found[0].differences)
    assert said.startswith(f"Of all {num_differing} differences,")
    assert f"{len(found[0].differences) - num_differing} other numbers stand on what is the same" in said


def test_a_folder_without_scores_is_named(tmp_path: Path) -> None:
    with pytest.raises(EmoLLMError, match=re.escape(f"{tmp_path}/results.json: cannot be read")):
        main([str(tmp_path), str(tmp_path / "other")])


def test_results_of_another_shape_are_refused(tmp_path: Path) -> None:
    first = run_of(tmp_path / "a", [True])
    results = msgspec.json.decode((first / "results.json").read_bytes())
    results["verdict"] = 1
    (first / "results.json").write_bytes(msgspec.json.encode(results))
    with pytest.raises(RecordError, match="unknown field `verdict`"):
        main([str(first), str(run_of(tmp_path / "b", [True]))])


def test_table_is_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first = run_of(tmp_path / "sft", [True, False] * 100)
    second = run_of(tmp_path / "grpo", [True, True, True, False] * 50)
    assert main([str(first), str(second), "--num-resamples", "200"]) == 0
    printed = capsys.readouterr().out
    assert re.search(r"Accuracy +50\.0 +75\.0 +\+25\.0 +\+\d+\.\d – \+\d+\.\d +<0\.001 +<0\.001 +better", printed)
    assert "The label is right only in sft: 0, only in grpo: 50." in printed
    assert "Macro F1" not in printed
    assert main([str(first), str(second), "--num-resamples", "200", "--all"]) == 0
    assert re.search(r"Macro F1 +66\.7 +85\.7", capsys.readouterr().out)


def test_a_program_can_read_the_differences(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first = run_of(tmp_path / "a", [number % 2 == 0 for number in range(200)])
    second = run_of(tmp_path / "b", [True] * 200)
    assert main([str(first), str(second), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    accuracy = told["differences"]["accuracy"]
    assert (accuracy["first"], accuracy["second"], accuracy["second_is"]) == (0.5, 1.0, "better")
    assert 0 < accuracy["low"] < 0.5 < accuracy["high"] < 1
    assert told["samples"] == 200


def test_what_cannot_be_computed_is_null_for_a_program(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folders = [str(run_of(tmp_path / name, [number % 2 == 0 for number in range(20)])) for name in "ab"]
    assert main([*folders, "--json"]) == 0
    told = json.loads(capsys.readouterr().out, parse_constant=pytest.fail)
    assert told["differences"]["accuracy"]["p_adjusted"] is None


# --- chance, several runs, power --------------------------------------------------------------------------------------


def test_among_many_numbers_a_small_gain_is_only_perhaps_one(tmp_path: Path) -> None:
    rng = random.Random(1)
    before = [rng.random() < 0.5 for _ in range(120)]
    after = [is_right or rng.random() < 0.12 for is_right in before]
    found = accuracy_difference(run_of(tmp_path / "a", before), run_of(tmp_path / "b", after))
    assert found.p < 0.05
    assert found.p_adjusted is not None
    assert found.p_adjusted >= found.p


def test_p_of_accuracy_is_that_of_mcnemar_where_samples_are_independent(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    right = [[i % 3 > 0 for i in range(60)], [i % 4 > 0 for i in range(60)]]
    first, second = (run_of(tmp_path / name, one) for name, one in zip("ab", right, strict=True))
    for folder in (first, second):
        rows = [msgspec.json.decode(line) for line in (folder / "samples.jsonl").read_bytes().splitlines()]
        lines = [msgspec.json.encode({**row, "subject": None}) + b"\n" for row in rows]
        (folder / "samples.jsonl").write_bytes(b"".join(lines))
    assert main([str(first), str(second), "--json"]) == 0
    p = json.loads(capsys.readouterr().out)["differences"]["accuracy"]["p"]
    main([str(first), str(second)])
    exact = re.search(r"exact McNemar p = (\S+)\)", capsys.readouterr().out)
    assert exact is not None
    assert p == pytest.approx(float(exact[1]), abs=0.03)


def test_several_runs_are_compared_with_the_first(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    right = {"base": [True, False] * 60, "same": [True, False] * 60, "best": [True] * 120}
    folders = [str(run_of(tmp_path / name, one)) for name, one in right.items()]
    assert main([*folders, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["first"] == {"same": "base", "best": "base"}
    assert told["differences"]["same"]["accuracy"]["second_is"] == "not clear"
    assert told["differences"]["best"]["accuracy"]["second_is"] == "better"
    main(folders)
    same, best = re.findall(r"(?:Accuracy| {8}) +(base → .*)", capsys.readouterr().out)
    assert re.fullmatch(r"base → same +50\.0 +50\.0 +\+0\.0 +\+0\.0 – \+0\.0 +1\.000 +— +not clear *", same)
    assert re.fullmatch(r"base → best +50\.0 +100\.0 +\+50\.0 .* <0\.001 +<0\.001 +better *", best)


def test_a_ladder_compares_each_run_with_the_one_before_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    right = {"base": [True, False] * 60, "best": [True] * 120, "worse": [True, False] * 60}
    folders = [run_of(tmp_path / name, one) for name, one in right.items()]
    lines = (folders[1] / "samples.jsonl").read_bytes().splitlines(keepends=True)
    (folders[1] / "samples.jsonl").write_bytes(b"".join(reversed(lines)))
    assert main([*map(str, folders), "--against", "previous", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["first"] == {"best": "base", "worse": "best"}
    up, down = (told["differences"][name]["accuracy"] for name in ("best", "worse"))
    assert (up["first"], up["second"], up["second_is"]) == (0.5, 1.0, "better")
    assert (down["first"], down["second"], down["second_is"]) == (1.0, 0.5, "worse")
    assert (down["low"], down["high"], down["deviation"]) == pytest.approx((-up["high"], -up["low"], up["deviation"]))


def test_a_metric_that_only_later_runs_have_is_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folders = [run_of(tmp_path / name, [True, False] * 20) for name in ("silent", "one", "two")]
    lines = (folders[0] / "samples.jsonl").read_bytes().splitlines()
    rows = [msgspec.json.encode({**msgspec.json.decode(line), "completion": None}) + b"\n" for line in lines]
    (folders[0] / "samples.jsonl").write_bytes(b"".join(rows))
    main([*map(str, folders), "--against", "previous", "--all"])
    assert re.search(r"^Length +one → two +1\.0 +1\.0", capsys.readouterr().out, re.MULTILINE)


def test_every_two_runs_that_are_compared_must_be_comparable(tmp_path: Path) -> None:
    runs = [run_of(tmp_path / name, [True] * 5, split=split) for name, split in (("a", None), ("b", None), ("c", "x"))]
    with pytest.raises(ConfigError, match=r"b and .*c: not comparable: split None and 'x'"):
        main([*map(str, runs), "--against", "previous"])


def test_power_says_how_many_subjects_show_a_difference(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rng = random.Random(0)
    before, after = ([rng.random() < 0.7 for _ in range(300)] for _ in range(2))
    folders = [str(run_of(tmp_path / name, one)) for name, one in (("a", before), ("b", after))]
    needed = []
    for points in ("2", "4"):
        main([*folders, "--json", "--power", points])
        needed.append(json.loads(capsys.readouterr().out)["differences"]["accuracy"]["needed_clusters"])
    # two independent models, right on 70 % of 10 samples a subject: about 2.8² · 2 · 0.7 · 0.3 / 10 / 0.02² subjects
    assert needed[0] == pytest.approx(824, rel=0.6)
    assert needed[0] == pytest.approx(4 * needed[1], rel=0.01)
    main([*folders, "--power", "2"])
    assert f"{needed[0]:,}" in capsys.readouterr().out


# --- gold -------------------------------------------------------------------------------------------------------------


def describing(seen: str) -> dict[str, str]:
    return {"observations": seen, "interpretation": "it fits", "conclusion": "happiness"}


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("soft", ({"happiness": 1.0}, {"happiness": 0.6, "sadness": 0.4})),
        ("valence", (0.5, 0.4)),
        ("arousal", (None, 0.1)),
        ("labels", (["glad"], ["glad", "calm"])),
        ("reasoning", (describing("a smile"), describing("a frown"))),
    ],
)
def test_gold_that_changed_is_noticed(tmp_path: Path, field: str, values: tuple[object, object]) -> None:
    (tmp_path / "predictions.jsonl").write_text('{"id": "1", "completion": "happiness", "model": "m"}\n')
    folders = []
    for name, value in zip(("a", "same", "b"), (values[0], *values), strict=True):
        sample = {"id": "1", "label": "happiness", "label_set": "basic7", field: value}
        (tmp_path / f"{name}.jsonl").write_text(json.dumps(sample) + "\n")
        folders.append(tmp_path / name)
        score([str(tmp_path / "predictions.jsonl"), str(tmp_path / f"{name}.jsonl"), "-o", str(folders[-1])])
    assert main([str(folders[0]), str(folders[1]), "--num-resamples", "5"]) == 0
    with pytest.raises(ConfigError, match=rf"other gold for 1 samples \({field}\), such as '1'"):
        main([str(folder) for folder in folders])


def test_no_number_depends_on_the_order_of_the_lines(tmp_path: Path) -> None:
    rng = random.Random(0)
    samples, predictions = [], []
    for i in range(60):
        label, answer = (rng.choice(LABELS) for _ in range(2))
        sure = rng.random()
        scores = {answer: sure, LABELS[answer == LABELS[0]]: 1 - sure}
        subject = {"subject": f"s{i % 9}"} if i % 3 else {}
        samples.append({"id": str(i), "label": label, "label_set": "basic7", "valence": rng.uniform(-1, 1), **subject})
        valence = rng.uniform(-1, 1)
        predictions.append({"id": str(i), "completion": answer, "model": "m", "scores": scores, "valence": valence})
    told = []
    for name in ("a", "b"):
        for kind, records in (("samples", samples), ("predictions", predictions)):
            (tmp_path / f"{name}.{kind}").write_text("".join(json.dumps(one) + "\n" for one in records))
            rng.shuffle(records)
        paths = [str(tmp_path / f"{name}.{kind}") for kind in ("predictions", "samples")]
        score([*paths, "-o", str(tmp_path / name), "--num-resamples", "100"])
        told.append(read_run(tmp_path / name).results.metrics)
    assert {name for name, number in told[0].items() if number.value is not None} >= {
        "accuracy",
        "ece",
        "aurc",
        "ccc_valence",
    }
    for name, number in told[0].items():
        ends = [[one.value, one.low, one.high] for one in (number, told[1][name])]
        assert ends[0] == (pytest.approx(ends[1], abs=1e-9) if None not in ends[1] else ends[1]), name
