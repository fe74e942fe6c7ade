"""What the file of a Keras model says of the model, without loading Keras."""

import json
import os
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from .settings import DamagedFileError, checked_name

ENDINGS = (".keras", ".h5", ".hdf5")
HOW = "save the whole model with model.save('name.keras')"


def keras_home() -> Path:
    """The folder of what Keras downloads, as Keras chooses it."""
    home = os.path.expanduser("~")
    return Path(os.environ.get("KERAS_HOME", Path(home if os.access(home, os.W_OK) else "/tmp", ".keras")))


def is_model_file(name: str) -> bool:
    """Whether a name is that of a Keras model's file, by its ending."""
    return Path(name).suffix in ENDINGS


def configuration(path: Path) -> dict | None:
    """The configuration in a ``.keras`` or ``.h5`` file; None where an HDF5 file holds weights alone.

    Raises
    ------
    OSError, ValueError, KeyError, zipfile.BadZipFile
        If the file is neither.
    """
    if path.suffix == ".keras":
        with zipfile.ZipFile(path) as archive:
            return json.loads(archive.read("config.json"))
    import h5py

    with h5py.File(path, "r") as file:
        found = file.attrs.get("model_config")
    return None if found is None else json.loads(found)


def parts(item: Any) -> Iterator[dict]:
    """Every mapping inside a configuration, from the outside inwards."""
    if isinstance(item, dict):
        yield item
        item = list(item.values())
    if isinstance(item, list):
        for part in item:
            yield from parts(part)


def image_shape(path: Path) -> tuple | None:
    """(H, W, channels) of the images that the model in a file takes, None for a side that it leaves open.

    None where the configuration does not tell.
    """
    for part in parts(configuration(path)):
        for key in ("batch_shape", "batch_input_shape", "input_shape"):
            shape = part.get(key)
            if isinstance(shape, list) and len(shape) == 4:
                return tuple(shape[1:])
    return None


def output_count(path: Path) -> int | None:
    """How many outputs the last layer with units has, or None where the configuration does not tell."""
    counted = [layer for layer in parts(configuration(path)) if _units(layer)]
    return _units(counted[-1]) if counted else None


def _units(layer: dict) -> int | None:
    config = layer.get("config")
    found = config.get("units", config.get("filters")) if isinstance(config, dict) else None
    return found if isinstance(found, int) else None


# ---- a profile around a model of one's own ----


def own_model_settings(settings: Mapping, overrides: Mapping, root: Path) -> dict:
    """The settings of a profile for the Keras model in a file, ``settings["network"]``, from the project's
    root.

    The model is the only one. Where it comes by ``overrides``, the profile has the file's name, and the layer
    is the one that they name, or else left open. Size of the images and their source follow from the file.

    Raises
    ------
    ValueError, FileNotFoundError
        If there is no such file, or its images have no square size that the file or ``image_size`` tells.
    """
    path, chosen = root / Path(str(settings["network"])).expanduser(), "network" in overrides
    given = overrides if chosen else settings
    found = {**settings, "models": {"A": {"epochs": 0}}, "extra": {}, "layer": given.get("layer", "")}
    found["network"] = str(path)
    found["source"] = "folder" if settings["source"] == "shapes" else settings["source"]
    if chosen:
        found["name"] = checked_name(path.stem, "model file, which the figures' folder is called by")
    if "image_size" not in given:
        found["image_size"] = _side(path)
    return found


def _side(path: Path) -> int:
    if not path.is_file():
        raise FileNotFoundError(
            f"no model at {path}; name a .keras or .h5 file (MODEL=... of make, network of a profile)"
        )
    try:
        shape = image_shape(path)
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise DamagedFileError(f"{path} is no file of a Keras model ({error}); {HOW}") from error
    if shape is None or shape[0] is None or shape[0] != shape[1]:
        sides = "of any size" if shape is None or shape[0] is None else f"of {shape[0]}x{shape[1]} pixels"
        raise ValueError(
            f"the model in {path} takes images {sides}; expected square ones of one size. "
            "Say it with SET='image_size=224' of make, or overrides: {image_size: 224}, where any size will "
            "do."
        )
    return int(shape[0])
