"""The running-sum engine on the backend's device; see ``device_programs.running_sums`` for its digits."""

import math
from typing import Any

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
from .walks import changed_at


class DeviceSumEngine(DeviceEngine):
    """``RunningSumEngine`` on the device: terms are made when they are needed, 1% of what follows them."""

    everyone: Any  # (high, low) of the sum over all units, once it is asked for

    def __init__(self, split, fill, reading):
        super().__init__(split, fill, reading)
        plan, self.units, self.width = split.plan, fill.shape[-1], split.plan.dense.kernel.shape[1]
        with full_float32():
            self.absent = plan.trunk(ops.convert_to_tensor(fill[None]), training=False)[0]
            self.start = programs.product(plan.dense, self.absent[None])[0]
        self.values = self.absent.shape[0] // self.units
        an_image = 4 * (3 * self.absent.shape[0] + fill.size + COPIES * programs.RESTART * self.width)
        self.images = fitting(free_bytes() // 4, an_image, MOST_IMAGES)
        if not self.images:
            raise DeviceMemoryError(no_room(split.layer, "one image", an_image))
        widths = sum(node.outputs[0].shape[-1] for node in plan.stack)
        self.rows = fitting(free_bytes() // 8, 4 * (2 * self.width + 3 * widths), MOST_ROWS) or 1

    def _take(self, maps, images) -> np.ndarray:
        self.count, self.everyone = power_of_two(len(maps)), None
        self.chunk = self._units_at_a_time()
        batches = range(0, len(maps), fitting_batch(maps.shape))
        with full_float32():
            change = ops.concatenate([self._changes(maps[i : i + batches.step]) for i in batches], axis=1)
        live = ops.convert_to_numpy(ops.any(change != 0, axis=2))
        self.change = ops.pad(change, ((0, 0), (0, self.count - len(maps)), (0, 0)))
        return live

    def _units_at_a_time(self) -> int:
        """How many units' sums and terms fit beside each other, in 16s."""
        step = programs.RESTART
        needed = 4 * step * self.width * (COPIES * self.count + 2 * self.values)
        return step * int(np.clip(free_bytes() // 4 // needed, 1, math.ceil(self.units / step)))

    def _changes(self, maps):
        """What units change behind the trunk, (u, n, f)."""
        values = self.plan.trunk(ops.convert_to_tensor(maps), training=False) - self.absent
        return ops.transpose(ops.reshape(values, (len(maps), self.values, self.units)), (2, 0, 1))

    def states(self, order, live, points):
        """As ``DeviceEngine.states``; the running sum goes on from group to group."""
        steps, images = np.nonzero(changed_at(order, live, points))
        for start, rows in self._walk(order):
            here = (points[steps] > start if start else True) & (points[steps] <= start + self.chunk)
            place = (points[steps[here]] - start) * self.count + images[here]
            yield steps[here], images[here], ((rows,), place.astype(np.int32))

    def _walk(self, order):
        """(start, rows with order[:start], order[:start + 1], ...) in place, ``chunk`` + 1 states of each
        image.
        """
        high = ops.broadcast_to(self.start, (self.count, self.width))
        low = ops.zeros_like(high)
        for start in range(0, self.units, self.chunk):
            rows, high, low = self._run("walked", self._some(order, start), high, low)
            self.end = high, low
            yield start, rows

    def _some(self, units, start) -> np.ndarray:
        """``chunk`` of the units from ``start`` on, -1 where there are no more."""
        some = units[start : start + self.chunk]
        return np.append(some, np.full(self.chunk - len(some), -1)).astype(np.int32)

    def _run(self, name, *given):
        """A function of ``device_programs`` that takes the dense layer's kernel and the block."""
        dense, kept = self.plan.dense, self.plan.programs
        assert dense is not None  # of every running-sum plan
        if name not in kept:
            function, kernel = getattr(programs, name), dense.kernel
            kept[name] = compiled(lambda *given: function(ops.convert_to_tensor(kernel), *given), [kernel])
        return kept[name](self.change, *given)

    def _everyone(self):
        """The sum over all units, as the walk of a curve ends with it, (high, low)."""
        if self.everyone is None:
            for _ in self._walk(np.arange(self.units)):
                pass
            self.everyone = self.end
        return self.everyone

    def states_without(self, live):
        """As ``DeviceEngine.states_without``: the sum over all units less a term."""
        units, whole = np.flatnonzero(live.any(axis=1)), self._everyone()
        for start in range(0, len(units), self.chunk):
            some, rows = (
                units[start : start + self.chunk],
                self._run("without", self._some(units, start), *whole),
            )
            which, images = np.nonzero(live[some])
            yield some[which], images, ((rows,), (which * self.count + images).astype(np.int32))

    def whole(self, images) -> Any:
        """As ``Engine.whole``."""
        high, low = self._with_room(self._everyone)
        return (high + low,), np.asarray(images, np.int32)

    def with_units(self, present) -> Any:
        """As ``Engine.with_units``; one product of float32."""
        rows = self._run("chosen", np.asarray(present, np.float32), self.start)
        return (rows,), np.arange(self.count, dtype=np.int32)

    def _outputs_function(self):
        plan = self.plan  # the program must not hold the engine, which holds a block
        return lambda picks, rows: programs.after_first_dense(plan, ops.take(rows, picks, axis=0))

    def _take_less(self) -> bool:
        fewer, shorter = super()._take_less(), self.chunk > programs.RESTART
        self.chunk = max(1, self.chunk // (2 * programs.RESTART)) * programs.RESTART
        return fewer or shorter
