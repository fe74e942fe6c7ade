"""Panels of the paper's figures: each function draws on the axes it is given.

The same thing has the same colour in every figure (Okabe & Ito's palette, safe for colour-blind readers), and another line style or
hatch where two may be confused.
"""

from collections.abc import Mapping, Sequence

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
STYLES = {
    "reverse": "--",
    "IR_1000": "--",
    "IR_val": "-.",
    "mean rank": ":",
    "IR_50": (0, (4, 1.5, 1, 1.5, 1, 1.5)),
    "test": "--",
}
ROLE_FILLS = {"core": "#F2A79B", "overfitted": "#FBC57B", "generalizing": "#FAF0A0", "confusing": "#CBE5F6"}
ROLE_HATCHES = {"core": "", "overfitted": "///", "generalizing": "...", "confusing": "\\\\"}


def use_style() -> None:
    """Set matplotlib's style to the project's, ``unitnb.mplstyle``, for the figures that follow."""
    import matplotlib.pyplot as plt

    plt.style.use("unitnb.figures.unitnb")


def new_figure(mosaic: Sequence, **settings):
    """``plt.subplot_mosaic`` in the project's style (``unitnb.mplstyle``): a figure and its axes by name."""
    import matplotlib.pyplot as plt

    use_style()
    return plt.subplot_mosaic(mosaic, **settings)


# ---- Figs. 1 and 2A: from a map to its birth point ----


def draw_image(axes, image: np.ndarray, title: str) -> None:
    """A photograph or a feature map, without axes."""
    axes.imshow(image)
    axes.set_title(title)
    axes.set(xticks=[], yticks=[])
    axes.grid(False)


def draw_top_set(axes, symmetric: np.ndarray, edges: Sequence[tuple[int, int]], title: str) -> None:
    """A symmetrized map (n, n) with the entries of a top set framed (Eq. 2)."""
    draw_image(axes, symmetric, title)
    for i, j in edges:
        for row, column in ((i, j), (j, i)):
            axes.plot(
                [column - 0.5, column + 0.5, column + 0.5, column - 0.5, column - 0.5],
                [row - 0.5, row - 0.5, row + 0.5, row + 0.5, row - 0.5],
                color=COLOURS["rank"], linewidth=1.2,
            )  # fmt: skip


def draw_complex(
    axes, n: int, edges: Sequence[tuple[int, int]], title: str, hole: Sequence[int] = (), names: bool = True
) -> None:
    """The clique complex of ``edges`` on ``n`` vertices round a circle: triangles filled, the hole's edges thick (Fig. 1)."""
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
        axes.plot(
            *place[list(edge)].T,
            color=COLOURS["rank"] if thick else "#444444",
            linewidth=2.6 if thick else 1.0,
        )
    used = sorted({vertex for edge in edges for vertex in edge})
    axes.scatter(*place.T, s=10, color="#BBBBBB", zorder=3)
    axes.scatter(*place[used].T, s=28, color="#222222", zorder=4)
    for vertex, (x, y) in enumerate(1.2 * place if names else ()):
        axes.text(x, y, str(vertex + 1), ha="center", va="center", fontsize=7)
    axes.set(title=title, xlim=(-1.4, 1.4), ylim=(-1.35, 1.35), aspect="equal")
    axes.axis("off")


def draw_betti_curve(axes, edges_present: np.ndarray, beta: np.ndarray, birth: int) -> None:
    """A Betti curve beta_1 over the number of edges present, its birth point marked (Eq. 4); ``birth`` 0 means none."""
    axes.step(edges_present, beta, where="post", color="#222222")
    if birth:
        axes.axvline(
            birth, color=COLOURS["rank"], linestyle="--", linewidth=1.2, label=f"birth point {birth}"
        )
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
    """Histogram of birth points over images: shares among the images that have one (Eq. 6), the null of i.i.d. maps in grey.

    ``births`` is (n,) with 0 for none; ``null`` holds the share of each birth point, from 0 up.
    """
    born = births[births > 0]
    last = int(born.max(initial=20)) + 1
    share = np.bincount(born, minlength=last + 1) / max(len(born), 1)
    if null is not None:
        axes.fill_between(
            np.arange(len(null)),
            null,
            step="mid",
            color=COLOURS["null"],
            alpha=0.7,
            linewidth=0,
            label="i.i.d. maps",
        )
    axes.bar(np.arange(len(share)), share, width=0.8, color=colour, label="images with a birth")
    top = max(share.max(initial=0), 0 if null is None else null.max())
    axes.set(
        xlabel="birth point (edges)",
        ylabel="share of images",
        title=title,
        xlim=(3, last),
        ylim=(0, 1.4 * top),
    )  # room for a legend


# ---- Fig. 2B-D: training ----


def draw_birth_shares(axes, births_by_epoch: Mapping[int, np.ndarray], null: np.ndarray) -> None:
    """Distribution of the birth points of all units and images at some epochs, over the null of i.i.d. maps (Fig. 2B)."""
    import matplotlib as mpl

    last = max(int(births.max()) for births in births_by_epoch.values()) + 1
    axes.fill_between(
        np.arange(len(null)),
        null,
        step="mid",
        color=COLOURS["null"],
        alpha=0.7,
        linewidth=0,
        label="i.i.d. maps",
    )
    shades = mpl.colormaps["viridis"](np.linspace(0.9, 0.0, len(births_by_epoch)))
    for (epoch, births), shade, marker in zip(births_by_epoch.items(), shades, "osD^v<>", strict=False):
        share = np.bincount(births[births > 0].ravel(), minlength=last + 1) / (births > 0).sum()
        axes.plot(
            np.arange(len(share)),
            share,
            color=shade,
            marker=marker,
            markersize=3,
            linewidth=1.3,
            label=f"epoch {epoch}",
        )
    axes.set(
        xlabel="birth point (edges)",
        ylabel="share of maps with a birth",
        title="B  Birth points of all units",
        xlim=(3, min(last, 32)),
    )
    axes.legend()


def draw_null_entropy(axes, null: tuple[float, float]) -> None:
    """The entropy that structureless maps show over as many images: mean and two standard deviations, in grey."""
    mean, deviation = null
    axes.axhspan(
        mean - 2 * deviation,
        mean + 2 * deviation,
        color=COLOURS["null"],
        alpha=0.5,
        linewidth=0,
        label="i.i.d. maps",
    )
    axes.legend()


def draw_epochs(
    axes,
    values: np.ndarray,
    ylabel: str,
    title: str,
    colour: str = "#222222",
    marker: str = "o",
    label: str | None = None,
) -> None:
    """A quantity after each epoch, epoch 0 being the untrained network (Fig. 2C-D)."""
    axes.plot(np.arange(len(values)), values, marker=marker, markersize=3.5, color=colour, label=label)
    axes.set(xlabel="epoch", ylabel=ylabel, title=title)
    axes.xaxis.get_major_locator().set_params(integer=True)


# ---- Figs. 3 and 4: ablation curves ----


def draw_curve(
    axes, values: np.ndarray, kind: str, label: str | None = None, band: np.ndarray | None = None, **line
) -> None:
    """An ablation curve (u + 1,) over the number of units removed or inserted, with a pointwise band (2, u + 1)."""
    steps = np.arange(len(values))
    if band is not None:
        axes.fill_between(steps, band[0], band[1], color=COLOURS[kind], alpha=0.2, linewidth=0)
    axes.plot(steps, values, color=COLOURS[kind], linestyle=STYLES.get(kind, "-"), label=label, **line)


def draw_random(axes, values: np.ndarray) -> None:
    """The band that random orders fill: ``values`` (orders, u + 1); its range and its median."""
    steps = np.arange(values.shape[1])
    axes.fill_between(steps, values.min(0), values.max(0), color=COLOURS["random"], alpha=0.22, linewidth=0)
    axes.plot(
        steps,
        np.median(values, 0),
        color=COLOURS["random"],
        linewidth=1.0,
        label=f"{len(values)} random orders",
    )


METRICS = {"accuracy": "accuracy", "loss": "loss (nats)", "balanced_accuracy": "balanced accuracy"}


def label_curves(axes, metric: str, title: str, xlabel: str = "units removed") -> None:
    """Axis labels of a curve: accuracy of the class, loss in nats, or balanced accuracy of the class against the others."""
    axes.set(title=title, xlabel=xlabel, ylabel=METRICS[metric])
    if metric != "loss":
        axes.set_ylim(-0.03, 1.03)


# ---- Fig. 4C-D: votes ----


def draw_votes(axes, votes: np.ndarray, n_sets: int, head: int, title: str) -> None:
    """How many sample sets vote each unit into the top of the rank, sorted (Eq. 13), the first ``head`` units darker."""
    ordered = np.sort(votes)[::-1]
    ordered = ordered[: max(int((ordered > 0).sum()), head)]
    colours = [COLOURS["rank"] if place < head else COLOURS["null"] for place in range(len(ordered))]
    axes.bar(np.arange(1, len(ordered) + 1), ordered, color=colours, width=0.85)
    axes.set(xlabel="unit, by votes", ylabel=f"votes of {n_sets} sets", title=title, ylim=(0, 1.05 * n_sets))


AGREEMENT_LOOKS = {
    "Eq. 14": ("o", "#D55E00"),
    "Eq. 14, other images": ("s", "#E69F00"),
    "Eq. 14, disjoint sets": ("v", "#CC79A7"),
    r"Kendall $\tau$": ("^", "#000000"),
    "Jaccard, top 20": ("D", "#0072B2"),
}


def draw_agreement(axes, set_sizes: np.ndarray, values: np.ndarray, label: str) -> None:
    """A measure of stability in [0, 1] over the number of images in a set: (s,), or (s, 3) with the ends of an interval (Fig. 4D)."""
    marker, colour = AGREEMENT_LOOKS[label]
    if values.ndim == 2:
        axes.fill_between(set_sizes, values[:, 1], values[:, 2], color=colour, alpha=0.12, linewidth=0)
        values = values[:, 0]
    axes.plot(set_sizes, values, marker=marker, markersize=3.5, color=colour, label=label)


def label_agreement(axes, title: str) -> None:
    """Axis labels of measures of stability, and the paper's 90% as a dotted line."""
    axes.axhline(0.9, color=COLOURS["random"], linewidth=0.8, linestyle=":")
    axes.set(xlabel="images in a sample set, K", ylabel="agreement", title=title, ylim=(-0.03, 1.03))
    axes.legend(loc="lower right", ncols=2)


# ---- Fig. 5: roles ----


def draw_roles(axes, spans: Sequence[tuple[int, int, str]]) -> None:
    """Colour the spans of the rank by role behind insertion curves (Fig. 5): red, orange, yellow, light blue, each with its hatch."""
    for start, stop, role in spans:
        axes.axvspan(
            start,
            stop,
            facecolor=ROLE_FILLS[role],
            edgecolor="#FFFFFF",
            hatch=ROLE_HATCHES[role],
            linewidth=0,
            zorder=0,
        )
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
