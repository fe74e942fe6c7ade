"""The running-sum engine on the backend's device; see ``device_programs.running_sums`` for its digits."""

import math
from typing import Any

import keras
import numpy as np
from keras import ops

from ..networks.batches import fitting_batch
from ..networks.devices import compiled, free_bytes, full_float32
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


class DeviceSumEngine(DeviceEngine):
    """``RunningSumEngine`` on the device: terms are made when they are needed, 1% of what follows them."""

    def __init__(self, split, fill, reading):
        super().__init__(split, fill, reading)
        plan, self.units, self.width = split.plan, fill.shape[-1], split.plan.dense.kernel.shape[1]
        with full_float32():
            self.absent = plan.trunk(ops.convert_to_tensor(fill[None]), training=False)[0]
            self.start = programs.product(plan.dense, self.absent[None])[0]
        self.values = self.absent.shape[0] // self.units
        budget = free_bytes() // 2
        self.images = fitting(budget // 2, self._image_bytes(programs.RESTART), MOST_IMAGES)
        if not self.images:
            raise DeviceMemoryError(no_room(split.layer, "one image", self._image_bytes(programs.RESTART)))
        layers = [node.outputs[0].shape[-1] for node in plan.stack]
        self.rows = fitting(budget // 4, 4 * (2 * self.width + 3 * sum(layers)), MOST_ROWS) or 1
        self.chunk = budget // 2  # bytes, until there is a block: then units

    def _image_bytes(self, units) -> int:
        return 4 * (3 * self.absent.shape[0] + self.fill.size + COPIES * units * self.width)

    def _take(self, maps, images) -> np.ndarray:
        self.count, self.everyone = power_of_two(len(maps)), None
        free, one = free_bytes() // 4, programs.RESTART
        bytes_of_16 = 4 * one * self.width * (COPIES * self.count + 2 * self.values)
        self.chunk = one * int(np.clip(free // bytes_of_16, 1, math.ceil(self.units / one)))
        batches = range(0, len(maps), fitting_batch(maps.shape))
        with full_float32():
            parts = [self._changes(maps[i : i + batches.step]) for i in batches]
            self.change = ops.pad(
                ops.concatenate(parts, axis=1), ((0, 0), (0, self.count - len(maps)), (0, 0))
            )
        return keras.ops.convert_to_numpy(ops.any(self.change != 0, axis=2))[:, : len(maps)]

    def _changes(self, maps):
        values = self.plan.trunk(ops.convert_to_tensor(maps), training=False) - self.absent
        return ops.transpose(ops.reshape(values, (len(maps), self.values, self.units)), (2, 0, 1))

    def states(self, order, live, points):
        """As ``DeviceEngine.states``; the running sum goes on from group to group."""
        changed = np.vstack([np.ones(live.shape[1], bool), np.logical_or.reduceat(live[order], points[:-1])])
        steps, images = np.nonzero(changed)
        for start, rows in self._walk(order):
            here = (points[steps] > start if start else True) & (points[steps] <= start + self.chunk)
            place = (points[steps[here]] - start) * self.count + images[here]
            yield steps[here], images[here], ((rows,), place.astype(np.int32))

    def _walk(self, order):
        """(start, rows with order[:start], order[:start + 1], ...) in place, ``chunk`` + 1 states of each
        image.
        """
        high = ops.broadcast_to(self.start, (self.count, self.width))
        low, run = ops.zeros_like(high), self._sums()
        for start in range(0, self.units, self.chunk):
            rows, high, low = run(self.change, self._some(order, start), high, low)
            self.total = high, low
            yield start, rows

    def _some(self, units, start) -> np.ndarray:
        """``chunk`` of the units from ``start`` on, -1 where there are no more."""
        some = units[start : start + self.chunk]
        return np.append(some, np.full(self.chunk - len(some), -1)).astype(np.int32)

    def _sums(self):
        kernel = self.plan.dense.kernel

        def sums(change, units, high, low):
            added = programs.terms(change, ops.convert_to_tensor(kernel), units)
            found, high, low = programs.running_sums(high, low, added)
            return programs.in_rows(found), high, low

        return self._kept("sums", sums)

    def _kept(self, name, function):
        """A program that reads the first dense layer's kernel."""
        if name not in self.plan.programs:
            self.plan.programs[name] = compiled(function, [self.plan.dense.kernel])
        return self.plan.programs[name]

    def _everyone(self):
        """The sum over all units, as the walk of a curve ends with it, (high, low)."""
        if self.everyone is None:
            for _ in self._walk(np.arange(self.units)):
                pass
            self.everyone = self.total
        return self.everyone

    def states_without(self, live):
        """As ``DeviceEngine.states_without``: the sum over all units less a term."""
        kernel, units = self.plan.dense.kernel, np.flatnonzero(live.any(axis=1))

        def without(change, units, high, low):
            return programs.in_rows(
                high + (low - programs.terms(change, ops.convert_to_tensor(kernel), units))
            )

        run, whole = self._kept("without", without), self._everyone()
        for start in range(0, len(units), self.chunk):
            rows, some = run(self.change, self._some(units, start), *whole), units[start : start + self.chunk]
            which, images = np.nonzero(live[some])
            yield some[which], images, ((rows,), (which * self.count + images).astype(np.int32))

    def whole(self, images) -> Any:
        """As ``Engine.whole``."""
        high, low = self._with_room(self._everyone)
        return (high + low,), np.asarray(images, np.int32)

    def with_units(self, present) -> Any:
        """As ``Engine.with_units``; one product of float32."""
        kernel = self.plan.dense.kernel

        def chosen(change, present, start):
            shown = ops.transpose(change * present[:, None, None], (1, 2, 0))
            return start + ops.matmul(
                ops.reshape(shown, (change.shape[1], -1)), ops.convert_to_tensor(kernel)
            )

        rows = self._kept("chosen", chosen)(self.change, np.asarray(present, np.float32), self.start)
        return (rows,), np.arange(self.count, dtype=np.int32)

    def _outputs_function(self):
        plan = self.plan  # the program must not hold the engine, which holds a block
        return lambda picks, rows: programs.after_first_dense(plan, ops.take(rows, picks, axis=0))

    def _take_less(self) -> bool:
        fewer, shorter = super()._take_less(), self.chunk > programs.RESTART
        self.chunk = max(1, self.chunk // (2 * programs.RESTART)) * programs.RESTART
        return fewer or shorter
