"""Null model of the birth point: maps of independent continuous noise.

The edges of such a map enter in uniformly random order whatever its distribution, so the birth depends on n alone.
``write_table()`` makes the table beside this file again, to the bit: DRAWS graphs for each of SIZES, seeds from SEED up.
"""

import functools
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

TABLE = Path(__file__).with_name("null_births.npz")
DRAWS, BLOCK, SEED = 2_000_000, 10_000, 0
SIZES = (*range(2, 65), 112, 224)
FEWER_DRAWS = 200_000  # for a size that is not in the table


def null_births(n, index="edges"):
    """Distribution of the birth point of an n x n map of independent continuous noise, without a bound on births.

    Parameters
    ----------
    n : int
        Rows of the map, 2 to 256. Sizes of SIZES come from a stored table of 2,000,000 draws, others from 200,000 draws now.
    index : "edges" or "level"
        The same distribution: such noise has no ties.

    Returns
    -------
    (v_max + 1,) float64
        p[v] is the probability of a birth at v; p[0] that there is none. Sums to 1; p[1] to p[3] are 0.
        p[4] estimates 3 C(n, 4) / C(C(n, 2), 4), the one value with a short formula.

    >>> p = null_births(14)
    >>> round(float(p @ np.arange(p.size)), 1)  # mean birth: 11.64
    11.6
    """
    if index not in ("edges", "level"):
        raise ValueError(f"index is {index!r}; expected 'edges' or 'level'")
    if not (isinstance(n, int | np.integer) and 2 <= n <= 256):
        raise ValueError(
            f"n is {n!r}; expected the number of rows of a square map, a whole number from 2 to 256"
        )
    counts = stored_counts()[n] if n in SIZES else simulated_counts(int(n))
    return counts / counts.sum()


@functools.cache
def stored_counts():
    with np.load(TABLE) as table:
        return {
            int(n): np.trim_zeros(counts, "b") for n, counts in zip(table["n"], table["counts"], strict=True)
        }


@functools.cache
def simulated_counts(n, draws=FEWER_DRAWS, seed=SEED):
    """How many of `draws` random graphs on n vertices are born at v = 0, 1, ...; block b of 10,000 draws has the seed seed + b."""
    from ._graphs import random_births

    with ThreadPoolExecutor() as pool:
        births = pool.map(lambda block: random_births(n, BLOCK, seed + block), range(draws // BLOCK))
        return np.bincount(np.concatenate(list(births)))


def write_table():
    counts = [simulated_counts(n, DRAWS) for n in SIZES]
    width = max(map(len, counts))
    np.savez_compressed(
        TABLE, n=np.array(SIZES), counts=np.array([np.pad(c, (0, width - len(c))) for c in counts], np.int32)
    )
