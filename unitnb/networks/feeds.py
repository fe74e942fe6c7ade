"""Training on more images than fit in memory (Sec. 3.1): read as they are needed, on all GPUs of one machine, in mixed precision."""

import contextlib
import warnings
from pathlib import Path

import numpy as np

from ..files import store
from ..images.samples import Images, UnreadableImageError
from ..profiles import Profile, nearest

PRECISIONS = ("float32", "mixed_bfloat16", "mixed_float16")
EVALUATION_BATCH = 50  # images in a forward pass


class MemoryFeed:
    """Training and test images as arrays, with what ``StreamedFeed`` has: ``key``, ``scope``, ``fit``, ``logits``."""

    scope = contextlib.nullcontext

    def __init__(
        self, profile: Profile, images: Images, judged, test, indices: np.ndarray, labels: np.ndarray
    ):
        self.train = _read_all(images, "train", indices, labels, profile.strict)
        self.judged = {
            "": _read_all(images, "train", *judged, profile.strict),
            "test_": _read_all(images, "test", *test, profile.strict),
        }
        self.key = store.digest(*self.train)

    def fit(self, network, order: np.ndarray, batch_size: int, **settings) -> None:
        network.fit(
            self.train[0][order], self.train[1][order], batch_size=batch_size, shuffle=False, **settings
        )

    def logits(self, network, prefix: str) -> tuple[np.ndarray, np.ndarray]:
        images, labels = self.judged[prefix]
        return network.predict(images, batch_size=250, verbose=0), labels


def _read_all(
    images: Images, split: str, indices: np.ndarray, labels: np.ndarray, strict: bool
) -> tuple[np.ndarray, np.ndarray]:
    found, kept, _ = images.read_many(split, indices, len(indices), strict)
    return found, labels[np.isin(indices, kept)]


class StreamedFeed:
    """Training and test images that are decoded by ``images.read`` in parallel threads, whatever they lie in: folders or tars.

    An image that cannot be read counts for nothing and is named in a warning, or is an error if the profile is strict.

    Attributes
    ----------
    key : what the training depends on, beside its recipe: the images by their names, and the labels that the model is told
    """

    def __init__(
        self, profile: Profile, images: Images, judged, test, indices: np.ndarray, labels: np.ndarray
    ):
        if profile.precision not in PRECISIONS:
            raise ValueError(
                f"unknown precision '{profile.precision}': {nearest(profile.precision, PRECISIONS)}"
            )
        self.profile, self.images, self.train = profile, images, (indices, labels)
        self.judged = {"": ("train", *judged), "test_": ("test", *test)}
        self.key = store.digest(indices, labels, [images.name("train", int(index)) for index in indices])
        self.skipped: set[str] = set()

    @contextlib.contextmanager
    def scope(self):
        """Where the network is to be built: in the profile's precision, and on all devices (TensorFlow only; JAX takes its first)."""
        import keras

        before = keras.config.dtype_policy()
        keras.config.set_dtype_policy(self.profile.precision)
        try:
            with _all_devices():
                yield
        finally:
            keras.config.set_dtype_policy(before)

    def batches(self, split: str, indices, labels, batch_size: int, whole: bool = False):
        """A ``tf.data.Dataset`` of (images uint8, labels, weights) in the order of ``indices``; an unreadable image has weight 0, not 1."""
        import tensorflow as tf

        def load(index, label):
            pixels, weight = tf.numpy_function(
                lambda i: self._read(split, int(i)), [index], (tf.uint8, tf.float32), stateful=False
            )
            return tf.ensure_shape(pixels, self._shape), label, tf.ensure_shape(weight, ())

        found = tf.data.Dataset.from_tensor_slices((indices, labels)).map(
            load, tf.data.AUTOTUNE, deterministic=True
        )
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
        """One pass over the training images in this order. The last batch counts only if it is whole: each device gets its share."""
        indices, labels = (part[order] for part in self.train)
        known = len(self.skipped)
        network.fit(
            self.batches("train", indices, labels, min(batch_size, len(order)), whole=True),
            shuffle=False,
            **settings,
        )
        self._report(known)

    def logits(self, network, prefix: str) -> tuple[np.ndarray, np.ndarray]:
        """Logits (n, classes) and labels (n,) of the judged training images (prefix "") or of the test images ("test_")."""
        import keras

        known = len(self.skipped)
        batches = self.batches(*self.judged[prefix], EVALUATION_BATCH).as_numpy_iterator()
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
    """The scope of a ``MirroredStrategy`` over the machine's GPUs, or its logical processors; nothing where there is one device."""
    import keras

    if keras.backend.backend() != "tensorflow":
        return contextlib.nullcontext()
    import tensorflow as tf

    devices = tf.config.list_logical_devices("GPU") or tf.config.list_logical_devices("CPU")
    return (
        tf.distribute.MirroredStrategy([device.name for device in devices]).scope()
        if len(devices) > 1
        else contextlib.nullcontext()
    )


def write_scalars(folder: Path, row: dict[str, float]) -> None:
    """Add an epoch's row of the log to the TensorBoard log in ``folder``; ``tensorboard --logdir <folder>`` shows it.

    ``tf.summary.scalar`` is part of TensorBoard, with which TensorFlow no longer comes; what it writes is written here without it.
    """
    import tensorflow as tf

    Metadata = tf.compat.v1.SummaryMetadata
    scalar = Metadata(
        plugin_data=Metadata.PluginData(plugin_name="scalars"), data_class=1
    )  # DATA_CLASS_SCALAR
    with contextlib.closing(tf.summary.create_file_writer(str(folder))) as writer, writer.as_default():
        for name in row.keys() - {"epoch"}:
            tf.summary.write(name, tf.cast(row[name], tf.float32), step=row["epoch"], metadata=scalar)
