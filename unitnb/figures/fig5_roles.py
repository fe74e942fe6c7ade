"""Fig. 5 and the figures beside it: roles by place by balanced accuracy and by unit, the gap over many models, and what classes share."""

from collections.abc import Mapping, Sequence

import numpy as np

from . import panels
from .panels import new_figure

MARKS = {
    "core": ("o", "#D55E00"),
    "overfitted": ("^", "#E69F00"),
    "generalizing": ("s", "#009E73"),
    "confusing": ("x", "#56B4E9"),
}


def roles_figure(runs: Mapping[str, tuple]):
    """Fig. 5: insertion curves of each model on training and test images, accuracy above, loss below, over the spans of the roles."""
    models = list(runs)
    figure, axes = new_figure(
        [[f"{m} accuracy" for m in models], [f"{m} loss" for m in models]], figsize=(8, 4.6), sharex=True
    )
    for model, (train, test, roles) in runs.items():
        for metric in ("accuracy", "loss"):
            place = axes[f"{model} {metric}"]
            panels.draw_roles(place, roles.spans)
            panels.draw_curve(place, getattr(test, metric), "test")
            panels.draw_curve(place, getattr(train, metric), "train")
            panels.label_curves(
                place,
                metric,
                f"Model {model}" if metric == "accuracy" else "",
                "units inserted" if metric == "loss" else "",
            )
    panels.role_legend(figure)
    return figure


def balanced_roles_figure(runs: Mapping[str, tuple], effects: Mapping[str, tuple]):
    """Fig. 5B: insertion curves of balanced accuracy over the spans of its roles, and each unit's mean effect on either set of images.

    ``runs[model]`` is (training curve, test curve, roles by balanced accuracy), ``effects[model]`` is (effect on training accuracy, on test
    accuracy, roles by unit), (u,) each.
    """
    figure, axes = new_figure([[f"{m} curve" for m in runs], [f"{m} effect" for m in runs]], figsize=(8, 4.6))
    for model, (train, test, roles) in runs.items():
        place = axes[f"{model} curve"]
        panels.draw_roles(place, roles.spans)
        panels.draw_curve(place, test.balanced_accuracy, "test")
        panels.draw_curve(place, train.balanced_accuracy, "train")
        panels.label_curves(place, "balanced_accuracy", f"Model {model}", "units inserted")
        draw_effects(axes[f"{model} effect"], *effects[model])
    axes[f"{next(iter(runs))} effect"].legend(fontsize=7, handletextpad=0.1, borderpad=0.2, labelspacing=0.2)
    panels.role_legend(figure)
    return figure


def draw_effects(axes, train: np.ndarray, test: np.ndarray, roles: Sequence[str]) -> None:
    """Mean effect of each unit on training and on test accuracy, in percentage points, marked by role."""
    for role, (marker, colour) in MARKS.items():
        chosen = np.asarray(roles) == role
        axes.scatter(
            100 * train[chosen],
            100 * test[chosen],
            s=12,
            marker=marker,
            color=colour,
            linewidths=1.0,
            label=role,
        )
    axes.axhline(0, color="#888888", linewidth=0.7)
    axes.axvline(0, color="#888888", linewidth=0.7)
    axes.set(xlabel="training effect (points)", ylabel="test effect (points)")


def overfitting_figure(models: Sequence[str], signs: Mapping[str, np.ndarray], shown: Sequence[str]):
    """Fig. 5C: the generalisation gap of many models over two predictors from training images alone; ``shown`` are the paper's models."""
    figure, axes = new_figure([["slope", "train_accuracy"]], figsize=(8, 3.2))
    labels = {
        "slope": "change of training accuracy after the core",
        "train_accuracy": "training accuracy of the whole layer",
    }
    for name, label in labels.items():
        for model, x, gap in zip(models, signs[name], signs["gap"], strict=True):
            main = model in shown
            axes[name].plot(
                x, gap, "o" if main else "^", color="#D55E00" if main else "#0072B2", markersize=5
            )
            place = {"1": (-16, 2), "2": (4, -9)}.get(
                model[-1], (5, 2)
            )  # so that seeds of one recipe do not hide one another
            axes[name].annotate(model, (x, gap), xytext=place, textcoords="offset points", fontsize=8)
        axes[name].set(xlabel=label, ylabel="gap: training - test accuracy")
    return figure


def class_matrices_figure(correlations: np.ndarray, damage: np.ndarray, classes: Sequence[str]):
    """Fig. 5D: correlation of effectiveness between classes, and the accuracy that each class loses in the order of each class's rank."""
    figure, axes = new_figure([["rank", "damage"]], figsize=(8, 4.2))
    draw_matrix(
        axes["rank"],
        correlations,
        classes,
        "Rank correlation of effectiveness",
        "class",
        "class",
        "RdBu_r",
        (-1, 1),
    )
    limits = (damage.min(), damage.max())
    title, rank = "Accuracy lost, mean over the removal", "class whose rank is used"
    draw_matrix(
        axes["damage"], damage, classes, title, "class that is classified", rank, "cividis", limits, digits=2
    )
    return figure


def draw_matrix(axes, values, names, title, xlabel, ylabel, colours, limits, digits=1) -> None:
    """A square matrix between classes, with its numbers, without the zero before the point."""
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
        axes.text(
            column, row, text, ha="center", va="center", fontsize=6.5, color="white" if dark else "black"
        )
