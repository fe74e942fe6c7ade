"""Births and pooled maps of many images, block by block, as VGG16's maps of 1,000 images take 0.4 GB.

Each block is kept in the store under a key of the network's head and the images' pixels. An interrupted run
continues where it stopped. S_100 is a prefix of S_1000, so its cached blocks are reused.
"""

from dataclasses import dataclass, field
from pathlib import Path

import keras
import numpy as np

from ..files import store
from ..files.progress import progress_bar
from ..networks.batches import run_in_batches
from ..networks.image_maps import with_images
from ..networks.split import SplitModel, head_key, split_model
from ..topology.births import birth_points

VERSION = 1  # of what is kept; goes up when a change may change a number
BLOCK = 100  # images: 40 MB of VGG16's maps, twenty seconds of two cores
_ZERO_STAYS_ZERO = {
    keras.layers.MaxPooling2D,
    keras.layers.AveragePooling2D,
    keras.layers.Dropout,
    keras.layers.SpatialDropout2D,
}


@dataclass(frozen=True, eq=False)
class BirthsAndPooledMaps:
    """What is kept of the feature maps of n images.

    Attributes
    ----------
    births : (n, u) int16
        As ``birth_points`` gives them, of the layer that was split.
    maps : (n, h, w, u) float32
        The maps after the pooling that follows the layer (7x7 for VGG16's 14x14), which is what the rest of
        the network sees.
    split : SplitModel
        The model split after that pooling: what ``ablation_curves`` takes with ``maps``, for the same curves.
    """

    births: np.ndarray = field(repr=False)
    maps: np.ndarray = field(repr=False)
    split: SplitModel


class LazyMaps:
    """Feature maps (n, h, w, u) of images, computed when a slice of them is asked for.

    The maps of VGG16's first layers take 13 MB an image.

    ``ablation_curves`` takes them as it takes an array. Where the tail is run again at each point, a forward
    pass more is little beside.
    """

    def __init__(self, split: SplitModel, images):
        self.split, self.images, self.shape, self.ndim = split, images, (len(images), *split.map_shape), 4

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, block: slice) -> np.ndarray:
        maps = self.split.feature_maps(self.images[block])
        if not np.isfinite(maps).all():
            images = f"{block.start} to {block.stop - 1}"
            raise ValueError(
                f"maps of one of the images {images} are not finite; look at them and at the weights"
            )
        return maps


def births_by_block(maps, b_max=None, block: int = 20) -> np.ndarray:
    """``birth_points`` of maps or ``LazyMaps``, (n, u) int16, ``block`` images at a time."""
    return np.concatenate([birth_points(maps[i : i + block], b_max) for i in range(0, len(maps), block)])


def pooled_split(split: SplitModel) -> SplitModel:
    """The same model split after the pooling that directly follows the layer, or ``split`` if none does.

    A map of zeros is zero after pooling, and a unit's pooled map depends on its own map alone, so ablating
    after the pooling is ablating before it (Sec. 3.2). That does not hold for other replacements than zero.
    """
    name = split.layer
    for layer in split.plan.trunk.layers[1:] if split.engine == "running-sum" else ():
        if type(layer) not in _ZERO_STAYS_ZERO:
            break
        name = layer.name
    return split if name == split.layer else split_model(split.model, name)


def births_in_blocks(
    split: SplitModel, images, folder: Path | None = None, b_max=None, block: int = BLOCK
) -> BirthsAndPooledMaps:
    """Births and pooled maps of a layer, with the feature maps of ``block`` images in memory at a time.

    The same numbers as ``birth_points(split.feature_maps(images), b_max)``, since batches are the same. In a
    terminal a bar shows the remaining time.

    Parameters
    ----------
    images : (n, H, W, 3), an array or a ``LazyImages`` as of ``sample_set(..., lazy=True)``
        As the model takes them; decoded block by block if they are lazy.
    folder : where blocks are kept and found again, such as ``profile.build / "cache"``; None keeps nothing
    b_max : largest birth that counts, as in ``birth_points``
    block : images; for results that are found again it must not change

    Raises
    ------
    ValueError
        If there are no images, or ``birth_points`` refuses a block's maps; the text names the block.
    """
    if not len(images):
        raise ValueError("no images to stream: expected (n, H, W, 3) with n >= 1")
    pooled = pooled_split(split)
    pool = None if pooled is split else keras.Model(split.head.outputs[0], pooled.head.outputs[0])
    key = (
        {}
        if folder is None
        else {"version": VERSION, "layer": split.layer, "b_max": b_max, **head_key(split)}
    )
    parts = []
    with progress_bar(total=len(images), unit="image", desc=split.layer) as bar:
        for start in range(0, len(images), block):
            pixels = np.asarray(images[start : start + block])
            parts.append(_block(split, pool, pixels, start, b_max, folder, key))
            bar.update(len(pixels))
    births, maps = (np.concatenate([part[name] for part in parts]) for name in ("births", "maps"))
    return BirthsAndPooledMaps(
        births, with_images(maps, images) if split.engine == "masked-model" else maps, pooled
    )


def _block(split, pool, pixels, start, b_max, folder, key) -> dict[str, np.ndarray]:
    def work():
        maps = split.feature_maps(pixels)
        try:
            births = birth_points(maps, b_max)
        except ValueError as error:
            raise ValueError(
                f"in the block of images {start} to {start + len(pixels) - 1}: {error}"
            ) from error
        return {"births": births, "maps": np.asarray(maps) if pool is None else run_in_batches(pool, [maps])}

    return (
        work()
        if folder is None
        else store.cached(folder, "stream", {**key, "images": store.digest(pixels)}, work)
    )
