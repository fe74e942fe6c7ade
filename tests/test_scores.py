"""Rival scores: on paper from hand-weighted networks, against finite differences and brute force, errors."""

import keras
import numpy as np
import pytest
from test_ablation import NETWORKS, seeded, setting, stirred

from unitnb.ablation import causal
from unitnb.ablation.cumulative import ablation_curve
from unitnb.controls import scores
from unitnb.networks.image_maps import with_images
from unitnb.networks.split import split_model
from unitnb.units.entropy import birth_information, chance_effectiveness, effectiveness

L = keras.layers


def hand_net():
    """Two units on 2x2 pixels: red, and twice blue minus green. Each unit's sum is its logit."""
    net = keras.Sequential(
        [keras.Input((2, 2, 3)), L.Conv2D(2, 1, activation="relu", name="conv"), L.Flatten(), L.Dense(2)]
    )
    net.layers[0].set_weights([np.array([[1, 0], [0, -1], [0, 2]]).reshape(1, 1, 3, 2), np.zeros(2)])
    net.layers[-1].set_weights([np.tile(np.eye(2), (4, 1)), np.zeros(2)])
    return split_model(net, "conv")


def maps_of(*pixels):
    """Maps of one image, 2x2, from the four pixels of each unit."""
    return np.stack([np.reshape(p, (2, 2)) for p in pixels], axis=-1)[None].astype(np.float32)


MAPS = np.concatenate([maps_of([1, 0, 0, 3], [0, 0, 0, 0]), maps_of([2, 2, 2, 2], [0, 0, 4, 0])])
OTHERS = maps_of([1, 0, 0, 0], [3, 3, 1, 3])


# ---- values derived on paper ----
def test_filter_norms_are_the_sums_of_the_absolute_weights():
    split = hand_net()
    assert scores.filter_l1(split.model, "conv").tolist() == [1, 3]


def behind_normalisation(last=None):
    """A convolution, its normalisation and activation; ``last`` makes other maps of these."""
    images = keras.Input((6, 6, 1))
    x = keras.layers.Conv2D(3, 2, padding="same", name="conv")(images)
    x = keras.layers.BatchNormalization(name="bn")(x)
    x = keras.layers.ReLU(6, name="relu")(x)
    x = last(x) if last else x
    y = keras.layers.Dense(2)(keras.layers.GlobalAveragePooling2D()(x))
    return seeded(lambda: keras.Model(images, y))


def test_filters_are_found_behind_normalisation_and_activation_and_in_nested_models():
    model = behind_normalisation()
    kernel = np.abs(keras.ops.convert_to_numpy(model.get_layer("conv").kernel))
    assert scores.filter_l1(model, "relu") == pytest.approx(kernel.sum(axis=(0, 1, 2)))
    base = keras.Model(model.inputs, model.get_layer("relu").output, name="base")
    outer = keras.Sequential([keras.Input((6, 6, 1)), base, keras.layers.Flatten(), keras.layers.Dense(2)])
    assert np.array_equal(scores.filter_l1(outer, "base/relu"), scores.filter_l1(model, "relu"))


def test_filters_of_a_depthwise_convolution_are_in_the_order_of_its_units():
    model = behind_normalisation(keras.layers.DepthwiseConv2D(2, depth_multiplier=2, name="wide"))
    kernel = np.abs(keras.ops.convert_to_numpy(model.get_layer("wide").kernel))
    expected = [kernel[:, :, unit // 2, unit % 2].sum() for unit in range(6)]
    assert scores.filter_l1(model, "wide") == pytest.approx(expected)


def test_a_sum_of_branches_has_no_filters_and_no_such_score():
    split = split_model(behind_normalisation(lambda x: keras.layers.Add(name="sum")([x, x])), "sum")
    maps = split.feature_maps(np.random.default_rng(0).random((5, 6, 6, 1), np.float32))
    found = scores.rival_scores(split, maps, 1, maps[::-1])
    assert scores.LENGTH not in found and scores.PAPER in found
    with pytest.raises(ValueError, match="'sum' is Add and has no filters"):
        scores.filter_l1(split.model, "sum")


def test_scores_of_the_maps():
    assert scores.apoz(MAPS).tolist() == [6 / 8, 1 / 8]
    assert scores.mean_activation(MAPS).tolist() == [12 / 8, 4 / 8]
    assert scores.class_selectivity(MAPS, OTHERS) == pytest.approx([(1.5 - 0.25) / 1.75, (0.5 - 2.5) / 3])
    assert scores.class_selectivity(0 * MAPS, 0 * OTHERS).tolist() == [0, 0]


def test_activation_entropy_of_five_means():
    """Unit 0 has means 0, 0, 0, 1, 1 in two bins: the entropy of (3/5, 2/5); unit 1 is constant."""
    means = np.array([[0, 0, 0, 1, 1], [7, 7, 7, 7, 7]], np.float32).T
    maps = np.tile(means[:, None, None], (1, 2, 2, 1))
    expected = -(0.6 * np.log(0.6) + 0.4 * np.log(0.4))
    np.testing.assert_allclose(scores.activation_entropy(maps, bins=2), [expected, 0])
    many = np.arange(10, dtype=np.float32).reshape(10, 1, 1, 1)
    assert scores.activation_entropy(many) == pytest.approx(np.log(10)) and scores.activation_entropy(
        many, 5
    ) == pytest.approx(np.log(5))


def test_taylor_of_a_linear_tail():
    """Logits (sum a, sum b). For label 0 the gradient is P - 1 on unit 0 and 1 - P on unit 1."""
    wrong = 1 / (1 + np.exp([4.0, 8 - 4.0]))  # P(1): logits (4, 0) and (8, 4)
    expected = [np.mean(wrong * [4, 8]), np.mean(wrong * [0, 4])]
    np.testing.assert_allclose(causal.taylor(hand_net(), MAPS, 0), expected, rtol=1e-5)
    np.testing.assert_allclose(
        causal.taylor(hand_net(), MAPS, 0, absolute="map", batch_size=1), expected, rtol=1e-5
    )


def test_taylor_of_a_map_lets_signs_cancel():
    """Weights +1 and -1 on two equal pixels: the entries count, their sum does not."""
    net = keras.Sequential(
        [keras.Input((2, 2, 1)), L.Activation("relu", name="unit"), L.Flatten(), L.Dense(2, use_bias=False)]
    )
    net.layers[-1].set_weights([np.array([[1, 0], [-1, 0], [0, 0], [0, 0]])])
    split, maps = split_model(net, "unit"), maps_of([3, 3, 1, 1])
    np.testing.assert_allclose(causal.taylor(split, maps, 0), [0.5 * 6], rtol=1e-6)
    np.testing.assert_allclose(causal.taylor(split, maps, 0, absolute="map"), [0], atol=1e-6)


def test_single_ablation_on_paper():
    """Logits (4, 0) and (8, 4); without unit 0 (0, 0) and (0, 4); without unit 1 (4, 0) and (8, 0)."""
    full, no_first, no_second = (
        np.log1p(np.exp(-np.array(m, float))).mean() for m in ([4, 4], [0, -4], [4, 8])
    )
    np.testing.assert_allclose(
        causal.single_ablation(hand_net(), MAPS, 0), [no_first - full, no_second - full], rtol=1e-5
    )


def test_greedy_order_on_paper():
    """Votes for class 0 of 1, 3 and -2: the strongest first, the harmful last, though largest on the map."""
    net = keras.Sequential(
        [keras.Input((1, 1, 3)), L.Activation("relu", name="units"), L.Flatten(), L.Dense(2, use_bias=False)]
    )
    net.layers[-1].set_weights([np.array([[1, 0], [3, 0], [-2, 0]])])
    assert causal.greedy_forward(
        split_model(net, "units"), np.ones((2, 1, 1, 3), np.float32) * [1, 1, 1.5], 0
    ).tolist() == [1, 0, 2]


def test_birth_information_on_paper():
    """Always apart: ln 2. The same births: 0. Born in half of the others: JS of (0, 1) and (1/2, 1/2)."""
    own = np.array([[7, 5, 9], [7, 6, 9]])
    rest = np.array([[0, 5, 9], [0, 6, 0]])
    js = 0.5 * np.log(1 / 0.75) + 0.5 * (0.5 * np.log(0.5 / 0.75) + 0.5 * np.log(0.5 / 0.25))
    np.testing.assert_allclose(birth_information(own, rest), [np.log(2), 0, js])
    np.testing.assert_allclose(birth_information(rest, own), [-np.log(2), 0, -js])


def test_our_variants_of_effectiveness_are_asked_for_by_name():
    own, rest = np.array([[7, 0, 4], [7, 0, 0]]), np.array([[0, 7, 4], [0, 0, 0]])
    assert np.array_equal(
        effectiveness(own, variant="balanced", other_births=rest), birth_information(own, rest)
    )
    z = np.array([-2.0, np.nan, 1.0])
    found = effectiveness(own, p=0.6, variant="chance", entropy_z=z)
    assert found.tolist() == chance_effectiveness(z, np.array([1, 0, 0.5]), 0.6).tolist() == [2, -1, -1]
    for wrong in (
        {"variant": "best"},
        {"variant": "balanced"},
        {"variant": "chance", "other_births": rest},
        {"entropy_z": z},
    ):
        with pytest.raises(ValueError, match="variant"):
            effectiveness(own, **wrong)


def test_inverse_entropy_keeps_the_threshold():
    births = np.array([[7, 7, 7], [9, 7, 0], [7, 7, 0], [9, 7, 0]])
    np.testing.assert_allclose(scores.inverse_entropy(births, p=0.5), [1 / np.log(2), np.inf, 0])


def test_shuffling_keeps_the_values_and_orders_are_permutations():
    values = np.arange(50.0)
    first, second = scores.shuffled(values, 1), scores.shuffled(values, 2)
    assert sorted(first) == values.tolist() and first.tolist() != second.tolist()
    orders = scores.random_orders(6, 20, seed=3)
    assert (
        len(orders) == 20
        and all(sorted(order) == list(range(6)) for order in orders)
        and len({tuple(order) for order in orders}) > 10
    )


# ---- oracles ----
@pytest.fixture(
    scope="module", params=["small VGG", "small VGG, earlier layer", "normalised, tanh", "inner branch"]
)
def case(request):
    make, layer, _, scale = NETWORKS[request.param]
    return setting(stirred(seeded(make)), layer, n=3, scale=scale)[:3]


def mean_loss(split, maps, labels, images=None):
    output = split.predict(maps if images is None else with_images(maps, images)).astype(np.float64)
    logits = np.log(output) if split.plan.outputs.bounded else output
    return np.log(np.exp(logits).sum(axis=1)) - logits[np.arange(len(labels)), labels]


def test_single_ablation_agrees_with_brute_force(case):
    split, maps, labels = case
    images, plain = getattr(maps, "images", None), np.asarray(maps)
    without = [
        mean_loss(split, plain * (np.arange(split.n_units) != u), labels, images).mean()
        for u in range(split.n_units)
    ]
    expected = np.array(without) - mean_loss(split, plain, labels, images).mean()
    assert np.ptp(expected) > 1e-3
    np.testing.assert_allclose(causal.single_ablation(split, maps, labels), expected, atol=1e-5)


def test_gradient_agrees_with_finite_differences(case):
    """Along a random direction in each unit's map, for each image, by central differences in float32.

    All slopes agree where the tail is smooth. Elsewhere a few steps cross a kink of ReLU or max-pooling.
    """
    split, maps, labels = case
    images, plain = getattr(maps, "images", None), np.asarray(maps)
    gradient = causal.loss_gradient(split, maps, labels)
    rng, step, close = np.random.default_rng(0), 3e-3 * np.abs(plain).max(), []
    for unit in range(split.n_units):
        direction = np.zeros_like(plain)
        direction[..., unit] = rng.uniform(0.5, 1, plain.shape[:3]) * (np.abs(plain[..., unit]) > step)
        up, down = (mean_loss(split, plain + sign * step * direction, labels, images) for sign in (1, -1))
        slope = (gradient * direction).sum(axis=(1, 2, 3))
        close += np.isclose(
            (up - down) / (2 * step), slope, rtol=0.02, atol=3e-7 / step + 0.005 * np.abs(slope).max()
        ).tolist()
    smooth = "tanh" in [
        getattr(getattr(layer, "activation", None), "__name__", "") for layer in split.model.layers
    ]
    assert np.ptp(gradient) > 0 and np.mean(close) >= (1 if smooth else 0.9)


def test_taylor_is_the_gradient_times_the_map(case):
    split, maps, labels = case
    product = causal.loss_gradient(split, maps, labels) * np.asarray(maps)
    np.testing.assert_allclose(
        causal.taylor(split, maps, labels, batch_size=2),
        np.abs(product).sum(axis=(1, 2)).mean(axis=0),
        rtol=1e-4,
    )


def test_greedy_insertion_is_no_worse_than_the_best_unit_and_refuses_other_tails():
    split, maps, labels, _ = setting(seeded(NETWORKS["small VGG"][0]), "block2_conv3", scale=255)
    order = causal.greedy_forward(split, maps, labels)
    losses = ablation_curve(split, maps, labels, order, "insert").loss
    alone = [
        ablation_curve(split, maps, labels, np.roll(np.arange(12), -u), "insert").loss[1] for u in range(12)
    ]
    assert sorted(order) == list(range(12)) and losses[1] == pytest.approx(min(alone), abs=1e-6)
    with pytest.raises(ValueError, match="masked-tail"):
        causal.greedy_forward(
            *setting(seeded(NETWORKS["small VGG, earlier layer"][0]), "block2_conv2", scale=255)[:3]
        )


def test_all_scores_come_by_name_and_are_finite_where_they_should_be():
    split, maps, labels, _ = setting(seeded(NETWORKS["small VGG"][0]), "block2_conv3", scale=255)
    found = scores.rival_scores(split, maps, 1, maps[::-1], p=0.1)
    assert {scores.PAPER, scores.OURS, scores.CAUSAL, *scores.CONTROLS} <= set(found) and len(found) == 15
    assert all(values.shape == (12,) and not np.isnan(values).any() for values in found.values())
    assert np.array_equal(np.sort(found["shuffled E"]), np.sort(found[scores.PAPER]))


# ---- what is refused ----
def test_bad_input_is_explained(monkeypatch):
    split = hand_net()
    with pytest.raises(ValueError, match="'flatten.*' is Flatten"):
        scores.filter_l1(split.model, split.model.layers[1].name)
    with pytest.raises(ValueError, match="after its ReLU"):
        scores.class_selectivity(MAPS, -OTHERS)
    with pytest.raises(ValueError, match="'entries' or 'map'"):
        causal.taylor(split, MAPS, 0, absolute="pixels")
    with pytest.raises(ValueError, match="expected \\(images, h, w, units\\)"):
        scores.apoz(MAPS[0])
    with pytest.raises(ValueError, match="classes 0 to 1"):
        causal.single_ablation(split, MAPS, 2)
    monkeypatch.setattr(keras.backend, "backend", lambda: "numpy")
    with pytest.raises(NotImplementedError, match="KERAS_BACKEND"):
        causal.taylor(split, MAPS, 0)


# ---- Neuron Shapley, TopologyHole ----
def test_holes_are_regions_that_positive_entries_close_in():
    ring, diamond, open_ring, two = np.zeros((4, 6, 6))
    ring[1:4, 1:4], ring[2, 2] = 1, 0
    diamond[[1, 2, 2, 3], [2, 1, 3, 2]] = 1  # closed over corners
    open_ring[:3, 1:4], open_ring[:2, 2] = 1, 0  # reaches the border
    two[:5, 1:4], two[[1, 3], 2] = 1, 0
    maps = np.stack([ring, diamond, open_ring, two], axis=-1)[None]
    assert scores.mean_holes(maps).tolist() == [1, 1, 0, 2]
    assert scores.mean_holes(np.concatenate([maps, 0 * maps])).tolist() == [0.5, 0.5, 0, 1]
    assert scores.mean_holes(np.concatenate([-maps, maps * 9])).tolist() == [0.5, 0.5, 0, 1]


def test_shapley_values_of_two_units_are_those_of_all_orders_and_add_up():
    from itertools import permutations

    from unitnb.ablation.marginals import neuron_shapley

    split, maps, labels, _ = setting(seeded(NETWORKS["small VGG"][0]), "block2_conv3", scale=255)
    orders = np.array([np.r_[order, 3:12] for order in permutations(range(3))])
    found = neuron_shapley(split, maps, labels, orders)
    curves = [ablation_curve(split, maps, labels, order, "insert").accuracy for order in orders]
    worth = {
        frozenset(order[:k].tolist()): c[k] for order, c in zip(orders, curves, strict=True) for k in range(4)
    }
    for unit in range(3):
        gains = [
            worth[frozenset(order[: place + 1].tolist())] - worth[frozenset(order[:place].tolist())]
            for order in orders
            for place in np.flatnonzero(order == unit)
        ]
        assert found[unit] == pytest.approx(np.mean(gains))
    assert found.sum() == pytest.approx(curves[0][-1] - curves[0][0])
