"""The emotion-wheel metric: the twelve variants step by step, against a plain reckoning, and on the published lists."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emollm.answers.words import split_labels
from emollm.errors import SourceError
from emollm.wheel import (
    LEVEL1,
    VARIANTS,
    WHEELS,
    Score,
    Wheels,
    read_wheels,
    sample_f1,
    sample_jaccard,
    score_lists,
)

LISTS = Path(__file__).parents[2] / "shared" / "data" / "eval"
published = pytest.mark.skipif(not LISTS.exists(), reason="no published lists beside the checkout")

TABLES: dict[str, Any] = {
    "format_mapping": {
        "happily": ["happy", "content"],
        "happy": ["happy"],
        "glad": ["happy"],
        "sadly": ["sad"],
        "torn": ["sad", "happy"],
        "odd": ["odd"],
    },
    "raw_mapping": {"happy": ["joy", "glee"], "content": ["peace"], "sad": ["grief", "anguish"], "odd": ["weird"]},
    "wheel_map": {
        wheel: {
            "level1": {"joy": "joyful", "glee": "playful", "peace": "calm", "grief": "low", "anguish": "low"},
            "level2": {"joy": "joyous", "grief": "grieving"},
        }
        for wheel in WHEELS
    },
}
TABLES["wheel_map"]["wheel5"]["level1"] = {"joy": "joyful"}
WHEELS_OF_FIVE = Wheels(TABLES["format_mapping"], TABLES["raw_mapping"], TABLES["wheel_map"])


@pytest.mark.parametrize(
    ("word", "variant", "expected"),
    [
        ("happily", "case1", "content"),  # first in the alphabet, not in the table
        (" HAPPY ", "case1", "happy"),
        ("neutral", "case1", None),
        ("happy", "case2", "glee"),
        ("happily", "case2", "peace"),
        ("happily", "case3_wheel1_level1", "playful"),  # glee before joy before peace
        ("happily", "case3_wheel1_level2", "joyous"),  # glee and peace are not on this level
        ("happily", "case3_wheel5_level1", "joyful"),
        ("torn", "case3_wheel1_level1", "low"),
        ("odd", "case2", "weird"),
        ("odd", "case3_wheel1_level1", None),
    ],
)
def test_a_word_is_looked_up_in_three_steps(word: str, variant: str, expected: str | None) -> None:
    assert WHEELS_OF_FIVE.category(word, variant) == expected


def test_f1_of_a_sample_is_the_mean_over_the_wheels_that_know_the_gold() -> None:
    assert sample_f1(["glad"], ["happy"], WHEELS_OF_FIVE) == 1.0
    # On four wheels one of two categories is right; wheel 5 knows only the joy in both.
    assert sample_f1(["glad", "sadly"], ["happy"], WHEELS_OF_FIVE) == pytest.approx((4 * 2 / 3 + 1) / 5)
    assert sample_f1(["sadly"], ["sadly"], WHEELS_OF_FIVE) == 1.0
    assert sample_f1([], ["happy"], WHEELS_OF_FIVE) == 0.0


@pytest.mark.parametrize("gold", [[], ["neutral"], ["odd"]])
def test_a_gold_that_no_wheel_knows_has_no_score(gold: list[str]) -> None:
    assert sample_f1(["happy"], gold, WHEELS_OF_FIVE) is None


def test_words_of_no_table_cost_nothing() -> None:
    assert sample_f1(["glad", "neutral", "odd"], ["happy"], WHEELS_OF_FIVE) == 1.0


def test_jaccard_leaves_out_the_wheels_that_know_neither() -> None:
    assert sample_jaccard(["sadly"], ["sadly"], WHEELS_OF_FIVE) == 1.0
    assert sample_jaccard(["sadly", "happy"], ["happy"], WHEELS_OF_FIVE) == pytest.approx((4 * 1 / 2 + 1) / 5)
    assert sample_jaccard(["neutral"], ["neutral"], WHEELS_OF_FIVE) == 0.0


def test_samples_without_gold_are_left_out_and_those_without_prediction_count_as_wrong() -> None:
    pairs = [(["happy"], ["happy", "sadly"]), (["odd"], ["happy"]), (["happy"], ["neutral"])]
    scores = score_lists(pairs, WHEELS_OF_FIVE)
    assert scores["case3_wheel1_level1"] == Score(pytest.approx(1 / 3), 0.5, 0.25, 2)
    assert list(scores) == list(VARIANTS)
    assert score_lists([], WHEELS_OF_FIVE)["case1"] == Score(0.0, 0.0, 0.0, 0)


def plain_scores(pairs: list[tuple[list[str], list[str]]], wheels: Wheels, variant: str) -> tuple[float, float, int]:
    """The metric as it is told: sets of categories, one sample after the other."""
    precisions, recalls = [], []
    for predicted, gold in pairs:
        said, there = ({wheels.category(word, variant) for word in words} - {None} for words in (predicted, gold))
        if there:
            precisions.append(len(said & there) / len(said) if said else 0.0)
            recalls.append(len(said & there) / len(there))
    num = len(recalls)
    return (sum(precisions) / num, sum(recalls) / num, num) if num else (0.0, 0.0, 0)


words = st.sampled_from([*TABLES["format_mapping"], "neutral", "Glad ", ""])
lists = st.lists(st.tuples(st.lists(words, max_size=5), st.lists(words, max_size=5)), max_size=6)


@given(lists, st.randoms())
def test_scores_equal_a_plain_reckoning_in_any_order(pairs: list[Any], rng: random.Random) -> None:
    scores = score_lists(pairs, WHEELS_OF_FIVE)
    shuffled = rng.sample(pairs, len(pairs))
    assert score_lists(shuffled, WHEELS_OF_FIVE) == scores
    some = VARIANTS[3:1:-1]
    assert score_lists(pairs, WHEELS_OF_FIVE, some) == {variant: scores[variant] for variant in some}
    assert score_lists(pairs, WHEELS_OF_FIVE, LEVEL1) == {variant: scores[variant] for variant in LEVEL1}
    for variant, (f, *rest) in scores.items():
        precision, recall, num = plain_scores(pairs, WHEELS_OF_FIVE, variant)
        assert rest == pytest.approx([precision, recall, num], abs=1e-12)
        assert f == pytest.approx(2 * precision * recall / (precision + recall) if precision + recall else 0, abs=1e-12)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[happy, deeply moved]", ["happy", "deeply moved"]),
        ("['Happy', \"calm\"]", ["happy", "calm"]),
        ('[], ["confused"]', ["confused"]),
        ("happy,", ["happy"]),
        ("[joy/excitement]", ["joy/excitement"]),
        ("[]", []),
        ("[],[]", []),
        ("", []),
    ],
)
def test_lists_written_as_text(text: str, expected: list[str]) -> None:
    assert split_labels(text) == expected


def test_a_mapping_is_read_from_its_file(tmp_path: Path) -> None:
    path = tmp_path / "wheels.json"
    path.write_text(json.dumps(TABLES))
    assert read_wheels(path).category("happily", "case2") == "peace"


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"format_mapping": None}, "format_mapping: is missing or not an object"),
        ({"raw_mapping": {"happy": "joy"}}, "raw_mapping.happy: not a list of words"),
        ({"format_mapping": {"a": ["b"]}}, "format_mapping.a: 'b' is not in raw_mapping"),
        ({"format_mapping": {"Glad": ["happy"]}}, "format_mapping: 'Glad' is never met, since labels are looked up in"),
        ({"wheel_map": {"wheel1": {"level1": {}}}}, "wheel_map.wheel1.level2: is missing"),
        ({"wheel_map": {"wheel1": {"level1": {"joy": 1}}}}, "wheel_map.wheel1.level1: is missing or does not map"),
    ],
)
def test_a_mapping_of_another_shape_is_refused(change: dict[str, Any], complaint: str, tmp_path: Path) -> None:
    path = tmp_path / "wheels.json"
    path.write_text(json.dumps(TABLES | change))
    with pytest.raises(SourceError) as error:
        read_wheels(path)
    assert str(error.value).startswith(f"{path}: {complaint}")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(("content", "complaint"), [("[]", "not an object"), ("{", "not JSON"), (None, "cannot be")])
def test_a_file_that_holds_no_mapping_is_refused(content: str | None, complaint: str, tmp_path: Path) -> None:
    path = tmp_path / "wheels.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(SourceError, match=complaint):
        read_wheels(path)


def read_lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@published
@pytest.mark.parametrize("model", ["Otter", "SALMONN", "Chat-UniVi"])
def test_published_lists_score_as_published_to_the_last_digit(model: str) -> None:
    wheels = read_wheels(LISTS / "wheel_mapping_2025.json")
    predicted = {row["id"]: split_labels(row["labels_raw"]) for row in read_lines(LISTS / "preds" / f"{model}.jsonl")}
    gold = read_lines(LISTS / "ovmerd_332_gt.jsonl")
    scores = score_lists([(predicted[row["id"]], row["labels"]) for row in gold], wheels)
    expected = json.loads((LISTS / "expected_2025.json").read_text())[model]
    found = {
        variant: {**{key: round(100 * value, 4) for key, value in zip("fpr", score[:3], strict=True)}, "n": score.num}
        for variant, score in scores.items()
    }
    assert found == expected["per_metric"]
    for variants, mean in ((VARIANTS, expected["M_avg"]), (LEVEL1, expected["L1_avg_f"])):
        assert round(100 * sum(scores[variant].f for variant in variants) / len(variants), 4) == mean


@published
def test_the_published_traps_are_there() -> None:
    wheels = read_wheels(LISTS / "wheel_mapping_2025.json")
    assert sample_f1(["happy"], ["neutral"], wheels) is None
    assert [wheels.category("surprise", variant) for variant in LEVEL1] == [
        *("surprised", "surprised", "powerful", "fear"),
        None,
    ]
