"""Which units to keep in a smaller network: scores of one class and of all, and accuracy by the share kept.

The paper calls its rank a starting point for simplification (abstract) and shows none. Here the E of the
paper and its rivals choose the units, and the network without the others is judged on test images.
"""

import functools
from collections.abc import Collection, Mapping, Sequence

import numpy as np

from ..ablation.causal import taylor
from ..ablation.cumulative import ablation_curves
from ..ablation.curves import Curve, image_areas
from ..ablation.marginals import marginal_effects
from ..topology.births import birth_points
from ..units.entropy import effectiveness, importance_rank, selective_rate
from .scores import apoz, filter_l1, from_filters, inverse_entropy, mean_activation, random_orders

RANDOM = "random orders"
SCORES = ("E", "rate", "1/H", "mean activation", "L1", "APoZ", "Taylor", "Shapley")
MAGNITUDES = ("L1", "APoZ", "mean activation")  # the criteria of magnitude that the paper names (Sec. 1)
SHAPLEY_IMAGES = 50  # of a class, at most, on which Shapley values are sampled
RANDOM_SEED = 1000  # added to a seed, so that no random order of a comparison is one of Shapley's


def usable_scores(split) -> list[str]:
    """The names of ``SCORES`` that the units of a network have; L1 needs one convolution behind them."""
    return [name for name in SCORES if name != "L1" or from_filters(split.graph, split.layer)]


def class_scores(
    split, maps, label, p=0.1, b_max=None, n_orders=20, seed=0, wanted: Collection[str] = SCORES
) -> dict[str, np.ndarray]:
    """Scores of the units on one class, by name, (u,) float64 each; the highest are kept.

    E is the paper's (Eq. 10), *rate* and *1/H* its parts, *Taylor* |gradient x activation|, and *Shapley* the
    mean fall of the loss, in nats, when a unit enters a layer that is filled in random order.

    Parameters
    ----------
    split : SplitModel
    maps : (n, h, w, u)
        Of images of the class.
    label : int
        The class's number in the network's output.
    p, b_max : number
        Of effectiveness and of the birth points.
    n_orders, seed : int
        Of the sampled Shapley values.
    wanted : names of ``SCORES``

    Raises
    ------
    ValueError
        For L1, if no one convolution makes the maps.
    """

    @functools.cache
    def births():
        return birth_points(maps, b_max)

    makers = {
        "E": lambda: effectiveness(births(), p=p),
        "rate": lambda: selective_rate(births()),
        "1/H": lambda: inverse_entropy(births(), p=p),
        "mean activation": lambda: mean_activation(maps),
        "L1": lambda: filter_l1(split.model, split.layer),
        "APoZ": lambda: apoz(maps),
        "Taylor": lambda: taylor(split, maps, label),
        "Shapley": lambda: shapley(split, maps[:SHAPLEY_IMAGES], label, n_orders, seed),
    }
    return {name: makers[name]() for name in wanted}


def shapley(split, maps, label, n_orders=20, seed=0) -> np.ndarray:
    """Mean fall of the loss when each unit enters a layer that is filled in random order, (u,) in nats.

    The Shapley value of minus the mean cross-entropy, sampled with ``n_orders`` orders.
    """
    orders = random_orders(split.n_units, n_orders, seed)
    curves = ablation_curves(split, maps, label, orders, mode="insert")
    return marginal_effects(orders, [-curve.loss for curve in curves])[0]


# ---- from classes to one rank ----


def normalised_rank(scores) -> np.ndarray:
    """Places of the units by a score (u,): 1 for the best, 0 for the last; equal scores share their mean.

    >>> normalised_rank([0.5, np.inf, 0.5]).tolist()
    [0.25, 1.0, 0.25]
    """
    from scipy.stats import rankdata

    return (rankdata(scores) - 1) / max(1, len(scores) - 1)


def overall_score(by_class: Sequence[np.ndarray]) -> np.ndarray:
    """One score (u,) for several classes: the mean of their normalised ranks, 0 to 1.

    The scores themselves have no mean: E may be infinite, and losses and activations of a class have a scale
    of their own. Ranks give each class one vote.

    >>> overall_score([np.array([1.0, 3.0]), np.array([0.0, np.inf]), np.array([9.0, 8.0])]).round(2).tolist()
    [0.33, 0.67]
    """
    return np.mean([normalised_rank(scores) for scores in by_class], axis=0)


def overall_orders(by_class: Mapping[str, Mapping[str, np.ndarray]], classes=None) -> dict[str, list]:
    """For each score one order of the units, best first, for some classes together, by ``overall_score``.

    ``by_class[class]`` is of ``class_scores``; ``classes`` are all by default. Each order is in a list of its
    own, as ``kept_curves`` takes it.
    """
    chosen = [by_class[name] for name in classes or by_class]
    return {name: [importance_rank(overall_score([scores[name] for scores in chosen]))] for name in chosen[0]}


def comparison_orders(n_units, n_orders, seed=0) -> list[np.ndarray]:
    """Random orders to compare with, (u,) each; other ones than those of the Shapley values."""
    return random_orders(n_units, n_orders, seed + RANDOM_SEED)


# ---- accuracy by the share that is kept ----


def kept_curves(
    split, maps, labels, orders: Mapping[str, Sequence], points=None, negatives=None
) -> dict[str, list[Curve]]:
    """Outcomes with the first k units of each order kept and the others set to zero, by name.

    By ``remove_units`` the network without the others gives the same.

    Parameters
    ----------
    split : SplitModel
    maps, labels : (n, h, w, u), and (n,) int or one int for all
    orders : lists of (u,) int, by name, best first
    points : int, optional
        Points of a curve, of all u + 1.
    negatives : (m, h, w, u), optional
        Maps of other classes than the one label: with them the curves have balanced accuracy.
    """
    every = [order for group in orders.values() for order in group]
    curves = iter(
        ablation_curves(split, maps, labels, every, mode="insert", negatives=negatives, points=points)
    )
    return {name: [next(curves) for _ in group] for name, group in orders.items()}


def area_gain(first: Sequence[Curve], second: Sequence[Curve], labels) -> list[list[np.ndarray]]:
    """Per-image area of accuracy of the first curves minus the second's, by class, for ``paired_bootstrap``.

    An area is the mean over the shares of units kept, 0 to 1, and over the curves given. ``labels`` (n,) are
    those of the curves' images.
    """
    each = _image_areas(first) - _image_areas(second)
    return [[each[labels == label]] for label in np.unique(labels)]


def _image_areas(curves: Sequence[Curve]) -> np.ndarray:
    return np.mean([image_areas(curve.correct, curve.points) for curve in curves], axis=0)


def area(curves: Sequence[Curve]) -> float:
    """Mean accuracy over the shares of units kept, 0 to 1, mean over the curves (trapezoids)."""
    return float(_image_areas(curves).mean())


def removable_share(points, accuracy, loss=0.01) -> float:
    """Share of the units that can go, worst first, while accuracy never falls more than ``loss`` below the
    whole layer's.

    Parameters
    ----------
    points, accuracy : (p,), (p,)
        Units kept, ascending to all, and the accuracy with them.

    >>> removable_share(np.array([0, 5, 10]), np.array([0.1, 0.895, 0.9]))
    0.5
    """
    points, accuracy = np.asarray(points), np.asarray(accuracy)
    lost = np.flatnonzero(accuracy < accuracy[-1] - loss - 1e-9)
    first = points[lost[-1] + 1] if len(lost) else points[0]
    return float(1 - first / points[-1])


def kept_accuracy(curves: Sequence[Curve], count: int) -> np.ndarray:
    """Accuracy of each curve with ``count`` units kept, between its points by a straight line."""
    return np.array([np.interp(count, curve.points, curve.accuracy) for curve in curves])


def mean_recall(correct, labels) -> float:
    """Balanced accuracy over several classes: the mean of their recalls.

    >>> mean_recall(np.array([True, True, False]), np.array([0, 0, 1]))
    0.5
    """
    return float(np.mean([np.mean(correct[labels == label]) for label in np.unique(labels)]))
