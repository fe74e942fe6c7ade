"""Fig. 4: how stable the rank is under other samples of images (Sec. 3.5)."""

from collections.abc import Mapping, Sequence

import numpy as np

from ..profiles import Profile
from . import panels
from .panels import COLOURS, new_figure
from .words import index_text, steps_label


def stability_figure(
    curves: Mapping[str, Mapping], tables: Mapping[str, Mapping[str, np.ndarray]], profile: Profile
):
    """Fig. 4: curves by several ranks (A, B), votes (C), and agreement by size of set (D).

    A is on S_1000; the same on the other sets of images stands small beside D.

    Parameters
    ----------
    curves : Curve by rank, by set of images
    tables : of ``stability_table``
        "overlapping" sets as in the paper, "disjoint" sets, and a reference from "other images".
    profile : Profile
        For the number and the size of the sets.
    """
    figure, axes = new_figure(
        [[[["A", "B"]]], [[["C1", "C2", "C3"]]], [[["D", "D", "S_100", "S_val"]]]],  # each row on its own
        figsize=(8, 8.2),
        height_ratios=[1.15, 0.9, 1],
    )
    by_sample = ("IR_1000", "IR_val", "IR_50", "IR_100")
    _rank_curves(axes["A"], curves["S_1000"], by_sample, "A  By ranks from four samples")
    _rank_curves(axes["B"], curves["S_1000"], ("IR_1000", "mean rank", "IR_100"), "B  By the mean rank")
    for name in ("A", "B"):
        axes[name].set_ylabel("accuracy on $S_{1000}$")
        axes[name].legend()
    for name in ("S_100", "S_val"):
        _rank_curves(axes[name], curves[name], by_sample, f"A, on {index_text(name)}")
        axes[name].set_ylabel("accuracy" if name == "S_100" else "")
    axes["S_val"].tick_params(labelleft=False)
    table = tables["overlapping"]
    for number, row in enumerate((0, list(table["set_size"]).index(profile.n_rank), -1), start=1):
        title = f"{'C  ' if number == 1 else ''}Sets of {table['set_size'][row]} images"
        voted, reference = table["top_units"][row], curves["S_1000"]["IR_1000"].order
        draw_votes(axes[f"C{number}"], table["votes"][row], profile.n_sets, voted, reference, title)
        axes[f"C{number}"].set_ylabel(f"votes of {profile.n_sets} sets" if number == 1 else "")
    axes["C1"].legend(loc="upper right", fontsize=7.5)
    for label, (source, name) in AGREEMENTS.items():
        draw_agreement(axes["D"], tables[source]["set_size"], tables[source][name], label)
    low = "\n" in axes["A"].get_xlabel()  # labels of two lines leave the panels lower
    label_agreement(axes["D"], "D  Agreement over the size of a set", legend=0.345 if low else 0.31)
    return figure


AGREEMENTS = {  # label in Fig. 4D: which table, which of its columns
    "Eq. 14": ("overlapping", "ratio"),
    "Eq. 14, disjoint sets": ("disjoint", "ratio"),
    "Eq. 14, other images": ("other images", "ratio"),
    r"Kendall $\tau$": ("overlapping", "kendall"),
    "Jaccard, top 20": ("overlapping", "jaccard"),
}


def _rank_curves(axes, by_rank: Mapping, ranks: Sequence[str], title: str) -> None:
    for rank in ranks:
        curve, words = by_rank[rank], index_text(rank)
        panels.draw_curve(axes, curve.accuracy, rank, words, curve.band(n_boot=200), curve.evaluated)
    panels.label_curves(axes, "accuracy", title, steps_label("units removed", curve))


def draw_votes(
    axes, votes: np.ndarray, n_sets: int, voted: np.ndarray, reference: np.ndarray, title: str
) -> None:
    """Votes (u,) for the units of an index set IND_K, by votes (Eq. 13), with their numbers.

    ``voted`` (m,) is IND_K. The first m units of the rank ``reference``, as of IR_1000(1:15) in Eq. 14, have
    another colour.
    """
    places, head = np.arange(len(voted)), set(reference[: len(voted)].tolist())
    inside = np.array([unit in head for unit in voted.tolist()])
    for chosen, kind, word in ((inside, "rank", ""), (~inside, "IR_val", "not ")):
        label = f"{word}in the first {len(voted)} of $IR_{{1000}}$"
        axes.bar(places[chosen], votes[voted[chosen]], color=COLOURS[kind], width=0.85, label=label)
    axes.set_xticks(places, [str(unit) for unit in voted], rotation=90, fontsize=7)
    axes.set(
        xlabel="number of the unit",
        ylabel=f"votes of {n_sets} sets",
        title=title,
        xlim=(-0.7, len(voted) - 0.3),
    )
    axes.set_ylim(0, 1.3 * n_sets)  # room for a legend


AGREEMENT_LOOKS = {
    "Eq. 14": ("o", "#D55E00"),
    "Eq. 14, other images": ("s", "#E69F00"),
    "Eq. 14, disjoint sets": ("v", "#CC79A7"),
    r"Kendall $\tau$": ("^", "#000000"),
    "Jaccard, top 20": ("D", "#0072B2"),
}


def draw_agreement(axes, set_sizes: np.ndarray, values: np.ndarray, label: str) -> None:
    """A measure of stability in [0, 1] over the number of images in a set (Fig. 4D).

    ``values`` are (s,), or (s, 3) with the ends of an interval. ``label`` is a key of ``AGREEMENT_LOOKS``.
    """
    marker, colour = AGREEMENT_LOOKS[label]
    if values.ndim == 2:
        look: dict = {"color": colour, "alpha": 0.12, "linewidth": 0, "label": f"_{label}"}
        axes.fill_between(set_sizes, values[:, 1], values[:, 2], **look)
        values = values[:, 0]
    axes.plot(set_sizes, values, marker=marker, markersize=3.5, color=colour, label=label)


def label_agreement(axes, title: str, legend: float = 0.31) -> None:
    """Axis labels of measures of stability, and the paper's 90% as a dotted line.

    ``legend`` is the legend's share of the height of the axes: it stays below all curves and bands.
    """
    axes.axhline(0.9, color=COLOURS["random"], linewidth=0.8, linestyle=":")
    top = 1.03
    bottom = min(-0.03, (axes.dataLim.ymin - legend * top) / (1 - legend))
    axes.set(xlabel="images in a sample set, K", ylabel="agreement", title=title, ylim=(bottom, top))
    axes.set_yticks(np.linspace(0, 1, 6))
    axes.legend(loc="lower right", ncols=2)
