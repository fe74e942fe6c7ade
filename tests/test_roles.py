from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unitnb.roles import by_place, pieces
from unitnb.roles.by_place import ROLES, categorise_roles

PLACES = [0, 20, 60, 100, 160]  # where the synthetic curves bend


def outcomes(values, n_images, noise=0.0, seed=0):
    """Outcomes whose accuracy follows a broken line: an image is right where it is above its threshold."""
    line = np.interp(np.arange(PLACES[-1] + 1), PLACES, values)[:, None]
    thresholds = (np.arange(n_images) + 0.5) / n_images
    return line + noise * np.random.default_rng(seed).standard_normal((len(line), n_images)) > thresholds


def curves(train_values, test_values, noise):
    return outcomes(train_values, 100, noise, seed=1), outcomes(test_values, 50, noise, seed=2)


CASES = {
    "paper's four": (
        [0, 0.7, 0.95, 0.9, 0.7],
        [0, 0.7, 0.35, 0.6, 0.35],
        ["core", "overfitted", "generalizing", "confusing"],
    ),
    "late core": (
        [0, 0.5, 0.45, 0.9, 0.7],
        [0, 0.5, 0.3, 0.8, 0.5],
        ["core", "confusing", "core", "confusing"],
    ),
    "overfitted": ([0, 0.5, 0.9, 0.9, 0.9], [0, 0.5, 0.2, 0.2, 0.2], ["core", "overfitted", "confusing"]),
    "generalizing, train flat": (
        [0, 0.7, 0.7, 0.7, 0.7],
        [0, 0.3, 0.9, 0.9, 0.9],
        ["core", "generalizing", "confusing"],
    ),
    "train rises late": ([0, 0, 0.9, 0.9, 0.9], [0, 0, 0.9, 0.9, 0.9], ["core", "confusing"]),
}


@pytest.mark.parametrize("noise", [0.0, 0.1])
@pytest.mark.parametrize("case", CASES)
def test_known_roles_of_synthetic_curves(case, noise):
    train_values, test_values, expected = CASES[case]
    found = categorise_roles(np.arange(160), *curves(train_values, test_values, noise), n_boot=40)
    assert [role for _, _, role in found.spans] == expected
    bends = [start for start, _, _ in found.spans[1:]]
    assert all(min(abs(bend - place) for place in PLACES) <= 6 for bend in bends), found.spans
    assert found.agreement.mean() > 0.8 and found.kappa > 0.65


def test_slopes_and_intervals_belong_to_the_segments():
    train, test = curves(*CASES["paper's four"][:2], noise=0)
    found = categorise_roles(np.arange(160), train, test, n_boot=40)
    accuracy = [train.mean(axis=1), test.mean(axis=1)]
    for a, b, slopes, intervals in zip(
        found.breakpoints[:-1], found.breakpoints[1:], found.slopes, found.intervals, strict=True
    ):
        expected = [np.polyfit(np.arange(a, b + 1), curve[a : b + 1], 1)[0] for curve in accuracy]
        np.testing.assert_allclose(slopes, expected, atol=1e-12)
        assert (intervals[:, 0] <= slopes).all() and (slopes <= intervals[:, 1]).all()
        assert (intervals[:, 1] > intervals[:, 0]).all()
    assert found.core_size == found.breakpoints[1]
    np.testing.assert_allclose(found.slopes[0], [0.7 / 20, 0.7 / 20], rtol=0.1)


def test_intervals_narrow_with_the_number_of_images():
    few = categorise_roles(
        np.arange(160),
        outcomes([0, 0.7, 0.9, 0.9, 0.9], 25),
        outcomes([0, 0.7, 0.5, 0.5, 0.5], 25),
        n_boot=40,
    )
    many = categorise_roles(
        np.arange(160),
        outcomes([0, 0.7, 0.9, 0.9, 0.9], 400),
        outcomes([0, 0.7, 0.5, 0.5, 0.5], 400),
        n_boot=40,
    )
    widths = [np.ptp(found.intervals[0], axis=-1).mean() for found in (few, many)]
    assert 2 < widths[0] / widths[1] < 8  # 4 = sqrt(400 / 25) is expected


def test_core_ends_one_standard_error_before_the_top():
    train = outcomes([0, 0.5, 0.5, 0.5, 0.5], 100)
    found = categorise_roles(np.arange(160), train, np.ones((161, 1)), n_boot=100)
    # At 0.5 the error of a mean of 100 outcomes is 0.05, and the curve rises by 0.025 a unit: 2 units before
    # 20.
    assert abs(found.core_size - 18) <= 1
    certain = np.repeat(np.arange(161) >= 10, 100).reshape(161, 100)
    assert categorise_roles(np.arange(160), certain, certain, n_boot=5).core_size in (10, 11)


def test_head_is_core_by_definition_even_if_test_images_lose():
    found = categorise_roles(
        np.arange(160), outcomes([0, 0.7, 0.7, 0.7, 0.7], 100), outcomes([0.7, 0, 0, 0, 0], 50), n_boot=20
    )
    assert found.slopes[0, 1] < 0 and found.spans[0][2] == "core" and found.core_size >= 15


def test_relabelling_the_units_permutes_the_roles():
    train, test = curves(*CASES["paper's four"][:2], noise=0.1)
    order, name = np.random.default_rng(3).permutation(160), np.random.default_rng(4).permutation(160)
    found, renamed = (categorise_roles(o, train, test, n_boot=10) for o in (order, name[order]))
    np.testing.assert_array_equal(renamed.role[name], found.role)
    np.testing.assert_array_equal(renamed.agreement[name], found.agreement)
    assert renamed.spans == found.spans
    start, stop, role = found.spans[0]
    assert set(found.role[order[start:stop]]) == {role} and found.role[order[-1]] == "confusing"


def test_outcomes_that_never_change_have_no_core():
    right = np.ones((9, 30), bool)
    found = categorise_roles(np.arange(8), right, np.repeat([[True, False, True]], 9, axis=0), n_boot=30)
    assert found.counts == {"core": 0, "overfitted": 0, "generalizing": 0, "confusing": 8}
    assert found.core_size == 0 and np.isnan(found.kappa) and (found.agreement == 1).all()


def test_balanced_accuracy_cancels_a_mere_bias():
    hits = outcomes([0, 0.7, 0.7, 0.7, 0.7], 100)
    assert categorise_roles(np.arange(160), hits, hits, n_boot=40).counts["core"] > 10
    balanced = [hits, ~hits[:, ::2]]  # each gain on the class is lost on other images
    assert categorise_roles(np.arange(160), balanced, balanced, n_boot=40).counts["core"] == 0


def test_groups_of_unequal_size_weigh_the_same():
    hits, rejections = outcomes([0, 0.8, 0.8, 0.8, 0.8], 100), np.ones((161, 7), bool)
    slopes = categorise_roles(np.arange(160), [hits, rejections], hits, n_boot=5).slopes
    np.testing.assert_allclose(slopes[:, 0], slopes[:, 1] / 2, atol=1e-12)


def test_agreement_is_low_where_images_disagree():
    sure, unsure = (
        outcomes([0, 0.7, 0.95, 0.95, 0.95], 200),
        outcomes([0, 0.7, 0.76, 0.76, 0.76], 25, noise=0.2, seed=5),
    )
    test = outcomes([0, 0.7, 0.4, 0.4, 0.4], 200)
    span = slice(25, 55)
    agreements = [
        categorise_roles(np.arange(160), train, test, n_boot=40).agreement[span].mean()
        for train in (sure, unsure)
    ]
    assert agreements[0] > 0.97 > 0.94 > agreements[1]


def test_same_seed_same_answer_and_bootstraps_differ_by_seed():
    train, test = curves(*CASES["late core"][:2], noise=0.1)
    first, again, other = (
        categorise_roles(np.arange(160), train, test, n_boot=20, seed=seed) for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(first.agreement, again.agreement)
    assert not np.array_equal(first.intervals, other.intervals)


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 14), st.integers(1, 6), st.integers(0, 2**32 - 1))
def test_any_outcomes_give_each_unit_one_role(u, n_images, seed):
    rng = np.random.default_rng(seed)
    order = rng.permutation(u)
    found = categorise_roles(
        order, rng.random((u + 1, n_images)) < 0.5, rng.random((u + 1, n_images)) < 0.5, n_boot=3
    )
    assert found.breakpoints[0] == 0 and found.breakpoints[-1] == u and (np.diff(found.breakpoints) > 0).all()
    assert [s for s, _, _ in found.spans] == [0, *[e for _, e, _ in found.spans[:-1]]] and found.spans[-1][
        1
    ] == u
    assert sum(found.counts.values()) == u and ((0 <= found.agreement) & (found.agreement <= 1)).all()
    assert (found.role[order[: found.core_size]] == "core").all()
    for start, stop, role in found.spans:
        assert (found.role[order[start:stop]] == role).all()


def test_line_costs_match_least_squares_by_polyfit():
    curve = np.random.default_rng(0).random((2, 30))
    knots = np.array([0, 1, 2, 5, 9, 17, 29])
    cost = pieces.line_costs(curve, knots)
    for i, j in [(0, 2), (1, 4), (2, 6), (0, 6)]:
        m = np.arange(knots[i], knots[j] + 1)
        expected = sum(np.polyfit(m, row[m], 1, full=True)[1].sum() for row in curve)
        assert cost[i, j] == pytest.approx(expected)


def test_cuts_are_those_of_ruptures():
    # An exact search by other people. Costs are no sums of squares here, and many are equal.
    from ruptures.base import BaseCost
    from ruptures.detection import Dynp

    class Table(BaseCost):
        model, min_size = "table", 2

        def fit(self, signal):
            self.signal = signal
            return self

        def error(self, start, end):
            return costs[start, end]

    rng = np.random.default_rng(0)
    for k in (2, 5, 9, 20):
        costs = rng.integers(0, 6, (k + 1, k + 1)) + rng.integers(0, 2) * rng.random((k + 1, k + 1))
        search = Dynp(custom_cost=Table(), jump=1).fit(np.zeros((k, 1)))
        found = pieces.best_cuts(costs, 4)
        assert len(found) == min(4, k // 2)
        for bends, (cost, bounds) in enumerate(found):
            assert bounds == [0, *search.predict(bends)]
            assert cost == sum(costs[a, b] for a, b in zip(bounds[:-1], bounds[1:], strict=True))


def test_the_core_ends_one_standard_deviation_of_the_draws_below_the_top():
    # Two draws, 0.3 above and below the curve, have sd 0.3 sqrt(2) = 0.42 with ddof 1. The curve rises by
    # 0.05 a unit, so 0.58 is passed at unit 12. With ddof 0 it would be 0.70, at unit 14.
    curve = np.minimum(np.arange(41) / 20, 1)
    assert by_place._head_size(curve, np.stack([curve - 0.3, curve + 0.3]), np.array([0.01])) == 12


def test_intervals_of_slopes_hold_95_percent_and_are_centred_on_the_curve():
    # Slopes 0, 1, ..., 40 of 41 draws: 2.5% and 97.5% quantiles 1 and 39, mean 20. The curve's own slope is
    # 5.
    steps = np.arange(11.0)
    draws = np.arange(41.0)[None, :, None] * steps
    slopes, intervals = by_place._slopes(5 * steps[None], draws, np.array([0, 10]))
    np.testing.assert_allclose(slopes, [[5]])
    np.testing.assert_allclose(intervals, [[[-14, 24]]], atol=1e-12)


def test_number_of_pieces_follows_the_curve():
    m = np.arange(97)
    for bends in ([], [32], [24, 60]):
        curve = m / 97 + sum(np.maximum(m - bend, 0) * (-1) ** i / 24 for i, bend in enumerate(bends, 1))
        found = pieces.best_bounds(curve[None], np.arange(0, 97, 4), (1, 2, 3, 4), np.array([1e-3]))
        assert found.tolist() == [0, *bends, 96]


def test_kappa_by_hand():
    # Agreement 3/4; the shares of roles are (1/2, 1/2) and (3/4, 1/4), so chance gives 1/2: (3/4 - 1/2) / (1
    # - 1/2).
    assert by_place._kappa(np.array([0, 0, 1, 1]), np.array([[0, 0, 0, 1], [0, 0, 0, 1]])) == pytest.approx(
        0.5
    )


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"order": [0, 0, 1]}, "each unit from 0 to u - 1 once"),
        ({"order": []}, "each unit from 0 to u - 1 once"),
        ({"train": np.ones((3, 5))}, r"train has shape \(3, 5\); expected \(4, images\)"),
        ({"test": np.ones(4)}, r"test has shape \(4,\)"),
        ({"test": np.ones((4, 0))}, r"test has shape \(4, 0\)"),
        ({"test": [np.ones((4, 5)), np.ones((5, 5))]}, r"test has shape \(5, 5\)"),
        (
            {"train": SimpleNamespace(correct=np.ones((4, 5)), mode="remove")},
            "mode 'remove'; roles need insertion",
        ),
        (
            {"train": SimpleNamespace(correct=np.ones((4, 5)), mode="insert", order=[2, 1, 0])},
            "another order",
        ),
        ({"n_boot": 1}, "n_boot is 1"),
    ],
)
def test_unusable_input_is_refused(change, text):
    with pytest.raises(ValueError, match=text):
        categorise_roles(**{"order": [0, 2, 1], "train": np.ones((4, 5)), "test": np.ones((4, 5)), **change})


def test_a_curve_gives_its_outcomes():
    train, test = curves(*CASES["paper's four"][:2], noise=0)
    curve = SimpleNamespace(correct=train, mode="insert", order=np.arange(160))
    assert (
        categorise_roles(np.arange(160), curve, test, n_boot=5).spans
        == categorise_roles(np.arange(160), train, test, n_boot=5).spans
    )
    assert set(ROLES) == set(categorise_roles(np.arange(160), curve, test, n_boot=5).role)
