"""Fig. 5 and further figures of roles: by balanced accuracy, by unit, over many models, between classes."""

from collections.abc import Mapping, Sequence

import numpy as np

from . import panels
from .panels import COLOURS, STYLES, new_figure
from .point_names import name_points
from .words import steps_label

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

    Accuracy is above, loss below, with 95% bands over the images; the roles are a strip between them.
    ``runs[model]`` is (training Curve, test Curve, Roles).
    """
    models = list(runs)
    figure, axes = new_figure(
        [[f"{m} accuracy" for m in models], [f"{m} loss" for m in models]], figsize=(8, 5.2), sharex=True
    )
    for model, (train, test, roles) in runs.items():
        for metric in ("accuracy", "loss"):
            place = axes[f"{model} {metric}"]
            for kind, curve in (("test", test), ("train", train)):
                band, values = curve.band(metric, n_boot=200), getattr(curve, metric)
                panels.draw_curve(place, values, kind, band=band, at=curve.evaluated)
            below = steps_label("units inserted", train)
            words = ("", below) if metric == "loss" else (f"{model}  Model {model}", "")
            panels.label_curves(place, metric, *words)
        draw_roles(axes[f"{model} accuracy"], roles.spans)
    _label_left_only(axes, models, ("accuracy", "loss"))
    role_legend(figure)
    return figure


def _label_left_only(axes, models: Sequence[str], rows: Sequence[str]) -> None:
    for model in models[1:]:
        for row in rows:
            axes[f"{model} {row}"].set_ylabel("")


def balanced_roles_figure(runs: Mapping[str, tuple], effects: Mapping[str, tuple]):
    """Fig. 5B: insertion curves of balanced accuracy over the spans of its roles, and units' mean effects.

    ``runs[model]`` is (training Curve, test Curve, Roles by balanced accuracy). ``effects[model]`` is (effect
    on training accuracy, on test accuracy, roles by unit), (u,) each.
    """
    figure, axes = new_figure([[f"{m} curve" for m in runs], [f"{m} effect" for m in runs]], figsize=(8, 5.2))
    for model, (train, test, roles) in runs.items():
        place = axes[f"{model} curve"]
        draw_roles(place, roles.spans)
        for kind, curve in (("test", test), ("train", train)):
            band = curve.band("balanced_accuracy", n_boot=200)
            panels.draw_curve(place, curve.balanced_accuracy, kind, band=band, at=curve.evaluated)
        below = steps_label("units inserted", train)
        panels.label_curves(place, "balanced_accuracy", f"{model}  Model {model}", below)
        draw_effects(axes[f"{model} effect"], *effects[model])
    _label_left_only(axes, list(runs), ("curve", "effect"))
    role_legend(figure, marks=True)
    return figure


def draw_effects(axes, train: np.ndarray, test: np.ndarray, roles: Sequence[str]) -> None:
    """Mean effect of each unit on training and on test accuracy, marked by role, in percentage points.

    ``train`` and ``test`` are (u,), in accuracy.
    """
    for role, (marker, colour) in MARKS.items():
        chosen = np.asarray(roles) == role
        look = {"s": 12, "marker": marker, "color": colour, "linewidths": 1.0}
        axes.scatter(100 * train[chosen], 100 * test[chosen], label=f"_{role}", **look)
    axes.axhline(0, color="#888888", linewidth=0.7)
    axes.axvline(0, color="#888888", linewidth=0.7)
    axes.set(xlabel="training effect (points)", ylabel="test effect (points)")


def overfitting_figure(models: Sequence[str], signs: Mapping[str, np.ndarray], shown: Sequence[str]):
    """Fig. 5C: the generalisation gap of many models over two predictors from training images alone.

    ``signs`` are of ``overfitting_signs``, (models,) each. ``shown`` are the paper's models.
    """
    figure, axes = new_figure([["slope", "train_accuracy"]], figsize=(8, 4), sharey=True)
    labels = {
        "slope": "change of training accuracy after the core",
        "train_accuracy": "training accuracy of the whole layer",
    }
    looks = {True: ("o", "#D55E00", "models of Fig. 5"), False: ("^", "#0072B2", "other seeds and grades")}
    for name, label in labels.items():
        for model, x, gap in zip(models, signs[name], signs["gap"], strict=True):
            marker, colour, _ = looks[model in shown]
            axes[name].plot(x, gap, marker, color=colour, markersize=5, label=f"_{model}")
        axes[name].set_xlabel(label)
        axes[name].margins(0.12)
        if len(models) == 1:
            axes[name].set(xlim=(-1, 1), ylim=(-1, 1))
    axes["slope"].set_title(f"A  By its slope{', of one model alone' if len(models) == 1 else ''}")
    axes["train_accuracy"].set_title("B  By training accuracy")
    axes["slope"].set_ylabel("gap: training - test accuracy")
    for marker, colour, words in looks.values() if set(models) - set(shown) else ():
        axes["slope"].plot([], [], marker, color=colour, markersize=5, label=words)
    figure.legend(*axes["slope"].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    figure.canvas.draw()  # places are final before names are put beside them
    for name in labels:
        name_points(axes[name], models, np.stack([signs[name], signs["gap"]], axis=1))
    return figure


def class_matrices_figure(correlations: np.ndarray, damage: np.ndarray, classes: Sequence[str]):
    """Fig. 5D: rank correlation of effectiveness between classes, and the accuracy lost by each class's rank.

    Parameters
    ----------
    correlations : (classes, classes), -1 to 1
    damage : (classes, classes)
        Row: whose rank is used; column: which class loses accuracy, mean over the removal.
    """
    figure, axes = new_figure([["rank", "damage"]], figsize=(8, 5))
    title, names = "A  Rank correlation of effectiveness", ("class", "class")
    draw_matrix(axes["rank"], correlations, classes, title, *names, "RdBu_r", (-1, 1))
    limits = (damage.min(), damage.max())
    title, names = "B  Accuracy lost by each class", ("class that is classified", "class whose rank is used")
    draw_matrix(axes["damage"], damage, classes, title, *names, "cividis", limits, digits=2)
    for image, words in zip(
        (axes["rank"].images[0], axes["damage"].images[0]),
        ("rank correlation", "accuracy lost, mean over the removal"),
        strict=True,
    ):
        figure.colorbar(image, ax=image.axes, location="bottom", label=words, shrink=0.8, aspect=30)
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
    """The spans of the rank by role as a strip under insertion curves (Fig. 5), each role with its hatch.

    ``spans`` are (start, stop, role), in units inserted. The axis moves below the strip.
    """
    for start, stop, role in spans:
        look: dict = {"facecolor": ROLE_FILLS[role], "edgecolor": "#FFFFFF", "hatch": ROLE_HATCHES[role]}
        look |= {"ymin": -0.13, "ymax": -0.03, "clip_on": False}
        axes.axvspan(start, stop, linewidth=0, label=f"_{role}", **look)
    axes.spines.bottom.set_position(("axes", -0.15))


def role_legend(figure, marks: bool = False) -> None:
    """One legend of the four roles, the two kinds of images and their bands below a figure.

    ``marks`` adds the mark of a unit in each role to its colour.
    """
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    lines = [
        Line2D([], [], color=COLOURS[kind], linestyle=STYLES.get(kind, "-")) for kind in ("train", "test")
    ]
    bands = tuple(Patch(facecolor=COLOURS[kind], alpha=0.3) for kind in ("train", "test"))
    roles: list = []
    for role, fill in ROLE_FILLS.items():
        patch = Patch(facecolor=fill, edgecolor="#FFFFFF", hatch=ROLE_HATCHES[role])
        marker, colour = MARKS[role]
        mark = Line2D([], [], color=colour, marker=marker, linestyle="", markersize=4.5)
        roles.append((patch, mark) if marks else (patch,))
    handles = [*roles, *lines, bands]
    labels = [*ROLE_FILLS, "training images", "test images", "95% band over the images"]
    handlers = dict.fromkeys([*roles, bands], panels.side_by_side())
    figure.legend(handles, labels, handler_map=handlers, loc="outside lower center", ncols=4)
