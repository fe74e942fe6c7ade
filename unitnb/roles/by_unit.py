"""Roles as properties of units: what a unit brings on average, whatever is there before it (beside Sec. 3.6).

A role by place depends on one order of insertion. Here each unit enters after many random sets of others.
"""

import numpy as np

from ..units.intervals import Z_95, standard_error
from .by_place import ROLES, ROUNDING, checked_order, role_codes


def marginal_effects(orders, accuracies):
    """Mean change of accuracy that each unit brings when it enters a layer that is filled in random order.

    effect_j = mean over the orders of A(units before j, and j) - A(units before j), the Shapley value by
    sampling. All effects add up to the mean of A(all units) - A(none).

    Parameters
    ----------
    orders, accuracies : (r, u) int, (r, u + 1) float
        Random orders of insertion, r >= 2, and the insertion curve of each; any metric will do.

    Returns
    -------
    mean, standard_error : (u,) float64
        The standard error of the mean is over the orders; the choice of the images is not in it.

    Raises
    ------
    ValueError
        If shapes do not match, an order is not a permutation, or there are fewer than two orders.

    >>> marginal_effects([[0, 1], [1, 0]], [[0, 0.5, 0.75], [0, 0.5, 0.75]])
    (array([0.375, 0.375]), array([0.125, 0.125]))
    """
    orders, accuracies = np.asarray(orders), np.asarray(accuracies, float)
    if orders.ndim != 2 or len(orders) < 2 or accuracies.shape != (orders.shape[0], orders.shape[1] + 1):
        shapes = f"orders have shape {orders.shape} and accuracies {accuracies.shape}"
        raise ValueError(f"{shapes}; expected (r, u) and (r, u + 1), r >= 2")
    places = np.argsort([checked_order(order) for order in orders], axis=1)
    effects = np.take_along_axis(np.diff(accuracies, axis=1), places, axis=1)
    return effects.mean(axis=0), standard_error(effects)


def roles_from_marginals(train, test, z=Z_95):
    """Roles of units by their own mean effects, with the signs of :func:`categorise_roles`.

    A unit's place in one order plays no part.
    ``train`` and ``test`` are (mean, standard_error), each (u,), of :func:`marginal_effects`. An effect up to
    ``z`` standard errors counts as 0. Returns (u,) str, each one of ROLES.

    >>> error = [0.01] * 4
    >>> roles_from_marginals(([0.1, 0.1, 0, -0.1], error), ([0, -0.1, 0.1, 0], error)).tolist()
    ['core', 'overfitted', 'generalizing', 'confusing']
    """
    signs = [
        np.sign(mean) * (np.abs(mean) > z * np.asarray(error) + ROUNDING) for mean, error in (train, test)
    ]
    return np.array(ROLES)[role_codes(*signs)]


def role_agreement(first, second) -> tuple[float, float]:
    """Share of units with the same role in both, and Cohen's kappa, the agreement beyond chance.

    Kappa is NaN if there is one role only.
    ``first`` and ``second`` are (u,) str, each one of ROLES.

    >>> role_agreement(["core", "core", "confusing", "confusing"], ["core", "core", "confusing", "core"])
    (0.75, 0.5)
    """
    codes = [np.array([ROLES.index(role) for role in roles]) for roles in (first, second)]
    if len(codes[0]) != len(codes[1]):
        raise ValueError(f"roles of {len(codes[0])} and of {len(codes[1])} units; give the same layer")
    same = float((codes[0] == codes[1]).mean())
    chance = float(
        np.prod([np.bincount(code, minlength=len(ROLES)) / len(code) for code in codes], axis=0).sum()
    )
    return same, (same - chance) / (1 - chance) if chance < 1 else float("nan")
