"""Barcodes: from which number of edges to which each hole of one map lasts (Sec. 2.1), through GUDHI.

A Betti curve counts the bars over each point; the birth point is where the first bar begins.
"""

import numpy as np

from .births import checked_map, edges_present, first_hole, flag_filtration, level_edges

__all__ = ["barcode", "hole_at"]


def barcode(fmap, k=1):
    """The k-th barcode of one map over its filtration (Eq. 3), in edges present.

    Parameters
    ----------
    fmap : (n, n) float
        One feature map.
    k : int
        Degree: 0 for components, 1 for holes.

    Returns
    -------
    (bars, 2) float64
        Edges present when the bar begins (0 for the vertices) and when it is over; infinity for one that lasts to the map's last
        positive value. Sorted; bars that would begin and end with the same edges are none.

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
    """Vertices, in order, of the map's first hole where it is open with ``v`` edges present; () before its birth and once it is filled.

    >>> square = np.diag([9.0, 8, 7], 1) + np.diag([6.0], 3) + np.diag([5.0, 0], 2)
    >>> hole_at(square, 3), hole_at(square, 4), hole_at(square, 5)
    ((), (0, 1, 2, 3), ())
    """
    bars = barcode(fmap)
    if not len(bars):
        return ()
    birth = bars[0, 0]
    filled = bars[
        bars[:, 0] == birth, 1
    ].min()  # the hole drawn is one of those born at once; any of them may be filled first
    return first_hole(fmap) if birth <= v < filled else ()
