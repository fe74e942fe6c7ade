"""The engines of ablation curves: what follows the studied layer, evaluated exactly for one state after another.

A cumulative curve is the network's output with 0, 1, ..., u units present. An engine goes through those states in that order
(removal is the same walk read backwards) and hands out, for each image, only the states that differ from the one before.

running-sum   [per-channel layers] -> Flatten or GlobalPooling -> Dense -> ...: the first dense pre-activation is linear in
              the units, so it is kept as a running sum and only what follows is run again.
masked-tail   any other tail: it is run on the maps with the absent units replaced.
masked-model  the layer does not cut the graph (it is inside a residual branch): the same, but the tail also needs
              what the other branches bring, so the maps must come with their images.
"""

from collections.abc import Callable, Iterator
from itertools import pairwise

import keras
import numpy as np

from ..networks.batches import run_in_batches
from ..networks.tails import DROPOUTS

L = keras.layers
TERMS_BYTES = 2**28  # one block of images: every unit's term in the first dense pre-activation
MAPS_BYTES = 2**25  # one block of masked maps
THREADS_PAY = 10**6  # weights in one product from which BLAS threads gain more than they wait for each other
DENSE_ROWS = 2048  # states in one matrix product: enough for full speed of BLAS, and small beside the weights


def _array(variable) -> np.ndarray:
    """The values of a variable, float32, to be read only."""
    tensor = keras.ops.stop_gradient(keras.ops.convert_to_tensor(variable))
    # TensorFlow's tensors, unlike its variables, share their memory with NumPy: no second copy of VGG16's fc1, 411 MB.
    shared = keras.backend.backend() == "tensorflow"
    return (np.asarray(tensor) if shared else keras.ops.convert_to_numpy(tensor)).astype(
        np.float32, copy=False
    )


def _stack_steps(plan) -> list[Callable]:
    """The stack as functions of arrays that end in logits."""
    steps = [step for layer in plan.stack for step in (_affine(layer) + _activation(layer, plan.softmax))]
    in_trunk = plan.softmax is not None and plan.softmax not in (plan.dense, *plan.stack)
    return [*steps, _log] if in_trunk else steps


def _blas_threads(largest, stack) -> int | None:
    """How many threads NumPy's products may have: one where all are small, else as many as it likes (None)."""
    largest = max(
        [
            largest,
            *(layer.kernel.shape[0] * layer.kernel.shape[1] for layer in stack if type(layer) is L.Dense),
        ]
    )
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
    if type(layer) in DROPOUTS or layer is softmax:
        return []
    if type(layer) not in (L.Dense, L.Activation):
        return [lambda rows: keras.ops.convert_to_numpy(layer(rows, training=False))]
    if layer.activation is keras.activations.linear:
        return []
    if layer.activation is keras.activations.relu:
        return [lambda rows: np.maximum(rows, 0, out=rows)]
    return [lambda rows: keras.ops.convert_to_numpy(layer.activation(keras.ops.convert_to_tensor(rows)))]


class RunningSumEngine:
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
        self.images = max(
            1, TERMS_BYTES // (4 * self.units * (self.kernel.shape[1] + 3 * fill.size // self.units))
        )

    def load(self, maps, images) -> np.ndarray:
        """Take a block of maps (n, h, w, u); return where a unit matters, (u, n) bool."""
        change = (run_in_batches(self.trunk, [maps]) - self.absent).reshape(len(maps), -1, self.units)
        change = np.ascontiguousarray(change.transpose(2, 0, 1))
        kernel = self.kernel.reshape(change.shape[2], self.units, -1)
        self.terms = None  # the last block's, before there are two
        self.terms = np.empty((self.units, len(maps), kernel.shape[2]), np.float32)
        for unit in range(
            self.units
        ):  # one by one: a stacked product of strided matrices does not reach BLAS
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


class MaskedEngine:
    """States as maps with the absent units replaced; the tail is run on each."""

    def __init__(self, plan, fill):
        self.trunk, self.beside, self.fill = plan.trunk, plan.beside, fill
        self.steps = _stack_steps(plan)
        self.images = self.rows = int(np.clip(MAPS_BYTES // (4 * fill.size), 1, 128))
        self.blas_threads = _blas_threads(0, plan.stack)

    def load(self, maps, images) -> np.ndarray:
        """As ``RunningSumEngine.load``; ``images`` are those of the maps, or None where the maps suffice."""
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
        """As ``RunningSumEngine.with_units``."""
        return np.where(present, self.maps, self.fill)

    def logits(self, rows, images) -> np.ndarray:
        padding = np.zeros(self.rows - len(rows), np.int64)  # one shape, so that Keras compiles once
        inputs = [
            np.concatenate([rows, rows[padding]]),
            *(array[np.append(images, padding)] for array in self.brought),
        ]
        rows = self.trunk.predict_on_batch(inputs if self.brought else inputs[0])[: len(images)].astype(
            np.float32
        )
        for step in self.steps:
            rows = step(rows)
        return rows


def open_engine(plan, fill):
    """The engine of a plan; ``fill`` (h, w, u) is what absent units show."""
    return (RunningSumEngine if plan.engine == "running-sum" else MaskedEngine)(plan, fill)
