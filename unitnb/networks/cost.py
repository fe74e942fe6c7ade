"""What a network costs: its parameters, and the multiply-adds of one image."""

import math

import keras

from .graph import flat_graph
from .tails import IDENTITIES

L = keras.layers
# Layers that only move values or pass them on: not counted, and not named.
_FREE = {
    L.InputLayer,
    L.Flatten,
    L.Reshape,
    L.Permute,
    L.Concatenate,
    L.ZeroPadding2D,
    L.Cropping2D,
} | IDENTITIES


def model_cost(model) -> dict:
    """Parameters of a model, and its multiply-adds for one image.

    A multiply-add is one product of a weight with a value and its sum: with s pixels of the output, a kernel
    of h x w, c channels and u units,

    - Conv2D: s h w (c / groups) u; DepthwiseConv2D: s h w u;
    - SeparableConv2D: s (h w c m + c m u), with m its depth multiplier;
    - Conv2DTranspose: the same as Conv2D, with s the pixels of the input;
    - Dense: s c u, with s = 1 for vectors.

    Biases, activations, normalisations, pooling and whatever else counts 0; ``not_counted`` names these
    types, but for those that only move values. A layer that is called twice counts twice; its parameters
    count once.

    Returns
    -------
    dict
        ``parameters`` int, ``multiply_adds`` int, ``not_counted`` list of str.

    Raises
    ------
    ValueError
        If the model is no graph of one input and one output, or leaves the size of its images open.

    >>> images = keras.Input((8, 8, 3))
    >>> cost = model_cost(keras.Model(images, L.Conv2D(4, 3)(images)))  # 36 pixels, 27 weights each, 4 units
    >>> cost["parameters"], cost["multiply_adds"], cost["not_counted"]
    (112, 3888, [])
    """
    graph = flat_graph(model)
    found = [(node.operation, _multiply_adds(node)) for node in graph.nodes]
    others = {type(operation) for operation, products in found if products is None} - _FREE
    return {
        "parameters": int(model.count_params()),
        "multiply_adds": sum(products or 0 for _, products in found),
        "not_counted": sorted(kind.__name__ for kind in others),
    }


def _multiply_adds(node) -> int | None:
    """Of one call for one image; None for a layer of a type that is not counted."""
    layer, before, after = node.operation, node.input_tensors[0].shape, node.outputs[0].shape
    kind, channels = type(layer), before[-1]
    if kind is L.Dense:
        return _pixels(layer, after) * channels * layer.units
    if kind is L.Conv2D:
        return (
            _pixels(layer, after)
            * math.prod(layer.kernel_size)
            * (_channels(layer, before) // layer.groups)
            * layer.filters
        )
    if kind is L.Conv2DTranspose:
        return (
            _pixels(layer, before) * math.prod(layer.kernel_size) * _channels(layer, before) * layer.filters
        )
    if kind is L.DepthwiseConv2D:
        return _pixels(layer, after) * math.prod(layer.kernel_size) * _channels(layer, after)
    if kind is L.SeparableConv2D:
        repeated = _channels(layer, before) * layer.depth_multiplier
        return _pixels(layer, after) * repeated * (math.prod(layer.kernel_size) + layer.filters)
    return None


def _channels(layer, shape) -> int:
    return shape[1 if getattr(layer, "data_format", None) == "channels_first" else -1]


def _pixels(layer, shape) -> int:
    first = getattr(layer, "data_format", None) == "channels_first"
    sides = shape[2:] if first else shape[1:-1]
    if None in sides:
        raise ValueError(
            f"'{layer.name}' gives {tuple(shape)}, whose size the model leaves open; call the model on "
            "images of one size: keras.Model(images := keras.Input((224, 224, 3)), model(images))"
        )
    return math.prod(sides)
