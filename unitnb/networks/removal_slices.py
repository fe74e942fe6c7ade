"""A layer without some of its channels: its new configuration and weights (see ``removal``)."""

import keras
import numpy as np

from .removal_rules import DEPTHWISE, L, is_uniform, spread

_COUNTED = {L.Conv2D: "filters", L.Conv2DTranspose: "filters", L.SeparableConv2D: "filters", L.Dense: "units"}
_LAST = {L.BatchNormalization, L.PReLU}  # weights whose last axis, or only one, is that of the channels


def smaller_layer(node, values: np.ndarray, kept_in: np.ndarray, kept_out: np.ndarray):
    """Changes of a layer's configuration, and its weights, without some channels of its input and output.

    Parameters
    ----------
    values : (c,) float
        The constant that stands for each removed channel of the (first) input.
    kept_in, kept_out : (c,), (k,) bool
        Channels that stay.

    Returns
    -------
    dict, list of arrays
    """
    layer, kind = node.operation, type(node.operation)
    weights = layer.get_weights() if isinstance(layer, keras.Layer) else []
    if kind in _COUNTED:
        return _mixer(layer, weights, values, kept_in, kept_out)
    if kind in DEPTHWISE:
        return {}, [weights[0][:, :, kept_in], *(bias[kept_out] for bias in weights[1:])]
    if kind in _LAST:
        return {}, [array[..., kept_out] for array in weights]
    return _changed_shape(layer, kept_out), weights


def _mixer(layer, weights, values, kept_in, kept_out):
    """The bias takes what the removed channels bring; a layer without one gets it where that is not zero."""
    kernels, bias = _parts(layer, weights)
    brought = offset(layer, np.where(kept_in, 0, values))
    changes = {_COUNTED[type(layer)]: int(kept_out.sum())}
    if brought.any():
        bias, changes["use_bias"] = (0 if bias is None else bias) + brought, True
    rest = [] if bias is None else [bias[kept_out].astype(np.float32)]
    return changes, [*_sliced(layer, kernels, kept_in, kept_out), *rest]


def _parts(layer, weights):
    last = len(weights) - bool(layer.use_bias)
    return weights[:last], weights[last] if layer.use_bias else None


def _sliced(layer, kernels, kept_in, kept_out):
    if type(layer) is L.SeparableConv2D:
        depthwise, pointwise = kernels
        repeated = np.repeat(kept_in, depthwise.shape[3])
        return [depthwise[:, :, kept_in], pointwise[:, :, repeated][..., kept_out]]
    if type(layer) is L.Conv2DTranspose:
        return [kernels[0][:, :, kept_out][..., kept_in]]
    return [kernels[0][..., kept_in, :][..., kept_out]]


def offset(layer, values: np.ndarray) -> np.ndarray:
    """What constant channels (c,) add to each unit of a mixing layer, (units,); NaN where that varies.

    A constant of zero adds zero anywhere.
    """
    values, units = values.astype(np.float64), getattr(layer, _COUNTED[type(layer)])
    if not values.any():
        return np.zeros(units)
    if not is_uniform(layer):
        return np.full(units, np.nan)
    kernels, _ = _parts(layer, layer.get_weights())
    if type(layer) is L.SeparableConv2D:
        return spread(kernels[0].astype(np.float64), values, True).reshape(-1) @ kernels[1][0, 0].astype(
            np.float64
        )
    kernel = kernels[0].astype(np.float64)
    if type(layer) is L.Conv2DTranspose:
        kernel = kernel.swapaxes(2, 3)
    return values @ kernel.reshape(-1, *kernel.shape[-2:]).sum(axis=0)


def _changed_shape(layer, kept_out: np.ndarray) -> dict:
    """Settings that name the number of channels or bring one number for each."""
    left = int(kept_out.sum())
    if type(layer) is L.Reshape:
        return {"target_shape": (*layer.target_shape[:-1], left)}
    if type(layer) is L.Rescaling:
        return {name: _of_kept(getattr(layer, name), kept_out) for name in ("scale", "offset")}
    shape = getattr(layer, "noise_shape", None)
    return {"noise_shape": (*shape[:-1], left)} if shape and shape[-1] not in (None, 1) else {}


def _of_kept(setting, kept_out: np.ndarray):
    values = np.asarray(setting)
    return setting if values.size == 1 else values.reshape(-1)[kept_out].tolist()
