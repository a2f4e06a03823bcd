"""Preferred descriptions: the published scorer against scikit-learn, its defect beside ours, swapped answers."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
from answered import case, metrics
from sklearn.metrics import accuracy_score, f1_score

from emollm.errors import ConfigError
from emollm.records import Prediction, Sample, encode
from eval.metrics.family import Case
from eval.metrics.preference import FAMILY, WORDS, read_as_published, read_preference
from eval.results import read_results
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


def test_swapped_answers_without_such_gold_are_refused(tmp_path: Path) -> None:
    (tmp_path / "s.jsonl").write_text('{"id": "0", "label": "anger"}\n')
    said = write(tmp_path, "p.jsonl", ["anger"])
    with pytest.raises(ConfigError, match="no sample has a1 or a2 as its label"):
        main([str(said), str(tmp_path / "s.jsonl"), "-o", str(tmp_path / "scores"), "--swapped", str(said)])
