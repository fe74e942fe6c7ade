"""What the claims about importance, classes, depth and scale are judged by: numbers by name, ready for ``record_claims``."""

from collections.abc import Mapping

import keras
import numpy as np
from scipy.stats import kendalltau, spearmanr

from ..controls.comparison import differences, paired_bootstrap, partial_spearman
from ..controls.experiments import on_set
from ..controls.scores import CAUSAL, PAPER, class_selectivity, filter_l1, mean_activation
from ..networks.batches import fitting_batch
from ..networks.split import convolutions, split_model
from ..topology.births import birth_points
from ..units.entropy import feature_entropy, selective_rate

MAGNITUDES = {
    "L1": "L1 of the filter",
    "APoZ": "APoZ",
    "mean activation": "mean activation",
}  # that the paper names, Sec. 1


# ---- importance, classes, core ----


def importance_claim(results: Mapping, p=0.1, n_boot=500, seed=0) -> dict[str, object]:
    """C05: in how many classes 1/H goes with single ablation (``results[class]`` of ``class_result``), plainly and given the rate."""
    lows = np.array([_importance_lows(result, p, n_boot, seed) for result in results.values()])
    names = ("E", "rate", "1/H", "1/H given the rate")
    medians = {
        f"median rho of {name}": float(np.median([result.correlations[name] for result in results.values()]))
        for name in names
    }
    above = (lows > 0).sum(axis=0)
    return {
        "classes": len(lows),
        "classes above 0": int(above[0]),
        "classes above 0 given the rate": int(above[1]),
        **medians,
    }


def _importance_lows(result, p, n_boot, seed):
    rate, entropy = selective_rate(result.births), feature_entropy(result.births)
    kept = (rate >= p) & (entropy > 0)
    columns = np.stack([1 / entropy[kept], result.scores[CAUSAL][kept], rate[kept]])
    rng = np.random.default_rng(seed)
    draws = [columns[:, rng.integers(columns.shape[1], size=columns.shape[1])] for _ in range(n_boot)]
    values = [(spearmanr(x, y).statistic, partial_spearman(x, y, given)) for x, y, given in draws]
    return np.nanquantile(values, 0.025, axis=0)


def rivals_claim(results: Mapping) -> dict[str, float]:
    """C43: area of E minus that of each rival of magnitude, and its 95% interval."""
    found = {}
    for name, rival in MAGNITUDES.items():
        areas = differences(on_set(results, "test"), PAPER, rival)
        found[name], found[f"low, {name}"], found[f"high, {name}"] = paired_bootstrap(areas)
    return found


def class_claim(correlations, damage, n_boot=2000, seed=0) -> dict[str, object]:
    """C42, from the two matrices of Fig. 5D: own class minus the others, mean over classes, intervals over resampled classes."""
    rng = np.random.default_rng(seed)
    found = {}
    for name, matrix in (("correlation", np.asarray(correlations)), ("damage", np.asarray(damage))):
        n = len(matrix)
        own, others = np.diag(matrix), (matrix.sum(axis=1) - np.diag(matrix)) / (n - 1)
        gain = own - others
        low, high = np.quantile(rng.choice(gain, (n_boot, n)).mean(axis=1), (0.025, 0.975))
        found |= {name: gain.mean(), f"low, {name}": low, f"high, {name}": high}
    return found


def core_claim(runs: Mapping[str, tuple]) -> dict[str, float]:
    """C41: share of the units at the largest training accuracy, for models A and B; ``runs[model]`` begins with the training curve."""
    if missing := {"A", "B"} - set(runs):
        return {"reason": f"model {' and '.join(sorted(missing))} is not trained"}
    return {model: runs[model][0].peak()[0] / len(runs[model][0].order) for model in ("A", "B")}


# ---- the later paper ----


def depth_claim(model, layer: str, images, seed=0) -> dict[str, object]:
    """C45: mean H (nats) over the units of each convolution up to ``layer``, of a network and of the same with random weights.

    B_max is the default, in proportion to the edges.
    """
    keras.utils.set_random_seed(1 + seed)
    names = convolutions(model)
    names = names[: names.index(layer) + 1]
    trained, random = (
        _mean_entropies(net, names, images) for net in (model, keras.models.clone_model(model))
    )
    return {
        "by layer, trained": trained, "by layer, random": random, "tau": float(kendalltau(range(len(names)), trained).statistic),
        "studied layer, trained": trained[-1], "studied layer, random": random[-1],
        "fall, trained": trained[0] - trained[-1], "fall, random": random[0] - random[-1],
    }  # fmt: skip


def _mean_entropies(model, layers, images) -> list[float]:
    """Of each layer, from one forward pass, a few images at a time: VGG16's maps of all layers take 55 MB an image."""
    head = keras.Model(model.inputs[0], [model.get_layer(layer).output for layer in layers])
    few = max(1, fitting_batch(images.shape) // 4)
    blocks = (
        [keras.ops.convert_to_numpy(maps) for maps in head(images[i : i + few])]
        for i in range(0, len(images), few)
    )
    births = zip(*([birth_points(maps) for maps in block] for block in blocks), strict=True)
    return [float(np.nanmean(feature_entropy(np.concatenate(parts)))) for parts in births]


def scale_claim(split, images, others, b_max=None) -> dict[str, float]:
    """C46: what halving kernel and bias of the layer does to its units, and what halved images do.

    ``images`` are of the class and ``others`` of other classes, both as the network takes them.
    """
    halved = split_model(halved_weights(split.model, split.layer), split.layer)
    maps, small, dim = (
        side.feature_maps(x)
        for side, x in ((split, images), (halved, images), (split, images.astype(np.float32) / 2))
    )
    entropy, same, dark = (feature_entropy(birth_points(m, b_max)) for m in (maps, small, dim))
    norms = [filter_l1(side.model, side.layer).mean() for side in (split, halved)]
    selectivity = [
        np.abs(class_selectivity(m, side.feature_maps(others))).mean()
        for m, side in ((maps, split), (small, halved))
    ]
    return {
        "units": len(entropy), "units changed": int((~np.isclose(entropy, same, rtol=0, atol=1e-12, equal_nan=True)).sum()),
        "mean H": np.nanmean(entropy), "halved weights": np.nanmean(same), "halved images": np.nanmean(dark),
        "ratio of L1": norms[1] / norms[0], "ratio of mean activation": mean_activation(small).mean() / mean_activation(maps).mean(),
        "ratio of selectivity": selectivity[1] / selectivity[0],
    }  # fmt: skip


def halved_weights(model, layer: str):
    """A copy of a network with kernel and bias of one layer halved."""
    copy = keras.models.clone_model(model)
    copy.set_weights(model.get_weights())
    changed = copy.get_layer(layer)
    changed.set_weights([weights / 2 for weights in changed.get_weights()])
    return copy
