"""What follows the studied layer, read once and evaluated exactly: the engines of the ablation curves.

A cumulative curve is the network's output with 0, 1, ..., u units present. An engine goes through those states in that order
(removal is the same walk read backwards) and hands out, for each image, only the states that differ from the one before.

running-sum   [per-channel layers] -> Flatten or GlobalPooling -> Dense -> ...: the first dense pre-activation is linear in
              the units, so it is kept as a running sum and only what follows is run again.
masked-tail   any other tail: it is run on the maps with the absent units replaced.
masked-model  the layer does not cut the graph (it is inside a residual branch): the same, but the tail also needs
              what the other branches bring, so the maps must come with their images.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise

import keras
import numpy as np

L = keras.layers
_DROPOUTS = {L.Dropout, L.AlphaDropout, L.GaussianDropout, L.GaussianNoise, L.SpatialDropout2D, L.ActivityRegularization}
_ACTIVATIONS = {L.ReLU, L.LeakyReLU, L.PReLU, L.ELU, L.Activation}
_POOLS = {L.MaxPooling2D, L.AveragePooling2D, L.ZeroPadding2D, L.Cropping2D, L.UpSampling2D, L.Rescaling, L.BatchNormalization}
_FLATTENERS = {L.Flatten, L.GlobalAveragePooling2D, L.GlobalMaxPooling2D}
_PER_CHANNEL = _DROPOUTS | _ACTIVATIONS | _POOLS | _FLATTENERS
_DENSE_STACK = _DROPOUTS | _ACTIVATIONS | {L.Dense, L.Softmax}

TERMS_BYTES = 2**28  # one block of images: every unit's term in the first dense pre-activation
MAPS_BYTES = 2**25  # one block of masked maps
THREADS_PAY = 10**6  # weights in one product from which BLAS threads gain more than they wait for each other
DENSE_ROWS = 2048  # states in one matrix product: enough for full speed of BLAS, and small beside the weights
BATCH, BATCH_PIXELS = 100, 20 * 224**2  # rows of a batch, fewer where they are large: VGG16's first layers take 13 MB an image each
TRACING_PAYS = 100  # layers times batches from which a compiled graph is worth its making


@dataclass(frozen=True, eq=False)
class TailPlan:
    """How to evaluate a tail to its logits: ``trunk`` in Keras, then ``dense`` as a running sum where there is one, then ``stack``."""

    engine: str
    trunk: keras.Model  # inputs: the maps, and for masked-model the outputs of ``beside``
    dense: keras.layers.Dense | None
    stack: tuple  # layers up to the logits
    softmax: keras.layers.Layer | None  # what makes probabilities of the logits, if the model does: left out here
    beside: keras.Model | None = None  # from the images, what the other branches bring


def plan_tail(model, layer) -> TailPlan:
    """Choose the engine for what follows ``layer``: the fastest that is exact."""
    chain, start = _last_chain(model, layer.output)
    softmax = _softmax_at_end(chain)
    first = next((i for i, link in enumerate(chain) if type(link) is L.Dense), None)
    if start is layer.output and first is not None and _acts_per_channel(chain[:first]):
        trunk = keras.Model(start, chain[first].input)
        return TailPlan("running-sum", trunk, chain[first], tuple(chain[first + 1 :]), softmax)
    while chain and not all(type(link) in _DENSE_STACK for link in chain):
        start, chain = chain[0].output, chain[1:]
    others = _companions(model, layer.output)
    if not others:
        return TailPlan("masked-tail", keras.Model(layer.output, start), None, tuple(chain), softmax)
    trunk, beside = keras.Model([layer.output, *others], start), keras.Model(model.inputs[0], others)
    return TailPlan("masked-model", trunk, None, tuple(chain), softmax, beside)


def _last_chain(model, target):
    """The layers of one input each that lead to the output, from ``target`` or from the last meeting of branches, and their first input."""
    producers = {id(link.output): link for link in model.layers if isinstance(_tensor(link, "output"), keras.KerasTensor)}
    chain, tensor = [], model.outputs[0]
    while tensor is not target and isinstance(_tensor(producers.get(id(tensor)), "input"), keras.KerasTensor):
        chain.insert(0, producers[id(tensor)])
        tensor = chain[0].input
    return chain, tensor


def _tensor(layer, side):
    """``layer.input`` or ``layer.output``, or None: a layer used twice has no single one."""
    return getattr(layer, side, None)


def _companions(model, target) -> list:
    """The tensors that meet, somewhere, what comes from ``target`` without coming from it; none where ``target`` cuts the graph."""
    if isinstance(model, keras.Sequential):
        return []
    reached, others = {id(target)}, {}
    for node in (node for depth in sorted(model._nodes_by_depth, reverse=True) for node in model._nodes_by_depth[depth]):
        if any(id(tensor) in reached for tensor in node.input_tensors):
            reached.update(id(tensor) for tensor in node.outputs)
            others.update({id(tensor): tensor for tensor in node.input_tensors if id(tensor) not in reached})
    return list(others.values())


def _softmax_at_end(chain):
    """The softmax that the model ends in, if it does; only a change of shape may follow it."""
    after = (link for link in reversed(chain) if type(link) not in {L.Reshape, L.Flatten})
    last = next(after, None)
    return last if last is not None and _is_softmax(last) else None


def _is_softmax(layer) -> bool:
    return type(layer) is L.Softmax or getattr(layer, "activation", None) is keras.activations.softmax


def _acts_per_channel(layers) -> bool:
    """Pooling, activations and the like, with one flattening: unit j's map alone decides its own part of the features."""
    kinds = [type(layer) for layer in layers]
    mixing = any(_is_softmax(layer) or getattr(layer, "keepdims", False) for layer in layers)
    return set(kinds) <= _PER_CHANNEL and sum(kind in _FLATTENERS for kind in kinds) == 1 and not mixing


def fitting_batch(shape) -> int:
    """Rows of a batch of images or maps of ``shape`` (n, h, w, channels) whose layers fit in memory: 100, or 20 of 224x224 pixels.

    >>> fitting_batch((500, 224, 224, 3)), fitting_batch((500, 14, 14, 512))
    (20, 100)
    """
    return min(BATCH, max(1, BATCH_PIXELS // (shape[1] * shape[2])))


def run_in_batches(model, arrays, batch_size=None) -> np.ndarray:
    """Outputs of ``model``, float32, on a list of arrays of equal length, ``batch_size`` rows at a time (default: as many as fit)."""
    batch_size = batch_size or fitting_batch(arrays[0].shape)
    starts = range(0, len(arrays[0]), batch_size)
    run = model.predict_on_batch if len(model.layers) * len(starts) >= TRACING_PAYS else model
    batches = ([np.asarray(array[i : i + batch_size]) for array in arrays] for i in starts)
    parts = [keras.ops.convert_to_numpy(run(batch if len(batch) > 1 else batch[0])) for batch in batches]
    return np.concatenate(parts).astype(np.float32, copy=False)


def _array(variable) -> np.ndarray:
    """The values of a variable, float32, to be read only."""
    tensor = keras.ops.stop_gradient(keras.ops.convert_to_tensor(variable))
    # TensorFlow's tensors, unlike its variables, share their memory with NumPy: no second copy of VGG16's fc1, 411 MB.
    shared = keras.backend.backend() == "tensorflow"
    return (np.asarray(tensor) if shared else keras.ops.convert_to_numpy(tensor)).astype(np.float32, copy=False)


def _stack_steps(plan) -> list[Callable]:
    """The stack as functions of arrays that end in logits."""
    steps = [step for layer in plan.stack for step in (_affine(layer) + _activation(layer, plan.softmax))]
    in_trunk = plan.softmax is not None and plan.softmax not in (plan.dense, *plan.stack)
    return [*steps, _log] if in_trunk else steps


def _blas_threads(largest, stack) -> int | None:
    """How many threads NumPy's products may have: one where all are small, else as many as it likes (None)."""
    largest = max([largest, *(layer.kernel.shape[0] * layer.kernel.shape[1] for layer in stack if type(layer) is L.Dense)])
    return None if largest >= THREADS_PAY else 1


def _log(probabilities):
    return np.log(np.maximum(probabilities, np.finfo(np.float32).tiny))


def _affine(layer) -> list[Callable]:
    if type(layer) is not L.Dense:
        return []
    kernel, bias = _array(layer.kernel), _bias(layer)
    return [lambda rows: rows @ kernel + bias]


def _bias(dense):
    return _array(dense.bias) if dense.use_bias else np.float32(0)


def _activation(layer, softmax) -> list[Callable]:
    if type(layer) in _DROPOUTS or layer is softmax:
        return []
    if type(layer) not in (L.Dense, L.Activation):
        return [lambda rows: keras.ops.convert_to_numpy(layer(rows, training=False))]
    if layer.activation is keras.activations.linear:
        return []
    if layer.activation is keras.activations.relu:
        return [lambda rows: np.maximum(rows, 0, out=rows)]
    return [lambda rows: keras.ops.convert_to_numpy(layer.activation(keras.ops.convert_to_tensor(rows)))]


class RunningSum:
    """States as pre-activations of the first dense layer: S_k = S_0 + the terms of the first k units of the order.

    The sum is kept in float64 and grows from the state without units, so its rounding stays below that of one float32
    product of the same length, and nothing has to be recomputed on the way.
    """

    def __init__(self, plan, fill):
        self.trunk, self.rows = plan.trunk, DENSE_ROWS
        self.kernel = _array(plan.dense.kernel)
        self.absent = run_in_batches(plan.trunk, [fill[None]])[0]
        self.start = (self.absent @ self.kernel + _bias(plan.dense)).astype(np.float64)
        self.steps = _activation(plan.dense, plan.softmax) + _stack_steps(plan)
        self.units = fill.shape[-1]
        self.blas_threads = _blas_threads(self.kernel.size // self.units, plan.stack)
        self.images = max(1, TERMS_BYTES // (4 * self.units * (self.kernel.shape[1] + 3 * fill.size // self.units)))

    def load(self, maps, images) -> np.ndarray:
        """Take a block of maps (n, h, w, u); return where a unit matters, (u, n) bool."""
        change = (run_in_batches(self.trunk, [maps]) - self.absent).reshape(len(maps), -1, self.units)
        change = np.ascontiguousarray(change.transpose(2, 0, 1))
        kernel = self.kernel.reshape(change.shape[2], self.units, -1)
        self.terms = None  # the last block's, before there are two
        self.terms = np.empty((self.units, len(maps), kernel.shape[2]), np.float32)
        for unit in range(self.units):  # one by one: a stacked product of strided matrices does not reach BLAS
            np.matmul(change[unit], kernel[:, unit], out=self.terms[unit])
        self.held, self.in_place = np.repeat(self.start[None], len(maps), axis=0), np.zeros(self.units, bool)
        return change.any(axis=2)

    def states(self, order, live, points) -> Iterator:
        """Yield (k, images, their pre-activations with points[k] units present) for images that have changed since the point before."""
        running = np.repeat(self.start[None], live.shape[1], axis=0)
        yield 0, np.arange(live.shape[1]), running.astype(np.float32)
        for k, (start, end) in enumerate(pairwise(points), start=1):
            come = order[start:end]
            for unit in come:
                running += self.terms[unit]
            images = np.flatnonzero(live[come].any(axis=0))
            yield k, images, running[images].astype(np.float32)

    def with_units(self, present) -> np.ndarray:
        """One row an image, for ``logits``, with only the units of a mask (u,) in place; costs what has changed since the last call."""
        for unit in np.flatnonzero(present != self.in_place):
            (np.add if present[unit] else np.subtract)(self.held, self.terms[unit], out=self.held)
        self.in_place = present.copy()
        return self.held.astype(np.float32)

    def logits(self, rows, images) -> np.ndarray:
        for step in self.steps:
            rows = step(rows)
        return rows


class Masked:
    """States as maps with the absent units replaced; the tail is run on each."""

    def __init__(self, plan, fill):
        self.trunk, self.beside, self.fill = plan.trunk, plan.beside, fill
        self.steps = _stack_steps(plan)
        self.images = self.rows = int(np.clip(MAPS_BYTES // (4 * fill.size), 1, 128))
        self.blas_threads = _blas_threads(0, plan.stack)

    def load(self, maps, images) -> np.ndarray:
        """As ``RunningSum.load``; ``images`` are those of the maps, or None where the maps suffice."""
        self.maps = np.asarray(maps)
        brought = [] if self.beside is None else keras.tree.flatten(self.beside(images))
        self.brought = [keras.ops.convert_to_numpy(tensor) for tensor in brought]
        return (self.maps != self.fill).any(axis=(1, 2)).T

    def states(self, order, live, points) -> Iterator:
        """Yield (k, images, their maps with points[k] units present) for the images that have changed since the point before."""
        present = np.zeros(len(order), bool)
        yield 0, np.arange(len(self.maps)), np.repeat(self.fill[None], len(self.maps), axis=0)
        for k, (start, end) in enumerate(pairwise(points), start=1):
            present[order[start:end]] = True
            images = np.flatnonzero(live[order[start:end]].any(axis=0))
            yield k, images, np.where(present, self.maps[images], self.fill)

    def with_units(self, present) -> np.ndarray:
        """As ``RunningSum.with_units``."""
        return np.where(present, self.maps, self.fill)

    def logits(self, rows, images) -> np.ndarray:
        padding = np.zeros(self.rows - len(rows), np.int64)  # one shape, so that Keras compiles once
        inputs = [np.concatenate([rows, rows[padding]]), *(array[np.append(images, padding)] for array in self.brought)]
        rows = self.trunk.predict_on_batch(inputs if self.brought else inputs[0])[: len(images)].astype(np.float32)
        for step in self.steps:
            rows = step(rows)
        return rows


def open_engine(plan, fill):
    """The engine of a plan; ``fill`` (h, w, u) is what absent units show."""
    return (RunningSum if plan.engine == "running-sum" else Masked)(plan, fill)
