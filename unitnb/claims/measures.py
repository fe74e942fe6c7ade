"""Measures of the claims of Sec. 2, from maps: numbers for ``record_claims``."""

import numpy as np

from ..topology.births import (
    betti_curves,
    birth_points,
    births_by_homology,
    edge_bound,
    level_edges,
    symmetrize,
    top_edges,
)

PATH = ((0, 1), (1, 2), (2, 3), (3, 4))  # four edges, five vertices: as in Fig. 1
FOUR_POINTS = ((0, 1), (3, 2), (1, 3), (2, 0))  # the later paper's toy, counted from 0


def method_claims(maps, b_max=None, n_maps=200, seed=0) -> dict[str, dict]:
    """Numbers of C01 to C04: feature topology and birth points (Sec. 2).

    Parameters
    ----------
    maps : (images, n, n, units)
    b_max : number, optional
        The bound on births (Def. 2).
    n_maps : int
        C03 and C04 take at most as many of the maps that are not zero. C04 adds as many maps of random
        numbers, half of them with ties.
    """
    drawn, noise = _drawn_maps(maps, n_maps, seed), _noise_maps(n_maps, maps.shape[1], seed)
    return {
        "C01": _drawn_by_hand(),
        "C02": _moved_births(maps, b_max),
        "C03": {"maps": len(drawn), "not nested": sum(not is_nested(fmap) for fmap in drawn)},
        "C04": _against_gudhi(np.concatenate([drawn, noise]), b_max),
    }


def _drawn_maps(maps, n_maps, seed):
    live = np.argwhere(maps.any(axis=(1, 2)))
    chosen = live[np.random.default_rng(seed).permutation(len(live))[:n_maps]]
    return maps[chosen[:, 0], :, :, chosen[:, 1]]


def _noise_maps(n_maps, n, seed):
    noise = np.random.default_rng(seed).random((n_maps, n, n))
    noise[: n_maps // 2] = np.round(8 * noise[: n_maps // 2])  # nine levels: many ties
    return noise


def _drawn_by_hand():
    path, toy = np.zeros((5, 5)), np.zeros((4, 4))
    for size, (i, j) in enumerate(PATH):
        path[i, j] = 9 - size
    for size, (i, j) in enumerate(FOUR_POINTS):
        toy[i, j] = 9 - size
    components, holes = betti_curves(path)[1][3]
    edges = len(top_edges(path, 4))
    vertices = len(np.unique(top_edges(path, 4)))
    triangles = components - holes - vertices + edges  # Euler's formula, solved for the triangles
    first = int(birth_points(toy[None, :, :, None], b_max=6)[0, 0])
    return {
        "vertices": vertices,
        "edges": edges,
        "triangles": int(triangles),
        "holes": int(holes),
        "hole of the four points": first,
    }


def _moved_births(maps, b_max):
    births = birth_points(maps, b_max)
    wide = maps.astype(np.float64)
    scaled = sum(int((birth_points(factor * wide, b_max) != births).sum()) for factor in (0.5, 8.0))
    shares = {}
    for shift in ((2, 2), (2, 0)):
        shifted = birth_points(np.roll(maps, shift, (1, 2)), b_max)
        shares[f"changed by {shift}"] = float((shifted != births).mean())
    return {"maps": births.size, "changed by scale": scaled, **shares}


def is_nested(fmap) -> bool:
    """Whether the edges of each level are among those of the next, each level thresholded anew (Eq. 3)."""
    levels = level_edges(fmap)[0]
    values = np.sort(symmetrize(fmap)[np.triu_indices(len(fmap), 1)])[::-1]
    present = []
    if levels.size:
        present = [{(int(i), int(j)) for i, j in top_edges(fmap, v)} for v in range(1, int(levels[-1]) + 1)]
    sizes = [int((values >= value).sum()) for value in np.unique(values[values > 0])[::-1]]
    nested = all(a <= b for a, b in zip(present[:-1], present[1:], strict=True))
    return nested and [len(edges) for edges in present] == sizes


def _against_gudhi(maps, b_max):
    bound = edge_bound(maps.shape[1], b_max)
    births = birth_points(maps[..., None], bound)
    slow = births_by_homology(maps[..., None], bound, "edges", 1)
    return {
        "maps": len(maps),
        "other than GUDHI": int((births != slow).sum()),
        "above B_max": int((births > bound).sum()),
    }
