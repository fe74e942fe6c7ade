"""Keras's VGG16 with the weights that the paper used, or with a file of your own, verified before use."""

import functools
import hashlib
import re
from pathlib import Path

import keras
import numpy as np

from ..files import store
from ..files.model_files import keras_home
from ..profiles import Profile, project_root

FILE = "vgg16_weights_tf_dim_ordering_tf_kernels.h5"  # of Keras, with the dense layers
MD5 = "64373286793e3c8b2b4e3219cbf3544b"  # as keras.applications.vgg16 has it
URL = f"https://storage.googleapis.com/tensorflow/keras-applications/vgg16/{FILE}"
CLASSES = 1000
BGR_MEANS = (103.939, 116.779, 123.68)  # of ImageNet's pixels, in "caffe" mode


@keras.saving.register_keras_serializable("unitnb")
class CaffePreprocessing(keras.layers.Layer):
    """RGB images (n, h, w, 3) of grey levels 0..255 to VGG16's input: BGR, minus the mean of ImageNet.

    The result is a new array; ``keras.applications.vgg16.preprocess_input`` changes its argument.
    """

    def call(self, images):
        means = keras.ops.array(BGR_MEANS, "float32")
        return keras.ops.flip(keras.ops.cast(images, "float32"), axis=-1) - means


def keras_vgg16(image_size: int = 224, scaling: str = "none"):
    """``keras.applications.VGG16`` (Sec. 3.1) with random weights and its preprocessing built in.

    It takes RGB images of grey levels (n, image_size, image_size, 3) and returns 1000 logits in Keras's order
    of classes. ``scaling`` replaces Keras's own preprocessing, "caffe" (see ``saved.scaling_layer``).
    """
    from .saved import scaling_layer

    images = keras.Input((image_size, image_size, 3))
    prepared = scaling_layer("caffe" if scaling == "none" else scaling, name="preprocess")(images)
    network = keras.applications.VGG16(
        weights=None, input_tensor=prepared, classes=CLASSES, classifier_activation=None
    )
    # Without this the input would be a list of one tensor.
    return keras.Model(images, network.output, name=network.name)


def load_vgg16(profile: Profile):
    """VGG16 with the weights of a profile (``weights`` in its file, or WEIGHTS=... of make).

    Raises
    ------
    FileNotFoundError
        If the file is missing, or Keras's file cannot be downloaded. The text gives file, hash and folder.
    DamagedFileError
        If a file with the name of Keras's file has another hash, or a file does not hold the weights of VGG16
        for this size of images.
    ValueError
        If another scaling than Keras's own is asked for with Keras's weights.
    """
    path = weights_path(profile.pretrained)
    if path.name == FILE and profile.scaling not in ("none", "caffe"):
        raise ValueError(f"scaling: '{profile.scaling}' is not that of Keras's weights, which take 'caffe'")
    network = keras_vgg16(profile.image_size, profile.scaling)
    load_weights(network, path)
    return network


def weights_path(named: str) -> Path:
    """The verified file of weights: Keras's own ("imagenet"), or a path from the project's root.

    Keras's file is downloaded once, to Keras's cache.

    Raises
    ------
    FileNotFoundError, DamagedFileError
        As in :func:`load_vgg16`.
    """
    if named == "imagenet":
        return _keras_file()
    path = (project_root() / Path(named).expanduser()).resolve()
    if not path.is_file():
        raise FileNotFoundError(f"no weights at {path}; {_how()}")
    if path.name == FILE and md5_of(path) != MD5:
        raise store.DamagedFileError(
            f"{path} has md5 {md5_of(path)}, expected {MD5}: it is cut short or not Keras's file; "
            f"get it again from {URL}, or, if the weights are your own, give the file another name"
        )
    return path


def _how() -> str:
    folder = keras_home() / "models"
    return (
        f"put Keras's {FILE} (md5 {MD5}, 528 MB, from {URL}) into {folder}, "
        "where `weights: imagenet` finds it, or name any file with WEIGHTS=<path>; "
        "a file of another name is taken for weights of your own"
    )


def _keras_file() -> Path:
    path = keras_home() / "models" / FILE
    if path.is_file() and md5_of(path) == MD5:
        return path
    state = (
        f"{path} has md5 {md5_of(path)} and cannot be replaced"
        if path.is_file()
        else f"{path} is missing and cannot be downloaded"
    )
    home = str(keras_home())
    try:
        return Path(keras.utils.get_file(FILE, URL, cache_dir=home, cache_subdir="models", file_hash=MD5))
    except Exception as error:  # urllib and Keras raise many types without a network
        raise FileNotFoundError(f"{state} ({error}); {_how()}") from error


def md5_of(path: Path) -> str:
    """The MD5 of a file, remembered until its size or time changes."""
    status = path.stat()
    return _md5(path, status.st_size, status.st_mtime_ns)


@functools.cache
def _md5(path, size, time):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def describe_weights(profile: Profile) -> str:
    """The weights of a run, for its records: file, MD5, and whether they are Keras's."""
    path = weights_path(profile.pretrained)
    found = md5_of(path)
    return f"{path.name}, md5 {found}, {'as Keras gives them' if found == MD5 else 'of your own'}"


def load_weights(network, path: Path) -> None:
    """Load a ``.weights.h5`` file or an older ``.h5`` file of Keras, whose layers are matched by their order.

    Raises
    ------
    DamagedFileError
        If the file is no HDF5 file, is cut short, links to other files, declares more data than it holds, has
        other layers or shapes, or has values that are not finite.
    """
    if not re.search(r"\.(h5|hdf5)$", path.name):
        raise store.DamagedFileError(
            f"{path} is no file of Keras weights by its ending; "
            "expected .weights.h5 (Keras 3) or .h5 (before)"
        )
    try:
        refuse_what_lies_elsewhere(path)
        network.load_weights(path)
    except Exception as error:  # h5py and Keras raise many types on a damaged file
        raise store.DamagedFileError(
            f"{path} does not hold weights for {network.name} ({_first_line(error)}); {_how()}"
        ) from error
    broken = [v.path for v in network.weights if not np.isfinite(keras.ops.convert_to_numpy(v)).all()]
    if broken:
        raise store.DamagedFileError(f"{path} has values that are not finite, in {broken[0]}; {_how()}")


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0][:200] if lines else ''}"


def refuse_what_lies_elsewhere(path: Path) -> None:
    """ValueError if an HDF5 file refers to other files or declares more data than it holds."""
    import h5py

    size = path.stat().st_size
    with h5py.File(path, "r") as file:
        waiting, seen = [file], set()
        while waiting:
            group = waiting.pop()
            seen.add(group)  # a group may contain itself; h5py compares objects, not names
            for name in group:
                if not isinstance(group.get(name, getlink=True), h5py.HardLink):
                    raise ValueError(f"'{name}' in '{group.name}' is a link")
                item = group[name]
                if isinstance(item, h5py.Group) and item not in seen:
                    waiting.append(item)
                elif isinstance(item, h5py.Dataset) and (item.external or item.is_virtual):
                    raise ValueError(f"the values of '{item.name}' lie in other files")
                elif isinstance(item, h5py.Dataset) and item.nbytes > size:  # Keras compresses nothing
                    raise ValueError(f"'{item.name}' of {item.nbytes:,} bytes is larger than the file")
