"""Stability and roles, timed: compiled counting against a plain NumPy loop, and the bootstrap of the role
rule.
"""

import os
import platform
import time

import numba
import numpy as np

from unitnb.roles.by_place import categorise_roles
from unitnb.units.entropy import effectiveness, importance_rank
from unitnb.units.stability import SET_SIZES, stability_table, stability_votes
from unitnb.units.votes import TOP, draw_sets

POOL, UNITS, N_SETS = 1000, 512, 100
LITERAL_SETS = 4  # sets of each size that the plain loop is timed on


def births_of(n_images, n_units, seed=0):
    rng = np.random.default_rng(seed)
    place, spread, rate = (
        rng.uniform(6, 20, n_units),
        rng.uniform(0.2, 4, n_units),
        rng.uniform(0.02, 1, n_units),
    )
    births = np.clip(np.rint(place + spread * rng.standard_normal((n_images, n_units))), 4, 50).astype(
        np.int16
    )
    return np.where(rng.random(births.shape) < rate, births, 0)


def insertion_outcomes(n_images, seed):
    """Images that pass as the units' contributions add up: a few strong units first, then many weak ones."""
    rng = np.random.default_rng(seed)
    effect = np.r_[np.full(20, 0.15), np.full(UNITS - 20, -0.002)]
    margins = np.cumsum(effect[:, None] + 0.08 * rng.standard_normal((UNITS, n_images)), axis=0)
    return np.concatenate([np.zeros((1, n_images)), margins]) > 1.2


def plain_entropy(column):
    counts = np.unique(column[column > 0], return_counts=True)[1]
    share = counts / counts.sum()
    return -(share * np.log(share)).sum()


def plain_effectiveness(births, p=0.1):
    rate = (births > 0).mean(axis=0)
    with np.errstate(divide="ignore"):
        return np.array(
            [r / abs(plain_entropy(c)) if r >= p else 0 for r, c in zip(rate, births.T, strict=True)]
        )


def voted(births, size, n_sets, score):
    votes = np.zeros(births.shape[1], np.int64)
    for images in draw_sets(len(births), size, n_sets):
        votes[importance_rank(score(births[images]))[:TOP]] += 1
    return votes


def seconds(function):
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def main():
    births = births_of(POOL, UNITS)
    stability_table(births, set_sizes=(50,), n_sets=2)  # compiles
    compiled = seconds(lambda: [stability_votes(births, size, N_SETS) for size in SET_SIZES])
    table = seconds(lambda: stability_table(births))
    loops = {
        "NumPy loop over sets and units": plain_effectiveness,
        "loop over sets with `effectiveness`": effectiveness,
    }
    train, test = insertion_outcomes(100, 1), insertion_outcomes(50, 2)
    roles = seconds(lambda: categorise_roles(np.arange(UNITS), train, test, n_boot=200))
    versions = f"Python {platform.python_version()}, NumPy {np.__version__}, Numba {numba.__version__}"
    print(f"{platform.machine()}, {os.cpu_count()} cores, {versions}\n")
    print(
        f"| {len(SET_SIZES)} set sizes x {N_SETS} sets x {UNITS} units, {POOL} images | seconds | ratio "
        "|\n|---|---|---|"
    )
    print(f"| `stability_votes`, all sizes | {compiled:.2f} | 1 |")
    print(f"| `stability_table` (votes, ratio, agreement) | {table:.2f} | {table / compiled:.1f} |")
    for name, score in loops.items():
        loop = (
            seconds(lambda score=score: [voted(births, size, LITERAL_SETS, score) for size in SET_SIZES])
            * N_SETS
            / LITERAL_SETS
        )
        print(f"| {name} (timed on {LITERAL_SETS} sets a size) | {loop:.2f} | {loop / compiled:.1f} |")
    print(f"| `categorise_roles`, 100 + 50 images, 200 bootstraps | {roles:.2f} | |")


if __name__ == "__main__":
    main()
