"""Networks run on many images or maps, a batch at a time."""

from functools import partial

import keras
import numpy as np

from .devices import full_float32

BATCH = 100  # rows, fewer where images are large: VGG16's first layers take 13 MB an image each
BATCH_PIXELS = 20 * 224**2
TRACING_PAYS = 100  # layers times batches from which a compiled graph is worth its making


def fitting_batch(shape) -> int:
    """Rows of a batch of images or maps of ``shape`` (n, h, w, channels) whose layers fit in memory: 100, or
    20 of 224x224 pixels.

    >>> fitting_batch((500, 224, 224, 3)), fitting_batch((500, 14, 14, 512))
    (20, 100)
    """
    return min(BATCH, max(1, BATCH_PIXELS // (shape[1] * shape[2])))


def run_in_batches(model, arrays, batch_size=None) -> np.ndarray:
    """Outputs of ``model`` in inference, float32, on a list of arrays of equal length.

    ``batch_size`` rows are run at a time, by default as many as fit in memory.
    """
    batch_size = batch_size or fitting_batch(arrays[0].shape)
    starts = range(0, len(arrays[0]), batch_size)
    traced = len(model.layers) * len(starts) >= TRACING_PAYS
    run = model.predict_on_batch if traced else partial(model, training=False)
    batches = ([np.asarray(array[i : i + batch_size]) for array in arrays] for i in starts)
    with full_float32():
        parts = [keras.ops.convert_to_numpy(run(batch if len(batch) > 1 else batch[0])) for batch in batches]
    return np.concatenate(parts).astype(np.float32, copy=False)
