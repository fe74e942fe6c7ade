"""The networks of a profile (Sec. 3.1): which are there, where their weights lie, and how they are loaded.

Keras comes with the first network, so that a process which only asks which there are starts at once and takes no GPU.
"""

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from ..files import store
from ..images import sources
from ..profiles import Profile, Recipe, nearest, project_root

LOG = ("epoch", "loss", "accuracy", "test_loss", "test_accuracy", "seconds")
SHIPPED = Path(__file__).parents[1] / "weights"  # of the package


class NotTrainedError(FileNotFoundError):
    """A network, or what its training leaves behind, that has to be trained first."""


# ---- where they lie ----


def weights_folder(profile: Profile, model: str | None = None) -> Path:
    """Where training writes a profile's weights: for the embedded images into the package, as they are shipped, else under ``build/``.

    Those of a model of ``profile.extra`` are not shipped; only what was measured on them is.
    """
    if profile.source == "shapes" and model not in profile.extra:
        return SHIPPED / profile.name
    return profile.build / "weights" / profile.name


def weights_file(profile: Profile, model: str, ending: str = ".npz") -> Path:
    """The file of a model that is to be read: what was trained here, or else what is shipped, if that is for images of these classes."""
    trained = weights_folder(profile, model)
    there = (trained / f"{model}.npz").exists() or not _is_shipped(profile, model)
    return (trained if there else SHIPPED / profile.name) / (model + ending)


def _is_shipped(profile: Profile, model: str) -> bool:
    """Whether the package has a network of this name that tells apart the classes that the profile's images have."""
    path = SHIPPED / profile.name / f"{model}.npz"
    return path.exists() and store.read_npz(path)[1].get("classes") == list(sources.class_names(profile))


def is_pretrained(profile: Profile, model: str) -> bool:
    """Whether a model is Keras's VGG16 with the weights that the profile names: its first model, where it names some."""
    return bool(profile.weights) and model == next(iter(profile.models))


def is_there(profile: Profile, model: str) -> bool:
    """Whether a model is pretrained, shipped, or has been trained here."""
    return is_pretrained(profile, model) or weights_file(profile, model).exists()


def train_command(profile: Profile, wanted: list[str]) -> str:
    """The command that trains the models ``wanted``."""
    if profile.weights:  # by name: the first of them is pretrained, and only its epochs may be wanted
        return f"UNITNB_DATA=... unitnb train --profile {profile.name} --models {' '.join(wanted)}"
    folder = f"DATA={profile.data_folder}" if profile.source != "shapes" else ""
    extra = " EXTRA=1" if set(wanted) & set(profile.extra) else ""
    return f"make train PROFILE={profile.name} {folder}".rstrip() + extra


def trained_models(profile: Profile) -> tuple[list[str], str]:
    """The profile's models that can be loaded, and a paragraph on those that must be trained first; empty if none must.

    Where the first is missing nothing can be measured: then this gives all, and :func:`load_model` the error.
    """
    missing = [model for model in profile.models if not is_there(profile, model)]
    if not missing or missing[0] == next(iter(profile.models)):
        return list(profile.models), ""
    needs = (
        f"\n\nNot measured: models {', '.join(missing)}. Train them with: {train_command(profile, missing)}"
    )
    return [model for model in profile.models if model not in missing], needs


# ---- what they are ----


def architecture_of(profile: Profile, n_classes: int) -> dict:
    """What a profile says of its network: the arguments of a function of ``vgg.ARCHITECTURES``."""
    if profile.architecture == "vgg16":
        return {"n_classes": n_classes, "width": profile.width, "input_size": profile.image_size}
    return {
        "n_classes": n_classes,
        "widths": list(profile.widths),
        "dense": profile.dense,
        "image_size": profile.image_size,
    }


def untrained_network(profile: Profile, recipe: Recipe, n_classes: int):
    """The network of a recipe before its training."""
    import keras

    from . import vgg

    if profile.architecture not in vgg.ARCHITECTURES:
        raise ValueError(
            f"unknown architecture '{profile.architecture}': {nearest(profile.architecture, vgg.ARCHITECTURES)}"
        )
    keras.utils.set_random_seed(
        1 + recipe.seed
    )  # models of one seed start alike, whatever the notebook's seed
    build = vgg.ARCHITECTURES[profile.architecture]
    return build(**architecture_of(profile, n_classes), dropout=recipe.dropout, l2=recipe.l2)


def arrays_of(network, last_layer: str | None = None) -> dict[str, np.ndarray]:
    """Weights in half precision by ``layer/variable``, up to ``last_layer`` if one is named."""
    names = [layer.name for layer in network.layers]
    layers = network.layers[: names.index(last_layer) + 1] if last_layer else network.layers
    return {
        f"{layer.name}/{v.name}": np.asarray(v, np.float16)
        for layer in layers
        for v in layer.trainable_weights
    }


def _assign(network, arrays: dict[str, np.ndarray]) -> None:
    for layer in network.layers:
        for variable in layer.trainable_weights:
            variable.assign(arrays[f"{layer.name}/{variable.name}"].astype(np.float32))


# ---- loading ----


def _shown(path: Path) -> Path:
    """A path as records have it: from the project's root, so that they are the same wherever that lies."""
    return path.relative_to(project_root()) if path.is_relative_to(project_root()) else path


def _stored(profile: Profile, model: str, ending: str = ".npz") -> tuple[dict[str, np.ndarray], dict]:
    path = weights_file(profile, model, ending)
    if not path.exists():
        raise NotTrainedError(
            f"no weights at {_shown(path)}; make them with: {train_command(profile, [model])}"
        )
    arrays, meta = store.read_npz(path)
    wanted = architecture_of(profile, meta["n_classes"])
    if any(meta[name] != value for name, value in wanted.items()):
        raise ValueError(
            f"{path} holds a network of { ({name: meta[name] for name in wanted}) }, the profile asks for {wanted}; train it again"
        )
    return arrays, meta


def load_model(profile: Profile, model: str = "A"):
    """A trained network of the profile, as a Keras model that takes images of grey levels and gives logits.

    The first model of a profile with ``weights`` is Keras's VGG16; its images are RGB, 0..255, too.

    Raises
    ------
    FileNotFoundError
        If it has not been trained, or the pretrained weights are not there; the text says how to get them.
    ValueError
        If the file is damaged, or holds a network of another size.
    """
    recipe = profile.recipe(model)
    if is_pretrained(profile, model):
        from . import pretrained

        return pretrained.load_vgg16(profile)
    arrays, meta = _stored(profile, model)
    network = untrained_network(profile, recipe, meta["n_classes"])
    _assign(network, arrays)
    return network


def open_layer(profile: Profile, model: str = "A"):
    """A trained network of the profile, split after its studied layer (a ``SplitModel``); errors as of :func:`load_model`.

    Where the profile says ``keep_maps``, feature maps are kept under ``build/cache``, so that notebooks share them.
    """
    from .split import split_model

    return split_model(
        load_model(profile, model), profile.layer, profile.build / "cache" if profile.keep_maps else None
    )


def known_layers(profile: Profile, models: Iterable[str], layers: Sequence[str]) -> dict[str, list[str]]:
    """By model, the layers that are asked for; "all" stands for its convolutions.

    Raises
    ------
    KeyError, ValueError
        For a layer that is not there or has no square maps; the text names the nearest.
    """
    from .split import convolutions, split_model

    found = {}
    for model in models:
        network = load_model(profile, model)
        found[model] = convolutions(network) if list(layers) == ["all"] else list(layers)
        for layer in found[model]:
            split_model(network, layer)
    return found


def epoch_maps(profile: Profile, epoch: int, images: np.ndarray, model: str = "A") -> np.ndarray:
    """Feature maps (n, h, w, u) of the studied layer as the model was after an epoch, 0 being untrained (Fig. 2B-D).

    Only the convolutions of each epoch are kept, so there is no network to classify with. Of a pretrained or shipped network nobody kept
    any; its epoch 0 is the same architecture with random weights, those that training would start from if it is ours.

    Raises
    ------
    NotTrainedError
        If the model has not been trained here.
    ValueError
        If there is no such epoch.
    """
    from .batches import run_in_batches
    from .split import split_model

    if epoch == 0 and not weights_file(profile, model, "-epochs.npz").exists():
        return run_in_batches(_untrained_head(profile, model), [images])
    arrays, meta = _stored(profile, model, "-epochs.npz")
    epochs = sorted({int(name.split("/")[0]) for name in arrays})
    if epoch not in epochs:
        raise ValueError(f"model {model} has no epoch {epoch}: {nearest(epoch, epochs)}")
    network = untrained_network(profile, profile.recipe(model), meta["n_classes"])
    head = split_model(network, profile.layer).head
    _assign(head, {name[3:]: array for name, array in arrays.items() if int(name[:2]) == epoch})
    return run_in_batches(head, [images])


def _untrained_head(profile: Profile, model: str):
    """The layers up to the studied one before training, in half precision as epochs are kept."""
    import keras

    from . import pretrained
    from .split import split_model

    recipe = profile.recipe(model)
    if is_pretrained(profile, model):
        keras.utils.set_random_seed(1 + recipe.seed)
        return split_model(pretrained.vgg16(profile.image_size), profile.layer).head
    network = untrained_network(profile, recipe, _stored(profile, model)[1]["n_classes"])
    _assign(network, arrays_of(network))
    return split_model(network, profile.layer).head


def training_log(profile: Profile, model: str = "A") -> dict[str, np.ndarray]:
    """Loss (nats) and accuracy on training and test images after each epoch, by name; the first entry is epoch 0, untrained.

    Raises
    ------
    NotTrainedError
        If the model has not been trained here.
    """
    path = weights_file(profile, model, ".csv")
    if not path.exists():
        raise NotTrainedError(
            f"no log of model {model}'s training at {_shown(path)}; make it with: {train_command(profile, [model])}"
        )
    rows = read_log(path)
    return {name: np.array([row[name] for row in rows]) for name in LOG}


def read_log(path: Path) -> list[dict]:
    """The rows of a log, an epoch each, by the names of ``LOG``."""
    with open(path, newline="", encoding="utf-8") as file:
        rows = [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]
    return [{**row, "epoch": int(row["epoch"])} for row in rows]
