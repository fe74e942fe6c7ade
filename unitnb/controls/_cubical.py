"""First hole of a picture from its brightest pixel down, compiled for ``constructions.cubical_births``.

The kernel compiles once and Numba caches it. Nothing else belongs in this file, whose date is the cache's
key.
"""

import numpy as np

from ..files.compiled import compiled


@compiled()
def _root(parent, x):
    while parent[x] != x:
        parent[x] = parent[parent[x]]
        x = parent[x]
    return x


@compiled()
def _first_hole(flat, n, parent, low):
    """Largest value at which the pixels from it up enclose lower ones, or 0.

    Read upwards, the pixels below a rising threshold form basins (neighbours over edges; the outside is the
    oldest basin). A basin that meets an older one at a value above its own floor was, seen downwards, a hole
    that opened at that value (Alexander duality).
    """
    outside, found = n * n, 0.0
    parent[:] = -1
    parent[outside], low[outside] = outside, -1.0
    for pixel in np.argsort(flat):
        value = flat[pixel]
        parent[pixel], low[pixel] = pixel, value
        row, column = pixel // n, pixel % n
        for r, c in ((row - 1, column), (row + 1, column), (row, column - 1), (row, column + 1)):
            other = r * n + c if 0 <= r < n and 0 <= c < n else outside
            if parent[other] >= 0:
                old, young = _root(parent, other), _root(parent, pixel)
                if low[old] > low[young]:
                    old, young = young, old
                if old != young:
                    parent[young] = old
                    if value > low[young]:
                        found = value
    return found


@compiled()
def cubical_births(maps):
    """Number of pixels at least as large as the first hole's value, (images, units) int64.

    0 where there is no hole above zero.
    """
    n_images, n, _, n_units = maps.shape
    births = np.zeros((n_images, n_units), np.int64)
    parent, low = np.empty(n * n + 1, np.int64), np.empty(n * n + 1)
    for image in range(n_images):
        for unit in range(n_units):
            flat = maps[image, :, :, unit].copy().reshape(n * n).astype(np.float64)
            value = _first_hole(flat, n, parent, low)
            if value > 0:
                births[image, unit] = (flat >= value).sum()
    return births
