"""A Keras model as one flat graph: nested models are inlined, and every layer has a path such as
``"base/conv1"``.
"""

import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import keras

from .names import model_of

SMALLEST_MAP = 5  # pixels: smaller maps have no birth within the default B_max


@dataclass(frozen=True, eq=False)
class FlatGraph:
    """The graph of a model with one input and one output, nested models inlined.

    Attributes
    ----------
    entry, output : KerasTensor
        The images (n, H, W, channels) and what the model makes of them.
    nodes : tuple of keras nodes
        The calls of layers and operations, each after those that it needs.
    calls : dict from path to list of KerasTensor
        What each layer gives, once for every time that it is called in this graph.
    layers : dict from path to layer
    """

    model: keras.Model
    entry: keras.KerasTensor
    output: keras.KerasTensor
    nodes: tuple
    calls: dict[str, list]
    layers: dict[str, keras.Layer]

    @property
    def usable(self) -> list[str]:
        """The paths of layers that can be studied: called once, with square maps of at least 5x5."""
        return [path for path in self.layers if not self._problem(path)]

    def studied(self, layer) -> tuple[str, keras.KerasTensor]:
        """Path and output of a layer given as a path, an index of ``model.layers`` or a layer object.

        Raises
        ------
        KeyError
            If there is no such layer; the text names the nearest paths and all that would do.
        ValueError
            If the layer is called more than once, is the model's output, or gives no square 4-D maps.
        """
        path = self._path(layer)
        if problem := self._problem(path, smallest=1):
            raise ValueError(f"{problem}. {self._advice()}")
        return path, self.calls[path][0]

    def _path(self, layer) -> str:
        if isinstance(layer, keras.Layer):
            found = [path for path, known in self.layers.items() if known is layer]
            return found[0] if found else self._unknown(layer.name)
        if isinstance(layer, int) and not isinstance(layer, bool):
            return self._indexed(layer)
        return layer if layer in self.layers else self._unknown(layer)

    def _indexed(self, index: int) -> str:
        n = len(self.model.layers)
        if not -n <= index < n:
            raise KeyError(f"'{self.model.name}' has the layers 0 to {n - 1}, not {index}.")
        return self._path(self.model.layers[index])

    def _unknown(self, name) -> str:
        inside = [path for path in self.layers if path.split("/")[-1] == str(name)]
        within = [path for path in self.usable if path.startswith(f"{name}/")]
        near = (
            inside
            or within[-3:]
            or difflib.get_close_matches(str(name), self.usable, n=3)
            or self.usable[-3:]
        )
        state = (
            "is a model inside the model"
            if within
            else "stands inside a nested model"
            if inside
            else "is no layer"
        )
        raise KeyError(
            f"'{name}' {state} of '{self.model.name}'. Nearest: {', '.join(near) or 'none'}. {self._advice()}"
        )

    def _advice(self) -> str:
        return f"Layers with square maps: {', '.join(self.usable) or 'none'}."

    def _problem(self, path: str, smallest=SMALLEST_MAP) -> str:
        """What keeps a layer from being studied, as the beginning of a sentence; empty if nothing does."""
        tensors = self.calls[path]
        if len(tensors) > 1:
            uses = f"'{path}' is used {len(tensors)} times in '{self.model.name}'"
            return f"{uses}; name a layer that is used once"
        shape = tuple(tensors[0].shape)
        if len(shape) != 4:
            return f"The output of '{path}' is {shape}, not 4-D maps (n, h, w, units)"
        if tensors[0] is self.output:
            return f"'{path}' is the output of '{self.model.name}'; nothing follows it that could be ablated"
        height, width = map_sides(self, path)
        if height != width:
            return f"The maps of '{path}' are {height}x{width}; they must be square: use square images"
        return (
            f"The maps of '{path}' are {height}x{width}" if height is not None and height < smallest else ""
        )


def map_sides(graph: FlatGraph, path: str) -> tuple:
    """Height and width of a layer's maps; None where the model leaves them open."""
    shape = tuple(graph.calls[path][0].shape)
    return shape[2:4] if is_channels_first(graph, graph.calls[path][0]) else shape[1:3]


def flat_graph(model) -> FlatGraph:
    """The flat graph of ``model``, whose layers are shared and not changed.

    Raises
    ------
    ValueError
        If the model is not a graph (a subclass with its own ``call``, or one that is not built), or has more
        than one input or output.
    """
    function = _checked_function(model)
    calls: dict[str, list] = {}
    layers: dict[str, keras.Layer] = {}
    if any(_function_of(node.operation) for node in _ordered(function)):
        output = _inlined(function, function.inputs, "", calls, layers)[0]
        function = model_of(function.inputs[0], output)
    else:
        for node in _ordered(function):
            _note(node.operation, node.outputs, "", calls, layers)
    return FlatGraph(model, function.inputs[0], function.outputs[0], tuple(_ordered(function)), calls, layers)


def _checked_function(model):
    function = _function_of(model)
    kind = f"{type(model).__name__} '{getattr(model, 'name', '?')}'"
    if function is None:
        raise ValueError(
            f"{kind} is not a graph of layers: it is not built, or a subclass with a call of its own. "
            "Give a built Sequential or functional model (keras.Model(inputs, outputs))."
        )
    counts = len(function.inputs), len(function.outputs)
    if counts != (1, 1):
        raise ValueError(
            f"{kind} has {counts[0]} inputs and {counts[1]} outputs; expected one of each. Choose one: "
            "keras.Model(model.inputs[0], model.outputs[0])."
        )
    return function


def _function_of(operation):
    """The function behind a Sequential or functional model, or None for a layer, an unbuilt model or a
    subclass.
    """
    from keras.src.models.functional import Functional

    if isinstance(operation, keras.Sequential) and type(operation).call is keras.Sequential.call:
        return operation._functional
    if isinstance(operation, Functional) and type(operation).call is Functional.call:
        return operation
    return None


def _ordered(function) -> Iterator:
    """The nodes of a function, each after those that it needs, inputs left out."""
    for depth in sorted(function._nodes_by_depth, reverse=True):
        yield from (node for node in function._nodes_by_depth[depth] if not node.is_input)


def _inlined(function, tensors: Sequence, prefix: str, calls: dict, layers: dict) -> list:
    """Call every layer of ``function`` once more on ``tensors``, those of nested models in place of the
    models.
    """
    known = {id(x): y for x, y in zip(function.inputs, tensors, strict=True)}
    for node in _ordered(function):
        args, kwargs = node.arguments.fill_in(known)
        if nested := _function_of(node.operation):
            inside = f"{prefix}{node.operation.name}/"
            given = _inputs_of(nested, args[0] if args else kwargs["inputs"])
            outputs = _inlined(nested, given, inside, calls, layers)
        else:
            outputs = keras.tree.flatten(node.operation(*args, **kwargs))
            _note(node.operation, outputs, prefix, calls, layers)
        known.update({id(x): y for x, y in zip(node.outputs, outputs, strict=True)})
    return [known[id(x)] for x in function.outputs]


def _inputs_of(nested, given) -> list:
    """What a nested model is called with, in the order and the types of its inputs."""
    if isinstance(given, dict) and not isinstance(nested._inputs_struct, dict):
        given = [given[own.name] for own in nested.inputs]
    pairs = zip(keras.tree.flatten(given), nested.inputs, strict=True)
    return [x if x.dtype == own.dtype else keras.ops.cast(x, own.dtype) for x, own in pairs]


def _note(operation, outputs: Sequence, prefix: str, calls: dict, layers: dict) -> None:
    if isinstance(operation, keras.Layer) and len(outputs) == 1:
        path = prefix + operation.name
        layers[path] = operation
        calls.setdefault(path, []).append(outputs[0])


# ---- going along the graph ----


def producers(nodes: Sequence) -> dict[int, Any]:
    """The node that makes each tensor, by the tensor's id."""
    return {id(tensor): node for node in nodes for tensor in node.outputs}


def apply(node, tensor):
    """What a node of one input gives for a tensor of values, in inference."""
    args, kwargs = node.arguments.fill_in({id(node.input_tensors[0]): tensor})
    takes_mode = isinstance(node.operation, keras.Layer) and node.operation._call_has_training_arg
    return node.operation(*args, **{**kwargs, **({"training": False} if takes_mode else {})})


def continued(nodes: Sequence, given: dict[int, Any], output):
    """Symbolic ``output`` from other tensors in place of those in ``given``, by calling what follows them
    once more.
    """
    known = dict(given)
    for node in nodes:
        if any(id(tensor) in known for tensor in node.input_tensors):
            args, kwargs = node.arguments.convert(lambda x: known.get(id(x), x))
            outputs = keras.tree.flatten(node.operation(*args, **kwargs))
            known.update({id(x): y for x, y in zip(node.outputs, outputs, strict=True) if id(x) not in given})
    return known[id(output)]


def is_channels_first(graph: FlatGraph, tensor) -> bool:
    """Whether the channels of a 4-D tensor are its first axis after the images: read off the nearest layer
    before it that says so, or else off the nearest batch normalisation.
    """
    makers, waiting, normalised = producers(graph.nodes), [tensor], []
    while waiting:
        node = makers.get(id(waiting.pop(0)))
        if node is None:
            continue
        layout = getattr(node.operation, "data_format", None)
        if layout in ("channels_first", "channels_last"):
            return layout == "channels_first"
        if type(node.operation) is keras.layers.BatchNormalization:
            normalised.append(node.operation.axis == 1)
        waiting += node.input_tensors
    return normalised[0] if normalised else keras.config.image_data_format() == "channels_first"
