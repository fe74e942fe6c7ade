"""The device on which Keras's backend computes: whether it is an accelerator, its digits and its memory."""

import contextlib
import os
from collections.abc import Callable, Iterator, Sequence

import keras

from ..files.ranges import ENGINE_DEVICES
from ..files.settings import ENGINE_DEVICE

COMPILING = ("tensorflow", "jax")  # the backends for which ``compiled`` knows how
PROCESSOR_BYTES = 2**30  # that count as free where the device is the processor, for tests
UNKNOWN_BYTES = 2**31  # where the backend does not tell; too much is noticed and halved


def engines_on_device() -> bool:
    """Whether ablation curves are computed by the backend, on its device, or in NumPy on the processor.

    By default they are where the backend's default device is an accelerator. ``$UNITNB_ENGINE_DEVICE``, which
    the setting ``engine_device`` of a profile fills, says otherwise: "cpu" or "device".

    Raises
    ------
    ValueError
        For another word, or for "device" on a backend other than TensorFlow and JAX.
    """
    asked, backend = os.environ.get(ENGINE_DEVICE, "auto"), keras.backend.backend()
    if asked not in ENGINE_DEVICES:
        raise ValueError(f"{ENGINE_DEVICE} is {asked!r}; expected one of {', '.join(ENGINE_DEVICES)}")
    if asked == "device" and backend not in COMPILING:
        raise ValueError(
            f"{ENGINE_DEVICE} is 'device' and Keras runs on {backend}; curves run on the device of "
            f"{' and '.join(COMPILING)}: set KERAS_BACKEND, or leave {ENGINE_DEVICE} out"
        )
    return asked == "device" or (asked == "auto" and accelerator() is not None)


def accelerator() -> str | None:
    """What the backend's default device is, such as "gpu"; None for the processor, or another backend."""
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        return "gpu" if tf.config.list_logical_devices("GPU") else None
    if keras.backend.backend() == "jax":
        import jax

        kind = next(iter(jax.numpy.zeros(()).devices())).platform
        return None if kind == "cpu" else kind
    return None


def free_bytes() -> int:
    """Memory of the backend's default device that the backend may still take, in bytes."""
    if accelerator() is None:
        return PROCESSOR_BYTES
    return _free_of_jax() if keras.backend.backend() == "jax" else _free_of_tensorflow()


def _free_of_jax() -> int:
    import jax

    stats = next(iter(jax.numpy.zeros(()).devices())).memory_stats() or {}
    return stats["bytes_limit"] - stats["bytes_in_use"] if "bytes_limit" in stats else UNKNOWN_BYTES


def _free_of_tensorflow() -> int:
    import tensorflow as tf
    from tensorflow.python.client import device_lib

    limits = [
        device.memory_limit for device in device_lib.list_local_devices() if device.device_type == "GPU"
    ]
    used = tf.config.experimental.get_memory_info("GPU:0")["current"]
    return limits[0] - used if limits and limits[0] else UNKNOWN_BYTES


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error of TensorFlow or JAX says that the device has no room."""
    return type(error).__name__ == "ResourceExhaustedError" or "RESOURCE_EXHAUSTED" in str(error)


@contextlib.contextmanager
def full_float32() -> Iterator[None]:
    """Products of float32 with all their digits: GPUs else shorten the factors to 10 bits (TF32), 1e-3 of a
    logit.
    """
    backend = keras.backend.backend()
    if backend == "jax":
        import jax

        with jax.default_matmul_precision("highest"):
            yield
    elif backend == "tensorflow":
        from tensorflow.config import experimental as settings

        before = settings.tensor_float_32_execution_enabled()
        settings.enable_tensor_float_32_execution(False)
        try:
            yield
        finally:
            settings.enable_tensor_float_32_execution(before)
    else:
        yield


def compiled(function: Callable, variables: Sequence = ()) -> Callable:
    """``function`` of arrays, compiled by the backend once for each shape, in full float32.

    ``variables`` are the Keras variables that it reads. They are looked up at each call, and JAX takes them
    as arguments: a constant of VGG16's first dense layer would be 411 MB of program.
    """
    by_jax = keras.backend.backend() == "jax"
    run = _compiled_by_jax(function, variables) if by_jax else _compiled_by_tensorflow(function)

    def precise(*given):
        with full_float32():
            return run(*given)

    return precise


def _compiled_by_jax(function, variables) -> Callable:
    import jax

    @jax.jit
    def pure(values, *given):
        with keras.StatelessScope(state_mapping=list(zip(variables, values, strict=True))):
            return function(*given)

    return lambda *given: pure([variable.value for variable in variables], *given)


def _compiled_by_tensorflow(function) -> Callable:
    import tensorflow as tf

    traced = tf.function(function, autograph=False)
    by_shape: dict = {}  # a call of ``traced`` would warn of several shapes

    def run(*given):
        tensors = [tf.convert_to_tensor(array) for array in given]
        shapes = tuple(tuple(tensor.shape) for tensor in tensors)
        if shapes not in by_shape:
            by_shape[shapes] = traced.get_concrete_function(*tensors)
        return by_shape[shapes](*tensors)

    return run
