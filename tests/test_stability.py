import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unitnb.units.entropy import effectiveness, importance_rank
from unitnb.units.stability import _summaries, rank_agreement, stability_table, stability_votes
from unitnb.units.votes import (
    draw_sets,
    mean_effectiveness,
    resampled_effectiveness,
    set_votes,
    stability_ratio,
    vote_rank,
)


def births_of(n_images, n_units, seed=0, alike=False):
    """Births of units that differ in place, spread and selective rate, or of units that are all ``alike``."""
    rng = np.random.default_rng(seed)
    spread = np.full(n_units, 2.0) if alike else rng.uniform(0.2, 4, n_units)
    rate = np.full(n_units, 0.8) if alike else rng.uniform(0.02, 1, n_units)
    births = np.clip(np.rint(12 + spread * rng.standard_normal((n_images, n_units))), 4, 50).astype(np.int16)
    return np.where(rng.random(births.shape) < rate, births, 0)


def literal_votes(births, set_size, n_sets, top, seed):
    """Eq. 11 and 12, word for word."""
    stat = np.zeros(births.shape[1], int)
    for images in draw_sets(len(births), set_size, n_sets, seed):
        rank = importance_rank(effectiveness(births[images]))
        for unit in range(births.shape[1]):
            if unit in rank[:top].tolist():
                stat[unit] += 1
    return stat


def literal_ratio(votes, n_sets, reference_rank, head, reference_top):
    """Eq. 13 and 14, word for word, for votes that are all different."""
    assert len(set(votes)) == len(votes)
    index = sorted(range(len(votes)), key=lambda unit: votes[unit], reverse=True)
    terms = [votes[index[j]] / n_sets * (index[j] in reference_rank[:reference_top]) for j in range(head)]
    return sum(terms) / head


@pytest.mark.parametrize("set_size", [5, 20, 77, 120])
@pytest.mark.parametrize("seed", [0, 1])
def test_votes_match_the_literal_transcription(set_size, seed):
    births = births_of(120, 40, seed)
    found = stability_votes(births, set_size, n_sets=30, top=12, seed=seed)
    assert found.dtype == np.int64
    np.testing.assert_array_equal(found, literal_votes(births, set_size, 30, 12, seed))


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 30), st.integers(1, 12), st.integers(0, 2**32 - 1), st.data())
def test_resampled_effectiveness_is_that_of_the_drawn_images_to_the_bit(n_pool, n_units, seed, data):
    # Few values and few images: full of units with equal scores, units without a birth, and infinite scores.
    births = np.random.default_rng(seed).choice([0, 0, 4, 5, 9, 17, 50], (n_pool, n_units)).astype(np.int16)
    set_size, p = data.draw(st.integers(1, n_pool)), data.draw(st.sampled_from([0, 0.1, 0.5]))
    found = resampled_effectiveness(births, set_size, n_sets=4, seed=seed, p=p)
    expected = [effectiveness(births[images], p) for images in draw_sets(n_pool, set_size, 4, seed)]
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("n_values", [8, 9, 40, 300])
def test_scores_agree_to_the_bit_for_any_number_of_different_births(n_values):
    births = np.random.default_rng(n_values).integers(0, n_values + 1, (400, 30)) * 3
    found = resampled_effectiveness(births, 350, n_sets=3)
    expected = [effectiveness(births[images]) for images in draw_sets(400, 350, 3)]
    np.testing.assert_array_equal(found, expected)


def test_effectiveness_of_a_drawn_set_by_hand():
    births = np.array([[7, 0, 4, 4], [7, 0, 4, 5], [7, 0, 9, 6], [7, 8, 9, 7]])
    # Entropies 0, 0, ln 2, ln 4 and shares 1, 1/4, 1, 1.
    found = resampled_effectiveness(births, 4, n_sets=2, p=0.5)
    np.testing.assert_allclose(found, [[np.inf, 0, 1 / np.log(2), 1 / np.log(4)]] * 2)


def test_votes_do_not_depend_on_what_the_births_are_called():
    births = births_of(60, 25)
    np.testing.assert_array_equal(
        stability_votes(births, 30, 10), stability_votes(births.astype(np.int64) * 7, 30, 10)
    )


def test_relabelling_the_units_permutes_the_votes():
    births, name = births_of(300, 30), np.random.default_rng(5).permutation(30)
    scores = resampled_effectiveness(births, 200, 20)
    assert all(
        len(set(row[row > 0])) == (row > 0).sum() >= 10 for row in scores
    )  # no ties within the first 10 places
    np.testing.assert_array_equal(
        stability_votes(births[:, name], 200, 20, top=10), stability_votes(births, 200, 20, top=10)[name]
    )


def test_votes_add_up_and_stay_within_their_bounds():
    votes = stability_votes(births_of(50, 30), 20, n_sets=7, top=4)
    assert votes.sum() == 28 and votes.min() >= 0 and votes.max() <= 7
    assert set_votes(np.ones((3, 2)), top=20).tolist() == [3, 3]


def test_all_images_in_each_set_give_the_pool_s_own_rank():
    births = births_of(80, 40, seed=2)
    rank = importance_rank(effectiveness(births))
    votes = stability_votes(births, 80, n_sets=9, top=20)
    assert set(np.flatnonzero(votes)) == set(rank[:20]) and set(votes[votes > 0]) == {9}
    assert stability_ratio(votes, 9, rank) == 1.0


def test_sets_are_drawn_without_replacement_and_by_the_seed():
    sets = draw_sets(50, 20, n_sets=300, seed=3)
    assert sets.shape == (300, 20) and all(len(set(images)) == 20 for images in sets)
    share = np.bincount(sets.ravel(), minlength=50) / 300
    assert np.abs(share - 0.4).max() < 5 * np.sqrt(0.4 * 0.6 / 300)
    np.testing.assert_array_equal(sets, draw_sets(50, 20, n_sets=300, seed=3))
    assert not np.array_equal(sets, draw_sets(50, 20, n_sets=300, seed=4))
    assert not np.array_equal(sets[:, :19], draw_sets(50, 19, n_sets=300, seed=3))


def test_disjoint_sets_share_no_image():
    sets = draw_sets(101, 25, n_sets=4, seed=1, disjoint=True)
    assert sets.shape == (4, 25) and len(set(sets.ravel())) == 100


def test_ratio_by_hand():
    # Most voted: units 3 (10 of 10 votes), 0 (8), 2 (5). Unit 0 is not in the reference's first three: (10 +
    # 5) / 10 / 3.
    votes, rank = [8, 1, 5, 10, 0], [3, 2, 1, 0, 4]
    assert stability_ratio(votes, 10, rank, head=3, reference_top=3) == pytest.approx(0.5)
    assert stability_ratio(votes, 10, rank, head=3, reference_top=4) == pytest.approx(23 / 30)
    assert stability_ratio(votes, 20, rank, head=3, reference_top=4) == pytest.approx(23 / 60)


def test_ratio_matches_the_literal_transcription():
    for seed in range(10):
        rng = np.random.default_rng(seed)
        votes, rank = rng.permutation(40), rng.permutation(40)
        assert stability_ratio(votes, 50, rank) == pytest.approx(
            literal_ratio(votes.tolist(), 50, rank.tolist(), 10, 15)
        )


def test_equal_votes_stand_by_the_reference_whatever_the_numbering():
    votes = np.repeat([100, 0], [20, 30])
    for seed in range(5):
        rank = np.r_[np.random.default_rng(seed).permutation(20), 20:50]
        assert stability_ratio(votes, 100, rank) == 1.0
    assert vote_rank([3, 5, 5, 3]).tolist() == [1, 2, 0, 3]
    assert vote_rank([3, 5, 5, 3], reference_rank=[3, 2, 1, 0]).tolist() == [2, 1, 3, 0]


def test_infinite_scores_count_as_the_best_finite_one():
    births = np.r_[np.full(99, 7), 8][:, None]
    best = effectiveness(births)[0]
    assert mean_effectiveness(np.array([[np.inf], [0.0]]), 100)[0] == pytest.approx(best / 2)
    assert mean_effectiveness(np.array([[2.0, 1.0], [4.0, 0.0]]), 100).tolist() == [3.0, 0.5]


def test_rank_agreement_by_hand():
    assert rank_agreement([3, 2, 1], [30, 20, 10], top=2) == (1.0, 1.0)
    assert rank_agreement([3, 2, 1], [1, 2, 3], top=1) == (-1.0, 0.0)
    # One pair disagrees, four agree, the two units of score 0 say nothing: (4 - 1) / 5. First three: units 0,
    # 1, 2 in both.
    assert rank_agreement([2, np.inf, 0, 0], [np.inf, 1, 0, 0], top=3) == pytest.approx((0.6, 1.0))
    assert rank_agreement([4, 3, 2, 1], [4, 3, 1, 2], top=3)[1] == 0.5
    assert np.isnan(rank_agreement([0, 0, 0], [1, 2, 3])[0])


def test_table_holds_what_its_parts_say():
    births, other = births_of(200, 30, seed=1), births_of(150, 30, seed=1)
    table = stability_table(births, other, set_sizes=(20, 60), n_sets=8, seed=3, top=12)
    rank = importance_rank(effectiveness(other))
    for row, size in enumerate((20, 60)):
        scores = resampled_effectiveness(births, size, 8, seed=3)
        votes = stability_votes(births, size, 8, top=12, seed=3)
        np.testing.assert_array_equal(table["votes"][row], votes)
        np.testing.assert_array_equal(table["mean_effectiveness"][row], mean_effectiveness(scores, size))
        np.testing.assert_array_equal(table["top_units"][row], vote_rank(votes, rank)[:15])
        assert table["ratio"][row] == stability_ratio(votes, 8, rank)
        agreement = [rank_agreement(score, effectiveness(other), 12) for score in scores]
        np.testing.assert_allclose(
            [table["kendall"][row, 0], table["jaccard"][row, 0]], np.mean(agreement, axis=0)
        )
        between = [rank_agreement(a, b, 12) for a, b in zip(scores, scores[1:], strict=False)]
        np.testing.assert_allclose(
            [table["kendall_between"][row, 0], table["jaccard_between"][row, 0]], np.mean(between, axis=0)
        )
    assert (table["kendall"][:, 1] <= table["kendall"][:, 0]).all() and (
        table["kendall"][:, 0] <= table["kendall"][:, 2]
    ).all()
    assert table["set_size"].tolist() == [20, 60] and table["n_sets"].tolist() == [8, 8]


def test_intervals_of_agreement_hold_95_percent_of_the_sets():
    # Of 41 values the 2.5% and 97.5% quantiles are the second and the last but one.
    births = births_of(120, 30, seed=1)
    table = stability_table(births, set_sizes=(40,), n_sets=41)
    own = effectiveness(births)
    tau = sorted(rank_agreement(score, own)[0] for score in resampled_effectiveness(births, 40, 41))
    assert table["kendall"][0, 1:] == pytest.approx([tau[1], tau[-2]]) and tau[1] < tau[5]


def test_an_undefined_agreement_makes_its_summary_undefined():
    found = _summaries([(np.nan, 0.5), (0.2, 0.5)])
    np.testing.assert_array_equal(found, [[np.nan] * 3, [0.5] * 3])


def test_ratio_takes_equal_votes_for_and_against_the_reference():
    # Each set is the pool: 20 units have all votes, and 5 of them are not among the reference's first 15: 5
    # or 10 of 10 count.
    births = births_of(80, 40, seed=2)
    table = stability_table(births, set_sizes=(80,), n_sets=5)
    assert table["ratio"] == [1.0] and table["ratio_least"] == [0.5]


def test_agreement_of_units_that_are_all_alike_is_overlap_only():
    births = births_of(400, 60, alike=True)
    overlapping = stability_table(births, set_sizes=(200,), n_sets=20)
    apart = stability_table(births[:200], births[200:], set_sizes=(100,), n_sets=20, disjoint=True)
    assert overlapping["kendall"][0, 0] > 0.3 and overlapping["kendall_between"][0, 0] > 0.15
    assert abs(apart["kendall"][0, 0]) < 0.2 and abs(apart["kendall_between"][0, 0]) < 0.25
    assert apart["n_sets"].tolist() == [2]


def test_agreement_of_units_that_differ_rises_with_the_set_size():
    table = stability_table(births_of(600, 60), set_sizes=(20, 50, 100), n_sets=4, disjoint=True)
    assert (np.diff(table["kendall_between"][:, 0]) > 0).all() and table["kendall_between"][-1, 0] > 0.7


def test_one_set_has_nothing_to_agree_with():
    table = stability_table(births_of(60, 20), set_sizes=(50,), n_sets=20, disjoint=True)
    assert np.isnan(table["kendall_between"]).all() and np.isfinite(table["kendall"]).all()


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (
            lambda births: stability_votes(births, 41),
            "sets of 41 images were asked for, but the pool has 40 images",
        ),
        (lambda births: stability_votes(births, 0), "set_size is 0"),
        (lambda births: stability_votes(births, 5, n_sets=0), "n_sets 0"),
        (lambda births: stability_votes(births, 5, top=0), "top is 0"),
        (lambda births: stability_votes(births[0], 5), r"shape \(20,\)"),
        (lambda births: stability_votes(births / 2, 5), "type float64"),
        (lambda births: stability_votes(births - 1, 5), "is -1; expected 0"),
        (lambda births: resampled_effectiveness(births, 5, p=10), "p is 10; expected a share"),
        (
            lambda births: draw_sets(40, 21, 2, disjoint=True),
            "2 disjoint sets of 21 images were asked for, but the pool has 40 images",
        ),
        (lambda births: stability_table(births, set_sizes=(50,), disjoint=True), "the pool has 40 images"),
        (lambda births: stability_table(births, births[:, :19], set_sizes=(20,), n_sets=2), "20 units .* 19"),
        (lambda births: mean_effectiveness(np.ones((2, 3)), 1), "set_size is 1"),
        (lambda births: stability_ratio([1, 2, 3], 3, [0, 1, 2]), "at least head = 10"),
        (
            lambda births: stability_ratio(np.arange(12), 3, np.arange(11)),
            r"shape \(12,\) and the reference rank \(11,\)",
        ),
        (lambda births: stability_ratio(np.arange(12), 3, np.arange(12)), "votes go from 0 to 11; 3 sets"),
    ],
)
def test_unusable_input_is_refused(call, text):
    with pytest.raises(ValueError, match=text):
        call(births_of(40, 20))


def test_a_table_of_no_set_sizes_is_refused():
    with pytest.raises(ValueError, match="no set sizes for a pool of 30 images"):
        stability_table(np.full((30, 12), 7), set_sizes=[])
