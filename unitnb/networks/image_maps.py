"""Feature maps together with their images, for layers that do not cut the graph."""

import numpy as np


class ImageMaps(np.ndarray):
    """Feature maps (n, h, w, u) that know the images they come from, for a layer whose maps alone do not
    determine the output.
    """

    images: np.ndarray | None = None

    def __getitem__(self, key):
        part = super().__getitem__(key)
        if isinstance(part, ImageMaps) and part.ndim == 4 and self.images is not None:
            images = self.images[key[0] if isinstance(key, tuple) else key]
            part.images = images if len(images) == len(part) else None
        return part


def with_images(maps, images) -> ImageMaps:
    """``maps`` (n, h, w, u), of any origin, together with their images (n, H, W, 3): what a masked-model
    split works on.
    """
    if len(maps) != len(images):
        raise ValueError(f"{len(maps)} maps came with {len(images)} images; give one image for each map.")
    joined = np.asarray(maps).view(ImageMaps)
    joined.images = np.asarray(images)
    return joined


def images_of(maps) -> np.ndarray:
    """The images of ``maps``, or a ValueError where they are not known."""
    if getattr(maps, "images", None) is None:
        raise ValueError(
            "This layer does not cut the graph (masked-model), so its maps must come with their images: "
            "take them from split.feature_maps(images), or slice those, or use "
            "unitnb.networks.image_maps.with_images(maps, images)."
        )
    return maps.images
