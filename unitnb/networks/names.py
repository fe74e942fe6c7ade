"""Keras models of layers that bear one name, as those of two nested models may: Keras alone refuses them."""

import contextlib
from collections.abc import Iterator, Sequence

import keras


def unique_names(operations: Sequence) -> list[str]:
    """A name for each operation: its own; the later ones of one name get a number behind it.

    >>> unique_names([keras.layers.ReLU(name=name) for name in ("r", "r", "r_1")])
    ['r', 'r_2', 'r_1']
    """
    taken = {operation.name for operation in operations}
    names: list[str] = []
    for operation in operations:
        name, number = operation.name, 0
        while name in (names if number == 0 else taken):
            name, number = f"{operation.name}_{number + 1}", number + 1
        names.append(name)
        taken.add(name)
    return names


@contextlib.contextmanager
def different_names(operations: Sequence) -> Iterator[None]:
    """Operations, each given once, have names of their own for a while."""
    before = [operation.name for operation in operations]
    _name(operations, unique_names(operations))
    try:
        yield
    finally:
        _name(operations, before)


def model_of(inputs, outputs) -> keras.Model:
    """``keras.Model(inputs, outputs)``, also where layers on the way have one name."""
    with different_names(_operations_behind(keras.tree.flatten(outputs))):
        return keras.Model(inputs, outputs)


def _name(operations: Sequence, names: Sequence[str]) -> None:
    for operation, name in zip(operations, names, strict=True):
        if operation.name != name:
            operation.name = name


def _operations_behind(tensors: list) -> list:
    """The operations that tensors come from, each once, the last first."""
    found: dict[int, object] = {}
    seen, waiting = set(), list(tensors)
    while waiting:
        operation, index, _ = waiting.pop()._keras_history
        if (id(operation), index) not in seen:
            seen.add((id(operation), index))
            found[id(operation)] = operation
            waiting += operation._inbound_nodes[index].input_tensors
    return list(found.values())
