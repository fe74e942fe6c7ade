"""The end of a VGG, trained on the features of a frozen front (Sec. 3.1): blocks of EfficientNet-Lite0.

Two processor cores cannot train a whole VGG on photographs of 224x224 pixels. They can train its last block.
The front is pretrained on ImageNet and stays as it is, so its features of an image are computed once and kept
in half precision. It has seen ImageNet's training images, with their labels, and not its validation images.
"""

import functools
from collections.abc import Mapping
from pathlib import Path

import keras
import numpy as np

from ..files import store
from ..files.progress import progress_bar
from ..images.samples import Images
from ..profiles import Profile, nearest
from .batches import run_in_batches
from .efficientnet_lite import load_efficientnet_lite0
from .feeds import Drawn, MemoryFeed
from .vgg import SMALL, classifier, relu_settings

L = keras.layers
FEATURES = "features"  # the last layer of the front
KIND = "features"  # of the files that keep them
SIDE = 14  # of the maps, in pixels, as VGG16's last block has them at 224x224
DEVIATION = 6.0  # of EfficientNet-Lite0's features behind block 3, over images, places and units
BLOCK = 500  # images in a file


@keras.saving.register_keras_serializable("unitnb")
class HalfPrecision(keras.layers.Layer):
    """Values rounded to half precision: the same, computed now or read from where they are kept."""

    def call(self, values):
        return keras.ops.cast(keras.ops.cast(values, "float16"), "float32")


# ---- the network ----


def vgg_block(
    n_classes=10, cut="block3b_add", widths=(128, 128, 128), dense=64, dropout=0.0, l2=0.0, image_size=224
):
    """Frozen front -> 3x3 convolutions, the last one studied -> max-pool -> flatten -> dense -> logits.

    Parameters
    ----------
    cut : the layer of EfficientNet-Lite0 that ends the front; its maps are averaged to at most 14x14
    widths : units of ``block5_conv1``, ``block5_conv2``, ...
    dense : units of the dense layer
    dropout : share of the units that are dropped before each dense layer in training
    l2 : weight decay of every trained kernel
    image_size : side of the images in pixels

    Returns
    -------
    keras.Model
        Takes images (n, image_size, image_size, 3) of grey levels, 0..255, and returns logits (n, n_classes).

    Raises
    ------
    FileNotFoundError, DamagedFileError
        If the front's weights are missing or damaged.
    ValueError
        If EfficientNet-Lite0 has no such layer.
    """
    front = frozen_front(image_size, cut)
    x, settings = front.outputs[0], relu_settings(l2)
    for number, units in enumerate(widths, start=1):
        x = L.Conv2D(units, 3, padding="same", name=f"block5_conv{number}", **settings)(x)
    x = L.MaxPooling2D(name="block5_pool")(x)
    # Made here, as when the shipped networks were trained: the order decides the first weights.
    last_weights = keras.initializers.RandomNormal(**SMALL)
    for layer in classifier(n_classes, dense, dropout, l2, last_weights):
        x = layer(x)
    return keras.Model(front.inputs[0], x, name="vgg_block")


@functools.lru_cache(maxsize=2)
def frozen_front(image_size: int, cut: str) -> keras.Model:
    """Images to features (n, h, w, u) of a standard deviation near 1, in half precision.

    All networks of a process share these layers, which never change.
    """
    network = load_efficientnet_lite0(image_size)
    names = [layer.name for layer in network.layers if len(layer.output.shape) == 4]
    if cut not in names:
        raise ValueError(f"EfficientNet-Lite0 has no layer '{cut}' with maps: {nearest(cut, names)}")
    x = network.get_layer(cut).output
    x = L.AveragePooling2D(max(1, x.shape[1] // SIDE), name="features_pool")(x)
    x = L.Rescaling(1 / DEVIATION, name="features_scale")(x)
    front = keras.Model(network.inputs[0], HalfPrecision(name=FEATURES)(x))
    for layer in front.layers:
        layer.trainable = False
    return front


def has_front(network) -> bool:
    """Whether a network begins with a frozen front."""
    return any(isinstance(layer, HalfPrecision) for layer in network.layers)


def front_and_rest(network) -> tuple[keras.Model, keras.Model]:
    """The frozen front of a network, and what follows it: from features to the network's output."""
    features = network.get_layer(FEATURES).output
    rest = keras.Model(features, network.outputs[0], name=network.name)
    return keras.Model(network.inputs[0], features), rest


# ---- the kept features ----


class FrozenFeed(MemoryFeed):
    """Features of training and test images for the trained part of a network, with MemoryFeed's methods.

    The features of all images of a split are computed once, ``BLOCK`` images a file, under ``build/cache``.
    """

    def __init__(self, profile: Profile, images: Images, judged: Drawn, test: Drawn, *train: np.ndarray):
        front = frozen_front(profile.image_size, profile.cut)
        self._features = {split: _all_features(front, profile, images, split) for split in images.labels}
        super().__init__(profile, images, judged, test, *train)

    def _read(self, split: str, drawn: Drawn) -> tuple[np.ndarray, np.ndarray]:
        (features, kept), (indices, labels) = self._features[split], drawn
        there = np.isin(indices, kept)
        return features[np.searchsorted(kept, indices[there])], labels[there]


def _all_features(front, profile, images, split) -> tuple[np.ndarray, np.ndarray]:
    """Features (m, h, w, u) float16 of the readable images of a split, and their indices (m,)."""
    starts, total = range(0, len(images.labels[split]), BLOCK), len(images.labels[split])
    blocks = [
        _block(front, profile, images, split, range(start, min(start + BLOCK, total)))
        for start in progress_bar(starts, f"features of {split} images", unit="block")
    ]
    features, indices = (
        np.concatenate([block[name] for block in blocks]) for name in ("features", "indices")
    )
    return features, indices


def _block(front, profile, images, split, places) -> dict[str, np.ndarray]:
    """Features of images ``places`` of a split, kept by the images' names and the pixels of the first."""

    def compute():
        pixels, kept, _ = images.read_many(split, places, len(places), profile.strict)
        return {**_features(front, np.asarray(pixels)), "indices": kept}

    names = [images.name(split, index) for index in places]
    first, _, _ = images.read_many(split, places, 1)
    key = {"front": _front_digest(front), "names": store.digest(names), "first": store.digest(first)}
    return store.cached(profile.build / "cache", KIND, key, compute, alone=True)


def _front_digest(front) -> str:
    from .split import graph_digest

    return store.digest(graph_digest(front), *front.get_weights())


# ---- maps from kept features ----


def head_maps(head, images: np.ndarray, cache: Path, batch_size: int | None = None) -> np.ndarray:
    """What ``run_in_batches`` gives of a head; the features of a frozen front are kept under ``cache``."""
    if not has_front(head):
        return run_in_batches(head, [images], batch_size)
    front, rest = front_and_rest(head)
    names = [store.digest(image).encode() for image in images]
    known = _known_features(cache, digest := _front_digest(front))
    if missing := [place for place, name in enumerate(names) if name not in known]:
        some = images[missing]
        key = {"front": digest, "images": store.digest(some)}
        known |= _by_name(
            store.cached(cache, KIND, key, lambda: _features(front, some, batch_size), alone=True)
        )
    found = np.stack([known[name] for name in names]).astype(np.float32)
    return run_in_batches(rest, [found], batch_size)


def _features(front, images: np.ndarray, batch_size: int | None = None) -> dict[str, np.ndarray]:
    """Features (n, h, w, u) float16 of images, and the images' digests."""
    shape = front.output_shape[1:]
    features = run_in_batches(front, [images], batch_size) if len(images) else np.empty((0, *shape))
    digests = np.array([store.digest(image) for image in images], "S64")
    return {"features": features.astype(np.float16), "digests": digests}


def _by_name(block: Mapping[str, np.ndarray]) -> dict[bytes, np.ndarray]:
    return dict(zip(block["digests"].tolist(), block["features"], strict=True))


@functools.lru_cache(maxsize=1)
def _known_features(cache: Path, front: str) -> dict[bytes, np.ndarray]:
    """The features of a front that are kept, by the digest of the image."""
    known: dict[bytes, np.ndarray] = {}
    for path in sorted(cache.glob(f"{KIND}-*.npz")):
        arrays, meta = store.read_npz(path)
        known |= _by_name(arrays) if meta["front"] == front else {}
    return known
