"""Scores of labels: calibration, coverage and risk, and soft labels, against scikit-learn and scipy."""

from __future__ import annotations

import math
from itertools import pairwise

import msgspec
import numpy as np
import pytest
from answered import case, labelled, measured, metrics, softmax
from scipy.spatial.distance import jensenshannon
from scipy.stats import entropy
from sklearn.metrics import log_loss

from emollm.labels import LABEL_SETS
from emollm.records import Prediction, Sample
from eval.intervals import number_clusters
from eval.metrics.calibration import FAMILY as CALIBRATION
from eval.metrics.counts import Array
from eval.metrics.distribution import FLOOR, read_scores
from eval.metrics.family import Case, Family, drawn, to_array, whole
from eval.metrics.selective import FAMILY as SELECTIVE
from eval.metrics.soft_labels import FAMILY as SOFT_LABELS

LABELS = LABEL_SETS["basic7"].labels
RNG = np.random.default_rng(7)
GOLD = RNG.integers(0, len(LABELS), 300)
SCORES = softmax(RNG.normal(size=(300, len(LABELS))) + 1.5 * np.eye(len(LABELS))[GOLD])


def cases(scores: Array = SCORES) -> list[Case]:
    return [
        labelled(LABELS[gold], LABELS[row.argmax()], **dict(zip(LABELS, row.tolist(), strict=True)))
        for gold, row in zip(GOLD, scores, strict=False)
    ]


def test_scores_become_a_distribution() -> None:
    """Forms of a label are added, what is left belongs to the labels without a score, more than 1 is divided."""
    three = ("negative", "neutral", "positive")
    assert read_scores({"pos": 0.5, "positive": 0.1}, "sentiment3") == pytest.approx(
        {"positive": 0.6, "negative": 0.2, "neutral": 0.2}
    )
    assert read_scores(dict.fromkeys(three, 0.8), "sentiment3") == pytest.approx(dict.fromkeys(three, 1 / 3))
    assert read_scores({"positive": 0.5, "bored": 0.5}, "sentiment3") == {
        "positive": 0.5, "bored": 0.5, "negative": 0.0, "neutral": 0.0,
    }  # fmt: skip
    assert read_scores({"positive": 0.0}, "sentiment3") is None
    assert read_scores({}, None) is None
    assert read_scores(None, "basic7") is None


def test_calibration_is_that_of_scikit_learn_and_of_a_plain_loop() -> None:
    numbers = metrics(CALIBRATION, cases())
    one_hot = np.eye(len(LABELS))[GOLD]
    assert numbers["nll"] == pytest.approx(log_loss(GOLD, SCORES))
    assert numbers["brier"] == pytest.approx(((SCORES - one_hot) ** 2).sum(axis=1).mean())
    confidence, right = SCORES.max(axis=1), SCORES.argmax(axis=1) == GOLD
    edges = np.linspace(0, 1, 16)
    loop = 0.0
    for low, high in pairwise(edges):
        inside = (confidence > low) & (confidence <= high)
        if inside.any():
            loop += inside.mean() * abs(right[inside].mean() - confidence[inside].mean())
    assert numbers["ece"] == pytest.approx(loop)
    assert numbers["overconfidence"] == pytest.approx(confidence.mean() - right.mean())
    assert numbers["score_agreement"] == numbers["score_coverage"] == 1


def test_a_gold_label_without_probability_costs_the_floor_and_is_told() -> None:
    sure = [labelled("fear", "anger", anger=1.0), labelled("anger", "anger", anger=1.0)]
    assert metrics(CALIBRATION, sure)["nll"] == pytest.approx(-math.log(FLOOR) / 2)
    assert any("no probability" in notice for notice in measured(CALIBRATION, sure).notices)
    assert metrics(CALIBRATION, sure)["nll"] == pytest.approx(log_loss([0, 1], [[0.0, 1.0], [0.0, 1.0]]))


@pytest.mark.parametrize("family", [CALIBRATION, SELECTIVE], ids=["calibration", "selective"])
def test_without_scores_the_family_is_silent(family: Family) -> None:
    assert set(measured(family, [labelled("fear", "fear"), labelled("fear", None)]).lines) == {None}


def test_missing_scores_are_counted() -> None:
    some = [labelled("fear", "fear", fear=0.9), labelled("fear", "fear"), labelled("fear", None)]
    assert metrics(CALIBRATION, some)["score_coverage"] == pytest.approx(1 / 3)
    assert metrics(CALIBRATION, some)["ece"] == pytest.approx(0.1)
    assert "2 of 3 samples have no scores" in measured(CALIBRATION, some).notices[0]
    assert metrics(SELECTIVE, some)["aurc"] == pytest.approx((0 + 1 / 2 + 2 / 3) / 3)


def risk_by_coverage(confidence: Array, right: Array) -> Array:
    """The risk at each coverage 1/n, 2/n, …, 1 by sorting."""
    order = np.argsort(-confidence, kind="stable")
    return np.asarray((1.0 - right[order]).cumsum() / np.arange(1, len(order) + 1))


def test_aurc_is_the_mean_of_the_risks() -> None:
    confidence, right = SCORES.max(axis=1), (SCORES.argmax(axis=1) == GOLD).astype(float)
    risks, numbers = risk_by_coverage(confidence, right), metrics(SELECTIVE, cases())
    assert numbers["aurc"] == pytest.approx(risks.mean())
    assert numbers["e_aurc"] == pytest.approx(risks.mean() - risk_by_coverage(right, right).mean())
    for share in (50, 70, 80, 90):
        assert numbers[f"accuracy_at_{share}"] == pytest.approx(1 - risks[math.ceil(share / 100 * 300 - 1e-9) - 1])


def test_equal_scores_come_in_any_order() -> None:
    """AURC of tied scores is the mean over orders, and the lines may stand in any."""
    confidence, right = RNG.integers(0, 4, 40) / 4.0, RNG.integers(0, 2, 40).astype(float)
    lines = list(zip(confidence.tolist(), right.tolist(), strict=True))
    value = whole(SELECTIVE, lines)
    shuffles = [RNG.permutation(40) for _ in range(4000)]
    risks = [risk_by_coverage(confidence[order], right[order]) for order in shuffles]
    assert value[0] == pytest.approx(np.mean(risks), abs=2e-3)
    assert value[3] == pytest.approx(1 - np.mean([risk[27] for risk in risks]), abs=5e-3)
    np.testing.assert_allclose(whole(SELECTIVE, [lines[i] for i in shuffles[0]]), value)


def test_draws_of_a_ranked_family_are_those_of_repeated_lines() -> None:
    """What a resample counts twice is there twice: the draws of a family of ranks, and of one of sums."""
    lines = [None, *measured(SELECTIVE, cases(SCORES[:30])).lines]
    clusters = number_clusters([i // 3 for i in range(len(lines))])
    draws = drawn(SELECTIVE, lines, clusters, num_resamples=20, seed=3)
    picks = np.random.default_rng(3).integers(0, clusters.max() + 1, size=(20, clusters.max() + 1))
    for draw, picked in zip(draws, picks, strict=True):
        repeated = [line for cluster in picked for line, at in zip(lines, clusters, strict=True) if at == cluster]
        np.testing.assert_allclose(draw, whole(SELECTIVE, repeated))


def voted(votes: dict[str, float], said: str, **scores: float) -> Case:
    prediction = Prediction(id="s", completion=said, model="m", scores=scores or None)
    return case(Sample(id="s", soft=votes, label_set="basic7"), prediction, "basic7")


def test_soft_labels_are_those_of_scipy() -> None:
    votes = softmax(RNG.normal(size=(50, len(LABELS))))
    found = [
        voted(
            dict(zip(LABELS, gold.tolist(), strict=True)),
            LABELS[row.argmax()],
            **dict(zip(LABELS, row.tolist(), strict=True)),
        )
        for gold, row in zip(votes, SCORES, strict=False)
    ]
    numbers, given = metrics(SOFT_LABELS, found), SCORES[:50]
    assert numbers["soft_kl"] == pytest.approx(entropy(votes, given, axis=1).mean())
    assert numbers["soft_js"] == pytest.approx((jensenshannon(votes, given, base=2, axis=1) ** 2).mean())
    assert numbers["soft_cross_entropy"] == pytest.approx(-(votes * np.log(given)).sum(axis=1).mean())
    assert numbers["soft_top1"] == pytest.approx((votes.argmax(axis=1) == given.argmax(axis=1)).mean())
    assert numbers["soft_votes"] == pytest.approx(votes[np.arange(50), given.argmax(axis=1)].mean())


def test_votes_are_read_in_the_words_of_the_set_and_ties_are_shared() -> None:
    votes = {"Happy": 0.5, "sad": 0.5}
    assert metrics(SOFT_LABELS, [voted(votes, "sadness"), voted(votes, "fear")])["soft_top1"] == 0.5
    told = measured(SOFT_LABELS, [voted(votes, "sadness"), voted(votes, "sadness", sad=0.5, happy=0.5)])
    assert "1 of 2 samples have no scores" in told.notices[0]
    assert to_array([line for line in told.lines if line])[1, 5:].tolist() == pytest.approx([0, 0])
    assert measured(SOFT_LABELS, [labelled("fear", "fear")]).lines == [None]


def test_votes_and_scores_for_words_outside_the_set_are_told() -> None:
    odd = voted({"happiness": 0.5, "bar": 0.5}, "happiness", happiness=0.7, foo=0.3)
    assert measured(SOFT_LABELS, [odd]).notices == [
        "votes for words that are no label of basic7, such as 'bar', in 1 of 1 samples",
        "scores for words that are no label of basic7, such as 'foo', in 1 of 1 samples",
        f"labels with votes got no probability in 1 of 1 samples: their cross-entropy is that of {FLOOR:.1e}",
    ]
    with_label = case(msgspec.structs.replace(odd.sample, label="happiness"), odd.prediction, "basic7")
    assert measured(CALIBRATION, [with_label]).notices == [
        "scores for words that are no label of basic7, such as 'foo', in 1 of 1 samples"
    ]
