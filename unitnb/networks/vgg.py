"""The VGG family (Sec. 3.1)."""

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

    The two unpadded convolutions of block 1 turn 32 pixels into 28, hence maps of 14x14 in block 2, as in
    VGG16's conv5_3; ``block2_conv3`` has ``widths[2]`` units. ReLU everywhere, no batch normalisation. The model takes
    images of grey levels (uint8 or float, 0..255) and returns logits.
    """
    regularizer = keras.regularizers.L2(l2) if l2 else None

    def conv(width, name, padding):
        return keras.layers.Conv2D(
            width,
            3,
            padding=padding,
            activation="relu",
            kernel_initializer="he_normal",
            kernel_regularizer=regularizer,
            name=name,
        )

    return keras.Sequential(
        [
            keras.Input((image_size, image_size, 3)),
            PerImageStandardization(name="standardize"),
            conv(widths[0], "block1_conv1", "valid"),
            conv(widths[0], "block1_conv2", "valid"),
            keras.layers.MaxPooling2D(name="block1_pool"),
            conv(widths[1], "block2_conv1", "same"),
            conv(widths[1], "block2_conv2", "same"),
            conv(widths[2], "block2_conv3", "same"),
            keras.layers.MaxPooling2D(name="block2_pool"),
            keras.layers.Flatten(name="flatten"),
            keras.layers.Dropout(dropout, name="dropout1"),
            keras.layers.Dense(
                dense,
                activation="relu",
                kernel_initializer="he_normal",
                kernel_regularizer=regularizer,
                name="fc1",
            ),
            keras.layers.Dropout(dropout, name="dropout2"),
            # Small weights (as VGG's own, sd 0.01): training starts at a loss of ln(n_classes), not from confident guesses.
            keras.layers.Dense(
                n_classes,
                kernel_initializer=keras.initializers.RandomNormal(stddev=0.01),
                kernel_regularizer=regularizer,
                name="logits",
            ),
        ],
        name="small_vgg",
    )


VGG16_BLOCKS = (
    (64, 2),
    (128, 2),
    (256, 3),
    (512, 3),
    (512, 3),
)  # units of a convolution, and how many of them


def vgg16(width=1.0, input_size=224, n_classes=1000, dropout=0.0, l2=0.0):
    """VGG16 (configuration D of Simonyan & Zisserman), the paper's network, or the same with every layer ``width`` times as wide.

    Layers have the names of ``keras.applications.VGG16``; at width 1 their weights have its shapes, so that weights go from one to
    the other. ``block5_conv3`` has 512 * width units, whose maps are 14x14 where images are 224x224. Unlike there, the model takes
    images of grey levels, which it standardises one by one (as the released code does for its own networks), and returns logits; weights
    start as He's, for ReLU: from Glorot's, which Simonyan & Zisserman name, so deep a network hardly starts.

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
            f"width is {width} and input_size {input_size}; expected a width above 0 and images of at least 32 pixels"
        )
    settings = {
        "activation": "relu",
        "kernel_initializer": "he_normal",
        "kernel_regularizer": keras.regularizers.L2(l2) if l2 else None,
    }
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
    deviation = (
        0.01 / width**0.5
    )  # VGG's own, and logits as small at any width: training starts near a loss of ln(n_classes)
    small = {
        **settings,
        "activation": None,
        "kernel_initializer": keras.initializers.RandomNormal(stddev=deviation),
    }
    yield keras.layers.Dense(
        n_classes, name="predictions", dtype="float32", **small
    )  # float32 whatever the precision of the rest


def _scaled(units, width):
    return max(1, round(units * width))


ARCHITECTURES = {"small_vgg": small_vgg, "vgg16": vgg16}  # by what profiles call them
