"""Smaller networks: made, trained a little, and measured."""

import time
from collections.abc import Mapping, Sequence

import keras
import numpy as np

from ..images.samples import Images, training_set
from ..networks.batches import run_in_batches
from ..networks.frozen import front_and_rest, has_front
from ..networks.outputs import Reading
from ..networks.removal import CoupledUnitsError, remove_units
from ..networks.split import SplitModel, split_model
from ..profiles import Profile

IMAGES, EPOCHS = 640, 5  # of a short training of what is behind the layer
BATCH, LEARNING_RATE = 32, 0.01  # SGD with momentum 0.9


def kept_network(model, layer: str, order, count: int) -> keras.Model:
    """The network with the first ``count`` units of an order (u,), best first; a new model.

    Units of other layers that go only together with these go, too.

    Raises
    ------
    KeyError, ValueError
        As ``remove_units``.
    """
    gone = np.sort(order[count:])
    if not gone.size:
        copy = keras.models.clone_model(model)
        copy.set_weights(model.get_weights())
        return copy
    try:
        return remove_units(model, layer, gone)
    except CoupledUnitsError as error:
        return remove_units(model, error.together)


# ---- training ----


def drawn_images(
    images: Images, profile: Profile, classes: Sequence[str], part="train", count=IMAGES
) -> tuple[np.ndarray, np.ndarray]:
    """Images (n, H, W, 3) uint8 of some classes and their labels (n,), at random; part "train" or "test".

    The same at every call; fewer than ``count`` where there are not so many.
    """
    indices, labels = training_set(images, profile)
    if part == "test":
        indices, labels = np.arange(len(images.labels["test"])), images.labels["test"]
    wanted = np.isin(labels, [images.class_index(name) for name in classes])
    drawn = np.random.default_rng([profile.seed, 7]).permutation(np.flatnonzero(wanted))
    pixels, kept, _ = images.read_many(part, indices[drawn], count, profile.strict)
    return np.asarray(pixels), labels[np.searchsorted(indices, kept)]


def tuned(split: SplitModel, order, count: int, maps, labels, seed=0, epochs=EPOCHS) -> SplitModel:
    """The network with the first ``count`` units of an order, what is behind the layer trained a little.

    The units stay as they were ranked. Steps, images and their order are the same for every network of a
    comparison.

    Parameters
    ----------
    split : SplitModel
        Of the whole network, whose outputs are logits.
    order : (u,) int
        Units, best first.
    maps, labels : (n, h, w, u), (n,) int
        Maps of training images in the whole network.
    """
    small = split_model(kept_network(_behind_front(split.model), split.layer, order, count), split.layer)
    trained(small.tail, maps[..., np.sort(order[:count])], labels, seed, epochs)
    return small


def tuned_accuracies_of(split: SplitModel, orders, count: int, train, test, seed=0) -> list[float]:
    """Accuracy on test images after the training of ``tuned``, 0 to 1, one for each order (u,).

    ``train`` and ``test`` are maps (n, h, w, u) and labels (n,). Networks of one size share a compiled
    training, which takes longer to make than to run.
    """
    found, shared, model = [], None, _behind_front(split.model)
    for order in orders:
        kept = np.sort(order[:count])
        small = split_model(kept_network(model, split.layer, order, count), split.layer).tail
        shared = shared or small
        shared.set_weights(small.get_weights())
        trained(shared, train[0][..., kept], train[1], seed)
        outputs = run_in_batches(shared, [test[0][..., kept]])
        found.append(float((outputs.argmax(axis=1) == test[1]).mean()))
    return found


def _behind_front(model) -> keras.Model:
    """What follows a frozen front, which takes long to copy and never changes; else the model itself."""
    return front_and_rest(model)[1] if has_front(model) else model


def trained(model, inputs, labels, seed=0, epochs=EPOCHS) -> keras.Model:
    """Train a network whose outputs are logits, in the order given, by SGD from a standstill; returns it."""
    keras.utils.set_random_seed(1 + seed)
    for number, layer in enumerate(model.layers):
        if hasattr(layer, "seed_generator"):
            layer.seed_generator.state.assign(np.array([number, 1 + seed], np.uint32))
    if not model.compiled:
        model.compile(
            optimizer=keras.optimizers.SGD(LEARNING_RATE, momentum=0.9),
            loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        )
        model.optimizer.build(model.trainable_variables)
    for velocity in model.optimizer.momentums:
        velocity.assign(np.zeros(velocity.shape))
    # ``fit`` takes twice as long for steps this small.
    for start in list(range(0, len(labels), BATCH)) * epochs:
        model.train_on_batch(inputs[start : start + BATCH], labels[start : start + BATCH])
    return model


def from_nothing(model, images, labels, seed=0, epochs=EPOCHS) -> keras.Model:
    """A network of the same architecture and size, trained from random weights as ``trained`` does.

    A frozen front keeps its weights, and gives its features of the images once.
    """
    keras.utils.set_random_seed(1 + seed)
    copy = keras.models.clone_model(model)
    if not has_front(copy):
        return trained(copy, images, labels, seed, epochs)
    (front, rest), kept = front_and_rest(copy), front_and_rest(model)[0]
    front.set_weights(kept.get_weights())
    trained(rest, run_in_batches(front, [images]), labels, seed, epochs)
    return copy


# ---- what a network gives, and what it takes ----


def answers(outputs, reading: Reading, among: Sequence[int] | None = None) -> np.ndarray:
    """The class that each output (n, k) names, (n,) int: the largest of all, or of ``among``, class numbers.

    >>> answers(np.array([[3.0, 1.0, 2.0]]), Reading("logits", "the graph"), among=[1, 2])
    array([2])
    """
    scores = reading.class_scores(outputs)
    if among is None:
        return scores.argmax(axis=1)
    return np.asarray(among)[scores[:, list(among)].argmax(axis=1)]


def outputs_of(model, images) -> np.ndarray:
    """Outputs (n, k) of a network on images (n, H, W, 3) as it takes them, float32."""
    outputs = run_in_batches(model, [images])
    return outputs.reshape(len(outputs), -1)


def seconds_an_image(models: Mapping[str, keras.Model], images, rounds=7) -> dict[str, float]:
    """Seconds that each network takes for an image of a batch, by name: the median of several rounds.

    The networks take turns, so that other work on the machine disturbs all alike. A first run, which
    compiles, does not count.
    """
    found: dict[str, list[float]] = {name: [] for name in models}
    for count in range(rounds + 1):
        for name, model in models.items():
            start = time.perf_counter()
            model.predict_on_batch(images)
            if count:
                found[name].append((time.perf_counter() - start) / len(images))
    return {name: float(np.median(times)) for name, times in found.items()}
