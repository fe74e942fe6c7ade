from types import SimpleNamespace

import numpy as np
import pytest

from unitnb.roles import crossclass
from unitnb.roles.crossclass import damage_matrix, rank_correlations, shared_tails


def curve(*rows, mode="remove"):
    return SimpleNamespace(correct=np.array(rows, bool), mode=mode, points=np.arange(len(rows)))


def test_rank_correlations_are_spearmans():
    from scipy.stats import spearmanr

    scores = np.random.default_rng(0).integers(0, 6, (4, 30)).astype(float)
    scores[0, 0] = np.inf
    found = rank_correlations(scores)
    np.testing.assert_allclose(found, [[spearmanr(a, b).statistic for b in scores] for a in scores])
    np.testing.assert_allclose(rank_correlations(np.exp(scores)), found)  # ranks alone count


def test_damage_by_hand():
    first = curve(
        [1, 1, 1, 1], [0, 1, 1, 1], [0, 0, 0, 0]
    )  # two units; images 0 and 1 of class 0, 2 and 3 of class 1
    second = curve([1, 1, 0, 1], [1, 1, 0, 0], [0, 0, 0, 0])
    # the image that is lost at once: 1 - 1/4; with the second unit: 1 - 3/4; never right: 0
    np.testing.assert_allclose(damage_matrix([first, second], [0, 0, 1, 1]), [[0.5, 0.25], [0.25, 0.375]])


@pytest.mark.parametrize("curves", [[curve([1, 1])], [curve([1, 1]), curve([1, 1], mode="insert")]])
def test_damage_needs_a_removal_for_each_class(curves):
    with pytest.raises(ValueError, match="expected one curve of mode 'remove' for each class"):
        damage_matrix(curves, [0, 1])


def test_shared_tails_against_a_loop_and_chance():
    rng = np.random.default_rng(1)
    ranks = np.array([rng.permutation(40) for _ in range(6)])
    cores = [set(rank[:8].tolist()) for rank in ranks]
    expected = np.mean(
        [
            unit in set().union(*(cores[:c] + cores[c + 1 :]))
            for c, rank in enumerate(ranks)
            for unit in rank[-10:].tolist()
        ]
    )
    share, low, high = shared_tails(ranks, 8, 10)
    assert share == pytest.approx(expected)
    assert low < 1 - (1 - 8 / 40) ** 5 < high  # the other classes' cores placed independently
    alike, low, _ = shared_tails(np.tile(np.arange(40), (6, 1)), 8, 10)
    assert alike == 0 < low  # where all classes agree, nobody's tail is anybody's core


@pytest.mark.parametrize(("head", "tail"), [(0, 1), (1, 5)])
def test_heads_and_tails_are_within_the_layer(head, tail):
    with pytest.raises(ValueError, match="expected 1 to 4 units"):
        shared_tails([[0, 1, 2, 3]], head, tail)


def test_the_range_by_chance_holds_95_percent_of_random_ranks(monkeypatch):
    shares = iter(np.arange(42.0))  # 41 random ranks, then the ranks themselves
    monkeypatch.setattr(crossclass, "_share_in_other_cores", lambda ranks, head, tail: next(shares))
    assert shared_tails([[0, 1]], 1, 1, draws=41) == (41, 1, 39)


def test_random_ranks_are_drawn_by_the_seed():
    ranks = np.array([np.random.default_rng(c).permutation(300) for c in range(4)])
    assert shared_tails(ranks, 30, 70, 20, seed=0) == shared_tails(ranks, 30, 70, 20, seed=0)
    assert shared_tails(ranks, 30, 70, 20, seed=0) != shared_tails(ranks, 30, 70, 20, seed=1)
