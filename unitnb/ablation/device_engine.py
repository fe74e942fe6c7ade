"""Engines of ablation curves that run where the backend computes: states are made and judged on its device.

The maps of a block go there once. A state is a few numbers from the processor, and of each state its outcome
comes back: loss, rank, logit and first class. Programs are compiled once for each shape and kept with the
plan of the tail; groups of states are padded to few sizes.
"""

from typing import Any

import numpy as np
from keras import ops

from ..networks.devices import compiled, free_bytes, is_out_of_memory
from ..networks.outputs import LARGEST_LOSS
from . import device_programs as programs
from .engines import Engine

MOST_IMAGES, MOST_ROWS = 1024, 4096  # of a block, and of a run
COPIES = 5  # of a state, or of its largest map, that a program holds at a time


class DeviceMemoryError(RuntimeError):
    """The device has no room for the smallest block."""


class DeviceEngine(Engine):
    """What both engines share: groups of states, judged on the device.

    A state is (inputs, picks): tensors on the device, and what each row takes of them, one row a state.
    """

    on_device = True

    def judged(self, order, live, points, labels, target):
        """(k, images, their outcomes as ``walks.judge`` gives them) with points[k] units present, where
        something has changed since the point before; ``target`` None is no class.
        """
        target = np.int32(-1 if target is None else target)
        return self._with_room(lambda: self._judge(self.states(order, live, points), labels, target))

    def losses_without(self, live, labels):
        """(units, images, losses in nats) without one unit each, for images on which a unit matters."""
        found = self._with_room(lambda: self._judge(self.states_without(live), labels, np.int32(-1)))
        assert self.reading is not None
        most = np.float32(LARGEST_LOSS if self.reading.bounded else np.inf)
        return [(units, images, np.minimum(values[0], most)) for units, images, values in found]

    def scores(self, rows: Any, images) -> np.ndarray:
        """As ``Engine.scores``, of states on the device."""
        inputs, picks = rows[0], rows[1][: len(images)]
        parts = self._with_room(lambda: [self._scores(inputs, part) for part in self._groups(picks)])
        return np.concatenate(parts)

    def _scores(self, inputs, picks) -> np.ndarray:
        found = self._program("scores")(picks[_padded(len(picks), self.rows)], *inputs)
        return ops.convert_to_numpy(found)[: len(picks)]

    def _groups(self, rows) -> list:
        return [rows[i : i + self.rows] for i in range(0, len(rows), self.rows)]

    def _judge(self, states, labels, target) -> list:
        """Outcomes of all states; the device is asked for all before the first is waited for."""
        asked, run = [], self._program("outcomes")
        for names, images, (inputs, picks) in states:
            for some in self._groups(np.arange(len(picks))):
                padded = some[_padded(len(some), self.rows)]
                known = labels[images[padded]].astype(np.int32)
                asked.append((names[some], images[some], run(picks[padded], known, target, *inputs)))
        return [
            (names, images, [ops.convert_to_numpy(part)[: len(names)] for part in found])
            for names, images, found in asked
        ]

    def _program(self, name):
        """The program that makes class scores of picks and inputs, or their outcomes."""
        assert self.reading is not None
        kind, plan = self.plan.stack_reading(self.reading).kind, self.plan
        key = f"{name} of {kind}"
        if key not in plan.programs:
            outputs = self._outputs_function()

            def scores(picks, *inputs):
                return programs.class_scores(kind, outputs(picks, *inputs))

            def outcomes(picks, labels, target, *inputs):
                return programs.outcomes(scores(picks, *inputs), labels, target)

            variables = _variables(plan.trunk, *(node.operation for node in plan.stack))
            plan.programs[key] = compiled(scores if name == "scores" else outcomes, variables)
        return plan.programs[key]

    def _with_room(self, work):
        """``work()``, from its beginning with smaller groups where the device has no room."""
        while True:
            try:
                return work()
            except Exception as error:
                if not is_out_of_memory(error):
                    raise
                if not self._take_less():
                    raise DeviceMemoryError(no_room(self.split.layer, "one state")) from error

    def _take_less(self) -> bool:
        """Halve what goes together; False where nothing is left to halve."""
        fewer = self.rows > 1
        self.rows = max(1, self.rows // 2)
        return fewer

    def _outputs_function(self):
        raise NotImplementedError

    def states(self, order, live, points):
        """(k, images, states), as ``RunningSumEngine.states``, in groups."""
        raise NotImplementedError

    def states_without(self, live):
        """(units, images, states) without one unit each, in groups."""
        raise NotImplementedError


def _variables(*layers) -> list:
    """The variables of layers, each once; operations that are no layers have none."""
    return list({id(v): v for layer in layers for v in getattr(layer, "variables", ())}.values())


def _padded(count, most) -> np.ndarray:
    """Places of ``count`` rows, repeated up to one of few sizes: ``most``, a fourth of it, and so on."""
    while most // 4 >= count:
        most //= 4
    return np.arange(most) % count


def power_of_two(count) -> int:
    return 1 << (count - 1).bit_length()


def fitting(budget, each, most) -> int:
    """How many of ``each`` bytes fit into a budget, a power of two of at most ``most``, or 0."""
    fitting = min(budget // each, most)
    return 1 << (fitting.bit_length() - 1) if fitting else 0


def no_room(layer, what, needed=None) -> str:
    size = "" if needed is None else f", {needed / 1e9:.2g} GB and as much again to work with,"
    return (
        f"the device has {free_bytes() / 1e9:.2g} GB free, which is too little for the curves of '{layer}': "
        f"{what}{size} must fit. End what else runs on the device, give the worker a device of its own, or "
        "set engine_device to cpu"
    )
