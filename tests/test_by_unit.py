import itertools

import numpy as np
import pytest

from unitnb.ablation.marginals import marginal_effects
from unitnb.roles.by_unit import role_agreement, roles_from_marginals


def test_marginal_effects_of_an_additive_layer_are_its_weights():
    rng = np.random.default_rng(0)
    weights = rng.normal(size=9)
    orders = np.array([rng.permutation(9) for _ in range(5)])
    accuracies = np.concatenate([np.zeros((5, 1)), np.cumsum(weights[orders], axis=1)], axis=1)
    mean, error = marginal_effects(orders, accuracies)
    np.testing.assert_allclose(mean, weights, atol=1e-12)
    np.testing.assert_allclose(error, 0, atol=1e-12)


@pytest.mark.parametrize("points", [[0, 2, 4, 6], [0, 1, 4, 6], [0, 5, 6]])
def test_effects_from_a_few_points_are_the_weights_of_an_additive_layer_over_all_orders(points):
    weights = np.array([0.3, -0.2, 0.05, 0.0, 0.7, 0.1])
    orders = np.array(list(itertools.permutations(range(6))))
    whole = np.concatenate([np.zeros((720, 1)), np.cumsum(weights[orders], axis=1)], axis=1)
    filled = np.array([np.interp(np.arange(7), points, row[points]) for row in whole])
    mean, error = marginal_effects(orders, filled, np.array(points))
    np.testing.assert_allclose(mean, weights, atol=1e-12)
    assert (error > 0).all()
    np.testing.assert_allclose(
        marginal_effects(orders, whole, np.arange(7)), marginal_effects(orders, whole), atol=1e-12
    )
    with pytest.raises(ValueError, match="2 points of a curve; effects of single units need at least three"):
        marginal_effects(orders, filled, [0, 6])


def test_marginal_effects_match_a_loop_and_add_up():
    rng = np.random.default_rng(1)
    orders, accuracies = np.array([rng.permutation(6) for _ in range(8)]), rng.random((8, 7))
    effects = np.empty((8, 6))
    for r, order in enumerate(orders):
        for place, unit in enumerate(order):
            effects[r, unit] = accuracies[r, place + 1] - accuracies[r, place]
    mean, error = marginal_effects(orders, accuracies)
    np.testing.assert_allclose(mean, effects.mean(axis=0))
    np.testing.assert_allclose(error, [np.sqrt(((e - e.mean()) ** 2).sum() / 7 / 8) for e in effects.T])
    assert mean.sum() == pytest.approx((accuracies[:, -1] - accuracies[:, 0]).mean())


def test_marginal_effect_of_a_unit_does_not_depend_on_its_name():
    rng = np.random.default_rng(2)
    orders, accuracies, name = (
        np.array([rng.permutation(6) for _ in range(4)]),
        rng.random((4, 7)),
        rng.permutation(6),
    )
    np.testing.assert_array_equal(
        marginal_effects(name[orders], accuracies)[0][name], marginal_effects(orders, accuracies)[0]
    )


def test_roles_from_marginals_for_all_nine_signs():
    signs = np.array([(a, b) for a in (1, 0, -1) for b in (1, 0, -1)]).T
    error = np.full(9, 0.5)
    found = roles_from_marginals((signs[0], error), (signs[1], error))
    assert found.tolist() == ["core", "core", "overfitted"] + ["generalizing", "confusing", "confusing"] * 2
    assert set(roles_from_marginals((signs[0], error), (signs[1], error), z=2.1)) == {"confusing"}


def test_an_effect_counts_beyond_1_96_standard_errors():
    error = np.ones(2)
    assert roles_from_marginals(([1.9, 2], error), ([1.9, 2], error)).tolist() == ["confusing", "core"]


@pytest.mark.parametrize(
    "orders, accuracies", [([[0, 1]], [[0, 1, 2]]), ([[0, 1], [1, 0]], [[0, 1], [0, 1]]), ([0, 1], [0, 1, 2])]
)
def test_marginal_effects_refuse_shapes_that_do_not_match(orders, accuracies):
    with pytest.raises(ValueError, match=r"expected \(r, u\) and \(r, u \+ 1\), r >= 2"):
        marginal_effects(orders, accuracies)


def test_marginal_effects_refuse_an_order_with_a_unit_twice():
    with pytest.raises(ValueError, match="every unit once"):
        marginal_effects([[0, 1], [1, 1]], np.zeros((2, 3)))


def test_agreement_of_roles_and_what_chance_would_give():
    assert role_agreement(["core", "confusing"], ["core", "confusing"]) == (1.0, 1.0)
    assert role_agreement(["core", "confusing"], ["confusing", "core"]) == (0.0, -1.0)
    same, kappa = role_agreement(["core"] * 3, ["core"] * 3)
    assert same == 1 and np.isnan(kappa)  # nothing to tell apart
    with pytest.raises(ValueError, match="2 and of 1 units"):
        role_agreement(["core", "core"], ["core"])
