"""Uncertainty and seeds in every module that has them: a wrong level, error or seed misses these answers."""

from types import SimpleNamespace

import keras
import numpy as np
import pytest

from unitnb.ablation import causal
from unitnb.ablation.cumulative import ablation_curve
from unitnb.ablation.curves import Curve, area_difference
from unitnb.claims import measures_networks, measures_roles, measures_seeds
from unitnb.controls import chance, scores
from unitnb.images import samples
from unitnb.networks.split import split_model
from unitnb.profiles import load_profile
from unitnb.units.votes import draw_sets

LN2 = np.log(2)
MODELS = ["A", "B", "C", "D", "A1", "B1", "C1", "D1", "A2", "B2", "C2", "D2"]


# ---- curves: a share of ten images is a binomial ----


def curve_of(correct, losses=None):
    """A curve of two points and one unit from outcomes (2, n)."""
    correct = np.asarray(correct, bool)
    losses = np.zeros(correct.shape) if losses is None else np.asarray(losses, float)
    return Curve("remove", np.arange(1), "none", 2, correct, losses, losses, correct)


def test_the_interval_of_an_accuracy_is_the_binomials():
    half = curve_of(np.tile(np.repeat([True, False], 5), (2, 1)))
    # The 2.5% quantile of Binomial(10, 1/2) is 2, the 25% quantile is 4.
    assert half.bootstrap(lambda curve: curve.accuracy[0], n_boot=4000) == (0.2, 0.8)
    np.testing.assert_allclose(half.band(n_boot=4000), [[0.2, 0.2], [0.8, 0.8]])


def test_the_interval_of_a_number_of_units_may_be_infinite():
    # One image of three is right at first. A draw without it starts at accuracy 0, which is lost at once; in
    # the other draws it is lost after one unit.
    curve = curve_of([[True, False, False], [False, False, False]])
    assert curve.bootstrap(lambda c: c.units_to_lose()) == (0, 1)
    stays = curve_of(
        [[True, True, True], [True, False, True]]
    )  # lost only if the second alone is drawn: 1/27
    assert stays.bootstrap(lambda c: c.units_to_lose()) == (1, np.inf)


def test_the_interval_of_a_difference_is_paired():
    first = curve_of([np.ones(10), np.repeat([1, 0], 5)])
    second = curve_of([np.ones(10), np.zeros(10)])
    # Trapezoids: an image that is kept has half an area more, and the kept ones are Binomial(10, 1/2).
    assert area_difference(first, second, n_boot=4000) == pytest.approx((0.25, 0.1, 0.4))
    assert area_difference(first, first) == (0, 0, 0)


def test_curves_are_resampled_by_their_seed():
    curve = curve_of(np.zeros((2, 30)), np.random.default_rng(0).random((2, 30)))
    first, again, other = (curve.band("loss", 50, seed) for seed in (0, 0, 1))
    assert np.array_equal(first, again) and not np.array_equal(first, other)


# ---- losses: few classes and ImageNet's many ----


def one_unit(n_classes, values):
    """A split network whose one unit adds twice its mean to the logit of class 0, and constant maps."""
    entry = keras.Input((4, 4, 1))
    maps = keras.layers.Conv2D(1, 1, activation="relu", name="conv")(entry)
    logits = keras.layers.Dense(n_classes, name="logits")(keras.layers.GlobalAveragePooling2D()(maps))
    model = keras.Model(entry, logits)
    kernel = np.zeros((1, n_classes), np.float32)
    kernel[0, 0] = 2
    model.set_weights([np.ones((1, 1, 1, 1)), np.zeros(1), kernel, np.zeros(n_classes)])
    split = split_model(model, "conv")
    images = np.ones((len(values), 4, 4, 1), np.float32) * np.reshape(values, (-1, 1, 1, 1))
    return split, split.feature_maps(images)


@pytest.mark.parametrize("n_classes", [10, 100])
def test_losses_of_any_number_of_classes_on_paper(n_classes):
    split, maps = one_unit(n_classes, [1, 2])
    values, rest = np.array([2.0, 4.0]), n_classes - 1
    for label, own in ((0, values), (1, np.zeros(2))):
        curve = ablation_curve(split, maps, label, [0])
        expected = [np.log(np.exp(values) + rest) - own, np.full(2, np.log(n_classes))]
        np.testing.assert_allclose(curve.losses, expected, atol=1e-5)
        np.testing.assert_allclose(curve.label_logits, [own, [0, 0]], atol=1e-5)
        assert curve.correct.tolist() == [[label == 0] * 2, [label == 0] * 2]  # equal logits go to class 0
        assert curve.in_top5.all()


def test_taylor_of_one_unit_is_the_size_of_its_effect():
    # The gradient of the loss with respect to the logit of class 0 is P - 1 for label 0, and the unit adds 2.
    split, maps = one_unit(10, [1])
    expected = 2 * (1 - np.exp(2) / (np.exp(2) + 9))
    for absolute in ("entries", "map"):
        assert causal.taylor(split, maps, 0, absolute) == pytest.approx([expected], rel=1e-5)


# ---- null models ----


def test_the_z_of_a_rate_is_that_of_a_binomial():
    # All entries are positive, so every image has the same chance of a birth.
    n_images = 25
    maps = np.random.default_rng(0).random((n_images, 5, 5, 3)) + 1
    births = np.zeros((n_images, 3), np.int16)
    births[:5, 1], births[:, 2] = 6, 6
    found = chance.null_scores(maps, births, np.inf, draws=2)
    p = found["null rate"][0]
    assert 0.05 < p < 0.95
    np.testing.assert_allclose(found["rate z"], (np.array([0, 0.2, 1]) - p) / np.sqrt(p * (1 - p) / n_images))


def test_the_z_of_an_entropy_is_in_standard_deviations_of_a_sample(monkeypatch):
    entropies = iter([np.array([1.0]), np.array([3.0]), np.array([LN2])])
    monkeypatch.setattr(chance, "feature_entropy", lambda births: next(entropies))
    maps = np.ones((4, 5, 5, 1))
    found = chance.null_scores(maps, np.full((4, 1), 6), np.inf, draws=2)
    assert found["entropy z"] == pytest.approx((LN2 - 2) / np.sqrt(2)) and found["null entropy"] == 2


def test_null_draws_and_random_orders_have_seeds_of_their_own():
    orders = scores.random_orders(30, 4, seed=0)
    assert len({tuple(order) for order in orders}) == 4
    assert not np.array_equal(orders, scores.random_orders(30, 4, seed=1))
    assert not np.array_equal(scores.shuffled(np.arange(30), 0), scores.shuffled(np.arange(30), 1))
    maps = chance.noise_units(6, 5, [0.5])
    assert not np.array_equal(chance.shuffled_pixels(maps, 0), chance.shuffled_pixels(maps, 1))


# ---- sample sets ----


def tiny_images(n=60):
    labels = np.repeat(np.arange(3), n)
    pixels = np.zeros((len(labels), 2, 2, 3), np.uint8)
    return samples.from_arrays("abc", {"train": (pixels, labels), "test": (pixels, labels)})


def places_drawn(name="S_val", target_class="a", seed=0, model="A"):
    """Places within their class of the images that are drawn; classes and splits have equally many images."""
    models = {letter: {"fraction": 1.0} for letter in "AB"}
    settings = {"target_class": "a", "n_rank": 20, "n_validation": 20, "models": models}
    profile = load_profile("shapes", {**settings, "seed": seed})
    return (samples.sample_set(tiny_images(), profile, name, model, target_class).indices % 60).tolist()


def test_samples_differ_by_seed_class_and_split():
    assert places_drawn() == places_drawn()
    changes = ({"seed": 1}, {"target_class": "b"}, {"name": "S_100"})
    drawn = [places_drawn(), *(places_drawn(**change) for change in changes)]
    assert len(set(map(tuple, drawn))) == 4


def test_training_images_differ_by_model():
    models = {name: {"fraction": 0.5} for name in "AB"}
    profile = load_profile("shapes", {"target_class": "a", "models": models})
    drawn = {tuple(samples.training_set(tiny_images(), profile, name)[0].tolist()) for name in "AB"}
    assert len(drawn) == 2


def test_sample_sets_of_another_size_are_independent():
    # With one seed for all sizes, disjoint sets would cut the same shuffled pool.
    large, small = draw_sets(100, 20, 5, disjoint=True), draw_sets(100, 10, 10, disjoint=True)
    assert not np.array_equal(large.ravel(), small.ravel())
    assert not np.array_equal(large, draw_sets(100, 20, 5, seed=1, disjoint=True))


# ---- claims over seeds and classes ----


def stored(**arrays):
    """Results of three seeds of each recipe; numbers by model, in the order of MODELS."""
    return {name: np.asarray(values, float) for name, values in arrays.items()}


def measured(claims, claim, results):
    """What the measure of a claim over seeds finds."""
    return claims[claim][1](MODELS, results, None)


def test_chance_of_shared_tails_is_the_middle_of_its_range(monkeypatch):
    monkeypatch.setattr(measures_roles, "shared_tails", lambda ranks, head, tail: (0.5, 0.2, 0.6))
    place = np.tile([[0.6, 0.8]], (12, 1))
    results = {"rank": np.zeros((12, 2, 30)), "confusing_place": place}
    found = measured(measures_roles.ROLE_CLAIMS, "C38", results)
    assert found["by chance"] == pytest.approx([0.4] * 3) and found["share"].tolist() == [0.5] * 3
    assert found["place"] == pytest.approx([0.7] * 12)


def test_every_seed_of_a_recipe_counts_and_no_other_model():
    by_model = np.arange(12.0)[:, None] / 100
    found = measured(measures_seeds.TRAINING_CLAIMS, "C09", {"partial": by_model})
    assert found == {"seeds": 3, "share of units": pytest.approx([0.00, 0.04, 0.08])}
    gaps = stored(train=by_model[..., None], test=0 * by_model[..., None])
    found = measured(measures_roles.ROLE_CLAIMS, "C29", gaps)
    assert found["seeds"] == 3
    for place, letter in enumerate("ABCD"):
        assert found[f"gap of {letter}"] == pytest.approx(np.array([0, 4, 8]) / 100 + place / 100)


def test_the_peak_of_each_seed_is_its_own():
    place = np.tile(np.arange(12.0)[:, None] / 10, (1, 2))
    found = measured(measures_roles.ROLE_CLAIMS, "C32", {"peak_place": place, "peak_gain": place / 2})
    assert found["place"] == pytest.approx([0.0, 0.4, 0.8])
    assert found["above the full model"] == pytest.approx([0.0, 0.2, 0.4])


def test_the_interval_of_the_fall_of_entropy_is_students_over_seeds():
    # Falls of 0.4, 0.5, 0.6: standard error 0.1 / sqrt(3); t with 2 degrees has its 97.5% quantile at 4.3027.
    falls = np.array([[0.3, 0.5], [0.5, 0.5], [0.4, 0.8]])
    entropy = np.stack([falls, np.zeros((3, 2))], axis=-1)
    found = measured(measures_seeds.TRAINING_CLAIMS, "C06", {"epoch_entropy": entropy})
    assert found["fall of H"] == pytest.approx([0.4, 0.5, 0.6])
    assert tuple(found["interval"]) == pytest.approx((0.5 - 0.2484, 0.5 + 0.2484), abs=1e-4)


def test_the_range_of_a_permuted_correlation_is_the_normals():
    results = {"units": 101, "epoch_index": np.full((3, 2, 5), 0.3)}
    found = measured(measures_seeds.TRAINING_CLAIMS, "C12", results)
    assert found["permuted"] == pytest.approx(0.196)  # 101 units: 1.96 / sqrt(100)


def test_the_interval_of_a_gain_over_classes_is_the_binomials():
    gain = np.diag(np.repeat([0.0, 1.0], 5))
    found = measures_networks.class_claim(gain, 2 * gain, n_boot=4000)
    expected = {"n": 10, "correlation": 0.5, "low, correlation": 0.2, "high, correlation": 0.8}
    expected |= {"damage": 1.0, "low, damage": 0.4, "high, damage": 1.6}
    assert found == pytest.approx(expected)


def test_importance_is_judged_by_the_low_end_of_its_interval(monkeypatch):
    # Of 500 draws 8 are below 0 in one case and 30 in the other, which is less and more than 2.5%. Undefined
    # draws of the partial correlation are left out.
    births = np.random.default_rng(0).integers(4, 20, (40, 30))
    loss = np.random.default_rng(1).random(30)
    result = SimpleNamespace(
        births=births,
        scores={measures_networks.CAUSAL: loss},
        correlations=dict.fromkeys(("E", "rate", "1/H", "1/H given the rate"), 0.3),
    )
    for below, classes in ((8, 1), (30, 0)):
        plain = np.where(np.arange(500) < below, -0.1, 0.2)
        partial = np.where(np.arange(500) < 250, np.nan, 0.2)
        monkeypatch.setattr(
            measures_networks, "plain_and_partial_spearman", lambda x, y, given, d=(plain, partial): d
        )
        found = measures_networks.importance_claim({"a": result})
        assert found["classes above 0"] == classes and found["classes above 0 given the rate"] == 1
