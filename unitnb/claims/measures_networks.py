"""Measures of the claims on importance, classes, depth and scale: numbers by name for ``record_claims``."""

from collections.abc import Mapping

import keras
import numpy as np
from scipy.stats import kendalltau

from ..controls.comparison import differences, plain_and_partial_spearman
from ..controls.experiments import on_set
from ..controls.scores import (
    CAUSAL,
    LENGTH,
    PAPER,
    class_selectivity,
    filter_l1,
    from_filters,
    mean_activation,
)
from ..networks.batches import fitting_batch
from ..networks.depth import depth_layers
from ..networks.graph import FlatGraph, flat_graph
from ..networks.split import SplitModel, split_model
from ..networks.vgg import PerImageStandardization
from ..topology.births import birth_points
from ..units.entropy import feature_entropy, selective_rate
from ..units.estimators import null_entropy
from ..units.intervals import drawn_places, interval, paired_bootstrap, resampled_means

# Criteria of magnitude that the paper names (Sec. 1), by the name in the claim.
MAGNITUDES = {"L1": LENGTH, "APoZ": "APoZ", "mean activation": "mean activation"}


# ---- importance and classes ----


def importance_claim(results: Mapping, p=0.1, n_boot=500, seed=0) -> dict[str, object]:
    """Numbers of C05 (Sec. 2.2): in how many classes 1/H goes with the importance of single ablation.

    They are given plainly and with the rate partialled out. A class counts where the 95% interval of the rank
    correlation over units lies above 0.

    Parameters
    ----------
    results : of ``class_result``, by class
    p : number
        Units with a selective rate below it, or without entropy, are left out.
    n_boot, seed : int
        Bootstraps over units.
    """
    lows = np.array([_importance_lows(result, p, n_boot, seed) for result in results.values()])
    names = ("E", "rate", "1/H", "1/H given the rate")
    medians = {
        f"median rho of {name}": float(np.median([result.correlations[name] for result in results.values()]))
        for name in names
    }
    above, above_given_rate = (lows > 0).sum(axis=0)
    return {
        "classes": len(lows),
        "n": len(next(iter(results.values())).births[0]),
        "classes above 0": int(above),
        "classes above 0 given the rate": int(above_given_rate),
        **medians,
    }


def _importance_lows(result, p, n_boot, seed):
    rate, entropy = selective_rate(result.births), feature_entropy(result.births)
    counted = (rate >= p) & (entropy > 0)
    columns = np.stack([1 / entropy[counted], result.scores[CAUSAL][counted], rate[counted]])
    drawn = drawn_places(columns.shape[1], n_boot, np.random.default_rng(seed))
    return interval(plain_and_partial_spearman(*columns[:, drawn]), axis=1).low


def rivals_claim(results: Mapping) -> dict[str, object]:
    """Numbers of C43 (Sec. 1): area of E minus that of each of ``MAGNITUDES``, with its 95% interval.

    ``results[class]`` is of ``class_result``; areas are between the two orders, in balanced accuracy on test
    images. Where the units have no filters the claim gets a reason instead.
    """
    if any(LENGTH not in result.scores for result in results.values()):
        return {"reason": "no one convolution makes the maps, so the units have no filters"}
    found: dict[str, object] = {"n": len(results)}
    for name, rival in MAGNITUDES.items():
        areas = differences(on_set(results, "test"), PAPER, rival)
        found[name], found[f"low, {name}"], found[f"high, {name}"] = paired_bootstrap(areas)
    return found


def class_claim(correlations, damage, n_boot=2000, seed=0) -> dict[str, object]:
    """Numbers of C42 (Abstract): own class minus the others, mean over classes, with 95% intervals.

    Parameters
    ----------
    correlations, damage : (classes, classes)
        The matrices of Fig. 5D.
    n_boot, seed : int
        Bootstraps over classes.
    """
    rng = np.random.default_rng(seed)
    found: dict[str, object] = {"n": len(correlations)}
    for name, matrix in (("correlation", np.asarray(correlations)), ("damage", np.asarray(damage))):
        own = np.diag(matrix)
        gain = own - (matrix.sum(axis=1) - own) / (len(matrix) - 1)
        low, high = interval(resampled_means(gain, n_boot, rng)).ends
        found |= {name: gain.mean(), f"low, {name}": low, f"high, {name}": high}
    return found


# ---- the later paper ----


def depth_claim(model, layer: str, images, seed=0) -> dict[str, object]:
    """Numbers of C45: mean H (nats) over the units of each layer of the studied kind, up to ``layer``.

    They are of a network and of the same network with random weights. The layers are those of
    ``depth_layers``. B_max is the default, in proportion to the edges. What structureless maps of the same
    size give is subtracted, because that falls with the size of the maps by itself: 0 is chance. ``images``
    are (n, H, W, 3), as the network takes them; ``seed`` is of the random weights.
    """
    keras.utils.set_random_seed(1 + seed)
    graph = flat_graph(model)
    names = depth_layers(graph, layer)
    untrained = flat_graph(keras.models.clone_model(model))
    chance = np.array([_chance_entropy(graph, name, len(images)) for name in names])
    whole, untrained_whole = (_mean_entropies(net, names, images) for net in (graph, untrained))
    trained, random = (np.array(found) - chance for found in (whole, untrained_whole))
    return {
        "by chance": chance,
        "by layer, trained": trained,
        "by layer, random": random,
        "tau": float(kendalltau(range(len(names)), trained).statistic),
        "studied layer, trained": trained[-1],
        "studied layer, random": random[-1],
        "fall, trained": trained[0] - trained[-1],
        "fall, random": random[0] - random[-1],
    }


def _chance_entropy(graph: FlatGraph, layer: str, n_images: int) -> float:
    return null_entropy(int(graph.calls[layer][0].shape[1]), n_images)[0]


def _mean_entropies(graph: FlatGraph, layers, images) -> list[float]:
    """Mean H of each layer, from one forward pass over a few images at a time.

    VGG16's maps of all layers take 55 MB an image.
    """
    head = keras.Model(graph.entry, [graph.calls[layer][0] for layer in layers])
    few = max(1, fitting_batch(images.shape) // 4)
    blocks = (
        [
            keras.ops.convert_to_numpy(maps)
            for maps in keras.tree.flatten(head(images[i : i + few], training=False))
        ]
        for i in range(0, len(images), few)
    )
    births = zip(*([birth_points(maps) for maps in block] for block in blocks), strict=True)
    return [float(np.nanmean(feature_entropy(np.concatenate(parts)))) for parts in births]


def scale_claim(split: SplitModel, images, others, b_max=None) -> dict[str, object]:
    """Numbers of C46: what halving kernel and bias of the layer does to its units, and what halved images do.

    H is in nats. A network that standardises its images does not see that they are halved: what follows the
    standardisation is halved then, so that the network could behave otherwise. Where the units have no
    filters the claim gets a reason instead.

    Parameters
    ----------
    split : SplitModel
    images, others : (n, H, W, 3), (m, H, W, 3)
        Images of the class and of other classes, as the network takes them.
    b_max : number, optional
        The bound on births (Def. 2).
    """
    if not from_filters(split.graph, split.layer):
        return {"reason": "no one convolution makes the maps, so the units have no filters"}
    halved = split_model(halved_weights(split.model, split.layer), split.layer)
    maps, small = split.feature_maps(images), halved.feature_maps(images)
    dim = _dimmed_maps(split, images)
    entropy, same, dark = (feature_entropy(birth_points(m, b_max)) for m in (maps, small, dim))
    norms = [filter_l1(side.model, side.layer).mean() for side in (split, halved)]
    selectivity = [
        np.abs(class_selectivity(m, side.feature_maps(others))).mean()
        for m, side in ((maps, split), (small, halved))
    ]
    mean, by_weights, by_images = (float(np.nanmean(h)) for h in (entropy, same, dark))
    return {
        "change by weights": by_weights / mean - 1,
        "change by images": by_images / mean - 1,
        "units": len(entropy),
        "units changed": int((~np.isclose(entropy, same, rtol=0, atol=1e-12, equal_nan=True)).sum()),
        "mean H": mean,
        "halved weights": by_weights,
        "halved images": by_images,
        "ratio of L1": norms[1] / norms[0],
        "ratio of mean activation": mean_activation(small).mean() / mean_activation(maps).mean(),
        "ratio of mean activation, images": mean_activation(dim).mean() / mean_activation(maps).mean(),
        "ratio of selectivity": selectivity[1] / selectivity[0],
    }


def _dimmed_maps(split, images):
    """Maps of halved images; of halved standardised images where the network standardises them."""
    standard = [
        path for path, layer in split.graph.layers.items() if isinstance(layer, PerImageStandardization)
    ]
    if not standard:
        return split.feature_maps(images.astype(np.float32) / 2)
    inside, outside = (split.graph.calls[path][0] for path in (standard[0], split.layer))
    given = keras.Model(split.graph.entry, inside).predict(images, verbose=0, batch_size=64)
    return keras.Model(inside, outside).predict(given / 2, verbose=0, batch_size=64)


def halved_weights(model, layer: str):
    """A copy of a network with kernel and bias of the convolution that makes the maps of ``layer`` halved.

    A batch normalisation behind the convolution gets half its mean and half its shift, so that its output is
    halved, too: as if it were folded into the convolution.
    """
    copy = keras.models.clone_model(model)
    copy.set_weights(model.get_weights())
    operations = from_filters(flat_graph(copy), layer)
    if not operations:
        raise ValueError(
            f"no one convolution makes the maps of '{layer}'; name a Conv2D layer or one behind it"
        )
    for weight in [*operations[0].weights, *_shifts(operations)]:
        weight.assign(weight / 2)
    return copy


def _shifts(operations) -> list:
    """The means and shifts of the batch normalisations among some layers."""
    found = [layer for layer in operations if isinstance(layer, keras.layers.BatchNormalization)]
    return [weight for layer in found for weight in (layer.moving_mean, layer.beta) if weight is not None]
