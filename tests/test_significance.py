"""More than chance? Against exact enumeration, scipy, and simulated studies."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from scipy import stats

from eval.intervals import percentile_interval, resample
from eval.significance import adjust, clusters_needed, draw_swaps, mcnemar, p_value, smallest_visible

RNG = np.random.default_rng(0)


def permuted_means(changes: np.ndarray, num_permutations: int = 4000, seed: int = 0) -> np.ndarray:
    """The mean difference of pairs (n, M) under random swaps: (R, M)."""
    signs = np.concatenate(list(draw_swaps(len(changes), 1, num_permutations=num_permutations, seed=seed)))
    return np.asarray((1 - 2 * signs) @ changes / len(changes))


def test_p_is_that_of_all_permutations() -> None:
    changes = np.array([0.3, 0.1, -0.1, 0.4, 0.2, 0.0, 0.5, -0.2])
    exact = [
        abs(np.dot(signs, changes)) >= abs(changes.sum()) - 1e-12 for signs in itertools.product((1, -1), repeat=8)
    ]
    found = p_value(changes.mean(), permuted_means(changes[:, None], 20_000)[:, 0])
    assert found == pytest.approx(np.mean(exact), abs=0.01)


def test_p_is_that_of_scipy() -> None:
    first, second = RNG.normal(0.3, 1, 25), RNG.normal(0, 1, 25)
    theirs = stats.permutation_test(
        (first, second), lambda x, y: np.mean(x - y), permutation_type="samples", n_resamples=20_000, rng=1
    )
    ours = p_value((first - second).mean(), permuted_means((first - second)[:, None], 20_000)[:, 0])
    assert ours == pytest.approx(theirs.pvalue, abs=0.015)


def test_p_is_never_0_and_without_a_difference_1() -> None:
    assert p_value(1.0, np.zeros(99)) == 0.01
    assert p_value(0.0, np.zeros(99)) == 1.0
    assert math.isnan(p_value(math.nan, np.zeros(9)))


@pytest.mark.parametrize("pair", [(0, 0), (3, 1), (14, 36), (50, 50), (0, 6), (400, 520)])
def test_mcnemar_is_the_binomial_test_of_scipy(pair: tuple[int, int]) -> None:
    expected = stats.binomtest(pair[0], sum(pair)).pvalue if sum(pair) else 1.0
    assert mcnemar(*pair) == pytest.approx(expected)


def test_swaps_do_not_depend_on_how_many_are_made_at_once() -> None:
    whole, parts = (np.concatenate(list(draw_swaps(7, width, num_permutations=50, seed=3))) for width in (7, 700_000))
    np.testing.assert_array_equal(whole, parts)


# --- many differences at once ---------------------------------------------------------------------------------------


def test_numbers_that_are_one_cost_nothing() -> None:
    changes = RNG.normal(0.5, 1, 30)
    permuted = permuted_means(changes[:, None])
    alone = p_value(changes.mean(), permuted[:, 0])
    thrice = adjust(np.full(3, changes.mean()), np.repeat(permuted, 3, axis=1))
    np.testing.assert_allclose(thrice, alone)


def test_independent_numbers_cost_what_sidak_asks() -> None:
    changes = RNG.normal(0, 1, (60, 20))
    changes -= changes.mean(axis=0)
    changes[:, 0] += 0.4
    permuted = permuted_means(changes, 20_000)
    adjusted = adjust(changes.mean(axis=0), permuted)
    alone = p_value(changes[:, 0].mean(), permuted[:, 0])
    assert adjusted[0] == pytest.approx(1 - (1 - alone) ** 20, abs=0.02)
    assert (adjusted >= alone).all()


def test_chance_is_called_clear_in_one_study_of_twenty() -> None:
    """200 studies of 10 numbers that differ by chance alone, half of them moving together."""
    clear = []
    for study in range(200):
        changes = RNG.normal(0, 1, (25, 10))
        changes[:, 5:] = changes[:, :1] + 0.3 * changes[:, 5:]
        permuted = permuted_means(changes, 300, seed=study)
        observed = changes.mean(axis=0)
        clear.append(
            (
                (adjust(observed, permuted) <= 0.05).any(),
                any(p_value(o, p) <= 0.05 for o, p in zip(observed, permuted.T, strict=True)),
            )
        )
    with_adjusting, without = np.mean(clear, axis=0)
    assert with_adjusting <= 0.09
    assert without >= 0.2


def test_what_never_differs_is_no_test() -> None:
    permuted = np.stack([RNG.normal(size=99), np.zeros(99)], axis=1)
    adjusted = adjust(np.array([5.0, 0.0]), permuted)
    assert adjusted[0] == 0.01
    assert math.isnan(adjusted[1])


# --- power ------------------------------------------------------------------------------------------------------------


def test_as_many_subjects_as_are_needed_show_the_difference_in_80_percent_of_studies() -> None:
    """Two models, right on 70 % and 75 % of the samples, three samples a subject."""

    def study(num_subjects: int) -> np.ndarray:
        easy = RNG.normal(0, 0.7, (num_subjects, 1))
        first, second = (
            (RNG.normal(easy, 1, (num_subjects, 3)) < 1.22 * stats.norm.ppf(share)) for share in (0.70, 0.75)
        )
        return np.asarray((second.astype(float) - first).ravel())

    def deviation(change: np.ndarray) -> float:
        clusters = np.arange(len(change)) // 3
        [draws] = resample([np.stack([change, np.ones_like(change)], axis=1)], clusters, num_resamples=400, seed=0)
        return float(np.std(draws[:, 0] / draws[:, 1]))

    pilot = study(400)
    needed = clusters_needed(deviation(pilot), 400, 0.05)
    assert needed is not None
    seen = []
    for _ in range(150):
        change = study(needed)
        seen.append(abs(change.mean()) > 1.96 * deviation(change))
    assert 0.68 <= np.mean(seen) <= 0.9


def test_half_the_difference_needs_four_times_the_subjects() -> None:
    one, half = clusters_needed(0.02, 100, 0.04), clusters_needed(0.02, 100, 0.02)
    assert one is not None
    assert half == pytest.approx(4 * one, abs=4)
    assert clusters_needed(0.02, 100, smallest_visible(0.02)) in (100, 101)
    assert clusters_needed(0.0, 100, 0.02) is None


def test_interval_and_test_agree_about_a_plain_mean() -> None:
    changes = RNG.normal(0.6, 1, 40)
    [draws] = resample([changes[:, None]], np.arange(40), num_resamples=2000, seed=0)
    low, _ = percentile_interval(draws[:, 0] / 40)
    assert (low > 0) == (p_value(changes.mean(), permuted_means(changes[:, None])[:, 0]) <= 0.05)
