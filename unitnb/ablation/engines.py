"""The engines of ablation curves: what follows the studied layer, evaluated exactly, state by state.

A cumulative curve is the network's output with 0, 1, ..., u units present. An engine goes through those
states in that order (removal is the same walk read backwards) and hands out, for each image, only the states
that differ from the one before.

running-sum
    [per-channel layers] -> Flatten or GlobalPooling -> Dense -> ...: the first dense pre-activation is linear
    in the units, so it is kept as a running sum and only what follows is run again.
masked-tail
    Any other tail: it is run on the maps with the absent units replaced.
masked-model
    The layer does not cut the graph (it is inside a residual branch): the same, but the tail also needs what
    the other branches bring, so the maps must come with their images.

``open_engine`` gives the engine of a split. Each block of maps that an engine loads is compared with the tail
as Keras runs it, with all units present, before any number is made of it.
"""

from collections.abc import Iterator
from itertools import pairwise

import keras
import numpy as np

from ..networks.batches import run_in_batches
from ..networks.devices import engines_on_device
from ..networks.guard import check_equal
from ..networks.image_maps import with_images
from ..networks.outputs import Reading, reading_of_values
from ..networks.split import SplitModel
from .compiled_walk import last_layer
from .dense_steps import activation_steps, bias_of, blas_threads, stack_steps, values_of
from .terms import PooledTerms, StoredTerms, terms_of

TERMS_BYTES = 2**28  # one block of images: every unit's term in the first dense pre-activation
MAPS_BYTES = 2**25  # one block of masked maps
MOST_ROWS = 128  # of masked maps in one run of a tail
DENSE_ROWS = 2048  # states in one matrix product: enough for full speed of BLAS, and small beside the weights
GUARDED = 10  # images of a block, at most, on which the engine is compared with the tail
STATES_A_GUARD = 1000  # states of a curve for each of them: the guard stays below one percent of it


def open_engine(split: SplitModel, fill: np.ndarray, reading: Reading | None = None):
    """The engine of a split; ``fill`` (h, w, u) is what absent units show.

    ``reading`` says what the model's outputs are; by default the graph tells, or else their values on the
    first block. Where ``networks.devices`` says so, it is the one that runs on the backend's device.
    """
    summing = split.engine == "running-sum"
    if engines_on_device():
        from . import device_masks, device_sums

        kind = device_sums.DeviceSumEngine if summing else device_masks.DeviceMaskedEngine
        return kind(split, fill, reading)
    return (RunningSumEngine if summing else MaskedEngine)(split, fill, reading)


class Engine:
    """What both engines share: blocks of maps with their guard, and class scores from rows of states.

    Attributes
    ----------
    images, rows, at_once : int
        The most images of a block, the states that ``scores`` takes best, and those of single units that go
        together.
    blas_threads : int or None
        How many threads NumPy's products may have.
    """

    on_device = False
    images = rows = at_once = 1
    blas_threads: int | None = None

    def __init__(self, split: SplitModel, fill: np.ndarray, reading: Reading | None):
        self.split, self.plan, self.fill = split, split.plan, fill
        self.reading = reading or self.plan.outputs

    def load(self, maps, images=None, states=None) -> np.ndarray:
        """Take a block of maps (n, h, w, u) and compare the engine with the tail; return where a unit
        matters, (u, n) bool.

        ``images`` are those of the maps, or None where the maps suffice. ``states`` is how many states of the
        block will be asked for, by default those of a whole curve.
        """
        maps = np.asarray(maps)
        live = self._take(maps, images)
        self._guard(maps, images, states or len(maps) * (maps.shape[-1] + 1))
        return live

    def _guard(self, maps, images, states) -> None:
        """ValueError where the whole layer does not give what the tail gives, as Keras runs it."""
        count = np.clip(states // STATES_A_GUARD, 1, min(GUARDED, len(maps)))
        some = np.unique(np.linspace(0, len(maps) - 1, count).astype(int))
        part = maps[some] if images is None else with_images(maps[some], np.asarray(images)[some])
        expected = self.split.predict(part)
        self.reading = self.reading or reading_of_values(expected)
        scores, found = self.reading.class_scores(expected), self.scores(self.whole(some), some)
        what = f"the {self.plan.engine} engine of '{self.split.layer}'"
        check_equal(_probabilities(found), _probabilities(scores), self.split.graph, what)
        if self.reading.kind == "logits":
            check_equal(found, scores, self.split.graph, what)

    def scores(self, rows, images) -> np.ndarray:
        """Class scores (m, classes), whose softmax is the probability of each class, of states of ``images``
        (m,).
        """
        assert self.reading is not None  # known since the first block
        outputs = self._outputs(rows, images)
        return self.plan.stack_reading(self.reading).class_scores(outputs.reshape(len(outputs), -1))

    def _take(self, maps, images) -> np.ndarray:
        raise NotImplementedError

    def _outputs(self, rows, images) -> np.ndarray:
        raise NotImplementedError

    def whole(self, images) -> np.ndarray:
        """States of ``images`` with all units in place, as ``scores`` takes them."""
        raise NotImplementedError

    def without(self, unit: int, live) -> tuple[np.ndarray, np.ndarray]:
        """Images of the block on which a unit matters, by ``live`` (n,) bool, or all, and their states with
        all units but that.
        """
        raise NotImplementedError

    def with_units(self, present) -> np.ndarray:
        """States of all images of the block with only the units of a mask (u,) in place."""
        raise NotImplementedError


class RunningSumEngine(Engine):
    """States as pre-activations of the first dense layer: S_k = S_0 + the terms of the first k units of the
    order.

    The sum is kept in float64 and grows from the state without units, so its rounding stays below that of one
    float32 product of the same length, and nothing has to be recomputed on the way.
    """

    terms: StoredTerms | PooledTerms

    def __init__(self, split: SplitModel, fill: np.ndarray, reading: Reading | None):
        super().__init__(split, fill, reading)
        plan, dense = split.plan, split.plan.dense
        assert dense is not None  # of every running-sum plan
        self.kernel = values_of(dense.kernel)
        self.rows = self.at_once = DENSE_ROWS
        self.absent = run_in_batches(plan.trunk, [fill[None]])[0]
        self.start = (self.absent @ self.kernel + bias_of(dense)).astype(np.float64)
        self.steps = [*activation_steps(dense, plan.left_out), *stack_steps(plan)]
        self.last = last_layer(plan)
        self.units = fill.shape[-1]
        self.blas_threads = blas_threads(self.kernel.size // self.units, plan.stack)
        bytes_an_image = 4 * self.units * (self.kernel.shape[1] + 3 * fill.size // self.units)
        self.images = max(1, TERMS_BYTES // bytes_an_image)

    def _take(self, maps, images) -> np.ndarray:
        change = (run_in_batches(self.plan.trunk, [maps]) - self.absent).reshape(len(maps), -1, self.units)
        change = np.ascontiguousarray(change.transpose(2, 0, 1))
        kernel = self.kernel.reshape(change.shape[2], self.units, -1)
        vars(self).pop("terms", None)  # the last block's, before there are two
        self.terms = terms_of(change, kernel)
        self.everyone = None  # the sum over all units, once it is asked for
        return np.asarray(change.any(axis=2))

    def states(self, order, live, points) -> Iterator:
        """Yield (k, images, their states with points[k] units present) for images that have changed since the
        point before.
        """
        running = np.repeat(self.start[None], live.shape[1], axis=0)
        yield 0, np.arange(live.shape[1]), running.astype(np.float32)
        for k, (start, end) in enumerate(pairwise(points), start=1):
            come = order[start:end]
            self.terms.add(come, running)
            images = np.flatnonzero(live[come].any(axis=0))
            yield k, images, running[images].astype(np.float32)

    def whole(self, images) -> np.ndarray:
        """As ``Engine.whole``."""
        return (self.start + self.terms.whole(images)).astype(np.float32)

    def without(self, unit: int, live) -> tuple[np.ndarray, np.ndarray]:
        """As ``Engine.without``; of all images, which is one product."""
        if self.everyone is None:
            self.everyone = self.start + self.terms.whole(np.arange(len(live)))
        return np.arange(len(live)), (self.everyone - self.terms.of(unit)).astype(np.float32)

    def with_units(self, present) -> np.ndarray:
        """As ``Engine.with_units``; costs what has changed since the last call."""
        return (self.start + self.terms.sum_of(np.asarray(present, bool))).astype(np.float32)

    def _outputs(self, rows, images) -> np.ndarray:
        for step in self.steps:
            rows = step(rows)
        return rows


class MaskedEngine(Engine):
    """States as masks of the units in place; the tail is run on the maps with the absent units replaced."""

    def __init__(self, split: SplitModel, fill: np.ndarray, reading: Reading | None):
        super().__init__(split, fill, reading)
        self.model = self.plan.masked_trunk
        self.steps = stack_steps(self.plan)
        self.images = self.rows = self.at_once = int(np.clip(MAPS_BYTES // (4 * fill.size), 1, MOST_ROWS))
        self.blas_threads = blas_threads(0, self.plan.stack)

    def _take(self, maps, images) -> np.ndarray:
        self.maps = maps
        others = self.plan.other_inputs
        brought = [] if others is None else keras.tree.flatten(others(images, training=False))
        self.brought = [keras.ops.convert_to_numpy(tensor) for tensor in brought]
        return (maps != self.fill).any(axis=(1, 2)).T

    def states(self, order, live, points) -> Iterator:
        """As ``RunningSumEngine.states``; a state is a mask (u,)."""
        present = np.zeros(len(order), bool)
        yield 0, np.arange(len(self.maps)), np.repeat(present[None], len(self.maps), axis=0)
        for k, (start, end) in enumerate(pairwise(points), start=1):
            present[order[start:end]] = True
            images = np.flatnonzero(live[order[start:end]].any(axis=0))
            yield k, images, np.repeat(present[None], len(images), axis=0)

    def whole(self, images) -> np.ndarray:
        """As ``Engine.whole``."""
        return np.ones((len(images), self.fill.shape[-1]), bool)

    def without(self, unit: int, live) -> tuple[np.ndarray, np.ndarray]:
        """As ``Engine.without``."""
        images = np.flatnonzero(live)
        return images, np.repeat(np.arange(self.fill.shape[-1])[None] != unit, len(images), axis=0)

    def with_units(self, present) -> np.ndarray:
        """As ``Engine.with_units``."""
        return np.repeat(np.asarray(present, bool)[None], len(self.maps), axis=0)

    def _outputs(self, rows, images) -> np.ndarray:
        parts = [
            self._run(rows[i : i + self.rows], images[i : i + self.rows])
            for i in range(0, len(rows), self.rows)
        ]
        rows = np.concatenate(parts).astype(np.float32, copy=False)
        for step in self.steps:
            rows = step(rows)
        return rows

    def _run(self, masks, images) -> np.ndarray:
        """The trunk on some states; backends that compile for each shape see powers of two only."""
        n = len(masks)
        size = n if keras.backend.backend() == "tensorflow" else min(self.rows, 1 << (n - 1).bit_length())
        place = np.arange(max(size, n)) % n
        brought = [array[images[place]] for array in self.brought]
        inputs = [self.maps[images[place]], masks[place].astype(np.float32), self.fill[None], *brought]
        return np.asarray(self.model.predict_on_batch(inputs))[:n]


def _probabilities(scores) -> np.ndarray:
    shifted = np.exp(scores - scores.max(axis=1, keepdims=True))
    return shifted / shifted.sum(axis=1, keepdims=True)
