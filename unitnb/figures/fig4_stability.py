"""Fig. 4: how stable the rank is under other samples of images (Sec. 3.5)."""

from collections.abc import Mapping, Sequence

import numpy as np

from ..profiles import Profile
from . import panels
from .panels import new_figure
from .words import index_text


def stability_figure(
    curves: Mapping[str, Mapping], tables: Mapping[str, Mapping[str, np.ndarray]], profile: Profile
):
    """Fig. 4: curves by several ranks on several sets (A, B), votes for three sizes (C), and agreement over the size (D).

    ``tables`` are of ``stability_table``: "overlapping" as in the paper, "disjoint", and "other images" for the reference.
    """
    figure, axes = new_figure(
        [
            ["A1", "A1", "A2", "A2", "A3", "A3"],
            ["B", "B", "B", "D", "D", "D"],
            ["C1", "C1", "C2", "C2", "C3", "C3"],
        ],
        figsize=(8, 7.4),
    )
    for number, (name, by_rank) in enumerate(curves.items(), start=1):
        title = f"{'A  ' if number == 1 else ''}On {index_text(name)}"
        _rank_curves(axes[f"A{number}"], by_rank, ("IR_1000", "IR_val", "IR_50", "IR_100"), title)
    _rank_curves(
        axes["B"],
        curves["S_1000"],
        ("IR_1000", "mean rank", "IR_100"),
        "B  On $S_{1000}$, with the mean rank",
    )
    axes["A1"].legend()
    axes["B"].legend()
    table = tables["overlapping"]
    for number, row in enumerate((0, list(table["set_size"]).index(profile.n_rank), -1), start=1):
        title = f"{'C  ' if number == 1 else ''}Sets of {table['set_size'][row]} images"
        panels.draw_votes(
            axes[f"C{number}"], table["votes"][row], profile.n_sets, table["top_units"].shape[1], title
        )
    for label, (source, name) in AGREEMENTS.items():
        panels.draw_agreement(axes["D"], tables[source]["set_size"], tables[source][name], label)
    panels.label_agreement(axes["D"], "D  Agreement over the size of a set")
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
        panels.draw_curve(
            axes, by_rank[rank].accuracy, rank, index_text(rank), by_rank[rank].band(n_boot=200)
        )
    panels.label_curves(axes, "accuracy", title)
