"""Measures of the claims of Sec. 2, 3.4 and 3.5, from maps and curves: numbers for ``record_claims``."""

from collections.abc import Mapping, Sequence

import numpy as np

from ..ablation.curves import Curve, area_difference
from ..topology.births import (
    betti_curves,
    birth_points,
    births_by_homology,
    edge_bound,
    level_edges,
    symmetrize,
    top_edges,
)
from .criteria import BY_ID
from .grades import HOLDS

PATH = ((0, 1), (1, 2), (2, 3), (3, 4))  # four edges, five vertices: as in Fig. 1
FOUR_POINTS = ((0, 1), (3, 2), (1, 3), (2, 0))  # the later paper's toy, counted from 0


# ---- Sec. 2: maps ----


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


# ---- Sec. 3.4: curves of ablation ----


def ablation_claims(
    removed: Curve, reverse: Curve, random: Sequence[Curve], test: Curve, by_class: Mapping[str, tuple]
) -> dict[str, dict]:
    """Numbers of C15 to C22: the curves of ablation (Sec. 3.4, Fig. 3).

    Parameters
    ----------
    removed, reverse, test : Curve
        Removal in the order of the rank, in reverse on the same training images, and in rank order on test
        images.
    random : sequence of Curve
        Removal in random orders.
    by_class : pairs of Curve by class
        As ``removed`` and ``reverse``.
    """
    units = len(removed.order)
    half = units // 2
    at_half = reverse.bootstrap(lambda curve: curve.accuracy[half] - curve.accuracy[0])
    return {
        "C15": {
            "units": removed.units_to_lose() / units,
            "random orders": np.median([curve.units_to_lose() for curve in random]) / units,
            "interval": removed.bootstrap(lambda curve: curve.units_to_lose() / units),
        },
        "C16": {
            "place": removed.peak("loss")[0] / units,
            "interval": removed.bootstrap(lambda curve: curve.peak("loss")[0] / units),
        },
        "C17": _loss_excess(removed, test),
        **transition(reverse, with_width=True),
        "C20": {"distance": _loss_to_accuracy(reverse), "interval": reverse.bootstrap(_loss_to_accuracy)},
        "C21": _transitions([worst for _, worst in by_class.values()]),
        "C22": {"change": reverse.accuracy[half] - reverse.accuracy[0], "interval": at_half},
    }


def _loss_excess(removed, test):
    place = removed.peak("loss")[0]
    own, other = (curve.bootstrap(lambda c: c.loss[place] - c.loss[-1]) for curve in (removed, test))
    excess, on_test = (float(curve.loss[place] - curve.loss[-1]) for curve in (removed, test))
    return {"excess": excess, "interval": own, "on test images": on_test, "low, on test images": other[0],
            "high, on test images": other[1]}  # fmt: skip


def _loss_to_accuracy(reverse):
    return abs(int(np.argmin(reverse.loss)) - reverse.peak()[0]) / len(reverse.order)


def transition(reverse: Curve, with_width=False) -> dict[str, dict]:
    """Numbers of C18 and C19 of one class: the rise of accuracy and the collapse behind it (Fig. 3B).

    "rise" is in accuracy, its "interval" is of the gain at the peak's own place over resampled images, and
    "removed", its place, and "width", of the collapse, are shares of the units. ``with_width`` adds the
    interval of the width, which takes as long again.
    """
    units, (top, peak) = len(reverse.order), reverse.peak()
    interval = reverse.bootstrap(lambda curve: curve.accuracy[top] - curve.accuracy[0])
    width: dict = {"width": reverse.collapse_width() / units}
    if with_width:
        width["interval"] = reverse.bootstrap(lambda curve: curve.collapse_width() / units)
    return {
        "C18": {"rise": peak - reverse.accuracy[0], "interval": interval, "removed": top / units},
        "C19": width,
    }


def _transitions(curves):
    found = [transition(curve) for curve in curves]
    rise, collapse = ([BY_ID[claim].judge(f[claim]) == HOLDS for f in found] for claim in ("C18", "C19"))
    return {
        "classes": len(found),
        "rise": np.mean(rise),
        "collapse": np.mean(collapse),
        "both": np.mean(np.logical_and(rise, collapse)),
    }


# ---- Sec. 3.5: stability ----


def stability_claims(
    curves: Mapping[str, Mapping],
    tables: Mapping[str, Mapping],
    small_areas: Mapping[str, Sequence],
    pool: int,
) -> dict:
    """Numbers of C23 to C28: the stability of the rank (Sec. 3.5, Fig. 4).

    Parameters
    ----------
    curves : Curve by rank, by set of images
        The ranks "IR_100", "IR_1000", "IR_val" and, on "S_1000", "mean rank".
    tables : of ``stability_table``
        "overlapping" sets of images and "disjoint" ones.
    small_areas : areas by set of images
        Of the curves by ranks of as few training images as "IR_val" has.
    pool : int
        Images from which the sets are drawn.
    """
    table, disjoint = tables["overlapping"], tables["disjoint"]
    tau, half = table["kendall"][:, 0], len(table["set_size"]) // 2
    on_large, mean_rank = curves["S_1000"], curves["S_1000"]["mean rank"]
    slower = {
        f"slower than, {name}": np.mean([area < curves[name]["IR_val"].area() for area in areas])
        for name, areas in small_areas.items()
    }
    return {
        "C23": _area_differences({name: (r["IR_100"], r["IR_1000"]) for name, r in curves.items()}),
        "C24": _area_differences({name: (r["IR_val"], r["IR_100"]) for name, r in curves.items()}) | slower,
        "C25": _area_differences({rank: (mean_rank, on_large[rank]) for rank in ("IR_100", "IR_1000")}),
        "C26": {"tau": _vote_trend(table), "tau, disjoint sets": _vote_trend(disjoint)},
        "C27": {"K": _first_above(table), "K, disjoint sets": _first_above(disjoint), "pool": pool},
        "C28": {
            "first tau": tau[0],
            "rise of tau": tau[-1] - tau[0],
            "rise over the larger half": tau[-1] - tau[half],
        },
    }


def _area_differences(pairs):
    found = {}
    for name, (first, second) in pairs.items():
        found[name], found[f"low, {name}"], found[f"high, {name}"] = area_difference(first, second)
    return found


def _vote_trend(table):
    from scipy.stats import kendalltau

    voted = table["top_units"].shape[1]
    shares = [
        np.sort(votes)[::-1][:voted].mean() / n_sets
        for votes, n_sets in zip(table["votes"], table["n_sets"], strict=True)
    ]
    return float(kendalltau(table["set_size"], shares).statistic)


def _first_above(table, ratio=0.9):
    above = table["set_size"][table["ratio"] > ratio]
    return int(above.min()) if above.size else np.inf
