"""Dense layers as products of arrays, and the layers between them as Keras runs them."""

from collections.abc import Callable

import keras
import numpy as np

from ..networks.graph import apply
from ..networks.tails import IDENTITIES, is_dense

THREADS_PAY = 10**6  # weights in one product from which BLAS threads gain more than they wait for each other


def values_of(variable) -> np.ndarray:
    """The values of a variable, float32, to be read only."""
    tensor = keras.ops.stop_gradient(keras.ops.convert_to_tensor(variable))
    # TensorFlow's tensors, unlike its variables, share their memory with NumPy: no second copy of VGG16's
    # fc1, 411 MB.
    shared = keras.backend.backend() == "tensorflow"
    return (np.asarray(tensor) if shared else keras.ops.convert_to_numpy(tensor)).astype(
        np.float32, copy=False
    )


def bias_of(dense):
    return values_of(dense.bias) if dense.use_bias else np.float32(0)


def blas_threads(largest, stack) -> int | None:
    """Threads of NumPy's products: one where all are small, else as many as it likes (None)."""
    kernels = [node.operation.kernel.shape for node in stack if is_dense(node.operation)]
    return None if max([largest, *(rows * columns for rows, columns in kernels)]) >= THREADS_PAY else 1


def stack_steps(plan) -> list[Callable]:
    """The stack as functions of arrays; the activation that is left out is none of them."""
    return [step for node in plan.stack for step in _steps(node, plan.left_out)]


def _steps(node, left_out) -> list[Callable]:
    layer = node.operation
    if is_dense(layer):
        kernel, bias = values_of(layer.kernel), bias_of(layer)
        return [lambda rows: rows @ kernel + bias, *activation_steps(layer, left_out)]
    if layer is left_out or type(layer) in IDENTITIES:
        return []
    return [lambda rows: keras.ops.convert_to_numpy(apply(node, keras.ops.convert_to_tensor(rows)))]


def activation_steps(dense, left_out) -> list[Callable]:
    """What a dense layer does after its product."""
    if dense is left_out or dense.activation is keras.activations.linear:
        return []
    if dense.activation is keras.activations.relu:
        return [lambda rows: np.maximum(rows, 0, out=rows)]
    return [lambda rows: keras.ops.convert_to_numpy(dense.activation(keras.ops.convert_to_tensor(rows)))]
