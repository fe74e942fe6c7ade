"""From a profile to its untrained network, and from a network to named arrays and back.

Keras is imported with the first network, so that a process that needs none starts at once.
"""

from collections.abc import Callable

import numpy as np

from ..profiles import Profile, Recipe, nearest

VGG_BLOCK = "vgg_block"  # the architecture of which only the end is trained (see ``frozen``)


def architecture_of(profile: Profile, n_classes: int) -> dict:
    """The arguments that a profile gives to the function of its architecture."""
    if profile.architecture == "vgg16":
        return {"n_classes": n_classes, "width": profile.width, "input_size": profile.image_size}
    return {
        "n_classes": n_classes,
        "widths": list(profile.widths),
        "dense": profile.dense,
        "image_size": profile.image_size,
    } | ({"cut": profile.cut} if profile.architecture == VGG_BLOCK else {})


def untrained_network(profile: Profile, recipe: Recipe, n_classes: int):
    """The Keras model of a recipe before its training.

    Models of one recipe seed have the same first weights, whatever the notebook's seed.

    Raises
    ------
    ValueError
        If the profile names an unknown architecture.
    """
    import keras

    from . import frozen, vgg

    known: dict[str, Callable] = {"small_vgg": vgg.small_vgg, "vgg16": vgg.vgg16, VGG_BLOCK: frozen.vgg_block}
    name = profile.architecture
    if name not in known:
        raise ValueError(f"unknown architecture '{name}': {nearest(name, known)}")
    if name == VGG_BLOCK:  # made once in a process, before the seed, so that the first weights are the same
        frozen.frozen_front(profile.image_size, profile.cut)
    keras.utils.set_random_seed(1 + recipe.seed)
    arguments = architecture_of(profile, n_classes)
    return known[name](**arguments, dropout=recipe.dropout, l2=recipe.l2)


def arrays_of(network, last_layer: str | None = None) -> dict[str, np.ndarray]:
    """Weights in half precision by ``layer/variable``, up to ``last_layer`` if one is given."""
    names = [layer.name for layer in network.layers]
    layers = network.layers[: names.index(last_layer) + 1] if last_layer else network.layers
    weights = ((layer, variable) for layer in layers for variable in layer.trainable_weights)
    return {f"{layer.name}/{v.name}": np.asarray(v, np.float16) for layer, v in weights}


def assign_arrays(network, arrays: dict[str, np.ndarray]) -> None:
    """Give a network the weights that :func:`arrays_of` made; KeyError where one is missing."""
    for layer in network.layers:
        for variable in layer.trainable_weights:
            variable.assign(arrays[f"{layer.name}/{variable.name}"].astype(np.float32))
