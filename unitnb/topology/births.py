"""Birth points of feature maps (Sec. 2.1-2.2): the fast exact rule, and Betti curves through GUDHI.

A square map F is a weighted graph on its n rows (= columns). Edge (i, j) has the weight
F_s(i, j) = max(|F(i, j)|, |F(j, i)|) (Eq. 9); the diagonal is ignored. All n vertices are there from the
start. Edges enter in descending weight, equal weights together, and beta_k of the clique complex is judged
after each such level. Zeros never enter: their level would complete the graph and close every hole.
"""

import math

import numpy as np

from ._checks import checked_map, checked_maps, edge_bound, raise_not_finite
from ._cycles import shortest_open_cycle


def symmetrize(maps):
    """F_s = max(|F|, |F^T|) (Eq. 2, 9) of one map (n, n) or of a batch (images, n, n, units).

    >>> symmetrize(np.array([[5.0, 1.0], [-3.0, 0.0]]))
    array([[5., 3.],
           [3., 0.]])
    """
    size = np.abs(maps)
    return np.maximum(size, np.swapaxes(size, *((0, 1) if size.ndim == 2 else (1, 2))))


def birth_points(maps, b_max=None, index="edges", k=1):
    """Birth point of the k-th Betti curve of every feature map, B = inf{v : beta_k(v) != 0} (Def. 2, Eq. 4).

    Parameters
    ----------
    maps : (n_images, n, n, n_units) float16, float32 or float64, 2 <= n <= 256
        Feature maps, channels last. Integers are taken as floats. Negative values count by |F|.
    b_max : number, optional
        Births above it do not exist. Default: round(50/91 * n(n-1)/2), the paper's 50 at n = 14.
        ``math.inf`` is no bound.
    index : "edges" or "level"
        What v counts: the edges present, or the distinct positive values so far. Both are equal where no
        two edges tie.
    k : int
        Degree. 1 is compiled (about a microsecond for a 14x14 map). 2 and up go through GUDHI (about a
        millisecond).

    Returns
    -------
    (n_images, n_units) int16
        1-based; 0 where a map has no birth. In edges a birth is at least 2k(k + 1): 4 for k = 1.

    Raises
    ------
    ValueError
        If the maps are empty, not square or not finite (the text names image and unit), or an argument is
        not one of the above.

    >>> square = np.zeros((1, 4, 4, 1))
    >>> square[0, [0, 1, 2, 3], [1, 2, 3, 0], 0] = [9, 8, 7, 7]
    >>> birth_points(square, b_max=6), birth_points(square, b_max=6, index="level")
    (array([[4]], dtype=int16), array([[3]], dtype=int16))
    """
    maps = checked_maps(maps)
    if index not in ("edges", "level"):
        raise ValueError(f"index is {index!r}; expected 'edges' or 'level'")
    if not (isinstance(k, int | np.integer) and k >= 1):
        raise ValueError(f"k is {k!r}; expected a whole number from 1 up (1 is the paper's)")
    bound = edge_bound(maps.shape[1], b_max)
    if k > 1:
        return births_by_homology(maps, bound, index, k)
    from ._kernel import births_of  # here, because Numba takes a second to import

    births = births_of(maps, bound, index == "level")
    if births.min() < 0:
        raise_not_finite(births < 0)
    return births


def level_edges(fmap, levels=None):
    """Positive edges of one map (n, n) in entering order, all or those of the first ``levels`` levels.

    Returns the level (m,) of each, from 1 up, and its vertices (m, 2) with i < j. Ties are ordered by row.
    """
    rows, columns = np.triu_indices(len(fmap), 1)
    weight = symmetrize(np.asarray(fmap))[rows, columns]
    order = np.argsort(-weight, kind="stable")
    order = order[weight[order] > 0]
    level = np.cumsum(np.diff(weight[order], prepend=np.inf) != 0)
    keep = order[: None if levels is None else np.searchsorted(level, levels, side="right")]
    return level[: len(keep)], np.stack([rows[keep], columns[keep]], axis=1)


def edges_present(fmap):
    """Number of edges present at each level of one map (n, n), (n_levels,) int: the x-axis of Fig. 2.

    ValueError if the map is not one square finite map.
    """
    level, _ = level_edges(checked_map(fmap))
    return np.cumsum(np.bincount(level)[1:])


def top_edges(fmap, v):
    """Edges (m, 2), i < j, present at the v-th level (v from 1) of one map, in entering order (Fig. 1).

    Ties are ordered by row. ValueError if the map is not one square finite map.
    """
    return level_edges(checked_map(fmap), v)[1]


def top_set(fmap, v):
    """Edges (m, 2) of the largest top set of one map with at most ``v`` edges (Fig. 1).

    It has ``v`` edges where none of them tie. ValueError if the map is not one square finite map.
    """
    return top_edges(fmap, np.searchsorted(edges_present(fmap), v, side="right"))


def flag_filtration(level, edges, n, dimension):
    """GUDHI's clique complex up to ``dimension``, with its persistence over Z_2.

    An edge enters at its level, a vertex at 0.
    """
    import gudhi

    tree = gudhi.SimplexTree()
    tree.insert_batch(np.arange(n)[None], np.zeros(n))
    tree.insert_batch(edges.T, level.astype(float))
    tree.expansion(dimension)
    # Without persistence_dim_max a graph without triangles would have no beta_1.
    tree.compute_persistence(homology_coeff_field=2, persistence_dim_max=True)
    return tree


def betti_curves(fmap, k_max=1):
    """Betti curves beta_0 ... beta_k_max of one map over its filtration (Eq. 3), by GUDHI.

    Parameters
    ----------
    fmap : (n, n) float
        One feature map.
    k_max : int
        Highest degree. Cliques of up to k_max + 2 vertices are built, so the cost grows fast.

    Returns
    -------
    levels : (n_levels,) float
        The distinct positive values of F_s off the diagonal, descending; empty for a map without any.
    betti : (n_levels, k_max + 1) int
        Row v - 1 holds the Betti numbers once all edges of the v-th value and above are in. beta_0 counts
        bare vertices too. The zeros of the map would come last and are left out: with them the complex is one
        simplex.

    Raises
    ------
    ValueError
        If the map is not one square finite map.

    >>> levels, betti = betti_curves(np.diag([9.0, 8, 7], 1) + np.diag([6.0], 3))
    >>> betti.tolist()
    [[3, 0], [2, 0], [1, 0], [1, 1]]
    """
    fmap = checked_map(fmap)
    level, edges = level_edges(fmap)
    n_levels = level[-1] if level.size else 0
    tree = flag_filtration(level, edges, len(fmap), k_max + 1)
    change = np.zeros((n_levels + 2, k_max + 1), int)
    for k in range(k_max + 1):
        bars = tree.persistence_intervals_in_dimension(k).reshape(-1, 2)
        birth, death = np.minimum(bars, n_levels + 1).astype(int).T
        np.add.at(change[:, k], birth, 1)
        np.add.at(change[:, k], death, -1)
    first = np.unique(level, return_index=True)[1]
    return symmetrize(fmap)[tuple(edges[first].T)], change.cumsum(axis=0)[1:-1]


def births_by_homology(maps, bound, index, k):
    """Births (images, units) int16 for any k >= 1 by persistent homology, one map at a time.

    The arguments are those of :func:`birth_points`, already checked. It is the oracle of the compiled rule
    for k = 1.
    """
    births = np.zeros((maps.shape[0], maps.shape[3]), np.int16)
    for image, unit in np.ndindex(births.shape):
        fmap = checked_map(maps[image, :, :, unit])
        level, edges = level_edges(fmap)
        present = np.arange(1, len(level) + 1)[np.diff(level, append=np.inf) > 0]
        counts = present if index == "edges" else np.arange(1, len(present) + 1)
        last = present[: np.searchsorted(counts, bound, side="right")].max(initial=0)
        tree = flag_filtration(level[:last], edges[:last], len(fmap), k + 1)
        born = tree.persistence_intervals_in_dimension(k).reshape(-1, 2)[:, 0]
        if born.size:
            births[image, unit] = counts[int(born.min()) - 1]
    return births


def first_hole(fmap):
    """A shortest cycle of one map (n, n) that bounds nothing at its birth level (k = 1, no b_max).

    Returns its vertices, 0 .. n - 1, in order, four or more; () for a map without a birth. ValueError if the
    map is not one square finite map.

    >>> first_hole(np.diag([9.0, 8, 7], 1) + np.diag([6.0], 3))
    (0, 1, 2, 3)
    """
    fmap = checked_map(fmap)
    level = birth_points(fmap[None, :, :, None], math.inf, "level")[0, 0]
    if level == 0:
        return ()
    return shortest_open_cycle(len(fmap), [(i, j) for i, j in top_edges(fmap, level).tolist()])
