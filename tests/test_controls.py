"""Null models, constructions, free choices, curves of scores: on paper, by relations, and against GUDHI."""

import numpy as np
import pytest

from unitnb.controls import bias, chance, choices, comparison, constructions, experiments
from unitnb.networks.split import split_model
from unitnb.networks.vgg import small_vgg
from unitnb.topology.births import birth_points
from unitnb.topology.nulls import null_births
from unitnb.units import entropy, intervals


def random_maps(n_images=12, n=14, units=6, share=0.5, seed=0):
    return chance.noise_units(n_images, n, np.full(units, share), seed)


# ---- null model ----
def test_the_last_row_of_the_matched_null_is_the_null_of_full_maps():
    table = chance.matched_births(14)
    assert table.shape == (197, 92) and np.allclose(table.sum(axis=1), 1)
    full = null_births(14)
    np.testing.assert_allclose(
        table[-1, : len(full)], full, atol=0.006
    )  # 100,000 draws: 3.5 sd of a share of 0.17
    assert (np.diff(table[:, 0]) <= 1e-12).all() and table[
        3, 0
    ] == 1  # fewer entries, fewer births; four edges at least


@pytest.mark.parametrize("k", [12, 20, 60])
def test_the_matched_null_is_that_of_maps_made_with_k_positive_entries(k):
    """Slow and obvious: k random places, random values."""
    rng = np.random.default_rng(k)
    values = rng.random((4000, 196))
    maps = np.where(values.argsort(axis=1).argsort(axis=1) < k, rng.random((4000, 196)), 0).reshape(
        4000, 14, 14, 1
    )
    share = np.bincount(birth_points(maps, np.inf)[:, 0], minlength=92) / 4000
    np.testing.assert_allclose(chance.matched_births(14)[k], share, atol=0.03)


def test_units_of_noise_are_within_chance_and_a_fixed_pattern_is_not():
    maps = random_maps(60, units=30, share=0.15)
    maps[:, :, :, 0] = np.arange(196).reshape(14, 14)[None] + 1
    null = chance.null_scores(maps, birth_points(maps), draws=60)
    z = null["entropy z"][1:]
    assert abs(z.mean()) < 0.6 and 0.6 < z.std() < 1.5 and abs(null["rate z"][1:].mean()) < 0.6
    assert null["entropy z"][0] < -10 or np.isnan(null["entropy z"][0])
    np.testing.assert_allclose(
        null["null rate"], [1 - chance.matched_births(14)[c, 0].mean() for c in (maps > 0).sum(axis=(1, 2)).T]
    )


def test_a_bound_takes_births_from_the_null_too():
    maps = random_maps()
    free, bound = (
        chance.null_scores(maps, birth_points(maps, b), b, draws=5)["null rate"] for b in (np.inf, 8)
    )
    assert (bound < free - 0.2).all()


def test_shuffled_pixels_keep_each_maps_values():
    maps = random_maps()
    shuffled = chance.shuffled_pixels(maps)
    assert not np.array_equal(maps, shuffled)
    np.testing.assert_array_equal(
        np.sort(maps.reshape(12, 196, 6), axis=1), np.sort(shuffled.reshape(12, 196, 6), axis=1)
    )
    z = chance.shuffle_scores(random_maps(40, units=20, share=0.15), draws=20)["entropy z"]
    assert abs(z.mean()) < 0.8 and z.std() < 2


def test_noise_has_the_share_of_positive_pixels_asked_for():
    for make in (chance.noise_units, chance.smooth_noise_units):
        maps = make(50, 14, np.array([0.5, 0.1]))
        assert maps.shape == (50, 14, 14, 2) and maps.min() == 0
        np.testing.assert_allclose((maps > 0).mean(axis=(0, 1, 2)), [0.5, 0.1], atol=0.02)
    smooth, white = chance.smooth_noise_units(50, 14, [0.5]), chance.noise_units(50, 14, [0.5])
    assert (
        np.abs(np.diff(smooth, axis=1)).mean() / smooth.std()
        < 0.5 * np.abs(np.diff(white, axis=1)).mean() / white.std()
    )


def test_places_of_inserted_units():
    assert chance.places_of_inserted(np.array([4.0, 3, 2, 1]), [5, 2.5, 2, 0]).tolist() == [0, 0.5, 0.625, 1]


# ---- construction ----
def test_what_permutes_rows_and_columns_together_changes_no_birth():
    maps = random_maps(share=0.4)
    births = birth_points(maps)
    built = constructions.constructions(maps, seed=1)
    same = [name for name, changed in built.items() if np.array_equal(birth_points(changed), births)]
    assert same == [
        "transposed",
        "turned by 180 degrees",
        "shift (2, 2), cyclic",
        "one permutation of rows and columns",
    ]
    assert all(changed.shape == maps.shape for changed in built.values())


def test_a_shift_moves_pixels_and_brings_zeros():
    fmap = np.arange(9.0).reshape(1, 3, 3, 1)
    assert constructions.moved(fmap, 1, 0)[0, :, :, 0].tolist() == [[0, 0, 0], [0, 1, 2], [3, 4, 5]]
    assert constructions.moved(fmap, -1, 2)[0, :, :, 0].tolist() == [[0, 0, 3], [0, 0, 6], [0, 0, 0]]
    assert np.array_equal(constructions.moved(fmap, 0, 0), fmap)


def test_random_pairing_is_one_order_for_all_maps():
    maps = np.tile(np.arange(16.0).reshape(1, 4, 4, 1), (2, 1, 1, 3))
    paired = constructions.random_pairing(maps)
    assert (paired == paired[:1, :, :, :1]).all() and sorted(paired[0, :, :, 0].ravel()) == list(range(16))


def test_the_index_in_entries_counts_both_sides_and_the_diagonal():
    """A square 0-1-2-3 of edges 9, 8, 7, 6, the first on both sides, and a diagonal of 10.

    The birth is at 4 edges and 6 entries.
    """
    fmap = np.zeros((4, 4))
    fmap[[0, 1, 2, 3], [1, 2, 3, 0]] = [9, 8, 7, 6]
    fmap[1, 0], fmap[2, 2] = 8.5, 10
    maps = fmap[None, :, :, None]
    births = birth_points(maps, 6)
    assert births.tolist() == [[4]] and choices.entries_index(maps, births).tolist() == [[6]]
    assert choices.entries_index(maps, 0 * births).tolist() == [[0]]


def gudhi_births(maps):
    import gudhi

    births = np.zeros((len(maps), maps.shape[3]), int)
    for image, unit in np.ndindex(births.shape):
        picture = gudhi.CubicalComplex(top_dimensional_cells=-maps[image, :, :, unit].astype(float))
        picture.compute_persistence(homology_coeff_field=2)
        value = -picture.persistence_intervals_in_dimension(1).reshape(-1, 2)[:, 0].min(initial=0)
        births[image, unit] = (maps[image, :, :, unit] >= value).sum() if value > 0 else 0
    return births


@pytest.mark.parametrize("levels", [3, 8, 10_000])
def test_first_holes_of_pictures_agree_with_gudhi(levels):
    """Smooth and white maps, with few grey levels (ties) and with many."""
    maps = np.concatenate([chance.smooth_noise_units(15, 9, [1.0, 0.6, 0.3], 1.0, 2), random_maps(15, 9, 3)])
    maps = np.ceil(maps / maps.max() * levels).astype(np.float32)
    births = constructions.cubical_births(maps)
    assert np.array_equal(births, gudhi_births(maps)) and (births > 0).any() and (births == 0).any()


def test_a_ring_is_a_hole_of_eight_pixels_and_of_seven_once_corners_do():
    fmap = np.zeros((5, 5), np.float32)
    fmap[1:4, 1:4] = 2
    fmap[2, 2], fmap[1, 1] = 1, 0  # a corner is not needed: neighbours over corners are neighbours
    assert constructions.cubical_births(fmap[None, :, :, None]).tolist() == [[7]]


# ---- free choices ----
def test_every_choice_has_its_effect_on_paper():
    """Units: always 7; 7 three times of four, else 9; born once of ten."""
    births = np.zeros((8, 3), int)
    births[:, 0], births[:, 1], births[0, 2] = 7, [7, 7, 7, 9] * 2, 30
    births_of = {"edges": births, "level": births, "entries": births}
    entropy = -(0.75 * np.log(0.75) + 0.25 * np.log(0.25))
    scores = {
        name: choices.effectiveness_by_choice(births_of, choices.DEFAULT | {"H = 0": name})
        for name in ("best", "worst", "floor")
    }
    floor = 1 / (7 / 8 * np.log(8 / 7) + 1 / 8 * np.log(8))
    np.testing.assert_allclose(scores["best"], [np.inf, 1 / entropy, np.inf])
    np.testing.assert_allclose(scores["worst"], [0, 1 / entropy, 0])
    np.testing.assert_allclose(scores["floor"], [floor, 1 / entropy, 1 / 8 / np.log(2)])
    assert choices.effectiveness_by_choice(births_of, choices.DEFAULT | {"p": 0.2})[2] == 0
    assert choices.effectiveness_by_choice(births_of, choices.DEFAULT | {"B_max": 20})[2] == 0


def test_the_grid_is_complete():
    found = choices.all_choices()
    assert (
        len(found) == 4 * 4 * 3 * 3 * 3 * 3
        and choices.DEFAULT in found
        and len(choices.single_choices()) == 14
    )
    assert all(
        sum(choice[key] != value for key, value in choices.DEFAULT.items()) == 1
        for choice in choices.single_choices().values()
    )


# ---- statistics ----
def test_partial_correlation_takes_out_what_is_given():
    rng = np.random.default_rng(0)
    given, a, b = rng.normal(size=(3, 3000))
    assert comparison.partial_spearman(given + a, given + b, given) == pytest.approx(0, abs=0.06)
    assert comparison.partial_spearman(a, np.exp(a), given) == pytest.approx(1)
    assert comparison.partial_spearman(a, b, given) == pytest.approx(np.corrcoef(a, b)[0, 1], abs=0.03)
    assert np.isnan(comparison.partial_spearman(a, b, a))


def test_paired_interval_covers_images_and_classes():
    """One class of 400 images of 0 or 1: standard error 0.025. Four sure classes 0, 0, 1, 1: 0.25."""
    images = [[np.arange(400) % 2]]
    assert intervals.paired_bootstrap(images) == pytest.approx((0.5, 0.45, 0.55), abs=0.01)
    classes = [[np.full(50, value)] for value in (0, 0, 1, 1)]
    assert intervals.paired_bootstrap(classes) == pytest.approx((0.5, 0, 1), abs=0.01)
    groups = [[np.full(5, 1.0), np.full(500, 0.0)]]
    assert intervals.paired_bootstrap(groups) == (0.5, 0.5, 0.5)
    assert comparison.verdict((0, -1, 1), "up", "down") == "no difference seen"
    assert [comparison.verdict(i, "up", "down") for i in ((1, 0.5, 2), (-1, -2, -0.5))] == ["up", "down"]


@pytest.fixture(scope="module")
def curves():
    import keras

    keras.utils.set_random_seed(0)
    split = split_model(small_vgg(4, (4, 4, 8), 8), "block2_conv3")
    rng = np.random.default_rng(0)
    maps, others = (
        split.feature_maps(rng.uniform(0, 255, (n, 32, 32, 3)).astype(np.float32)) for n in (6, 9)
    )
    order = rng.permutation(8)
    found = comparison.score_curves(
        split, maps, others, 1, {"one": [order], "reverse": [order[::-1]], "both": [order, order[::-1]]}
    )
    return split, maps, others, order, found


def test_fewer_points_are_those_of_the_whole_curve_and_shares_are_of_the_units(curves):
    split, maps, others, order, whole = curves
    few = comparison.score_curves(split, maps, others, 1, {"one": [order]}, points=3)["one"]
    assert few.points.tolist() == [0, 4, 8]
    right = whole["one"].correct_in_reverse[::4]
    assert np.array_equal(few.worst_curve, whole["one"].worst_curve[:, ::4]) and np.array_equal(
        few.correct_in_reverse, right
    )
    assert np.allclose(few.worst_first[0], right[:, :6].T @ [0.25, 0.5, 0.25])
    assert bias.kept_share(few) == {0: 1.0, 1: 0.5, 2: 0.0}[bias.best_point(few)]


def test_areas_of_images_are_the_areas_of_curves(curves):
    from unitnb.ablation.cumulative import ablation_curve

    split, maps, others, order, found = curves
    for side, way in (("best_first", order), ("worst_first", order[::-1])):
        curve = ablation_curve(split, maps, 1, way, negatives=others)
        assert comparison.areas([found], "one", "recall", side)[0] == pytest.approx(curve.area())
        assert comparison.areas([found], "one", side=side)[0] == pytest.approx(
            curve.area("balanced_accuracy")
        )
        assert comparison.areas([found], "one", "loss", side)[0] == pytest.approx(
            -curve.area("loss"), rel=1e-5
        )
    insertion = ablation_curve(split, maps, 1, order, "insert", negatives=others)
    assert comparison.areas([found], "one", side="worst_first")[0] == pytest.approx(
        insertion.area("balanced_accuracy")
    )
    assert comparison.areas([found], "both") == pytest.approx(0)
    assert comparison.areas([found], "one") == pytest.approx(-comparison.areas([found], "reverse"))
    assert intervals.paired_bootstrap(comparison.differences([found], "one", "one")) == (0, 0, 0)


def test_rates_of_curves_are_those_of_the_curve(curves):
    from unitnb.ablation.cumulative import ablation_curve

    split, maps, others, order, found = curves
    curve = ablation_curve(split, maps, 1, order[::-1], negatives=others)
    rates = bias.rates(found["one"].worst_curve, len(maps), len(others))
    for name, values in (
        ("recall", curve.accuracy),
        ("false-positive rate", curve.false_positive_rate),
        ("precision", curve.precision),
        ("balanced accuracy", curve.balanced_accuracy),
    ):
        np.testing.assert_allclose(rates[name], values)
    k = int(np.argmax(curve.accuracy))
    own, rest = bias.rise(found["one"], found["one"])
    assert own.mean() == pytest.approx(curve.accuracy[k] - curve.accuracy[0])
    assert rest.mean() == pytest.approx(curve.false_positive_rate[0] - curve.false_positive_rate[k])


def test_the_share_of_changed_births_leaves_out_maps_without_any():
    births, other = np.array([[7, 0], [8, 0]]), np.array([[7, 0], [9, 4]])
    assert experiments.changed_share(births, other) == pytest.approx(2 / 3)
    assert np.isnan(experiments.changed_share(0 * births, 0 * births))


def test_effectiveness_against_chance_puts_units_without_a_z_last():
    values = entropy.chance_effectiveness(np.array([-2.0, 3.0, np.nan, -9.0]), np.array([1, 0.5, 0.5, 0.05]))
    assert values[:2].tolist() == [2, -3] and (values[2:] < -3).all()


# ---- everything together ----
def test_a_small_layer_goes_through_every_table_and_figure(curves):
    """Three classes of noise: nothing drawn or printed has an empty cell."""
    import matplotlib
    import matplotlib.pyplot as plt

    matplotlib.use("agg")
    from unitnb.figures import fig6_controls, fig6_rivals, tables
    from unitnb.profiles import load_profile

    split, rng = curves[0], np.random.default_rng(1)
    images = rng.uniform(0, 255, (3, 3, 12, 32, 32, 3))
    kinds = dict(zip(("ranking", "train", "test"), images, strict=True))
    drawn = {
        kind: {name: split.feature_maps(own) for name, own in zip("abc", group, strict=True)}
        for kind, group in kinds.items()
    }
    sets = comparison.ClassMaps(drawn, 5, [], {"a": 0, "b": 1, "c": 2})
    results = {
        name: experiments.class_result(split, sets, name, load_profile("shapes")) for name in sets.classes
    }
    one, grid = results["a"], experiments.choice_areas(split, sets, "a")
    assert grid.shape == (1296,)
    for name, choice in {"default choices": choices.DEFAULT, **choices.single_choices()}.items():
        assert grid[choices.all_choices().index(choice)] == pytest.approx(
            comparison.areas([one.test], name)[0]
        )
    assert sets.others("test", "b").shape == (10, 14, 14, 8) and all(
        one.changed[name] == 0 for name in list(one.changed)[:4]
    )
    lines = tables.answers_table(results, one.null).splitlines()
    assert (
        len({line.count("|") for line in lines}) == 1 and "| nan" not in "".join(lines) and len(lines) == 33
    )
    assert tables.scores_table(results).count("\n") == len(one.train) + 2
    assert tables.bias_table(results).count("\n") == len(one.train) + 1
    rises = {metric: np.zeros(3) for metric in comparison.METRICS}
    for figure in (
        fig6_rivals.rivals_figure(results, "a"),
        fig6_rivals.areas_figure(results),
        fig6_rivals.bias_figure(results, rises),
        fig6_controls.null_figure(results, "a", one.births, one.null, one.null),
        fig6_controls.construction_figure(results),
        fig6_controls.choices_figure(results, "a", grid),
        fig6_rivals.rates_figure(results),
    ):
        figure.canvas.draw()
        assert all(axes.get_xlabel() or axes.get_ylabel() or axes.get_yticklabels() for axes in figure.axes)
    plt.close("all")
