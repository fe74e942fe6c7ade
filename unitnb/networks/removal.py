"""A smaller network without some units, whose outputs are those of the network with their maps set to zero.

The paper calls its roles a starting point for "network construction and simplification" (abstract). Units go
from the layer that makes them, from the layers of single channels around it and from the layers that read
them. The constant that a removed map becomes, for instance behind a batch normalisation, goes into the next
bias.
"""

from collections.abc import Mapping, Sequence

import keras
import numpy as np

from .graph import FlatGraph, flat_graph, is_channels_first
from .guard import computes_in_half, own_outputs
from .removal_build import smaller_model
from .removal_plan import CoupledUnitsError, Linked, Removal, plan_removal
from .removal_rules import L, obstacle
from .removal_together import together

# Of the largest output: in float32, on a GPU with its shorter products, and in half precision.
ROUNDING = (1e-3, 5e-2)
OPEN_SIDE = 64  # pixels of the images on which a model of open size is compared


def remove_units(model, layer, units=None) -> keras.Model:
    """A new model without units of a layer; its outputs are those of ``model`` with their maps set to zero.

    The maps are the output of the named layer, as ``split_model`` takes it. ``model`` stays as it is. Nested
    models come out flat. Layers keep their names, but of layers of one name all but the first get a number
    behind it. The new model is not compiled.

    Parameters
    ----------
    model : keras.Model
        A graph of one input and one output, channels last.
    layer : str, int, keras.Layer, or a mapping
        As ``split_model`` takes it, or ``{layer: units, ...}`` for several layers at once.
    units : sequence of int
        Numbers of the units that go, from 0.

    Returns
    -------
    keras.Model

    Raises
    ------
    KeyError
        If there is no such layer; the text names the nearest.
    CoupledUnitsError
        If the units meet those of other layers (in an Add), or their map is not zero where zeros are padded.
        Its text and its ``together`` name the layers and units to give instead.
    ValueError
        If units are out of range, named twice, all of a layer or the model's outputs; if a layer around them
        cannot be followed; or if the new model does not give the outputs that it should.

    Examples
    --------
    >>> import unitnb
    >>> remove_units(unitnb.small_vgg(), "block2_conv3", [3, 5]).get_layer("block2_conv3").filters
    126
    """
    graph = flat_graph(model)
    asked = layer if units is None and isinstance(layer, Mapping) else {layer: units}
    removal = checked_removal(Linked(graph), asked)
    made = smaller_model(removal)
    _compare(graph, removal.masks, made)
    return made


def checked_removal(linked: Linked, asked: Mapping) -> Removal:
    """The plan of removing units by layer, ``{layer: units, ...}``; the errors of ``remove_units``."""
    removal = plan_removal(linked, _masks(linked.graph, asked))
    _check(removal)
    return removal


# ---- what is asked for ----


def _masks(graph: FlatGraph, asked: Mapping) -> dict[int, np.ndarray]:
    """The units to remove as (u,) bool, by the tensor of their maps."""
    if not asked:
        raise ValueError("no layer came; expected {layer: units, ...}")
    masks: dict[int, np.ndarray] = {}
    for layer, units in asked.items():
        path, tensor = graph.studied(layer)
        if is_channels_first(graph, tensor):
            raise ValueError(
                f"'{path}' is channels_first; units are removed from models that are channels last"
            )
        if id(tensor) in masks:
            raise ValueError(f"'{path}' came twice; give all of its units at once")
        masks[id(tensor)] = _mask(path, units, tensor.shape[-1])
    return masks


def _mask(path: str, units: Sequence[int] | np.ndarray | None, count: int) -> np.ndarray:
    numbers = np.asarray([] if units is None else units)
    if numbers.ndim != 1 or numbers.size == 0 or numbers.dtype.kind not in "iu":
        raise ValueError(
            f"units of '{path}' are {units!r}; expected whole numbers from 0 to {count - 1}, one or more"
        )
    outside = numbers[(numbers < 0) | (numbers >= count)]
    if outside.size:
        raise ValueError(f"'{path}' has the units 0 to {count - 1}, not {', '.join(map(str, outside[:5]))}")
    found, times = np.unique(numbers, return_counts=True)
    if times.max() > 1:
        raise ValueError(
            f"units of '{path}' came twice: {', '.join(map(str, found[times > 1][:5]))}; give each once"
        )
    if len(found) == count:
        raise ValueError(f"these are all {count} units of '{path}'; at least one must stay")
    return np.isin(np.arange(count), found)


# ---- what cannot go ----


def _check(removal: Removal) -> None:
    """ValueError where units cannot go: unknown layers, ends of the network, other layers' units."""
    linked, graph = removal.linked, removal.linked.graph
    name = " and ".join(f"'{linked.paths[key]}'" for key in removal.masks)
    _check_followed(removal, f"the units of {name} cannot be removed")
    if removal.gone[id(graph.output)].any():
        raise ValueError(
            f"the units of {name} are outputs of '{graph.model.name}'; name a layer before its classifier"
        )
    if removal.gone[id(graph.entry)].any():
        raise ValueError(
            f"the units of {name} are channels of the images, which '{graph.model.name}' takes as they are"
        )
    for tensor in linked.tensors():
        if (gone := removal.gone[id(tensor)]).size and gone.all():
            raise ValueError(
                f"no unit would be left of '{tensor.name}', which units of {name} lead to; let one stay"
            )
    if (tensor := removal.first_blocked()) is not None:
        _refuse_blocked(removal, tensor, name)


def _check_followed(removal: Removal, words: str) -> None:
    uses: dict[int, int] = {}
    for node in removal.linked.graph.nodes:
        uses[id(node.operation)] = uses.get(id(node.operation), 0) + 1
    for node in filter(removal.taken, removal.linked.graph.nodes):
        reason = obstacle(node, bool(removal.gone[id(node.outputs[0])].any()))
        if not reason and uses[id(node.operation)] > 1 and _depends_on_width(node.operation):
            reason = (
                f"'{node.operation.name}' is used {uses[id(node.operation)]} times and shares its weights"
            )
        if reason:
            raise ValueError(f"{words}: {reason}. Name a layer whose units do not reach it")


def _depends_on_width(layer) -> bool:
    return isinstance(layer, (L.Reshape, L.Rescaling)) or bool(getattr(layer, "weights", ()))


def _refuse_blocked(removal: Removal, tensor, name: str) -> None:
    found, graph = together(removal), removal.linked.graph
    maker = removal.linked.makers[id(tensor)].operation.name
    if not found:
        raise ValueError(
            f"the units of {name} cannot be removed: at '{maker}' they meet something that stays, and no "
            f"layers of '{graph.model.name}' were found that let them go together"
        )
    numbers = {path: np.flatnonzero(mask).tolist() for path, mask in found.items()}
    text = ", ".join(f"'{path}': {_listed(units)}" for path, units in numbers.items())
    if len(found) == 1 and len(removal.masks) == 1:
        reason = (
            "their maps do not stay zero, or are still read elsewhere; name this layer in place of theirs"
        )
    else:
        reason = f"they meet units of other layers, first those of '{maker}'; give these together"
    raise CoupledUnitsError(
        f"the units of {name} cannot be removed alone: {reason}: remove_units(model, {{{text}}})", numbers
    )


def _listed(units: list[int]) -> str:
    return str(units) if len(units) <= 4 else f"[{', '.join(map(str, units[:3]))}, ... {len(units)} units]"


# ---- the guard ----


def _compare(graph: FlatGraph, masks: Mapping[int, np.ndarray], made: keras.Model) -> None:
    """ValueError where ``made`` does not give what the masked model gives for two random images."""
    sides = [OPEN_SIDE if side is None else side for side in graph.entry.shape[1:]]
    images = np.random.default_rng(0).random((2, *sides), np.float32)
    images[1] *= 255
    expected = masked_outputs(graph, masks, images)
    found = own_outputs(made, images)
    bound = ROUNDING[computes_in_half(graph)] * np.abs(expected).max(initial=0) + 1e-6
    worst = np.abs(found - expected).max(initial=0)
    if not worst <= bound and np.isfinite(expected).all():
        raise ValueError(
            f"the smaller model gives outputs that differ from those of the masked '{graph.model.name}' by "
            f"{worst:.2g} (rounding explains {bound:.1g}). The model may be random in inference; no smaller "
            "model is made of it"
        )


def masked_outputs(graph: FlatGraph, masks: Mapping[int, np.ndarray], images) -> np.ndarray:
    """Outputs in inference with the masked units, (u,) bool by tensor, set to zero."""
    known = {id(graph.entry): keras.ops.convert_to_tensor(images)}
    for node in graph.nodes:
        args, kwargs = node.arguments.fill_in(known)
        if isinstance(node.operation, keras.Layer) and node.operation._call_has_training_arg:
            kwargs = {**kwargs, "training": False}
        for tensor, value in zip(
            node.outputs, keras.tree.flatten(node.operation(*args, **kwargs)), strict=True
        ):
            mask = masks.get(id(tensor))
            known[id(tensor)] = (
                value if mask is None else keras.ops.where(mask, keras.ops.zeros_like(value), value)
            )
    return keras.ops.convert_to_numpy(keras.ops.cast(known[id(graph.output)], "float32"))
