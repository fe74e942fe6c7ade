"""Images for training (Sec. 3.1): in memory, or streamed to all GPUs of one machine in mixed precision."""

import contextlib
import warnings
from pathlib import Path
from typing import cast

import numpy as np

from ..files import store
from ..images.samples import Images, UnreadableImageError
from ..profiles import Profile, nearest

PRECISIONS = ("float32", "mixed_bfloat16", "mixed_float16")
EVALUATION_BATCH = 50  # images in a forward pass

Drawn = tuple[np.ndarray, np.ndarray]  # indices (n,) and labels (n,) of images


class MemoryFeed:
    """Training and test images as arrays, with the methods of :class:`StreamedFeed`."""

    scope = contextlib.nullcontext

    def __init__(
        self,
        profile: Profile,
        images: Images,
        judged: Drawn,
        test: Drawn,
        indices: np.ndarray,
        labels: np.ndarray,
    ):
        self.images, self.strict = images, profile.strict
        self.train = self._read("train", (indices, labels))
        self.judged = {"": self._read("train", judged), "test_": self._read("test", test)}
        self.key = store.digest(*self.train)

    def fit(self, network, order: np.ndarray, batch_size: int, **settings) -> None:
        """One pass over the training images in this order."""
        images, labels = self.train
        network.fit(images[order], labels[order], batch_size=batch_size, shuffle=False, **settings)

    def logits(self, network, prefix: str) -> tuple[np.ndarray, np.ndarray]:
        """Logits (n, classes) and labels (n,) of the drawn training (prefix "") or test images ("test_")."""
        images, labels = self.judged[prefix]
        return network.predict(images, batch_size=250, verbose=0), labels

    def _read(self, split: str, drawn: Drawn) -> tuple[np.ndarray, np.ndarray]:
        """What the network takes of the readable images among ``drawn``, and their labels."""
        indices, labels = drawn
        found, kept, _ = self.images.read_many(split, indices, len(indices), self.strict)
        return cast(np.ndarray, found), labels[np.isin(indices, kept)]


class StreamedFeed:
    """Training and test images that ``images.read`` decodes in parallel threads, from folders or tars.

    An image that cannot be read has weight 0 and is named in a warning. It is an error if the profile is
    strict.

    Parameters
    ----------
    judged, test : (indices (n,), labels (n,))
        The training and test images on which each epoch is evaluated.
    indices, labels : (n_train,) int64
        The training images and their assigned labels.

    Attributes
    ----------
    key : str
        Digest of the training images, by name, and of their assigned labels. The training depends on it and
        the recipe.
    """

    def __init__(
        self,
        profile: Profile,
        images: Images,
        judged: Drawn,
        test: Drawn,
        indices: np.ndarray,
        labels: np.ndarray,
    ):
        if profile.precision not in PRECISIONS:
            raise ValueError(
                f"unknown precision '{profile.precision}': {nearest(profile.precision, PRECISIONS)}"
            )
        self.profile, self.images, self.train = profile, images, (indices, labels)
        self.judged = {"": ("train", judged), "test_": ("test", test)}
        self.key = store.digest(indices, labels, [images.name("train", int(index)) for index in indices])
        self.skipped: set[str] = set()

    @contextlib.contextmanager
    def scope(self):
        """Build the network inside this block: in the profile's precision, on all devices.

        Several devices need TensorFlow as the backend. JAX uses its first.
        """
        import keras

        before = keras.config.dtype_policy()
        keras.config.set_dtype_policy(self.profile.precision)
        try:
            with _all_devices():
                yield
        finally:
            keras.config.set_dtype_policy(before)

    def batches(self, split: str, drawn: Drawn, batch_size: int, whole: bool = False):
        """A ``tf.data.Dataset`` of (images uint8, labels, weights) in the order of ``drawn``.

        The weight is 1, or 0 for an unreadable image. With ``whole`` an incomplete last batch is left out.
        """
        import tensorflow as tf

        def load(index, label):
            pixels, weight = tf.numpy_function(
                lambda i: self._read(split, int(i)), [index], (tf.uint8, tf.float32), stateful=False
            )
            return tf.ensure_shape(pixels, self._shape), label, tf.ensure_shape(weight, ())

        rows = tf.data.Dataset.from_tensor_slices(drawn)
        found = rows.map(load, tf.data.AUTOTUNE, deterministic=True)
        return found.batch(batch_size, drop_remainder=whole).prefetch(2)

    @property
    def _shape(self) -> tuple[int, int, int]:
        return self.profile.image_size, self.profile.image_size, 3

    def _read(self, split: str, index: int) -> tuple[np.ndarray, np.float32]:
        try:
            return self.images.read(split, index), np.float32(1)
        except UnreadableImageError as error:
            self.skipped.add(str(error))
            return np.zeros(self._shape, np.uint8), np.float32(0)

    def fit(self, network, order: np.ndarray, batch_size: int, **settings) -> None:
        """One pass over the training images in this order, without an incomplete last batch.

        Whole batches give each device its share.
        """
        indices, labels = self.train
        known = len(self.skipped)
        drawn = indices[order], labels[order]
        batches = self.batches("train", drawn, min(batch_size, len(order)), whole=True)
        network.fit(batches, shuffle=False, **settings)
        self._report(known)

    def logits(self, network, prefix: str) -> tuple[np.ndarray, np.ndarray]:
        """Logits (n, classes) and labels (n,) of the drawn training (prefix "") or test images ("test_").

        Unreadable images are left out.
        """
        import keras

        known = len(self.skipped)
        split, drawn = self.judged[prefix]
        batches = self.batches(split, drawn, EVALUATION_BATCH).as_numpy_iterator()
        found = [
            (keras.ops.convert_to_numpy(network(pixels, training=False)), labels, weights)
            for pixels, labels, weights in batches
        ]
        self._report(known)
        logits, labels, weights = (np.concatenate(parts) for parts in zip(*found, strict=True))
        return logits[weights > 0], labels[weights > 0]

    def _report(self, known: int) -> None:
        if len(self.skipped) > known:
            text = f"{len(self.skipped)} unreadable image(s): {'; '.join(sorted(self.skipped))}"
            if self.profile.strict:
                raise UnreadableImageError(text)
            warnings.warn(f"skipped {text}", stacklevel=3)


def _all_devices():
    """The scope of a ``MirroredStrategy`` over GPUs, else logical processors; no scope for one device."""
    import keras

    if keras.backend.backend() != "tensorflow":
        return contextlib.nullcontext()
    import tensorflow as tf

    devices = tf.config.list_logical_devices("GPU") or tf.config.list_logical_devices("CPU")
    if len(devices) < 2:
        return contextlib.nullcontext()
    return tf.distribute.MirroredStrategy([device.name for device in devices]).scope()


def write_scalars(folder: Path, row: dict[str, float]) -> None:
    """Add an epoch's row of the log to the TensorBoard log in ``folder`` (for ``tensorboard --logdir``).

    ``tf.summary.scalar`` needs the package tensorboard, which TensorFlow no longer installs. This writes the
    same records.
    """
    import tensorflow as tf

    Metadata = tf.compat.v1.SummaryMetadata
    plugin = Metadata.PluginData(plugin_name="scalars")
    scalar = Metadata(plugin_data=plugin, data_class=1)  # DATA_CLASS_SCALAR
    with contextlib.closing(tf.summary.create_file_writer(str(folder))) as writer, writer.as_default():
        for name in row.keys() - {"epoch"}:
            tf.summary.write(name, tf.cast(row[name], tf.float32), step=row["epoch"], metadata=scalar)
