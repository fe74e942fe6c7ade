"""Fig. 7: smaller networks. The paper has no such figure; its abstract leads to it."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..controls.simplification import RANDOM
from .panels import COLOURS, new_figure

LOOKS: dict[str, tuple[str, Any]] = {  # colour and line style of each score
    "E": ("#D55E00", "-"),
    "rate": ("#E69F00", (0, (5, 1))),
    "1/H": ("#CC79A7", (0, (1, 1))),
    "mean activation": ("#0072B2", "--"),
    "L1": ("#56B4E9", "-."),
    "APoZ": ("#999933", (0, (3, 1, 1, 1))),
    "Taylor": ("#009E73", "-"),
    "Shapley": ("#000000", ":"),
}
SPECIALIST_LOOKS: dict[str, tuple[str, Any, str]] = {
    "units for these classes": ("#009E73", ":", "o"),
    "units for all classes": ("#0072B2", ":", "s"),
    "units for these classes, trained": ("#009E73", "-", "o"),
    "units for all classes, trained": ("#0072B2", "-", "s"),
    "from nothing": ("#D55E00", "--", "X"),
}


def kept_figure(results, target: str):
    """Fig. 7: accuracy against the share of the units kept, for one class and for all, untrained.

    ``results`` is of ``simplification_results``. The grey band is the range of the random orders.
    """
    mosaic = [["recall", "balanced", "every"]]
    figure, axes = new_figure(mosaic, figsize=(8, 3.7), sharex=True)
    panels = (
        ("recall", results.one, "accuracy", f"A  {target}: accuracy"),
        ("balanced", results.one, "balanced_accuracy", "B  Balanced accuracy"),
        ("every", results.every, "accuracy", "C  All classes: accuracy"),
    )
    for name, curves, metric, title in panels:
        _kept_panel(axes[name], curves, metric)
        axes[name].set(title=title, xlabel="share of units kept", xlim=(0, 1))
    axes["recall"].set(ylabel="test images", ylim=(-0.03, 1.03))
    axes["balanced"].set_ylim(0.45, 1.03)
    axes["every"].set_ylim(-0.03, 1.03)
    figure.legend(*axes["every"].get_legend_handles_labels(), loc="outside lower center", ncols=5)
    return figure


def _kept_panel(axes, curves: Mapping, metric: str) -> None:
    random = np.array([getattr(curve, metric) for curve in curves[RANDOM]])
    share = curves[RANDOM][0].points / curves[RANDOM][0].points[-1]
    look: dict = {"color": COLOURS["random"], "alpha": 0.25, "linewidth": 0}
    axes.fill_between(share, random.min(axis=0), random.max(axis=0), label=f"{len(random)} {RANDOM}", **look)
    for name, (colour, style) in LOOKS.items():
        if name in curves:
            values = getattr(curves[name][0], metric)
            axes.plot(share, values, color=colour, linestyle=style, linewidth=1.3, label=name)


def smaller_networks_figure(
    before: Mapping, after: Mapping, counts: Sequence[int], specialist: Mapping, core: Mapping, few
):
    """Fig. 7b: what a short training mends, a specialist for a few classes, and the core alone.

    Parameters
    ----------
    before, after : (orders, counts) by score
        Of ``accuracies_before`` and ``tuned_accuracies``; ``after`` may be empty.
    counts : three numbers of units kept
    specialist : (counts,) by kind of network, of ``specialist_accuracies``
    core : (classes,) by name, of ``core_results``
    few : names of the specialist's classes
    """
    mosaic = [[f"tuned {count}" for count in counts], ["few", "few", "core"]]
    figure, axes = new_figure(mosaic, figsize=(8, 6), height_ratios=[1.25, 1])
    for place, count in enumerate(counts):
        _tuned_panel(axes[f"tuned {count}"], before, after, place)
        axes[f"tuned {count}"].set_title(f"{'A  ' if not place else ''}{count} units kept")
        axes[f"tuned {count}"].tick_params(labelleft=not place)
    figure.legend(*axes[f"tuned {counts[0]}"].get_legend_handles_labels(), loc="outside upper right", ncols=2)
    _specialist_panel(axes["few"], specialist, counts)
    axes["few"].set_title(f"B  A network for {', '.join(few)}")
    key = axes["few"].get_legend_handles_labels()
    figure.legend(*key, loc="outside lower left", ncols=3, title="B", alignment="left")
    _core_panel(axes["core"], core)
    return figure


def _tuned_panel(axes, before: Mapping, after: Mapping, place: int) -> None:
    """A row a score: accuracy before and after the training; means of random orders."""
    names = [*(name for name in LOOKS if name in before), RANDOM]
    rows = np.arange(len(names))[::-1]
    first = [before[name][:, place].mean() for name in names]
    axes.plot(first, rows, "o", color="#999999", markersize=5, label="A, before training")
    if after:
        last = [after[name][:, place].mean() for name in names]
        axes.hlines(rows, first, last, color="#BBBBBB", linewidth=1.2, label="_before to after")
        axes.plot(last, rows, "D", color=COLOURS["rank"], markersize=5, label="A, after")
    axes.set(yticks=rows, yticklabels=names, xlim=(0, 1.03), xlabel="accuracy, all classes")
    axes.set(xticks=[0, 0.5, 1], xticklabels=["0", "0.5", "1"])


def _specialist_panel(axes, specialist: Mapping, counts) -> None:
    for name, values in specialist.items():
        colour, style, marker = SPECIALIST_LOOKS[name]
        axes.plot(counts, values, marker, color=colour, linestyle=style, markersize=4.5, label=name)
    axes.set_xscale("log", base=2)
    axes.set(
        xlabel="units kept", ylabel="accuracy", ylim=(0, 1.03), xticks=counts, xticklabels=map(str, counts)
    )
    axes.minorticks_off()


def _core_panel(axes, core: Mapping) -> None:
    for name, (colour, marker) in {
        "accuracy": ("#0072B2", "o"),
        "balanced accuracy": ("#D55E00", "s"),
    }.items():
        axes.plot(core["share"], core[name], marker, color=colour, markersize=5, label=name)
    axes.axhline(0, color=COLOURS["random"], linewidth=0.9)
    axes.set(title="C  The core alone", xlabel="share of units in the core", ylabel="change on test images")
    low, high = axes.get_ylim()
    axes.set(xlim=(0, 1.03), ylim=(low, high + 0.4 * (high - low)))  # room for the legend
    axes.legend(loc="upper right")
