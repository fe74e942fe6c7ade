"""Null model of the birth point: maps of independent continuous noise.

The edges of such a map enter in uniformly random order, whatever the distribution of the noise, so the birth
depends on n alone. ``write_table()`` makes the table beside this file again, to the bit: DRAWS graphs for
each of SIZES, seeds from SEED up.
"""

import functools
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from ._checks import MAX_VERTICES

TABLE = Path(__file__).with_name("null_births.npz")
DRAWS, BLOCK, SEED = 2_000_000, 10_000, 0
SIZES = (*range(2, 65), 112, 224)
FEWER_DRAWS = 200_000  # for a size that is not in the table


def null_births(n, index="edges"):
    """Distribution of the birth point of an n x n map of independent continuous noise, without b_max.

    Parameters
    ----------
    n : int
        Rows of the map, 2 to 256. The sizes in SIZES come from a stored table of 2,000,000 draws each, others
        from 200,000 draws made now.
    index : "edges" or "level"
        The same distribution: such noise has no ties.

    Returns
    -------
    (v_max + 1,) float64
        p[v] is the probability of a birth at v; p[0] that there is none. Sums to 1; p[1] to p[3] are 0.
        p[4] estimates 3 C(n, 4) / C(C(n, 2), 4), the one value with a short formula.

    Raises
    ------
    ValueError
        If ``n`` or ``index`` is not one of the above.

    >>> p = null_births(14)
    >>> round(float(p @ np.arange(p.size)), 1)  # mean birth: 11.64
    11.6
    """
    if index not in ("edges", "level"):
        raise ValueError(f"index is {index!r}; expected 'edges' or 'level'")
    if not (isinstance(n, int | np.integer) and 2 <= n <= MAX_VERTICES):
        raise ValueError(
            f"n is {n!r}; expected the rows of a square map, a whole number from 2 to {MAX_VERTICES}"
        )
    counts = stored_counts()[n] if n in SIZES else simulated_counts(int(n))
    return counts / counts.sum()


@functools.cache
def stored_counts():
    """By size n, how many of DRAWS random graphs are born at v = 0, 1, ...: the stored table."""
    with np.load(TABLE) as table:
        sizes = zip(table["n"], table["counts"], strict=True)
        return {int(n): np.trim_zeros(counts, "b") for n, counts in sizes}


@functools.cache
def simulated_counts(n, draws=FEWER_DRAWS, seed=SEED):
    """How many of ``draws`` random graphs on n vertices are born at v = 0, 1, ...

    Block b of 10,000 draws has the seed ``seed + b``, so the counts do not depend on the number of threads.
    """
    from ._graphs import random_births

    with ThreadPoolExecutor() as pool:
        births = pool.map(lambda block: random_births(n, BLOCK, seed + block), range(draws // BLOCK))
        return np.bincount(np.concatenate(list(births)))


def write_table():
    """Make the stored table anew; it takes hours."""
    counts = [simulated_counts(n, DRAWS) for n in SIZES]
    width = max(map(len, counts))
    padded = np.array([np.pad(c, (0, width - len(c))) for c in counts], np.int32)
    np.savez_compressed(TABLE, n=np.array(SIZES), counts=padded)
