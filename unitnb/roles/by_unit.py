"""Roles as properties of units: what a unit brings on average, whatever is there before it (beside Sec. 3.6).

A role by place depends on one order of insertion. Here each unit enters after many random sets of others.
"""

import numpy as np

from ..units.intervals import Z_95
from .by_place import ROLES, ROUNDING, role_codes


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
