"""Judge and people: κ, α and prediction-powered means beside independent implementations, and the golden lines."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from eval.judge.agreement import cohen_kappa, human_mean, ppi_mean, read_anchors, rounded
from eval.judge.asking import Judged
from eval.judge.legacy import LEGACY
from eval.judge.lines import add_up, alpha, to_line, weighted_kappa
from eval.judge.lines import ppi_mean as ppi_of_sums
from eval.judge.modes import MODES
from eval.metrics.family import to_array

Array = npt.NDArray[np.float64]
rng = np.random.default_rng(0)
JUDGE = rng.integers(1, 11, 200).astype(float)
HUMAN = np.clip(JUDGE + rng.integers(-3, 3, 200), 1, 10)


def sums_of(judge: Array, human: Array, elsewhere: Array | tuple[()] = ()) -> Array:
    judged = [Judged({"judge_clue_overlap": [value]}) for value in (*judge, *elsewhere)]
    scores = [*human, *(None for _ in elsewhere)]
    lines = [to_line(MODES, one, score, "judge_clue_overlap") for one, score in zip(judged, scores, strict=True)]
    total: Array = add_up(to_array(lines)).sum(axis=0)
    return total


def test_kappas_are_those_of_scikit_learn() -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    pair = (JUDGE.astype(int), HUMAN.astype(int))
    assert cohen_kappa(list(JUDGE), list(HUMAN)) == pytest.approx(metrics.cohen_kappa_score(*pair))
    weighted = metrics.cohen_kappa_score(*pair, weights="quadratic", labels=list(range(1, 11)))
    assert float(weighted_kappa(sums_of(JUDGE, HUMAN))) == pytest.approx(weighted)


def test_cohen_1960_by_hand() -> None:
    # Table (20, 5; 10, 15): observed 35/50, expected 25/50 · 30/50 + 25/50 · 20/50 = 1/2, κ = 0.4
    first = [1.0] * 25 + [2.0] * 25
    second = [1.0] * 20 + [2.0] * 5 + [1.0] * 10 + [2.0] * 15
    assert cohen_kappa(first, second) == pytest.approx(0.4)
    assert np.isnan(cohen_kappa([1, 1], [1, 1]))


def alpha_of_pairs(first: Array, second: Array) -> float:
    """α by its definition: every pair of values within units, against every pair of values at all."""
    everything = [*first, *second]
    observed = sum((x - y) ** 2 for x, y in zip(first, second, strict=True)) / len(first)
    expected = np.mean([(x - y) ** 2 for x, y in itertools.permutations(everything, 2)])
    return float(1 - observed / expected)


def test_alpha_by_its_definition() -> None:
    assert float(alpha(sums_of(JUDGE, HUMAN))) == pytest.approx(alpha_of_pairs(JUDGE, HUMAN))
    package = pytest.importorskip("krippendorff")
    expected = package.alpha(np.stack([JUDGE, HUMAN]), level_of_measurement="interval")
    assert float(alpha(sums_of(JUDGE, HUMAN))) == pytest.approx(expected)


def test_a_judge_that_is_always_two_points_too_kind_agrees_in_rank_only() -> None:
    human = np.arange(1.0, 9.0)
    sums = sums_of(human + 2, human)
    assert np.corrcoef(human, human + 2)[0, 1] == pytest.approx(1)
    assert float(weighted_kappa(sums)) < 0.75
    assert float(ppi_of_sums(sums_of(human + 2, human, elsewhere=np.full(50, 7.0)))) == pytest.approx(5)


def test_values_between_steps_are_rounded() -> None:
    assert rounded([1.5, 2.5, 7.4, 0.3], 1) == [2, 3, 7, 0]
    assert rounded([0.3, 0.4], 0.25) == [0.25, 0.5]


# --- prediction-powered means -----------------------------------------------------------------------------------------


def test_a_prediction_powered_mean_by_hand() -> None:
    elsewhere, there, human = np.array([2.0, 4.0, 6.0, 8.0]), np.array([3.0, 5.0]), np.array([4.0, 8.0])
    found = ppi_mean(elsewhere, there, human)
    half = 1.959964 * (5 / 4 + 1 / 2) ** 0.5  # variances 5 of 4 and 1 of 2
    assert found == pytest.approx((7.0, 7.0 - half, 7.0 + half))
    assert float(ppi_of_sums(sums_of(there, human, elsewhere))) == pytest.approx(7.0)


def test_a_prediction_powered_mean_is_that_of_ppi_python() -> None:
    ppi = pytest.importorskip("ppi_py")
    elsewhere, human = rng.normal(5, 2, 300), rng.normal(6, 2, 60)
    there = human + rng.normal(-1, 0.5, 60)
    low, high = ppi.ppi_mean_ci(human, there, elsewhere, alpha=0.05, lam=1)
    found = ppi_mean(elsewhere, there, human)
    assert (found.low, found.high) == pytest.approx((float(low[0]), float(high[0])))


def test_the_intervals_hold_the_truth_and_are_shorter_than_without_the_judge() -> None:
    hits, widths = 0, []
    for _ in range(400):
        truth = rng.normal(6, 2, 500)
        judge = truth + rng.normal(1.5, 0.7, 500)  # too kind, and noisy
        found = ppi_mean(judge[100:], judge[:100], truth[:100])
        alone = human_mean(truth[:100])
        hits += found.low <= 6 <= found.high
        widths.append((found.high - found.low) / (alone.high - alone.low))
    assert 0.92 <= hits / 400 <= 0.98
    assert np.mean(widths) < 0.7


def test_samples_of_one_subject_are_no_independent_evidence() -> None:
    human = np.repeat(rng.normal(6, 2, 20), 10)
    by_subject = human_mean(human, np.repeat(np.arange(20), 10))
    of_means = human_mean(human[::10])
    assert by_subject == pytest.approx(of_means)
    assert by_subject.high - by_subject.low > 3 * (human_mean(human).high - human_mean(human).low)


# --- files and lines --------------------------------------------------------------------------------------------------


def test_anchors_are_read_from_tables_too(tmp_path: Path) -> None:
    table = tmp_path / "anchors.csv"
    table.write_text("id,score\na,7\nb,3.5\na,8\n", encoding="utf-8")
    lines = tmp_path / "anchors.jsonl"
    lines.write_text("".join(json.dumps({"id": i, "score": s}) + "\n" for i, s in (("a", 7), ("b", 3.5), ("a", 8))))
    for path in (table, lines):
        anchors = read_anchors(path, LEGACY.numbers)
        assert anchors == ("judge_clue_overlap", {"a": 7.5, "b": 3.5}, 3)


def test_a_line_keeps_every_number_in_its_place() -> None:
    names = [name for mode in MODES.values() for name in mode.numbers]
    line = to_line(MODES, Judged({"judge_label_same": [1.0, 0.0, None]}, asked=3, read=2), 0.5, "judge_label_same")
    assert len(line) == 2 * len(names) + 4
    place = 2 * names.index("judge_label_same")
    assert line[place : place + 2] == (0.5, 0.25)
    assert line[-4:] == (3, 2, 0.5, 0.5)
    assert sum(value is not None for value in line) == 6
