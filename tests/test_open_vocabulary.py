"""Open vocabulary through `emollm score`: the wheel metric as published, hits of one label, sets with synonyms."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emollm.answers import parse
from emollm.answers.words import label_words, split_labels
from emollm.cli import main
from emollm.errors import SourceError
from emollm.wheel import LEVEL1, VARIANTS, WHEELS, Wheels, read_wheels
from eval.metrics import hits, label_sets, overlaps, wheel
from eval.metrics.family import whole
from eval.metrics.label_sets import Grouping, read_groupings
from eval.results import Results, read_results
from eval.scored import read_scored

LISTS = Path(__file__).parents[2] / "shared" / "data" / "eval"
published = pytest.mark.skipif(not LISTS.exists(), reason="no published lists beside the checkout")

LEVEL = {"joy": "joyful", "glee": "playful", "grief": "low", "wrath": "mad"}
TABLES: dict[str, Any] = {
    "format_mapping": {"happy": ["happy"], "glad": ["happy"], "gleeful": ["glee"], "sad": ["sad"], "angry": ["angry"]},
    "raw_mapping": {"happy": ["joy"], "glee": ["glee"], "sad": ["grief"], "angry": ["wrath"]},
    "wheel_map": {name: {"level1": LEVEL, "level2": LEVEL} for name in WHEELS},
}


@pytest.mark.parametrize(
    ("completion", "words", "is_list"),
    [
        ("[happy, Deeply moved]", ("happy", "deeply moved"), True),
        ("[]", (), True),
        ("[],[]", (), True),
        ('[], ["confused"]', ("confused",), True),
        ("['in pain', 'in pain']", ("in pain",), True),
        ("[happy, cal", ("happy", "cal"), True),
        ('```json\n["happy"]\n```', ("happy",), True),
        ('{"labels": ["happy", "sad"]}', ("happy", "sad"), True),
        ("Emotions: [happy, a sense of loss and of hope]", ("happy", "a sense of loss and of hope"), True),
        ("<think>He is [sad].</think><answer>[glad, calm]</answer>", ("glad", "calm"), True),
        ("【高兴，激动】", ("高兴", "激动"), True),
        ("glad, joyful", ("glad", "joyful"), True),
        ("She seems glad, and not angry at all about what has happened.", ("happiness",), False),
        ("", (), False),
    ],
)
def test_labels_are_read_as_they_are_written(completion: str, words: tuple[str, ...], is_list: bool) -> None:
    assert label_words(parse(completion))[:2] == (words, is_list)


LISTED = [
    json.loads(line) for line in (Path(__file__).parent / "data" / "label_lists.jsonl").read_text("utf-8").splitlines()
]


@pytest.mark.parametrize("case", LISTED, ids=[case["why"] for case in LISTED])
def test_words_and_labels_are_the_same_list(case: dict[str, Any]) -> None:
    answer = parse(case["text"])
    said = label_words(answer)
    assert list(said.words) == case["words"]
    assert list(answer.labels) == case.get("labels", case["words"])
    assert list(said.published) == case.get("published", case["words"])


def write(path: Path, rows: Sequence[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


def score(folder: Path, said: dict[str, str], gold: dict[str, Any], *arguments: str, model: str = "m") -> Results:
    """Score answers by id against samples by id, and read results.json."""
    folder.mkdir(parents=True, exist_ok=True)
    predictions = [{"id": name, "completion": text, "model": model} for name, text in said.items()]
    samples = [{"id": name, **fields} for name, fields in gold.items()]
    files = [write(folder / "predictions.jsonl", predictions), write(folder / "samples.jsonl", samples)]
    options = ["--no-report", "--num-resamples", "20", "--overwrite", *arguments]
    assert main(["score", *map(str, files), "-o", str(folder / "scores"), *options]) == 0
    return read_results(folder / "scores")


@pytest.fixture
def tables(tmp_path: Path) -> str:
    path = tmp_path / "wheel.json"
    path.write_text(json.dumps(TABLES), encoding="utf-8")
    return str(path)


def read_lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@published
@pytest.mark.parametrize("model", ["Otter", "SALMONN", "Chat-UniVi"])
def test_published_lists_score_as_published_in_any_order(model: str, tmp_path: Path) -> None:
    said = [(row["id"], row["labels_raw"]) for row in read_lines(LISTS / "preds" / f"{model}.jsonl")]
    gold = [(row["id"], {"labels": row["labels"]}) for row in read_lines(LISTS / "ovmerd_332_gt.jsonl")]
    expected = json.loads((LISTS / "expected_2025.json").read_text())[model]
    values = []
    for seed in (0, 1):
        draw = random.Random(seed)
        shuffled = [dict(draw.sample(rows, len(rows))) for rows in (said, gold)]
        mapping = str(LISTS / "wheel_mapping_2025.json")
        results = score(tmp_path / str(seed), *shuffled, "--wheel", mapping, "--metrics", "wheel", model=model)
        found = results.metrics
        for variant, numbers in expected["per_metric"].items():
            ours = {part[0]: found[f"wheel_{variant}_{part}"] for part in ("f", "precision", "recall")}
            assert {part: round(100 * (number.value or 0.0), 4) for part, number in ours.items()} | {
                "n": ours["f"].num_samples
            } == numbers
        assert round(100 * (found["wheel_f"].value or 0.0), 4) == expected["L1_avg_f"]
        assert round(100 * (found["wheel_mean_f"].value or 0.0), 4) == expected["M_avg"]
        values.append({name: number.value for name, number in found.items() if name.startswith("wheel")})
    assert values[0] == values[1]  # to the last bit, also of the corrected ones
    assert values[0]["wheel_corrected_f"] != values[0]["wheel_f"]


def test_sums_are_exact_in_any_order() -> None:
    draw = np.random.default_rng(0)
    said, gold = (draw.integers(0, 9, size=(500, 24)) for _ in range(2))
    lines = np.stack([draw.integers(0, np.minimum(said, gold) + 1), said, gold], axis=-1).reshape(500, 72)
    sums = [overlaps.sums(lines[order].astype(float)).sum(axis=0) for order in (np.arange(500), draw.permutation(500))]
    np.testing.assert_array_equal(*sums)


@given(st.lists(st.floats(0, 1), max_size=40))
def test_halves_lose_nothing(values: list[float]) -> None:
    np.testing.assert_allclose(overlaps.halves(np.array(values)).sum(axis=-1), values, atol=2**-53, rtol=0)


def test_a_missing_prediction_is_counted_and_stated(tmp_path: Path, tables: str) -> None:
    gold = {name: {"labels": ["happy"]} for name in "abcd"}
    results = score(tmp_path, {"a": "[glad]", "b": "[]", "c": "[odd {0} word]"}, gold, "--wheel", tables)
    assert (results.metrics["wheel_f"].value, results.metrics["wheel_f"].num_samples) == (0.25, 4)
    notices = " ".join(results.families["wheel"].notices)
    assert "Samples without a prediction, which have precision and recall 0: 1 of 4." in notices
    assert "Answers that name no label, which have precision and recall 0: 1 of 4." in notices
    assert "Predicted words that no table knows: 1 of 2, such as 'odd {0} word'" in notices


def test_what_stands_beside_a_list_costs_nothing_and_no_metric_misses_a_word(tmp_path: Path, tables: str) -> None:
    gold = {name: {"labels": ["glad", "sad"]} for name in "abcd"}
    said = {
        "a": '{"labels": ["glad", "sad"], "confidence": 0.8, "angry": 0.1}',
        "b": "[glad, sad] because of what angry people do",
        "c": "［glad、sad］",
        "d": "**Conclusion:** [glad, sad]\n\nUser: And this?\nAssistant: [angry]",
    }
    numbers = score(tmp_path, said, gold, "--wheel", tables).metrics
    names = ("labels_f1", "wheel_f", "wheel_corrected_f", "set_avg", "set_corrected_avg")
    assert {name: numbers[name].value for name in names} == dict.fromkeys(names, 1.0)


def test_the_published_rule_splits_a_list_as_the_published_script_does(tmp_path: Path, tables: str) -> None:
    numbers = score(tmp_path, {"a": "[glad; sad]"}, {"a": {"labels": ["glad", "sad"]}}, "--wheel", tables).metrics
    assert [numbers[name].value for name in ("wheel_f", "wheel_corrected_f", "labels_f1")] == [0.0, 1.0, 1.0]


def test_samples_that_the_published_rule_skips_are_stated_and_count_in_ours(tmp_path: Path, tables: str) -> None:
    gold = {"a": {"labels": ["happy"]}, "b": {"labels": ["neutral"]}, "c": {"labels": []}, "d": {"label": "x"}}
    results = score(tmp_path, dict.fromkeys(gold, "[glad, neutral]"), gold, "--wheel", tables)
    numbers = results.metrics
    assert (numbers["wheel_precision"].value, numbers["wheel_precision"].num_samples) == (1.0, 1)
    assert (numbers["wheel_corrected_precision"].value, numbers["wheel_corrected_precision"].num_samples) == (0.5, 2)
    assert "gold is in no table: 2 of 3. The corrected one" in " ".join(results.families["wheel"].notices)
    lines = {row.id: row for row in read_scored(tmp_path / "scores" / "samples.jsonl")}
    assert lines["b"].details["wheel"] == {"gold": ["neutral"], "said": ["glad", "neutral"], "unknown": ["neutral"]}
    assert "wheel" not in lines["d"].measures


def test_runs_on_other_tables_are_not_compared(tmp_path: Path, tables: str, capsys: pytest.CaptureFixture[str]) -> None:
    gold = {name: {"labels": ["happy"]} for name in "abc"}
    first, second = (
        score(tmp_path / name, dict.fromkeys(gold, "[glad]"), gold, *arguments)
        for name, arguments in (("first", ["--wheel", tables]), ("second", []))
    )
    assert first.families["wheel"].pins["wheel"] != second.families["wheel"].pins["wheel"]
    assert "own lexicon" in second.families["wheel"].notices[0]
    capsys.readouterr()
    assert main(["compare", *(str(tmp_path / name / "scores") for name in ("first", "second"))]) == 1
    assert "other wheel: wheel" in capsys.readouterr().err


def test_without_open_labels_nothing_is_said_of_them(tmp_path: Path) -> None:
    results = score(tmp_path, {"a": "happy"}, {"a": {"label": "happy", "label_set": "basic7"}})
    assert not {"wheel", "label_sets", "hits"} & results.families.keys()


def test_naming_all_labels_always_hits_and_ours_does_not_pay_for_it(tmp_path: Path, tables: str) -> None:
    gold = {"a": {"label": "happy"}, "b": {"label": "sad"}, "c": {"label": "angry"}, "d": {"label": "neutral"}}
    listing = score(tmp_path / "all", dict.fromkeys(gold, "[happy, sad, angry, neutral]"), gold,
                    "--wheel", tables, "--metrics", "hits").metrics  # fmt: skip
    right = score(tmp_path / "right", {name: f"[{one['label']}, gleeful]" for name, one in gold.items()}, gold,
                  "--wheel", tables, "--metrics", "hits").metrics  # fmt: skip
    assert [run["hit_rate"].value for run in (listing, right)] == [1.0, 1.0]
    assert [run["hit_rate"].num_samples for run in (listing, right)] == [3, 3]
    # gleeful is no candidate, and costs only where ours counts
    assert [run["hit_mscore"].value for run in (listing, right)] == [pytest.approx(1 / 3), 1.0]
    assert [run["hit_corrected_precision"].value for run in (listing, right)] == [0.25, 0.5]
    assert listing["hit_corrected_rate"].num_samples == 4


def plain_hits(pairs: list[tuple[list[str], str]], wheels: Wheels) -> tuple[float, float]:
    """Hit rate and mscore as the published script counts them: wheel by wheel, one sample after the other."""
    rates, scores = [], []
    for variant in LEVEL1:

        def mapped(words: list[str], variant: str = variant) -> set[str | None]:
            return {wheels.category(word, variant) for word in words} - {None}

        candidates, found = mapped([label for _, label in pairs]), []
        for said, label in pairs:
            if there := mapped([label]):
                named, hit = mapped(said) & candidates, len(mapped(said) & there)
                found.append((hit, hit / len(named) if named else 0.0))
        rates.append(sum(hit for hit, _ in found) / len(found))
        scores.append(sum(score for _, score in found) / len(found))
    return sum(rates) / len(rates), sum(scores) / len(scores)


@published
def test_hits_equal_a_plain_reckoning_on_the_published_tables(tmp_path: Path) -> None:
    mapping, draw = LISTS / "wheel_mapping_2025.json", random.Random(0)
    rows = read_lines(LISTS / "preds" / "Otter.jsonl")
    labels = {row["id"]: draw.choice(["happy", "angry", "sad", "neutral", "worried", "surprise"]) for row in rows}
    said = {row["id"]: row["labels_raw"] for row in rows}
    gold = {name: {"label": label} for name, label in labels.items()}
    results = score(tmp_path, said, gold, "--wheel", str(mapping), "--metrics", "hits")
    pairs = [(split_labels(row["labels_raw"]), labels[row["id"]]) for row in rows]
    found = [results.metrics[name].value for name in ("hit_rate", "hit_mscore")]
    assert found == pytest.approx(plain_hits(pairs, read_wheels(mapping)), abs=1e-12)
    assert results.families["hits"].pins["candidates"] == sorted(set(labels.values()))


def plain_set_scores(pairs: list[tuple[list[str], list[str]]], groups: list[list[str]]) -> tuple[float, float]:
    """Accuracy and recall as the paper tells them, one sample after the other."""
    accuracies, recalls = [], []
    for said, gold in pairs:
        one, other = (
            {next((group[0] for group in reversed(groups) if word in group), word) for word in words}
            for words in (said, gold)
        )
        if other:
            accuracies.append(len(one & other) / len(one) if one else 0.0)
            recalls.append(len(one & other) / len(other))
    return (sum(accuracies) / len(recalls), sum(recalls) / len(recalls)) if recalls else (float("nan"),) * 2


some = st.lists(st.sampled_from("abcdefgh"), max_size=5)


@given(st.lists(st.tuples(some, some), min_size=1, max_size=5), st.lists(some.filter(bool), max_size=4))
def test_set_scores_equal_a_plain_reckoning(pairs: list[Any], groups: list[list[str]]) -> None:
    grouping = Grouping(groups)
    lines = [overlaps.to_line([grouping.overlap(*pair)], grouping.shared(*pair)) for pair in pairs]
    sums = whole(label_sets.FAMILY, lines)
    found = [float(label_sets.FAMILY.metrics[name].function(sums)) for name in ("set_accuracy", "set_recall")]
    np.testing.assert_allclose(found, plain_set_scores(pairs, groups), atol=1e-12)


def test_the_order_of_groups_matters_there_and_not_here() -> None:
    """A word of two groups counts in the last one by the published rule."""
    groups = [["glad", "content"], ["calm", "content"]]
    assert [Grouping(order).overlap(["content"], ["glad"]).both for order in (groups, groups[::-1])] == [0, 1]
    shared = [next(iter(Grouping(order).shared(["content"], ["glad"]))).both for order in (groups, groups[::-1])]
    assert shared == [0.5, 0.5]


def test_groups_of_each_sample_count_in_it(tmp_path: Path) -> None:
    groups = tmp_path / "groups.json"
    groups.write_text(json.dumps({"a": [["upset", "frustrated"]], "b": []}))
    gold = {name: {"labels": ["angry", "frustrated"]} for name in "abc"}
    results = score(tmp_path, dict.fromkeys(gold, "[angry, upset]"), gold, "--synonym-groups", str(groups))
    assert results.metrics["set_accuracy"].value == pytest.approx((1 + 0.5 + 0.5) / 3)
    assert (
        "Samples without groups, in which only equal words are one, by the corrected rule also those that emollm "
        "knows as one label: 1 of 3." in results.families["label_sets"].notices
    )


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ('["a"]', "not a list of lists"),
        ('{"x": [[]]}', "x: not a list"),
        ("[[1]]", "not a list of lists"),
        ("{", "not JSON"),
        ("3", "not a list"),
    ],
)
def test_groups_of_another_shape_are_refused(content: str, says: str, tmp_path: Path) -> None:
    path = tmp_path / "groups.json"
    path.write_text(content)
    with pytest.raises(SourceError, match=r"^[^\n]*$") as caught:
        read_groupings(path)
    assert says in str(caught.value)


def test_each_variant_has_its_metrics() -> None:
    names = {f"wheel_{rule}{variant}_f" for rule in ("", "corrected_") for variant in VARIANTS}
    assert names <= wheel.FAMILY.metrics.keys()
    assert len(LEVEL1) == 5
    assert hits.FAMILY.is_asked_for
