"""The claims on one page, by their figures: a row a claim, a column a profile, colour its verdict."""

from collections.abc import Mapping

import numpy as np

from ..figures.panels import new_figure
from ..files import store
from ..profiles import Profile
from .criteria import CLAIMS
from .grades import BY_CONSTRUCTION, FAILS, HOLDS, HOLDS_IN_PART, NOT_MEASURED, ONE_TRAINING, VERDICTS

# Okabe & Ito's colours, which differ in lightness, too.
FILLS = {
    HOLDS: "#009E73",
    HOLDS_IN_PART: "#F0E442",
    FAILS: "#D55E00",
    BY_CONSTRUCTION: "#A9C7DD",
    ONE_TRAINING: "#F5F5F5",
    NOT_MEASURED: "#E6E6E6",
}
MARKS = {
    HOLDS: "o",
    HOLDS_IN_PART: "D",
    FAILS: "X",
    BY_CONSTRUCTION: "s",
    ONE_TRAINING: "$1$",
    NOT_MEASURED: "_",
}


def claims_figure(columns: Mapping[str, list | str]):
    """A figure with a row a claim and a column a profile.

    ``columns[profile]`` is what ``load_claims`` gives, or a sentence where the profile was not run.
    """
    rows, heads = _places()
    last = max(rows.values())
    figure, axes = new_figure([["claims"]], figsize=(8, 0.9 + 0.22 * last))
    place = axes["claims"]
    for x, column in enumerate(columns.values()):
        found = dict.fromkeys(rows, NOT_MEASURED)
        if not isinstance(column, str):
            found |= {entry["id"]: entry["verdict"] for entry in column}
        for verdict in VERDICTS:
            _draw_cells(place, x, np.array([rows[name] for name in rows if found[name] == verdict]), verdict)
    _label(place, columns, rows, last)
    for head, row in heads.items():
        look: dict = {"transform": place.get_yaxis_transform(), "fontsize": 8, "fontweight": "bold"}
        place.text(0, row, head, ha="right", va="center", **look)
    return figure


def _places() -> tuple[dict[str, float], dict[str, float]]:
    """The row of each claim by its id, and that of each heading: figures, then tables, then neither."""
    rows: dict[str, float] = {}
    heads: dict[str, float] = {}
    row = 0.0
    files = {claim.figure for claim in CLAIMS}
    for file in sorted(files, key=_group):
        heads[_heading(file)] = row
        for claim in CLAIMS:
            if claim.figure == file:
                row += 1
                rows[claim.id] = row
        row += 1.25
    return rows, heads


def _group(file: str) -> tuple:
    return file == "", file.startswith("table"), file.partition(".")[0]


def _heading(file: str) -> str:
    """``fig2a.png`` as "Figure 2a"; "No figure" for ""."""
    name = file.partition(".")[0]
    return name.replace("fig", "Figure ").replace("table", "Table ") if name else "No figure"


def _draw_cells(axes, x, rows, verdict):
    axes.barh(rows, 0.92, left=x - 0.46, height=0.86, color=FILLS[verdict], linewidth=0)
    axes.scatter(
        np.full(len(rows), x), rows, s=20, marker=MARKS[verdict], color="black", linewidths=0.8, zorder=3
    )


def _label(axes, columns, rows, last):
    from matplotlib.lines import Line2D

    names = [
        name.replace("-", "-\n", 1) + ("\n(not run)" if isinstance(column, str) else "")
        for name, column in columns.items()
    ]
    axes.set_xticks(range(len(columns)), names, fontsize=8, rotation=40, ha="left", rotation_mode="anchor")
    names = [f"{claim.statement}   {claim.id}" for claim in CLAIMS]
    axes.set_yticks([rows[claim.id] for claim in CLAIMS], names, fontsize=8)
    axes.xaxis.tick_top()
    axes.tick_params(length=0)
    axes.grid(False)
    axes.set(ylim=(last + 0.6, -0.6), xlim=(-0.55, len(columns) - 0.45))
    axes.spines[:].set_visible(False)
    look: dict = {"color": "black", "markerfacecolor": "black", "markersize": 5, "linestyle": ""}
    marks = [Line2D([], [], marker=MARKS[verdict], label=verdict, **look) for verdict in VERDICTS]
    for mark, verdict in zip(marks, VERDICTS, strict=True):
        mark.set(markeredgecolor="black", markerfacecolor=FILLS[verdict])
    axes.figure.legend(handles=marks, loc="outside lower right", ncols=len(VERDICTS) // 2, fontsize=8.5)


def save_picture(profile: Profile, columns: Mapping[str, list | str]) -> None:
    """Write ``claims.png`` beside the profiles' folders of figures."""
    import matplotlib.pyplot as plt

    figure = claims_figure(columns)
    with store.atomic_path(profile.figures_folder.parents[1] / "claims.png") as temporary:
        figure.savefig(temporary, metadata={"Software": None})
    plt.close(figure)
