"""What a detector measured against gold: values, kinds, faces, and the same numbers from scikit-learn and scipy."""

from __future__ import annotations

import random
from argparse import Namespace
from itertools import combinations
from typing import Any

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import f1_score, mean_absolute_error, roc_auc_score, root_mean_squared_error

from emollm import facs
from emollm.records import AU, Detector, Face, Media, Sample
from eval.detections import detected_face, notices, overlap
from eval.metrics import METRICS, tally, total
from eval.metrics.agreement import icc, pair_sums
from eval.metrics.au_values import FAMILY
from eval.metrics.counts import Array
from eval.metrics.family import Case, Context, whole
from eval.metrics.ranked import auc
from eval.rows import score_case, score_rows

AUS = ("AU04", "AU06", "AU12")
JUDGES = np.array(
    [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]], dtype=np.float64
)
"""Six targets rated by four judges: table 2 of Shrout and Fleiss (1979)."""


def context(aus: tuple[str, ...] = AUS, **thresholds: float) -> Context:
    return Context(None, facs.THRESHOLDS | thresholds, Namespace(), "detector", aus)


def faces(values: dict[str, float], kind: Any = "intensity", **changes: Any) -> list[Face]:
    return [Face(aus={au: AU(value=value, kind=kind) for au, value in values.items()}, **changes)]


def case(gold: list[Face], detected: list[Face] | None, aus: tuple[str, ...] = AUS) -> Case:
    scored = score_case(Sample(id="s", faces=gold), None, context(aus))
    return scored._replace(detected=None if detected is None else Sample(id="s", faces=detected))


def numbers(cases: list[Case], aus: tuple[str, ...] = AUS) -> dict[str, float]:
    sums = whole(FAMILY, FAMILY.measure(cases, context(aus)).lines)
    return {name: float(metric.function(sums)) for name, metric in FAMILY.metrics.items()}


def f1_of(cases: list[Case], aus: tuple[str, ...] = AUS) -> dict[str, float]:
    rows, _ = score_rows(cases, context(aus), [])
    counts = total(tally(rows, [], aus))
    return {name: float(METRICS[name].function(counts)) for name in ("au_macro_f1", "au_micro_f1", "au_set_f1")}


def anova_icc(ratings: Array) -> float:
    """ICC(3,1) of targets (n, k), from the mean squares of a two-way analysis of variance."""
    n, k = ratings.shape
    rows, columns = ratings.mean(axis=1), ratings.mean(axis=0)
    between = k * ((rows - ratings.mean()) ** 2).sum() / (n - 1)
    rest = ((ratings - rows[:, None] - columns[None] + ratings.mean()) ** 2).sum() / ((n - 1) * (k - 1))
    return float((between - rest) / (between + (k - 1) * rest))


def test_icc_is_that_of_shrout_and_fleiss() -> None:
    assert anova_icc(JUDGES) == pytest.approx(0.71, abs=0.005)  # as they print it
    for pair in combinations(range(4), 2):
        first, second = JUDGES[:, pair].T
        sums = pair_sums(first, second).sum(axis=0)
        assert float(icc(sums)) == pytest.approx(anova_icc(JUDGES[:, pair]), abs=1e-12)


def test_two_judges_by_hand() -> None:
    """Judges 1 and 4: Σx 46, Σy 40, Σx² 366, Σy² 298, Σxy 322 over six targets; 2·cov / (var x + var y)."""
    x, y = JUDGES[:, 0], JUDGES[:, 3]
    assert (x.sum(), y.sum(), (x * x).sum(), (y * y).sum(), (x * y).sum()) == (46, 40, 366, 298, 322)
    by_hand = 2 * (6 * 322 - 46 * 40) / ((6 * 366 - 46**2) + (6 * 298 - 40**2))
    assert float(icc(pair_sums(x, y).sum(axis=0))) == pytest.approx(by_hand, abs=1e-12)


def random_cases(n: int, seed: int) -> tuple[list[Case], dict[str, tuple[list[float], list[float]]]]:
    rng = random.Random(seed)
    cases, values = [], {au: ([], []) for au in AUS}  # type: tuple[list[Case], dict[str, Any]]
    for _ in range(n):
        gold = {au: float(rng.choice([0, 0, 1, 2, 3, 5])) for au in AUS}
        found = {au: min(max(round(2 * (value + rng.gauss(0.2, 1.0))) / 2, 0.0), 5.0) for au, value in gold.items()}
        cases.append(case(faces(gold), faces(found)))
        for au in AUS:
            values[au][0].append(gold[au])
            values[au][1].append(found[au])
    return cases, values


@pytest.mark.parametrize("seed", range(3))
def test_numbers_are_those_of_scikit_learn_and_scipy(seed: int) -> None:
    cases, values = random_cases(60, seed)
    pairs = [(np.array(gold), np.array(found)) for gold, found in values.values()]
    there = [gold >= 1 for gold, _ in pairs]
    named = [found >= 1 for _, found in pairs]
    measured, rates = numbers(cases), f1_of(cases)
    assert measured["au_auc"] == pytest.approx(
        np.mean([roc_auc_score(t, f) for t, (_, f) in zip(there, pairs, strict=True)])
    )
    assert measured["au_mae"] == pytest.approx(np.mean([mean_absolute_error(g, f) for g, f in pairs]))
    assert measured["au_rmse"] == pytest.approx(np.mean([root_mean_squared_error(g, f) for g, f in pairs]))
    assert measured["au_pearson"] == pytest.approx(np.mean([stats.pearsonr(g, f).statistic for g, f in pairs]))
    assert measured["au_icc"] == pytest.approx(np.mean([anova_icc(np.stack(pair, axis=1)) for pair in pairs]))
    assert rates["au_macro_f1"] == pytest.approx(f1_score(np.stack(there, 1), np.stack(named, 1), average="macro"))
    assert rates["au_micro_f1"] == pytest.approx(f1_score(np.stack(there, 1), np.stack(named, 1), average="micro"))


def test_auc_counts_a_sample_as_often_as_it_is_drawn() -> None:
    rng = np.random.default_rng(3)
    score, label = np.round(rng.normal(size=40), 1), (rng.random(40) < 0.4).astype(float)
    weights = rng.integers(0, 4, size=(5, 40)).astype(float)
    expected = [roc_auc_score(label, score, sample_weight=drawn) for drawn in weights]
    assert auc(score, label, weights) == pytest.approx(expected)
    assert np.isnan(auc(score, np.ones(40), weights)).all()


def test_gold_against_itself_is_perfect_and_silence_is_not() -> None:
    gold = [faces({"AU04": 0.0, "AU06": 2.0, "AU12": 3.0}), faces({"AU04": 2.0, "AU06": 0.0, "AU12": 0.0})]
    best = [case(face, face) for face in gold]
    assert set(f1_of(best).values()) == {1.0}
    assert {name: numbers(best)[name] for name in ("au_auc", "au_icc", "au_mae")} == {
        "au_auc": 1,
        "au_icc": 1,
        "au_mae": 0,
    }
    none = [case(face, None) for face in gold]
    assert set(f1_of(none).values()) == {0.0}
    assert numbers(none)["au_measured"] == 0
    assert np.isnan(numbers(none)["au_icc"])


def test_probabilities_are_ranked_and_never_taken_for_intensities() -> None:
    cases = [
        case(faces({"AU12": 0.0}), faces({"AU12": 0.2}, "probability")),
        case(faces({"AU12": 3.0}), faces({"AU12": 0.9}, "probability")),
    ]
    measured = numbers(cases, ("AU12",))
    assert (measured["au_auc"], f1_of(cases, ("AU12",))["au_macro_f1"]) == (1.0, 1.0)
    assert np.isnan(measured["au_icc"])
    assert "they are ranked only: AU12" in FAMILY.measure(cases, context(("AU12",))).notices[0]


def test_presences_are_neither_intensities_nor_scores() -> None:
    cases = [
        case(faces({"AU12": 0.0}, "presence"), faces({"AU12": 0.0}, "presence")),
        case(faces({"AU12": 1.0}, "presence"), faces({"AU12": 1.0}, "presence")),
    ]
    measured = numbers(cases, ("AU12",))
    assert np.isnan(measured["au_auc"])
    assert np.isnan(measured["au_mae"])
    assert f1_of(cases, ("AU12",))["au_macro_f1"] == 1.0


def test_an_odd_kind_does_not_rank_with_the_others() -> None:
    cases = [
        case(faces({"AU12": 0.0}), faces({"AU12": 1.5})),
        case(faces({"AU12": 3.0}), faces({"AU12": 4.0})),
        case(faces({"AU12": 3.0}), faces({"AU12": 0.9}, "probability")),
    ]
    assert numbers(cases, ("AU12",))["au_auc"] == 1.0
    assert "1 are not ranked" in FAMILY.measure(cases, context(("AU12",))).notices[-1]


def test_the_face_that_overlaps_the_gold_one_is_meant() -> None:
    gold = faces({"AU12": 3.0}, box=(0.0, 0.0, 10.0, 10.0))
    two = [
        Face(face="a", box=(50.0, 50.0, 40.0, 40.0), aus={"AU12": AU(value=0.0, kind="intensity")}),
        Face(face="b", box=(1.0, 1.0, 10.0, 10.0), aus={"AU12": AU(value=3.0, kind="intensity")}),
    ]
    found = detected_face(case(gold, two))
    assert found is not None
    assert found.face == "b"
    assert detected_face(case(gold, two[:1])) is None
    assert detected_face(case(faces({"AU12": 3.0}), two)) is not None  # the largest, where gold has no box
    assert overlap((0.0, 0.0, 10.0, 10.0), (5.0, 0.0, 10.0, 10.0)) == pytest.approx(1 / 3)
    elsewhere = [case(gold, two[:1])]
    assert "lies elsewhere" in notices(elsewhere, {"s": Sample(id="s", faces=two[:1])}, None)[-1]


def test_a_neutral_face_that_is_found_neutral_is_right_and_one_that_is_not_found_is_not() -> None:
    """Two empty sets agree: a rule that gives them an F1 of 0 pays a detector for inventing something."""
    neutral = faces({"AU04": 0.0, "AU12": 0.0})
    assert f1_of([case(neutral, neutral)])["au_set_f1"] == 1
    assert f1_of([case(neutral, None)])["au_set_f1"] == 0


def test_hidden_gold_counts_nowhere_and_hidden_detections_are_missing() -> None:
    hidden = faces({"AU04": 3.0, "AU12": 2.0}, hidden=["brows"])
    rows, _ = score_rows([case(hidden, faces({"AU04": 3.0, "AU12": 0.0}))], context(), [])
    assert (rows[0].au_hits, rows[0].au_misses) == ((), ("AU12",))


def test_gold_by_the_judged_detector_is_told() -> None:
    own = faces({"AU12": 2.0}, detector=Detector(name="tiny", version="1"))
    [told] = notices([case(own, own)], {"s": Sample(id="s", faces=own)}, None)
    assert told.startswith("gold was measured by tiny 1, which is judged here")


def test_moments_of_a_clip_are_one_face() -> None:
    clip = [
        Face(frame=i, box=(0.0, 0.0, 9.0, 9.0), aus={"AU12": AU(value=v, kind="intensity")})
        for i, v in enumerate((1, 4))
    ]
    sample = Sample(id="s", media=Media(kind="video", path="s.mp4"), faces=clip)
    merged = detected_face(score_case(sample, None, context())._replace(detected=sample))
    assert merged is not None
    assert (merged.aus or {})["AU12"].value == 4
