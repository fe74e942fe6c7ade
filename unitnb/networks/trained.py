"""The networks of a profile (Sec. 3.1): which exist, the files of their weights, and loading them.

Keras is imported with the first network. A process that only lists networks starts at once and takes no GPU.
"""

import csv
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from ..files import store
from ..images import sources
from ..images.outputs import check_trained_on
from ..profiles import Profile, nearest, project_root
from .architectures import architecture_of, arrays_of, assign_arrays, untrained_network

LOG = ("epoch", "loss", "accuracy", "test_loss", "test_accuracy", "seconds")
SHIPPED = Path(__file__).parents[1] / "weights"  # of the package


class NotTrainedError(FileNotFoundError):
    """A network, its log or its epochs are missing until it is trained."""


# ---- files ----


def weights_folder(profile: Profile, model: str | None = None) -> Path:
    """The folder that training writes a profile's weights to.

    It is in the package for the embedded images, whose networks are shipped, and under ``build/`` for all
    others. Models of ``profile.extra`` are not shipped, only what was measured on them.
    """
    if profile.source == "shapes" and model not in profile.extra:
        return SHIPPED / profile.name
    return profile.build / "weights" / profile.name


def weights_file(profile: Profile, model: str, ending: str = ".npz") -> Path:
    """The file that a model is read from: trained here, else shipped if its classes fit."""
    trained = weights_folder(profile, model)
    there = (trained / f"{model}.npz").exists() or not _is_shipped(profile, model)
    return (trained if there else SHIPPED / profile.name) / (model + ending)


def _is_shipped(profile: Profile, model: str) -> bool:
    """Whether the package has a network of this name for exactly the classes of the profile's images."""
    path = SHIPPED / profile.name / f"{model}.npz"
    return path.exists() and store.read_npz(path)[1].get("classes") == list(sources.class_names(profile))


def is_given(profile: Profile, model: str) -> bool:
    """Whether a model comes with its weights (see ``given``): the first of a profile that names such a
    network.
    """
    return profile.is_given and model == next(iter(profile.models))


def is_there(profile: Profile, model: str) -> bool:
    """Whether a model is pretrained, shipped, or has been trained here."""
    return is_given(profile, model) or weights_file(profile, model).exists()


def train_command(profile: Profile, wanted: list[str]) -> str:
    """The command that trains the models ``wanted``, for error messages."""
    if profile.is_given:  # by name: the first model is pretrained, and only its epochs may be wanted
        return f"UNITNB_DATA=... unitnb train --profile {profile.name} --models {' '.join(wanted)}"
    folder = f"DATA={profile.data_folder}" if profile.source != "shapes" else ""
    extra = " EXTRA=1" if set(wanted) & set(profile.extra) else ""
    return f"make train PROFILE={profile.name} {folder}".rstrip() + extra


def trained_models(profile: Profile) -> tuple[list[str], str]:
    """The profile's models that can be loaded, and a paragraph on those that must be trained first.

    The paragraph is empty if none must be. Nothing can be measured without the first model: if it is missing,
    this returns all models, and :func:`load_model` raises the error.
    """
    missing = [model for model in profile.models if not is_there(profile, model)]
    if not missing or missing[0] == next(iter(profile.models)):
        return list(profile.models), ""
    command = train_command(profile, missing)
    needs = f"\n\nNot measured: models {', '.join(missing)}. Train them with: {command}"
    return [model for model in profile.models if model not in missing], needs


# ---- loading ----


def _relative_to_root(path: Path) -> Path:
    """A path for records: from the project's root, so that records are the same wherever the root lies."""
    return path.relative_to(project_root()) if path.is_relative_to(project_root()) else path


def _stored(profile: Profile, model: str, ending: str = ".npz") -> tuple[dict[str, np.ndarray], dict]:
    path = weights_file(profile, model, ending)
    if not path.exists():
        raise NotTrainedError(
            f"no weights at {_relative_to_root(path)}; make them with: {train_command(profile, [model])}"
        )
    arrays, meta = store.read_npz(path)
    check_trained_on(meta.get("classes"), sources.class_names(profile), path, profile.data_folder)
    wanted = architecture_of(profile, meta["n_classes"])
    if any(meta[name] != value for name, value in wanted.items()):
        found = {name: meta[name] for name in wanted}
        raise ValueError(f"{path} holds a network of {found}, the profile asks for {wanted}; train it again")
    return arrays, meta


def load_model(profile: Profile, model: str = "A"):
    """A trained network of the profile, as a Keras model that takes images of grey levels and gives logits.

    The first model of a profile that names ``weights`` or a ``network`` is that one (see ``given``).

    Raises
    ------
    FileNotFoundError
        If it has not been trained, or the pretrained weights are missing. The text says how to get them.
    ValueError
        If the file is damaged, or holds a network of another size.
    """
    recipe = profile.recipe(model)
    if is_given(profile, model):
        from .given import load_given

        return load_given(profile)
    arrays, meta = _stored(profile, model)
    network = untrained_network(profile, recipe, meta["n_classes"])
    assign_arrays(network, arrays)
    return network


def open_layer(profile: Profile, model: str = "A"):
    """A trained network of the profile, split after its studied layer (a ``SplitModel``).

    With the profile's ``keep_maps``, feature maps are kept under ``build/cache``, so that notebooks share
    them. Errors are those of :func:`load_model`.
    """
    from .split import split_model

    cache = profile.build / "cache" if profile.keep_maps else None
    network = load_model(profile, model)
    split = split_model(network, layer_of(profile, model, network), cache)
    if is_given(profile, model):
        from .given import opening_words

        print(opening_words(profile, split))
    return split


def layer_of(profile: Profile, model: str, network) -> str:
    """The studied layer of a network of the profile, as a path in it."""
    if not is_given(profile, model):
        return profile.layer
    from .given import studied_layer

    return studied_layer(profile, network)


def known_layers(profile: Profile, models: Iterable[str], layers: Sequence[str]) -> dict[str, list[str]]:
    """The requested layers of each model, each checked: "all" means every convolution.

    Without any, the studied layer.

    Raises
    ------
    KeyError, ValueError
        If a layer does not exist or has no square maps. The text gives the nearest name.
    """
    from .depth import convolutions
    from .split import split_model

    found = {}
    for model in models:
        network = load_model(profile, model)
        named = [
            layer_of(replace(profile, layer=layer), model, network) for layer in layers or [profile.layer]
        ]
        found[model] = convolutions(network) if list(layers) == ["all"] else named
        for layer in found[model]:
            split_model(network, layer)
    return found


def epoch_maps(profile: Profile, epoch: float, images: np.ndarray, model: str = "A") -> np.ndarray:
    """Feature maps (n, h, w, u) of the studied layer after an epoch of training, 0 for untrained (Fig. 2B-D).

    Training keeps only the convolutions of each epoch, so these networks cannot classify. For pretrained and
    shipped networks no epochs exist. Their epoch 0 is the same architecture with random weights, for our own
    networks those that training starts from.

    Raises
    ------
    NotTrainedError
        If the model has not been trained here.
    ValueError
        If there is no such epoch.
    """
    from .frozen import head_maps
    from .split import split_model

    if epoch == 0 and not weights_file(profile, model, "-epochs.npz").exists():
        return head_maps(_untrained_head(profile, model), images, profile.build / "cache")
    arrays, meta = _stored(profile, model, "-epochs.npz")
    epochs = [f"{found:g}" for found in sorted({float(name.partition("/")[0]) for name in arrays})]
    if (wanted := f"{epoch:g}") not in epochs:
        raise ValueError(f"model {model} has no epoch {wanted}: {nearest(wanted, epochs)}")
    untrained = untrained_network(profile, profile.recipe(model), meta["n_classes"])
    head, start = split_model(untrained, profile.layer).head, f"{epoch:02g}/"
    assign_arrays(head, {n.removeprefix(start): arrays[n] for n in arrays if n.startswith(start)})
    return head_maps(head, images, profile.build / "cache")


def _untrained_head(profile: Profile, model: str):
    """The layers up to the studied one before training, rounded to half precision like stored epochs."""
    from .given import untrained_given
    from .split import split_model

    recipe = profile.recipe(model)
    if is_given(profile, model):
        network = untrained_given(profile, 1 + recipe.seed)
        return split_model(network, layer_of(profile, model, network)).head
    network = untrained_network(profile, recipe, _stored(profile, model)[1]["n_classes"])
    assign_arrays(network, arrays_of(network))
    return split_model(network, profile.layer).head


def training_log(profile: Profile, model: str = "A") -> dict[str, np.ndarray]:
    """Loss (nats) and accuracy on training and test images after each epoch, by the names of ``LOG``.

    The first entry is epoch 0, the untrained network.

    Raises
    ------
    NotTrainedError
        If the model has not been trained here.
    """
    path = weights_file(profile, model, ".csv")
    if is_given(profile, model) and (profile.network or not profile.recipe(model).epochs):
        name = Path(profile.network).name or "VGG16"
        raise NotTrainedError(
            f"{name} came without its training; Fig. 2 needs the loss and the convolutions after every "
            "epoch, which make train keeps of the networks of a profile"
        )
    if not path.exists():
        command = train_command(profile, [model])
        raise NotTrainedError(
            f"no log of model {model}'s training at {_relative_to_root(path)}; make it with: {command}"
        )
    rows = read_log(path)
    return {name: np.array([row[name] for row in rows]) for name in LOG}


def read_log(path: Path) -> list[dict]:
    """The rows of a log, one per epoch, with the names of ``LOG`` as keys."""
    with open(path, newline="", encoding="utf-8") as file:
        rows = [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]
    return [{**row, "epoch": row["epoch"] if row["epoch"] % 1 else int(row["epoch"])} for row in rows]
