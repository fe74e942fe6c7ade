"""Intervals by Student's t and tests of equivalence: coverage and size in simulations, and by hand."""

import numpy as np
import pytest
from scipy.stats import ttest_1samp

from unitnb.units.equivalence import crossed_estimate, drawn_estimate, is_equivalent, mean_estimate

RUNS = 2000


def covered(estimates, truth):
    return np.mean([e.low < truth < e.high for e in estimates])


def crossed(rng, truth, rows=10, columns=50, spread=(0.02, 0.1, 0.1)):
    """A table of differences: ranking sets by evaluation images, with an effect of each and of both."""
    of_row, of_column, of_both = spread
    return (
        truth
        + of_row * rng.standard_normal((rows, 1))
        + of_column * rng.standard_normal((1, columns))
        + of_both * rng.standard_normal((rows, columns))
    )


def test_the_interval_over_seeds_is_students():
    values = np.array([0.1, 0.3, 0.25])
    low, high = ttest_1samp(values, 0).confidence_interval(0.95)
    assert mean_estimate(values) == pytest.approx((values.mean(), low, high))
    assert np.isnan(mean_estimate([0.3]).ends).all()


def test_the_interval_over_three_seeds_covers_95_percent():
    rng = np.random.default_rng(0)
    assert covered([mean_estimate(rng.normal(1, 1, 3)) for _ in range(RUNS)], 1) == pytest.approx(
        0.95, abs=0.015
    )


@pytest.mark.parametrize("spread", [(0.02, 0.1, 0.1), (0.05, 0.01, 0.1), (0.05, 0, 0), (0, 0.1, 0)])
def test_the_interval_over_ranking_sets_and_images_covers_95_percent(spread):
    rng = np.random.default_rng(1)
    found = covered([crossed_estimate(crossed(rng, 0.3, spread=spread)) for _ in range(RUNS)], 0.3)
    assert 0.935 < found < 0.975


def test_images_alone_would_not_cover_the_choice_of_the_ranking_images():
    """What the interval replaces: one ranking set, and evaluation images that are resampled."""
    rng = np.random.default_rng(2)
    rows = [crossed(rng, 0.3, rows=2, spread=(0.05, 0.1, 0.1))[0] for _ in range(RUNS)]
    assert covered([mean_estimate(row) for row in rows], 0.3) < 0.7


def test_equivalence_is_claimed_wrongly_in_at_most_2_5_percent():
    rng = np.random.default_rng(3)
    margin = 0.05
    at_margin = [is_equivalent(*crossed_estimate(crossed(rng, margin)).ends, margin) for _ in range(RUNS)]
    assert 0.01 < np.mean(at_margin) < 0.035  # the largest size, at the margin itself
    equal = [is_equivalent(*crossed_estimate(crossed(rng, 0.0)).ends, margin) for _ in range(RUNS)]
    assert np.mean(equal) > 0.6  # and what is equal is found equal
    few = [is_equivalent(*crossed_estimate(crossed(rng, 0.0, columns=4)).ends, margin) for _ in range(RUNS)]
    assert np.mean(few) < 0.1  # too few images are no proof of equality


def test_the_interval_from_resampled_ranking_images_covers_95_percent():
    """The statistic is a mean of ranking images, resampled, plus a mean over evaluation images."""
    rng = np.random.default_rng(4)
    found = []
    for _ in range(RUNS):
        ranking, images = rng.normal(0.2, 1, 100), rng.normal(0, 1, 50)
        draws = rng.choice(ranking, (20, 100)).mean(axis=1) + 5  # a shift of the draws does not count
        found.append(drawn_estimate(ranking.mean() + images.mean(), draws, images))
    assert covered(found, 0.2) == pytest.approx(0.95, abs=0.015)


def test_a_table_without_a_spread_is_known_exactly():
    assert crossed_estimate(np.full((3, 4), 0.25)) == (0.25, 0.25, 0.25)
    assert np.isnan(crossed_estimate(np.zeros((1, 4))).ends).all()
    assert drawn_estimate(0.5, [0.25, 0.25]) == (0.5, 0.5, 0.5)
    assert not is_equivalent(float("nan"), float("nan"), 1)
