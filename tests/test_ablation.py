"""Curves: derived on paper, against brute force on every engine, and their relations and statistics."""

from types import SimpleNamespace

import keras
import numpy as np
import pytest
from test_split import residual

from unitnb.ablation import dense_steps, engines, walks
from unitnb.ablation.cumulative import ablation_curve, ablation_curves, curve_knots
from unitnb.ablation.curves import Curve, area_difference
from unitnb.networks.image_maps import with_images
from unitnb.networks.split import split_model
from unitnb.networks.vgg import small_vgg

L = keras.layers


# ---- the slow, obvious oracle ----
def brute_force(split, maps, labels, order, mode, fill=0.0):
    """Correctness and loss from the whole tail, run again with replaced maps at each step; in float64 after
    the logits.
    """
    correct, losses = [], []
    for k in range(len(order) + 1):
        present = np.isin(np.arange(len(order)), order[k:] if mode == "remove" else order[:k])
        masked = np.where(present, np.asarray(maps), fill).astype(np.float32)
        output = split.predict(
            with_images(masked, maps.images) if split.engine == "masked-model" else masked
        ).astype(np.float64)
        logits = np.log(output) if np.allclose(output.sum(axis=1), 1) else output
        correct.append(logits.argmax(axis=1) == labels)
        losses.append(np.log(np.exp(logits).sum(axis=1)) - logits[np.arange(len(labels)), labels])
    return np.array(correct), np.array(losses)


def setting(model, layer, n=5, seed=0, scale=1.0):
    rng = np.random.default_rng(seed)
    split = split_model(model, layer)
    maps = split.feature_maps(rng.uniform(0, scale, (n, *model.inputs[0].shape[1:])).astype(np.float32))
    return split, maps, rng.integers(0, split.n_classes, n), rng.permutation(split.n_units)


def seeded(make, *args, **kwargs):
    keras.utils.set_random_seed(3)
    return make(*args, **kwargs)


def sequential(*layers):
    return keras.Sequential([keras.Input((8, 8, 3)), L.Conv2D(6, 3, activation="relu", name="conv"), *layers])


def stirred(net):
    """Biases and statistics of normalisation that are not the neutral ones a new network has."""
    rng = np.random.default_rng(5)
    net.set_weights(
        [rng.uniform(0.1, 1, weight.shape) if weight.ndim == 1 else weight for weight in net.get_weights()]
    )
    return net


NETWORKS = {
    "small VGG": (
        lambda: small_vgg(n_classes=4, widths=(4, 4, 12), dense=8),
        "block2_conv3",
        "running-sum",
        255,
    ),
    "small VGG, earlier layer": (
        lambda: small_vgg(n_classes=4, widths=(4, 6, 8), dense=8),
        "block2_conv2",
        "masked-tail",
        255,
    ),
    "normalised, tanh": (
        lambda: sequential(
            L.BatchNormalization(),
            L.AveragePooling2D(2),
            L.Flatten(),
            L.Dense(7, "tanh"),
            L.BatchNormalization(),
            L.Dense(4, "softmax"),
        ),
        "conv",
        "running-sum",
        1,
    ),
    "dense and softmax layer": (
        lambda: sequential(L.GlobalMaxPooling2D(), L.Dense(4, use_bias=False), L.Softmax()),
        "conv",
        "running-sum",
        9,
    ),
    "softmax in the middle": (
        lambda: sequential(L.Flatten(), L.Dense(5), L.Softmax(), L.Dense(4, "relu"), L.Dense(3)),
        "conv",
        "running-sum",
        9,
    ),
    "softmax then reshape": (
        lambda: sequential(L.Conv2D(4, 6), L.Activation("softmax"), L.Flatten()),
        "conv",
        "masked-tail",
        9,
    ),
    "inner branch": (lambda: residual(softmax=True), "inner_relu", "masked-model", 3),
    "block output": (residual, "add", "masked-tail", 3),
}


@pytest.mark.parametrize("mode", ["remove", "insert"])
@pytest.mark.parametrize("name", NETWORKS)
def test_every_engine_agrees_with_brute_force(name, mode):
    make, layer, engine, scale = NETWORKS[name]
    split, maps, labels, order = setting(stirred(seeded(make)), layer, scale=scale)
    curve = ablation_curve(split, maps, labels, order, mode)
    correct, losses = brute_force(split, maps, labels, order, mode)
    assert curve.engine == engine and np.ptp(losses) > 0.01
    assert np.array_equal(curve.correct, correct)
    np.testing.assert_allclose(curve.losses, losses, atol=1e-5)


@pytest.mark.parametrize("mode", ["remove", "insert"])
@pytest.mark.parametrize("name", ["small VGG", "small VGG, earlier layer", "inner branch", "block output"])
def test_fewer_points_are_exact_where_they_are(name, mode):
    """Every part of the whole curve at 0, a few evenly spaced numbers and u."""
    make, layer, engine, scale = NETWORKS[name]
    split, maps, labels, order = setting(stirred(seeded(make)), layer, scale=scale)
    asked = {"mode": mode, "negatives": maps[:3], "target": int(labels[0])}
    whole, few = (
        ablation_curve(split, maps, labels, order, **asked),
        ablation_curve(split, maps, labels, order, points=4, **asked),
    )
    assert few.engine == engine and whole.points.tolist() == list(range(split.n_units + 1))
    assert few.points.tolist() == np.linspace(0, split.n_units, 4).round().tolist()
    assert len(np.unique(whole.losses[few.points], axis=0)) > 2
    for part in ("losses", "label_logits"):
        np.testing.assert_allclose(getattr(few, part), getattr(whole, part)[few.points], atol=1e-5)
    for part in ("correct", "in_top5", "chosen", "accuracy", "balanced_accuracy"):
        assert np.array_equal(getattr(few, part), getattr(whole, part)[few.points]), part


@pytest.mark.parametrize("mode", ["remove", "insert"])
def test_fewer_points_see_units_that_are_dead_on_some_images(mode):
    """Nine units at 0, 4 and 9, so that what is gone and what has come differ; on each image another two
    units are alone alive.
    """
    split, maps, labels, order = setting(seeded(small_vgg, 4, (4, 9, 8), 8), "block2_conv2", n=9, scale=255)
    alive = (np.arange(9)[:, None] - np.arange(9)) % 9 < 2
    maps = (maps + 1) * alive[:, None, None]
    whole, few = (ablation_curve(split, maps, labels, order, mode, points=points) for points in (None, 3))
    assert few.points.tolist() == [0, 4, 9]
    np.testing.assert_allclose(few.losses, whole.losses[[0, 4, 9]], atol=1e-5)
    assert np.array_equal(few.correct, whole.correct[[0, 4, 9]]) and np.ptp(whole.losses, axis=0).min() > 0.01


def test_as_many_points_as_states_are_the_whole_curve_and_fewer_cost_less(monkeypatch):
    split, maps, labels, order = setting(seeded(small_vgg, 8, (4, 10, 10), 8), "block2_conv2", n=9, scale=255)
    evaluated, original = [], engines.MaskedEngine._outputs
    monkeypatch.setattr(
        engines.MaskedEngine,
        "_outputs",
        lambda self, rows, images: evaluated.append(len(rows)) or original(self, rows, images),
    )
    whole = ablation_curve(split, maps, labels, order)
    states = sum(evaluated)
    assert np.array_equal(ablation_curve(split, maps, labels, order, points=50).losses, whole.losses)
    evaluated.clear()
    ablation_curve(split, maps, labels, order, points=3)
    assert sum(evaluated) <= 3 * 9 + 1 < states  # one is the guard's


@pytest.mark.parametrize("replacement", ["mean-map", "mean-value", "per unit"])
@pytest.mark.parametrize("layer", ["block2_conv3", "block2_conv2"])
def test_replacements_agree_with_brute_force(layer, replacement):
    split, maps, labels, order = setting(seeded(small_vgg, 4, (4, 6, 6), 8), layer, scale=255)
    fill = {
        "mean-map": maps.mean(axis=0),
        "mean-value": maps.mean(axis=(0, 1, 2)),
        "per unit": np.linspace(0, 2, 6),
    }[replacement]
    given = fill if replacement == "per unit" else replacement
    for mode in ("remove", "insert"):
        curve = ablation_curve(split, maps, labels, order, mode, replacement=given)
        np.testing.assert_allclose(
            curve.losses, brute_force(split, maps, labels, order, mode, fill)[1], atol=1e-5
        )


@pytest.mark.parametrize(
    ("application", "layer", "engine"),
    [
        ("MobileNet", "conv_pw_12_relu", "masked-tail"),
        ("DenseNet121", "conv5_block16_concat", "running-sum"),
        ("EfficientNetB0", "top_activation", "running-sum"),
        ("VGG16", "block5_conv3", "running-sum"),
        ("ResNet50", "conv5_block3_out", "running-sum"),
        ("ResNet50", "conv5_block2_out", "masked-tail"),
        ("ResNet50", "conv5_block3_1_relu", "masked-model"),
    ],
)
def test_networks_of_keras_applications(application, layer, engine):
    """A few points of the curve of a whole network, each with one forward pass of its tail."""
    small = {"alpha": 0.25} if application == "MobileNet" else {}
    net = seeded(
        getattr(keras.applications, application), weights=None, input_shape=(32, 32, 3), classes=7, **small
    )
    split, maps, labels, order = setting(net, layer, n=2, scale=2)
    curve = ablation_curve(split, maps, labels, order)
    assert curve.engine == engine
    for k in (0, split.n_units // 3, split.n_units):
        masked = np.asarray(maps) * np.isin(np.arange(split.n_units), order[k:])
        loss = -np.log(
            split.predict(with_images(masked, maps.images) if engine == "masked-model" else masked)[
                np.arange(2), labels
            ]
        )
        np.testing.assert_allclose(curve.losses[k], loss, rtol=1e-6, atol=1e-5)


def test_what_is_kept_of_a_network_is_not_taken_for_one_of_equal_weights(tmp_path):
    maps, curves = np.random.default_rng(0).random((3, 5, 5, 2), np.float32), []
    for activation in ("relu", "tanh"):
        keras.utils.set_random_seed(0)
        layers = [keras.layers.Flatten(), keras.layers.Dense(4, activation), keras.layers.Dense(2)]
        network = keras.Sequential([keras.Input((5, 5, 3)), keras.layers.Conv2D(2, 1, name="c"), *layers])
        curves.append(ablation_curve(split_model(network, "c"), maps, 0, [0, 1], cache=tmp_path))
    assert np.abs(curves[0].losses - curves[1].losses).max() > 1e-3


@pytest.mark.parametrize("name", ["small VGG", "inner branch"])
def test_results_are_kept_by_everything_they_depend_on(name, tmp_path, monkeypatch):
    make, layer, _, scale = NETWORKS[name]
    split, maps, labels, order = setting(stirred(seeded(make)), layer, scale=scale)
    settings = {"negatives": maps[:2], "target": 1, "cache": tmp_path}

    def curve(order=order, labels=labels, **changed):
        return ablation_curve(split, maps, labels, order, **{**settings, **changed})

    def files():
        return len(list(tmp_path.glob("curves-*.npz")))

    first = curve()
    work, engine = [], engines.open_engine
    monkeypatch.setattr("unitnb.ablation.cumulative.open_engine", lambda *a: work.append(1) or engine(*a))
    again = curve()
    assert files() == 1 and not work
    for part in ("correct", "losses", "label_logits", "in_top5", "chosen", "positive"):
        assert np.array_equal(getattr(again, part), getattr(first, part)), part
    (
        curve(order[::-1]),
        curve(labels=(labels + 1) % 3),
        curve(mode="insert"),
        curve(replacement="mean-map"),
        curve(negatives=maps[1:3]),
    )
    assert files() == 6
    assert len(curve(points=3).losses) == len(curve(points=3).points) == 3
    known = files()
    assert known == 7
    split.model.set_weights([w * 1.5 for w in split.model.get_weights()])
    assert not np.array_equal(curve().losses, first.losses) and files() == known + 1
    monkeypatch.setattr("unitnb.ablation.cumulative.ENGINE_VERSION", 99)
    curve()
    assert files() == known + 2


# ---- a network whose curve is derived on paper ----
def voting_model():
    """Units are the colours: logit 0 sums red and green, logit 1 sums blue, over 2x2 pixels."""
    net = keras.Sequential(
        [keras.Input((2, 2, 3)), L.Conv2D(3, 1, activation="relu", name="colours"), L.Flatten(), L.Dense(2)]
    )
    net.layers[0].set_weights([np.eye(3).reshape(1, 1, 3, 3), np.zeros(3)])
    votes = np.tile([[1, 0], [1, 0], [0, 1]], (4, 1))
    net.layers[-1].set_weights([votes, np.zeros(2)])
    return split_model(net, "colours")


def test_curve_derived_on_paper():
    """Logits (4(r + g), 4b) for uniform colours, with units removed in the order red, blue, green."""
    split = voting_model()
    maps = split.feature_maps(np.ones((2, 2, 2, 3)) * np.array([[2, 1, 2], [0, 1, 2]]).reshape(2, 1, 1, 3))
    curve = ablation_curve(split, maps, 0, [0, 2, 1])
    #                 all        red gone   blue gone   none (a tie, which class 0 wins)
    margins = np.array([[12 - 8, 4 - 8], [4 - 8, 4 - 8], [4, 4], [0, 0]])
    np.testing.assert_allclose(curve.losses, np.log1p(np.exp(-margins.astype(float))), atol=1e-6)
    assert curve.correct.tolist() == [[True, False], [False, False], [True, True], [True, True]]
    assert curve.accuracy.tolist() == [0.5, 0, 1, 1] and curve.target_logit.tolist() == [8, 4, 4, 0]
    assert curve.engine == "running-sum" and curve.top5 is None


def test_rates_derived_on_paper():
    """Negatives are blue images; they are taken for class 0 once blue is gone."""
    split = voting_model()
    colours = np.array([[2, 1, 2], [0, 1, 2], [0, 0, 1], [1, 0, 3], [0, 1, 1.5]])
    maps = split.feature_maps(np.ones((5, 2, 2, 3)) * colours.reshape(5, 1, 1, 3))
    curve = ablation_curve(split, maps[:2], 0, [0, 2, 1], negatives=maps[2:])
    assert curve.false_positive_rate.tolist() == [0, 0, 1, 1]
    np.testing.assert_array_equal(curve.precision, [1, np.nan, 0.4, 0.4])
    assert curve.balanced_accuracy.tolist() == [0.75, 0.5, 0.5, 0.5]
    together = ablation_curve(split, maps, np.array([0, 0, 1, 1, 1]), [0, 2, 1], target=0)
    assert together.balanced_accuracy.tolist() == curve.balanced_accuracy.tolist()
    assert together.accuracy.tolist() == [0.8, 0.6, 0.4, 0.4]
    assert ablation_curve(split, maps[:2], 0, [0, 2, 1]).balanced_accuracy is None


# ---- relations ----
@pytest.fixture(scope="module")
def case():
    return setting(seeded(small_vgg, 8, (4, 4, 10), 8), "block2_conv3", n=9, scale=255)


def test_insertion_is_removal_of_the_reversed_order_read_backwards(case):
    split, maps, labels, order = case
    insert, remove = (
        ablation_curve(split, maps, labels, order, "insert"),
        ablation_curve(split, maps, labels, order[::-1], "remove"),
    )
    assert np.array_equal(insert.losses, remove.losses[::-1])
    assert (insert.units_to_lose(), insert.collapse_width()) == (
        remove.units_to_lose(),
        remove.collapse_width(),
    )


@pytest.mark.parametrize("layer", ["block2_conv3", "block2_conv2"])
def test_blocks_do_not_change_the_curve(layer, monkeypatch):
    split, maps, labels, order = setting(seeded(small_vgg, 8, (4, 10, 10), 8), layer, n=9, scale=255)
    whole = ablation_curve(split, maps, labels, order)
    monkeypatch.setattr(engines, "MAPS_BYTES", 3 * 4 * 10 * 14 * 14)  # blocks of 3 images
    monkeypatch.setattr(engines, "TERMS_BYTES", 4 * 4 * 10 * (8 + 3 * 14 * 14))  # blocks of 4
    monkeypatch.setattr(engines, "DENSE_ROWS", 7)  # which 4 does not divide, so states are carried over
    np.testing.assert_allclose(ablation_curve(split, maps, labels, order).losses, whole.losses, atol=1e-5)


def test_several_orders_at_once_are_the_orders_one_by_one(case):
    split, maps, labels, order = case
    for together, given in zip(
        ablation_curves(split, maps, labels, [order, order[::-1]]), (order, order[::-1]), strict=True
    ):
        assert np.array_equal(together.losses, ablation_curve(split, maps, labels, given).losses)
        assert np.array_equal(together.order, given)


def test_permuting_the_images_permutes_the_outcomes(case):
    split, maps, labels, order = case
    shuffle = np.random.default_rng(1).permutation(9)
    shuffled = ablation_curve(split, maps[shuffle], labels[shuffle], order)
    np.testing.assert_allclose(
        shuffled.losses, ablation_curve(split, maps, labels, order).losses[:, shuffle], atol=1e-5
    )


@pytest.mark.parametrize("layer", ["block2_conv3", "block2_conv2"])
def test_dead_units_cost_nothing(layer, monkeypatch):
    """Eight of ten units are dead on all images, one more on two of three: 3 + 3 + 1 states are evaluated,
    not 33, and one by the guard.
    """
    split, maps, labels, order = setting(seeded(small_vgg, 4, (4, 10, 10), 8), layer, n=3, scale=255)
    maps = maps * (np.arange(10) < 2) + (np.arange(10) < 2)
    maps[1:, :, :, 1] = 0
    engine, evaluated = (engines.RunningSumEngine if layer == "block2_conv3" else engines.MaskedEngine), []
    original = engine._outputs
    monkeypatch.setattr(
        engine,
        "_outputs",
        lambda self, rows, images: evaluated.append(len(rows)) or original(self, rows, images),
    )
    monkeypatch.setattr(walks, "small_tail", lambda engine: None)  # in NumPy, whose calls can be counted
    curve = ablation_curve(split, maps, labels, order)
    assert sum(evaluated) == 7 + 1  # the guard's
    np.testing.assert_allclose(curve.losses, brute_force(split, maps, labels, order, "remove")[1], atol=1e-5)


def test_rounding_stays_small_over_a_thousand_units():
    """Large terms that cancel: the state without units must come out as the bias alone, and all states within
    1e-6 of float64.
    """
    rng = np.random.default_rng(0)
    net = keras.Sequential(
        [
            keras.Input((2, 2, 1000)),
            L.Activation("linear", name="units"),
            L.GlobalAveragePooling2D(),
            L.Dense(3),
        ]
    )
    net.layers[-1].set_weights([rng.normal(size=(1000, 3)), np.array([0.5, 0, -0.5])])
    split, order = split_model(net, "units"), rng.permutation(1000)
    maps = rng.uniform(0, 1, (4, 2, 2, 1000)).astype(np.float32)
    curve = ablation_curve(split, maps, 0, order)
    kernel, bias = (weight.astype(np.float64) for weight in net.get_weights())
    terms = maps.astype(np.float64).mean(axis=(1, 2))[:, order, None] * kernel[order]
    logits = bias + np.concatenate([np.cumsum(terms[:, ::-1], axis=1)[:, ::-1], np.zeros((4, 1, 3))], axis=1)
    probability = (np.exp(logits) / np.exp(logits).sum(axis=2, keepdims=True))[:, :, 0].T
    assert np.abs(np.exp(-curve.losses.astype(np.float64)) - probability).max() < 1e-6


def test_the_model_is_untouched_also_when_interrupted(case, monkeypatch):
    split, maps, labels, order = case
    weights, output = split.model.get_weights(), split.predict(maps)

    def interrupt(self, rows, images):
        raise KeyboardInterrupt

    ablation_curve(split, maps, labels, order)
    monkeypatch.setattr(engines.RunningSumEngine, "_outputs", interrupt)
    with pytest.raises(KeyboardInterrupt):
        ablation_curve(split, maps, labels, order)
    assert all(np.array_equal(a, b) for a, b in zip(weights, split.model.get_weights(), strict=True))
    assert np.array_equal(output, split.predict(maps))


def test_small_products_run_on_one_thread(case, monkeypatch):
    """Two threads on small products wait for each other, eight times as long where something else runs
    beside.
    """
    from threadpoolctl import threadpool_info

    def blas_threads():
        return {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}

    before, seen, logits = blas_threads(), [], engines.RunningSumEngine._outputs
    monkeypatch.setattr(
        engines.RunningSumEngine, "_outputs", lambda self, *a: seen.append(blas_threads()) or logits(self, *a)
    )
    ablation_curve(*case)
    assert seen and all(threads == {1} for threads in seen) and blas_threads() == before
    wide = L.Dense(1000)
    wide.build((None, 4096))
    assert (
        dense_steps.blas_threads(0, [SimpleNamespace(operation=wide)]) is None
    )  # as in VGG16: there threads pay


def test_progress_is_silent_unless_asked(case, capsys, monkeypatch):
    monkeypatch.delenv("UNITNB_PROGRESS", raising=False)
    ablation_curve(*case)
    assert capsys.readouterr().err == ""
    monkeypatch.setenv("UNITNB_PROGRESS", "1")
    ablation_curve(*case)  # too short for a bar
    assert capsys.readouterr().err == ""
    monkeypatch.setattr("unitnb.files.progress.DELAY", 0.0)
    ablation_curve(*case)
    assert "unit" in capsys.readouterr().err


# ---- the numbers of a curve ----
def curve_of(correct, mode="remove", losses=None, **known):
    correct = np.asarray(correct, bool)
    losses = np.where(correct, 0.1, 2.0).astype(np.float32) if losses is None else losses
    return Curve(
        mode, np.arange(len(correct) - 1), "running-sum", 10, correct, losses, losses, correct, **known
    )


def stairs(accuracies, n=10):
    """Per-image outcomes with these accuracies."""
    return [[i < round(a * n) for i in range(n)] for a in accuracies]


def test_numbers_read_off_a_curve():
    curve = curve_of(stairs([0.6, 0.8, 1.0, 0.9, 0.4, 0.1, 0.0]))
    assert curve.area() == pytest.approx((0.3 + 0.8 + 1.0 + 0.9 + 0.4 + 0.1 + 0) / 6)
    assert curve.peak() == (2, 1.0)
    assert curve.peak("loss") == (6, 2.0)
    assert curve.units_to_lose() == 6 and curve.units_to_lose(0.3) == 4 and curve.units_to_lose(0) == 0
    assert curve.collapse_width() == 2  # from k = 3 (0.9) to k = 5 (0.1)
    assert curve_of(stairs([0.6, 0.5])).units_to_lose() == np.inf
    assert curve_of(stairs([1.0, 0.5])).collapse_width() == np.inf


def test_what_is_read_off_a_curve_of_fewer_points_is_in_units():
    """The stairs of the test before at 0, 2, 4, 5 and 6 of six units."""
    points = np.array([0, 2, 4, 5, 6])
    curve = curve_of(stairs([0.6, 1.0, 0.4, 0.1, 0.0]), points=points)
    assert curve.area() == pytest.approx((0.8 * 2 + 0.7 * 2 + 0.25 + 0.05) / 6)
    assert curve.peak() == (2, 1.0) and curve.units_to_lose() == 6 and curve.units_to_lose(0.3) == 4
    assert curve.collapse_width() == 3  # from 2 units to 5
    inserted = curve_of(stairs([0.0, 0.1, 0.4, 1.0, 0.6]), "insert", points=6 - points[::-1])
    assert inserted.units_to_lose() == 6 and inserted.collapse_width() == 3 and inserted.peak() == (4, 1.0)
    whole = curve_of(stairs([0.6, 0.8, 1.0, 0.9, 0.4]))
    with pytest.raises(ValueError, match="expected the same units and images"):
        area_difference(curve_of(stairs([0.6, 1.0, 0.4, 0.1, 0.0]), points=points), whole)


def test_a_filled_curve_is_straight_between_its_points():
    points, rng = np.array([0, 2, 4, 5, 6]), np.random.default_rng(0)
    own, others = np.array(stairs([0.6, 1.0, 0.4, 0.1, 0.0])), np.array(stairs([0.1, 0.4, 0.2, 0.6, 0.3], 8))
    known = {"chosen": np.hstack([own, others]), "positive": np.arange(18) < 10}
    few = curve_of(own, losses=rng.random((5, 10), dtype=np.float32), points=points, **known)
    filled = few.filled()
    assert filled.points.tolist() == list(range(7)) and filled.evaluated is points and few.evaluated is None
    for metric in ("accuracy", "loss", "target_logit", "balanced_accuracy", "false_positive_rate"):
        straight = np.interp(np.arange(7), points, getattr(few, metric))
        np.testing.assert_allclose(getattr(filled, metric), straight, atol=1e-6, err_msg=metric)
        assert filled.area(metric) == pytest.approx(few.area(metric), abs=1e-6)
    both = np.mean([group.mean(axis=1) for group in filled.answers], axis=0)
    np.testing.assert_allclose(both, filled.balanced_accuracy, atol=1e-6)
    assert filled.units_to_lose(0.3) == 4 and np.array_equal(filled.filled().losses, filled.losses)


def test_knots_are_the_points_of_filled_curves():
    split, maps, labels, order = setting(seeded(small_vgg, 4, (4, 9, 8), 8), "block2_conv2", n=9, scale=255)
    few, filled = (ablation_curve(split, maps, labels, order, **{name: 4}) for name in ("points", "knots"))
    assert filled.evaluated.tolist() == few.points.tolist() == [0, 3, 6, 9]
    assert np.array_equal(filled.losses, few.filled().losses) and np.ptp(few.losses) > 0.01


def test_only_a_tail_that_is_run_again_has_knots():
    profile = SimpleNamespace(points=17)
    knots = {
        engine: [curve_knots(profile, SimpleNamespace(engine=engine), most) for most in (None, 9, 33)]
        for engine in ("running-sum", "masked-tail", "masked-model")
    }
    assert knots["running-sum"] == [None, 9, 33] and knots["masked-tail"] == [17, 9, 17]
    assert knots["masked-model"] == knots["masked-tail"]
    assert curve_knots(SimpleNamespace(points=None), SimpleNamespace(engine="masked-tail")) is None


def test_an_inserted_curve_is_read_backwards():
    curve = curve_of(stairs([0.0, 0.1, 0.4, 0.9, 1.0, 0.8, 0.6]), "insert")
    assert curve.units_to_lose() == 6 and curve.collapse_width() == 2 and curve.peak() == (4, 1.0)


def test_bootstrap_covers_the_binomial_interval():
    """Accuracy 0.5 of 100 images: standard error 0.05, so the 95% interval is 0.4 to 0.6."""
    curve = curve_of(stairs([0.5, 0.5], 100))
    low, high = curve.bootstrap(lambda c: c.accuracy[0])
    assert (low, high) == pytest.approx((0.4, 0.6), abs=0.02)
    assert (
        (low, high)
        == curve.bootstrap(lambda c: c.accuracy[0])
        != curve.bootstrap(lambda c: c.accuracy[0], seed=1)
    )
    np.testing.assert_allclose(curve.band(), [[0.4, 0.4], [0.6, 0.6]], atol=0.02)


def test_bootstrap_of_certain_outcomes_has_no_width():
    curve = curve_of(stairs([1, 0]))
    assert curve.bootstrap(Curve.area) == (0.5, 0.5)
    assert curve_of(stairs([1, 1])).bootstrap(Curve.units_to_lose) == (np.inf, np.inf)


def test_bootstrap_draws_positives_and_negatives_apart():
    """Recall is certain and the false-positive rate is 0.5 of 100: balanced accuracy has half its standard
    error, 0.025.
    """
    chosen = np.array([[True] * 5 + [True, False] * 50] * 2)
    curve = curve_of([[True] * 5] * 2, chosen=chosen, positive=np.arange(105) < 5)
    low, high = curve.bootstrap(lambda c: c.balanced_accuracy[0])
    assert (low, high) == pytest.approx((0.7, 0.8), abs=0.01)


def test_difference_of_areas_is_paired_over_images():
    """Each image lasts one step longer in the first curve: the difference is 1/4 whichever images are drawn,
    though the areas vary.
    """
    longer, shorter = ([[k < last for last in lasts] for k in range(5)] for lasts in ([2, 3, 4], [1, 2, 3]))
    difference, low, high = area_difference(curve_of(longer), curve_of(shorter))
    assert (difference, low, high) == pytest.approx((0.25, 0.25, 0.25))
    low, high = curve_of(longer).bootstrap(Curve.area)
    assert high - low > 0.2
    apart = area_difference(curve_of(stairs([0.5, 0.5], 100)), curve_of([[i >= 50 for i in range(100)]] * 2))
    assert apart == pytest.approx(
        (0, -0.2, 0.2), abs=0.03
    )  # other images: the standard error is that of the sum, 0.1
    with pytest.raises(ValueError, match="expected the same units and images"):
        area_difference(curve_of(longer), curve_of(stairs([1, 0])))


def test_answers_make_the_balanced_accuracy():
    rng = np.random.default_rng(0)
    chosen, positive = rng.random((4, 30)) < 0.5, np.arange(30) < 12
    curve = curve_of(chosen[:, :12], chosen=chosen, positive=positive)
    own, others = curve.answers
    assert own.shape == (4, 12) and others.shape == (4, 18)
    np.testing.assert_allclose((own.mean(axis=1) + others.mean(axis=1)) / 2, curve.balanced_accuracy)
    assert len(curve_of(stairs([1, 0])).answers) == 1


def test_top5_counts_the_label_among_five():
    """Logits 0..6 times the light of the only unit: label 2 is fifth, label 1 sixth."""
    net = keras.Sequential(
        [keras.Input((1, 1, 1)), L.Activation("relu", name="light"), L.Flatten(), L.Dense(7)]
    )
    net.layers[-1].set_weights([np.arange(7.0)[None], np.zeros(7)])
    split, maps = split_model(net, "light"), np.ones((2, 1, 1, 1), np.float32)
    assert ablation_curve(split, maps, [2, 1], [0]).top5.tolist() == [0.5, 1.0]


# ---- what is refused ----
@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"order": [0, 1, 1]}, r"misses \[2\], repeats \[1\]"),
        ({"order": [0, 1]}, r"2 entries for 3 units: it misses \[2\]"),
        ({"order": [0, 1, 5]}, r"unknown \[5\]"),
        ({"order": [0.0, 1.0, 2.0]}, "float64"),
        ({"labels": 2}, "classes 0 to 1"),
        ({"labels": [0, -1]}, "labels go from -1"),
        ({"labels": [0]}, "one integer for each of 2 maps"),
        ({"labels": [0.0, 1.0]}, "float64"),
        ({"mode": "delete"}, "'remove' or 'insert'"),
        ({"replacement": "median"}, "mean-map"),
        ({"replacement": [1, 2]}, r"shape \(2,\); expected \(3,\)"),
        ({"maps": np.ones((2, 12))}, r"shape \(2, 12\); expected \(n, 2, 2, 3\)"),
        ({"maps": np.ones((2, 3, 3, 3))}, r"expected \(n, 2, 2, 3\)"),
        ({"maps": np.ones((0, 2, 2, 3)), "labels": []}, "n >= 1"),
        ({"maps": np.full((2, 2, 2, 3), np.nan)}, "image 0, unit 0"),
        ({"negatives": np.ones((2, 2, 2, 3)), "labels": [0, 1]}, "no target"),
        ({"target": 2}, "target is 2"),
        ({"points": 1}, "points is 1; expected 2 or more"),
    ],
)
def test_bad_input_is_explained(change, message):
    given = {"maps": np.ones((2, 2, 2, 3), np.float32), "labels": 0, "order": [0, 1, 2]} | change
    with pytest.raises(ValueError, match=message):
        ablation_curve(voting_model(), **given)


def test_maps_of_an_inner_branch_need_their_images():
    split = split_model(residual(), "inner")
    with pytest.raises(ValueError, match="with_images"):
        ablation_curve(split, np.zeros((2, 8, 8, 5), np.float32), 0, np.arange(5))
