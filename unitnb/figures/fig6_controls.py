"""Figures of ``06_controls``, of the results that ``experiments.class_result`` gives for every class."""

from collections.abc import Mapping

import numpy as np

from ..controls.choices import CHOICES, DEFAULT, all_choices
from ..controls.comparison import areas, differences, paired_bootstrap, rates
from ..controls.experiments import CURVED, GREEDY, RANDOM, by_area, on_set
from ..controls.scores import CAUSAL, OURS, PAPER
from ..units.entropy import feature_entropy, selective_rate
from .panels import COLOURS, new_figure

LOOKS = {  # of the scores whose curves are drawn: colour and line style
    PAPER: ("#D55E00", "-"),
    OURS: ("#009E73", "-."),
    "mean activation": ("#0072B2", "--"),
    CAUSAL: ("#000000", ":"),
    "rate only": ("#E69F00", (0, (5, 1))),
    RANDOM: ("#7F7F7F", "-"),
}
RATE_LOOKS = {
    "recall": ("#D55E00", "-"),
    "balanced accuracy": ("#000000", "-"),
    "false-positive rate": ("#0072B2", "--"),
    "precision": ("#009E73", "-."),
}
METRIC_LOOKS = {"recall": ("#0072B2", "o", 0.16), "balanced accuracy": ("#D55E00", "s", -0.16)}


# ---- Fig. 6A, B: rival scores ----


def rivals_figure(results: Mapping, target: str):
    """Fig. 6A: curves of the target class on test images, and each score's area against the paper's over all classes."""
    figure, axes = new_figure(
        [["recall", "all"], ["balanced", "all"]], figsize=(8, 5.4), width_ratios=[1, 1.25]
    )
    for name, (colour, style) in LOOKS.items():
        answers = results[target].test[name]
        for curve in (answers.best_curve, answers.worst_curve):
            axes["recall"].plot(answers.points, curve[0], color=colour, linestyle=style, linewidth=1.3)
            axes["balanced"].plot(
                answers.points, curve.mean(axis=0), color=colour, linestyle=style, linewidth=1.3
            )
        axes["recall"].plot([], [], color=colour, linestyle=style, label=name)
    axes["recall"].set(
        title=f"A  {target}: rank order and reverse",
        xlabel="units removed",
        ylabel="recall",
        ylim=(-0.03, 1.03),
    )
    axes["balanced"].set(xlabel="units removed", ylabel="balanced accuracy", ylim=(0.35, 1.03))
    figure.legend(*axes["recall"].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    _forest(axes["all"], on_set(results, "test"), [name for name in by_area(results) if name != PAPER])
    axes["all"].set_title("B  All classes, against E")
    return figure


def _forest(axes, tests, names):
    """Difference of each name's area between the orders from the paper's, with 95% intervals, recall and balanced accuracy."""
    for metric, (colour, marker, shift) in METRIC_LOOKS.items():
        found = np.array([paired_bootstrap(differences(tests, name, PAPER, metric)) for name in names])
        place = np.arange(len(names))[::-1] + shift
        errors = np.abs(found[:, 1:] - found[:, :1]).T
        axes.errorbar(
            found[:, 0],
            place,
            xerr=errors,
            fmt=marker,
            color=colour,
            markersize=4,
            linewidth=1.2,
            label=metric,
        )
    axes.axvline(0, color=COLOURS["random"], linewidth=0.9)
    axes.set(
        yticks=np.arange(len(names))[::-1],
        yticklabels=names,
        xlabel="area between the orders, minus that of E",
    )
    axes.legend(loc="lower right")


def areas_figure(results: Mapping, metric="balanced accuracy"):
    """Fig. 6C: the area between the two orders of every score on every class, test images; the best cheap score of a class is framed."""
    import matplotlib.pyplot as plt

    names, tests = by_area(results), on_set(results, "test")
    values = np.array([areas(tests, name, metric) for name in names])
    figure, axes = new_figure([["only"]], figsize=(8, 0.5 + 0.29 * len(names)))
    place = axes["only"]
    bound = np.abs(values).max()
    shown = place.imshow(values, aspect="auto", cmap="PuOr_r", vmin=-bound, vmax=bound)
    for row, column in np.ndindex(values.shape):
        white = abs(values[row, column]) > 0.65 * bound
        place.text(
            column,
            row,
            f"{values[row, column]:.2f}",
            ha="center",
            va="center",
            fontsize=7.5,
            color="white" if white else "black",
        )
    cheap = [row for row, name in enumerate(names) if name != GREEDY]
    for column in range(values.shape[1]):
        row = cheap[int(values[cheap, column].argmax())]
        place.add_patch(
            plt.Rectangle((column - 0.5, row - 0.5), 1, 1, fill=False, edgecolor="black", linewidth=1.6)
        )
    place.set(
        yticks=range(len(names)),
        yticklabels=names,
        xticks=range(len(results)),
        title=f"C  Area between the orders, {metric}",
    )
    place.set_xticklabels(results, rotation=35, ha="right")
    place.grid(False)
    figure.colorbar(shown, label="area, rank order to reverse", pad=0.01)
    return figure


# ---- Fig. 6D: recall or bias ----


def bias_figure(results: Mapping, rises: Mapping[str, np.ndarray]):
    """Fig. 6D: least effective units first, mean over the classes, in four rates; and each class's gain in recall and in balance.

    ``rises[metric]`` is (classes,): the gain on test images at the number of units that is best on training images.
    """
    figure, axes = new_figure([["train", "test", "gain"]], figsize=(8, 3.4))
    for kind in ("train", "test"):
        answers = [result[PAPER] for result in on_set(results, kind)]
        found = [rates(a.worst_curve, len(a.worst_first[0]), len(a.worst_first[1])) for a in answers]
        for name, (colour, style) in RATE_LOOKS.items():
            axes[kind].plot(
                answers[0].points,
                _mean_known([rate[name] for rate in found]),
                color=colour,
                linestyle=style,
                label=name,
            )
        title = "D  Other training images" if kind == "train" else "Test images"
        axes[kind].set(
            title=title,
            xlabel="units removed, least effective first",
            ylabel="mean over classes",
            ylim=(-0.03, 1.03),
        )
    figure.legend(*axes["test"].get_legend_handles_labels(), loc="outside lower center", ncols=4)
    for place, (metric, values) in enumerate(rises.items()):
        colour, marker, _ = METRIC_LOOKS[metric]
        axes["gain"].plot(
            place + np.linspace(-0.2, 0.2, len(values)), values, marker, color=colour, markersize=4.5
        )
        axes["gain"].hlines(values.mean(), place - 0.3, place + 0.3, color=colour)
    axes["gain"].axhline(0, color=COLOURS["random"], linewidth=0.9)
    axes["gain"].set(
        xticks=[0, 1],
        xticklabels=["recall", "balanced\naccuracy"],
        xlim=(-0.5, 1.5),
        ylabel="gain on test images",
    )
    axes["gain"].set_title("Gain, one dot a class")
    return figure


def rates_figure(results: Mapping):
    """Fig. 6D, for the rivals: recall, false-positive rate, precision and balanced accuracy while units go, means over the classes.

    Test images; above the least important units first, below the most important ones.
    """
    figure, axes = new_figure(
        [[f"{row} {name}" for name in RATE_LOOKS] for row in ("worst", "best")], figsize=(8, 4.8), sharex=True
    )
    for score, (colour, style) in LOOKS.items():
        answers = [result[score] for result in on_set(results, "test")]
        for row in ("worst", "best"):
            found = [
                rates(getattr(a, f"{row}_curve"), len(a.worst_first[0]), len(a.worst_first[1]))
                for a in answers
            ]
            for name in RATE_LOOKS:
                mean = _mean_known([rate[name] for rate in found])
                axes[f"{row} {name}"].plot(
                    answers[0].points, mean, color=colour, linestyle=style, label=score
                )
    for name in RATE_LOOKS:
        axes[f"worst {name}"].set_title(name.capitalize())
        axes[f"best {name}"].set_xlabel("units removed")
    for row, words in (("worst", "least important first"), ("best", "most important first")):
        axes[f"{row} recall"].set_ylabel(f"{words}\nmean over classes")
    figure.legend(*axes["worst recall"].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return figure


def _mean_known(rows):
    rows = np.array(rows)
    known = np.isfinite(rows)
    count = known.sum(axis=0)
    return np.divide(
        np.where(known, rows, 0).sum(axis=0), count, out=np.full(len(count), np.nan), where=count > 0
    )


# ---- Fig. 6E: null models ----


def null_figure(results: Mapping, target: str, untrained_births, untrained_null, shuffled_null):
    """Fig. 6E: rate and entropy of units beside chance; the entropy in standard deviations of chance; where noise units rank."""
    figure, axes = new_figure([["plane", "z", "noise"]], figsize=(8, 3.5), width_ratios=[1, 1, 1.1])
    result = results[target]
    _plane(axes["plane"], {"untrained": untrained_births, "trained": result.births}, result.null)
    groups = {"trained": result.null, "untrained": untrained_null, "shuffled pixels": shuffled_null}
    looks = (("#D55E00", "-"), ("#0072B2", "--"), ("#000000", ":"))
    edges = np.linspace(-6, 12, 37)
    for (name, null), (colour, style) in zip(groups.items(), looks, strict=True):
        values = np.clip(null["entropy z"][np.isfinite(null["entropy z"])], -6, 12)
        axes["z"].hist(
            values,
            edges,
            histtype="step",
            density=True,
            color=colour,
            linestyle=style,
            linewidth=1.4,
            label=name,
        )
    axes["z"].set(xlabel="entropy, sd from chance", ylabel="density of units", title="Entropy against chance")
    axes["z"].set_ylim(0, 1.35 * axes["z"].get_ylim()[1])  # room for the legend
    axes["z"].legend(loc="upper right")
    _noise_panel(axes["noise"], results)
    return figure


def _plane(axes, births_of, null):
    looks = {"untrained": ("#0072B2", "x"), "trained": ("#D55E00", "o")}
    order = np.argsort(null["null rate"])
    axes.plot(
        null["null rate"][order],
        null["null entropy"][order],
        color=COLOURS["random"],
        linewidth=1.2,
        label="chance, as sparse",
    )
    for name, births in births_of.items():
        colour, marker = looks[name]
        axes.plot(
            selective_rate(births),
            feature_entropy(births),
            marker,
            color=colour,
            markersize=3,
            alpha=0.7,
            label=name,
            linewidth=0,
        )
    axes.set(
        xlabel=r"selective rate $\varepsilon$",
        ylabel="entropy H (nats)",
        title="E  Units and chance",
        ylim=(0, None),
    )
    axes.legend(loc="lower right")


def _noise_panel(axes, results):
    kinds = list(next(iter(results.values())).noise)
    places = np.array(
        [[result.noise[kind] for kind in kinds] for result in results.values()]
    )  # classes, kinds, copies, two scores
    for column, (name, shift) in enumerate(((PAPER, 0.16), (OURS, -0.16))):
        low, middle, high = np.quantile(places[..., column], [0.1, 0.5, 0.9], axis=(0, 2))
        rows = np.arange(len(kinds))[::-1] + shift
        marker = "o" if column == 0 else "s"
        axes.errorbar(
            middle,
            rows,
            xerr=[middle - low, high - middle],
            fmt=marker,
            markersize=4,
            color=LOOKS[name][0],
            label=name,
        )
    axes.axvline(0.1, color=COLOURS["random"], linewidth=0.9, linestyle="--")
    axes.set(
        yticks=np.arange(len(kinds))[::-1], yticklabels=kinds, xlim=(-0.03, 1.03), title="Noise units put in"
    )
    axes.set_xlabel("place in the rank (0 the head)")
    axes.set_ylim(-0.6, len(kinds) + 0.9)  # room for the legend
    axes.legend(loc="upper right", fontsize=7.5)


# ---- Fig. 6F: construction and free choices ----


def construction_figure(results: Mapping):
    """Fig. 6F: what other constructions change: births, ranks, areas."""
    first, tests = next(iter(results.values())), on_set(results, "test")
    names = list(first.changed)
    rows = np.arange(len(names))[::-1]
    figure, axes = new_figure([["changed", "tau", "area"]], figsize=(8, 4.2), sharey=True)
    for panel, field, label, colour in (
        ("changed", "changed", "share of births that change", "#0072B2"),
        ("tau", "agreement", r"Kendall $\tau$ with E", "#009E73"),
    ):
        values = np.array([[getattr(result, field)[name] for name in names] for result in results.values()])
        axes[panel].barh(rows, values.mean(axis=0), color=colour, height=0.6)
        axes[panel].plot(values, np.broadcast_to(rows, values.shape), ".", color="black", markersize=2.5)
        axes[panel].set(xlabel=label, xlim=(min(0, values.min() - 0.02), 1.03))
    found = np.array([paired_bootstrap(differences(tests, name, PAPER)) for name in CURVED])
    place = [rows[names.index(name)] for name in CURVED]
    axes["area"].errorbar(
        found[:, 0], place, xerr=np.abs(found[:, 1:] - found[:, :1]).T, fmt="s", color="#D55E00", markersize=4
    )
    axes["area"].axvline(0, color=COLOURS["random"], linewidth=0.9)
    axes["area"].set(xlabel="area between the orders,\nminus that of E")
    axes["changed"].set(yticks=rows, yticklabels=names, title="F  Other constructions")
    return figure


def choices_figure(results: Mapping, target: str, target_areas):
    """Fig. 6G: all combinations of free choices, by each choice: Kendall's tau with the default's rank, change of the area; parts of E.

    ``target_areas`` is what ``choice_areas`` gives for the class ``target``; the taus are of all classes.
    """
    figure, axes = new_figure([["tau", "area"], ["rho", "rho"]], figsize=(8, 5.6), height_ratios=[3, 1])
    agreement = np.array([result.choice_agreement for result in results.values()])
    rows = _choice_boxes(axes["tau"], agreement)
    axes["tau"].set_yticks(rows, [f"{name} {value}" for name, values in CHOICES.items() for value in values])
    axes["tau"].set(
        xlabel=r"Kendall $\tau$ with the default's rank", title="G  Rank under the free choices, all classes"
    )
    _choice_boxes(axes["area"], (target_areas - target_areas[all_choices().index(DEFAULT)])[None])
    axes["area"].axvline(0, color=COLOURS["random"], linewidth=0.9)
    axes["area"].set_yticks(rows, [])
    axes["area"].set(xlabel="area, minus the default's", title=f"Curves under them, {target}")
    for row, name in enumerate(names := list(next(iter(results.values())).correlations)):
        values = np.array([result.correlations[name] for result in results.values()])
        axes["rho"].plot(
            values,
            len(names) - 1 - row + np.linspace(-0.15, 0.15, len(values)),
            "o",
            color="#0072B2",
            markersize=4,
        )
        axes["rho"].vlines(
            np.nanmean(values), len(names) - 1.3 - row, len(names) - 0.7 - row, color="#D55E00", linewidth=2
        )
    axes["rho"].axvline(0, color=COLOURS["random"], linewidth=0.9)
    axes["rho"].set(
        yticks=range(len(names))[::-1],
        yticklabels=names,
        xlabel=r"Spearman $\rho$ with single ablation",
        xlim=(-1, 1),
    )
    axes["rho"].set_title("Parts of E, one dot a class")
    return figure


def _choice_boxes(axes, values):
    """A box for each value of each choice, of ``values`` (sets, choices) where that choice has that value."""
    labels = [(name, value) for name, options in CHOICES.items() for value in options]
    parts = [values[:, [choice[name] == value for choice in all_choices()]].ravel() for name, value in labels]
    rows = np.arange(len(labels))[::-1]
    look = {"showfliers": False, "widths": 0.6, "medianprops": {"color": "#D55E00"}}
    axes.boxplot(parts, positions=rows, orientation="horizontal", whis=(5, 95), **look)
    return rows
