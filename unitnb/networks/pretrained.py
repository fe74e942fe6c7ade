"""Keras's VGG16 with the weights that the paper used, or with a file of one's own: checked, and never half trusted."""

import functools
import hashlib
import os
import re
from pathlib import Path

import keras
import numpy as np

from ..files import store
from ..profiles import Profile, project_root

FILE = "vgg16_weights_tf_dim_ordering_tf_kernels.h5"  # of Keras, with the dense layers
MD5 = "64373286793e3c8b2b4e3219cbf3544b"  # as keras.applications.vgg16 has it
URL = f"https://storage.googleapis.com/tensorflow/keras-applications/vgg16/{FILE}"
CLASSES = 1000
BGR_MEANS = (103.939, 116.779, 123.68)  # of ImageNet's pixels, in "caffe" mode


@keras.saving.register_keras_serializable("unitnb")
class CaffePreprocessing(keras.layers.Layer):
    """RGB images (n, h, w, 3) of grey levels 0..255 as VGG16 takes them: BGR, less the mean of ImageNet; the images stay as they are."""

    def call(self, images):
        return keras.ops.flip(keras.ops.cast(images, "float32"), axis=-1) - keras.ops.array(
            BGR_MEANS, "float32"
        )


def vgg16(image_size: int = 224):
    """VGG16 (Sec. 3.1) with random weights: images of grey levels (n, size, size, 3), RGB, to 1000 logits by Keras's index."""
    images = keras.Input((image_size, image_size, 3))
    prepared = CaffePreprocessing(name="preprocess")(images)
    network = keras.applications.VGG16(
        weights=None, input_tensor=prepared, classes=CLASSES, classifier_activation=None
    )
    return keras.Model(
        images, network.output, name=network.name
    )  # Keras's own would ask for a list of one image tensor


def load_vgg16(profile: Profile):
    """VGG16 with the weights that the profile names (``weights``, or WEIGHTS=... of make).

    Raises
    ------
    FileNotFoundError
        If the file is missing, or Keras's cannot be downloaded; the text gives file, hash and folder.
    DamagedFileError
        If the file called as Keras's does not have its hash, or a file does not hold the weights of VGG16 for this size of images.
    """
    path = weights_path(profile.pretrained)
    network = vgg16(profile.image_size)
    load_weights(network, path)
    return network


def weights_path(named: str) -> Path:
    """The file of weights: Keras's own ("imagenet", downloaded once to Keras's cache), or a path from the project's root, checked."""
    if named == "imagenet":
        return _keras_file()
    path = (project_root() / Path(named).expanduser()).resolve()
    if not path.is_file():
        raise FileNotFoundError(f"no weights at {path}; {_how()}")
    if path.name == FILE and md5_of(path) != MD5:
        raise store.DamagedFileError(
            f"{path} has md5 {md5_of(path)}, expected {MD5}: it is cut short or not Keras's file; get it again from {URL}, "
            "or, if the weights are your own, give the file another name"
        )
    return path


def _how() -> str:
    folder = _keras_home() / "models"
    return (
        f"put Keras's {FILE} (md5 {MD5}, 528 MB, from {URL}) into {folder}, where `weights: imagenet` finds it, or name any file with "
        "WEIGHTS=<path>; a file of another name is taken for weights of your own"
    )


def _keras_home() -> Path:
    return Path(os.environ.get("KERAS_HOME", Path.home() / ".keras"))


def _keras_file() -> Path:
    path = _keras_home() / "models" / FILE
    if path.is_file() and md5_of(path) == MD5:
        return path
    state = (
        f"{path} has md5 {md5_of(path)} and cannot be replaced"
        if path.is_file()
        else f"{path} is missing and cannot be downloaded"
    )
    try:
        return Path(
            keras.utils.get_file(
                FILE, URL, cache_dir=str(_keras_home()), cache_subdir="models", file_hash=MD5
            )
        )
    except Exception as error:  # whatever urllib and Keras make of no network
        raise FileNotFoundError(f"{state} ({error}); {_how()}") from error


def md5_of(path: Path) -> str:
    """The MD5 of a file, remembered as long as its size and time stay as they are."""
    status = path.stat()
    return _md5(path, status.st_size, status.st_mtime_ns)


@functools.cache
def _md5(path, size, time):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def describe_weights(profile: Profile) -> str:
    """Which weights a run used, for its records: file and MD5, and whether they are Keras's."""
    path = weights_path(profile.pretrained)
    found = md5_of(path)
    return f"{path.name}, md5 {found}, {'as Keras gives them' if found == MD5 else 'of your own'}"


def load_weights(network, path: Path) -> None:
    """Load ``.weights.h5`` or Keras's older ``.h5``, whose layers are matched by their order.

    Raises
    ------
    DamagedFileError
        If the file is no HDF5 file, is cut short, points outside itself, promises more than it holds, has other layers or shapes, or values
        that are not finite.
    """
    if not re.search(r"\.(h5|hdf5)$", path.name):
        raise store.DamagedFileError(
            f"{path} is no file of Keras weights by its ending; expected .weights.h5 (Keras 3) or .h5 (before)"
        )
    try:
        _refuse_what_lies_elsewhere(path)
        network.load_weights(path)
    except Exception as error:  # h5py and Keras raise whatever a damaged file makes them stumble over
        raise store.DamagedFileError(
            f"{path} does not hold weights for {network.name} ({_first_line(error)}); {_how()}"
        ) from error
    broken = [v.path for v in network.weights if not np.isfinite(keras.ops.convert_to_numpy(v)).all()]
    if broken:
        raise store.DamagedFileError(f"{path} has values that are not finite, in {broken[0]}; {_how()}")


def _first_line(error: Exception) -> str:
    return f"{type(error).__name__}: {str(error).strip().splitlines()[0][:200] if str(error).strip() else ''}"


def _refuse_what_lies_elsewhere(path: Path) -> None:
    """ValueError where the file would have other files read, by a link to them or by data kept in them, or promises more than it holds."""
    import h5py

    with h5py.File(path, "r") as file:
        waiting, seen = [file], set()
        while waiting:
            group = waiting.pop()
            seen.add(group)  # a group may stand in itself; h5py compares by what is named, not by the name
            for name in group:
                if not isinstance(group.get(name, getlink=True), h5py.HardLink):
                    raise ValueError(f"'{name}' in '{group.name}' is a link")
                item = group[name]
                if isinstance(item, h5py.Group) and item not in seen:
                    waiting.append(item)
                elif isinstance(item, h5py.Dataset) and (item.external or item.is_virtual):
                    raise ValueError(f"the values of '{item.name}' lie in other files")
                elif (
                    isinstance(item, h5py.Dataset) and item.nbytes > path.stat().st_size
                ):  # Keras compresses nothing
                    raise ValueError(f"'{item.name}' of {item.nbytes:,} bytes is larger than the file")
