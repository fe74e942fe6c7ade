"""Compiled birth points of a channels-last batch: reads several units at once, orders only the edges that are needed."""

from concurrent.futures import ThreadPoolExecutor

import numba
import numpy as np

from ._graphs import compiled, inlined, opens_hole, reset

LANES = 16  # units read together: one cache line of float32 in a channels-last batch
TASKS_PER_THREAD = 8  # maps differ in cost, so each thread gets several shares
SMALL = 64  # blocks of maps below which starting threads costs more than it saves


@compiled
def load(maps, image, first, width, sign, keys, peaks, worst):
    """Read `width` neighbouring units: keys |F_s| by edge, the largest of each row, the largest of all.

    The bits of a non-negative float order like an integer, so keys are the bits without the sign; infinity and NaN are the largest.
    """
    edge = 0
    for lane in range(width):
        worst[lane] = 0
    for i in range(maps.shape[1]):
        peak, diagonal = peaks[i], maps[image, i, i][first:first + width]
        for lane in range(width):
            peak[lane] = 0
        for j in range(i):
            below, above = maps[image, i, j][first:first + width], maps[image, j, i][first:first + width]
            key = keys[edge]
            for lane in range(width):  # short loops over plain 1-D views: the compiler turns them into vector instructions
                key[lane] = max(below[lane] & sign, above[lane] & sign)
            for lane in range(width):
                peak[lane] = max(peak[lane], key[lane])
            edge += 1
        for lane in range(width):
            worst[lane] = max(worst[lane], peak[lane], diagonal[lane] & sign)


@inlined
def start_tree(tree, peaks, lane):
    """Tournament of the rows by their largest key: tree[half + i] is row i, tree[1] the largest of all."""
    half = tree.size // 2
    for i in range(peaks.shape[0]):
        tree[half + i] = peaks[i, lane]
    for node in range(half - 1, 0, -1):
        tree[node] = max(tree[2 * node], tree[2 * node + 1])


@inlined
def take_row(keys, lane, i, top, batch, size):
    """Move the edges of row i that equal `top` into the batch; returns its new size and the row's next value."""
    first, rest = i * (i - 1) // 2, top & 0
    for j in range(i):
        key = keys[first + j, lane]
        if key == top:
            batch[size] = i << 8 | j
            size += 1
            keys[first + j, lane] = 0
        else:
            rest = max(rest, key)
    return size, rest


@inlined
def take_batch(keys, lane, tree, batch):
    """Move all edges of the largest value into the batch; returns their number."""
    size, half, top = 0, tree.size // 2, tree[1]
    while tree[1] == top:
        node = 1
        while node < half:  # arithmetic instead of a branch that could not be predicted
            node = 2 * node + (tree[2 * node] < top)
        size, best = take_row(keys, lane, node - half, top, batch, size)
        tree[node] = best
        while node > 1:
            best = max(best, tree[node ^ 1])
            node >>= 1
            tree[node] = best
    return size


@inlined
def birth_of(keys, lane, b_max, by_level, tree, part, links, batch):
    """Birth point of one loaded map, 0 if there is none up to b_max."""
    reset(part, links)
    edges, level, birth = 0, 0, 0
    while birth == 0 and tree[1] > 0:
        size = take_batch(keys, lane, tree, batch)
        edges += size
        level += 1
        now = level if by_level else edges
        if now > b_max:
            break
        if opens_hole(batch, size, part, links):
            birth = now
    return birth


@compiled
def births_between(maps, start, stop, sign, infinity, b_max, by_level, keys, births):
    """Births of the blocks start..stop of (image, LANES units); -1 where a map is not finite."""
    n, units = maps.shape[1], maps.shape[3]
    blocks = (units + LANES - 1) // LANES
    peaks, worst = np.zeros((n, LANES), keys.dtype), np.zeros(LANES, keys.dtype)
    half = 1
    while half < n:
        half *= 2
    tree, batch = np.zeros(2 * half, keys.dtype), np.zeros(keys.shape[0], np.int64)
    part, links = np.zeros(n, np.uint8), np.zeros((n, (n + 63) >> 6), np.uint64)
    for task in range(start, stop):
        image, first = task // blocks, task % blocks * LANES
        width = min(LANES, units - first)
        if width == LANES:  # a constant width lets the compiler unroll
            load(maps, image, first, LANES, sign, keys, peaks, worst)
        else:
            load(maps, image, first, width, sign, keys, peaks, worst)
        for lane in range(width):
            start_tree(tree, peaks, lane)
            birth = birth_of(keys, lane, b_max, by_level, tree, part, links, batch)
            births[image, first + lane] = birth if worst[lane] < infinity else -1


def births_of(maps, b_max, by_level, threads=None):
    """Births (n, u) int16 of float maps (n, h, w, u); -1 where a map is not finite.

    Contiguous maps are read in place; others are copied a few images at a time.
    """
    if not maps.flags.c_contiguous:
        parts = range(0, len(maps), LANES)
        return np.concatenate([births_of(np.ascontiguousarray(maps[i:i + LANES]), b_max, by_level, threads) for i in parts])
    bits = maps.view(f"i{maps.itemsize}")
    bits.flags.writeable = False  # one type for maps that may be written to and maps that may not: one compilation
    sign = np.iinfo(bits.dtype).max
    infinity = int(np.array(np.inf, maps.dtype).view(bits.dtype))
    n_edges = maps.shape[1] * (maps.shape[1] - 1) // 2
    births = np.empty((maps.shape[0], maps.shape[3]), np.int16)
    tasks = maps.shape[0] * -(-maps.shape[3] // LANES)
    threads = 1 if tasks < SMALL else threads or numba.config.NUMBA_NUM_THREADS

    def work(start, stop):
        keys = np.empty((n_edges, LANES), np.int64 if maps.itemsize == 8 else np.int32)
        births_between(bits, start, stop, sign, infinity, b_max, by_level, keys, births)

    if threads == 1:
        work(0, tasks)
    else:
        shares = np.linspace(0, tasks, TASKS_PER_THREAD * threads + 1).astype(int).tolist()
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(work, shares[:-1], shares[1:]))
    return births
