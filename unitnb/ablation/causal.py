"""Scores that look at the network's answer: gradient x activation, the loss without a unit, and the greedy
order of insertion.

Maps are (images, h, w, units), after the activation; losses are cross-entropies in nats.
"""

import functools

import keras
import numpy as np
from threadpoolctl import threadpool_limits

from ..networks.devices import engines_on_device, full_float32
from ..networks.image_maps import images_of
from ..networks.outputs import LARGEST_LOSS
from .checks import check_labels, check_maps
from .engines import RunningSumEngine, open_engine


def taylor(split, maps, labels, absolute="entries", batch_size=100) -> np.ndarray:
    """First-order estimate of what a unit's activations do to the loss: |gradient x activation|, (units,) in
    nats, from 0 up.

    The mean over the images of sum_ij |g_ij a_ij| ("entries") or of |sum_ij g_ij a_ij| ("map", Molchanov et
    al. 2017, arXiv 1611.06440, without their division by the number of pixels), where g is the gradient of an
    image's cross-entropy.

    Raises
    ------
    ValueError
        If ``absolute`` is neither, or maps or labels do not fit the split.
    NotImplementedError
        On a Keras backend without gradients (NumPy, OpenVINO).
    """
    if absolute not in ("entries", "map"):
        raise ValueError(f"absolute is {absolute!r}; expected 'entries' or 'map'")
    maps = check_maps(split, maps)
    labels = check_labels(labels, len(maps), split.n_classes)
    total = np.zeros(split.n_units)
    for start in range(0, len(maps), batch_size):
        block = slice(start, start + batch_size)
        total += _sizes(split, maps[block], labels[block], absolute).sum(axis=0, dtype=np.float64)
    return total / len(maps)


def _sizes(split, maps, labels, absolute) -> np.ndarray:
    """|gradient x activation| of each image, (n, units); made on the device where the engines are."""
    if engines_on_device():
        values = keras.ops.convert_to_tensor(np.asarray(maps, np.float32))
        product, of = values * _gradient(split, maps, values, labels), keras.ops
        size = of.sum(of.abs(product), (1, 2)) if absolute == "entries" else of.abs(of.sum(product, (1, 2)))
        return keras.ops.convert_to_numpy(size)
    product = np.asarray(maps, np.float64) * loss_gradient(split, maps, labels)
    return np.abs(product).sum(axis=(1, 2)) if absolute == "entries" else np.abs(product.sum(axis=(1, 2)))


def loss_gradient(split, maps, labels) -> np.ndarray:
    """Gradient of each image's cross-entropy (nats) with respect to its maps, of the maps' shape, float32."""
    values = keras.ops.convert_to_tensor(np.asarray(maps, np.float32))
    return keras.ops.convert_to_numpy(_gradient(split, maps, values, labels))


def _gradient(split, maps, values, labels):
    """``loss_gradient`` at ``values``, the tensor of ``maps``, as a tensor."""
    backend = keras.backend.backend()
    if backend not in _GRADIENTS:
        raise NotImplementedError(
            f"Keras runs on {backend}, which has no gradients; set KERAS_BACKEND to {', '.join(_GRADIENTS)}"
        )
    images = [keras.ops.convert_to_tensor(images_of(maps))] if split.engine == "masked-model" else []
    kind = (split.plan.outputs or split.reading(maps)).kind

    def loss(tensor):
        output = split.tail([tensor, *images] if images else tensor, training=False)
        return keras.ops.sum(_cross_entropy(kind, labels, keras.ops.reshape(output, (len(labels), -1))))

    with full_float32():
        return _GRADIENTS[backend](loss, values)


def _cross_entropy(kind, labels, outputs):
    if kind in ("logits", "probabilities"):
        return keras.losses.sparse_categorical_crossentropy(labels, outputs, from_logits=kind == "logits")
    positive = keras.ops.cast(labels, outputs.dtype)
    return keras.ops.binary_crossentropy(positive, outputs[:, 0], from_logits=kind == "binary logit")


def _tensorflow_gradient(loss, tensor):
    import tensorflow as tf

    with tf.GradientTape() as tape:
        tape.watch(tensor)
        value = loss(tensor)
    return tape.gradient(value, tensor)


def _jax_gradient(loss, tensor):
    import jax

    return jax.grad(loss)(tensor)


def _torch_gradient(loss, tensor):
    import torch

    tensor = tensor.detach().requires_grad_(True)
    return torch.autograd.grad(loss(tensor), tensor)[0]


_GRADIENTS = {"tensorflow": _tensorflow_gradient, "jax": _jax_gradient, "torch": _torch_gradient}


def single_ablation(split, maps, labels) -> np.ndarray:
    """Mean loss without a unit minus the loss with all, (units,) in nats: the causal reference (Zhou et al.
    2018, arXiv 1806.02891).

    To remove a unit is to set its map to zero, all others staying. Negative for a unit without which the
    class does better. Exact; with the running-sum engine at the price of one product a unit, else of one run
    of the tail for each image on which the unit is not silent.
    """
    maps = check_maps(split, maps)
    labels = check_labels(labels, len(maps), split.n_classes)
    engine = open_engine(split, np.zeros(maps.shape[1:], np.float32))
    total = np.zeros(split.n_units)
    with threadpool_limits(engine.blas_threads, "blas"):
        for start in range(0, len(maps), engine.images):
            block = slice(start, start + engine.images)
            total += _block_changes(engine, maps[block], labels[block])
    return total / len(maps)


def _block_changes(engine, maps, labels) -> np.ndarray:
    """Change of the summed loss of a block of maps when each unit goes, (units,)."""
    live = engine.load(maps, getattr(maps, "images", None))
    everyone = np.arange(len(maps))
    whole = losses_of(engine.reading, engine.scores(engine.whole(everyone), everyone), labels)
    changes = np.zeros(len(live))
    groups = engine.losses_without if engine.on_device else functools.partial(_losses_without, engine)
    for units, images, losses in groups(live, labels):
        np.add.at(changes, units, (losses - whole[images]).astype(np.float64))
    return changes


def _losses_without(engine, live, labels):
    for units, images, rows in _in_groups(engine, live):
        yield units, images, losses_of(engine.reading, engine.scores(rows, images), labels[images])


def _in_groups(engine, live):
    """States without each unit, as many at a time as the engine takes: (unit of each state, its image,
    states).
    """
    held: list = []
    for unit in np.flatnonzero(live.any(axis=1)):
        images, rows = engine.without(unit, live[unit])
        held.append((np.full(len(images), unit), images, rows))
        if sum(len(images) for _, images, _ in held) + len(live[0]) > engine.at_once:
            yield [np.concatenate(parts) for parts in zip(*held, strict=True)]
            held = []
    if held:
        yield [np.concatenate(parts) for parts in zip(*held, strict=True)]


def losses_of(reading, scores, labels) -> np.ndarray:
    """Cross-entropy in nats, (..., n), of class scores (..., n, classes), bounded where the outputs are
    probabilities.
    """
    top = scores.max(axis=-1, keepdims=True)
    own = np.take_along_axis(
        scores - top, np.broadcast_to(labels[:, None], (*scores.shape[:-1], 1)), axis=-1
    )[..., 0]
    losses = np.log(np.exp(scores - top).sum(axis=-1)) - own
    return np.minimum(losses, np.float32(LARGEST_LOSS)) if reading.bounded else losses


def greedy_forward(split, maps, labels) -> np.ndarray:
    """Order of units, (u,) int64, in which each next one lowers the mean loss most: a bound that cheap scores
    may be held against.

    It looks at the answer at every step, so it is no score of a unit; ties go to the lower index. On the
    images it is given it is nearly the best order of insertion; it promises nothing on others. It is computed
    on the processor, wherever the curves are.

    Raises
    ------
    ValueError
        If the tail is not linear up to its first dense layer (engine "running-sum"): it would take u^2 / 2
        passes.
    """
    maps = check_maps(split, maps)
    labels = check_labels(labels, len(maps), split.n_classes)
    if split.engine != "running-sum":
        raise ValueError(
            f"the engine is {split.engine}; greedy_forward needs a dense tail (running-sum): give a later "
            "layer"
        )
    engine = RunningSumEngine(split, np.zeros(maps.shape[1:], np.float32), None)
    terms = np.concatenate(
        [_terms(engine, maps[i : i + engine.images]) for i in range(0, len(maps), engine.images)], axis=1
    )
    with threadpool_limits(engine.blas_threads, "blas"):
        return _greedy_order(engine, terms, labels)


def _greedy_order(engine, terms, labels):
    state, left = np.repeat(engine.start[None], len(labels), axis=0), np.arange(len(terms))
    order: list[int] = []
    while left.size:
        rows = (state + terms[left]).astype(np.float32).reshape(-1, state.shape[1])
        scores = engine.scores(rows, None).reshape(left.size, len(labels), -1)
        best = left[np.argmin(losses_of(engine.reading, scores, labels).mean(axis=1))]
        state, order, left = state + terms[best], [*order, best], left[left != best]
    return np.array(order, np.int64)


def _terms(engine, maps):
    engine.load(np.asarray(maps), None)
    return np.stack([engine.terms.of(unit) for unit in range(engine.units)])
