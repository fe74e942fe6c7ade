"""Entropies against values on paper, slow oracles, and the rules of the released code."""

import itertools
import math
from collections import Counter
from functools import reduce
from operator import add

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unitnb.topology.nulls import null_births
from unitnb.units.entropy import (
    ESTIMATORS,
    birth_counts,
    effectiveness,
    feature_entropy,
    importance_rank,
    selective_rate,
)
from unitnb.units.estimators import null_entropy, rarefied_entropy

LN2, LN3 = math.log(2), math.log(3)


def column(*births):
    return np.array(births, np.int16)[:, None]


def random_births(rng, images=60, units=40):
    """Birth arrays with never-born, perfect, near-perfect and rarely born units among the usual ones."""
    births = rng.integers(4, rng.integers(6, 70, units), (images, units))
    births[rng.random((images, units)) < rng.random(units)] = 0
    births[:, :6] = np.array([0, 7, 7, 1, 52, 51])
    births[0, 2] = 9
    births[5:, 4] = 0
    return births.astype(np.int16)


# Entropy


@pytest.mark.parametrize(
    ("births", "entropy"),
    [
        ((7, 9), LN2),
        ((7, 7, 9), LN3 - 2 / 3 * LN2),
        ((4, 5, 6, 7), 2 * LN2),
        ((7, 7, 7), 0.0),
        ((7,), 0.0),
        ((7, 9, 0, 0), LN2),
        ((7, 7, 9, 0), LN3 - 2 / 3 * LN2),
        ((0, 0), math.nan),
        ((4, 4, 5, 6), 1.5 * LN2),
    ],
)
def test_entropy_on_paper(births, entropy):
    assert feature_entropy(column(*births))[0] == pytest.approx(entropy, nan_ok=True, abs=1e-15)


def test_a_perfect_unit_has_an_entropy_of_exactly_zero():
    for born in range(1, 200):
        births = np.zeros((200, 1), int)
        births[:born] = 11
        assert feature_entropy(births)[0] == 0.0 and effectiveness(births, p=0)[0] == math.inf


@pytest.mark.parametrize(
    ("births", "entropy"),
    [
        ((7, 9), LN2),
        ((7, 9, 0, 0), LN2),
        ((7, 7, 0, 0), LN2 / 2),
        ((7, 7, 7), 0.0),
        ((0, 0), math.nan),
        ((7, 8, 9, 0), 1.5 * LN2),
    ],
)
def test_equation_6_to_the_letter(births, entropy):
    assert feature_entropy(column(*births), normalise="all")[0] == pytest.approx(entropy, nan_ok=True)


births_column = st.lists(st.integers(0, 8), min_size=1, max_size=25)


@given(births_column, st.permutations(range(1, 9)))
def test_entropy_depends_on_frequencies_alone(births, names):
    births = np.array(births)
    renamed = np.r_[0, names][births][::-1]
    for normalise in ("births", "all"):
        np.testing.assert_array_equal(
            feature_entropy(births[:, None], normalise), feature_entropy(renamed[:, None], normalise)
        )
    twice = np.r_[births, births]
    np.testing.assert_allclose(feature_entropy(twice[:, None]), feature_entropy(births[:, None]), atol=1e-14)


@pytest.mark.parametrize("normalise", ["births", "all"])
def test_entropy_agrees_with_a_sum_over_a_counter(normalise):
    births = random_births(np.random.default_rng(0))
    for unit, entropy in enumerate(feature_entropy(births, normalise)):
        counts = Counter(births[births[:, unit] > 0, unit].tolist())
        total = sum(counts.values()) if normalise == "births" else len(births)
        expected = sum(-c / total * math.log(c / total) for c in counts.values()) if counts else math.nan
        assert entropy == pytest.approx(expected, nan_ok=True, abs=1e-14)


def test_units_do_not_see_one_another():
    births = random_births(np.random.default_rng(1))
    for function in (feature_entropy, selective_rate, effectiveness):
        alone = [function(births[:, [unit]])[0] for unit in range(births.shape[1])]
        np.testing.assert_array_equal(function(births), alone)  # to the last bit, so that ties stay ties
    alone = [rarefied_entropy(births[:, [unit]], 3)[0] for unit in range(births.shape[1])]
    np.testing.assert_allclose(rarefied_entropy(births, 3), alone)


def test_counts():
    values, counts = birth_counts(np.array([[7, 4], [7, 0], [9, 4]], np.int16))
    assert values.tolist() == [4, 7, 9] and counts.tolist() == [[0, 2], [2, 0], [1, 0]]


# Estimators


def test_miller_madow_on_paper():
    births = column(7, 7, 9, 0)
    assert feature_entropy(births, estimator="miller-madow")[0] == pytest.approx(LN3 - 2 / 3 * LN2 + 1 / 6)
    assert feature_entropy(column(7, 7, 0), estimator="miller-madow")[0] == 0


def test_chao_shen_on_paper():
    # 7, 7, 9: one value seen once, coverage 2/3, shares 4/9 and 2/9, seen in three draws with 1 - (5/9)^3 and
    # 1 - (7/9)^3.
    expected = -4 / 9 * math.log(4 / 9) / (1 - (5 / 9) ** 3) - 2 / 9 * math.log(2 / 9) / (1 - (7 / 9) ** 3)
    assert feature_entropy(column(7, 7, 9, 0), estimator="chao-shen")[0] == pytest.approx(expected)
    # 7, 9: all seen once, so one of them counts as not: coverage 1/2, shares 1/4, seen in two draws with 1 -
    # (3/4)^2 = 7/16.
    assert feature_entropy(column(7, 9), estimator="chao-shen")[0] == pytest.approx(
        2 * 0.25 * math.log(4) / (7 / 16)
    )
    assert (
        feature_entropy(column(7, 7, 7), estimator="chao-shen")[0]
        == feature_entropy(column(7), estimator="chao-shen")[0]
        == 0
    )
    assert np.isnan(feature_entropy(column(0, 0), estimator="chao-shen")[0])


def test_corrections_take_most_of_the_bias_away():
    births = np.random.default_rng(0).integers(1, 11, (12, 4000))
    bias = {name: feature_entropy(births, estimator=name).mean() - math.log(10) for name in ESTIMATORS}
    assert bias["plugin"] < -0.3 and abs(bias["miller-madow"]) < 0.2 and abs(bias["chao-shen"]) < 0.1


def test_rarefaction_agrees_with_all_subsets():
    births = np.array([7, 7, 7, 9, 9, 4, 0, 0])
    for m in range(1, 7):
        subsets = np.array(list(itertools.combinations(births[births > 0], m))).T
        assert rarefied_entropy(births[:, None], m)[0] == pytest.approx(feature_entropy(subsets).mean())
    assert np.isnan(rarefied_entropy(births[:, None], 7)[0])
    assert rarefied_entropy(births[:, None], 6)[0] == pytest.approx(feature_entropy(births[:, None])[0])


# Selective rate, effectiveness


def test_selective_rate():
    assert selective_rate(np.array([[7, 0, 1], [0, 0, 2], [9, 0, 1], [4, 0, 9]])).tolist() == [0.75, 0, 1]


@pytest.mark.parametrize("tenths", range(1, 10))
def test_a_rate_equal_to_p_is_enough(tenths):
    births = column(*([7] * (10 * tenths) + [0] * (100 - 10 * tenths)))
    assert effectiveness(births, p=tenths / 10)[0] == math.inf
    births[0] = 0
    assert effectiveness(births, p=tenths / 10)[0] == 0


def test_effectiveness_on_paper():
    births = np.array([[7, 7, 0, 5], [7, 7, 0, 0], [9, 7, 0, 0], [0, 7, 0, 0]])
    entropy = LN3 - 2 / 3 * LN2
    assert effectiveness(births, p=0.5).tolist() == pytest.approx([0.75 / entropy, math.inf, 0, 0])
    assert effectiveness(births, p=0.0).tolist() == pytest.approx([0.75 / entropy, math.inf, 0, math.inf])
    corrected = effectiveness(births, p=0.5, estimator="miller-madow")
    assert corrected[0] == pytest.approx(0.75 / (entropy + 1 / 6))


# The released code's rank


@pytest.mark.parametrize(
    ("births", "paper", "authors"),
    [
        # 10 images a unit; paper: E at p = 0.25; authors: eps / H, 0 for what ranks last
        ([7] * 10, math.inf, 0),  # perfect: first against last
        ([7, 9] + [0] * 8, 0, 0.2 / LN2),  # below p
        ([7] * 5 + [9] * 5, 1 / LN2, 1 / LN2),  # agreement
        ([0] * 10, 0, 0),
        ([1] * 5 + [9] * 5, 1 / LN2, 0),  # v = 1 is 0 there and lost; the other half is perfect, hence last
        (
            [52] * 5 + [7, 7, 9, 9, 0],
            0.9 / (5 / 9 * math.log(9 / 5) + 4 / 9 * math.log(9 / 2)),
            0.4 / LN2,
        ),  # v = 52 is 51 there: beyond
        ([51] * 5 + [7] * 5, 1 / LN2, 1 / LN2),  # v = 51 is 50 there: still in
    ],
)
def test_conventions_by_hand(births, paper, authors):
    births = column(*births)
    assert effectiveness(births, p=0.25)[0] == pytest.approx(paper)
    assert effectiveness(births, p=0.25, convention="authors")[0] == pytest.approx(authors)


def test_near_perfect_units_are_last_in_the_released_code():
    births = np.full((100, 3), 7)
    births[:1, 0], births[:2, 1], births[:3, 2] = 9, 9, 9  # H = 0.056, 0.098, 0.135
    assert importance_rank(effectiveness(births)).tolist() == [0, 1, 2]
    assert importance_rank(effectiveness(births, convention="authors")).tolist() == [2, 0, 1]


def authors_rank(births):
    """The released code, one unit at a time: ineffectiveness H / eps, 460.5 below 0.1 and without a birth.

    Added one by one: ``sum`` compensates from Python 3.12 on, which orders ties otherwise.
    """
    ineffectiveness = []
    for unit in births.T.tolist():
        zero_based = [v - 1 if v > 0 else 0 for v in unit]
        born = [v for v in zero_based if 0 < v <= 50]
        entropy = -reduce(add, (c / len(born) * math.log(c / len(born)) for c in Counter(born).values()), 0.0)
        ratio = entropy / (len(born) / len(unit)) if born else 0
        ineffectiveness.append(100 * math.log(100) if abs(ratio) < 0.1 else ratio)
    return np.argsort(ineffectiveness, kind="stable")


@pytest.mark.parametrize("seed", range(20))
def test_rank_of_the_released_code(seed):
    births = random_births(np.random.default_rng(seed))
    births = births[:, np.random.default_rng(seed).permutation(births.shape[1])]
    np.testing.assert_array_equal(
        importance_rank(effectiveness(births, convention="authors")), authors_rank(births)
    )


# Rank


@given(st.lists(st.sampled_from([0.0, 0.5, 1.0, 2.0, math.inf]), min_size=1, max_size=30))
def test_rank_is_descending_and_stable(scores):
    rank = importance_rank(scores)
    assert rank.dtype == np.int64
    assert rank.tolist() == sorted(range(len(scores)), key=lambda unit: (-scores[unit], unit))


def test_units_of_equal_frequencies_keep_their_order():
    births = np.array(
        [[12, 4, 5], [7, 9, 5], [7, 9, 6], [7, 7, 6], [4, 9, 9], [4, 4, 5]]
    )  # counts 1, 3, 2 in three disguises
    births[:, 2] = [5, 5, 5, 6, 6, 9]
    assert importance_rank(effectiveness(births)).tolist() == [0, 1, 2]


# Errors


@pytest.mark.parametrize(
    "births", [np.zeros((2, 2)), np.zeros(3, int), np.zeros((0, 3), int), np.zeros((2, 2, 2), int)]
)
def test_births_of_the_wrong_kind_are_named(births):
    for function in (feature_entropy, selective_rate, effectiveness):
        with pytest.raises(ValueError, match=r"births have shape \(.*\) and type .*; expected integers"):
            function(births)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: feature_entropy(np.array([[4, 4], [5, -1]])), "image 1, unit 1 is -1"),
        (lambda: feature_entropy(column(4), normalise="unit"), "'unit'.*'births' or 'all'"),
        (lambda: feature_entropy(column(4), estimator="nsb"), "'nsb'.*plugin, miller-madow, chao-shen"),
        (lambda: feature_entropy(column(4), "all", "chao-shen"), "normalise='births'"),
        (lambda: effectiveness(column(4), p=1.5), "p is 1.5"),
        (lambda: effectiveness(column(4), p=math.nan), "p is nan"),
        (lambda: effectiveness(column(4), convention="code"), "'code'.*'paper' or 'authors'"),
        (lambda: importance_rank([1.0, math.nan]), "unit 1 is NaN"),
        (lambda: importance_rank([[1.0]]), r"shape \(1, 1\)"),
        (lambda: rarefied_entropy(column(4), 0), "m is 0"),
    ],
)
def test_errors_say_what_came_and_what_was_expected(call, message):
    with pytest.raises(ValueError, match=message):
        call()


# Null


@pytest.mark.parametrize(("n", "entropy"), [(7, 1.97), (14, 2.30), (28, 2.79), (56, 3.34), (112, 3.90)])
def test_entropy_of_noise(n, entropy):
    assert null_entropy(n) == pytest.approx(entropy, abs=0.011)


@pytest.mark.parametrize(("n_images", "mean", "sd"), [(26, 2.04, 0.14), (50, 2.15, 0.10), (100, 2.22, 0.07)])
def test_noise_seems_more_orderly_in_few_images(n_images, mean, sd):
    assert null_entropy(14, n_images) == pytest.approx((mean, sd), abs=0.0075)


def test_expected_entropy_is_that_of_sampled_births():
    p = null_births(7)
    births = np.random.default_rng(1).choice(p.size, size=(30, 20_000), p=p)
    entropy = feature_entropy(births)
    assert null_entropy(7, 30) == pytest.approx((entropy.mean(), entropy.std()), abs=0.005)


def test_noise_of_four_vertices_is_born_at_four_or_not_at_all():
    # The only hole of four vertices is a square of four edges: one value, and no birth is none.
    assert null_entropy(4) == 0 and null_entropy(4, 30) == (0, 0)


def test_noise_that_is_never_born_has_no_entropy():
    assert math.isnan(null_entropy(3)) and all(map(math.isnan, null_entropy(3, 10)))


# Eq. 6 to the letter


def test_effectiveness_as_printed_on_paper():
    """7, 7, 9 and none: shares 1/2 and 1/4 of all images, and 1/4 without a birth."""
    births = column(7, 7, 9, 0)
    printed = -(0.5 * math.log(0.5) + 0.25 * math.log(0.25))
    assert effectiveness(births, variant="printed")[0] == pytest.approx(0.75 / printed)
    entropy = LN3 - 2 / 3 * LN2
    assert effectiveness(births, variant="printed")[0] == pytest.approx(1 / (entropy - math.log(0.75)))
    with_none = printed - 0.25 * math.log(0.25)
    assert effectiveness(births, variant="with none")[0] == pytest.approx(0.75 / with_none)


def test_effectiveness_as_printed_divides_the_rate_by_the_entropy_over_all_images():
    births = random_births(np.random.default_rng(5))
    rate, entropy = selective_rate(births), feature_entropy(births, normalise="all")
    kept = (rate >= 0.1) & (entropy > 0)
    found = effectiveness(births, variant="printed")
    np.testing.assert_allclose(found[kept], (rate / np.where(kept, entropy, 1))[kept])
    assert (found[rate < 0.1] == 0).all()
    counted = feature_entropy(np.where(births > 0, births, 99))  # no birth as a value like others
    with_none = effectiveness(births, variant="with none")[kept & (counted > 0)]
    np.testing.assert_allclose(with_none, (rate / np.where(counted > 0, counted, 1))[kept & (counted > 0)])


def test_all_readings_agree_where_every_image_has_a_birth():
    births = np.random.default_rng(2).integers(4, 9, (50, 7))
    own = effectiveness(births)
    for variant in ("printed", "with none"):
        np.testing.assert_allclose(effectiveness(births, variant=variant), own)
    perfect, never = column(7, 7), column(0, 0)
    for variant in ("printed", "with none"):
        assert effectiveness(perfect, variant=variant)[0] == math.inf
        assert effectiveness(never, variant=variant, p=0)[0] == 0
    assert effectiveness(column(7, 0), variant="printed")[0] == pytest.approx(
        1 / LN2
    )  # H = 0 alone is not enough
    with pytest.raises(ValueError, match="'printed' has no authors' convention"):
        effectiveness(perfect, convention="authors", variant="printed")
