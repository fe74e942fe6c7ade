"""Peaks whose place is chosen on other images: no excess where there is none, and by hand."""

import numpy as np
import pytest

from unitnb.ablation.held_out import held_out_peak, slope_after, slope_after_peak


def test_noise_has_no_peak_above_its_end():
    rng = np.random.default_rng(0)
    noise = [rng.random((30, 100)) < 0.5 for _ in range(300)]
    gains = [held_out_peak(outcomes, base=-1).gain for outcomes in noise]
    error = np.std(gains) / np.sqrt(len(gains))
    assert abs(np.mean(gains)) < 3 * error
    assert np.mean([o.mean(axis=1).max() - o.mean(axis=1)[-1] for o in noise]) > 0.08  # what is replaced


def test_a_peak_by_hand():
    outcomes = np.array([[0, 0, 0, 0], [1, 0, 1, 0], [1, 1, 0, 0], [1, 1, 1, 0]])
    found = held_out_peak(outcomes)  # even images peak at 1, odd ones at 2
    assert found.places == (1, 2) and found.place == 1.5
    assert found.gains.tolist() == [1, 0, 0, 0] and found.gain == found.height == 0.25


def test_the_slope_after_a_peak_is_of_the_other_half():
    falling = np.repeat([[0.0], [1.0], [0.8], [0.6]], 4, axis=1)
    assert slope_after_peak(falling) == pytest.approx(-0.4)
    halves = np.array([[0, 0], [1, 0], [0, 1.0]])  # the even image peaks at 1, the odd one at 2
    assert slope_after_peak(halves) == pytest.approx(np.mean([1, 0]))


def test_slope_after_a_point_by_hand():
    assert slope_after([0, 0.9, 0.8, 0.7], 1) == pytest.approx(-0.2)
    assert slope_after([0, 0.5, 0.9], 2) == 0  # nothing comes after it
    assert slope_after([0.2, 0.4, 0.6], 0) == pytest.approx(0.4)


def test_one_image_cannot_be_halved():
    with pytest.raises(ValueError, match=r"shape \(3, 1\); expected \(points, images\), two images"):
        held_out_peak(np.zeros((3, 1)))
