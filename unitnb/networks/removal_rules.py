"""What each type of layer does with single channels: which belong together, and where a constant goes.

Only layers of exactly the types listed here are followed, with channels last and without quantization.
"""

import keras
import numpy as np
from keras.src.applications.inception_resnet_v2 import CustomScaleLayer
from keras.src.ops import numpy as operations

from .tails import IDENTITIES, acts_on_each_value

L = keras.layers
DEPTHWISE = {L.DepthwiseConv2D}
MIXERS = {L.Conv2D, L.Conv2DTranspose, L.SeparableConv2D, L.Dense}  # every unit depends on every channel
_VALUEWISE = {L.BatchNormalization, L.Activation, L.ReLU, L.LeakyReLU, L.ELU, L.Rescaling} | IDENTITIES
_POOLS = {
    L.MaxPooling2D,
    L.AveragePooling2D,
    L.GlobalAveragePooling2D,
    L.GlobalMaxPooling2D,
    L.Cropping2D,
    L.UpSampling2D,
}
_RESHAPERS = {L.Flatten, L.Reshape}
_PADS = {L.ZeroPadding2D}
_SUMS = {
    L.Add: np.add,
    L.Subtract: np.subtract,
    L.Maximum: np.maximum,
    L.Minimum: np.minimum,
    L.Average: np.add,
}
_OPERATIONS = {operations.Add: np.add, operations.Subtract: np.subtract, operations.Multiply: np.multiply,
               operations.Divide: np.divide, operations.TrueDivide: np.divide}  # fmt: skip
PRODUCTS = {L.Multiply, operations.Multiply}
MEETINGS = {*_SUMS, *_OPERATIONS, *PRODUCTS, CustomScaleLayer}
_KNOWN = {*DEPTHWISE, *MIXERS, *_VALUEWISE, *_POOLS, *_RESHAPERS, *_PADS, *MEETINGS, L.PReLU, L.Concatenate}


def width(tensor) -> int:
    """Number of channels of a tensor; 0 where the model leaves it open."""
    return tensor.shape[-1] or 0 if len(tensor.shape) > 1 else 0


def obstacle(node, outputs_too: bool = True) -> str:
    """Why the units around a call cannot be followed, as the end of a sentence; empty where they can.

    With ``outputs_too`` units go from what the call gives, not only from what it takes.
    """
    layer = node.operation
    kind = f"'{layer.name}' ({type(layer).__name__})"
    if type(layer) not in _KNOWN:
        return f"{kind} is no layer that unitnb can follow, or it mixes the units"
    if getattr(layer, "data_format", None) == "channels_first" or not _axis_is_last(node):
        return f"{kind} works on another axis than the last (channels_first); build the model channels last"
    if getattr(getattr(layer, "dtype_policy", None), "quantization_mode", None) or getattr(
        layer, "lora_enabled", False
    ):
        return f"{kind} is quantized or has LoRA weights; remove units before that"
    if getattr(layer, "groups", 1) != 1:
        return f"{kind} has {layer.groups} groups, which would lose their equal sizes"
    if outputs_too and not acts_on_each_value(layer):
        return f"the activation of {kind} is no function of each value alone"
    return _odd_form(node, kind)


def _odd_form(node, kind: str) -> str:
    if type(node.operation) in _RESHAPERS and width(node.outputs[0]) % max(1, width(node.input_tensors[0])):
        return f"{kind} moves the units to another axis"
    if type(node.operation) in _OPERATIONS and len(_operands(node)) != 2:
        return f"{kind} has an operand that is neither a number nor a tensor of the network"
    if 0 in (*map(width, node.input_tensors), *map(width, node.outputs)):
        return f"{kind} has an open number of channels; call the model on an Input of a fixed size"
    return ""


def _axis_is_last(node) -> bool:
    if type(node.operation) not in (L.BatchNormalization, L.Concatenate):
        return True
    return node.operation.axis in (-1, len(node.outputs[0].shape) - 1)


def _operands(node) -> list:
    """The arguments of an operation of two operands; fewer where one is neither number nor tensor."""
    given = node.arguments.args if not node.arguments.kwargs else ()
    return [x for x in given if isinstance(x, keras.KerasTensor) or np.ndim(x) == 0]


# ---- which channels belong together ----


def links(node) -> list[tuple[int, np.ndarray]]:
    """For each linked input its place and, for each output channel, its channel that goes with it, or -1.

    Linked channels stay or go together. Mixing layers and unknown ones link nothing.
    """
    kind, n = type(node.operation), width(node.outputs[0])
    if kind in MIXERS or kind not in _KNOWN or not n:
        return []
    if kind is L.Concatenate:
        return _offsets(node, n)
    widths = [width(tensor) for tensor in node.input_tensors]
    return [
        (place, _places(kind, n, w))
        for place, w in enumerate(widths)
        if w and n % w == 0 and (w > 1 or n == 1)
    ]


def _places(kind, n: int, inputs: int) -> np.ndarray:
    return np.arange(n) // (n // inputs) if kind in DEPTHWISE else np.arange(n) % inputs


def _offsets(node, n: int) -> list[tuple[int, np.ndarray]]:
    found, start = [], 0
    for place, tensor in enumerate(node.input_tensors):
        channel = np.full(n, -1)
        channel[start : start + width(tensor)] = np.arange(width(tensor))
        found.append((place, channel))
        start += width(tensor)
    return found


# ---- where a constant goes ----


def constants(node, given: list[np.ndarray]) -> np.ndarray:
    """The value of each output channel at every pixel of every image, (n,) float32; NaN where it varies.

    ``given`` has such values of the inputs. Padding with zeros makes a constant other than zero vary.
    """
    kind, n = type(node.operation), width(node.outputs[0])
    nothing = np.full(n, np.nan, np.float32)
    if kind in MIXERS or all(np.isnan(values).all() for values in given) or obstacle(node):
        return nothing
    if kind is L.Concatenate:
        return np.concatenate(given)
    if kind in MEETINGS:
        return np.broadcast_to(_met(node, given), (n,)).astype(np.float32)
    return _alone(node, given[0], n)


def _met(node, given: list[np.ndarray]) -> np.ndarray:
    kind = type(node.operation)
    if kind is CustomScaleLayer:
        return given[0] + given[1] * np.float32(node.operation.scale)
    if kind in _OPERATIONS:
        waiting = iter(given)
        operands: list[np.ndarray] = [
            next(waiting) if isinstance(x, keras.KerasTensor) else np.asarray(x, np.float32)
            for x in _operands(node)
        ]
        if kind is operations.Multiply:
            return _product(operands)
        return _OPERATIONS[kind](*operands)
    if kind is L.Multiply:
        return _product(given)
    total = given[0]
    for other in given[1:]:
        total = _SUMS[kind](total, other)
    return total / np.float32(len(given)) if kind is L.Average else total


def _product(factors: list[np.ndarray]) -> np.ndarray:
    """The product, which is zero where one factor is, whatever the others are."""
    result = factors[0]
    for other in factors[1:]:
        result = np.where((result == 0) | (other == 0), np.float32(0), result * other)
    return result


def _alone(node, values: np.ndarray, n: int) -> np.ndarray:
    layer, kind = node.operation, type(node.operation)
    if kind in _VALUEWISE:
        return _called(layer, values, len(node.outputs[0].shape))
    if kind in DEPTHWISE:
        return _depthwise(layer, values)
    if kind is L.PReLU:
        return _prelu(layer, values)
    if kind in _PADS and np.any(layer.padding):
        return np.where(values == 0, values, np.float32(np.nan))
    return values[_places(kind, n, len(values))]


def _called(layer, values: np.ndarray, rank: int) -> np.ndarray:
    """What a layer of each value gives for a map of one pixel: the layer's own arithmetic."""
    pixel = np.nan_to_num(values).reshape((1,) * (rank - 1) + (-1,))
    takes_mode = layer._call_has_training_arg
    found = keras.ops.convert_to_numpy(layer(pixel, **({"training": False} if takes_mode else {})))
    return np.where(np.isnan(values), np.float32(np.nan), found.astype(np.float32).reshape(-1))


def _depthwise(layer, values: np.ndarray) -> np.ndarray:
    arrays = [array.astype(np.float32) for array in layer.get_weights()]
    summed = spread(arrays[0], values, is_uniform(layer)).reshape(-1)
    with_bias = summed + arrays[1] if layer.use_bias else summed
    found = keras.ops.convert_to_numpy(
        layer.activation(keras.ops.convert_to_tensor(np.nan_to_num(with_bias)))
    )
    return np.where(np.isnan(with_bias), np.float32(np.nan), found)


def _prelu(layer, values: np.ndarray) -> np.ndarray:
    """As PReLU gives it where a channel has one slope, or where the constant has no use for a slope."""
    slopes = layer.get_weights()[0].reshape(-1, len(values))
    one = np.where(np.ptp(slopes, axis=0) == 0, slopes[0], np.nan)
    return np.where(values >= 0, values, values * one).astype(np.float32)


def is_uniform(layer) -> bool:
    """Whether a convolution makes one constant of another everywhere: it never reaches over the border."""
    if type(layer) is L.Dense or set(layer.kernel_size) == {1} and set(layer.strides) == {1}:
        return True
    return type(layer) is not L.Conv2DTranspose and (
        layer.padding == "valid" or set(layer.kernel_size) == {1}
    )


def spread(kernel: np.ndarray, values: np.ndarray, uniform: bool) -> np.ndarray:
    """What constants (c,) give behind a depthwise kernel (h, w, c, m), (c, m); NaN where that varies."""
    found = kernel.sum(axis=(0, 1)) * values[:, None]
    return found if uniform else np.where(values[:, None] == 0, np.zeros_like(found), np.float32(np.nan))
