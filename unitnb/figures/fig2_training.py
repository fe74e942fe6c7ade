"""Fig. 2B-D: what training does to birth points, entropy, selective rate and effectiveness (Sec. 3.3)."""

from collections.abc import Mapping

import numpy as np

from . import panels
from .panels import COLOURS, new_figure


def training_figure(
    log: Mapping[str, np.ndarray],
    births: Mapping[float, np.ndarray],
    means: Mapping[str, np.ndarray],
    null,
    null_entropy,
):
    """Fig. 2B-D: pooled birth points at four epochs, and what changes by epoch.

    Parameters
    ----------
    log : (k,) by name
        "epoch", from 0, the untrained network, with fractions where parts of the first epoch were kept; and
        "loss", in nats.
    births : (n, u) int by epoch
        Birth points, 0 for none.
    means : (k,) by name
        Means over units: "entropy" (nats), "rate" and "effectiveness" (1/nats).
    null : (v,)
        The share of each birth point, from 0 up, among i.i.d. maps.
    null_entropy : (mean, standard deviation)
        Of i.i.d. maps, in nats.
    """
    figure, axes = new_figure(
        [["B", "C1", "C2"], ["B", "D1", "D2"]], figsize=(8, 4.2), width_ratios=[1.45, 1, 1]
    )
    last = max(births)
    draw_birth_shares(axes["B"], {epoch: births[epoch] for epoch in sorted({0, 1, last // 2, last})}, null)
    draw_epochs(axes["C1"], log["epoch"], log["loss"], "loss (nats)", "C1  Training loss", COLOURS["train"])
    draw_epochs(axes["C2"], log["epoch"], means["entropy"], "mean $H$ (nats)", "C2  Feature entropy")
    panels.draw_null_entropy(axes["C2"], null_entropy)
    draw_epochs(axes["D1"], log["epoch"], means["rate"], r"mean $\varepsilon$", "D1  Selective rate")
    draw_epochs(axes["D2"], log["epoch"], means["effectiveness"], "mean $E$ (1/nats)", "D2  Effectiveness")
    handles, labels = axes["C2"].get_legend_handles_labels()
    figure.legend(handles, [f"C2, {label}" for label in labels], loc="outside lower right")
    return figure


def draw_birth_shares(axes, births_by_epoch: Mapping[float, np.ndarray], null: np.ndarray) -> None:
    """Distribution of the birth points (n, u) of all units and images at some epochs (Fig. 2B).

    Over the null of i.i.d. maps.
    """
    import matplotlib as mpl

    last = max(int(births.max()) for births in births_by_epoch.values()) + 1
    panels.draw_null_births(axes, null)
    shades = mpl.colormaps["viridis"](np.linspace(0.9, 0.0, len(births_by_epoch)))
    for (epoch, births), shade, marker in zip(births_by_epoch.items(), shades, "osD^v<>", strict=False):
        share = np.bincount(births[births > 0].ravel(), minlength=last + 1) / (births > 0).sum()
        look = {"color": shade, "marker": marker, "markersize": 3, "linewidth": 1.3}
        axes.plot(np.arange(len(share)), share, label=f"epoch {epoch:g}", **look)
    axes.set(
        xlabel="birth point (edges)",
        ylabel="share of maps with a birth",
        title="B  Birth points of all units",
        xlim=(3, min(last, 32)),
    )
    axes.legend()


def draw_epochs(
    axes,
    epochs: np.ndarray,
    values: np.ndarray,
    ylabel: str,
    title: str,
    colour: str = "#222222",
    marker: str = "o",
    label: str | None = None,
) -> None:
    """A quantity after each epoch, epoch 0 being the untrained network (Fig. 2C-D)."""
    look: dict = {"marker": marker, "markersize": 3.5, "color": colour, "label": label or f"_{ylabel}"}
    axes.plot(epochs, values, **look)
    axes.set(xlabel="epoch", ylabel=ylabel, title=title)
    axes.xaxis.get_major_locator().set_params(integer=True)
