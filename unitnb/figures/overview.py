"""README's first picture: from a map to a graph, its first hole, the rank of all units, and the curve."""

import numpy as np

from ..topology.barcodes import hole_at
from ..topology.births import edges_present, symmetrize, top_edges
from . import panels
from .panels import COLOURS, new_figure

PANELS = ["map", "graph", "hole", "rank", "curve"]


def overview_figure(
    fmap: np.ndarray,
    birth: int,
    effectiveness: np.ndarray,
    unit: int,
    removed: np.ndarray,
    random: np.ndarray,
):
    """Five panels: a map's strongest entries, as a graph just before its first hole, and with it; the rank of
    all units; accuracy as they are removed in that order.

    Parameters
    ----------
    fmap : (n, n), the map of ``unit``
    birth : its birth point, in edges
    effectiveness : (units,) E of each unit, in 1/nats; infinite values are drawn at the largest finite one
    removed : (units + 1,) accuracy after k units, most effective first
    random : (orders, units + 1) the same in random orders
    """
    figure, axes = new_figure([PANELS], figsize=(10, 2.3), width_ratios=[1, 1, 1, 1.2, 1.2])
    level = int(np.searchsorted(edges_present(fmap), birth))
    before, there = top_edges(fmap, level), top_edges(fmap, level + 1)
    panels.draw_top_set(axes["map"], symmetrize(fmap), there, f"1  map: top {len(there)} entries")
    panels.draw_complex(axes["graph"], len(fmap), before, f"2  graph: {len(before)} edges")
    panels.draw_complex(axes["hole"], len(fmap), there, f"3  hole at edge {birth}", hole_at(fmap, birth))
    _draw_rank(axes["rank"], effectiveness, unit)
    _draw_removal(axes["curve"], removed, random)
    return figure


def _draw_rank(axes, effectiveness, unit):
    finite = np.minimum(effectiveness, effectiveness[np.isfinite(effectiveness)].max())
    order = np.argsort(-finite, kind="stable")
    axes.bar(np.arange(len(order)), finite[order], width=1.0, color="#B9C4CE")
    place = int(np.flatnonzero(order == unit)[0])
    axes.bar(place, finite[unit], width=1.0, color=COLOURS["rank"], label="this unit")
    axes.set(title="4  rank of all units by E", xlabel="place in the rank", ylabel="E (1/nats)")
    axes.legend(loc="upper right")


def _draw_removal(axes, removed, random):
    panels.draw_random(axes, random)
    axes.plot(removed, color=COLOURS["rank"])
    axes.text(0.05, 0.42, "by E", transform=axes.transAxes, color=COLOURS["rank"])
    axes.text(0.3, 0.62, "random orders", transform=axes.transAxes, color="#555555", fontsize=8)
    axes.set(title="5  removal by this rank", xlabel="units removed", ylabel="accuracy", ylim=(-0.03, 1.03))
