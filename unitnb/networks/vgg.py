"""The VGG family (Sec. 3.1), after Simonyan & Zisserman, https://arxiv.org/abs/1409.1556."""

from typing import Any

import keras


@keras.saving.register_keras_serializable("unitnb")
class PerImageStandardization(keras.layers.Layer):
    """Images (n, h, w, 3) of grey levels 0..255, centred and divided by their own standard deviation."""

    def call(self, images):
        images = keras.ops.cast(images, "float32")
        mean = keras.ops.mean(images, axis=(1, 2, 3), keepdims=True)
        std = keras.ops.std(images, axis=(1, 2, 3), keepdims=True)
        return (images - mean) / keras.ops.maximum(std, 1.0)


def small_vgg(n_classes=10, widths=(32, 64, 128), dense=64, dropout=0.0, l2=0.0, image_size=32):
    """The end of VGG16 in small: ... conv -> studied conv (14x14) -> max-pool -> flatten -> dense -> softmax.

    The two unpadded convolutions of block 1 turn 32 pixels into 28. Hence the maps of block 2 are 14x14, as
    in VGG16's conv5_3. All layers have ReLU and no batch normalisation.

    Parameters
    ----------
    widths : units of block 1, of the first two layers of block 2, and of the studied layer ``block2_conv3``
    dense : units of the dense layer
    dropout : share of the units that are dropped before each dense layer in training
    l2 : weight decay of every kernel
    image_size : side of the images in pixels

    Returns
    -------
    keras.Sequential
        Takes images (n, image_size, image_size, 3) of grey levels, 0..255, and returns logits (n, n_classes).
    """
    relu = relu_settings(l2)
    L = keras.layers
    return keras.Sequential(
        [
            keras.Input((image_size, image_size, 3)),
            PerImageStandardization(name="standardize"),
            L.Conv2D(widths[0], 3, name="block1_conv1", **relu),
            L.Conv2D(widths[0], 3, name="block1_conv2", **relu),
            L.MaxPooling2D(name="block1_pool"),
            L.Conv2D(widths[1], 3, padding="same", name="block2_conv1", **relu),
            L.Conv2D(widths[1], 3, padding="same", name="block2_conv2", **relu),
            L.Conv2D(widths[2], 3, padding="same", name="block2_conv3", **relu),
            L.MaxPooling2D(name="block2_pool"),
            *classifier(n_classes, dense, dropout, l2),
        ],
        name="small_vgg",
    )


def relu_settings(l2) -> dict[str, Any]:
    """Activation, first weights and weight decay of a layer with ReLU."""
    decay = keras.regularizers.L2(l2) if l2 else None
    return {"activation": "relu", "kernel_initializer": "he_normal", "kernel_regularizer": decay}


# Small last weights, as in VGG: training starts at a loss of ln(n_classes).
SMALL = {"stddev": 0.01}


def classifier(n_classes, dense, dropout, l2, last_weights=None) -> list[keras.layers.Layer]:
    """Flatten, a dense layer and the logits, with dropout before each dense layer.

    ``last_weights`` is an initializer of the logits' weights. It draws its seed when it is made; by default
    that is after those of the other layers.
    """
    L, by_default = keras.layers, {"class_name": "RandomNormal", "config": SMALL}
    small = {"activation": None, "kernel_initializer": last_weights or by_default}
    return [
        L.Flatten(name="flatten"),
        L.Dropout(dropout, name="dropout1"),
        L.Dense(dense, name="fc1", **relu_settings(l2)),
        L.Dropout(dropout, name="dropout2"),
        L.Dense(n_classes, name="logits", **{**relu_settings(l2), **small}),
    ]


# Units of a convolution, and the number of convolutions, of each block.
VGG16_BLOCKS = ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3))


def vgg16(width=1.0, input_size=224, n_classes=1000, dropout=0.0, l2=0.0):
    """VGG16 (configuration D), the paper's network, with every layer ``width`` times as wide.

    Layers have the names of ``keras.applications.VGG16``. At width 1 their weights have its shapes, so
    weights can be copied from one to the other. ``block5_conv3`` has 512 * width units; their maps are 14x14
    for images of 224x224 pixels. Unlike Keras's network, this one takes images of grey levels, standardises
    each (as the released code does for its own networks) and returns logits. Its first weights are He's,
    because training hardly starts from the Glorot weights that Simonyan & Zisserman name.

    Parameters
    ----------
    width : float
        Units of each layer relative to VGG16's; every layer keeps at least one.
    input_size : int
        Side of the images in pixels, 32 or more; the maps of ``block5_conv3`` are ``input_size // 16`` wide.
    dropout : share of the units of fc1 and of fc2 that are dropped in training
    l2 : weight decay of every kernel

    Raises
    ------
    ValueError
        If the width is not above 0, or the images are smaller than 32 pixels.
    """
    if width <= 0 or input_size < 32:
        raise ValueError(
            f"width is {width} and input_size {input_size}; "
            "expected a width above 0 and images of at least 32 pixels"
        )
    settings = relu_settings(l2)
    entry = [
        keras.Input((input_size, input_size, 3)),
        PerImageStandardization(name="standardize", dtype="float32"),
    ]
    layers = [
        *entry,
        *_vgg16_blocks(width, settings),
        *_vgg16_classifier(width, n_classes, dropout, settings),
    ]
    return keras.Sequential(layers, name="vgg16")


def _vgg16_blocks(width, settings):
    for block, (units, depth) in enumerate(VGG16_BLOCKS, start=1):
        for number in range(1, depth + 1):
            yield keras.layers.Conv2D(
                _scaled(units, width), 3, padding="same", name=f"block{block}_conv{number}", **settings
            )
        yield keras.layers.MaxPooling2D(name=f"block{block}_pool")


def _vgg16_classifier(width, n_classes, dropout, settings):
    yield keras.layers.Flatten(name="flatten")
    for number in (1, 2):
        yield keras.layers.Dense(_scaled(4096, width), name=f"fc{number}", **settings)
        yield keras.layers.Dropout(dropout, name=f"dropout{number}")
    # VGG's 0.01, and logits as small at any width: training starts near a loss of ln(n_classes).
    initializer = keras.initializers.RandomNormal(stddev=0.01 / width**0.5)
    small = {**settings, "activation": None, "kernel_initializer": initializer}
    # The logits are float32 in mixed precision too.
    yield keras.layers.Dense(n_classes, name="predictions", dtype="float32", **small)


def _scaled(units, width):
    return max(1, round(units * width))
