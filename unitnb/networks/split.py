"""Any Keras model split after a layer into head and tail: the head gives the feature maps (Sec. 3.1)."""

import json
import re
from dataclasses import dataclass, field
from pathlib import Path

import keras
import numpy as np

from ..files import store
from ..files.progress import progress_bar
from .batches import fitting_batch, run_in_batches
from .frozen import has_front, head_maps
from .graph import FlatGraph, flat_graph, is_channels_first, map_sides
from .guard import check_equal, own_outputs
from .image_maps import images_of, with_images
from .inputs import image_array
from .names import different_names, model_of
from .outputs import Reading, checked_reading, reading_of_values
from .tails import TailPlan, plan_tail, tail_model

CHECKED_IMAGES = 2  # on which head and tail are compared with the model


@dataclass(frozen=True, eq=False)
class SplitModel:
    """A Keras model split after ``layer``: the head gives the feature maps, the tail makes the output from
    them.

    The maps are the output of the named layer, exactly: after its activation where it has one (VGG's
    ``block5_conv3`` is after ReLU). A convolution without an activation of its own gives linear maps; to
    study its rectified maps, name the ``Activation`` or ``ReLU`` layer behind it (behind the batch
    normalisation, if there is one). Maps are channels last, whatever the model's layout. Head and tail run in
    inference mode. They share their weights with ``model``, which stays as it is.

    ``engine`` says how ablation curves are computed: "running-sum", "masked-tail" or "masked-model" (see
    ``ablation.engines``). ``head`` is the front of the network, up to the maps; the head of a rank is another
    thing.

    With a folder ``kept``, feature maps are kept there, a batch of images each, and found again: for networks
    of which a forward pass takes long. Processes side by side do not compute the same.
    """

    model: keras.Model
    layer: str
    head: keras.Model
    tail: keras.Model
    plan: TailPlan = field(repr=False)
    graph: FlatGraph = field(repr=False)
    kept: Path | None = None
    checked: list = field(
        default_factory=list, repr=False
    )  # holds one entry once head and tail were compared with the model

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
        """Classes that the outputs tell apart: 2 where there is one output."""
        return max(2, self.graph.output.shape[-1])

    @property
    def layer_object(self) -> keras.Layer:
        """The studied layer."""
        return self.graph.layers[self.layer]

    def feature_maps(self, images, batch_size=None) -> np.ndarray:
        """Maps (n, h, w, u), float32, of images (n, H, W, 3) as the model takes them, or of a
        ``tf.data.Dataset`` of them.

        Of a masked-model split they know their images. The first call compares head and tail with the model.

        Raises
        ------
        ValueError
            If there are no images, they do not have the model's size or channels, or head and tail do not
            give the model's outputs.
        """
        images = image_array(images, self.graph.entry)
        alone = self.kept is None or has_front(self.head)  # which keeps its features instead of maps
        maps = self._run_head(images, batch_size) if alone else self._kept_maps(images, batch_size)
        return with_images(maps, images) if self.engine == "masked-model" else maps

    def _run_head(self, images, batch_size=None) -> np.ndarray:
        self._compare_with_model(images[:CHECKED_IMAGES])
        if self.kept is not None and has_front(self.head):
            return head_maps(self.head, images, self.kept, batch_size)
        return run_in_batches(self.head, [images], batch_size)

    def _kept_maps(self, images, batch_size):
        size, key = batch_size or fitting_batch(images.shape), head_key(self)
        starts = progress_bar(range(0, len(images), size), f"maps of {self.layer}", unit="batch")
        return np.concatenate([self._kept_batch(images[i : i + size], key) for i in starts])

    def _kept_batch(self, images, key):
        key = {**key, "images": store.digest(images)}
        assert self.kept is not None
        return store.cached(self.kept, "maps", key, lambda: {"maps": self._run_head(images)}, alone=True)[
            "maps"
        ]

    def predict(self, maps, batch_size=None) -> np.ndarray:
        """Output (n, k) of the tail, as the model gives it, from maps (n, h, w, u)."""
        images = [images_of(maps)] if self.engine == "masked-model" else []
        outputs = run_in_batches(self.tail, [maps, *images], batch_size)
        return outputs.reshape(len(outputs), -1)

    def reading(self, maps) -> Reading:
        """What the model's outputs are: as the graph shows, or else by their values on ``maps``."""
        return self.plan.outputs or reading_of_values(self.predict(maps))

    def _compare_with_model(self, images) -> None:
        """ValueError where head and tail do not give what the model itself gives for a few images; asked
        once.
        """
        if self.checked:
            return
        alone = [own_outputs(self.model, images[i : i + 1]) for i in range(len(images))]
        own = np.concatenate(alone)  # one at a time: an image's outputs must not depend on the others
        maps = run_in_batches(self.head, [images])
        found = self.predict(with_images(maps, images) if self.engine == "masked-model" else maps)
        check_equal(found, own.reshape(len(own), -1), self.graph, f"head and tail of '{self.layer}'")
        if len(images) > 1:
            self.checked.append(True)


def head_key(split: SplitModel) -> dict:
    """What the feature maps of some images depend on, beside the images: for the key of what is kept."""
    return {
        "backend": keras.backend.backend(),
        "graph": graph_digest(split.head),
        "weights": store.digest(*split.head.get_weights()),
    }


def graph_digest(model) -> str:
    """A digest of a network's layers and how they hang together, without the names that Keras counts up in
    each process.
    """
    with different_names(model.operations):
        text, names = model.to_json(), [model.name, *(layer.name for layer in model.layers)]
    for number, name in enumerate(names):
        text = text.replace(json.dumps(name), f'"#{number}"')
    return store.digest(re.sub(r'"shared_object_id": \d+', "", text))


def split_model(model, layer, kept: Path | None = None, outputs: str | None = None) -> SplitModel:
    """Split ``model``, any Keras graph of one input and one output, after a layer.

    Sequential and functional models, nested in one another, loaded, or called again on other inputs;
    TensorFlow and JAX.

    Parameters
    ----------
    layer : str, int or keras.Layer
        A name, a path into nested models (``"base/block4_conv3"``), an index of ``model.layers``, or the
        layer itself.
    kept : a folder in which feature maps are kept, or None
    outputs : "logits", "probabilities", "sigmoid", "binary logit" or None
        What the outputs are; by default the graph tells, or else their values (see ``networks.outputs``).

    Raises
    ------
    KeyError
        If there is no such layer; the text names the nearest and all that would do.
    ValueError
        If the layer's output is not one 4-D tensor (n, h, w, units) with h == w, the layer is used more than
        once or is the output, the model is not such a graph, or its outputs are not one vector an image.

    >>> import unitnb
    >>> split_model(unitnb.small_vgg(), "block2_conv3").engine
    'running-sum'
    """
    graph = flat_graph(model)
    path, tensor = graph.studied(layer)
    _check_outputs(graph)
    _check_layout(graph, path, tensor)
    plan = plan_tail(graph, tensor, checked_reading(outputs))
    return SplitModel(model, path, _head(graph, tensor), tail_model(graph, tensor), plan, graph, kept)


def _head(graph: FlatGraph, tensor) -> keras.Model:
    last = keras.layers.Permute((2, 3, 1))(tensor) if is_channels_first(graph, tensor) else tensor
    return model_of(graph.entry, last)


def _check_outputs(graph: FlatGraph) -> None:
    shape = tuple(graph.output.shape)
    if len(shape) < 2 or any(side != 1 for side in shape[1:-1]) or shape[-1] is None:
        raise ValueError(
            f"the output of '{graph.model.name}' is {shape}; expected (n, classes), one vector an image. A "
            "segmentation or detection model gives none; put global pooling behind it, or study the "
            "classifier that it was made from."
        )


def _check_layout(graph: FlatGraph, path: str, tensor) -> None:
    if is_channels_first(graph, tensor) and not _runs_channels_first():
        raise ValueError(
            f"'{path}' is channels_first, {tuple(tensor.shape)}, which {keras.backend.backend()} cannot run "
            "on this machine; set KERAS_BACKEND=jax, or build the model with data_format='channels_last'."
        )


def _runs_channels_first() -> bool:
    if keras.backend.backend() != "tensorflow":
        return True
    import tensorflow as tf

    return bool(tf.config.list_logical_devices("GPU"))


def usable_layers(model) -> dict[str, tuple]:
    """The layers of a model that can be studied, in order: path to (h, w, units) of its maps, square and at
    least 5x5.

    Sizes are None where the model leaves the size of its images open.
    """
    graph = flat_graph(model)
    units = {path: graph.calls[path][0].shape for path in graph.usable}
    first = {path: is_channels_first(graph, graph.calls[path][0]) for path in units}
    return {path: (*map_sides(graph, path), shape[1 if first[path] else 3]) for path, shape in units.items()}
