"""Networks without some units, against the whole network that is masked inside, by an oracle that shares no
code.
"""

import contextlib
import itertools

import hypothesis
import keras
import numpy as np
import pytest
from hypothesis import strategies as st

import unitnb
from unitnb.networks.removal_plan import CoupledUnitsError

L = keras.layers
A = keras.applications
SIDE = 8


# ---- the oracle: layers are masked inside the model itself, which is run as it is ----


@contextlib.contextmanager
def masked(layers):
    """Within the block, these layers give zero for these units; ``layers`` is a list of (layer, units)."""
    with contextlib.ExitStack() as stack:
        for layer, units in layers:
            original, present = layer.call, np.ones(layer.output.shape[-1], "float32")
            present[list(units)] = 0
            layer.call = _times(original, present)
            stack.callback(setattr, layer, "call", original)
        yield


def _times(call, present):
    return lambda *args, **kwargs: call(*args, **kwargs) * present


def run(model, images):
    return keras.ops.convert_to_numpy(model(images, training=False)).astype(np.float64)


def pictures(model, n=3):
    sides = [side or 32 for side in model.inputs[0].shape[1:]]
    return np.random.default_rng(5).random((n, *sides), "float32") * 4 - 1


def found_layer(model, path):
    for name in path.split("/"):
        model = model.get_layer(name)
    return model


def assert_equal(model, smaller, asked, tmp_path=None):
    """The smaller model, and loaded again where there is a folder, gives the masked model's outputs."""
    images, made = pictures(model), [smaller]
    if tmp_path is not None:
        smaller.save(tmp_path / "small.keras")
        made.append(keras.models.load_model(tmp_path / "small.keras"))
    with masked([(found_layer(model, path), units) for path, units in asked.items()]):
        expected = run(model, images)
    for found in made:
        difference = np.abs(run(found, images) - expected).max() / np.abs(expected).max()
        assert difference < 1e-4
    assert smaller.count_params() < model.count_params()


def randomised(model, seed=0):
    """Biases and statistics that are neither 0 nor 1; as Keras makes them they would hide faults."""
    rng = np.random.default_rng(seed)
    for layer in model.layers:
        for variable in () if isinstance(layer, L.Normalization) else layer.weights:
            if isinstance(layer, keras.Model):
                continue
            if len(variable.shape) == 1 or isinstance(layer, L.PReLU):
                around = 1 if variable.name in ("gamma", "moving_variance") else 0
                variable.assign(around + rng.uniform(-0.4, 0.4, variable.shape))
    return model


def removed(model, layer, units=None):
    """The smaller model and what was removed, together with other layers where that is asked for."""
    asked = layer if units is None else {layer: units}
    try:
        return unitnb.remove_units(model, asked), asked
    except CoupledUnitsError as error:
        return unitnb.remove_units(model, error.together), error.together


# ---- families of networks ----


def application(make, side=32, **settings):
    settings = {"weights": None, "classes": 10, "classifier_activation": None, **settings}
    return lambda: make(input_shape=(side, side, 3), **settings)


def lite():
    from unitnb.networks.efficientnet_lite import efficientnet_lite0

    return efficientnet_lite0(32, 10)


def every_layer():
    """A Sequential with every layer of single channels that is followed."""
    x = "he_normal"
    return keras.Sequential(
        [
            keras.Input((20, 20, 3)),
            L.RandomFlip(),
            L.Rescaling(0.5, 0.1),
            L.Conv2D(8, 3, activation="relu", kernel_initializer=x, name="first"),
            L.Dropout(0.2),
            L.SpatialDropout2D(0.2),
            L.GaussianNoise(0.1),
            L.GaussianDropout(0.1),
            L.AlphaDropout(0.1),
            L.ZeroPadding2D(1),
            L.MaxPooling2D(2),
            L.Rescaling([0.5 + i / 8 for i in range(8)], 0.0),
            L.DepthwiseConv2D(
                3, depth_multiplier=2, depthwise_initializer=x, use_bias=False, padding="same", name="depth"
            ),
            L.LeakyReLU(0.2),
            L.UpSampling2D(2),
            L.Cropping2D(1),
            L.ELU(),
            L.Conv2DTranspose(6, 3, strides=2, kernel_initializer=x, name="up"),
            L.PReLU(shared_axes=[1, 2]),
            L.BatchNormalization(),
            L.ReLU(0.5, 0.1, 0.0),
            L.Activation("gelu"),
            L.AveragePooling2D(2),
            L.SeparableConv2D(
                8,
                3,
                depth_multiplier=2,
                activation="swish",
                depthwise_initializer=x,
                pointwise_initializer=x,
                name="apart",
            ),
            L.Identity(),
            L.ActivityRegularization(),
            L.Activation("tanh", name="after"),
            L.Conv2D(6, 1, name="last"),
            L.BatchNormalization(),
            L.Activation("softplus"),
            L.Reshape((-1, 6)),
            L.Flatten(),
            L.Dense(12, "relu"),
            L.BatchNormalization(),
            L.Dense(5),
        ]
    )


FAMILIES = {
    "VGG16": (application(A.VGG16), ["block3_conv2"], ["block1_conv1", "block1_pool", "block5_conv3"]),
    "ResNet50": (
        application(A.ResNet50),
        ["conv2_block1_1_relu"],
        ["conv3_block2_3_conv", "conv5_block3_2_relu"],
    ),
    "MobileNetV2": (
        application(A.MobileNetV2, alpha=0.35),
        ["block_3_expand_relu"],
        ["block_2_project", "Conv_1", "Conv1"],
    ),
    "EfficientNetB0": (
        application(A.EfficientNetB0),
        ["block2a_activation"],
        ["block2b_add", "block4a_se_reduce", "top_conv"],
    ),
    "EfficientNet-Lite0": (lite, ["stem_activation"], ["block3b_project_conv", "top_activation"]),
    "DenseNet121": (
        application(A.DenseNet121),
        ["conv2_block3_2_conv"],
        ["pool3_conv", "conv5_block2_1_relu", "conv1_relu"],
    ),
    "Xception": (
        application(A.Xception, side=71),
        ["block1_conv1"],
        ["block3_sepconv2", "block14_sepconv2_act"],
    ),
    "a Sequential": (every_layer, ["first"], ["depth", "up", "apart", "after", "last"]),
}


QUICK = ("VGG16", "MobileNetV2", "a Sequential")  # the other families are in make test-long


@pytest.mark.parametrize(
    "family", [pytest.param(name, marks=() if name in QUICK else pytest.mark.long) for name in FAMILIES]
)
def test_families_give_the_masked_networks_outputs_saved_and_loaded(family, tmp_path):
    make, single, several = FAMILIES[family]
    keras.utils.set_random_seed(1)
    model, rng = randomised(make()), np.random.default_rng(2)
    for layers in (single, several):
        counts = {layer: model.get_layer(layer).output.shape[-1] for layer in layers}
        asked = {layer: rng.permutation(n)[: 1 + n // 3] for layer, n in counts.items()}
        smaller, asked = removed(model, asked)
        assert_equal(model, smaller, asked, tmp_path if layers is several else None)


# ---- random graphs ----


def random_graph(seed):
    """A small network of random layers, with branches that meet, and the names of its layers with maps."""
    rng = np.random.default_rng(seed)
    keras.utils.set_random_seed(seed)
    numbers = itertools.count()
    x = images = keras.Input((SIDE, SIDE, 2 + int(rng.integers(2))))
    for _ in range(rng.integers(2, 6)):
        x = random_block(rng, x, numbers)
    x = [L.Flatten, L.GlobalAveragePooling2D, L.GlobalMaxPooling2D][rng.integers(3)]()(x)
    x = x if rng.integers(2) else L.Dense(4, "relu")(x)
    model = randomised(keras.Model(images, L.Dense(3)(x)), seed)
    return model, [layer.name for layer in model.layers if layer.name.startswith("studied")]


def random_block(rng, x, numbers):
    x, kind = convolution(rng, x, numbers), rng.integers(6)
    if kind == 0:
        other = single(rng, convolution(rng, x, numbers, x.shape[-1]), numbers)
        return [L.Add, L.Multiply, L.Maximum, L.Average, L.Subtract][rng.integers(5)]()([x, other])
    if kind == 1:
        return L.Concatenate()([x, single(rng, convolution(rng, x, numbers), numbers), x])
    if kind == 2:
        gate = L.GlobalAveragePooling2D(keepdims=True)(x)
        gate = L.Conv2D(x.shape[-1], 1, activation="sigmoid")(L.Conv2D(2, 1, activation="relu")(gate))
        return L.Multiply()([x, gate])
    if kind == 3:
        return x * L.Activation("hard_sigmoid")(x + 0.5) - 0.25
    return single(rng, x, numbers)


def convolution(rng, x, numbers, units=None):
    units, bias = units or int(rng.integers(3, 7)), bool(rng.integers(2))
    settings = {"padding": ["same", "valid"][rng.integers(2)] if units is None else "same", "use_bias": bias}
    size, name = int(rng.integers(1, 4)), f"studied_{next(numbers)}"
    kind = rng.integers(4)
    if kind == 0:
        return L.SeparableConv2D(units, size, activation="relu", name=name, **settings)(x)
    if kind == 1:
        x = L.DepthwiseConv2D(size, depth_multiplier=int(rng.integers(1, 3)), **settings)(x)
    if kind == 2:
        return L.Conv2DTranspose(units, size, name=name, **settings)(x)
    x = L.Conv2D(units, size, name=name, **settings)(x)
    return L.BatchNormalization()(x) if rng.integers(2) else x


def single(rng, x, numbers):
    layers = [
        L.ReLU,
        L.BatchNormalization,
        L.MaxPooling2D,
        lambda **k: L.Dropout(0.5, **k),
        lambda **k: L.ZeroPadding2D(1, **k),
        lambda **k: L.PReLU(**k),
        lambda **k: L.Activation("sigmoid", **k),
        lambda **k: L.AveragePooling2D(2, 1, "same", **k),
    ]
    fitting = [layer for layer in layers if layer is not L.MaxPooling2D or x.shape[1] > 3]
    return fitting[rng.integers(len(fitting))](name=f"studied_{next(numbers)}")(x)


@hypothesis.settings(max_examples=25)
@hypothesis.given(st.integers(0, 2**31))
def test_random_graphs_give_the_masked_networks_outputs_or_are_refused_in_words(seed):
    try:
        model, layers = random_graph(seed)
    except ValueError:  # branches of different sizes
        hypothesis.assume(False)
    rng = np.random.default_rng(seed)
    layer = layers[rng.integers(len(layers))]
    count = model.get_layer(layer).output.shape[-1]
    try:
        smaller, asked = removed(model, layer, rng.permutation(count)[: rng.integers(1, count)])
    except ValueError as error:
        assert any(
            words in str(error) for words in ("no unit would be left", "no layers of", "are channels of")
        ), error
        return
    assert_equal(model, smaller, asked)


def test_most_random_graphs_are_not_refused():
    kept, made = 0, 0
    for seed in range(20):
        with contextlib.suppress(ValueError):
            model, layers = random_graph(seed)
            made += 1
            removed(model, layers[0], [1])
            kept += 1
    assert made >= 12 and kept >= 0.8 * made


# ---- answers on paper ----


def test_a_constant_behind_the_removed_map_goes_into_the_next_bias():
    images = keras.Input((2, 2, 1))
    first = L.Conv2D(2, 1, name="first")
    maps = L.Rescaling(1.0, [5.0, 7.0])(first(images))  # a removed unit 1 gives 7 everywhere
    last = L.Dense(1, use_bias=False)
    model = keras.Model(images, last(L.GlobalAveragePooling2D()(maps)))
    last.set_weights([np.array([[2.0], [3.0]])])
    smaller = unitnb.remove_units(model, "first", [1])
    kernel, bias = smaller.layers[-1].get_weights()
    assert kernel.tolist() == [[2.0]] and bias.tolist() == [21.0]
    assert smaller.get_layer("first").filters == 1 and smaller.layers[2].offset == [5.0]


def residual(activation="relu"):
    """Two convolutions that meet in an Add, then a padded convolution."""
    images = keras.Input((SIDE, SIDE, 3))
    stem = L.Conv2D(4, 3, padding="same", name="stem")(images)
    branch = L.Conv2D(4, 3, padding="same", name="branch")(L.Activation(activation, name="act")(stem))
    x = L.Conv2D(5, 3, padding="same", name="next")(L.Add(name="meet")([stem, branch]))
    return randomised(keras.Model(images, L.Dense(3)(L.GlobalAveragePooling2D()(x)), name="residual"))


def test_units_that_meet_in_an_add_go_together():
    model = residual()
    with pytest.raises(
        CoupledUnitsError, match=r"'branch' cannot .* alone: they meet .* of 'stem'; give these together"
    ) as caught:
        unitnb.remove_units(model, "branch", [1, 2])
    assert caught.value.together == {"stem": [1, 2], "branch": [1, 2]}
    smaller = unitnb.remove_units(model, caught.value.together)
    assert_equal(model, smaller, caught.value.together)
    assert smaller.get_layer("next").kernel.shape == (3, 3, 2, 5)
    with pytest.raises(CoupledUnitsError, match=r"\{'stem': \[1, 2\], 'branch': \[1, 2\]\}"):
        unitnb.remove_units(model, {"stem": [1], "branch": [2]})


def test_a_map_that_does_not_stay_zero_before_padding_needs_the_layer_behind():
    layers = [
        L.Conv2D(4, 3, name="a"),
        L.BatchNormalization(),
        L.ReLU(name="r"),
        L.Conv2D(3, 3, padding="same"),
    ]
    model = keras.Sequential([keras.Input((SIDE, SIDE, 3)), *layers, L.Flatten(), L.Dense(2)])
    model.layers[1].beta.assign(np.ones(4))
    with pytest.raises(CoupledUnitsError, match=r"name this layer in place of theirs: .*\{'r': \[0\]\}"):
        unitnb.remove_units(model, "a", [0])
    assert_equal(model, unitnb.remove_units(model, "r", [0]), {"r": [0]})
    model.layers[1].beta.assign(-np.ones(4))  # behind the ReLU it is zero again
    assert_equal(model, unitnb.remove_units(model, "a", [0]), {"a": [0]})


# ---- the new model ----


def test_the_original_stays_and_the_smaller_model_trains():
    model = residual()
    model.compile("sgd", "mse")
    before, outputs = model.get_weights(), run(model, pictures(model))
    smaller = unitnb.remove_units(model, {"stem": [0], "branch": [0]})
    smaller.compile("sgd", "mse")
    smaller.fit(pictures(model), np.ones((3, 3)), epochs=1, verbose=0)
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True))
    assert np.array_equal(outputs, run(model, pictures(model)))
    assert smaller.name == model.name
    assert [layer.name for layer in smaller.layers] == [layer.name for layer in model.layers]


def test_nested_models_come_out_flat(tmp_path):
    base = keras.Sequential(
        [keras.Input((None, None, 3)), L.Conv2D(4, 3, name="c"), L.ReLU(name="r")], name="base"
    )
    again = keras.Sequential([keras.Input((None, None, 4)), L.Conv2D(6, 3, name="d")], name="again")
    images = keras.Input((SIDE, SIDE, 3))
    model = keras.Model(images, L.Dense(2)(L.Flatten()(again(base(images)))))
    smaller = unitnb.remove_units(model, {"base/r": [1], "again/d": [0, 5]})
    assert_equal(model, smaller, {"base/r": [1], "again/d": [0, 5]}, tmp_path)
    assert [layer.name for layer in smaller.layers[1:4]] == ["c", "r", "d"]


def test_a_model_of_open_size_that_takes_its_images_by_name():
    images = keras.Input((None, None, 3), name="photo")
    x = L.GlobalAveragePooling2D()(L.Conv2D(4, 3, name="c")(images))
    model = keras.Model({"photo": images}, {"class": L.Dense(3)(x)})
    smaller = unitnb.remove_units(model, "c", [0, 3])
    photos = {"photo": pictures(model)}
    with masked([(model.get_layer("c"), [0, 3])]):
        expected = keras.ops.convert_to_numpy(model(photos)["class"])
    np.testing.assert_allclose(keras.ops.convert_to_numpy(smaller(photos)["class"]), expected, atol=1e-6)


@keras.saving.register_keras_serializable("tests")
class Own(L.Layer):
    """A layer that unitnb does not know."""

    def __init__(self, **settings):
        super().__init__(**settings)
        self.inner = L.Dense(3)

    def call(self, inputs):
        return self.inner(inputs)


def test_unknown_layers_elsewhere_do_not_matter():
    layers = [
        L.Conv2D(4, 3, name="c"),
        L.Conv2D(3, 1),
        L.LayerNormalization(),
        L.Flatten(),
        Own(),
        L.Softmax(),
    ]
    model = randomised(keras.Sequential([keras.Input((SIDE, SIDE, 3)), *layers]))
    smaller = unitnb.remove_units(model, "c", [2])
    assert_equal(model, smaller, {"c": [2]})
    assert not {id(v) for v in model.variables} & {id(v) for v in smaller.variables}


def test_a_shared_activation_is_no_obstacle():
    relu, images = L.ReLU(), keras.Input((SIDE, SIDE, 3))
    x = relu(L.Conv2D(5, 3, name="b")(relu(L.Conv2D(4, 3, name="a")(images))))
    model = keras.Model(images, L.Dense(2)(L.Flatten()(x)))
    asked = {"a": [0], "b": [1, 2]}
    assert_equal(model, unitnb.remove_units(model, asked), asked)


def test_the_guard_notices_a_wrong_model(monkeypatch):
    from unitnb.networks import removal_build

    original = removal_build._set
    monkeypatch.setattr(
        removal_build, "_set", lambda made, weights: original(made, [w * 1.01 for w in weights])
    )
    with pytest.raises(ValueError, match="differ from those of the masked 'residual' by .* no smaller model"):
        unitnb.remove_units(residual(), {"stem": [0], "branch": [0]})


# ---- bad input ----


@pytest.mark.parametrize(
    ("units", "words"),
    [
        ([0, 1, 2, 3], "all 4 units of 'stem'; at least one must stay"),
        ([4], "'stem' has the units 0 to 3, not 4"),
        ([-1, 0], "'stem' has the units 0 to 3, not -1"),
        ([1, 2, 1], "units of 'stem' came twice: 1; give each once"),
        ([], r"units of 'stem' are \[\]; expected whole numbers from 0 to 3"),
        (None, "units of 'stem' are None"),
        ([0.5], "expected whole numbers"),
        ([True, False, True, False], "expected whole numbers"),
        (1, "units of 'stem' are 1"),
    ],
)
def test_units_that_cannot_be_are_refused_in_words(units, words):
    with pytest.raises(ValueError, match=words):
        unitnb.remove_units(residual(), "stem", units)


def small(*layers, side=SIDE):
    return keras.Sequential([keras.Input((side, side, 4)), L.Conv2D(4, 3, name="c"), *layers])


def shared_convolution():
    shared, images = L.Conv2D(4, 3, padding="same", name="shared"), keras.Input((SIDE, SIDE, 4))
    x = shared(shared(L.Conv2D(4, 3, name="c")(images)))
    return keras.Model(images, L.Dense(2)(L.Flatten()(x)))


def added_to_images():
    images = keras.Input((SIDE, SIDE, 4))
    x = L.Add()([images, L.Conv2D(4, 3, padding="same", name="c")(images)])
    return keras.Model(images, L.Dense(2)(L.Flatten()(x)))


def quantized():
    model = small(L.Flatten(), L.Dense(2))
    model.quantize("int8")
    return model


@pytest.mark.filterwarnings("ignore:Layer .* does not have a `quantize`")
@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: small(L.Conv2D(2, 1, groups=2), L.Flatten()), "has 2 groups"),
        (
            lambda: small(L.LayerNormalization(), L.Flatten(), L.Dense(2)),
            r"'.*' \(LayerNormalization\) is no layer that unitnb can follow",
        ),
        (lambda: small(Own(), L.Flatten()), r"\(Own\) is no layer that unitnb can follow"),
        (
            lambda: small(L.Activation("softmax"), L.Flatten(), L.Dense(2)),
            "is no function of each value alone",
        ),
        (lambda: small(L.BatchNormalization(axis=1), L.Flatten(), L.Dense(2)), "another axis than the last"),
        (lambda: small(L.Permute((3, 1, 2)), L.Flatten(), L.Dense(2)), "Permute"),
        (lambda: small(L.Reshape((12, 12, 1)), L.Flatten(), L.Dense(2)), "moves the units to another axis"),
        (lambda: small(L.GlobalAveragePooling2D(), L.Softmax()), "Softmax"),
        (
            lambda: small(L.GlobalAveragePooling2D(), L.Dropout(0.5)),
            "are outputs of 'sequential.*'; name a layer before",
        ),
        (lambda: small(), "is the output of"),
        (shared_convolution, "'shared' is used 2 times and shares its weights"),
        (added_to_images, "are channels of the images"),
        (quantized, "is quantized"),
    ],
)
def test_networks_that_cannot_be_followed_are_refused_in_words(make, words):
    with pytest.raises(ValueError, match=words):
        unitnb.remove_units(make(), "c", [1])


def test_layers_that_are_not_there_or_come_twice():
    with pytest.raises(KeyError, match="'stemm' is no layer of 'residual'. Nearest: stem"):
        unitnb.remove_units(residual(), "stemm", [1])
    with pytest.raises(ValueError, match="no layer came"):
        unitnb.remove_units(residual(), {})
    with pytest.raises(ValueError, match="'stem' came twice"):
        unitnb.remove_units(residual(), {"stem": [1], 1: [2]})


# ---- cost ----


def test_costs_that_can_be_counted_on_paper():
    model = keras.Sequential(
        [
            keras.Input((8, 8, 3)),
            L.Conv2D(4, 3, groups=1, use_bias=False),  # 36 pixels, 27 weights, 4 units
            L.DepthwiseConv2D(3, depth_multiplier=2),  # 16 pixels, 9 weights, 8 units
            L.SeparableConv2D(5, 3, padding="same"),  # 16 pixels, 9 x 8 + 8 x 5
            L.Conv2D(10, 1, groups=5, strides=2),  # 4 pixels, 1 channel a group, 10 units
            L.Conv2DTranspose(2, 2, strides=2),  # 4 pixels of the input, 4 weights, 10 channels, 2 units
            L.BatchNormalization(),
            L.Dense(3),  # 16 pixels, 2 x 3
            L.Flatten(),
            L.Dense(7),  # 48 x 7
        ]
    )
    products = 36 * 27 * 4 + 16 * 9 * 8 + 16 * (72 + 40) + 4 * 10 + 4 * 4 * 10 * 2 + 16 * 6 + 48 * 7
    expected = {
        "parameters": model.count_params(),
        "multiply_adds": products,
        "not_counted": ["BatchNormalization"],
    }
    assert unitnb.model_cost(model) == expected


def test_costs_of_known_networks():
    cost = unitnb.model_cost(A.VGG16(weights=None))
    assert cost["parameters"] == 138_357_544 and cost["multiply_adds"] == 15_470_264_320
    assert cost["not_counted"] == ["MaxPooling2D"]


@pytest.mark.parametrize("path", ["first/c", "second/c"])
def test_layers_of_one_name_in_two_nested_models(path, tmp_path):
    def part(side, units, name):
        maps = keras.Input((side, side, units))
        return keras.Model(maps, L.ReLU(name="r")(L.Conv2D(4, 3, name="c")(maps)), name=name)

    parts = [keras.Input((SIDE, SIDE, 3)), part(SIDE, 3, "first"), part(6, 4, "second")]
    model = randomised(keras.Sequential([*parts, L.Flatten(), L.Dense(3)]))
    smaller = unitnb.remove_units(model, path, [1, 2])
    assert_equal(model, smaller, {path: [1, 2]}, tmp_path)
    assert [layer.name for layer in smaller.layers][1:5] == ["c", "r", "c_1", "r_1"]
    assert unitnb.model_cost(smaller)["parameters"] == smaller.count_params()


def test_costs_fall_with_the_units_and_need_a_size():
    model = residual()
    asked = {"stem": [0, 1], "branch": [0, 1]}
    before, after = unitnb.model_cost(model), unitnb.model_cost(unitnb.remove_units(model, asked))
    products = 64 * 9 * (3 * 4 + 4 * 4 + 4 * 5) + 15
    assert before["multiply_adds"] == products
    assert after["multiply_adds"] == 64 * 9 * (3 * 2 + 2 * 2 + 2 * 5) + 15
    images = keras.Input((None, None, 3))
    with pytest.raises(
        ValueError, match=r"'c' gives \(None, None, None, 4\), whose size the model leaves open"
    ):
        unitnb.model_cost(keras.Model(images, L.Conv2D(4, 3, name="c")(images)))
