"""A model of one's own, read from the file that Keras wrote, without running code that the file brings."""

import json
import zipfile
from pathlib import Path

import keras

from ..files.store import DamagedFileError
from .pretrained import refuse_what_lies_elsewhere

ENDINGS = (".keras", ".h5", ".hdf5")
HOW = "save the whole model with model.save('name.keras')"


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
        raise DamagedFileError(f"{path} is no model by its ending; expected {', '.join(ENDINGS)}: {HOW}")
    if path.name.endswith(".weights.h5"):
        raise DamagedFileError(f"{path} holds weights alone, not the network they belong to; {HOW}")


def _refuse_code(path: Path) -> None:
    """DamagedFileError where the file's configuration has a Lambda layer: Keras runs those of ``.h5`` files."""
    for config in _configurations(json.loads(_configuration(path))):
        if config.get("class_name") == "Lambda":
            name = config.get("config", {}).get("name", "?")
            raise DamagedFileError(
                f"{path} has the Lambda layer '{name}', which is code from the file and is not run; build the model "
                "without it (keras.ops functions and layers can be saved), or give the model itself to unitnb.analyse"
            )


def _configuration(path: Path) -> str:
    if path.suffix == ".keras":
        with zipfile.ZipFile(path) as archive:
            return archive.read("config.json").decode()
    import h5py

    with h5py.File(path, "r") as file:
        found = file.attrs.get("model_config")
    if found is None:
        raise DamagedFileError(f"{path} holds weights alone, not the network they belong to; {HOW}")
    return found.decode() if hasattr(found, "decode") else found


def _configurations(item):
    """Every mapping inside a configuration, however deep."""
    if isinstance(item, dict):
        yield item
        item = list(item.values())
    if isinstance(item, list):
        for part in item:
            yield from _configurations(part)


def _reason(error: Exception) -> str:
    lines = [line for line in str(error).strip().splitlines() if line.strip()]
    return f"{type(error).__name__}: {lines[0][:200] if lines else ''}"
