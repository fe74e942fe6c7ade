"""Networks that a profile is given and does not train: Keras's VGG16, EfficientNet-Lite0, or a model file of
one's own.

Such a network is the profile's first model. Its images are grey levels 0..255, RGB, like those of the others.
"""

import warnings
from pathlib import Path

import keras

from ..files import store
from ..images import sources
from ..images.outputs import output_names
from ..images.samples import sample_set
from ..profiles import EFFICIENTNET_LITE0, Profile, project_root
from .graph import flat_graph
from .outputs import Reading
from .split import SplitModel, usable_layers

PADDING = keras.layers.ZeroPadding2D
LARGEST_MAP = 256  # pixels; larger maps have more edges than a birth point can count


def load_given(profile: Profile) -> keras.Model:
    """The given network with its weights.

    Raises
    ------
    FileNotFoundError, DamagedFileError
        If the file is missing, or does not hold what it should; the text says what to do.
    ValueError
        If a model of one's own has another number of outputs than the images have classes.
    """
    if profile.own_network:
        return _own(profile)
    if profile.network == EFFICIENTNET_LITE0:
        from .efficientnet_lite import load_efficientnet_lite0

        return load_efficientnet_lite0(profile.image_size)
    from .pretrained import load_vgg16

    return load_vgg16(profile)


def untrained_given(profile: Profile, seed: int = 1) -> keras.Model:
    """The architecture of the given network with random weights."""
    keras.utils.set_random_seed(seed)
    if profile.own_network:
        return keras.models.clone_model(_own(profile))
    if profile.network == EFFICIENTNET_LITE0:
        from .efficientnet_lite import efficientnet_lite0

        return efficientnet_lite0(profile.image_size)
    from .pretrained import keras_vgg16

    return keras_vgg16(profile.image_size, profile.scaling)


def describe_given(profile: Profile) -> str:
    """Which weights a run used, for its records."""
    if profile.own_network:
        path = project_root() / profile.network
        return f"{path.name}, sha256 {store.file_digest(path)[:16]}"
    if profile.network == EFFICIENTNET_LITE0:
        from .efficientnet_lite import describe_weights as describe_lite

        return describe_lite()
    from .pretrained import describe_weights

    return describe_weights(profile)


def studied_layer(profile: Profile, network: keras.Model) -> str:
    """The profile's layer in ``network``; for a model of one's own without one, the last with maps of 5x5 to
    256x256 that is no padding.

    Raises
    ------
    ValueError
        If no layer of the network has such maps.
    """
    if not profile.own_network:
        return profile.layer
    within = f"{_inner_name(network)}/" if profile.scaling != "none" else ""
    if profile.layer:
        return f"{within}{profile.layer}"
    fitting = [path for path, (h, _, _) in usable_layers(network).items() if h is None or h <= LARGEST_MAP]
    layers = flat_graph(network).layers  # a padding has the maps of the layer before, and a border of zeros
    fitting = [path for path in fitting if path.startswith(within) and not isinstance(layers[path], PADDING)]
    if not fitting:
        raise ValueError(
            f"no layer of {profile.network} has square maps of 5x5 to {LARGEST_MAP}x{LARGEST_MAP}; expected "
            "a network of convolutions, for larger images, or another layout"
        )
    return fitting[-1]


def _inner_name(network: keras.Model) -> str:
    return next(layer.name for layer in network.layers if isinstance(layer, keras.Model))


def _own(profile: Profile) -> keras.Model:
    from .saved import load_saved, scaled

    model = load_saved(project_root() / profile.network)
    _check_classes(profile, max(2, model.outputs[0].shape[-1]) if len(model.outputs) == 1 else 0)
    return scaled(model, profile.scaling)


def _check_classes(profile: Profile, n_outputs: int) -> None:
    """ValueError where the model's outputs are not the classes of the images."""
    names = output_names(profile, sources.class_names(profile))
    if n_outputs and len(names) != n_outputs:
        listed = ", ".join(names[:12]) + (", ..." if len(names) > 12 else "")
        raise ValueError(
            f"{profile.network} tells {n_outputs} classes apart, {profile.data_folder} has {len(names)}: "
            f"{listed}. Name the classes in the order of the outputs, one a line, with CLASS_NAMES=<file>, "
            "or give the folder that the network was trained on."
        )


# ---- what a notebook says first ----


def opening_words(profile: Profile, split: SplitModel) -> str:
    """Layer, outputs and accuracy of the given network, for the first output of a notebook.

    Warns
    -----
    UserWarning
        If it gives no more of the class's images their class than chance: labels or scaling are probably
        wrong.
    """
    images = sources.open_images(profile)
    drawn = {name: sample_set(images, profile, name) for name in ("S_100", "S_val")}
    maps = {name: split.feature_maps(sample.images) for name, sample in drawn.items()}
    reading = split.plan.outputs or split.reading(maps["S_100"])
    found = {name: _accuracy(split, reading, maps[name], drawn[name].labels) for name in drawn}
    chance = 1 / split.n_classes
    if max(found.values()) <= chance:
        warnings.warn(
            f"accuracy on {profile.target_class} is {found['S_100']:.2f} and {found['S_val']:.2f}, chance is "
            f"{chance:.2g}; the order of the classes (CLASS_NAMES=) or the scaling of the images (SCALING=) "
            "is probably "
            "wrong",
            stacklevel=2,
        )
    height, width, units = split.map_shape
    few = split.engine != "running-sum" and profile.points
    curves = f"; curves have {few} points, with straight lines between (SET='points=')" if few else ""
    return (
        f"{Path(profile.network or 'vgg16').name}: layer {split.layer}, {units} units of {height}x{width}, "
        f"outputs are {reading}; accuracy on '{profile.target_class}': {found['S_100']:.2f} on S_100, "
        f"{found['S_val']:.2f} on S_val{curves}"
    )


def _accuracy(split: SplitModel, reading: Reading, maps, labels) -> float:
    return float((reading.class_scores(split.predict(maps)).argmax(axis=1) == labels).mean())
