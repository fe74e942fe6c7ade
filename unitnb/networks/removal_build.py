"""A graph built once more, with its layers copied and some of their channels left out (see ``removal``)."""

from typing import Any

import keras
import numpy as np

from .graph import FlatGraph
from .names import unique_names
from .removal_plan import Removal
from .removal_slices import smaller_layer


def smaller_model(removal: Removal) -> keras.Model:
    """The model of a plan in which nothing is blocked: flat, not compiled, sharing no weights."""
    graph = removal.linked.graph
    name = graph.entry._keras_history.operation.name
    entry = keras.Input(graph.entry.shape[1:], dtype=graph.entry.dtype, name=name)
    known: dict[int, Any] = {id(graph.entry): entry}
    made: dict[int, Any] = {}
    operations = list({id(node.operation): node.operation for node in graph.nodes}.values())
    names = dict(zip(map(id, operations), unique_names(operations), strict=True))
    for node in graph.nodes:
        changes, weights = _changed(removal, node)
        if names[id(node.operation)] != node.operation.name:
            changes["name"] = names[id(node.operation)]
        operation = made.setdefault(id(node.operation), None) or _copied(node.operation, changes)
        args, kwargs = node.arguments.fill_in(known)
        outputs = keras.tree.flatten(operation(*args, **kwargs))
        if made[id(node.operation)] is None and operation is not node.operation:
            _set(operation, weights)
        made[id(node.operation)] = operation
        known.update({id(x): y for x, y in zip(node.outputs, outputs, strict=True)})
    return _packed(graph, entry, known[id(graph.output)])


def _packed(graph: FlatGraph, entry, output) -> keras.Model:
    """The model, with inputs and outputs in the original's form: alone, in a list or by name."""
    forms = [getattr(graph.model, name, None) for name in ("_inputs_struct", "_outputs_struct")]
    ends = [
        end if form is None else keras.tree.pack_sequence_as(form, [end])
        for form, end in zip(forms, (entry, output), strict=True)
    ]
    return keras.Model(*ends, name=graph.model.name)


def _changed(removal: Removal, node) -> tuple[dict, list]:
    operation = node.operation
    if not removal.taken(node) or not isinstance(operation, keras.Layer):
        return {}, operation.get_weights() if isinstance(operation, keras.Layer) else []
    before, after = id(node.input_tensors[0]), id(node.outputs[0])
    return smaller_layer(node, removal.values[before], ~removal.gone[before], ~removal.gone[after])


def _copied(operation, changes: dict):
    """A layer of the same configuration but for ``changes``; an operation without weights is used again."""
    if not isinstance(operation, keras.Layer) and not changes:
        return operation
    try:
        return type(operation).from_config({**operation.get_config(), **changes})
    except Exception as error:  # a layer of one's own raises whatever its configuration lacks
        if not getattr(operation, "variables", None) and "name" not in changes:
            return operation
        raise ValueError(
            f"'{operation.name}' ({type(operation).__name__}) cannot be copied ({error}); give it a "
            "get_config that returns all arguments of its __init__"
        ) from error


def _set(operation, weights: list[np.ndarray]) -> None:
    if not isinstance(operation, keras.Layer) or not operation.weights:
        return
    operation.set_weights(weights)
    if isinstance(operation, keras.layers.Normalization):
        operation.finalize_state()  # it reads its weights only here
