"""A model of one's own, read from the file that Keras wrote, without running code that the file brings."""

from pathlib import Path

import keras

from ..files.model_files import ENDINGS, HOW, configuration, parts
from ..files.settings import nearest
from ..files.store import DamagedFileError
from .pretrained import CaffePreprocessing, refuse_what_lies_elsewhere


def load_saved(path: Path | str) -> keras.Model:
    """The model in a ``.keras`` file, or in an ``.h5`` file of Keras 2 or 3.

    Lambda layers hold Python code and are refused. Open such a model in a program of your own, with
    ``safe_mode=False``, if you trust the file, and hand the model to ``unitnb.analyse``.

    Raises
    ------
    FileNotFoundError
        If there is no such file; the text names the models that lie beside it.
    DamagedFileError
        If the file holds no model, weights alone, a SavedModel, code, or classes that are not known here.
    """
    path = Path(path).expanduser()
    _check_place(path)
    try:
        if path.suffix != ".keras":
            refuse_what_lies_elsewhere(path)
        _refuse_code(path)
        return keras.models.load_model(path, compile=False, safe_mode=True)
    except DamagedFileError:
        raise
    except Exception as error:  # Keras, h5py and zipfile raise whatever a file makes them stumble over
        raise DamagedFileError(f"{path} cannot be read as a Keras model ({_reason(error)}); {HOW}") from error


def _check_place(path: Path) -> None:
    if path.is_dir():
        kind = (
            "a SavedModel, which Keras 3 does not read" if (path / "saved_model.pb").exists() else "a folder"
        )
        raise DamagedFileError(f"{path} is {kind}; load it where it was made and {HOW}")
    if not path.is_file():
        folder = path.parent
        there = (
            sorted(item.name for item in folder.glob("*") if item.suffix in ENDINGS)
            if folder.is_dir()
            else []
        )
        state = f"it holds the models {', '.join(there)}" if there else "no model lies beside it"
        raise FileNotFoundError(
            f"no model at {path}; {state if folder.is_dir() else f'there is no folder {folder}'}"
        )
    if path.suffix not in ENDINGS:
        known = ", ".join(ENDINGS)
        raise DamagedFileError(f"{path} is no model by its ending; expected {known}: {HOW}")
    if path.name.endswith(".weights.h5"):
        raise DamagedFileError(f"{path} holds weights alone, not the network they belong to; {HOW}")


def _refuse_code(path: Path) -> None:
    """DamagedFileError where the configuration has a Lambda layer: Keras runs those of ``.h5`` files."""
    found = configuration(path)
    if found is None:
        raise DamagedFileError(f"{path} holds weights alone, not the network they belong to; {HOW}")
    for config in parts(found):
        if config.get("class_name") == "Lambda":
            name = config.get("config", {}).get("name", "?")
            raise DamagedFileError(
                f"{path} has the Lambda layer '{name}', which is code from the file and is not run; build "
                "the model without it, or give the model itself to unitnb.analyse"
            )


# ---- scaling ----

TORCH_MEAN, TORCH_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet's pixels, RGB


def scaled(model: keras.Model, scaling: str) -> keras.Model:
    """``model`` behind the scaling that its images need: grey levels 0..255, RGB, go in.

    Parameters
    ----------
    scaling : "none", "unit", "tf", "torch" or "caffe"
        The words of ``keras.applications``: as they are; 0..1; -1..1; less ImageNet's mean over its
        deviation; BGR less ImageNet's mean.
    """
    if scaling == "none":
        return model
    images = keras.Input(model.inputs[0].shape[1:])
    return keras.Model(images, model(scaling_layer(scaling)(images)), name=f"{model.name}_on_grey_levels")


def scaling_layer(scaling: str, name: str | None = None) -> keras.layers.Layer:
    """The layer that scales grey levels 0..255, RGB: "unit", "tf", "torch" or "caffe", as for ``scaled``."""
    scale = [1 / (255 * std) for std in TORCH_STD]
    offset = [-mean / std for mean, std in zip(TORCH_MEAN, TORCH_STD, strict=True)]
    layers = {
        "unit": lambda: keras.layers.Rescaling(1 / 255, name=name),
        "tf": lambda: keras.layers.Rescaling(1 / 127.5, -1.0, name=name),
        "torch": lambda: keras.layers.Rescaling(scale, offset, name=name),
        "caffe": lambda: CaffePreprocessing(name=name),
    }
    if scaling not in layers:
        raise ValueError(f"unknown scaling '{scaling}': {nearest(scaling, ['none', *layers])}")
    return layers[scaling]()


def _reason(error: Exception) -> str:
    lines = [line for line in str(error).strip().splitlines() if line.strip()]
    return f"{type(error).__name__}: {lines[0][:200] if lines else ''}"
