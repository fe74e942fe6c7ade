"""The layers of a network that are compared by depth (Sec. 3.1): of one kind, from the images on."""

import keras

from .graph import FlatGraph, flat_graph
from .split import SplitModel


def convolutions(model) -> list[str]:
    """The paths of a model's convolutions, from the images on."""
    graph = flat_graph(model)
    return [path for path, layer in graph.layers.items() if isinstance(layer, keras.layers.Conv2D)]


def depth_layers(graph: FlatGraph, layer: str) -> list[str]:
    """The layers of the same kind as ``layer`` with square maps, from the images up to it, as paths.

    For a convolution they are the convolutions, those with an activation of their own if it has one. For an
    activation behind a batch normalisation they are the activations.
    """
    studied = graph.layers[layer]
    kind = keras.layers.Conv2D if isinstance(studied, keras.layers.Conv2D) else type(studied)
    same = [path for path in graph.usable if isinstance(graph.layers[path], kind)]
    names = [path for path in same if _is_linear(graph.layers[path]) == _is_linear(studied)]
    return [*names[: names.index(layer)], layer]


def _is_linear(layer) -> bool:
    return getattr(layer, "activation", None) is keras.activations.linear


def rows_by_depth(split: SplitModel, images) -> list[int]:
    """Rows of the maps of each of ``depth_layers``, for images (n, H, W, 3) as the model takes them."""
    graph = split.graph
    layers = depth_layers(graph, split.layer)
    head = keras.Model(graph.entry, [graph.calls[layer][0] for layer in layers])
    shapes = head.compute_output_shape((1, *images.shape[1:]))
    return [shape[1] for shape in (shapes if len(layers) > 1 else [shapes])]
