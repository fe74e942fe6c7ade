"""Intervals and standard errors against binomial and normal answers, and against their nominal coverage."""

import numpy as np
import pytest

from unitnb.units.intervals import (
    LEVEL,
    Z_95,
    class_mean,
    drawn_counts,
    drawn_places,
    interval,
    mean_and_sd,
    mean_interval,
    paired_bootstrap,
    rate_error,
    resampled_means,
    standard_error,
    z_scores,
)

HALF_OF_TEN = np.repeat([0.0, 1.0], 5)  # a resampled mean is Binomial(10, 1/2) / 10
HALF_OF_HUNDRED = np.repeat([0.0, 1.0], 50)


# ---- quantiles ----


@pytest.mark.parametrize(("level", "ends"), [(0.95, (2.5, 97.5)), (0.9, (5, 95)), (0.5, (25, 75))])
def test_level_is_the_share_of_the_draws_inside(level, ends):
    assert interval(np.arange(101.0), level).ends == pytest.approx(ends, abs=1e-12)


def test_the_default_level_is_95_percent():
    assert LEVEL == 0.95 and interval(np.arange(101.0)).ends == (2.5, 97.5)


def test_whole_draws_are_the_first_beyond_the_tails():
    # 1000 draws have 25 in each tail of 2.5%: the 26th and the 975th stay.
    draws = np.random.default_rng(0).permutation(np.arange(1000.0))
    assert interval(draws, method="inner").ends == (25, 974)
    assert interval(np.arange(100.0), 0.9, method="inner").ends == (5, 94)


def test_infinite_draws_are_values():
    draws = [1.0, 2.0, 3.0, *[np.inf] * 37]
    assert interval(draws, method="inner").ends == (2, np.inf)
    assert interval([np.inf] * 40, method="inner").ends == (np.inf, np.inf)


@pytest.mark.parametrize("method", ["linear", "inner"])
def test_undefined_draws_are_left_out_and_counted(method):
    draws = np.arange(101.0)
    with_nan = np.insert(draws, [0, 50, 101, 101], np.nan)
    assert interval(with_nan, method=method) == (*interval(draws, method=method).ends, 4)
    columns = interval(np.stack([with_nan, np.r_[draws, [0, 0, 0, 0]]], axis=1), method=method)
    assert columns.undefined.tolist() == [4, 0] and columns.low[0] == interval(draws, method=method).low


@pytest.mark.parametrize("method", ["linear", "inner"])
def test_without_a_defined_draw_there_are_no_ends(method):
    found = interval([np.nan, np.nan], method=method)
    assert np.isnan(found.ends).all() and found.undefined == 2
    columns = interval([[np.nan, 1.0], [np.nan, 1.0]], method=method)
    np.testing.assert_array_equal(columns.ends, [[np.nan, 1], [np.nan, 1]])


def test_draws_lie_along_the_axis():
    draws = np.arange(101.0)[:, None] + [0, 1000]
    assert interval(draws).low.tolist() == interval(draws.T, axis=1).low.tolist() == [2.5, 1002.5]


def test_one_draw_is_its_own_interval():
    assert interval([3.0]) == interval([3.0], method="inner") == (3, 3, 0)


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: interval([]), "no draws"),
        (lambda: interval([1.0], level=95), "level is 95; expected a share between 0 and 1"),
        (lambda: interval([1.0], level=0), "level is 0"),
        (lambda: interval([1.0], method="higher"), "method is 'higher'; expected 'linear' or 'inner'"),
        (lambda: standard_error([1.0]), "1 values; a standard error needs at least two"),
    ],
)
def test_unusable_input_is_refused(call, text):
    with pytest.raises(ValueError, match=text):
        call()


# ---- draws ----


def test_drawn_items_have_the_moments_of_a_binomial():
    # Each of 20 items is drawn Binomial(20, 1/20) times: mean 1, variance 19/20.
    places = drawn_places(20, 4000, np.random.default_rng(0))
    of_places = np.stack([np.bincount(row, minlength=20) for row in places])
    for counts in (drawn_counts(20, 4000, np.random.default_rng(0)), of_places):
        assert (counts.sum(axis=1) == 20).all()
        assert counts.mean(axis=0) == pytest.approx(np.ones(20), abs=5 * np.sqrt(0.95 / 4000))
        assert counts.var() == pytest.approx(0.95, abs=0.03)


def test_draws_one_by_one_are_the_draws_at_once():
    for draw in (drawn_places, drawn_counts):
        one = np.random.default_rng(3)
        by_row = [draw(7, 1, one)[0] for _ in range(50)]
        np.testing.assert_array_equal(by_row, draw(7, 50, np.random.default_rng(3)))


def test_bootstrap_error_of_a_mean_is_sd_over_root_n_without_a_correction():
    # Of 0 and 1 the resampled mean is 0, 1/2 or 1 with chances 1/4, 1/2, 1/4: sd sqrt(1/8), not 1/2.
    two = resampled_means([0, 1], 20_000, np.random.default_rng(0))
    assert two.std() == pytest.approx(np.sqrt(1 / 8), rel=0.02)
    hundred = resampled_means(HALF_OF_HUNDRED, 20_000, np.random.default_rng(0))
    assert hundred.std() == pytest.approx(0.05, rel=0.02) and hundred.mean() == pytest.approx(0.5, abs=0.002)


# ---- means ----


def test_interval_of_a_mean_is_that_of_the_binomial():
    # Of Binomial(10, 1/2), P(X <= 1) = 0.011 and P(X <= 2) = 0.055, so the 2.5% quantile is 2.
    assert mean_interval(HALF_OF_TEN, n_boot=4000) == (0.5, 0.2, 0.8)
    # P(X <= 3) = 0.172 and P(X <= 4) = 0.377, so the 25% quantile is 4.
    assert mean_interval(HALF_OF_TEN, n_boot=4000, level=0.5) == (0.5, 0.4, 0.6)


def test_width_of_the_interval_of_a_mean_is_that_of_the_normal():
    values = np.random.default_rng(0).normal(3, 2, 400)
    mean, low, high = mean_interval(values, n_boot=4000)
    assert mean == values.mean()
    expected = 2 * Z_95 * values.std() / np.sqrt(400)
    assert high - low == pytest.approx(expected, rel=0.05)
    assert (low + high) / 2 == pytest.approx(mean, abs=0.1 * expected)


def test_the_interval_covers_the_mean_as_often_as_it_says():
    rng = np.random.default_rng(0)
    for level, bounds in ((0.95, (0.90, 0.97)), (0.5, (0.42, 0.56))):
        found = [mean_interval(rng.normal(0, 1, 40), 300, seed, level) for seed in range(400)]
        assert bounds[0] < np.mean([low < 0 < high for _, low, high in found]) < bounds[1]


def test_mean_intervals_leave_out_what_is_not_finite():
    assert mean_interval([*HALF_OF_TEN, np.nan, np.inf]) == mean_interval(HALF_OF_TEN)
    assert np.isnan(mean_interval([np.nan])).all() and mean_interval([0.5]) == (0.5, 0.5, 0.5)


def test_seeds_decide_the_draws():
    values = np.random.default_rng(0).random(30)
    assert mean_interval(values, seed=1) == mean_interval(values, seed=1) != mean_interval(values, seed=2)
    groups = [[values], [values[::-1] ** 2]]
    assert paired_bootstrap(groups, seed=1) == paired_bootstrap(groups, seed=1)
    assert paired_bootstrap(groups, seed=1) != paired_bootstrap(groups, seed=2)


# ---- standard errors and z-scores ----


def test_standard_error_divides_by_n_minus_1_and_by_root_n():
    assert standard_error([1.0, 3.0]) == pytest.approx(1)  # sd sqrt(2)
    assert standard_error([1.0, 2, 3, 4, 5]) == pytest.approx(np.sqrt(2.5 / 5))
    assert standard_error([[1.0, 1], [3.0, 5]]).tolist() == pytest.approx([1, 2])
    assert standard_error([[1.0, 3.0]], axis=1).tolist() == pytest.approx([1])


def test_rate_error_is_the_binomials_and_certain_events_add_nothing():
    assert rate_error([0.5] * 100) == pytest.approx(0.05)
    assert rate_error([0.1] * 90) == pytest.approx(np.sqrt(0.09 / 90))
    assert rate_error([1, 0, 0.5, 0.5]) == pytest.approx(np.sqrt(0.5) / 4)
    rng = np.random.default_rng(0)
    chances = rng.random(40)
    rates = (rng.random((20_000, 40)) < chances).mean(axis=1)
    assert rates.std() == pytest.approx(rate_error(chances), rel=0.02)


def test_mean_and_sd_of_what_is_known():
    values = np.array([[1.0, 5, np.nan, 2], [3.0, np.nan, np.nan, 4], [np.nan, np.nan, np.nan, 6]])
    mean, sd = mean_and_sd(values)
    np.testing.assert_allclose(mean, [2, 5, np.nan, 4])
    np.testing.assert_allclose(sd, [np.sqrt(2), np.nan, np.nan, 2])


def test_z_scores_are_undefined_without_spread():
    z = z_scores(np.array([5.0, 5, 5, 5]), np.array([1.0, 1, 1, 1]), np.array([2, 0, 1e-14, np.nan]))
    np.testing.assert_array_equal(z, [2, np.nan, np.nan, np.nan])


# ---- paired differences ----


def test_images_of_one_class_are_resampled_as_a_binomial():
    for level, ends in ((0.95, (0.2, 0.8)), (0.5, (0.4, 0.6))):
        assert paired_bootstrap([[HALF_OF_TEN]], 4000, level=level) == pytest.approx((0.5, *ends))


def test_classes_are_resampled_too():
    # Two classes without spread inside: both draws are the same class with chance 1/2.
    assert paired_bootstrap([[np.zeros(50)], [np.ones(50)]]) == (0.5, 0, 1)


def test_groups_weigh_the_same_whatever_their_size():
    assert class_mean([np.ones(1), np.zeros(99)]) == 0.5
    assert paired_bootstrap([[np.ones(1), np.zeros(99)]]) == (0.5, 0.5, 0.5)


def test_pairing_takes_away_what_the_images_share():
    # Scores share an sd of 1 and have 0.1 of their own: sd sqrt(2) 0.1 paired, sqrt(2 * 1.01) apart.
    rng = np.random.default_rng(0)
    common = rng.normal(0, 1, 400)
    first, second = (common + rng.normal(0, 0.1, 400) for _ in range(2))
    paired, shuffled = (
        paired_bootstrap([[first - other]], n_boot=2000) for other in (second, rng.permutation(second))
    )
    assert paired[0] == pytest.approx(shuffled[0], abs=1e-12)
    for found, sd in ((paired, np.sqrt(2) * 0.1), (shuffled, np.sqrt(2.02))):
        assert found[2] - found[1] == pytest.approx(2 * Z_95 * sd / 20, rel=0.12)


def test_groups_have_draws_of_their_own():
    # With common draws the two groups would cancel in every draw.
    _, low, high = paired_bootstrap([[HALF_OF_HUNDRED, 1 - HALF_OF_HUNDRED]], n_boot=4000)
    assert high - low == pytest.approx(2 * Z_95 * 0.05 / np.sqrt(2), rel=0.1)
