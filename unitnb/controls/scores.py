"""Rival scores of units, and controls, for the same curves as effectiveness; higher is more important.

The paper names magnitude, APoZ and mean activation (Sec. 1) without comparing them. Each is implemented from
the formula of its own paper, which the docstring names. Maps are (images, h, w, units), after the activation.
"""

from typing import Any

import keras
import numpy as np

from ..ablation.causal import single_ablation, taylor
from ..networks.graph import FlatGraph, flat_graph, producers
from ..topology.births import birth_points
from ..units.entropy import effectiveness, feature_entropy, selective_rate

PAPER, OURS, CAUSAL = "E (the paper)", "birth information (ours)", "single ablation"
PRINTED, LENGTH, HOLES = "E, Eq. 6 as printed", "L1 of the filter", "few holes"
CONTROLS = ("rate only", "1/H only", "shuffled E")
_WITH_FILTERS = keras.layers.Conv2D, keras.layers.DepthwiseConv2D
_BEHIND_FILTERS = (  # layers that leave each unit's map in its place
    keras.layers.BatchNormalization,
    keras.layers.Activation,
    keras.layers.ReLU,
    keras.layers.LeakyReLU,
    keras.layers.PReLU,
    keras.layers.ELU,
    keras.layers.Dropout,
    keras.layers.SpatialDropout2D,
)


def rival_scores(split, maps, labels, others, p=0.1, b_max=None, seed=0) -> dict[str, np.ndarray]:
    """Effectiveness, its rivals and its controls on one class, by name, (units,) float64 each.

    PAPER is the paper's score in this package's reading, PRINTED that with Eq. 6 to the letter, OURS our own,
    and CAUSAL the reference that removes each unit. CONTROLS are parts of the paper's score. Higher is more
    important. The L1 norm of the filters (LENGTH) is left out where no one convolution makes the maps, as
    behind the sum of a residual network.

    Parameters
    ----------
    split : SplitModel
    maps, others : (n, h, w, u), (m, h, w, u)
        Maps of the class's images and of images of other classes.
    labels : (n,) int, or one int for all
    p, b_max : number
        Of effectiveness (Eq. 10) and of the birth points (Def. 2).
    seed : int
        Of the shuffled effectiveness.

    Raises
    ------
    ValueError
        If a map is negative somewhere.
    """
    births, other_births = birth_points(maps, b_max), birth_points(others, b_max)
    paper = effectiveness(births, p=p)
    return {
        PAPER: paper,
        PRINTED: effectiveness(births, p=p, variant="printed"),
        OURS: effectiveness(births, variant="balanced", other_births=other_births),
        **({LENGTH: filter_l1(split.model, split.layer)} if from_filters(split.graph, split.layer) else {}),
        "APoZ": apoz(maps),
        "mean activation": mean_activation(maps),
        "selectivity": class_selectivity(maps, others),
        "Taylor": taylor(split, maps, labels),
        "Taylor, map": taylor(split, maps, labels, absolute="map"),
        CAUSAL: single_ablation(split, maps, labels),
        "activation entropy": activation_entropy(maps),
        HOLES: -mean_holes(maps),
        "rate only": selective_rate(births),
        "1/H only": inverse_entropy(births, p=p),
        "shuffled E": shuffled(paper, seed),
    }


# ---- scores of the weights and of the maps ----


def filter_l1(model, layer: str) -> np.ndarray:
    """Sum of the absolute weights of each filter, (units,) float64 (Li et al. 2017, arXiv 1608.08710).

    The filters are those of the convolution that makes the maps: the layer itself, or the one in front of the
    batch normalisation and the activation that end in the layer. The score does not depend on the class.

    Raises
    ------
    ValueError
        If no one convolution makes the maps of the layer.
    """
    graph = flat_graph(model)
    found = from_filters(graph, layer)
    if not found:
        raise ValueError(
            f"layer '{layer}' is {type(graph.layers[layer]).__name__} and has no filters; "
            "name a Conv2D layer, or a normalisation or activation behind one"
        )
    sizes = np.abs(keras.ops.convert_to_numpy(found[0].kernel).astype(np.float64)).sum(axis=(0, 1))
    return sizes.ravel() if isinstance(found[0], keras.layers.DepthwiseConv2D) else sizes.sum(axis=0)


def from_filters(graph: FlatGraph, layer: str) -> list[keras.Operation]:
    """The convolution whose filters are the units of ``layer``, and what follows it up to ``layer``.

    Empty where there is none. Only normalisations, activations and dropout may follow.
    """
    makers: dict[int, Any] = producers(graph.nodes)
    tensor = graph.calls[layer][0]
    found: list[keras.Operation] = []
    while (node := makers.get(id(tensor))) is not None:
        found.insert(0, node.operation)
        if isinstance(node.operation, _WITH_FILTERS):
            return found
        if not isinstance(node.operation, _BEHIND_FILTERS):
            break
        tensor = node.input_tensors[0]
    return []


def apoz(maps) -> np.ndarray:
    """1 - APoZ: share of the entries of a unit's maps that are above zero, (units,) in [0, 1].

    APoZ, the average percentage of zeros, is low for important units (Hu et al. 2016, arXiv 1607.03250),
    hence its complement.
    """
    return (_four_axes(maps) > 0).mean(axis=(0, 1, 2))


def mean_activation(maps) -> np.ndarray:
    """Mean of a unit's maps over images and pixels, (units,) float64 (Molchanov et al. 2017, Sec. 2.2).

    In the maps' own unit.
    """
    return _four_axes(maps).mean(axis=(0, 1, 2), dtype=np.float64)


def class_selectivity(maps, others) -> np.ndarray:
    """(mu_c - mu_other) / (mu_c + mu_other) of mean activations, (units,) in [-1, 1].

    This is the class-conditional form of the index of Morcos et al. 2018 (arXiv 1803.06959), which takes the
    unit's best class in place of c. It is 0 for a unit that is 0 on both, and defined for maps that are
    nowhere negative.

    Raises
    ------
    ValueError
        If a map is negative somewhere: the index would have no range.
    """
    if maps.min() < 0 or others.min() < 0:
        raise ValueError(
            "maps are negative somewhere; selectivity is defined for rectified maps: "
            "split the model after its ReLU"
        )
    own, rest = mean_activation(maps), mean_activation(others)
    return np.divide(own - rest, own + rest, out=np.zeros_like(own), where=own + rest > 0)


def activation_entropy(maps, bins=10) -> np.ndarray:
    """Entropy of a unit's mean activation over the images, in nats (Luo & Wu 2017, arXiv 1706.05791).

    The means fall in ``bins`` intervals of equal width between the unit's least and greatest. Luo & Wu prune
    units of *low* entropy: the direction opposite to the paper's.

    Returns
    -------
    (units,) float64
        From 0, for a unit with one value, to ln(bins).
    """
    means = _four_axes(maps).mean(axis=(1, 2), dtype=np.float64)
    low, width = means.min(axis=0), np.ptp(means, axis=0)
    place = np.minimum((means - low) / np.where(width > 0, width, 1) * bins, bins - 1).astype(int)
    return feature_entropy(place + 1)


def mean_holes(maps) -> np.ndarray:
    """Holes of a unit's map, mean over the images, (units,) from 0 up; TopologyHole removes units with many.

    A hole is a region of entries that are not positive, neighbours over edges, away from the border.
    Positive entries, neighbours over corners too, close it in. (Xu et al., *Towards efficient filter pruning
    via topology*, J. Real-Time Image Processing 2022; without their code, this is our reading of it.)
    """
    from scipy.ndimage import label

    empty = np.moveaxis(_four_axes(maps), 3, 1) <= 0  # (images, units, h, w)
    still = np.zeros((3, 3))
    edges = np.array([still, [[0, 1, 0], [1, 1, 1], [0, 1, 0]], still])  # no neighbours in other maps
    regions, count = label(empty.reshape(-1, *empty.shape[2:]), edges)
    owner = np.zeros(count + 1, int)
    owner[regions] = np.arange(len(regions))[:, None, None]
    closed = np.ones(count + 1, bool)
    border = regions[:, [0, -1]], regions[:, :, [0, -1]]
    closed[np.concatenate([[0], *(np.unique(edge) for edge in border)])] = False
    holes = np.bincount(owner[closed], minlength=len(regions))
    return holes.reshape(empty.shape[:2]).mean(axis=0)


# ---- parts of effectiveness, and orders without a score ----


def inverse_entropy(births, p=0.1) -> np.ndarray:
    """Effectiveness (Eq. 10) without the factor epsilon, (units,) in 1/nats.

    1 / H where the rate is at least p, else 0. It is infinite for H = 0.
    """
    rate = selective_rate(births)
    return np.divide(effectiveness(births, p=p), rate, out=np.zeros_like(rate), where=rate > 0)


def shuffled(scores, seed=0) -> np.ndarray:
    """The same scores (units,) given to units at random."""
    return np.random.default_rng(seed).permutation(scores)


def random_orders(n_units, n_orders=20, seed=0) -> list[np.ndarray]:
    """Orders without any score, (n_units,) int64 each; the same as in ``03_ablation`` for the same seed."""
    return [np.random.default_rng([seed, i]).permutation(n_units) for i in range(n_orders)]


def kendall(first, second):
    """Kendall's tau-b of two scores (u,), in [-1, 1]; infinity is the best score, a constant gives NaN.

    Where one of them or both have rows (n, u), the tau of each row, (n,).
    """
    from scipy.stats import kendalltau

    return kendalltau(*np.broadcast_arrays(first, second), axis=-1).statistic[()]


def _four_axes(maps):
    maps = np.asarray(maps)
    if maps.ndim != 4 or 0 in maps.shape:
        raise ValueError(
            f"maps have shape {maps.shape}; expected (images, h, w, units), at least one of each"
        )
    return maps
