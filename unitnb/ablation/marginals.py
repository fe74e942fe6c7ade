"""What a unit brings on average, whatever is there before it: Shapley values by sampled orders."""

import numpy as np

from ..units.intervals import standard_error
from .checks import check_order
from .cumulative import ablation_curves


def marginal_effects(orders, accuracies, points=None):
    """Mean change of accuracy that each unit brings when it enters a layer that is filled in random order.

    effect_j = mean over the orders of A(units before j, and j) - A(units before j), the Shapley value by
    sampling. All effects add up to the mean of A(all units) - A(none).

    Parameters
    ----------
    orders, accuracies : (r, u) int, (r, u + 1) float
        Random orders of insertion, r >= 2, and the insertion curve of each; any metric will do.
    points : (q,) int, optional
        The points at which filled curves were evaluated, their ``evaluated``, q >= 3; None: all. What the
        other units of a stretch between two points bring on average is taken off: without bias as long as
        units of a stretch do not act together, but with a larger error.

    Returns
    -------
    mean, standard_error : (u,) float64
        The standard error of the mean is over the orders; the choice of the images is not in it.

    Raises
    ------
    ValueError
        If shapes do not match, an order is not a permutation, or there are fewer than two orders or three
        points.

    >>> marginal_effects([[0, 1], [1, 0]], [[0, 0.5, 0.75], [0, 0.5, 0.75]])
    (array([0.375, 0.375]), array([0.125, 0.125]))
    """
    orders, accuracies = np.asarray(orders), np.asarray(accuracies, float)
    if orders.ndim != 2 or len(orders) < 2 or accuracies.shape != (orders.shape[0], orders.shape[1] + 1):
        shapes = f"orders have shape {orders.shape} and accuracies {accuracies.shape}"
        raise ValueError(f"{shapes}; expected (r, u) and (r, u + 1), r >= 2")
    places = np.argsort([check_order(order, orders.shape[1]) for order in orders], axis=1)
    changes = np.diff(accuracies, axis=1) if points is None else _own_changes(accuracies, points)
    effects = np.take_along_axis(changes, places, axis=1)
    return effects.mean(axis=0), standard_error(effects)


def _own_changes(accuracies, points):
    """What the unit at each place brings (r, u), from the change of its stretch between two points.

    A stretch of k units brings that of the unit and (k - 1) / (u - 1) of what all other units bring.
    """
    if len(points) < 3:
        raise ValueError(f"{len(points)} points of a curve; effects of single units need at least three")
    units, lengths = points[-1], np.diff(points)
    k, total = np.repeat(lengths, lengths), accuracies[:, -1:] - accuracies[:, :1]
    together = k * np.diff(accuracies, axis=1)  # the same for all of a stretch, on a straight line
    return ((units - 1) * together - (k - 1) * total) / (units - k)


def neuron_shapley(split, maps, labels, orders) -> np.ndarray:
    """Shapley value of each unit for the accuracy on ``maps``, by sampling, (units,) in accuracy.

    The mean change of accuracy when a unit enters a layer that is filled in each of ``orders`` (Ghorbani &
    Zou, *Neuron Shapley*, NeurIPS 2020, without their truncation and bandit). The values add up to the
    accuracy of the whole layer minus that of the empty one.

    Parameters
    ----------
    split : SplitModel
    maps : (n, h, w, u)
    labels : (n,) int, or one int for all
    orders : (r, u) int
        Random orders, r >= 2; an order and its reverse together vary less than two drawn alone.

    Raises
    ------
    ValueError
        As ``ablation_curves`` and ``marginal_effects``.
    """
    curves = ablation_curves(split, maps, labels, orders, "insert")
    return marginal_effects(orders, [curve.accuracy for curve in curves])[0]
