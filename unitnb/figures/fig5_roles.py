"""Fig. 5 and further figures of roles: by balanced accuracy, by unit, over many models, between classes."""

from collections.abc import Mapping, Sequence

import numpy as np

from . import panels
from .panels import COLOURS, STYLES, new_figure

ROLE_FILLS = {"core": "#F2A79B", "overfitted": "#FBC57B", "generalizing": "#FAF0A0", "confusing": "#CBE5F6"}
ROLE_HATCHES = {"core": "", "overfitted": "///", "generalizing": "...", "confusing": "\\\\"}
MARKS = {
    "core": ("o", "#D55E00"),
    "overfitted": ("^", "#E69F00"),
    "generalizing": ("s", "#009E73"),
    "confusing": ("x", "#56B4E9"),
}


def roles_figure(runs: Mapping[str, tuple]):
    """Fig. 5: insertion curves of each model on training and test images over the spans of the roles.

    Accuracy is above, loss below, with 95% bands over the images. ``runs[model]`` is (training Curve, test
    Curve, Roles).
    """
    models = list(runs)
    figure, axes = new_figure(
        [[f"{m} accuracy" for m in models], [f"{m} loss" for m in models]], figsize=(8, 4.6), sharex=True
    )
    for model, (train, test, roles) in runs.items():
        for metric in ("accuracy", "loss"):
            place = axes[f"{model} {metric}"]
            draw_roles(place, roles.spans)
            for kind, curve in (("test", test), ("train", train)):
                panels.draw_curve(place, getattr(curve, metric), kind, band=curve.band(metric, n_boot=200))
            panels.label_curves(
                place,
                metric,
                f"Model {model}" if metric == "accuracy" else "",
                "units inserted" if metric == "loss" else "",
            )
    role_legend(figure)
    return figure


def balanced_roles_figure(runs: Mapping[str, tuple], effects: Mapping[str, tuple]):
    """Fig. 5B: insertion curves of balanced accuracy over the spans of its roles, and units' mean effects.

    ``runs[model]`` is (training Curve, test Curve, Roles by balanced accuracy). ``effects[model]`` is (effect
    on training accuracy, on test accuracy, roles by unit), (u,) each.
    """
    figure, axes = new_figure([[f"{m} curve" for m in runs], [f"{m} effect" for m in runs]], figsize=(8, 4.6))
    for model, (train, test, roles) in runs.items():
        place = axes[f"{model} curve"]
        draw_roles(place, roles.spans)
        for kind, curve in (("test", test), ("train", train)):
            band = curve.band("balanced_accuracy", n_boot=200)
            panels.draw_curve(place, curve.balanced_accuracy, kind, band=band)
        panels.label_curves(place, "balanced_accuracy", f"Model {model}", "units inserted")
        draw_effects(axes[f"{model} effect"], *effects[model])
    axes[f"{next(iter(runs))} effect"].legend(fontsize=7, handletextpad=0.1, borderpad=0.2, labelspacing=0.2)
    role_legend(figure)
    return figure


def draw_effects(axes, train: np.ndarray, test: np.ndarray, roles: Sequence[str]) -> None:
    """Mean effect of each unit on training and on test accuracy, marked by role, in percentage points.

    ``train`` and ``test`` are (u,), in accuracy.
    """
    for role, (marker, colour) in MARKS.items():
        chosen = np.asarray(roles) == role
        look = {"s": 12, "marker": marker, "color": colour, "linewidths": 1.0}
        axes.scatter(100 * train[chosen], 100 * test[chosen], label=role, **look)
    axes.axhline(0, color="#888888", linewidth=0.7)
    axes.axvline(0, color="#888888", linewidth=0.7)
    axes.set(xlabel="training effect (points)", ylabel="test effect (points)")


def overfitting_figure(models: Sequence[str], signs: Mapping[str, np.ndarray], shown: Sequence[str]):
    """Fig. 5C: the generalisation gap of many models over two predictors from training images alone.

    ``signs`` are of ``overfitting_signs``, (models,) each. ``shown`` are the paper's models.
    """
    figure, axes = new_figure([["slope", "train_accuracy"]], figsize=(8, 3.2))
    labels = {
        "slope": "change of training accuracy after the core",
        "train_accuracy": "training accuracy of the whole layer",
    }
    for name, label in labels.items():
        for model, x, gap in zip(models, signs[name], signs["gap"], strict=True):
            marker, colour = ("o", "#D55E00") if model in shown else ("^", "#0072B2")
            axes[name].plot(x, gap, marker, color=colour, markersize=5, label=f"_{model}")
            # Labels of one recipe's seeds stand apart, as the seeds are close.
            place = {"1": (-16, 2), "2": (4, -9)}.get(model[-1], (5, 2))
            axes[name].annotate(model, (x, gap), xytext=place, textcoords="offset points", fontsize=8)
        axes[name].set(xlabel=label, ylabel="gap: training - test accuracy")
        if len(models) == 1:
            axes[name].set(xlim=(-1, 1), ylim=(-1, 1), title="one model: no relation to be seen")
    return figure


def class_matrices_figure(correlations: np.ndarray, damage: np.ndarray, classes: Sequence[str]):
    """Fig. 5D: rank correlation of effectiveness between classes, and the accuracy lost by each class's rank.

    Parameters
    ----------
    correlations : (classes, classes), -1 to 1
    damage : (classes, classes)
        Row: whose rank is used; column: which class loses accuracy, mean over the removal.
    """
    figure, axes = new_figure([["rank", "damage"]], figsize=(8, 4.2))
    title, names = "Rank correlation of effectiveness", ("class", "class")
    draw_matrix(axes["rank"], correlations, classes, title, *names, "RdBu_r", (-1, 1))
    limits = (damage.min(), damage.max())
    title, names = (
        "Accuracy lost, mean over the removal",
        ("class that is classified", "class whose rank is used"),
    )
    draw_matrix(axes["damage"], damage, classes, title, *names, "cividis", limits, digits=2)
    return figure


def draw_matrix(axes, values, names, title, xlabel, ylabel, colours, limits, digits=1) -> None:
    """A square matrix between classes with its numbers, which have no zero before the point.

    ``colours`` is a colour map of matplotlib, ``limits`` are the values at its ends.
    """
    import matplotlib as mpl

    drawn = axes.imshow(values, cmap=colours, vmin=limits[0], vmax=limits[1])
    ticks = np.arange(len(names))
    axes.set_xticks(ticks, names, rotation=60, ha="right", rotation_mode="anchor", fontsize=7.5)
    axes.set_yticks(ticks, names, fontsize=7.5)
    axes.set(title=title, xlabel=xlabel, ylabel=ylabel)
    axes.grid(False)
    for (row, column), value in np.ndenumerate(values):
        red, green, blue, _ = mpl.colormaps[colours](drawn.norm(value))
        dark = 0.3 * red + 0.6 * green + 0.1 * blue < 0.5
        text = f"{round(value, digits) + 0:.{digits}f}".replace("0.", ".", 1) if abs(value) < 0.95 else "1"
        look = {"fontsize": 6.5, "color": "white" if dark else "black"}
        axes.text(column, row, text, ha="center", va="center", **look)


def draw_roles(axes, spans: Sequence[tuple[int, int, str]]) -> None:
    """Colour the spans of the rank by role behind insertion curves (Fig. 5), each role with its hatch.

    ``spans`` are (start, stop, role), in units inserted.
    """
    for start, stop, role in spans:
        look = {"facecolor": ROLE_FILLS[role], "edgecolor": "#FFFFFF", "hatch": ROLE_HATCHES[role]}
        axes.axvspan(start, stop, linewidth=0, zorder=0, label=f"_{role}", **look)
    axes.grid(False)


def role_legend(figure) -> None:
    """One legend of the four roles and the two kinds of images below a figure."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    fills = [
        Patch(facecolor=fill, edgecolor="#FFFFFF", hatch=ROLE_HATCHES[role], label=role)
        for role, fill in ROLE_FILLS.items()
    ]
    lines = [
        Line2D([], [], color=COLOURS[kind], linestyle=STYLES.get(kind, "-"), label=f"{kind} images")
        for kind in ("train", "test")
    ]
    figure.legend(handles=fills + lines, loc="outside lower center", ncols=6)
