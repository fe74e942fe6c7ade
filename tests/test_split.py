"""Splitting: head then tail is the model, whatever its shape; and what cannot be split says so."""

import keras
import numpy as np
import pytest

from unitnb.networks import split as models
from unitnb.networks.image_maps import ImageMaps, with_images
from unitnb.networks.split import split_model
from unitnb.networks.vgg import small_vgg, vgg16

L = keras.layers


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(1)
    return small_vgg(n_classes=3, widths=(4, 4, 6), dense=5)


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(0).integers(0, 256, (7, 32, 32, 3)).astype(np.uint8)


def residual(softmax=False):
    """conv1 feeds a branch (inner -> inner_relu -> outer) and a shortcut; they meet in ``add``, which cuts
    the graph.
    """
    keras.utils.set_random_seed(2)
    entry = keras.Input((8, 8, 3))
    trunk = L.Conv2D(4, 3, padding="same", activation="relu", name="conv1")(entry)
    inner = L.ReLU(name="inner_relu")(
        L.BatchNormalization(name="inner_bn")(L.Conv2D(5, 3, padding="same", name="inner")(trunk))
    )
    joined = L.Add(name="add")([trunk, L.Conv2D(4, 1, name="outer")(inner)])
    features = L.GlobalAveragePooling2D(name="pool")(
        L.Conv2D(6, 3, activation="relu", name="last")(L.ReLU(name="joined_relu")(joined))
    )
    return keras.Model(entry, L.Dense(3, activation="softmax" if softmax else None, name="out")(features))


def test_head_then_tail_is_the_model(model, images):
    split = split_model(model, "block2_conv3")
    maps = split.feature_maps(images)
    assert maps.dtype == np.float32 and maps.shape == (7, 14, 14, 6) and maps.min() == 0
    assert (split.n_units, split.n_classes, split.map_shape, split.layer) == (
        6,
        3,
        (14, 14, 6),
        "block2_conv3",
    )
    np.testing.assert_allclose(split.predict(maps), model.predict(images, verbose=0), atol=1e-5)


def test_maps_do_not_depend_on_the_batch_size(model, images):
    split = split_model(model, "block2_conv3")
    for batch_size in (1, 3, 7):
        np.testing.assert_allclose(
            split.feature_maps(images, batch_size), split.feature_maps(images), atol=1e-5
        )


def test_a_map_is_the_convolution_after_its_activation():
    """One 1x1 filter of weight 2 and bias -6 on grey levels 0..8: max(0, 2x - 6)."""
    net = keras.Sequential(
        [keras.Input((3, 3, 1)), L.Conv2D(1, 1, activation="relu", name="conv"), L.Flatten(), L.Dense(2)]
    )
    net.get_layer("conv").set_weights([np.full((1, 1, 1, 1), 2.0), np.array([-6.0])])
    maps = split_model(net, "conv").feature_maps(np.arange(9).reshape(1, 3, 3, 1))
    assert maps.ravel().tolist() == [0, 0, 0, 0, 2, 4, 6, 8, 10]


def test_a_linear_layer_gives_linear_maps_and_its_relu_layer_rectified_ones():
    net = residual()
    images = np.random.default_rng(0).normal(size=(3, 8, 8, 3))
    linear, rectified = (split_model(net, name).feature_maps(images) for name in ("inner_bn", "inner_relu"))
    assert linear.min() < 0
    np.testing.assert_allclose(np.maximum(linear, 0), rectified, atol=1e-6)


@pytest.mark.parametrize(
    ("layer", "engine"),
    [
        ("conv1", "masked-tail"),
        ("inner", "masked-model"),
        ("outer", "masked-model"),
        ("add", "masked-tail"),
        ("last", "running-sum"),
    ],
)
def test_the_engine_follows_from_the_graph(layer, engine):
    net = residual()
    split = split_model(net, layer)
    images = np.random.default_rng(0).normal(size=(3, 8, 8, 3)).astype(np.float32)
    assert split.engine == engine
    np.testing.assert_allclose(
        split.predict(split.feature_maps(images)), net.predict(images, verbose=0), atol=1e-5
    )


@pytest.mark.parametrize(
    ("tail", "engine"),
    [
        ([L.MaxPooling2D, L.BatchNormalization, L.Flatten, lambda: L.Dense(3)], "running-sum"),
        (
            [L.GlobalMaxPooling2D, lambda: L.Dropout(0.5), lambda: L.Dense(4, "tanh"), lambda: L.Dense(3)],
            "running-sum",
        ),
        ([L.Flatten, lambda: L.Dense(3), L.Softmax], "running-sum"),
        (
            [lambda: L.Activation("softmax"), L.Flatten, lambda: L.Dense(3)],
            "masked-tail",
        ),  # a softmax over the units mixes them
        ([lambda: L.GlobalAveragePooling2D(keepdims=True), lambda: L.Dense(3), L.Flatten], "masked-tail"),
        ([lambda: L.Conv2D(3, 1), L.GlobalAveragePooling2D], "masked-tail"),
        ([lambda: L.Dense(3), L.GlobalAveragePooling2D], "masked-tail"),
    ],
)
def test_only_per_channel_layers_before_one_flattening_allow_the_running_sum(tail, engine):
    net = keras.Sequential([keras.Input((6, 6, 3)), L.Conv2D(4, 3, name="conv"), *(make() for make in tail)])
    assert split_model(net, "conv").engine == engine


def test_splitting_again_and_again_leaves_the_model_alone(model, images):
    weights, output = model.get_weights(), model.predict(images, verbose=0)
    for layer in ("block2_conv3", "block1_pool", "block2_conv3"):
        split_model(model, layer).predict(split_model(model, layer).feature_maps(images))
    assert all(np.array_equal(a, b) for a, b in zip(weights, model.get_weights(), strict=True))
    assert np.array_equal(output, model.predict(images, verbose=0))


def test_maps_of_an_inner_branch_keep_their_images_when_sliced():
    images = np.random.default_rng(0).normal(size=(5, 8, 8, 3)).astype(np.float32)
    split = split_model(residual(), "inner")
    maps = split.feature_maps(images)
    whole = split.predict(maps)
    for key in (
        slice(1, 4),
        [3, 0],
        np.array([False, True, False, False, True]),
        (slice(None, None, -1), slice(None)),
    ):
        rows = key[0] if isinstance(key, tuple) else key
        np.testing.assert_allclose(split.predict(maps[key]), whole[rows], atol=1e-5)
    np.testing.assert_allclose(split.predict(with_images(np.asarray(maps), images)), whole, atol=1e-5)
    assert isinstance(maps, ImageMaps) and (maps * 2).images is None and maps[0].images is None


def test_maps_of_an_inner_branch_without_images_are_refused():
    split = split_model(residual(), "inner")
    with pytest.raises(ValueError, match="with_images"):
        split.predict(np.zeros((2, 8, 8, 5), np.float32))
    with pytest.raises(ValueError, match="2 maps came with 3 images"):
        with_images(np.zeros((2, 8, 8, 5)), np.zeros((3, 8, 8, 3)))


def test_an_unknown_layer_is_named_with_the_nearest(model):
    with pytest.raises(
        KeyError,
        match="'block1_conv3' is no layer of 'small_vgg'. Nearest: [^.]*block1_conv1.*maps: .*block2_pool",
    ):
        split_model(model, "block1_conv3")


def test_a_layer_without_maps_is_refused(model):
    with pytest.raises(ValueError, match=r"'fc1' is \(None, 5\), not 4-D"):
        split_model(model, "fc1")


def test_maps_that_are_not_square_are_refused():
    net = keras.Sequential([keras.Input((6, 8, 3)), L.Conv2D(4, 3, name="conv"), L.Flatten(), L.Dense(2)])
    with pytest.raises(ValueError, match="'conv' are 4x6; they must be square"):
        split_model(net, "conv")


def test_a_model_that_is_no_graph_is_refused():
    with pytest.raises(ValueError, match="not a graph of layers: it is not built"):
        split_model(keras.Sequential([L.Conv2D(4, 3, name="conv")]), "conv")


def layers_of(net):
    """All but the entry and the dropout, which have no weights."""
    return [
        layer
        for layer in net.layers
        if not isinstance(layer, (L.InputLayer, L.Dropout)) and layer.name != "standardize"
    ]


def test_vgg16_at_width_1_has_the_layers_shapes_and_parameters_of_keras():
    ours, theirs = vgg16(), keras.applications.VGG16(weights=None)
    assert [layer.name for layer in layers_of(ours)] == [layer.name for layer in layers_of(theirs)]
    assert [layer.output.shape for layer in layers_of(ours)] == [
        layer.output.shape for layer in layers_of(theirs)
    ]
    assert [w.shape for w in ours.weights] == [w.shape for w in theirs.weights]
    assert ours.count_params() == theirs.count_params() == 138_357_544


def test_vgg16_with_the_weights_of_keras_gives_its_answers():
    theirs = keras.applications.VGG16(
        weights=None, input_shape=(32, 32, 3), classes=5, classifier_activation=None
    )
    ours = vgg16(input_size=32, n_classes=5)
    ours.set_weights(theirs.get_weights())
    images = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3)).astype(np.uint8)
    standard = (images - images.mean(axis=(1, 2, 3), keepdims=True)) / images.std(
        axis=(1, 2, 3), keepdims=True
    )
    np.testing.assert_allclose(
        ours.predict(images, verbose=0), theirs.predict(standard, verbose=0), rtol=1e-4, atol=1e-7
    )


def test_a_narrow_vgg16_has_maps_of_14x14_and_the_running_sum_engine():
    split = split_model(vgg16(width=1 / 8, n_classes=10), "block5_conv3")
    assert split.map_shape == (14, 14, 64) and split.engine == "running-sum"
    assert [w.shape[-1] for w in split.model.weights[:4:2]] == [8, 8]
    for wrong in ({"width": 0}, {"input_size": 31}):
        with pytest.raises(ValueError, match="expected a width above 0 and images of at least 32 pixels"):
            vgg16(**wrong)


def test_kept_maps_are_the_same_and_are_found_again_for_the_same_batches(tmp_path, monkeypatch):
    images = np.random.default_rng(4).integers(0, 256, (5, 32, 32, 3), dtype=np.uint8)
    network = small_vgg(widths=(4, 4, 6), dense=5)
    plain, kept = split_model(network, "block2_conv3"), split_model(network, "block2_conv3", tmp_path)
    expected = plain.feature_maps(images, batch_size=2)
    assert (
        np.array_equal(kept.feature_maps(images, batch_size=2), expected)
        and len(list(tmp_path.glob("maps-*.npz"))) == 3
    )
    ran = []
    run = models.run_in_batches
    monkeypatch.setattr(models, "run_in_batches", lambda *args: ran.append(len(args[1][0])) or run(*args))
    assert (
        np.array_equal(
            split_model(network, "block2_conv3", tmp_path).feature_maps(images[:4], batch_size=2),
            expected[:4],
        )
        and not ran
    )
    network.layers[1].bias.assign(network.layers[1].bias + 1)
    changed = kept.feature_maps(images[:4], batch_size=2)  # a split that was used before its network changed
    assert ran == [2, 2] and not np.array_equal(changed, expected[:4])
