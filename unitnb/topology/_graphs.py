"""Compiled test for the first hole of a growing graph, and the births of random graphs.

After a change here touch _kernel.py: Numba's cache notices changes only in the file that a function is
defined in.

Why the search is right. X is the flag complex of a graph, and beta_1(X) = 0 so far, over any field.
An edge (i, j) keeps beta_1 = 0 if its ends lie in two connected components or have a common neighbour. Call
it safe. Any other edge opens a hole. Edges of equal value enter together, so their order is free: the safe
ones go first, until none is left. If late edges R remain, every cycle of the safe graph bounds. Hence H_1 =
Z_2^R modulo one relation for each triangle: the sum of its late edges is zero. No triangle has exactly one
late edge (that edge would be safe). Two are equal; three add up to zero.
"""

import numba
import numpy as np

from ..files.compiled import compiled as compiled_by

compiled = compiled_by(nogil=True)
inlined = numba.njit(inline="always")
U = np.uint64  # unsigned indices: Numba adds no test for negative ones
# An edge is i << 8 | j; row i of the links has a bit for each vertex.
HALF, BYTE, WORD, BITS, ONE = U(8), U(255), U(6), U(63), U(1)


@compiled
def root(parent, vertex):
    """Root of a vertex in a union-find forest, whose paths are halved on the way."""
    while parent[vertex] != vertex:
        parent[vertex] = parent[parent[vertex]]
        vertex = parent[vertex]
    return vertex


@inlined
def reset(part, links):
    """Bare vertices: each a component of its own, without links."""
    for i in range(part.size):
        part[i] = i
    for i in range(links.shape[0]):
        for word in range(links.shape[1]):
            links[i, word] = 0


@inlined
def link(i, j, links):
    """Link two vertices."""
    links[i, j >> WORD] |= ONE << (j & BITS)
    links[j, i >> WORD] |= ONE << (i & BITS)


@inlined
def add_if_safe(i, j, part, links):
    """Add the edge unless it opens a hole; say whether it was added.

    ``part`` (n, filled up to a multiple of 16) is the component of each vertex. Bit j of ``links[i]`` is set
    if i and j are linked.
    """
    a, b = part[i], part[j]
    common = U(0)
    for word in range(links.shape[1]):
        common |= links[i, word] & links[j, word]
    if a == b and common == U(0):
        return False
    if a != b:
        # One vector instruction for 16 vertices, unlike a union-find forest.
        for k in range(0, part.size, 16):
            for name in range(k, k + 16):
                part[name] = b if part[name] == a else part[name]
    link(i, j, links)
    return True


@compiled
def name_edges(late, links):
    """Matrix of the graph: 0 no edge, 1 a safe edge, r + 2 the late edge r."""
    n = links.shape[0]
    names = np.zeros((n, n), np.int32)
    for i in range(n):
        for j in range(n):
            names[i, j] = (links[i, j >> 6] >> U(j & 63)) & ONE
    for r in range(late.size):
        i, j = late[r] >> HALF, late[r] & BYTE
        names[i, j] = names[j, i] = r + 2
    return names


@compiled
def merge_late(late, names, parent):
    """Join the late edges that share a triangle with a safe edge (they are equal).

    Returns the number of triangles of three late edges.
    """
    triangles = 0
    for r in range(parent.size):
        i, j = late[r] >> HALF, late[r] & BYTE
        for x in range(names.shape[0]):
            a, b = names[i, x], names[j, x]
            if a > 1 and b > 1:
                triangles += x < j
            elif a > 0 and b > 0:  # one is safe; both cannot be, or r would be safe too
                parent[root(parent, r)] = root(parent, a + b - 3)
    return triangles


@compiled
def enlarge_basis(row, basis):
    """Reduce a relation by the basis over Z_2, whose row k leads with column k.

    The rest joins the basis unless it is zero; says whether it did.
    """
    for pivot in range(row.size):
        if row[pivot]:
            grows = not basis[pivot, pivot]
            for k in range(pivot, row.size):
                basis[pivot, k] |= row[k] & grows
                row[k] ^= basis[pivot, k]
            if grows:
                return True
    return False


@compiled
def hole_remains(late, links):
    """Whether a hole remains once all late edges are in: the relations have a lower rank than the classes."""
    size = late.size
    names = name_edges(late, links)
    parent = np.empty(size, np.int32)
    for r in range(size):
        parent[r] = r
    triangles = merge_late(late, names, parent)
    label, classes = np.zeros(size, np.int32), 0
    for r in range(size):
        if parent[r] == r:
            label[r] = classes
            classes += 1
    if triangles < classes:
        return True
    basis, row = np.zeros((classes, classes), np.uint8), np.zeros(classes, np.uint8)
    rank = 0
    for r in range(size):
        i, j = late[r] >> HALF, late[r] & BYTE
        for x in range(j):
            if names[i, x] > 1 and names[j, x] > 1:
                row[label[root(parent, r)]] ^= 1
                row[label[root(parent, names[i, x] - 2)]] ^= 1
                row[label[root(parent, names[j, x] - 2)]] ^= 1
                rank += enlarge_basis(row, basis)
    return rank < classes


@compiled
def tied_edges_open_hole(batch, size, part, links):
    """Add edges of equal value, safe ones first; say whether beta_1 differs from 0 when all are in."""
    left = size
    while True:
        size, left = left, 0
        for t in range(size):
            if not add_if_safe(batch[t] >> HALF, batch[t] & BYTE, part, links):
                batch[left] = batch[t]
                left += 1
        if left == 0:
            return False
        if left == size:
            break
    # Fewer than three late edges make no triangle of their own.
    hole = left < 3 or hole_remains(batch[:left], links)
    for t in range(left):
        link(batch[t] >> HALF, batch[t] & BYTE, links)
    return hole


@inlined
def opens_hole(batch, size, part, links):
    """Add edges of equal value; say whether beta_1 differs from 0 when all are in."""
    if size == 1:
        return not add_if_safe(batch[0] >> HALF, batch[0] & BYTE, part, links)
    return tied_edges_open_hole(batch, size, part, links)


@compiled
def random_births(n, draws, seed):
    """Births of `draws` graphs on n vertices whose edges enter in uniformly random order."""
    np.random.seed(seed)
    part, links = np.zeros((n + 15) // 16 * 16, np.uint8), np.zeros((n, (n + 63) >> 6), np.uint64)
    births = np.zeros(draws, np.int16)
    for draw in range(draws):
        reset(part, links)
        edges = 0
        while edges < n * (n - 1) // 2:
            i, j = U(np.random.randint(n)), U(np.random.randint(n))
            if i == j or (links[i, j >> WORD] >> (j & BITS)) & ONE:
                continue
            edges += 1
            if not add_if_safe(i, j, part, links):
                births[draw] = edges
                break
    return births
