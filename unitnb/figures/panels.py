"""Panels that several figures share: each function draws on the axes it is given.

The same thing has the same colour in every figure (Okabe & Ito's palette, safe for colour-blind readers), and
another line style where two may be confused.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

COLOURS = {
    "train": "#0072B2",
    "test": "#009E73",
    "rank": "#D55E00",  # most effective first; also IR_100
    "reverse": "#CC79A7",
    "random": "#7F7F7F",
    "null": "#BDBDBD",
    "IR_100": "#D55E00",
    "IR_1000": "#000000",
    "IR_val": "#56B4E9",
    "mean rank": "#E69F00",
    "IR_50": "#0072B2",
}
STRUCTURELESS = "structureless maps"  # of independent, identically distributed entries
STYLES: dict[str, Any] = {  # line styles; the others are solid
    "reverse": "--",
    "IR_1000": "--",
    "IR_val": "-.",
    "mean rank": ":",
    "IR_50": (0, (4, 1.5, 1, 1.5, 1, 1.5)),
    "test": "--",
}


def use_style() -> None:
    """Set matplotlib's style to the project's, ``unitnb.mplstyle``, for the figures that follow."""
    import matplotlib.pyplot as plt

    plt.style.use("unitnb.figures.unitnb")


def new_figure(mosaic: list[Any], **settings: Any):
    """A figure and its axes by name: ``plt.subplot_mosaic`` in the project's style (``unitnb.mplstyle``)."""
    import matplotlib.pyplot as plt

    use_style()
    return plt.subplot_mosaic(mosaic, **settings)


def side_by_side():
    """For a legend's ``handler_map``: the handles of a tuple beside one another, not one over the other."""
    from matplotlib.legend_handler import HandlerTuple

    return HandlerTuple(ndivide=None, pad=0.3)


# ---- Figs. 1 and 2A: from a map to its birth point ----


def draw_image(axes, image: np.ndarray, title: str) -> None:
    """A photograph or a feature map, without axes."""
    axes.imshow(image)
    axes.set_title(title)
    axes.set(xticks=[], yticks=[])
    axes.grid(False)


def draw_strip(axes, pictures: Mapping[str, np.ndarray]) -> None:
    """Photographs and maps side by side on one axes, which costs less than axes for each.

    Pictures are square, (h, h, 3) uint8 or (h, h). The name of a picture is its image's label, and with it a
    panel's in the table of numbers.
    """
    for place, (name, picture) in enumerate(pictures.items()):
        left = 1.12 * place
        axes.imshow(picture, extent=(left, left + 1, 1, 0), label=name)
    axes.set(xlim=(0, left + 1), ylim=(1, 0), xticks=[], yticks=[], frame_on=False)
    axes.grid(False)


def draw_top_set(
    axes, symmetric: np.ndarray, edges: Sequence[tuple[int, int]], title: str, numbered: bool = False
) -> None:
    """A symmetrized map (n, n) with the entries of a top set (Eq. 2) framed on both sides.

    ``numbered`` writes the numbers of rows and columns, from 1: those of the vertices.
    """
    draw_image(axes, symmetric, title)
    if numbered:
        places, size = range(len(symmetric)), min(7.5, 110 / len(symmetric))
        for set_ticks in (axes.set_xticks, axes.set_yticks):
            set_ticks(places, [str(place + 1) for place in places], fontsize=size)
        axes.tick_params(length=0)
        axes.set(xlabel="column $j$", ylabel="row $i$")
    for i, j in edges:
        for row, column in ((i, j), (j, i)):
            axes.plot(
                [column - 0.5, column + 0.5, column + 0.5, column - 0.5, column - 0.5],
                [row - 0.5, row - 0.5, row + 0.5, row + 0.5, row - 0.5],
                color=COLOURS["rank"], linewidth=1.2, label="_top set",
            )  # fmt: skip


def draw_complex(
    axes, n: int, edges: Sequence[tuple[int, int]], title: str, hole: Sequence[int] = (), names: bool = True
) -> None:
    """The clique complex of ``edges`` on ``n`` vertices round a circle (Fig. 1).

    Triangles are filled. The edges of ``hole``, the vertices of a cycle in order, are thick. ``names`` writes
    the vertices' numbers, from 1.
    """
    angle = np.pi / 2 - 2 * np.pi * np.arange(n) / n
    place = np.stack([np.cos(angle), np.sin(angle)], 1)
    linked = {frozenset(edge) for edge in edges}
    for i in range(n):
        for j in range(i):
            for k in range(j):
                if {frozenset((i, j)), frozenset((j, k)), frozenset((i, k))} <= linked:
                    axes.fill(*place[[i, j, k]].T, color="#56B4E9", alpha=0.35, linewidth=0)
    ring = {frozenset((hole[i - 1], hole[i])) for i in range(len(hole))}
    for edge in edges:
        thick = frozenset(edge) in ring
        colour, width = (COLOURS["rank"], 2.6) if thick else ("#444444", 1.0)
        axes.plot(*place[list(edge)].T, color=colour, linewidth=width)
    used = sorted({vertex for edge in edges for vertex in edge})
    axes.scatter(*place.T, s=10, color="#BBBBBB", zorder=3)
    axes.scatter(*place[used].T, s=28, color="#222222", zorder=4)
    for vertex, (x, y) in enumerate(1.2 * place if names else ()):
        axes.text(x, y, str(vertex + 1), ha="center", va="center", fontsize=7)
    axes.set(title=title, xlim=(-1.4, 1.4), ylim=(-1.35, 1.35), aspect="equal")
    axes.axis("off")


def draw_hole(axes, hole: Sequence[int], title: str) -> None:
    """A hole (m,), the vertices of a cycle in order, as a polygon of m equal sides, its corners numbered."""
    angle = np.pi / 2 - 2 * np.pi * np.arange(len(hole)) / max(len(hole), 1)
    place = np.stack([np.cos(angle), np.sin(angle)], 1)
    axes.plot(*place[np.arange(-1, len(hole))].T, color=COLOURS["rank"], linewidth=2.6)
    axes.scatter(*place.T, s=28, color="#222222", zorder=4)
    for vertex, (x, y) in zip(hole, 1.2 * place, strict=True):
        axes.text(x, y, str(vertex + 1), ha="center", va="center", fontsize=8)
    axes.set(title=title, xlim=(-1.4, 1.4), ylim=(-1.35, 1.35), aspect="equal")
    axes.axis("off")


def draw_betti_curve(axes, edges_present: np.ndarray, beta: np.ndarray, birth: int) -> None:
    """A Betti curve beta_1 over the number of edges present, its birth point marked (Eq. 4).

    ``birth`` 0 means none.
    """
    axes.step(edges_present, beta, where="post", color="#222222", label=r"_$\beta_1$")
    if birth:
        label = f"birth point {birth}"
        axes.axvline(birth, color=COLOURS["rank"], linestyle="--", linewidth=1.2, label=label)
        axes.legend(loc="upper right")
    axes.set(
        xlabel="edges present, v",
        ylabel=r"$\beta_1$",
        title="Betti curve",
        ylim=(-0.1, max(beta.max(), 1) * 1.35),
    )
    for axis in (axes.xaxis, axes.yaxis):
        axis.get_major_locator().set_params(integer=True)


def draw_births(
    axes, births: np.ndarray, title: str, null: np.ndarray | None = None, colour: str = COLOURS["train"]
) -> None:
    """Histogram of birth points: shares among the images that have one (Eq. 6), over the null of i.i.d. maps.

    ``births`` is (n,) with 0 for none. ``null`` holds the share of each birth point, from 0 up.
    """
    born = births[births > 0]
    last = int(born.max(initial=20)) + 1
    share = np.bincount(born, minlength=last + 1) / max(len(born), 1)
    if null is not None:
        draw_null_births(axes, null)
    axes.bar(np.arange(len(share)), share, width=0.8, color=colour, label="images with a birth")
    top = max(share.max(initial=0), 0 if null is None else null.max())
    axes.set(xlabel="birth point (edges)", ylabel="share of images", title=title)
    axes.set(xlim=(3, last), ylim=(0, 1.4 * top))  # room for a legend


def draw_null_births(axes, null: np.ndarray) -> None:
    """The share of each birth point, from 0 up, among structureless maps, in grey."""
    look: dict = {"color": COLOURS["null"], "alpha": 0.7, "linewidth": 0}
    axes.stairs(null, np.arange(len(null) + 1) - 0.5, fill=True, label=STRUCTURELESS, **look)


def draw_null_entropy(axes, null: tuple[float, float]) -> None:
    """The entropy of structureless maps over as many images, in nats: two standard deviations about the mean.

    ``null`` is (mean, standard deviation). The band is grey, and a line in it is the mean.
    """
    mean, deviation = null
    look: dict = {"color": COLOURS["null"], "alpha": 0.5, "linewidth": 0}
    axes.axhspan(mean - 2 * deviation, mean + 2 * deviation, label=f"{STRUCTURELESS}: mean ± 2 sd", **look)
    axes.axhline(mean, color=COLOURS["random"], linewidth=0.9, label=f"_{STRUCTURELESS}: mean")


# ---- Figs. 3 and 4: ablation curves ----


def draw_curve(
    axes,
    values: np.ndarray,
    kind: str,
    label: str | None = None,
    band: np.ndarray | None = None,
    at=None,
    **line,
) -> None:
    """An ablation curve (u + 1,) over the number of units removed or inserted, with its band (2, u + 1).

    Only the points ``at`` are drawn, by default all: of a filled curve, those at which it was evaluated.
    ``kind`` is a key of ``COLOURS``. Further names go to matplotlib's ``plot``.
    """
    steps, name = np.arange(len(values)) if at is None else at, label or f"_{kind}"
    if band is not None:
        look: dict = {"color": COLOURS[kind], "alpha": 0.2, "linewidth": 0}
        axes.fill_between(steps, *np.asarray(band)[:, steps], label=f"_{name.lstrip('_')}", **look)
    line |= {"color": COLOURS[kind], "linestyle": STYLES.get(kind, "-"), "label": name}
    axes.plot(steps, np.asarray(values)[steps], **line)


def draw_random(axes, values: np.ndarray, at=None) -> None:
    """The band that random orders fill: ``values`` (orders, u + 1); its range and its median.

    ``at`` is as in ``draw_curve``.
    """
    steps, label = np.arange(values.shape[1]) if at is None else at, f"{len(values)} random orders"
    look: dict = {"color": COLOURS["random"], "alpha": 0.22, "linewidth": 0}
    values = values[:, steps]
    axes.fill_between(steps, values.min(0), values.max(0), label=f"_{label}", **look)
    axes.plot(steps, np.median(values, 0), color=COLOURS["random"], linewidth=1.0, label=label)


METRICS = {"accuracy": "accuracy", "loss": "loss (nats)", "balanced_accuracy": "balanced accuracy"}


def label_curves(axes, metric: str, title: str, xlabel: str = "units removed") -> None:
    """Axis labels of a curve of ``metric``, one of ``METRICS``.

    Accuracy is of the class, balanced accuracy of the class against the others.
    """
    axes.set(title=title, xlabel=xlabel, ylabel=METRICS[metric])
    if metric != "loss":
        axes.set_ylim(-0.03, 1.03)
