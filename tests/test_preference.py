"""Preferred descriptions: the published scorer against scikit-learn, its defect beside ours, swapped answers."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
from answered import case, metrics
from sklearn.metrics import accuracy_score, f1_score

from emollm.errors import ConfigError, EmoLLMError
from emollm.files import sha256
from emollm.records import Prediction, Sample, encode
from eval.metrics.family import Case
from eval.metrics.preference import FAMILY, WORDS, read_as_published, read_preference
from eval.results import Input, read_results
from eval.runs import read_runs, refuse_incomparable
from eval.score import main


def pair(gold: str, said: str | None) -> Case:
    return case(Sample(id="s", label=gold), said)


@pytest.mark.parametrize(
    ("said", "published", "choice"),
    [
        ("a1", "a1", "a1"),
        ("**A2**. It names the frown.", "a2", "a2"),
        ("a2 is better than a1.", "a2", "a2"),
        ("Same.", "same", "same"),
        ("The better one is a2.", "a2", "a2"),
        ("The same smile is in both; a2 fits better.", "same", None),
        ("Both a1 and a2 fit.", "a1", None),
        ("<think>a1 names a smile that is not there.</think><answer>a2</answer>", "a1", "a2"),
        ("<think>They differ.</think><answer>same</answer>", "same", "same"),
        ("A1 and A2 are equally good: same", "a1", "same"),
        ("A1 is wrong. A2", "a1", "a2"),
        ("A2. A1 is wrong.", "a2", "a2"),
        ("A2, because of the frown. A1 has none.", "a2", "a2"),
        ("**Answer:** A2\n\nA1 is vague.", "a2", "a2"),
        ("A2: it names the frown; a1 does not.", "a2", "a2"),
        ("A1: wrong. A2: right.", "a1", None),
        ("a1/a2", "a1", None),
        ("a1, a2", "a1", None),
        ("A1\nA2", "a1", None),
        ("A2 fits the clip better than A1, clearly.", "a2", "a2"),
        ("a2 is no better than a1, so a1", "a2", None),
        ("A1 isn't better than A2.", "a1", None),
        ("a1 is worse than a2", "a1", None),
        ("a1 is better than a2, but a2 wins", "a1", None),
        ("Same, both fit.", "same", "same"),
        ("I cannot tell.", "same", None),
        ("", "same", None),
    ],
)
def test_an_answer_is_read_as_published_and_behind_its_thoughts(said: str, published: str, choice: str | None) -> None:
    assert (read_as_published(said), read_preference(said)) == (published, choice)


def test_published_numbers_are_those_of_scikit_learn() -> None:
    draw = random.Random(3)
    gold, said = (draw.choices(WORDS, k=300) for _ in range(2))
    found = metrics(FAMILY, [pair(*one) for one in zip(gold, said, strict=True)], None)
    assert found["preference_three_wf1"] == pytest.approx(f1_score(gold, said, average="weighted"), abs=1e-12)
    assert found["preference_three_accuracy"] == pytest.approx(accuracy_score(gold, said), abs=1e-12)
    two = [(one, "a1" if other == "same" else other) for one, other in zip(gold, said, strict=True) if one != "same"]
    gold, said = ([one[i] for one in two] for i in range(2))
    assert found["preference_wf1"] == pytest.approx(f1_score(gold, said, average="weighted"), abs=1e-12)
    assert found["preference_accuracy"] == pytest.approx(accuracy_score(gold, said), abs=1e-12)


def test_giving_up_is_not_to_prefer_the_first() -> None:
    """The published scorer turns `same` into a1: who always gives up is as good as a coin, by position alone."""
    found = metrics(FAMILY, [pair(gold, "same") for gold in ("a1", "a1", "a2", "same")], None)
    assert found["preference_accuracy"] == pytest.approx(2 / 3)  # the rule
    assert found["preference_accuracy_corrected"] == 0
    assert found["preference_three_accuracy"] == pytest.approx(1 / 4)


def test_a_missing_answer_is_wrong_in_every_number() -> None:
    found = metrics(FAMILY, [pair("a1", None), pair("a1", "a1")], None)
    shares = [found[f"preference_{name}"] for name in ("accuracy", "accuracy_corrected", "three_accuracy")]
    weighted = [found[f"preference_{name}"] for name in ("wf1", "wf1_corrected", "three_wf1")]
    assert (shares, weighted) == ([1 / 2] * 3, [2 / 3] * 3)


def write(folder: Path, name: str, said: list[str], model: str = "m") -> Path:
    path = folder / name
    lines = [encode(Prediction(id=str(n), completion=one, model=model)) for n, one in enumerate(said)]
    path.write_bytes(b"".join(line + b"\n" for line in lines))
    return path


def test_swapped_answers_say_whether_a_position_is_preferred(tmp_path: Path) -> None:
    """Of five: one holds, one is the first both times, same holds, one cannot be read, one was not asked again."""
    samples = tmp_path / "pairs.jsonl"
    golds = ["a1", "a1", "same", "a2", "a2"]
    samples.write_text("".join(json.dumps({"id": str(n), "label": gold}) + "\n" for n, gold in enumerate(golds)))
    said = write(tmp_path, "p.jsonl", ["a1", "a1", "same", "a2", "a2"])
    swapped = write(tmp_path, "swapped.jsonl", ["a2", "a1", "same", "who knows"])
    command = [str(said), str(samples), "--no-report", "--num-resamples", "20", "-o", str(tmp_path / "scores")]
    assert main(command) == 0
    assert read_results(tmp_path / "scores").metrics["preference_swap_consistency"].value is None
    assert main([*command, "--overwrite", "--swapped", str(swapped)]) == 0
    results = read_results(tmp_path / "scores")
    number = results.metrics["preference_swap_consistency"]
    assert (number.value, number.num_samples) == (2 / 5, 5)
    assert results.metrics["preference_wf1"].value == 1
    assert results.metrics["preference_wf1"].num_samples == 4
    assert "preference: 1 samples have no swapped answer; no preference of theirs holds" in json.dumps(
        results.families["preference"].notices
    )
    other = write(tmp_path, "other.jsonl", ["a2"], model="n")
    with pytest.raises(ConfigError, match=r"--swapped: .*other.jsonl: holds answers of n; give those of the model"):
        main([*command, "--overwrite", "--swapped", str(other)])


@pytest.fixture
def swaps(tmp_path: Path) -> list[str]:
    """The command that scores three pairs, for --swapped and a file to follow."""
    golds = ["a1", "a2", "same"]
    samples = tmp_path / "pairs.jsonl"
    samples.write_text("".join(json.dumps({"id": str(n), "label": gold}) + "\n" for n, gold in enumerate(golds)))
    said = write(tmp_path, "p.jsonl", golds)
    return [
        str(said),
        str(samples),
        "--no-report",
        "--num-resamples",
        "20",
        "-o",
        str(tmp_path / "scores"),
        "--swapped",
    ]


def test_swapped_answers_are_an_input_of_the_scores(swaps: list[str], tmp_path: Path) -> None:
    swapped, others = write(tmp_path, "swapped.jsonl", ["a2", "a1"]), write(tmp_path, "others.jsonl", ["a1", "a1"])
    assert main([*swaps, str(swapped)]) == 0
    assert read_results(tmp_path / "scores").inputs["swapped"] == Input(file="swapped.jsonl", sha256=sha256(swapped))
    assert main([*swaps, str(swapped)]) == 0
    for command in ([*swaps, str(others)], swaps[:-1]):
        with pytest.raises(ConfigError, match=r"holds the scores of other inputs or settings; use --overwrite"):
            main(command)
    assert main([*swaps, str(others), "--overwrite"]) == 0
    assert read_results(tmp_path / "scores").inputs["swapped"].sha256 == sha256(others)


def test_swapped_answers_are_not_written_over(swaps: list[str], tmp_path: Path) -> None:
    (tmp_path / "scores").mkdir()
    swapped = write(tmp_path / "scores", "samples.jsonl", ["a2", "a1", "same"])
    before = swapped.read_bytes()
    with pytest.raises(EmoLLMError, match="is an input and would be overwritten"):
        main([*swaps, str(swapped), "--overwrite"])
    assert swapped.read_bytes() == before


def test_runs_that_differ_in_swapped_answers_alone_are_not_compared(swaps: list[str], tmp_path: Path) -> None:
    golds = ["a2", "a1", "same"]
    for name, said, swapped in (("a", golds, golds), ("b", golds, golds[:2]), ("c", golds[::-1], golds[:1])):
        files = [str(write(tmp_path, f"{name}{kind}.jsonl", one)) for kind, one in (("", said), ("_swapped", swapped))]
        assert main([files[0], *swaps[1:-2], str(tmp_path / name), "--swapped", files[1]]) == 0
    first, second, third = read_runs([tmp_path / name for name in "abc"])
    told = r"other swapped answers \(a_swapped.jsonl and b_swapped.jsonl\) beside the same predictions"
    with pytest.raises(ConfigError, match=told):
        refuse_incomparable(first, second)
    refuse_incomparable(first, third)  # another model has swapped answers of its own


@pytest.mark.parametrize(
    ("name", "line", "reason"),
    [
        ("p.jsonl", None, "is compared with itself"),
        ("empty.jsonl", "", "holds no prediction"),
        (
            "swapped.jsonl",
            '{"id": "zz", "completion": "a1", "model": "m"}',
            r"no record has the id of a prediction that is scored \('zz' here, '0' there\)",
        ),
    ],
    ids=["itself", "empty", "of other samples"],
)
def test_swapped_answers_that_are_none_are_refused(
    name: str, line: str | None, reason: str, swaps: list[str], tmp_path: Path
) -> None:
    if line is not None:
        (tmp_path / name).write_text(line)
    with pytest.raises(ConfigError, match=f"--swapped: .*{name}: {reason}; give the answers to the same") as caught:
        main([*swaps, str(tmp_path / name)])
    assert "\n" not in str(caught.value)


def test_swapped_answers_without_such_gold_are_refused(tmp_path: Path) -> None:
    (tmp_path / "s.jsonl").write_text('{"id": "0", "label": "anger"}\n')
    said = write(tmp_path, "p.jsonl", ["anger"])
    with pytest.raises(ConfigError, match="no sample has a1 or a2 as its label"):
        main([str(said), str(tmp_path / "s.jsonl"), "-o", str(tmp_path / "scores"), "--swapped", str(said)])
