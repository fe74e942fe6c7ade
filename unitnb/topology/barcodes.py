"""Barcodes: the numbers of edges between which each hole of one map is open (Sec. 2.1), through GUDHI.

A Betti curve counts the bars over each point; the birth point is where the first bar begins.
"""

import numpy as np

from ._checks import checked_map
from .births import edges_present, first_hole, flag_filtration, level_edges

__all__ = ["barcode", "hole_at"]


def barcode(fmap, k=1):
    """The k-th barcode of one map over its filtration (Eq. 3), in edges present.

    Parameters
    ----------
    fmap : (n, n) float
        One feature map.
    k : int
        Degree: 0 for connected components, 1 for holes.

    Returns
    -------
    (bars, 2) float64
        Edges present when the bar begins (0 for the vertices) and when it ends, sorted. The end is infinity
        for a bar that lasts to the map's last positive value. Bars that begin and end at one level are left
        out.

    Raises
    ------
    ValueError
        If the map is not one square finite map.

    >>> barcode(np.diag([9.0, 8, 7], 1) + np.diag([6.0], 3))
    array([[ 4., inf]])
    """
    fmap = checked_map(fmap)
    level, edges = level_edges(fmap)
    tree = flag_filtration(level, edges, len(fmap), k + 1)
    levels = tree.persistence_intervals_in_dimension(k).reshape(-1, 2)
    present = np.append(np.r_[0.0, edges_present(fmap)], np.inf)
    bars = present[np.where(np.isfinite(levels), levels, len(present) - 1).astype(int)]
    return bars[np.lexsort(bars.T[::-1])]


def hole_at(fmap, v):
    """The first hole of one map (n, n), where it is open with ``v`` edges present.

    Returns
    -------
    tuple of int
        Vertices in order; () before the birth and once the hole is filled.

    Raises
    ------
    ValueError
        If the map is not one square finite map.

    >>> square = np.diag([9.0, 8, 7], 1) + np.diag([6.0], 3) + np.diag([5.0, 0], 2)
    >>> hole_at(square, 3), hole_at(square, 4), hole_at(square, 5)
    ((), (0, 1, 2, 3), ())
    """
    bars = barcode(fmap)
    if not len(bars):
        return ()
    birth = bars[0, 0]
    # The hole is one of those born together, and any of them may be filled first.
    filled = bars[bars[:, 0] == birth, 1].min()
    return first_hole(fmap) if birth <= v < filled else ()
