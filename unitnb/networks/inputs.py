"""Images as a network takes them: what is given is brought to one array, or refused in words."""

import numpy as np


def image_array(images, entry) -> np.ndarray:
    """Images (n, H, W, channels) of the shape that ``entry``, the model's input, asks for.

    Parameters
    ----------
    images : array, sequence of arrays, ``LazyImages`` or ``tf.data.Dataset``
        A data set gives batches of images, alone or first in a tuple with labels.

    Raises
    ------
    ValueError
        If there are none, or their size or channels are not the model's.
    """
    found = _from_dataset(images) if hasattr(images, "element_spec") else np.asarray(images)
    expected = tuple(entry.shape[1:])
    if found.size == 0 or len(found) == 0:
        raise ValueError(f"no images came; expected an array (n, {_text(expected)}) with n >= 1")
    if found.dtype.kind not in "uifb":
        raise ValueError(f"images are {found.dtype}; expected numbers, (n, {_text(expected)})")
    if found.ndim != len(expected) + 1 or any(
        a not in (None, b) for a, b in zip(expected, found.shape[1:], strict=True)
    ):
        raise ValueError(
            f"images have shape {found.shape}; the model takes (n, "
            f"{_text(expected)}).{_hint(found, expected)}"
        )
    return found


def _from_dataset(dataset) -> np.ndarray:
    batches = [np.asarray(item[0] if isinstance(item, (tuple, list)) else item) for item in dataset]
    rank = batches[0].ndim if batches else 4
    return np.concatenate(batches) if rank == 4 else np.stack(batches) if batches else np.empty((0, 0, 0, 0))


def _text(shape: tuple) -> str:
    return ", ".join("any" if side is None else str(side) for side in shape)


def _hint(found: np.ndarray, expected: tuple) -> str:
    if found.ndim == len(expected):
        if found.shape == expected or expected[-1] == found.shape[-1]:
            return " One image needs an axis before it: images[None]."
        return " Grey images need three equal channels: np.repeat(images[..., None], 3, axis=-1)."
    if found.ndim == 4 and found.shape[-1] == 1 and expected[-1] == 3:
        return " Grey images need three equal channels: np.repeat(images, 3, axis=-1)."
    if found.ndim == 4 and found.shape[-1] == 4 and expected[-1] == 3:
        return " The fourth channel is transparency: images[..., :3]."
    return " Resize them: keras.ops.image.resize(images, size)."
