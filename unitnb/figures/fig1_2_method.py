"""Figs. 1 and 2A, and small pictures of each step from an image to a birth point, for ``01_method``."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..topology.barcodes import barcode, hole_at
from ..topology.births import betti_curves, edges_present, first_hole, symmetrize, top_edges, top_set
from ..topology.nulls import null_births
from . import panels
from .panels import COLOURS, new_figure


def draw_barcode(axes, bars: np.ndarray, last: float, title: str) -> None:
    """Bars (m, 2) over the number of edges present; those that are open at the end reach beyond ``last``.

    The first bar, and those that begin with it, are thick.
    """
    for place, (begin, end) in enumerate(bars):
        colour, width = (COLOURS["rank"], 2.6) if begin == bars[0, 0] else ("#444444", 1.3)
        axes.plot([begin, min(end, last + 1)], [place, place], color=colour, linewidth=width)
    axes.set(xlabel="edges present, v", ylabel="bar", title=title)
    axes.set(xlim=(0, last + 1), ylim=(-1, max(len(bars), 1)))
    axes.yaxis.get_major_locator().set_params(integer=True)


def draw_betti_numbers(axes, present: np.ndarray, betti: np.ndarray, v: float | None = None) -> None:
    """beta_0, connected components, and beta_1, holes, (levels, 2) over the edges present.

    ``v`` marks a number of edges.
    """
    for k, (label, colour, style) in enumerate([("β₀", "#7F7F7F", "--"), ("β₁", "#222222", "-")]):
        axes.step(present, betti[:, k], where="post", color=colour, linestyle=style, label=label)
    if v is not None:
        axes.axvline(v, color=COLOURS["rank"], linewidth=1.2)
    axes.set(xlabel="edges present, v", title="Pieces β₀ and holes β₁", ylim=(-0.3, betti.max() * 1.15 + 0.5))
    axes.yaxis.get_major_locator().set_params(integer=True)
    axes.legend(loc="upper right")


def example_figure(weights: np.ndarray, orders: Sequence[int]):
    """The example by hand: a symmetric matrix (n, n), and the complexes of its ``orders`` strongest edges.

    The edges of a hole are thick.
    """
    figure, axes = new_figure([["matrix", *map(str, orders)]], figsize=(8, 1.9))
    panels.draw_image(axes["matrix"], weights, "strengths")
    for (i, j), weight in np.ndenumerate(weights):
        text, colour = f"{weight:g}" if i != j else "", "white" if weight < 5 else "black"
        axes["matrix"].text(j, i, text, ha="center", va="center", color=colour)
    for order in orders:
        _draw_step(axes[str(order)], weights, order)
    return figure


def _draw_step(axes, fmap, v: int, names: bool = True) -> None:
    edges, hole = _edges_at(fmap, v), hole_at(fmap, v)
    title = f"v = {len(edges)}{': a hole' if hole else ''}"
    panels.draw_complex(axes, len(fmap), edges, title, hole, names=names)


def _edges_at(fmap, v: int):
    """The edges present at the first level of at least v edges: equal values enter together."""
    return top_edges(fmap, int(np.searchsorted(edges_present(fmap), v)) + 1)


def map_figure(image: np.ndarray, fmap: np.ndarray):
    """An image, the map of one unit for it, and the symmetrized map."""
    figure, axes = new_figure([["image", "map", "symmetric"]], figsize=(6.4, 2.3))
    panels.draw_image(axes["image"], image, "the image")
    panels.draw_image(axes["map"], fmap, "the unit's map $F$")
    panels.draw_image(axes["symmetric"], symmetrize(fmap), r"$F_s = \max(F, F^T)$")
    return figure


def growing_orders(fmap: np.ndarray, birth: int) -> list[int]:
    """Five numbers of edges that lead to the birth; the last two are the one before it and the birth itself.

    Fewer where the birth comes early.
    """
    present = edges_present(fmap)
    before = present[present < birth]
    if len(before):
        before = before[np.unique(np.linspace(0, len(before) - 1, 4).round().astype(int))]
    return [*map(int, before), birth]


def growth_figure(fmap: np.ndarray, orders: Sequence[int]):
    """Top sets of growing order (Eq. 2) framed in the symmetrized map, above the complexes they span."""
    names = [[f"set {v}" for v in orders], [f"complex {v}" for v in orders]]
    figure, axes = new_figure(names, figsize=(1.6 * len(orders), 3.4))
    for v in orders:
        panels.draw_top_set(axes[f"set {v}"], symmetrize(fmap), _edges_at(fmap, v), f"top set, v = {v}")
        _draw_step(axes[f"complex {v}"], fmap, v, names=False)
    return figure


def barcode_figure(fmap: np.ndarray, birth: int):
    """The Betti curve beta_1 of a map above its barcode, the birth point marked in both."""
    figure, axes = new_figure([["betti"], ["bars"]], figsize=(6.4, 4.2), sharex=True)
    present, (_, betti) = edges_present(fmap), betti_curves(fmap)
    panels.draw_betti_curve(axes["betti"], present, betti[:, 1], birth)
    title = "Barcode: each bar is a hole, from its first edge to its filling"
    draw_barcode(axes["bars"], barcode(fmap), present[-1], title)
    axes["bars"].axvline(birth, color=COLOURS["rank"], linestyle="--", linewidth=1.2)
    return figure


def layer_figure(
    rate: np.ndarray, entropy: np.ndarray, effectiveness: np.ndarray, unit: int, null: tuple[float, float]
):
    """Selective rate and entropy (nats) of all units of a layer, and their effectiveness by rank, (u,) each.

    ``unit`` is marked. ``null`` is (mean, standard deviation) of the entropy of i.i.d. maps.
    """
    figure, axes = new_figure([["parts", "rank"]], figsize=(8, 3.2))
    place = np.argsort(np.argsort(-effectiveness, kind="stable"))
    panels.draw_null_entropy(axes["parts"], null)
    axes["parts"].scatter(rate, entropy, s=12, color="#444444", label="_units")
    ordered = np.sort(effectiveness)[::-1]
    axes["rank"].plot(np.arange(1, len(place) + 1), ordered, color="#222222", label="_units")
    for name, x, y in (("parts", rate[unit], entropy[unit]), ("rank", place[unit] + 1, effectiveness[unit])):
        axes[name].scatter([x], [y], s=50, color=COLOURS["rank"], zorder=4, label=f"unit {unit}")
    figure.legend(*axes["parts"].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    axes["parts"].set(xlabel=r"selective rate $\varepsilon$", ylabel="entropy $H$ (nats)")
    axes["parts"].set_title("A  Every unit of the layer")
    axes["rank"].set(xlabel="place in the importance rank", ylabel="effectiveness $E$ (1/nats)")
    axes["rank"].set_title(r"B  Effectiveness, $E = \varepsilon / H$")
    return figure


def top_set_figure(fmap: np.ndarray, birth: int):
    """Fig. 1: a top set of four edges framed in the symmetrized map (A) and its complex (B).

    Beside them the complex of the birth (C) and its hole as a polygon (D). Fewer edges where four tie or have
    the hole already.
    """
    figure, axes = new_figure([["map", "few"], ["birth", "hole"]], figsize=(8, 7))
    first, last, hole = top_set(fmap, min(4, birth - 1)), top_set(fmap, birth), first_hole(fmap)
    title = f"A  Top set of order {len(first)} in $F_s$"
    panels.draw_top_set(axes["map"], symmetrize(fmap), first, title, numbered=True)
    panels.draw_complex(axes["few"], len(fmap), first, "B  Its feature topology: no hole")
    panels.draw_complex(axes["birth"], len(fmap), last, f"C  With {birth} edges: the first hole", hole)
    panels.draw_hole(axes["hole"], hole, f"D  The hole alone: a ring of {len(hole)} edges")
    return figure


def method_figure(
    image: np.ndarray,
    fmap: np.ndarray,
    birth: int,
    births: np.ndarray,
    rare_births: np.ndarray,
    units: tuple[int, int],
):
    """Fig. 2A: image, map, symmetrized map, filtration, Betti curve, and births of two units over the images.

    Parameters
    ----------
    image, fmap : (H, W, 3), (n, n)
    birth : int
        Of ``fmap``, in edges.
    births, rare_births : (images,) int
        Of the two units, 0 for none.
    units : (int, int)
        Their numbers.
    """
    figure, axes = _two_rows(["image", "map", "symmetric", "v1", "v2", "v3"], ["betti", "unit", "rare"])
    panels.draw_image(axes["image"], image, "image")
    panels.draw_image(axes["map"], fmap, "map $F$")
    panels.draw_image(axes["symmetric"], symmetrize(fmap), "$F_s$")
    for number, order in enumerate((max(birth // 2, 1), birth - 1, birth), start=1):
        hole, edges = first_hole(fmap) if order == birth else (), top_set(fmap, order)
        panels.draw_complex(axes[f"v{number}"], len(fmap), edges, f"v = {len(edges)}", hole, names=False)
    _, betti = betti_curves(fmap)
    panels.draw_betti_curve(axes["betti"], edges_present(fmap), betti[:, 1], birth)
    null = null_births(len(fmap))
    for name, found, unit in (("unit", births, units[0]), ("rare", rare_births, units[1])):
        panels.draw_births(axes[name], found, f"unit {unit}: selective rate {np.mean(found > 0):.2f}", null)
    ends = [(axes[name].get_xlim()[1], axes[name].get_ylim()[1] / 1.4) for name in ("unit", "rare")]
    for name in ("unit", "rare"):  # the same axis
        axes[name].set(xlim=(3, max(ends)[0]), ylim=(0, 1.08 * max(top for _, top in ends)))
    axes["rare"].set_ylabel("")
    key = axes["rare"].get_legend_handles_labels()
    axes["rare"].get_figure(root=False).legend(*key, loc="outside lower right", ncols=2)
    return figure


def _two_rows(upper: Sequence[str], lower: Sequence[str]):
    """A figure of two rows of panels by name, each row with even gaps of its own."""
    import matplotlib.pyplot as plt

    panels.use_style()
    figure = plt.figure(figsize=(8, 4.6))
    parts: Any = figure.subfigures(2, 1, height_ratios=[1.15, 1.9])
    return figure, parts[0].subplot_mosaic([list(upper)]) | parts[1].subplot_mosaic([list(lower)])
