"""Compiled search for the first hole of a weighted graph, and its random-graph null.

Why the search is right (flag complex X of a graph, beta_1 over any field, as long as beta_1(X) = 0 so far):
an edge (i, j) whose ends lie in two components, or have a common neighbour, keeps beta_1 = 0: call it safe. Any other edge
opens a hole. Edges of equal value enter together, in whatever order suits us, so the safe ones go first, until none is left.
If late edges R remain, every cycle of the safe graph bounds, hence H_1 = Z_2^R modulo one relation a triangle: the sum of its
late edges. No triangle has exactly one (that edge would be safe); with two they are equal, with three they add up to zero.
"""

from concurrent.futures import ThreadPoolExecutor

import numba
import numpy as np

LANES = 16  # units read together: one cache line of float32 in a channels-last batch
TASKS_PER_THREAD = 8  # maps differ in cost, so each thread gets several shares
SMALL = 64  # blocks of maps below which starting threads costs more than it saves


def compiled(function):
    """Compile on first call, release the GIL, and keep the result on disk where some folder can be written."""
    try:
        return numba.njit(cache=True, nogil=True)(function)
    except RuntimeError:  # Numba found no folder to write to: compile in each process instead
        return numba.njit(nogil=True)(function)


inlined = numba.njit(inline="always")


@inlined
def root(parent, vertex):
    while parent[vertex] != vertex:
        parent[vertex] = parent[parent[vertex]]
        vertex = parent[vertex]
    return vertex


@inlined
def reset(part, links):
    for i in range(part.size):
        part[i] = i
        for word in range(links.shape[1]):
            links[i, word] = 0


@inlined
def link(i, j, links):
    links[i, j >> 6] |= np.uint64(1) << np.uint64(j & 63)
    links[j, i >> 6] |= np.uint64(1) << np.uint64(i & 63)


@inlined
def add_if_safe(i, j, part, links):
    """Add the edge unless it opens a hole; say whether it was added. `part` names the component of each vertex."""
    a, b = part[i], part[j]
    common = np.uint64(0)
    for word in range(links.shape[1]):
        common |= links[i, word] & links[j, word]
    if a == b and common == 0:
        return False
    for k in range(part.size):  # no branch to mispredict, unlike a union-find forest
        part[k] = b if part[k] == a else part[k]
    link(i, j, links)
    return True


@inlined
def name_edges(late, links):
    """Matrix of the graph: 0 no edge, 1 a safe edge, r + 2 the late edge r."""
    n = links.shape[0]
    names = np.zeros((n, n), np.int32)
    for i in range(n):
        for j in range(n):
            names[i, j] = (links[i, j >> 6] >> np.uint64(j & 63)) & np.uint64(1)
    for r in range(late.size):
        i, j = late[r] >> 8, late[r] & 255
        names[i, j] = names[j, i] = r + 2
    return names


@inlined
def merge_late(late, names, parent):
    """Join the late edges that share a triangle with a safe edge (they are equal); count the triangles of three late edges."""
    triangles = 0
    for r in range(parent.size):
        i, j = late[r] >> 8, late[r] & 255
        for x in range(names.shape[0]):
            a, b = names[i, x], names[j, x]
            if a > 1 and b > 1:
                triangles += x < j
            elif a > 0 and b > 0:  # one is safe; both cannot be, or r would be safe too
                parent[root(parent, r)] = root(parent, a + b - 3)
    return triangles


@inlined
def enlarge_basis(row, basis):
    """Reduce a relation by the basis over Z_2, whose row k leads with column k; keep what is left and say whether anything was."""
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
    """Whether the late edges leave a hole once all of them are in: rank of the relations below the number of classes."""
    size = late.size
    if size < 3:
        return True
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
        i, j = late[r] >> 8, late[r] & 255
        for x in range(j):
            if names[i, x] > 1 and names[j, x] > 1:
                row[label[root(parent, r)]] ^= 1
                row[label[root(parent, names[i, x] - 2)]] ^= 1
                row[label[root(parent, names[j, x] - 2)]] ^= 1
                rank += enlarge_basis(row, basis)
    return rank < classes


@inlined
def opens_hole(batch, size, part, links):
    """Add edges of equal value, safe ones first; say whether beta_1 differs from 0 when all are in."""
    left = size
    while True:
        size, left = left, 0
        for t in range(size):
            if not add_if_safe(batch[t] >> 8, batch[t] & 255, part, links):
                batch[left] = batch[t]
                left += 1
        if left == 0:
            return False
        if left == size:
            break
    hole = hole_remains(batch[:left], links)
    for t in range(left):
        link(batch[t] >> 8, batch[t] & 255, links)
    return hole


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


@compiled
def random_births(n, draws, seed):
    """Births of `draws` graphs on n vertices whose edges enter in uniformly random order."""
    np.random.seed(seed)
    part, links = np.zeros(n, np.uint8), np.zeros((n, (n + 63) >> 6), np.uint64)
    births = np.zeros(draws, np.int16)
    for draw in range(draws):
        reset(part, links)
        edges = 0
        while edges < n * (n - 1) // 2:
            i, j = np.random.randint(n), np.random.randint(n)
            if i == j or (links[i, j >> 6] >> np.uint64(j & 63)) & np.uint64(1):
                continue
            edges += 1
            if not add_if_safe(i, j, part, links):
                births[draw] = edges
                break
    return births
