"""Figs. 6d to 6f: births beside chance, other constructions and other free choices, from ``class_result``."""

from collections.abc import Mapping

import numpy as np

from ..controls.choices import CHOICES, DEFAULT, all_choices
from ..controls.comparison import differences
from ..controls.experiments import CURVED, on_set
from ..controls.scores import OURS, PAPER
from ..units.entropy import feature_entropy, selective_rate
from ..units.intervals import interval, paired_bootstrap
from .fig6_rivals import LOOKS, arms
from .panels import COLOURS, new_figure

# ---- Fig. 6d: null models ----


def null_figure(results: Mapping, target: str, untrained_births, untrained_null, shuffled_null):
    """Fig. 6d: rate and entropy of units beside chance, the entropy's z, and where units of noise rank.

    Parameters
    ----------
    results : ClassResult by class
    target : the class whose units are drawn
    untrained_births : (n, u) int
        Of the untrained network on the same images.
    untrained_null, shuffled_null : of ``null_scores``
        Of the untrained network's maps, and of the trained one's with their pixels shuffled.
    """
    figure, axes = new_figure([["plane", "z", "noise"]], figsize=(8, 3.5), width_ratios=[1, 1, 1.1])
    result = results[target]
    _plane(axes["plane"], {"untrained": untrained_births, "trained": result.births}, result.null)
    _z_panel(axes["z"], [result.null, untrained_null, shuffled_null])
    _noise_panel(axes["noise"], results)
    return figure


def _z_panel(axes, nulls):
    looks = (("trained", "#D55E00", "-"), ("untrained", "#0072B2", "--"), ("shuffled pixels", "#000000", ":"))
    edges = np.linspace(-6, 12, 37)
    for null, (name, colour, style) in zip(nulls, looks, strict=True):
        values = np.clip(null["entropy z"][np.isfinite(null["entropy z"])], -6, 12)
        density, _ = np.histogram(values, edges, density=True)
        axes.stairs(density, edges, color=colour, linestyle=style, linewidth=1.4, label=name)
    axes.set(xlabel="entropy minus chance's, in its sd", ylabel="density of units")
    axes.set_title("B  Entropy against chance")
    axes.set_ylim(0, 1.35 * axes.get_ylim()[1])  # room for the legend
    axes.legend(loc="upper right")


def _plane(axes, births_of, null):
    order = np.argsort(null["null rate"])
    chance = null["null rate"][order], null["null entropy"][order]
    axes.plot(*chance, color=COLOURS["random"], linewidth=1.2, label="chance, as sparse")
    looks = {"untrained": ("#0072B2", "x"), "trained": ("#D55E00", "o")}
    for name, births in births_of.items():
        colour, marker = looks[name]
        look = {"color": colour, "markersize": 3, "alpha": 0.7, "linewidth": 0}
        axes.plot(selective_rate(births), feature_entropy(births), marker, label=name, **look)
    axes.set(xlabel=r"selective rate $\varepsilon$", ylabel="entropy $H$ (nats)", ylim=(0, None))
    axes.set_title("A  Units and chance")
    axes.legend(loc="lower right")


def _noise_panel(axes, results):
    kinds = list(next(iter(results.values())).noise)
    rows = np.arange(len(kinds))[::-1]
    by_kind = [np.concatenate([result.noise[kind] for result in results.values()]) for kind in kinds]
    places = np.stack(by_kind, axis=1)  # classes and copies, kinds, two scores
    for column, (name, marker, shift) in enumerate(((PAPER, "o", 0.16), (OURS, "s", -0.16))):
        middle = np.quantile(places[..., column], 0.5, axis=0)
        low, high = interval(places[..., column], level=0.8).ends
        look = {"fmt": marker, "markersize": 4, "color": LOOKS[name][0]}
        axes.errorbar(middle, rows + shift, xerr=[middle - low, high - middle], label=name, **look)
    axes.axvline(0.1, color=COLOURS["random"], linewidth=0.9, linestyle="--")
    axes.set(yticks=rows, yticklabels=kinds, xlim=(-0.03, 1.03), title="C  Noise units put in")
    axes.set_xlabel("place in the rank (0 the head)")
    axes.set_ylim(-0.6, len(kinds) + 0.9)  # room for the legend
    axes.legend(loc="upper right", fontsize=7.5)


# ---- Figs. 6e and 6f: construction and free choices ----


def construction_figure(results: Mapping):
    """Fig. 6e: what other constructions change in births, ranks and areas; ``results`` are ClassResults."""
    names = list(next(iter(results.values())).changed)
    rows = np.arange(len(names))[::-1]
    figure, axes = new_figure([["changed", "tau", "area"]], figsize=(8, 4.2), sharey=True)
    for panel, field, label, colour in (
        ("changed", "changed", "share of births that change", "#0072B2"),
        ("tau", "agreement", r"Kendall $\tau$ with $E$", "#009E73"),
    ):
        values = np.array([[getattr(result, field)[name] for name in names] for result in results.values()])
        axes[panel].barh(rows, values.mean(axis=0), color=colour, height=0.6, label="_mean over classes")
        for name, dots in zip(results, values, strict=True):
            axes[panel].plot(dots, rows, ".", color="black", markersize=2.5, label=f"_{name}")
        axes[panel].set(xlabel=label, xlim=(min(0, values.min() - 0.02), 1.03))
    _area_panel(axes["area"], on_set(results, "test"), [rows[names.index(name)] for name in CURVED])
    axes["changed"].set(yticks=rows, yticklabels=names, title="A  Births")
    axes["tau"].set_title("B  Ranks")
    axes["area"].set_title("C  Curves")
    return figure


def _area_panel(axes, tests, rows):
    found = np.array([paired_bootstrap(differences(tests, name, PAPER)) for name in CURVED])
    look: dict = {"fmt": "s", "color": "#D55E00", "markersize": 4, "label": "_area minus that of E"}
    axes.errorbar(found[:, 0], rows, xerr=arms(found), **look)
    axes.axvline(0, color=COLOURS["random"], linewidth=0.9)
    axes.set(xlabel="area between the orders,\nminus that of $E$")


NARROW = 0.03  # range of areas whose tick labels have three decimals and would touch


def choices_figure(results: Mapping, target: str, target_areas):
    """Fig. 6f: all combinations of free choices, by each choice that matters, and the parts of E.

    Kendall's tau with the default's rank is over all classes. The change of the area is of the class
    ``target``, for which ``target_areas`` is what ``choice_areas`` gives. Choices that matter in neither are
    named below.
    """
    agreement = np.array([result.choice_agreement for result in results.values()])
    change = (target_areas - target_areas[all_choices().index(DEFAULT)])[None]
    shown = [name for name in CHOICES if max(_effect(agreement, name), _effect(change, name)) >= VISIBLE]
    count = sum(len(CHOICES[name]) for name in shown)
    mosaic, heights = [["tau", "area"], ["rho", "rho"]], [0.5 + 0.22 * count, 1.2]
    figure, axes = new_figure(mosaic, figsize=(8, 2 + sum(heights)), height_ratios=heights)
    rows = _choice_boxes(axes["tau"], agreement, shown)
    axes["tau"].set_yticks(rows, [_value_words(name, value) for name in shown for value in CHOICES[name]])
    axes["tau"].set_xlabel(r"Kendall $\tau$ with the default's rank")
    axes["tau"].set_title("A  Ranks, all classes")
    _choice_boxes(axes["area"], change, shown)
    axes["area"].axvline(0, color=COLOURS["random"], linewidth=0.9)
    axes["area"].sharey(axes["tau"])
    axes["area"].tick_params(labelleft=False)
    axes["area"].set(xlabel="area, minus the default's", title=f"B  Curves, {target}")
    figure.supxlabel(_left_out([name for name in CHOICES if name not in shown]), fontsize=8.5)
    if np.ptp(axes["area"].get_xlim()) < NARROW:
        axes["area"].locator_params(axis="x", nbins=4)
    _parts_panel(axes["rho"], results)
    return figure


VISIBLE = 0.01  # difference between the medians of a choice's values from which it is drawn
SIGNS = {"p": "least rate $p$ =", "B_max": "$B_{max}$ =", "H = 0": "$H = 0$:", "P(x) over": "$P(x)$ over"}


def _effect(values, name) -> float:
    """The greatest difference that a choice makes to the median of ``values`` (sets, choices)."""
    parts = [values[:, [choice[name] == value for choice in all_choices()]] for value in CHOICES[name]]
    return float(np.ptp([np.median(part) for part in parts]))


def _value_words(name, value) -> str:
    return f"{SIGNS.get(name, name + ':')} {value}"


def _left_out(names) -> str:
    words = [SIGNS.get(name, name).rstrip(" =:") for name in names]
    return f"Not drawn, as medians differ by less than {VISIBLE}: {', '.join(words)}." if words else ""


def _parts_panel(axes, results):
    names = list(next(iter(results.values())).correlations)
    for row, name in zip(range(len(names))[::-1], names, strict=True):
        values = np.array([result.correlations[name] for result in results.values()])
        spread = row + np.linspace(-0.15, 0.15, len(values))
        for class_name, value, place in zip(results, values, spread, strict=True):
            axes.plot(value, place, "o", color="#0072B2", markersize=4, label=f"_{class_name}")
        look: dict = {"color": "#D55E00", "linewidth": 2, "label": "_mean over classes"}
        axes.vlines(np.nanmean(values), row - 0.3, row + 0.3, **look)
    axes.axvline(0, color=COLOURS["random"], linewidth=0.9)
    axes.set(yticks=range(len(names))[::-1], yticklabels=names, xlim=(-1, 1))
    axes.set(xlabel=r"Spearman $\rho$ with single ablation", title="C  Parts of $E$, one dot a class")


def _choice_boxes(axes, values, shown):
    """A row for each value of the choices ``shown``: the ``values`` (sets, choices) where it is chosen.

    The box holds half of them about their median, the line 90%.
    """
    labels = [(name, value) for name in shown for value in CHOICES[name]]
    parts = [values[:, [choice[name] == value for choice in all_choices()]].ravel() for name, value in labels]
    rows = np.arange(len(labels))[::-1]
    middle = np.array([np.median(part) for part in parts])
    for level, width in ((0.9, 1.0), (0.5, 6.0)):
        found = np.array([[m, *interval(part, level).ends] for m, part in zip(middle, parts, strict=True)])
        look: dict = {"fmt": "none", "ecolor": "#0072B2", "elinewidth": width, "alpha": 0.6}
        axes.errorbar(middle, rows, xerr=arms(found), label=f"_{level:.0%} of the combinations", **look)
    axes.plot(middle, rows, "|", color="#D55E00", markersize=8, markeredgewidth=2, label="_median")
    return rows
