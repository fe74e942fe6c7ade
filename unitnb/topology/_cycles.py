"""A shortest cycle of a graph that bounds nothing in its clique complex, by linear algebra over Z_2.

A sum of edges is one whole number, with bit t for edge t.
"""

import functools
import operator
from collections.abc import Iterator, Mapping, Sequence

Cycle = tuple[int, ...]  # vertices in order
Neighbours = Mapping[int, set[int]]


def shortest_open_cycle(n: int, edges: Sequence[tuple[int, int]]) -> Cycle:
    """Vertices, in order, of a shortest cycle that is no sum of triangles.

    The graph has the vertices 0 .. n - 1 and the edges (i, j), i < j.

    Raises
    ------
    StopIteration
        If every cycle bounds, i.e. beta_1 = 0. Callers pass graphs that have a hole.
    """
    near: dict[int, set[int]] = {i: set() for i in range(n)}
    for i, j in edges:
        near[i].add(j)
        near[j].add(i)
    bit = {frozenset(edge): 1 << t for t, edge in enumerate(edges)}
    boundaries = triangle_basis(edges, near, bit)
    cycles = sorted(tree_cycles(edges, near), key=len)
    return next(cycle for cycle in cycles if remainder(chain(cycle, bit), boundaries))


def triangle_basis(edges, near: Neighbours, bit: Mapping[frozenset[int], int]) -> dict[int, int]:
    """A basis, keyed by leading bit, of the sums of triangles of a graph."""
    basis: dict[int, int] = {}
    for i, j in edges:
        for x in near[i] & near[j]:
            triangle = remainder(chain((i, j, x), bit), basis)
            if triangle:
                basis[triangle.bit_length()] = triangle
    return basis


def chain(cycle: Cycle, bit: Mapping[frozenset[int], int]) -> int:
    """A closed walk as a sum of edges over Z_2."""
    pairs = zip(cycle, cycle[1:] + cycle[:1], strict=True)
    return functools.reduce(operator.xor, (bit[frozenset(pair)] for pair in pairs))


def remainder(vector: int, basis: Mapping[int, int]) -> int:
    """The rest of a vector after reduction by a basis keyed by leading bit; 0 if it lies in the span."""
    while vector and vector.bit_length() in basis:
        vector ^= basis[vector.bit_length()]
    return vector


def tree_cycles(edges, near: Neighbours) -> Iterator[Cycle]:
    """Simple cycles made of one edge and two shortest paths to a common root.

    A shortest cycle that bounds nothing is among them (Horton 1987, https://doi.org/10.1137/0216026).
    """
    for start in near:
        paths: dict[int, Cycle] = {start: (start,)}
        queue = [start]
        for vertex in queue:
            for other in sorted(near[vertex] - paths.keys()):
                paths[other] = (*paths[vertex], other)
                queue.append(other)
        for i, j in edges:
            if i in paths and set(paths[i]) & set(paths[j]) == {start}:
                cycle = paths[i] + paths[j][:0:-1]
                if len(cycle) > 3:
                    yield cycle
