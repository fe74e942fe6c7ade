"""Smaller networks by rank: scores, ranks over classes, curves, short trainings, tables, figures, claims."""

from dataclasses import replace

import keras
import matplotlib

matplotlib.use("agg")
import matplotlib.pyplot as plt
import numpy as np
import pytest

import unitnb
from unitnb.ablation.curves import Curve
from unitnb.claims.measures_simplification import core_suffices_claim, simplification_claim
from unitnb.controls import simplification as module
from unitnb.controls import simplification_results, smaller_networks, specialists
from unitnb.figures import fig7_simplification, simplification_words
from unitnb.networks.outputs import Reading

L = keras.layers
N, SIDE, UNITS, CLASSES = 12, 6, 8, ("a", "b", "c")


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def split():
    keras.utils.set_random_seed(2)
    layers = [
        L.Conv2D(UNITS, 3, padding="same", activation="relu", name="conv", bias_initializer="ones"),
        L.MaxPooling2D(),
        L.Flatten(),
        L.Dropout(0.5),
        L.Dense(5, activation="relu"),
        L.Dense(3),
    ]
    return unitnb.split_model(keras.Sequential([keras.Input((SIDE, SIDE, 3)), *layers]), "conv")


@pytest.fixture(scope="module")
def images():
    """Three classes, each with a bright third of its rows."""
    rng = np.random.default_rng(0)
    arrays = {}
    for part, count in (("train", 40), ("test", 16)):
        pixels = rng.integers(0, 80, (3 * count, SIDE, SIDE, 3))
        labels = np.repeat(np.arange(3), count)
        for label in range(3):
            pixels[labels == label, 2 * label : 2 * label + 2] += 150
        arrays[part] = pixels.astype(np.uint8), labels
    from unitnb.images.samples import from_arrays

    return from_arrays(CLASSES, arrays)


@pytest.fixture(scope="module")
def profile():
    shapes = unitnb.load_profile("shapes")
    return replace(shapes, target_class="b", n_rank=12, n_validation=12, n_others=4, n_random=4)


@pytest.fixture(scope="module")
def sets(split, images, profile):
    return unitnb.class_maps(images, profile, split)


@pytest.fixture(scope="module")
def results(split, sets, profile):
    return unitnb.simplification_results(split, sets, profile)


# ---- scores and ranks ----


def test_every_score_is_there_once_a_unit(results):
    for scores in results.scores.values():
        assert list(scores) == list(module.SCORES)
        assert all(values.shape == (UNITS,) for values in scores.values())


def test_a_shapley_value_is_the_mean_fall_of_the_loss_over_all_orders(split, sets):
    """Of two live units both orders are known: half of each unit's two falls."""
    maps = sets.maps["ranking"]["a"].copy()
    maps[..., 2:] = 0

    def loss(*kept):
        shown = np.zeros_like(maps)
        shown[..., list(kept)] = maps[..., list(kept)]
        return float(keras.losses.sparse_categorical_crossentropy(
            np.zeros(N, int), split.predict(shown), from_logits=True).numpy().mean())  # fmt: skip

    falls = np.array([loss() - loss(0) + loss(1) - loss(0, 1), loss() - loss(1) + loss(0) - loss(0, 1)]) / 2
    found = module.shapley(split, maps, 0, n_orders=400, seed=3)
    assert abs(found.sum() - (loss() - loss(0, 1))) < 1e-5 and np.allclose(found[2:], 0, atol=1e-6)
    spread = abs((loss() - loss(0)) - (loss(1) - loss(0, 1)))
    np.testing.assert_allclose(found[:2], falls, atol=spread * 0.15 + 1e-6)


def test_the_overall_score_does_not_change_with_the_scale_of_a_class():
    rng = np.random.default_rng(1)
    scores = rng.random((3, 10))
    scaled = [scores[0] * 1000, np.exp(scores[1]), scores[2] - 5]
    np.testing.assert_allclose(module.overall_score(scores), module.overall_score(scaled))


def test_random_orders_are_none_of_those_behind_the_shapley_values(split):
    ours = module.comparison_orders(40, 5, 0)
    theirs = module.random_orders(40, 5, 0)
    assert not any(np.array_equal(a, b) for a in ours for b in theirs)


# ---- curves ----


def test_a_kept_curve_is_that_of_the_smaller_network(split, images, results, sets):
    """The oracle removes the units from the network and runs it on the images."""
    pixels = np.concatenate(
        [np.stack([images.read("test", int(i)) for i in range(16 * c, 16 * c + 16)]) for c in range(3)]
    )
    labels = np.repeat(np.arange(3), 16)
    order = results.orders["Taylor"][0]
    curve = module.kept_curves(split, split.feature_maps(pixels), labels, {"T": [order]})["T"][0]
    for count in (1, 3, UNITS - 1):
        small = smaller_networks.kept_network(split.model, "conv", order, count)
        assert small.get_layer("conv").filters == count
        answers = np.asarray(small(pixels, training=False)).argmax(axis=1)
        assert curve.accuracy[count] == pytest.approx((answers == labels).mean())


def curve_of(accuracy, n=100):
    correct = np.arange(n) < (np.asarray(accuracy)[:, None] * n).round()
    zeros = np.zeros(correct.shape, np.float32)
    return Curve("insert", np.arange(len(accuracy) - 1), "made up", 2, correct, zeros, zeros, correct)


def test_the_removable_share_ends_where_accuracy_first_falls_too_far():
    """With 2 of 4 units kept it is fine again, but not with 3: nothing may go."""
    assert module.removable_share(np.arange(5), [0.5, 0.5, 0.9, 0.8, 0.9]) == 0
    assert module.removable_share(np.arange(5), [0.5, 0.89, 0.95, 0.9, 0.9]) == 0.75
    assert module.removable_share(np.arange(5), [0.9] * 5) == 1


def test_areas_and_their_gain():
    first, second, labels = curve_of([0, 1, 1]), curve_of([0, 0, 1]), np.repeat([0, 1], 50)
    assert module.area([first]) == pytest.approx(0.75) and module.area([second]) == pytest.approx(0.25)
    gain = module.area_gain([first], [second], labels)
    assert len(gain) == 2 and np.allclose(np.concatenate([group for by in gain for group in by]), 0.5)


def test_more_points_than_units_kept_are_read_between_points():
    assert module.kept_accuracy([curve_of([0, 0.5, 1])], 2)[0] == 1


# ---- trainings ----


def test_networks_that_share_a_training_are_trained_as_each_alone(split, sets, results):
    train, test = (simplification_results.joined(sets, kind) for kind in ("train", "test"))
    orders = [results.orders["E"][0], results.orders["E"][0][::-1]]
    together = smaller_networks.tuned_accuracies_of(split, orders, 4, train, test)
    for order, found in zip(orders, together, strict=True):
        alone = smaller_networks.tuned(split, order, 4, *train)
        answers = alone.predict(test[0][..., np.sort(order[:4])]).argmax(axis=1)
        assert found == pytest.approx((answers == test[1]).mean())


def test_a_training_lowers_the_loss_and_leaves_the_units(split, sets, results):
    train = simplification_results.joined(sets, "train")
    order = results.orders["L1"][0]
    before = smaller_networks.kept_network(split.model, "conv", order, 4)
    after = smaller_networks.tuned(split, order, 4, *train, epochs=20)
    kept = train[0][..., np.sort(order[:4])]
    losses = [
        float(
            keras.losses.sparse_categorical_crossentropy(train[1], outputs, from_logits=True).numpy().mean()
        )
        for outputs in (unitnb.split_model(before, "conv").predict(kept), after.predict(kept))
    ]
    assert losses[1] < losses[0]
    for old, new in zip(
        before.get_layer("conv").get_weights(), after.model.get_layer("conv").get_weights(), strict=True
    ):
        np.testing.assert_array_equal(old, new)


def test_a_network_from_nothing_has_the_size_and_other_weights(split, images, profile):
    pixels, labels = smaller_networks.drawn_images(images, profile, ["a", "c"])
    assert set(labels) == {0, 2} and len(pixels) == 80
    small = smaller_networks.kept_network(split.model, "conv", np.arange(UNITS), 2)
    new = smaller_networks.from_nothing(small, pixels, labels, epochs=1)
    assert new.count_params() == small.count_params()
    assert not np.allclose(new.get_layer("conv").get_weights()[0], small.get_layer("conv").get_weights()[0])


def test_drawn_images_have_their_own_labels(images, profile):
    pixels, labels = smaller_networks.drawn_images(images, profile, CLASSES, "test", 20)
    rows = pixels.reshape(20, 3, -1).mean(axis=2)
    np.testing.assert_array_equal(rows.argmax(axis=1), labels)


def test_only_the_few_classes_answer():
    outputs = np.array([[5.0, 1.0, 2.0], [0.0, 3.0, 2.0]])
    reading = Reading("logits", "the caller")
    assert smaller_networks.answers(outputs, reading).tolist() == [0, 1]
    assert smaller_networks.answers(outputs, reading, [2, 1]).tolist() == [2, 1]


def test_a_specialist_with_all_units_is_the_whole_network(split, results, images, profile):
    found = unitnb.specialist_accuracies(split, results.scores, images, profile, CLASSES, [UNITS])
    pixels = np.stack([images.read("test", i) for i in range(48)])
    whole = (np.asarray(split.model(pixels, training=False)).argmax(axis=1) == np.repeat(range(3), 16)).mean()
    assert found["units for these classes"][0] == found["units for all classes"][0] == pytest.approx(whole)
    assert len(found) == 5


# ---- the core, claims ----


def test_a_core_of_all_units_changes_nothing(split, sets, profile, monkeypatch):
    everything = type("Roles", (), {"role": np.full(UNITS, "core")})
    monkeypatch.setattr(simplification_results, "categorise_roles", lambda *_, **__: everything)
    core = unitnb.core_results(split, sets, profile)
    assert (core["share"] == 1).all() and (core["accuracy"] == 0).all()
    assert (core["balanced accuracy"] == 0).all()
    everything.role = np.full(UNITS, "confusing")
    core = unitnb.core_results(split, sets, profile)
    assert (core["share"] == 0).all() and np.isnan([core["accuracy"], core["balanced accuracy"]]).all()


def test_the_core_results_have_a_number_a_class(split, sets, profile):
    core = unitnb.core_results(split, sets, profile)
    assert all(values.shape == (3,) for values in core.values())
    assert ((core["share"] >= 0) & (core["share"] <= 1)).all()


def test_the_claims_take_the_difference_from_each_rival(results):
    made_up = replace(
        results, every={**results.every, **{name: results.every["E"] for name in ("L1", "APoZ")}}
    )
    found = simplification_claim(made_up)
    assert found["L1"] == found["low, L1"] == found["high, APoZ"] == 0
    without = replace(results, every={name: c for name, c in results.every.items() if name != "L1"})
    assert "no filters" in simplification_claim(without)["reason"]
    core = {"share": [0.1, 0.2, 0.9], "accuracy": [0.1, 0.0, 0.2], "balanced accuracy": [0.0, 0.0, -0.3]}
    found = core_suffices_claim({name: np.array(values) for name, values in core.items()})
    assert found["share of the units"] == 0.2 and found["classes without a core"] == 0
    assert found["accuracy"] == pytest.approx(0.1) and found["balanced accuracy"] == pytest.approx(-0.1)


# ---- figures and words ----


def test_the_figures_show_the_curves_and_the_numbers(results):
    figure = fig7_simplification.kept_figure(results, "b")
    drawn = [line for line in figure.axes[2].lines if line.get_label() == "E"][0].get_ydata()
    np.testing.assert_allclose(drawn, results.every["E"][0].accuracy)
    before = simplification_results.accuracies_before(results, [4, 2, 1])
    core = {name: np.array([0.1, 0.2, 0.3]) for name in ("share", "accuracy", "balanced accuracy")}
    few = {"units for these classes": [0.3, 0.2, 0.1]}
    for after in ({}, {name: values + 0.1 for name, values in before.items()}):
        given = before, after, [4, 2, 1], few, core, ["a", "b"]
        axes = fig7_simplification.smaller_networks_figure(*given).axes
        assert len(axes[0].lines) == (2 if after else 1)
        np.testing.assert_allclose(axes[0].lines[0].get_xdata()[0], before["E"][0, 0])


def test_the_table_has_a_row_a_score_best_first(results):
    before = simplification_results.accuracies_before(results, [4, 2])
    rows = [
        row.split(" | ")
        for row in simplification_words.kept_table(results, before, {}, [4, 2]).splitlines()[2:]
    ]
    assert [row[0].strip("| ") for row in rows] == simplification_words.by_kept_area(results.every)
    areas = [float(row[1]) for row in rows]
    assert areas == sorted(areas, reverse=True) and len(rows) == 9


def test_the_sentences_say_what_the_curves_show(results):
    labels = np.repeat([0, 1], 50)
    good, bad = curve_of([0, 0.9, 1.0, 1.0]), curve_of([0, 0.1, 0.2, 1.0])
    made_up = {"E": [bad], "mean activation": [good], "L1": [bad], module.RANDOM: [bad]}
    text = simplification_words.verdict_sentences(replace(results, every=made_up, labels=labels))
    assert (
        text.startswith("E keeps worse units than the mean activation") and "by mean activation, most" in text
    )
    assert "33% [" in text and "0% [" in text
    assert simplification_words.seeds_sentence({"A": made_up}).startswith("one network (A -0.")
    three = simplification_words.seeds_sentence({"A": made_up, "A1": made_up, "A2": made_up})
    assert three.startswith("3 training seeds") and three.count("-0.53") == 6


def test_costs_fall_with_the_units(split):
    small = smaller_networks.kept_network(split.model, "conv", np.arange(UNITS), 2)
    rows = simplification_words.cost_rows(
        {"whole": split.model, "small": small}, {"whole": 0.5, "small": 0.1}
    )
    # 2 filters of 27 weights, at 36 pixels; 18 values to 5 units, 5 to 3
    assert "| small | 169 | 2,049 | 100.00 |" in rows
    assert set(smaller_networks.seconds_an_image({"s": small}, np.zeros((2, 6, 6, 3), np.float32), 1)) == {
        "s"
    }


def test_the_specialist_begins_with_the_target(profile):
    assert specialists.specialist_classes(profile, CLASSES, 2) == ["b", "c"]
