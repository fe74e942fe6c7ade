"""Figs. 6h and 6i: C15 in other networks and with fewer classes, entropy by depth, and a second layer."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..controls.comparison import areas
from ..controls.experiments import kendall
from ..controls.many_networks import Loss
from ..controls.scores import PAPER
from ..controls.second_layer import SecondLayer
from .fig6_rivals import LOOKS
from .panels import COLOURS, new_figure
from .words import table

SERIES = {  # fields of Loss: words and colour
    "best_first": ("most effective first", LOOKS[PAPER][0]),
    "mean_activation": ("mean activation first", LOOKS["mean activation"][0]),
    "random_orders": ("random orders", COLOURS["random"]),
}
PAPERS = {"units": 512, "classes": 1000, "accuracy": 0.58}  # of Fig. 3A, where 85% is lost after 17 units
PAPERS_SHARE = 17 / 512
TAILS = {"flattened": "o", "pooled": "s", "convolutions": "^"}  # markers
SECOND_LOOKS = LOOKS | {"1/H only": ("#CC79A7", "-."), "Taylor": ("#000000", ":")}


# ---- C15 in other networks ----


def networks_figure(losses: Sequence[Loss]):
    """Fig. 6h: the share of the units after which 85% of the accuracy is lost, for each network.

    Left, medians and quartiles over classes; right, the medians against the number of units, the number of
    classes and the accuracy at the start (S_100, mean over classes). Lines join networks that differ in one
    thing alone. A star is the paper's number.
    """
    groups = by_network(losses)
    mosaic = [["rows", panel] for panel in PAPERS]
    height = max(5.4, 1 + 0.42 * len(groups))
    figure, axes = new_figure(mosaic, figsize=(8, height), width_ratios=[1.15, 1])
    _network_rows(axes["rows"], groups)
    for letter, panel, words in (
        ("B", "units", "units of the layer"),
        ("C", "classes", "classes"),
        ("D", "accuracy", "accuracy at the start"),
    ):
        _scatter(axes[panel], groups, panel)
        axes[panel].set(xlabel=words, ylim=(0, 1.04), title=f"{letter}  By {words}")
    for panel in ("units", "classes"):
        axes[panel].set_xscale("log")
        known = sorted({getattr(loss, panel) for loss in losses} | {PAPERS[panel]})
        axes[panel].set_xticks(_apart(known), labels=[str(value) for value in _apart(known)])
        axes[panel].minorticks_off()
    for panel in PAPERS:
        axes[panel].set_ylabel("share of the units")
    axes["rows"].plot([], [], "*", color="black", markersize=10, linestyle="", label="the paper's network")
    figure.legend(*axes["rows"].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return figure


def _apart(values) -> list[int]:
    """Of rising numbers those whose names stand apart on a logarithmic axis, the largest among them."""
    found: list[int] = []
    for value in reversed(values):
        if not found or 1.7 * value <= found[-1]:
            found.append(value)
    return found[::-1]


def by_network(losses: Sequence[Loss]) -> dict[tuple, list[Loss]]:
    """The losses of each network, by (profile, units, classes, tail), sorted by data, classes and units."""
    ordered = sorted(losses, key=lambda loss: (loss.profile.partition("-")[0], loss.classes, loss.units))
    found: dict[tuple, list[Loss]] = {}
    for loss in ordered:
        found.setdefault((loss.profile, loss.units, loss.classes, loss.tail), []).append(loss)
    return found


def median_loss(group: Sequence[Loss], series: str) -> np.ndarray:
    """Median, lower and upper quartile over the classes, (3,); a share that is never reached counts as 1."""
    values = np.minimum([getattr(loss, series) for loss in group], 1)
    return np.nanquantile(values, [0.5, 0.25, 0.75])


def _network_rows(axes, groups):
    rows = np.arange(len(groups))[::-1]
    for shift, (series, (words, colour)) in zip((0.2, 0, -0.2), SERIES.items(), strict=True):
        found = np.array([median_loss(group, series) for group in groups.values()])
        arms = np.abs(found[:, 1:] - found[:, :1]).T
        look = {"color": colour, "markersize": 4.5, "linewidth": 1.1, "label": words}
        axes.errorbar(found[:, 0], rows + shift, xerr=arms, fmt="o", **look)
    axes.axvline(
        PAPERS_SHARE, color="black", linestyle=":", linewidth=1.2, label="the paper, most effective first"
    )
    names = [f"{name}\n{units} units, {classes} classes\n{tail}" for name, units, classes, tail in groups]
    axes.set_yticks(rows, names, fontsize=6.5)
    axes.set(xlim=(0, 1.04), xlabel="share of the units until 85% is lost", ylim=(-0.6, len(rows) - 0.4))
    axes.set_title("A  Units until accuracy is lost")


def _scatter(axes, groups, panel):
    for series, (_, colour) in SERIES.items():
        for (_, _, _, tail), group in groups.items():
            marker = TAILS[tail.partition(",")[0]]
            look: dict = {"color": colour, "markersize": 4.5, "label": f"_{SERIES[series][0]}"}
            axes.plot(_place(group, panel), median_loss(group, series)[0], marker, **look)
        for family in _families(groups, panel):
            line = [(_place(group, panel), median_loss(group, series)[0]) for group in family]
            look = {"color": colour, "linewidth": 0.9, "label": f"_{SERIES[series][0]}, a family"}
            axes.plot(*zip(*sorted(line), strict=True), **look)
    axes.plot(PAPERS[panel], PAPERS_SHARE, "*", color="black", markersize=10, label="_the paper")


def _place(group, panel) -> float:
    return float(np.mean([getattr(loss, panel) for loss in group]))


def _families(groups, panel):
    """Networks that differ in their units alone, or in their classes alone."""
    if panel == "accuracy":
        return []
    kept = {"units": lambda key: (key[0].removesuffix(f"-{key[1]}"), key[2]), "classes": lambda key: key[:2]}[
        panel
    ]
    names = {kept(key) for key in groups}
    families = ([group for key, group in groups.items() if kept(key) == name] for name in sorted(names))
    return [family for family in families if len(family) > 1]


# ---- depth, and a second layer ----


def depth_figure(depth: Mapping[str, Any], sides: Sequence[int], second: SecondLayer | None):
    """Fig. 6i: entropy by depth, over that of structureless maps of the same size; and a second layer.

    Parameters
    ----------
    depth : the numbers of C45, of ``depth_claim``: by layer H minus chance, and chance, in nats
    sides : rows of the maps of its layers
    second : of ``second_layer``; None leaves its panels out
    """
    lower = [["recall", "balanced"]] if second else []
    figure, axes = new_figure([["depth", "over"], *lower], figsize=(8, 2.9 * (1 + len(lower))))
    places, chance = np.arange(1, len(sides) + 1), np.array(depth["by chance"])
    for kind, (colour, marker) in {
        "trained": (COLOURS["rank"], "o"),
        "random": (COLOURS["random"], "s"),
    }.items():
        values = np.array(depth[f"by layer, {kind}"])
        look = {"color": colour, "marker": marker, "markersize": 3.5, "label": f"{kind} weights"}
        axes["depth"].plot(places, values + chance, **look)
        axes["over"].plot(places, values, **look)
    axes["depth"].plot(places, chance, color="black", linestyle=":", label="structureless maps")
    axes["over"].axhline(0, color="black", linestyle=":")
    axes["depth"].set(ylabel="mean $H$ (nats)", title="A  Entropy by depth")
    axes["over"].set(ylabel="mean $H$ minus chance's", title="B  The same, minus chance at that size")
    for panel in ("depth", "over"):
        axes[panel].set_xlabel("layer (rows of its maps)")
        axes[panel].set_xticks(*_ticks(sides))
    axes["depth"].legend()
    if second:
        _second_panels(axes, second)
        figure.legend(*axes["recall"].get_legend_handles_labels(), loc="outside lower center", ncols=4)
    return figure


def _ticks(sides) -> tuple[list[int], list[str]]:
    """A tick where the size of the maps changes, and at the last layer."""
    found = [i for i, side in enumerate(sides, start=1) if i == 1 or side != sides[i - 2]]
    if len(sides) - found[-1] > len(sides) / 20:
        found.append(len(sides))
    return found, [f"{i}\n({sides[i - 1]})" for i in found]


def _second_panels(axes, second):
    for name, curves in second.test.items():
        colour, style = SECOND_LOOKS[name]
        for curve, order in ((curves.best_curve, "rank order"), (curves.worst_curve, "reverse")):
            share = curves.points / curves.points[-1]
            look: dict = {"color": colour, "linestyle": style, "linewidth": 1.2, "label": f"_{name}, {order}"}
            axes["recall"].plot(share, curve[0], **look)
            axes["balanced"].plot(share, curve.mean(axis=0), **look)
        axes["recall"].plot([], [], color=colour, linestyle=style, label=name)
    (height, _, units), layer = second.map_shape, second.layer.rsplit("/", 1)[-1]  # of a path, its end
    axes["recall"].set(title=f"C  Second layer: {layer}", ylabel="recall", ylim=(-0.03, 1.03))
    axes["balanced"].set(
        title=f"D  Its {units} units of {height}x{height}", ylabel="balanced accuracy", ylim=(0.35, 1.03)
    )
    for panel in ("recall", "balanced"):
        axes[panel].set_xlabel("share of the units removed")


def depth_table(depth: Mapping[str, Any], sides: Sequence[int]) -> str:
    """Mean H of the first and last layer, in nats, the same minus chance, and how that goes with depth.

    In Markdown. The arguments are those of ``depth_figure``.
    """
    chance = np.array(depth["by chance"])
    ends = [f"{place} layer, {side} rows" for place, side in (("first", sides[0]), ("last", sides[-1]))]
    rows = [["structureless maps", f"{chance[0]:.2f}", f"{chance[-1]:.2f}", "", "", ""]]
    for kind in ("trained", "random"):
        values = np.array(depth[f"by layer, {kind}"])
        tau = kendall(np.arange(len(values)), values) if len(values) > 1 else float("nan")
        whole = [f"{value:.2f}" for value in (values + chance)[[0, -1]]]
        rows.append([f"{kind} weights", *whole, f"{values[0]:+.2f}", f"{values[-1]:+.2f}", f"{tau:+.1f}"])
    return table(["mean H", *ends, "first minus chance", "last minus chance", "tau with depth"], rows)


def second_words(second: SecondLayer) -> str:
    """The second layer, its means, and each score's area between the two orders on test images."""
    height, _, units = second.map_shape
    areas_text = ", ".join(f"{name} {areas([second.test], name)[0]:.2f}" for name in second.test)
    return (
        f"{second.layer}: {units} units of {height}x{height} ({second.tail} behind them), mean H "
        f"{second.entropy:.1f} nats, rate {second.rate:.2f}\narea between the orders: {areas_text}"
    )
