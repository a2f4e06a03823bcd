"""Protocols of single data sets and challenges, against scikit-learn, scipy, and their own rules written out."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from answered import case, labelled, measured, metrics
from scipy.stats import pearsonr
from sklearn.metrics import accuracy_score, auc, average_precision_score, balanced_accuracy_score, f1_score

from emollm.records import AU, Face, Prediction, Sample, encode
from eval.metrics.agreement import ccc, icc, mae, pair_sums, pearson, rmse
from eval.metrics.ambivalence import CLASSES as AMBIVALENCE_CLASSES
from eval.metrics.ambivalence import FAMILY as AMBIVALENCE
from eval.metrics.compound import FAMILY as COMPOUND
from eval.metrics.dimensional import FAMILY as DIMENSIONAL
from eval.metrics.dimensional import read_axis
from eval.metrics.family import Case, whole
from eval.metrics.folds import FAMILY as FOLDS
from eval.metrics.micro_expressions import FAMILY as MICRO
from eval.metrics.pain import FAMILY as PAIN
from eval.metrics.sentiment import FAMILY as SENTIMENT
from eval.results import read_results
from eval.score import main

RNG = np.random.default_rng(11)


# --- folds ------------------------------------------------------------------------------------------------------------


def folded(fold: str | None, gold: str, said: str) -> Case:
    return case(Sample(id="s", label=gold, groups={"fold": fold} if fold else None), said, "dfew7")


def test_the_mean_over_folds_is_that_of_scikit_learn() -> None:
    words = ("happiness", "sadness", "anger")
    folds, gold, said = (RNG.integers(0, n, 90) for n in (5, 3, 3))
    numbers = metrics(
        FOLDS, [folded(str(f), words[g], words[s]) for f, g, s in zip(folds, gold, said, strict=True)], "dfew7"
    )
    parts = [(gold[folds == fold], said[folds == fold]) for fold in range(5)]
    wars, uars = [accuracy_score(*part) for part in parts], [balanced_accuracy_score(*part) for part in parts]
    assert numbers["fold_mean_war"] == pytest.approx(np.mean(wars))
    assert numbers["fold_mean_uar"] == pytest.approx(np.mean(uars))
    assert numbers["fold_mean_weighted_f1"] == pytest.approx(np.mean([f1_score(*p, average="weighted") for p in parts]))
    assert numbers["fold_mean_macro_f1"] == pytest.approx(np.mean([f1_score(*p, average="macro") for p in parts]))
    assert numbers["fold_sd_war"] == pytest.approx(np.std(wars, ddof=1))
    assert numbers["fold_sd_uar"] == pytest.approx(np.std(uars, ddof=1))


def test_samples_without_a_fold_and_a_single_fold_are_told() -> None:
    some = measured(FOLDS, [folded("5", "anger", "anger"), folded(None, "anger", "anger")], "dfew7")
    assert some.pins == {"folds": ["5"]}
    assert some.notices[0].startswith("1 of 2 samples")
    assert some.notices[1].startswith("only fold 5")
    none = measured(FOLDS, [folded(None, "anger", "anger")], "dfew7")
    assert (none.lines, none.notices) == ([None], ())


# --- sentiment --------------------------------------------------------------------------------------------------------


def test_sentiment_as_published_and_corrected() -> None:
    words = ("negative", "neutral", "positive")
    gold, said = RNG.integers(-1, 2, 80), RNG.integers(-1, 2, 80)
    cases = [labelled(words[g + 1], words[s + 1], "sentiment3") for g, s in zip(gold, said, strict=True)]
    numbers = metrics(SENTIMENT, cases, "sentiment3")
    g, s = gold[gold != 0], said[gold != 0]
    assert numbers["sentiment_wf1"] == pytest.approx(f1_score(g > 0, s > 0, average="weighted"))
    assert numbers["sentiment_accuracy"] == pytest.approx(accuracy_score(g > 0, s > 0))
    assert numbers["sentiment_wf1_corrected"] == pytest.approx(f1_score(g, s, labels=[-1, 1], average="weighted"))
    assert numbers["sentiment_accuracy_corrected"] == pytest.approx(accuracy_score(g, s))
    left_out, neither = measured(SENTIMENT, cases, "sentiment3").notices
    assert left_out.startswith(f"neutral gold in {(gold == 0).sum()} of 80 samples")
    assert f"neutral in {(s == 0).sum()} answers" in neither


def test_a_model_that_always_says_neutral_gains_nothing_once_corrected() -> None:
    cases = [labelled("negative", "neutral", "sentiment3")] * 3 + [labelled("positive", "neutral", "sentiment3")]
    numbers = metrics(SENTIMENT, cases, "sentiment3")
    assert (numbers["sentiment_accuracy"], numbers["sentiment_accuracy_corrected"]) == (0.75, 0)


@pytest.mark.parametrize("said", [None, "nothing of the kind"])
def test_an_answer_that_is_missing_or_unreadable_is_not_right_on_negative_samples(said: str | None) -> None:
    cases = [labelled("negative", said, "sentiment3")] * 3 + [labelled("positive", "positive", "sentiment3")]
    numbers = metrics(SENTIMENT, cases, "sentiment3")
    assert (numbers["sentiment_accuracy"], numbers["sentiment_accuracy_corrected"]) == (0.25, 0.25)
    [notice] = measured(SENTIMENT, cases, "sentiment3").notices
    assert notice == "no answer, or none that can be read, for 3 samples, which count as wrong"


# --- compounds and micro-expressions ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "pair_f1", "both", "half"),
    [
        ("fearfully surprised", 1, 1, 1),
        ("surprise and fear", 1, 1, 1),
        ("fear", 2 / 3, 0, 1),
        ("sadly fearful", 0.5, 0, 1),
        ("fear, surprise, anger, happiness, sadness, disgust", 0.5, 0, 1),
        ("sadly angry", 0, 0, 0),
        ("neutral", 0, 0, 0),
        ("", 0, 0, 0),
        (None, 0, 0, 0),
    ],
)
def test_half_a_compound_is_half_right(said: str | None, pair_f1: float, both: float, half: float) -> None:
    numbers = metrics(COMPOUND, [labelled("fearfully surprised", said, "cexpr7")], "cexpr7")
    names = ("compound_pair_f1", "compound_pair_accuracy", "compound_half_rate")
    assert [numbers[name] for name in names] == pytest.approx([pair_f1, both, half])


def test_compound_macro_f1_leaves_out_frames_of_no_compound() -> None:
    words = ["sadly angry", "sadly fearful", "happily surprised", "other"]
    gold, said = RNG.integers(0, 4, 60), RNG.integers(0, 4, 60)
    cases = [labelled(words[g], words[s], "cexpr7") for g, s in zip(gold, said, strict=True)]
    g, s = gold[gold < 3], said[gold < 3]
    right = f1_score(g, s, labels=[0, 1, 2], average="macro")
    assert metrics(COMPOUND, cases, "cexpr7")["compound_macro_f1"] == pytest.approx(right)
    assert measured(COMPOUND, cases, "cexpr7").notices == [
        f"no compound in gold of {(gold == 3).sum()} of 60 samples: left out"
    ]
    assert measured(COMPOUND, [labelled("fear", "fear")]).lines == [None]


def test_micro_expressions_have_three_classes() -> None:
    words = ["happiness", "surprise", "disgust", "repression", "sadness", "other"]
    kinds = np.array([1, 2, 0, 0, 0, 3])
    gold, said = RNG.integers(0, 6, 80), RNG.integers(0, 6, 80)
    cases = [labelled(words[g], words[s], "casme7") for g, s in zip(gold, said, strict=True)]
    g, s = kinds[gold][gold < 5], kinds[said][gold < 5]
    numbers = metrics(MICRO, cases, "casme7")
    assert numbers["uf1"] == pytest.approx(f1_score(g, s, labels=[0, 1, 2], average="macro"))
    assert numbers["micro_uar"] == pytest.approx(np.mean([(s[g == k] == k).mean() for k in range(3)]))
    assert measured(MICRO, cases, "casme7").notices == [f"other in gold of {(gold == 5).sum()} of 80 samples: left out"]


def test_micro_expressions_of_two_data_sets_are_scored_together_in_the_open_set() -> None:
    two = [
        case(Sample(id="a", label="repression", label_set="casme7"), "negative", "open"),
        case(Sample(id="b", label="contempt", label_set="samm8"), "anger", "open"),
    ]
    assert measured(MICRO, two, "open").lines == [(0, 0), (0, 0)]
    assert metrics(MICRO, two, "open") == {"uf1": 1, "micro_uar": 1}
    assert measured(MICRO, [labelled("happiness", "happiness")]).lines == [None]


# --- ambivalence ------------------------------------------------------------------------------------------------------


def published_ap(score: np.ndarray, gold: np.ndarray) -> float:
    """The published rule: precision and recall at 1,000 thresholds, and scikit-learn's area by trapezoids."""
    precision, recall = [], []
    for threshold in np.arange(0, 1, 0.001):
        named = score >= threshold
        found = (named & (gold == 1)).sum()
        precision.append(found / named.sum() if named.any() else 0.0)
        recall.append(found / gold.sum())
    return float(auc(recall, precision))


@pytest.mark.parametrize(("digits", "highest"), [(1, 1), (3, 1), (4, 0.9), (8, 1), (8, 0.9)])
def test_both_average_precisions(digits: int, highest: float) -> None:
    gold = RNG.integers(0, 2, 120)
    score = np.clip(RNG.normal(0.4 + 0.2 * gold, 0.25), 0, highest).round(digits)
    score[:4], gold[:4] = [0.5, 0.4995, 0.4999, 0.7], [1, 0, 1, 0]  # one on the grid, its neighbours below it
    said = score >= 0.5
    cases = [
        labelled(AMBIVALENCE_CLASSES[g], AMBIVALENCE_CLASSES[int(s)], "bah2", ambivalence=float(p))
        for g, s, p in zip(gold, said, score, strict=True)
    ]
    # A score of 0 for the one class alone is a probability of 1 for the other.
    numbers = metrics(AMBIVALENCE, [one for one, p in zip(cases, score, strict=True) if p > 0], "bah2")
    g, s, p = gold[score > 0], said[score > 0], score[score > 0]
    assert numbers["ah_ap"] == pytest.approx(average_precision_score(g, p))
    assert numbers["ah_ap_grid"] == pytest.approx(published_ap(p, g))
    assert abs(numbers["ah_ap"] - numbers["ah_ap_grid"]) > 1e-4
    assert [numbers["ah_f1_neg"], numbers["ah_f1_pos"]] == pytest.approx(f1_score(g, s, average=None).tolist())
    assert numbers["ah_macro_f1"] == pytest.approx(f1_score(g, s, average="macro"))
    assert numbers["ah_weighted_f1"] == pytest.approx(f1_score(g, s, average="weighted"))


def test_a_perfect_ranking_has_no_area_as_published() -> None:
    gold = np.array([1, 1, 0])
    assert published_ap(gold.astype(float), gold) == 0.0
    numbers = whole(AMBIVALENCE, [(1, 1, 1.0), (1, 1, 1.0), (0, 0, 0.0)])
    assert AMBIVALENCE.metrics["ah_ap_grid"].function(numbers) == 0.0
    assert AMBIVALENCE.metrics["ah_ap"].function(numbers) == 1.0


def test_samples_without_a_score_come_last_and_are_told() -> None:
    cases = [
        labelled("ambivalence", "ambivalence", "bah2", ambivalence=0.9),
        labelled("ambivalence", None, "bah2"),
        labelled("no ambivalence", "no ambivalence", "bah2", ambivalence=0.2),
    ]
    assert metrics(AMBIVALENCE, cases, "bah2")["ah_ap"] == pytest.approx(0.5 * 1 + 0.5 * 2 / 3)
    assert measured(AMBIVALENCE, cases, "bah2").notices == [
        "1 of 3 samples have no score of ambivalence: they come last"
    ]


# --- numbers ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [2, 1_000, 100_000])
@pytest.mark.parametrize("level", [2.3, 0.3, -0.7])
def test_where_gold_does_not_move_nothing_follows_it(level: float, n: int) -> None:
    still, moving = np.full(n, level), np.linspace(-1, 1, n)
    sums = pair_sums(moving, still).sum(axis=0)
    assert np.isnan([ccc(sums), pearson(sums)]).all()
    sums = pair_sums(still, moving).sum(axis=0)
    assert (float(ccc(sums)), float(icc(sums))) == (0, 0)
    assert np.isnan(pearson(sums))


def test_correlation_of_two_samples_is_at_most_one() -> None:
    pairs = RNG.normal(size=(500, 2, 2))
    found = np.array([float(pearson(pair_sums(*pair).sum(axis=0))) for pair in pairs])
    assert np.abs(found).max() == 1


def test_agreement_is_that_of_scipy_and_of_lins_formula() -> None:
    x, y = RNG.normal(size=(2, 200))
    y = 0.6 * x + 0.5 * y + 0.1
    pairs = pair_sums(x, y).sum(axis=0)
    lin = 2 * np.cov(x, y, bias=True)[0, 1] / (x.var() + y.var() + (x.mean() - y.mean()) ** 2)
    assert float(ccc(pairs)) == pytest.approx(lin)
    assert float(pearson(pairs)) == pytest.approx(pearsonr(x, y).statistic)
    assert float(mae(pairs)) == pytest.approx(np.abs(x - y).mean())
    assert float(rmse(pairs)) == pytest.approx(np.sqrt(((x - y) ** 2).mean()))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("valence: -0.4, arousal: 0.7", -0.4),
        ('{"valence": 0.25, "arousal": -1}', 0.25),
        ("**Valence**: \u22120.5", -0.5),
        ("Valence (−1 to 1): 0.3", 0.3),
        ("The valence is about 0.2 and the arousal score of 0.6.", 0.2),
        ("valence (0.4), arousal (0.1)", 0.4),
        ("效价：0.5，唤醒度：0.2", 0.5),
        ("<think>Valence 0.8 at first.</think><answer>valence = -.2</answer>", -0.2),
        ("valence: 0,4", None),
        ("valence: 1/10", None),
        ("valence: 70 %", None),
        ("valence from -1 to 1", None),
        ("valence: -1 to 1", None),
        ("valence 5", None),
        ("ambivalence: 0.7", None),
        ("valence is high", None),
        ("", None),
    ],
)
def test_the_last_valence_of_a_text_is_read(text: str, value: float | None) -> None:
    assert read_axis(Prediction(id="a", completion=text, model="m"), "valence") == value


def test_missing_valence_is_told_and_costs_concordance() -> None:
    samples = [Sample(id=str(v), valence=v, arousal=v) for v in (-1.0, -0.5, 0.5, 1.0)]
    said = ["valence: -1, arousal: -1", None, "hard to say", "valence: 1, arousal: 1"]
    cases = [case(sample, text) for sample, text in zip(samples, said, strict=True)]
    numbers = metrics(DIMENSIONAL, cases, None)
    assert numbers["ccc"] == pytest.approx(1)
    assert numbers["ccc_all"] == pytest.approx(8 / 9)
    assert measured(DIMENSIONAL, cases, None).notices == [
        f"2 of 4 answers state no {axis} from −1 to 1" for axis in ("valence", "arousal")
    ]


def in_pain(said: str | None, kind: str = "intensity", **levels: float) -> Case:
    values = {"AU04": 2.0, "AU06": 3.0, "AU07": 1.0, "AU09": 0.0, "AU10": 1.0, "AU43": 1.0} | levels
    aus = {code: AU(value=value, kind=kind) for code, value in values.items()}  # type: ignore[arg-type]
    return case(Sample(id="s", faces=[Face(aus=aus)]), said)


@pytest.mark.parametrize(
    ("said", "stated"),
    [
        ("PSPI: 7", 7),
        ("The pain intensity is 6.5.", 6.5),
        ("AU4 (B), AU6 (C), AU10 (A) and AU43.", 2 + 3 + 1 + 1),
        ("AU4 at intensity 2.0. There is no cheek raising.", 2),
        ("The brows are lowered.", None),
        ("PSPI: 20", None),
        ("I see a face.", None),
        (None, None),
    ],
)
def test_the_stated_pain_follows_from_a_number_or_from_the_strengths(said: str | None, stated: float | None) -> None:
    assert measured(PAIN, [in_pain(said)]).lines == [(7.0, stated)]


def test_pain_needs_intensities_and_is_asked_for() -> None:
    assert PAIN.is_asked_for
    assert measured(PAIN, [in_pain("PSPI: 7", kind="presence", AU04=1, AU06=1)]).lines == [None]
    assert measured(PAIN, [labelled("fear", "PSPI: 3")]).lines == [None]


# --- from files to files ----------------------------------------------------------------------------------------------


def test_the_families_whose_gold_is_there_are_scored_and_no_others(tmp_path: Path) -> None:
    words = ("happiness", "sadness", "anger")
    samples = [
        Sample(
            id=str(i), subject=str(i // 2), label_set="dfew7", label=words[i % 3], groups={"fold": str(1 + i % 5)},
            soft={words[i % 3]: 0.8, "neutral": 0.2},
        )
        for i in range(30)
    ]  # fmt: skip
    answers = [
        Prediction(id=str(i), completion=words[(i % 4) % 3], model="m", scores={words[(i % 4) % 3]: 0.5 + i / 100})
        for i in range(28)
    ]
    inputs = []
    for name, records in (("predictions", answers), ("samples", samples)):
        path = tmp_path / f"{name}.jsonl"
        path.write_bytes(b"".join(encode(record) + b"\n" for record in records))
        inputs.append(str(path))
    assert main([*inputs, "-o", str(tmp_path / "scores"), "--num-resamples", "50"]) == 0
    results = read_results(tmp_path / "scores")
    assert {"closed_set", "folds", "calibration", "selective", "soft_labels"} <= set(results.families)
    assert not {"dimensional", "sentiment", "compound", "ambivalence", "micro_expressions", "pain"} & set(
        results.families
    )
    assert set(results.groups["fold"]) == {"1", "2", "3", "4", "5"}
    accuracies = [numbers["accuracy"].value for numbers in results.groups["fold"].values()]
    assert results.metrics["fold_mean_war"].value == pytest.approx(
        np.mean([value for value in accuracies if value is not None])
    )
    aurc = results.metrics["aurc"]
    assert aurc.low is not None
    assert aurc.high is not None
    assert aurc.low < (aurc.value or math.nan) < aurc.high
