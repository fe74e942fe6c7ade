"""Any Keras model split after a layer into head and tail: the head gives the feature maps (Sec. 3.1)."""

import difflib
import json
import re
from dataclasses import dataclass, field
from pathlib import Path

import keras
import numpy as np

from ..files import store
from ..files.progress import progress_bar
from .batches import fitting_batch, run_in_batches
from .tails import TailPlan, plan_tail


class ImageMaps(np.ndarray):
    """Feature maps (n, h, w, u) that know the images they come from, for a layer whose maps alone do not determine the output."""

    images = None

    def __getitem__(self, key):
        part = super().__getitem__(key)
        if isinstance(part, ImageMaps) and part.ndim == 4 and self.images is not None:
            images = self.images[key[0] if isinstance(key, tuple) else key]
            part.images = images if len(images) == len(part) else None
        return part


def with_images(maps, images) -> ImageMaps:
    """``maps`` (n, h, w, u), of any origin, together with their images (n, H, W, 3): what a masked-model split works on."""
    if len(maps) != len(images):
        raise ValueError(f"{len(maps)} maps came with {len(images)} images; give one image for each map.")
    joined = np.asarray(maps).view(ImageMaps)
    joined.images = np.asarray(images)
    return joined


@dataclass(frozen=True, eq=False)
class SplitModel:
    """A Keras model split after ``layer``: the head gives the feature maps, the tail makes the output from them.

    The maps are the output of the named layer, exactly: after its activation where it has one (VGG's ``block5_conv3``
    is after ReLU). A convolution without an activation of its own gives linear maps; to study its rectified maps, name the
    ``Activation`` or ``ReLU`` layer behind it (behind the batch normalisation, if there is one). Weights are shared with ``model``, and
    nothing here changes them.

    ``engine`` says how ablation curves are computed: "running-sum", "masked-tail" or "masked-model" (see ``tails``).

    With a folder ``kept``, feature maps are kept there, a batch of images each, and found again: for networks of which a forward pass
    takes long. Processes side by side do not compute the same.
    """

    model: keras.Model
    layer: str
    head: keras.Model
    tail: keras.Model
    plan: TailPlan = field(repr=False)
    kept: Path | None = None

    @property
    def engine(self) -> str:
        return self.plan.engine

    @property
    def map_shape(self) -> tuple:
        """(h, w, u)"""
        return tuple(self.head.outputs[0].shape[1:])

    @property
    def n_units(self) -> int:
        return self.map_shape[-1]

    @property
    def n_classes(self) -> int:
        return self.model.outputs[0].shape[-1]

    def feature_maps(self, images, batch_size=None) -> np.ndarray:
        """Maps (n, h, w, u), float32, of images (n, H, W, 3) as the model takes them. Of a masked-model split they know their images."""
        images = np.asarray(images)
        maps = (
            run_in_batches(self.head, [images], batch_size)
            if self.kept is None
            else self._kept_maps(images, batch_size)
        )
        return with_images(maps, images) if self.engine == "masked-model" else maps

    def _kept_maps(self, images, batch_size):
        size, key = batch_size or fitting_batch(images.shape), head_key(self)
        starts = progress_bar(range(0, len(images), size), f"maps of {self.layer}", unit="batch")
        return np.concatenate([self._kept_batch(images[i : i + size], key) for i in starts])

    def _kept_batch(self, images, key):
        key = {**key, "images": store.digest(images)}
        return store.cached(
            self.kept, "maps", key, lambda: {"maps": run_in_batches(self.head, [images])}, alone=True
        )["maps"]

    def predict(self, maps, batch_size=None) -> np.ndarray:
        """Output (n, classes) of the tail, logits or probabilities as the model gives them, from maps (n, h, w, u)."""
        beside = [images_of(maps)] if self.engine == "masked-model" else []
        return run_in_batches(self.tail, [maps, *beside], batch_size)


def images_of(maps) -> np.ndarray:
    """The images of ``maps``, or a ValueError where they are not known."""
    if getattr(maps, "images", None) is None:
        raise ValueError(
            "This layer does not cut the graph (masked-model), so its maps must come with their images: "
            "take them from split.feature_maps(images), or slice those, or use unitnb.models.with_images(maps, images)."
        )
    return maps.images


def head_key(split: SplitModel) -> dict:
    """What the feature maps of some images depend on, beside the images: for the key of what is kept."""
    graph = _graph(split.head)
    return {
        "backend": keras.backend.backend(),
        "graph": graph,
        "weights": store.digest(*split.head.get_weights()),
    }


def _graph(model) -> str:
    """A digest of a network's layers and how they hang together, without the names that Keras counts up from one process to the next."""
    text = model.to_json()
    for number, name in enumerate([model.name, *(layer.name for layer in model.layers)]):
        text = text.replace(json.dumps(name), f'"#{number}"')
    return store.digest(re.sub(r'"shared_object_id": \d+', "", text))


def split_model(model, layer: str, kept: Path | None = None) -> SplitModel:
    """Split ``model``, any Sequential or functional Keras model of one input and one output, after the layer named ``layer``.

    ``kept`` is a folder in which feature maps are kept, or None.

    Raises
    ------
    KeyError
        If there is no such layer; the text names the nearest and all that would do.
    ValueError
        If the layer's output is not one 4-D tensor (n, h, w, units) with h == w, or the model is not a graph with one input and one output.

    >>> import unitnb
    >>> split_model(unitnb.small_vgg(), "block2_conv3").engine
    'running-sum'
    """
    _check_model(model)
    found = _find_layer(model, layer)
    plan = plan_tail(model, found)
    head = keras.Model(model.inputs[0], found.output)
    inputs = [found.output, model.inputs[0]] if plan.engine == "masked-model" else found.output
    return SplitModel(model, layer, head, keras.Model(inputs, model.outputs[0]), plan, kept)


def convolutions(model) -> list[str]:
    """The names of a model's convolutions, from the images on."""
    return [layer.name for layer in model.layers if isinstance(layer, keras.layers.Conv2D)]


def _check_model(model):
    n_inputs, n_outputs = (len(getattr(model, side, None) or []) for side in ("inputs", "outputs"))
    if (n_inputs, n_outputs) != (1, 1):
        raise ValueError(
            f"{type(model).__name__} '{model.name}' has {n_inputs} inputs and {n_outputs} outputs as a graph; expected one of each. "
            "Give a built Sequential or functional model."
        )


def _shape(layer):
    output = getattr(layer, "output", None)
    return tuple(output.shape) if isinstance(output, keras.KerasTensor) else None


def _find_layer(model, name):
    layers = {layer.name: layer for layer in model.layers}
    usable = [
        n
        for n, layer in layers.items()
        if len(_shape(layer) or ()) == 4 and not isinstance(layer, keras.layers.InputLayer)
    ]
    if name not in layers:
        near = difflib.get_close_matches(str(name), usable, n=3) or usable[-3:]
        raise KeyError(
            f"'{model.name}' has no layer '{name}'. Nearest: {', '.join(near)}. Layers with 4-D maps: {', '.join(usable)}."
        )
    shape = _shape(layers[name])
    if name not in usable:
        raise ValueError(
            f"The output of '{name}' is {shape}, not 4-D maps (n, h, w, units). Layers with 4-D maps: {', '.join(usable)}."
        )
    if shape[1] != shape[2]:
        raise ValueError(
            f"The maps of '{name}' are {shape[1]}x{shape[2]}; they must be square: use square images."
        )
    return layers[name]
