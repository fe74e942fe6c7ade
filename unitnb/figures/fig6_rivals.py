"""Figs. 6a, 6b, 6c and 6g: effectiveness beside its rivals, from ``class_result`` for every class."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..controls.bias import rates
from ..controls.comparison import areas, differences
from ..controls.experiments import GREEDY, RANDOM, by_area, on_set
from ..controls.scores import CAUSAL, OURS, PAPER
from ..units.intervals import paired_bootstrap
from .panels import COLOURS, new_figure

LOOKS: dict[str, tuple[str, Any]] = {  # of the scores whose curves are drawn: colour and line style
    PAPER: ("#D55E00", "-"),
    OURS: ("#009E73", "-."),
    "mean activation": ("#0072B2", "--"),
    CAUSAL: ("#000000", ":"),
    "rate only": ("#E69F00", (0, (5, 1))),
    RANDOM: ("#7F7F7F", "-"),
}
DRAWN = (PAPER, "mean activation", CAUSAL, RANDOM)  # the four scores whose curves Figs. 6a and 6g show
RATE_LOOKS = {
    "recall": ("#D55E00", "-"),
    "balanced accuracy": ("#000000", "-"),
    "false-positive rate": ("#0072B2", "--"),
    "precision": ("#009E73", "-."),
}
METRIC_LOOKS = {"recall": ("#0072B2", "o", 0.16), "balanced accuracy": ("#D55E00", "s", -0.16)}


# ---- Figs. 6a and 6b: areas ----


def rivals_figure(results: Mapping, target: str):
    """Fig. 6a: curves of the class ``target`` on test images, and each score's area against the paper's.

    ``results[class]`` is a ClassResult. The curves are of the scores ``DRAWN``, the areas over all classes.
    """
    mosaic = [["recall", "all"], ["balanced", "all"]]
    figure, axes = new_figure(mosaic, figsize=(8, 6), width_ratios=[1, 1.25])
    for name in DRAWN:
        _both_ways(axes["recall"], axes["balanced"], results[target].test[name], name)
    title = f"A  {target}, test images: both orders"
    axes["recall"].set(title=title, xlabel="units removed", ylabel="recall", ylim=(-0.03, 1.03))
    axes["balanced"].set(xlabel="units removed", ylabel="balanced accuracy", ylim=(0.35, 1.03))
    figure.legend(*axes["recall"].get_legend_handles_labels(), loc="outside lower left", ncols=2)
    _forest(axes["all"], on_set(results, "test"), [name for name in by_area(results) if name != PAPER])
    axes["all"].set_title("B  All classes, against $E$")
    figure.legend(
        *axes["all"].get_legend_handles_labels(), loc="outside lower right", title="B, 95% intervals"
    )
    return figure


def _both_ways(recall_axes, balanced_axes, curves, name):
    look = dict(zip(("color", "linestyle"), LOOKS[name], strict=True))
    for curve, order in ((curves.best_curve, "rank order"), (curves.worst_curve, "reverse")):
        label = f"_{name}, {order}"
        recall_axes.plot(curves.points, curve[0], linewidth=1.3, label=label, **look)
        balanced_axes.plot(curves.points, curve.mean(axis=0), linewidth=1.3, label=label, **look)
    recall_axes.plot([], [], label=name, **look)


def _forest(axes, tests, names):
    """Area of each name between the orders minus the paper's, with 95% intervals, in both metrics."""
    rows = np.arange(len(names))[::-1]
    for metric, (colour, marker, shift) in METRIC_LOOKS.items():
        found = np.array([paired_bootstrap(differences(tests, name, PAPER, metric)) for name in names])
        look = {"color": colour, "markersize": 4, "linewidth": 1.2, "label": metric}
        axes.errorbar(found[:, 0], rows + shift, xerr=arms(found), fmt=marker, **look)
    axes.axvline(0, color=COLOURS["random"], linewidth=0.9)
    axes.set(yticks=rows, yticklabels=names, xlabel="area between the orders, minus that of $E$")


def arms(found: np.ndarray) -> np.ndarray:
    """Lengths of the error bars, (2, m), of means with their intervals, (m, 3)."""
    return np.abs(found[:, 1:] - found[:, :1]).T


def areas_figure(results: Mapping, metric="balanced accuracy"):
    """Fig. 6b: the area between the two orders of every score on every class, on test images.

    The best score of a class is framed, without greedy insertion, which costs far more than the others.
    """
    names, tests = by_area(results), on_set(results, "test")
    values = np.array([areas(tests, name, metric) for name in names])
    figure, axes = new_figure([["only"]], figsize=(8, 0.5 + 0.29 * len(names)))
    place, bound = axes["only"], np.abs(values).max()
    drawn = place.imshow(values, aspect="auto", cmap="PuOr_r", vmin=-bound, vmax=bound)
    for (row, column), value in np.ndenumerate(values):
        look = {"fontsize": 7.5, "color": "white" if abs(value) > 0.65 * bound else "black"}
        place.text(column, row, f"{value:.2f}", ha="center", va="center", **look)
    _frame_best(place, values, [row for row, name in enumerate(names) if name != GREEDY])
    place.set(yticks=range(len(names)), yticklabels=names, xticks=range(len(results)))
    place.set_title(f"Area between the orders, {metric}")
    place.set_xticklabels(results, rotation=35, ha="right")
    place.grid(False)
    figure.colorbar(drawn, label="area, rank order to reverse", pad=0.01)
    return figure


def _frame_best(axes, values, cheap):
    import matplotlib.pyplot as plt

    look: dict = {"fill": False, "edgecolor": "black", "linewidth": 1.6}
    for column in range(values.shape[1]):
        row = cheap[int(values[cheap, column].argmax())]
        axes.add_patch(plt.Rectangle((column - 0.5, row - 0.5), 1, 1, **look))


# ---- Figs. 6c and 6g: recall or bias ----


def bias_figure(results: Mapping, rises: Mapping[str, np.ndarray]):
    """Fig. 6c: least effective units first, mean over the classes, in four rates; and each class's gain.

    ``rises[metric]`` is (classes,): the gain on test images at the number of units that is best on training
    images, in recall and in balanced accuracy.
    """
    figure, axes = new_figure([["train", "test", "gain"]], figsize=(8, 3.4))
    for kind, title in (("train", "A  Other training images"), ("test", "B  Test images")):
        curves = [result[PAPER] for result in on_set(results, kind)]
        for name, mean in _mean_rates(curves, "worst").items():
            colour, style = RATE_LOOKS[name]
            axes[kind].plot(curves[0].points, mean, color=colour, linestyle=style, label=name)
        axes[kind].set(title=title, xlabel="least effective units removed", ylim=(-0.03, 1.03))
    axes["train"].set_ylabel("mean over classes")
    figure.legend(*axes["test"].get_legend_handles_labels(), loc="outside lower center", ncols=4)
    _gain_panel(axes["gain"], rises)
    return figure


def _gain_panel(axes, rises):
    for place, (metric, values) in enumerate(rises.items()):
        colour, marker, _ = METRIC_LOOKS[metric]
        spread = place + np.linspace(-0.2, 0.2, len(values))
        axes.plot(spread, values, marker, color=colour, markersize=4.5, label="_class by class")
        axes.hlines(values.mean(), place - 0.3, place + 0.3, color=colour, label="_mean over classes")
    axes.axhline(0, color=COLOURS["random"], linewidth=0.9)
    axes.set(xticks=[0, 1], xticklabels=["recall", "balanced\naccuracy"], xlim=(-0.5, 1.5))
    axes.set(ylabel="gain on test images", title="C  Gain, one dot a class")


def rates_figure(results: Mapping):
    """Fig. 6g: four rates while units are removed, on test images, means over the classes.

    The least important units go first above, and the most important ones below.
    """
    mosaic = [[f"{row} {name}" for name in RATE_LOOKS] for row in ("worst", "best")]
    figure, axes = new_figure(mosaic, figsize=(8, 4.8), sharex=True)
    for score in DRAWN:
        colour, style = LOOKS[score]
        curves = [result[score] for result in on_set(results, "test")]
        for row in ("worst", "best"):
            for name, mean in _mean_rates(curves, row).items():
                look = {"color": colour, "linestyle": style, "label": score}
                axes[f"{row} {name}"].plot(curves[0].points, mean, **look)
    for letter, name in zip("ABCD", RATE_LOOKS, strict=True):
        axes[f"worst {name}"].set_title(f"{letter}  {name.capitalize()}")
        axes[f"best {name}"].set_xlabel("units removed")
    for row, words in (("worst", "least important first"), ("best", "most important first")):
        axes[f"{row} recall"].set_ylabel(f"{words}\nmean over classes")
    figure.legend(*axes["worst recall"].get_legend_handles_labels(), loc="outside lower center", ncols=4)
    return figure


def _mean_rates(curves, side):
    """Each rate along the "best" or the "worst" curves, mean over classes, in the order of RATE_LOOKS."""
    found = [rates(getattr(c, f"{side}_curve"), len(c.worst_first[0]), len(c.worst_first[1])) for c in curves]
    return {name: _mean_known([rate[name] for rate in found]) for name in RATE_LOOKS}


def _mean_known(rows):
    """Mean over the first axis of what is finite; NaN where nothing is."""
    rows = np.array(rows)
    known = np.isfinite(rows)
    count = known.sum(axis=0)
    total = np.where(known, rows, 0).sum(axis=0)
    return np.divide(total, count, out=np.full(len(count), np.nan), where=count > 0)
