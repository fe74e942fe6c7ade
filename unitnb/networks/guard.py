"""What a split or an engine gives, compared with what the model itself gives."""

import keras
import numpy as np

from .devices import full_float32
from .graph import FlatGraph


def own_outputs(model, images) -> np.ndarray:
    """What the model itself gives in inference, float32, for images (n, H, W, 3)."""
    form = getattr(model, "_inputs_struct", None)  # a model may take its one tensor in a list or by name
    tensor = keras.ops.convert_to_tensor(np.asarray(images))
    packed = tensor if form is None else keras.tree.pack_sequence_as(form, [tensor])
    with full_float32():
        output = keras.tree.flatten(model(packed, training=False))[0]
    return keras.ops.convert_to_numpy(output).astype(np.float32)


def computes_in_half(graph: FlatGraph) -> bool:
    """Whether a layer of the graph computes in half precision."""
    kinds = {getattr(layer, "compute_dtype", "float32") for layer in graph.layers.values()}
    return not kinds <= {"float32", "float64"}


def check_equal(found, expected, graph: FlatGraph, what: str) -> None:
    """ValueError where outputs differ by more than rounding: 1e-4 of their size, 5e-2 where layers compute in
    half precision.

    A difference means that ``what`` does not compute the model, so nothing that it gives is to be trusted.
    """
    finite = np.isfinite(expected)  # a model that gives NaN does so in every way
    bound = (5e-2 if computes_in_half(graph) else 1e-4) * (1 + np.abs(expected[finite]).max(initial=0))
    worst = np.abs(found[finite] - expected[finite]).max(initial=0)
    if not worst <= bound or not np.array_equal(np.isfinite(found), finite):
        raise ValueError(
            f"{what} gives outputs that differ from those of '{graph.model.name}' by {worst:.2g} (rounding "
            f"explains {bound:.1g}). The model may be random in inference, an image's outputs may depend "
            "on the others of its batch, or layers may do what unitnb does not know; no curve is made of it."
        )
