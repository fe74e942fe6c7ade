"""Which maps and bounds are accepted: square, finite, of whole or floating numbers."""

import math

import numpy as np

SMALLEST_BIRTH = 4  # edges: the smallest hole is a 4-cycle
MAX_VERTICES = 256  # 256 * 255 / 2 edges are the most that int16 can count


def checked_maps(maps):
    """The maps (n_images, n, n, n_units) as native floats, copied only where the type must change.

    ValueError if they are not 4-D, square and of 2 to 256 rows, or hold neither whole nor floating numbers.
    """
    maps = np.asarray(maps)
    square = maps.ndim == 4 and maps.shape[1] == maps.shape[2] and 0 not in maps.shape
    if not square or not 2 <= maps.shape[1] <= MAX_VERTICES:
        raise ValueError(
            f"maps have shape {maps.shape}; expected (images, n, n, units): at least one image and unit, "
            f"square maps with 2 <= n <= {MAX_VERTICES}; resize or crop other maps first"
        )
    if maps.dtype.kind in "biu":
        maps = maps.astype(np.float32 if maps.itemsize <= 2 else np.float64)
    if maps.dtype.kind != "f" or maps.itemsize > 8:
        raise ValueError(
            f"maps are {maps.dtype}; expected float16, float32 or float64 (convert with .astype)"
        )
    return maps.astype(maps.dtype.newbyteorder("="), copy=False)


def edge_bound(n, b_max):
    """Largest birth that counts for n x n maps, a whole number from 1 to n(n - 1)/2 (B_max of Def. 2).

    >>> edge_bound(14, None), edge_bound(14, math.inf)
    (50, 91)
    """
    n_edges = n * (n - 1) // 2
    if b_max is None:
        share = round(50 / 91 * n_edges)
        if share < SMALLEST_BIRTH:
            raise ValueError(
                f"maps of {n}x{n} have no birth within the default B_max of {share} edges, as a hole needs "
                f"{SMALLEST_BIRTH}; take a layer with maps of 5x5 or more (unitnb.usable_layers(model) lists "
                "them), larger images, or give b_max"
            )
        return share
    if not b_max >= 1:
        raise ValueError(
            f"b_max is {b_max!r}; expected a number from 1 up, math.inf for no bound, "
            "or None for the paper's share of edges"
        )
    return math.floor(min(b_max, n_edges))


def raise_not_finite(broken):
    """ValueError for maps with NaN or infinity, given as a mask (images, units)."""
    image, unit = np.argwhere(broken)[0].tolist()
    raise ValueError(
        f"the map of image {image}, unit {unit} holds NaN or infinity, as do {int(broken.sum()) - 1} others "
        f"of {broken.size}; expected finite values: check the images' preprocessing and the model's weights"
    )


def checked_map(fmap):
    """One map as native floats (n, n); ValueError if it is not square and finite, with 2 to 256 rows."""
    fmap = np.asarray(fmap)
    if fmap.ndim != 2:
        raise ValueError(
            f"the map has shape {fmap.shape}; expected one square map (n, n), such as maps[image, :, :, unit]"
        )
    fmap = checked_maps(fmap[None, :, :, None])
    if not np.isfinite(fmap).all():
        raise_not_finite(~np.isfinite(fmap).all(axis=(1, 2)))
    return fmap[0, :, :, 0]
