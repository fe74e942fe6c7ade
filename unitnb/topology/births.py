"""Birth points of feature maps (Sec. 2.1-2.2): the fast exact rule, and Betti curves through GUDHI.

A square map F makes a weighted graph on its n rows (= columns): edge (i, j) weighs F_s(i, j) = max(|F(i, j)|, |F(j, i)|) (Eq. 9),
the diagonal is ignored. Edges enter in descending weight, equal weights together, and beta_k is judged after each such level on the
clique complex. All n vertices are there from the start. Zeros would be the last level, complete the graph and close every
hole, so they never enter.
"""

import functools
import math
import operator

import numpy as np

LARGEST = 256  # 256 * 255 / 2 edges are the most that int16 can count


def symmetrize(maps):
    """F_s = max(|F|, |F^T|) (Eq. 2 and 9) of one map (n, n) or of a batch (images, n, n, units).

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
        Feature maps, channels last. Integers are taken as floats; negative values (a layer without ReLU) count by |F|.
    b_max : number, optional
        Births above it do not exist. Default: round(50/91 * n(n-1)/2), the paper's 50 at n = 14; ``math.inf`` for no bound.
    index : "edges" or "level"
        What v counts: the edges present, or the distinct positive values gone through. Equal where no two edges tie.
    k : int
        Degree. 1 is compiled, about a microsecond for a 14x14 map; 2 and up go through GUDHI, about a millisecond.

    Returns
    -------
    (n_images, n_units) int16
        1-based; 0 where a map has no birth. In edges a birth is at least 2k(k + 1): 4 for k = 1, 12 for k = 2.

    Raises
    ------
    ValueError
        If the maps are empty, not square or not finite (with image and unit), or an argument is not one of the above.

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
    from ._kernel import births_of  # Numba takes a second to import: only those who need it wait

    births = births_of(maps, bound, index == "level")
    if births.min() < 0:
        raise_not_finite(births < 0)
    return births


def checked_maps(maps):
    """The maps as native floats (n_images, n, n, n_units), uncopied where they are already."""
    maps = np.asarray(maps)
    if (
        maps.ndim != 4
        or maps.shape[1] != maps.shape[2]
        or not 2 <= maps.shape[1] <= LARGEST
        or 0 in maps.shape
    ):
        raise ValueError(
            f"maps have shape {maps.shape}; expected (images, n, n, units): at least one image and unit, "
            f"square maps with 2 <= n <= {LARGEST}; resize or crop other maps first"
        )
    if maps.dtype.kind in "biu":
        maps = maps.astype(np.float32 if maps.itemsize <= 2 else np.float64)
    if maps.dtype.kind != "f" or maps.itemsize > 8:
        raise ValueError(
            f"maps are {maps.dtype}; expected float16, float32 or float64 (convert with .astype)"
        )
    return maps.astype(maps.dtype.newbyteorder("="), copy=False)


def edge_bound(n, b_max):
    """Largest birth that counts for n x n maps, a whole number."""
    n_edges = n * (n - 1) // 2
    if b_max is None:
        return round(50 / 91 * n_edges)
    if not b_max >= 1:
        raise ValueError(
            f"b_max is {b_max!r}; expected a number from 1 up, math.inf for no bound, or None for the paper's share of edges"
        )
    return math.floor(min(b_max, n_edges))


def raise_not_finite(broken):
    image, unit = np.argwhere(broken)[0].tolist()
    raise ValueError(
        f"the map of image {image}, unit {unit} holds NaN or infinity, as do {int(broken.sum()) - 1} others of {broken.size}; "
        "expected finite values: check the images' preprocessing and the model's weights"
    )


def level_edges(fmap, levels=None):
    """Positive edges of one map in entering order: level (1-based) of each, and its vertices (m, 2) with i < j."""
    rows, columns = np.triu_indices(len(fmap), 1)
    weight = symmetrize(np.asarray(fmap))[rows, columns]
    order = np.argsort(-weight, kind="stable")
    order = order[weight[order] > 0]
    level = np.cumsum(np.diff(weight[order], prepend=np.inf) != 0)
    keep = order[: None if levels is None else np.searchsorted(level, levels, side="right")]
    return level[: len(keep)], np.stack([rows[keep], columns[keep]], axis=1)


def edges_present(fmap):
    """Number of edges present at each level of one map, (n_levels,) int: the x-axis of a Betti curve."""
    level, _ = level_edges(checked_map(fmap))
    return np.cumsum(np.bincount(level)[1:])


def top_edges(fmap, v):
    """Edges (m, 2) present at the v-th level (v from 1) of one map, vertices i < j, in entering order; ties by row (Fig. 1)."""
    return level_edges(checked_map(fmap), v)[1]


def top_set(fmap, v):
    """Edges (m, 2) of the largest top set of one map with at most ``v`` edges, which is all ``v`` where none of them tie (Fig. 1)."""
    return top_edges(fmap, np.searchsorted(edges_present(fmap), v, side="right"))


def checked_map(fmap):
    fmap = np.asarray(fmap)
    if fmap.ndim != 2:
        raise ValueError(
            f"the map has shape {fmap.shape}; expected one square map (n, n), such as maps[image, :, :, unit]"
        )
    fmap = checked_maps(fmap[None, :, :, None])
    if not np.isfinite(fmap).all():
        raise_not_finite(~np.isfinite(fmap).all(axis=(1, 2)))
    return fmap[0, :, :, 0]


def flag_filtration(level, edges, n, dimension):
    """GUDHI's clique complex up to `dimension`, in which an edge has its level and a vertex has 0; persistence computed over Z_2."""
    import gudhi

    tree = gudhi.SimplexTree()
    tree.insert_batch(np.arange(n)[None], np.zeros(n))
    tree.insert_batch(edges.T, level.astype(float))
    tree.expansion(dimension)
    tree.compute_persistence(
        homology_coeff_field=2, persistence_dim_max=True
    )  # or a graph without triangles would have no beta_1
    return tree


def betti_curves(fmap, k_max=1):
    """Betti curves beta_0 ... beta_k_max of one map over its filtration (Eq. 3), by GUDHI.

    Parameters
    ----------
    fmap : (n, n) float
        One feature map.
    k_max : int
        Highest degree; cliques of up to k_max + 2 vertices are built, so costs grow fast with it and with n.

    Returns
    -------
    levels : (n_levels,) float
        The distinct positive values of F_s off the diagonal, descending; empty for a map without any.
    betti : (n_levels, k_max + 1) int
        Row v - 1 holds the Betti numbers once all edges of the v-th value and above are in. beta_0 counts bare vertices too.
        The zeros of the map would come last and are left out: with them the complex is one simplex.

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
        birth, death = (
            np.minimum(tree.persistence_intervals_in_dimension(k).reshape(-1, 2), n_levels + 1).astype(int).T
        )
        np.add.at(change[:, k], birth, 1)
        np.add.at(change[:, k], death, -1)
    first = np.unique(level, return_index=True)[1]
    return symmetrize(fmap)[tuple(edges[first].T)], change.cumsum(axis=0)[1:-1]


def births_by_homology(maps, bound, index, k):
    """birth_points for any k >= 1 by persistent homology, one map at a time; the oracle of the compiled rule for k = 1."""
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
    """Vertices, in order, of a shortest cycle of one map that bounds nothing at its birth level (k = 1, no b_max); () if it has no birth.

    >>> first_hole(np.diag([9.0, 8, 7], 1) + np.diag([6.0], 3))
    (0, 1, 2, 3)
    """
    fmap = checked_map(fmap)
    level = birth_points(fmap[None, :, :, None], math.inf, "level")[0, 0]
    if level == 0:
        return ()
    edges = [tuple(edge) for edge in top_edges(fmap, level).tolist()]
    near = {i: set() for i in range(len(fmap))}
    for i, j in edges:
        near[i].add(j)
        near[j].add(i)
    bit = {frozenset(edge): 1 << t for t, edge in enumerate(edges)}
    boundaries = {}
    for i, j in edges:
        for x in near[i] & near[j]:
            triangle = remainder(chain((i, j, x), bit), boundaries)
            if triangle:
                boundaries[triangle.bit_length()] = triangle
    cycles = sorted(tree_cycles(edges, near), key=len)
    return next(cycle for cycle in cycles if remainder(chain(cycle, bit), boundaries))


def chain(cycle, bit):
    """A closed walk as a sum of edges over Z_2, one bit an edge."""
    return functools.reduce(
        operator.xor, (bit[frozenset(pair)] for pair in zip(cycle, cycle[1:] + cycle[:1], strict=True))
    )


def remainder(vector, basis):
    """What is left of a vector over Z_2 after reduction by a basis that is keyed by leading bit; 0 if it lies in the span."""
    while vector and vector.bit_length() in basis:
        vector ^= basis[vector.bit_length()]
    return vector


def tree_cycles(edges, near):
    """Simple cycles of one edge and two shortest paths to a common root; a shortest cycle that bounds nothing is among them."""
    for start in near:
        paths, queue = {start: (start,)}, [start]
        for vertex in queue:
            for other in sorted(near[vertex] - paths.keys()):
                paths[other] = (*paths[vertex], other)
                queue.append(other)
        for i, j in edges:
            if i in paths and set(paths[i]) & set(paths[j]) == {start}:
                cycle = paths[i] + paths[j][:0:-1]
                if len(cycle) > 3:
                    yield cycle
