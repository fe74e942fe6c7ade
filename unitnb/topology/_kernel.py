"""Compiled birth points of a channels-last batch.

Several units are read at once, and only the edges that are needed are ordered.
"""

import functools
from concurrent.futures import ThreadPoolExecutor

import numba
import numpy as np

from ._graphs import compiled, inlined, opens_hole, reset

LANES = 16  # units read together: one cache line of float32 in a channels-last batch
TASKS_PER_THREAD = 8  # maps differ in cost, so each thread gets several shares
SMALL = 200_000  # values below which starting threads costs more than it saves: 64 blocks of 14x14 maps
COPIED = 2**25  # bytes of maps that are copied at a time where their values do not lie in order
THREADS: int = numba.config.NUMBA_NUM_THREADS  # type: ignore[attr-defined]  # set when Numba starts
U = np.uint64  # unsigned indices: Numba adds no test for negative ones
WIDTH, ONE, TWO = U(LANES), U(1), U(2)


@inlined
def lanes(table, row):
    """Row of a flat table (rows * LANES,), as a view."""
    return table[row * LANES : (row + 1) * LANES]


@compiled
def load(maps, image, first, sign, keys, tree, groups, worst):
    """Read LANES neighbouring units: the keys |F_s| by edge, the tournament of their groups, the largest key.

    The bits of a non-negative float order like an integer, so keys are the bits without the sign. Infinity
    and NaN are the largest. Loops over the lanes are short and on plain 1-D views, so that the compiler makes
    vector instructions of them.
    """
    edge = 0
    worst[:] = 0
    for i in range(maps.shape[1]):
        diagonal = maps[image, i, i][first : first + LANES]
        for lane in range(LANES):
            worst[lane] = max(worst[lane], diagonal[lane] & sign)
        for j in range(i):
            below = maps[image, i, j][first : first + LANES]
            above = maps[image, j, i][first : first + LANES]
            key = lanes(keys, edge)
            for lane in range(LANES):
                key[lane] = max(below[lane] & sign, above[lane] & sign)
            edge += 1
    start_tree(keys, tree, groups)
    for lane in range(LANES):
        worst[lane] = max(worst[lane], tree[LANES + lane])


@inlined
def start_tree(keys, tree, groups):
    """Node groups + g holds the largest key of group g, node k the larger of nodes 2k and 2k + 1."""
    members = keys.size // LANES // groups
    for group in range(groups):
        peak = lanes(tree, groups + group)
        peak[:] = 0
        for edge in range(group * members, (group + 1) * members):
            key = lanes(keys, edge)
            for lane in range(LANES):
                peak[lane] = max(peak[lane], key[lane])
    for node in range(groups - 1, 0, -1):
        peak, left, right = lanes(tree, node), lanes(tree, 2 * node), lanes(tree, 2 * node + 1)
        for lane in range(LANES):
            peak[lane] = max(left[lane], right[lane])


@inlined
def take_edge(keys, lane, tree, groups, members):
    """Take an edge of the largest key out of the tournament; returns its number."""
    top, node = tree[WIDTH + lane], ONE
    while node < groups:  # arithmetic instead of unpredictable branches, here and below
        node = TWO * node + U(tree[TWO * node * WIDTH + lane] < top)
    first = (node - groups) * members
    place, taken, count, rest = first * WIDTH + lane, U(0), U(0), top & 0
    for member in range(members):
        key = keys[place]
        taken = U(member) if key == top else taken
        count += U(key == top)
        rest = max(rest, key if key != top else top & 0)
        place += WIDTH
    keys[(first + taken) * WIDTH + lane] = 0
    rest = top if count > ONE else rest
    tree[node * WIDTH + lane] = rest
    while node > ONE:
        rest = max(rest, tree[(node ^ ONE) * WIDTH + lane])
        node >>= ONE
        tree[node * WIDTH + lane] = rest
    return first + taken


@inlined
def birth_of(keys, lane, b_max, by_level, tree, groups, members, ends, part, links, batch):
    """Birth point of one loaded map; 0 if there is none up to b_max."""
    reset(part, links)
    edges, level, birth, size = 0, 0, 0, 0
    while birth == 0 and tree[WIDTH + lane] > 0:
        top, size = tree[WIDTH + lane], 0
        while tree[WIDTH + lane] == top:
            batch[size] = ends[take_edge(keys, lane, tree, groups, members)]
            size += 1
        edges += size
        level += 1
        now = level if by_level else edges
        if now > b_max:
            break
        if opens_hole(batch, size, part, links):
            birth = now
    return birth


@compiled
def births_between(maps, start, stop, sign, infinity, b_max, by_level, keys, groups, ends, births):
    """Births of the blocks start..stop of (image, LANES units); -1 where a map is not finite."""
    n, units = maps.shape[1], maps.shape[3]
    blocks = (units + LANES - 1) // LANES
    tree, worst = np.zeros(2 * groups * LANES, keys.dtype), np.zeros(LANES, keys.dtype)
    batch = np.zeros(ends.size, ends.dtype)
    part, links = np.zeros((n + 15) // 16 * 16, np.uint8), np.zeros((n, (n + 63) >> 6), np.uint64)
    for task in range(start, stop):
        image, first = (
            task // blocks,
            min(task % blocks * LANES, units - LANES),
        )  # the last block reaches back
        load(maps, image, first, sign, keys, tree, groups, worst)
        for lane in range(LANES):
            members = U(keys.size // LANES // groups)
            birth = birth_of(
                keys, U(lane), b_max, by_level, tree, U(groups), members, ends, part, links, batch
            )
            births[image, first + lane] = birth if worst[lane] < infinity else -1


def births_of(maps, b_max, by_level, threads=None):
    """Births (n, u) int16 of float maps (n, h, w, u); -1 where a map is not finite.

    Contiguous maps are read in place; others, and those of fewer than LANES units, are copied COPIED bytes at
    a time.
    """
    units = maps.shape[3]
    if not maps.flags.c_contiguous or units < LANES:
        step = max(1, COPIED // (maps[0].nbytes * -(-LANES // units)))
        parts = (maps[i : i + step] for i in range(0, len(maps), step))
        wide = (
            np.ascontiguousarray(np.pad(part, [(0, 0)] * 3 + [(0, max(0, LANES - units))])) for part in parts
        )
        return np.concatenate([births_of(part, b_max, by_level, threads)[:, :units] for part in wide])
    bits = maps.view(f"i{maps.itemsize}")
    bits.flags.writeable = False  # writable and read-only maps have one type, hence one compilation
    sign = np.iinfo(bits.dtype).max
    infinity = int(np.array(np.inf, maps.dtype).view(bits.dtype))
    groups, ends = edge_groups(maps.shape[1])
    births = np.empty((maps.shape[0], units), np.int16)
    tasks = maps.shape[0] * -(-units // LANES)
    threads = 1 if maps.size < SMALL else threads or THREADS

    def work(start, stop):
        keys = np.zeros(ends.size * LANES, np.int64 if maps.itemsize == 8 else np.int32)
        births_between(bits, start, stop, sign, infinity, b_max, by_level, keys, groups, ends, births)

    if threads == 1:
        work(0, tasks)
    else:
        shares = np.linspace(0, tasks, TASKS_PER_THREAD * threads + 1).astype(int).tolist()
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(work, shares[:-1], shares[1:]))
    return births


@functools.cache
def edge_groups(n):
    """How the edges of n vertices are grouped for the tournament.

    Returns the number of groups, a power of two near the root of the number of edges, and the ends i << 8 |
    j, i > j, of each edge, filled up with zeros to a whole number of groups.
    """
    rows, columns = np.tril_indices(n, -1)
    groups = 1
    while groups**2 < rows.size:
        groups *= 2
    return groups, np.pad(rows << 8 | columns, (0, -rows.size % groups)).astype(U)
