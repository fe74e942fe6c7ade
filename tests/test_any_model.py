"""Any Keras model, exactly: many ways to end and to build a network, against one oracle that shares no code
with the engines.
"""

import contextlib

import keras
import numpy as np
import pytest

from unitnb.ablation.causal import single_ablation
from unitnb.ablation.cumulative import ablation_curve
from unitnb.networks.split import graph_digest, split_model

L = keras.layers
SIDE, UNITS, CLASSES = 9, 4, 5  # maps of 7x7
IMAGES = np.random.default_rng(0).random((6, SIDE, SIDE, 3), "float32") * 4
ORDER = np.array([2, 0, 3, 1])


@keras.saving.register_keras_serializable("tests")
class DoubledDense(L.Dense):
    """A subclass with arithmetic of its own."""

    def call(self, inputs, training=None):
        return 2 * super().call(inputs, training=training)


@keras.saving.register_keras_serializable("tests")
class NamedDense(L.Dense):
    """A subclass that changes nothing."""


@keras.saving.register_keras_serializable("tests")
def own_softmax(x):
    return keras.ops.softmax(x)


@keras.saving.register_keras_serializable("tests")
def own_sigmoid(x):
    return keras.ops.sigmoid(x)


# ---- what outputs mean: log-probabilities of the classes, in float64 ----


def of_logits(outputs):
    shifted = outputs - outputs.max(axis=1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))


def of_probabilities(outputs):
    return np.log(np.maximum(outputs, np.finfo(np.float32).tiny))


def of_sigmoid(outputs):
    return of_probabilities(np.concatenate([1 - outputs, outputs], axis=1))


def of_logit(outputs):
    return of_logits(np.concatenate([np.zeros_like(outputs), outputs], axis=1))


# ---- endings: layers or operations behind the convolution ----


def two_heads(x):
    return L.Add()([L.Dense(CLASSES)(x), L.Dense(CLASSES)(x)])


def dense(units=CLASSES, **settings):
    return L.Dense(units, bias_initializer="normal", **settings)


SOFTMAX = [L.Flatten, lambda: dense(activation="softmax")]
ENDINGS = {
    "softmax in the last dense layer": (SOFTMAX, of_probabilities),
    "logits": ([L.Flatten, dense], of_logits),
    "a softmax function of one's own": ([L.Flatten, lambda: dense(activation=own_softmax)], of_probabilities),
    "a Lambda": ([L.Flatten, dense, lambda: L.Lambda(own_softmax)], of_probabilities),
    "softmax, then a linear activation": (
        [*SOFTMAX, lambda: L.Activation("linear", dtype="float32")],
        of_probabilities,
    ),
    "softmax, then dropout": ([*SOFTMAX, lambda: L.Dropout(0.5)], of_probabilities),
    "softmax, then a reshape": ([*SOFTMAX, lambda: L.Reshape((CLASSES,))], of_probabilities),
    "a Softmax layer": ([L.Flatten, dense, L.Softmax], of_probabilities),
    "a Softmax layer by its axis": ([L.Flatten, dense, lambda: L.Softmax(axis=1)], of_probabilities),
    "a softmax activation": ([L.Flatten, dense, lambda: L.Activation("softmax")], of_probabilities),
    "a softmax operation": ([L.Flatten, dense, lambda: keras.ops.softmax], of_probabilities),
    "a temperature": ([L.Flatten, dense, lambda: lambda x: x / 2.5, L.Softmax], of_probabilities),
    "log-softmax": ([L.Flatten, dense, lambda: L.Activation("log_softmax")], of_logits),
    "one sigmoid": ([L.Flatten, lambda: dense(1, activation="sigmoid")], of_sigmoid),
    "one sigmoid activation": ([L.Flatten, lambda: dense(1), lambda: L.Activation("sigmoid")], of_sigmoid),
    "one sigmoid of one's own": ([L.Flatten, lambda: dense(1, activation=own_sigmoid)], of_sigmoid),
    "one logit": ([L.Flatten, lambda: L.Dense(1, bias_initializer="zeros")], of_logit),
    "a subclass of Dense with its own call": ([L.Flatten, lambda: DoubledDense(CLASSES)], of_logits),
    "a subclass of Dense with a softmax": (
        [L.Flatten, lambda: NamedDense(CLASSES, activation="softmax")],
        of_probabilities,
    ),
    "a subclass of Dense on the way": (
        [L.Flatten, lambda: DoubledDense(6, activation="relu"), dense],
        of_logits,
    ),
    "mean pooling": ([L.GlobalAveragePooling2D, lambda: dense(activation="softmax")], of_probabilities),
    "max pooling": ([L.GlobalMaxPooling2D, lambda: dense(8, activation="tanh"), dense], of_logits),
    "as VGG": (
        [
            L.MaxPooling2D,
            L.BatchNormalization,
            L.Flatten,
            lambda: dense(8, activation="relu"),
            lambda: L.Dropout(0.5),
            *SOFTMAX[1:],
        ],
        of_probabilities,
    ),
    "log-softmax over the units": ([lambda: L.Activation("log_softmax"), L.Flatten, dense], of_logits),
    "softmax over the units": ([L.Softmax, L.Flatten, dense], of_logits),
    "a convolution at the end": ([lambda: L.Conv2D(CLASSES, 7), L.Flatten], of_logits),
    "a convolution, pooled": (
        [lambda: L.Conv2D(CLASSES, 1), L.GlobalAveragePooling2D, L.Softmax],
        of_probabilities,
    ),
    "pooling that keeps its axes": (
        [lambda: L.GlobalAveragePooling2D(keepdims=True), lambda: L.Conv2D(CLASSES, 1), L.Flatten],
        of_logits,
    ),
    "a softmax with axes of length 1": (
        [lambda: L.GlobalAveragePooling2D(keepdims=True), lambda: L.Conv2D(CLASSES, 1, activation="softmax")],
        of_probabilities,
    ),
    "dense on every pixel": ([lambda: dense(), L.GlobalAveragePooling2D], of_logits),
    "normalised between dense layers": (
        [L.Flatten, lambda: dense(6), L.BatchNormalization, lambda: L.Activation("relu"), dense],
        of_logits,
    ),
    "unit norm before the dense layer": ([L.Flatten, L.UnitNormalization, dense], of_logits),
    "leaky": ([lambda: L.LeakyReLU(0.2), L.PReLU, L.Flatten, dense], of_logits),
    "noise": ([lambda: L.GaussianNoise(0.9), L.Flatten, lambda: L.GaussianDropout(0.5), dense], of_logits),
    "two heads that meet": ([L.Flatten, lambda: two_heads, L.Softmax], of_probabilities),
    "half precision": (
        [L.Flatten, lambda: dense(activation="softmax", dtype="mixed_bfloat16")],
        of_probabilities,
    ),
}
KINDS = ("functional", "loaded", "nested", "called again")


def convolution():
    return L.Conv2D(UNITS, 3, activation="relu", bias_initializer="normal", name="c")


def functional(steps, entry=()):
    images = keras.Input((SIDE, SIDE, 3))
    x = images
    for step in (*(make() for make in entry), convolution(), *(make() for make in steps)):
        x = step(x)
    return keras.Model(images, x)


def loaded(steps, tmp_path):
    """Saved and loaded: a Sequential where every step is a layer, whose layers then have two calls each."""
    made = [make() for make in steps]
    if all(isinstance(step, keras.Layer) for step in made):
        model = keras.Sequential([keras.Input((SIDE, SIDE, 3)), convolution(), *made])
    else:
        model = functional(steps)
    model.save(tmp_path / "model.keras")
    return keras.models.load_model(tmp_path / "model.keras", safe_mode=False)


def nested(steps):
    """As transfer learning does: augmentation and a base of open size inside, the classifier behind it."""
    entry = keras.Input((None, None, 3))
    base = keras.Model(entry, convolution()(L.Rescaling(0.5)(entry)), name="base")
    images = keras.Input((SIDE, SIDE, 3))
    x = base(
        keras.Sequential([L.RandomFlip(), L.RandomRotation(0.2)], name="augmentation")(images), training=False
    )
    for make in steps:
        x = make()(x)
    return keras.Model(images, x)


def built(kind, steps, tmp_path):
    keras.utils.set_random_seed(7)
    if kind == "nested":
        return nested(steps), "base/c"
    model = loaded(steps, tmp_path) if kind == "loaded" else functional(steps)
    if kind == "called again":
        again = keras.Input((SIDE, SIDE, 3))
        return keras.Model(again, model(again)), f"{model.name}/c"
    return model, "c"


# ---- the oracle: the studied layer is masked inside the model itself, which is run as it is ----


@contextlib.contextmanager
def only(layer, present):
    original, mask = layer.call, np.isin(np.arange(UNITS), present).astype("float32")
    layer.call = lambda *args, **kwargs: original(*args, **kwargs) * mask
    try:
        yield
    finally:
        layer.call = original


def oracle(model, layer, meaning, labels, insert=False):
    """Correct answers and losses (u + 1, n) of the model while units of ORDER are removed, or come."""
    correct, losses = [], []
    for k in range(UNITS + 1):
        with only(layer, ORDER[:k] if insert else ORDER[k:]):
            outputs = keras.ops.convert_to_numpy(model(IMAGES, training=False)).astype(np.float64)
        scores = meaning(outputs.reshape(len(IMAGES), -1))
        correct.append(scores.argmax(axis=1) == labels)
        losses.append(-scores[np.arange(len(labels)), labels])
    return np.array(correct), np.array(losses)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ENDINGS)
def test_every_ending_of_every_graph_gives_the_models_own_numbers(name, kind, tmp_path):
    steps, meaning = ENDINGS[name]
    model, path = built(kind, steps, tmp_path)
    split = split_model(model, path)
    labels = np.arange(len(IMAGES)) % split.n_classes
    maps = split.feature_maps(IMAGES)
    correct, losses = oracle(model, split.layer_object, meaning, labels, insert=kind == "loaded")
    curve = ablation_curve(split, maps, labels, ORDER, mode="insert" if kind == "loaded" else "remove")
    tolerance = 3e-2 if name == "half precision" else 2e-5
    np.testing.assert_allclose(curve.losses, losses, atol=tolerance, rtol=tolerance)
    if name != "half precision":
        assert np.array_equal(curve.correct, correct)
    assert np.ptp(losses) > 1e-3
    names = {
        of_logits: "logits",
        of_probabilities: "probabilities",
        of_sigmoid: "sigmoid",
        of_logit: "binary logit",
    }
    assert curve.outputs.startswith(names[meaning])


# ---- what else networks are made of ----


def seq(*last, pre=(), side=SIDE):
    layers = [
        keras.Input((side, side, 3)),
        *pre,
        convolution(),
        *(last or (L.Flatten(), L.Dense(CLASSES, "softmax"))),
    ]
    return keras.Sequential(layers)


@pytest.mark.filterwarnings("ignore:Layer .* does not have a `quantize`")
def test_a_quantized_model_gives_its_own_numbers():
    model = seq(L.Flatten(), L.Dense(16, "relu"), L.Dense(CLASSES, "softmax"))
    model.quantize("int8")
    split, labels = split_model(model, "c"), np.arange(len(IMAGES)) % CLASSES
    curve = ablation_curve(split, split.feature_maps(IMAGES), labels, ORDER)
    correct, losses = oracle(model, split.layer_object, of_probabilities, labels)
    assert split.engine == "masked-tail" and np.array_equal(curve.correct, correct)
    np.testing.assert_allclose(curve.losses, losses, atol=2e-5)


@pytest.mark.parametrize("pre", [L.RandomFlip, lambda: L.RandomContrast(0.9), lambda: L.RandomRotation(0.4)])
def test_augmentation_inside_a_model_is_off(pre):
    split = split_model(seq(pre=[pre()]), "c")
    first, again = (split.feature_maps(IMAGES) for _ in range(2))
    assert np.array_equal(first, again)
    expected = np.maximum(keras.ops.convert_to_numpy(split.layer_object(IMAGES)), 0)
    np.testing.assert_allclose(first, expected, atol=1e-5)


def test_channels_first_is_read_or_refused_in_words():
    images = keras.Input((3, SIDE, SIDE))
    maps = L.Conv2D(UNITS, 3, activation="relu", data_format="channels_first", name="c")(images)
    pooled = L.MaxPooling2D(data_format="channels_first")(L.ReLU(name="r")(maps))
    model = keras.Model(images, L.Dense(CLASSES)(L.Flatten(data_format="channels_first")(pooled)))
    if keras.backend.backend() == "tensorflow":
        with pytest.raises(ValueError, match="'c' is channels_first, .*KERAS_BACKEND=jax"):
            split_model(model, "c")
        return
    for name in ("c", "r"):
        split = split_model(model, name)
        found = split.feature_maps(IMAGES.transpose(0, 3, 1, 2))
        assert found.shape == (6, 7, 7, UNITS) and split.n_units == UNITS
        curve = ablation_curve(split, found, np.arange(6) % CLASSES, ORDER)
        losses = []
        for k in range(UNITS + 1):
            mask = np.isin(np.arange(UNITS), ORDER[k:]).reshape(-1, 1, 1)
            outputs = keras.Model(maps, model.output)(found.transpose(0, 3, 1, 2) * mask)
            losses.append(-of_logits(np.asarray(outputs, np.float64))[np.arange(6), np.arange(6) % CLASSES])
        np.testing.assert_allclose(curve.losses, losses, atol=2e-5)


def test_a_layer_is_a_name_a_path_an_index_or_the_layer_itself():
    model, path = nested(SOFTMAX), "base/c"
    inner = model.get_layer("base").get_layer("c")
    assert split_model(model, inner).layer == split_model(model, path).layer == path
    flat = seq()
    assert [split_model(flat, given).layer for given in (0, -3, flat.layers[0])] == ["c"] * 3
    with pytest.raises(KeyError, match="has the layers 0 to 2, not 3"):
        split_model(flat, 3)
    with pytest.raises(KeyError, match="'c' stands inside a nested model of .*Nearest: base/c"):
        split_model(model, "c")
    with pytest.raises(KeyError, match="'base' is a model inside the model .*base/c"):
        split_model(model, "base")
    with pytest.raises(KeyError, match="is no layer"):
        split_model(flat, L.Conv2D(4, 3, name="elsewhere"))


def test_a_sequential_that_was_taken_apart_and_built_on():
    model = seq()
    model.pop()
    model.add(L.Dense(7, activation="relu"))
    model.add(L.Dense(CLASSES))
    labels = np.arange(len(IMAGES)) % CLASSES
    split = split_model(model, "c")
    curve = ablation_curve(split, split.feature_maps(IMAGES), labels, ORDER)
    np.testing.assert_allclose(
        curve.losses, oracle(model, split.layer_object, of_logits, labels)[1], atol=2e-5
    )


def test_h5_files_of_keras_3(tmp_path):
    model = seq()
    model.save(tmp_path / "model.h5")
    read = keras.models.load_model(tmp_path / "model.h5")
    np.testing.assert_allclose(
        split_model(read, "c").feature_maps(IMAGES), split_model(model, "c").feature_maps(IMAGES)
    )


def test_a_model_that_takes_its_images_by_name():
    images = keras.Input((SIDE, SIDE, 3), name="photo")
    model = keras.Model({"photo": images}, {"class": L.Dense(CLASSES)(L.Flatten()(convolution()(images)))})
    split = split_model(model, "c")
    outputs = keras.ops.convert_to_numpy(model({"photo": IMAGES})["class"])
    np.testing.assert_allclose(split.predict(split.feature_maps(IMAGES)), outputs, atol=1e-5)


def twice(shared):
    images = keras.Input((SIDE, SIDE, 3))
    return keras.Model(
        images, L.Dense(CLASSES)(L.Flatten()(shared(shared(L.Conv2D(UNITS, 3, name="first")(images)))))
    )


@pytest.mark.parametrize(
    ("model", "layer", "words"),
    [
        (lambda: twice(L.ReLU(name="shared")), "shared", "'shared' is used 2 times"),
        (
            lambda: keras.Sequential([keras.Input((9, 9, 3)), L.Conv2D(5, 3, name="c")]),
            "c",
            r"the output .*\(None, 7, 7, 5\)|is the output",
        ),
        (
            lambda: seq(L.Conv2D(3, 1, activation="softmax")),
            "c",
            r"\(None, 7, 7, 3\); expected \(n, classes\)",
        ),
        (lambda: keras.Sequential([L.Conv2D(4, 3, name="c"), L.Flatten()]), "c", "it is not built"),
        (
            lambda: keras.Model([a := keras.Input((4,)), b := keras.Input((4,))], L.Add()([a, b])),
            "c",
            "2 inputs and 1 outputs",
        ),
        (
            lambda: keras.Model(a := keras.Input((9, 9, 3)), [L.Flatten()(a), L.Conv2D(3, 3, name="c")(a)]),
            "c",
            "1 inputs and 2 outputs",
        ),
        (
            lambda: type("Own", (keras.Model,), {"call": lambda self, x: x})(),
            "c",
            "a subclass with a call of its own",
        ),
    ],
)
def test_what_cannot_be_split_is_refused_in_words(model, layer, words):
    with pytest.raises(ValueError, match=words):
        split_model(model(), layer)


@pytest.mark.parametrize("path", ["first/c", "second/c"])
def test_layers_and_operations_of_one_name_in_two_nested_models(path):
    keras.utils.set_random_seed(1)

    def part(side, units, name):
        maps = keras.Input((side, side, units))
        halved = keras.ops.divide(convolution()(maps), 2.0)
        halved._keras_history.operation.name = "divide"  # as in two models that were loaded from files
        return keras.Model(maps, halved, name=name)

    parts = [keras.Input((SIDE, SIDE, 3)), part(SIDE, 3, "first"), part(7, UNITS, "second")]
    model = keras.Sequential([*parts, L.Flatten(), L.Dense(CLASSES)])
    split, labels = split_model(model, path), np.arange(len(IMAGES)) % CLASSES
    curve = ablation_curve(split, split.feature_maps(IMAGES), labels, ORDER)
    losses = oracle(model, split.layer_object, of_logits, labels)[1]
    np.testing.assert_allclose(curve.losses, losses, atol=2e-5)
    assert np.ptp(losses) > 1e-3 and {layer.name for layer in split.graph.layers.values()} >= {"c"}
    assert len(graph_digest(split.head)) == len(graph_digest(split.tail)) == 64
    with pytest.raises(KeyError, match="'c' stands inside a nested model of .*Nearest: first/c, second/c"):
        split_model(model, "c")


def residual_with_one_relu(x):
    """As networks are written that make one ReLU and call it everywhere."""
    relu = L.ReLU()
    first = relu(L.Conv2D(UNITS, 3, name="before")(x))
    branch = L.Conv2D(UNITS, 3, padding="same", bias_initializer="normal", name="c")(first)
    return L.Dense(CLASSES)(L.Flatten()(relu(L.Add()([relu(first), branch]))))


def softmax_twice(x):
    softmax = L.Softmax()
    return softmax(
        L.Dense(CLASSES, kernel_initializer="he_normal")(softmax(dense()(L.Flatten()(convolution()(x)))))
    )


def pair_by_name(x):
    a, b = keras.Input((SIDE, SIDE, 3), name="b"), keras.Input((SIDE, SIDE, 3), name="a")
    pair = keras.Model([a, b], convolution()(2 * a - b), name="pair")
    return L.Dense(CLASSES)(L.Flatten()(pair(inputs={"a": x, "b": L.Rescaling(3.0)(x)})))


def whole_levels(x):
    levels = keras.Input((SIDE, SIDE, 3), dtype="uint8")
    base = keras.Model(levels, convolution()(L.Rescaling(0.5)(levels)), name="base")
    return L.Dense(CLASSES)(L.Flatten()(base(x)))


@pytest.mark.parametrize(
    ("network", "path", "meaning"),
    [
        (residual_with_one_relu, "c", of_logits),
        (softmax_twice, "c", of_probabilities),
        (pair_by_name, "pair/c", of_logits),
        (whole_levels, "base/c", of_logits),
    ],
)
def test_layers_that_are_called_twice_and_models_that_are_called_otherwise(network, path, meaning):
    keras.utils.set_random_seed(3)
    images = keras.Input((SIDE, SIDE, 3))
    model, labels = keras.Model(images, network(images)), np.arange(len(IMAGES)) % CLASSES
    split = split_model(model, path)
    curve = ablation_curve(split, split.feature_maps(IMAGES), labels, ORDER)
    correct, losses = oracle(model, split.layer_object, meaning, labels)
    np.testing.assert_allclose(curve.losses, losses, atol=2e-5)
    assert np.ptp(losses) > 1e-3


def test_a_model_whose_images_depend_on_each_other_is_refused():
    model = seq(L.Flatten(), L.Dense(CLASSES))
    together = keras.Model(model.inputs[0], model.outputs[0] - keras.ops.mean(model.outputs[0], axis=0))
    split = split_model(together, "c")
    with pytest.raises(ValueError, match="head and tail of 'c' .*may depend on the others of its batch"):
        split.feature_maps(IMAGES)


def test_a_shared_layer_elsewhere_does_not_matter():
    model = twice(L.ReLU(name="shared"))
    split, labels = split_model(model, "first"), np.arange(len(IMAGES)) % CLASSES
    curve = ablation_curve(split, split.feature_maps(IMAGES), labels, ORDER)
    np.testing.assert_allclose(
        curve.losses, oracle(model, split.layer_object, of_logits, labels)[1], atol=2e-5
    )


def test_several_sigmoids_are_refused_unless_the_caller_says_what_they_are():
    split = split_model(seq(L.Flatten(), L.Dense(CLASSES, "sigmoid")), "c")
    maps, labels = split.feature_maps(IMAGES), np.zeros(len(IMAGES), int)
    with pytest.raises(ValueError, match="5 outputs between 0 and 1 that do not sum to 1"):
        ablation_curve(split, maps, labels, ORDER)
    told = split_model(split.model, "c", outputs="logits")
    assert ablation_curve(told, maps, labels, ORDER).outputs == "logits (by the caller)"
    with pytest.raises(ValueError, match="expected one of logits, probabilities"):
        split_model(split.model, "c", outputs="softmax")


def test_one_sigmoid_takes_both_labels_and_no_third():
    split = split_model(seq(L.Flatten(), L.Dense(1, "sigmoid")), "c")
    maps = split.feature_maps(IMAGES)
    curves = [ablation_curve(split, maps, label, ORDER) for label in (0, 1)]
    np.testing.assert_allclose(np.exp(-curves[0].losses) + np.exp(-curves[1].losses), 1, atol=1e-5)
    assert np.array_equal(curves[0].correct, ~curves[1].correct)
    with pytest.raises(ValueError, match="the model has the classes 0 to 1"):
        ablation_curve(split, maps, 2, ORDER)


@pytest.mark.parametrize(
    ("images", "words"),
    [
        (np.empty((0, SIDE, SIDE, 3)), "no images came"),
        (IMAGES[..., 0], r"shape \(6, 9, 9\); the model takes \(n, 9, 9, 3\). Grey images need three"),
        (IMAGES[..., :1], "Grey images need three"),
        (np.concatenate([IMAGES, IMAGES[..., :1]], axis=-1), "transparency"),
        (IMAGES[0], r"One image needs an axis before it: images\[None\]"),
        (IMAGES[:, :8, :8], "Resize them"),
        (np.array([["a"]]), "expected numbers"),
    ],
)
def test_images_that_the_model_does_not_take_are_refused_in_words(images, words):
    with pytest.raises(ValueError, match=words):
        split_model(seq(), "c").feature_maps(images)


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="a tf.data.Dataset needs TensorFlow")
def test_a_data_set_gives_the_maps_of_its_images():
    import tensorflow as tf

    split = split_model(seq(), "c")
    expected = split.feature_maps(IMAGES)
    plain = tf.data.Dataset.from_tensor_slices(IMAGES)
    labelled = tf.data.Dataset.from_tensor_slices((IMAGES, np.arange(6)))
    for dataset in (plain, plain.batch(4), labelled.batch(4)):
        np.testing.assert_allclose(split.feature_maps(dataset), expected, atol=1e-6)


def test_an_engine_that_is_wrong_gives_no_curve(monkeypatch):
    from unitnb.ablation import engines

    split, labels = split_model(seq(), "c"), np.arange(len(IMAGES)) % CLASSES
    maps = split.feature_maps(IMAGES)
    original = engines.RunningSumEngine._outputs
    monkeypatch.setattr(engines.RunningSumEngine, "_outputs", lambda self, *a: original(self, *a) * 1.01)
    for work in (ablation_curve, lambda *a: single_ablation(*a[:3])):
        with pytest.raises(
            ValueError, match="the running-sum engine of 'c' gives outputs that differ .* no curve is made"
        ):
            work(split, maps, labels, ORDER)


def test_a_model_that_is_random_in_inference_is_refused():
    class Shaky(L.Layer):
        def __init__(self):
            super().__init__()
            self.seed = keras.random.SeedGenerator(1)  # JAX traces no layer without one

        def call(self, x):
            return x + keras.random.normal(keras.ops.shape(x), seed=self.seed)

    with pytest.raises(ValueError, match="head and tail of 'c' .*random in inference"):
        split_model(seq(Shaky(), L.Flatten(), L.Dense(3)), "c").feature_maps(IMAGES)


def test_single_ablation_costs_what_the_images_cost(monkeypatch):
    """Four images and four units that matter are 16 states, besides the guard's and the whole layer's."""
    from unitnb.ablation import engines

    split = split_model(seq(L.Conv2D(3, 1), L.Flatten(), L.Dense(3)), "c")
    maps, ran = np.maximum(split.feature_maps(IMAGES[:4]), 0.1), []
    original = engines.MaskedEngine._run
    monkeypatch.setattr(
        engines.MaskedEngine,
        "_run",
        lambda self, masks, images: ran.append(len(masks)) or original(self, masks, images),
    )
    single_ablation(split, maps, 1)
    assert split.engine == "masked-tail" and sum(ran) == 1 + 4 + 4 * UNITS and len(ran) == 3
