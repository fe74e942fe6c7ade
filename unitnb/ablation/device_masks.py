"""The general engine on the backend's device: the tail is run on states that are made there from masks."""

import functools
import math
from typing import Any

import keras
import numpy as np
from keras import ops

from ..networks.batches import fitting_batch
from ..networks.devices import free_bytes, full_float32
from . import device_programs as programs
from .device_engine import (
    COPIES,
    MOST_IMAGES,
    MOST_ROWS,
    DeviceEngine,
    DeviceMemoryError,
    fitting,
    no_room,
    power_of_two,
)
from .walks import changed_at

MOST_MAP_BYTES = 2**30  # of a block's maps in the processor's memory


class DeviceMaskedEngine(DeviceEngine):
    """``MaskedEngine`` on the device: the processor sends three numbers a state, see ``masked_outputs``."""

    def __init__(self, split, fill, reading):
        super().__init__(split, fill, reading)
        budget, a_row = free_bytes() // 2, 4 * COPIES * max(_sizes(split), default=fill.size)
        self.rows = fitting(budget // 2, a_row, MOST_ROWS) or 1
        on_device = fitting(budget // 2, 8 * fill.size, MOST_IMAGES)
        self.images = min(on_device, fitting(MOST_MAP_BYTES, 4 * fill.size, MOST_IMAGES))
        if not self.images:
            raise DeviceMemoryError(no_room(split.layer, "the maps of one image", 8 * fill.size))

    def _take(self, maps, images) -> np.ndarray:
        others, self.count = self.plan.other_inputs, power_of_two(len(maps))
        padding = ((0, self.count - len(maps)), (0, 0), (0, 0), (0, 0))
        maps, fill = (ops.convert_to_tensor(np.asarray(part, np.float32)) for part in (maps, self.fill))
        live = ops.any(maps != fill, axis=(1, 2))
        brought = [] if others is None else _in_parts(others, images, self.count)
        self.given = ops.pad(maps, padding), fill, *brought
        return ops.convert_to_numpy(live).T

    def states(self, order, live, points):
        """As ``DeviceEngine.states``, all at once."""
        steps, images = np.nonzero(changed_at(order, live, points))
        yield steps, images, self._state(np.argsort(order), images, points[steps], len(order))

    def states_without(self, live):
        """As ``DeviceEngine.states_without``, all at once."""
        units, images = np.nonzero(live)
        yield units, images, self._state(np.arange(len(live)), images, units, units + 1)

    def _state(self, place, images, first, second):
        picks = np.stack(np.broadcast_arrays(images, first, second), axis=1).astype(np.int32)
        return (np.asarray(place, np.int32), *self.given), picks

    def whole(self, images) -> Any:
        """As ``Engine.whole``."""
        units = self.fill.shape[-1]
        return self._state(np.arange(units), images, units, units)

    def with_units(self, present) -> Any:
        """As ``Engine.with_units``."""
        return self._state(~np.asarray(present, bool), np.arange(self.count), 1, 2)

    def _outputs_function(self):
        return functools.partial(programs.masked_outputs, self.plan)


def _sizes(split) -> list[int]:
    """Of each tensor that the trunk makes, as far as the model fixes them: values of one image."""
    inside = {id(operation) for operation in split.plan.trunk.operations}
    tensors = [t for node in split.graph.nodes if id(node.operation) in inside for t in node.outputs]
    return [math.prod(tensor.shape[1:]) for tensor in tensors if None not in tensor.shape[1:]]


def _in_parts(model, images, count) -> list:
    """Outputs of ``model`` on the device, of a batch of images at a time, for ``count`` images: the last is
    repeated.
    """
    images, size = np.asarray(images), fitting_batch(images.shape)
    images = images[np.minimum(np.arange(count), len(images) - 1)]
    with full_float32():
        parts = [
            keras.tree.flatten(model(ops.convert_to_tensor(images[i : i + size]), training=False))
            for i in range(0, count, size)
        ]
    return [ops.concatenate(part) for part in zip(*parts, strict=True)]
