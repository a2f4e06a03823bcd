"""Bootstrap intervals: right width, clusters, pairing, and inputs with little to say."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from eval.intervals import Cells, number_clusters, percentile_interval, resample, sum_up, weighted


def interval_of_mean(
    values: np.ndarray, clusters: np.ndarray, num_resamples: int = 400, seed: int = 0
) -> tuple[float, float]:
    block = np.stack([values, np.ones_like(values)], axis=-1)
    (draws,) = resample([block], clusters, num_resamples=num_resamples, seed=seed)
    low, high = percentile_interval(draws[:, 0] / draws[:, 1])
    return float(low), float(high)


def test_interval_of_a_share_matches_the_normal_approximation() -> None:
    values = np.repeat([1.0, 0.0], [300, 700])
    low, high = interval_of_mean(values, np.arange(1000), num_resamples=2000)
    half = 1.96 * np.sqrt(0.3 * 0.7 / 1000)
    assert low == pytest.approx(0.3 - half, abs=0.005)
    assert high == pytest.approx(0.3 + half, abs=0.005)


def test_ninety_five_percent_intervals_cover_the_truth_about_that_often() -> None:
    rng = np.random.default_rng(1)
    covered = 0
    for trial in range(200):
        values = (rng.random(150) < 0.6).astype(float)
        low, high = interval_of_mean(values, np.arange(150), seed=trial)
        covered += low <= 0.6 <= high
    assert 0.90 <= covered / 200 <= 0.985


def test_clusters_widen_the_interval_of_clustered_data_and_cover_the_truth() -> None:
    rng = np.random.default_rng(2)
    clusters = np.repeat(np.arange(40), 20)
    covered = naive_covered = 0
    for trial in range(60):
        rates = rng.beta(1.2, 0.8, size=40)  # mean 0.6, each subject easy or hard
        values = (rng.random(800) < rates[clusters]).astype(float)
        low, high = interval_of_mean(values, clusters, seed=trial)
        naive_low, naive_high = interval_of_mean(values, np.arange(800), seed=trial)
        assert high - low > 1.5 * (naive_high - naive_low)
        covered += low <= 0.6 <= high
        naive_covered += naive_low <= 0.6 <= naive_high
    assert covered / 60 > 0.85
    assert naive_covered / 60 < 0.75


def test_same_seed_gives_the_same_draws() -> None:
    values = np.arange(50.0)
    assert interval_of_mean(values, np.arange(50), seed=3) == interval_of_mean(values, np.arange(50), seed=3)
    assert interval_of_mean(values, np.arange(50), seed=3) != interval_of_mean(values, np.arange(50), seed=4)


def test_negative_seed_is_a_seed() -> None:
    values = np.arange(50.0)
    assert interval_of_mean(values, np.arange(50), seed=-1) == interval_of_mean(values, np.arange(50), seed=-1)


def test_same_seed_pairs_the_draws_of_two_models() -> None:
    clusters = np.arange(30)
    first = np.arange(30.0)[:, None]
    (draws,) = resample([first], clusters, num_resamples=20, seed=5)
    (shifted,) = resample([first + 1], clusters, num_resamples=20, seed=5)
    assert np.allclose(shifted - draws, 30)


def test_every_resample_draws_as_many_clusters_as_there_are() -> None:
    (draws,) = resample([np.ones((40, 1))], np.repeat(np.arange(10), 4), num_resamples=50, seed=0)
    assert np.all(draws == 40)


def test_blocks_keep_their_shape() -> None:
    (draws,) = resample([np.ones((6, 3, 4))], np.arange(6), num_resamples=5, seed=0)
    assert draws.shape == (5, 3, 4)


def test_no_samples_give_no_counts() -> None:
    (draws,) = resample([np.ones((0, 2))], np.zeros(0, dtype=np.intp), num_resamples=3, seed=0)
    assert draws.tolist() == [[0, 0]] * 3


def test_no_resamples_give_no_interval() -> None:
    low, high = percentile_interval(np.zeros((0,)))
    assert np.isnan(low)
    assert np.isnan(high)


def test_one_cluster_gives_a_point() -> None:
    assert interval_of_mean(np.array([0.0, 1.0]), np.array([0, 0])) == (0.5, 0.5)


def test_unknown_draws_are_left_out() -> None:
    draws = np.array([np.nan, 1.0, 2.0, 3.0, np.nan])
    low, high = percentile_interval(draws, confidence=0.5)
    assert (float(low), float(high)) == (1.5, 2.5)


def test_quantiles_equal_numpy() -> None:
    draws = np.random.default_rng(0).normal(size=(101, 7))
    assert np.allclose(percentile_interval(draws), np.quantile(draws, [0.025, 0.975], axis=0))


def test_clusters_are_numbered_in_the_order_of_their_keys() -> None:
    assert number_clusters(["b", "a", "b"]).tolist() == [1, 0, 1]


@pytest.mark.parametrize("num_subjects", [7, 30], ids=["several samples each", "one sample each"])
def test_draws_do_not_depend_on_the_order_of_the_samples(num_subjects: int) -> None:
    keys, values = [f"s{i % num_subjects}" for i in range(30)], np.arange(30.0)[:, None] ** 2
    shuffle = np.random.default_rng(1).permutation(30)
    [draws] = resample([values], number_clusters(keys), num_resamples=50, seed=0)
    [shuffled] = resample([values[shuffle]], number_clusters([keys[i] for i in shuffle]), num_resamples=50, seed=0)
    np.testing.assert_allclose(draws, shuffled, rtol=1e-12)


def test_many_clusters_are_drawn_in_parts() -> None:
    n = 1_500_000
    (draws,) = resample([np.ones((n, 1))], np.arange(n), num_resamples=3, seed=0)
    assert draws.ravel().tolist() == [n] * 3


def test_cells_are_what_they_stand_for_written_out() -> None:
    """A single 1 a sample, by its place or with all the zeros: the same sums, draws and weighted sums."""
    rng = np.random.default_rng(2)
    place, clusters = rng.integers(-1, 12, 200), rng.integers(0, 30, 200)
    dense = np.zeros((200, 12))
    dense[place >= 0, place[place >= 0]] = 1.0
    cells, dense = Cells(place, (3, 4)), dense.reshape(200, 3, 4)
    np.testing.assert_array_equal(sum_up(cells), sum_up(dense))
    draws = [resample([block], clusters, num_resamples=40, seed=1)[0] for block in (cells, dense)]
    np.testing.assert_array_equal(*draws)
    weights = rng.integers(0, 2, (7, 30)).astype(float)
    np.testing.assert_array_equal(*(weighted(block, clusters, 30)(weights) for block in (cells, dense)))


def test_many_labels_of_many_samples_fit_into_memory() -> None:
    """Written out, 60 labels of 20,000 samples are 586 MB; the draws are 30 kB each."""
    rng = np.random.default_rng(3)
    cells = Cells(rng.integers(0, 60 * 61, 20_000), (60, 61))
    tracemalloc.start()
    resample([cells], np.arange(20_000), num_resamples=20, seed=0)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20e6
