"""The pictures of the explorer: the filtration of one map, and one unit beside the others."""

import io

import numpy as np

from ..figures import panels
from ..figures.fig1_2_method import draw_betti_numbers
from ..figures.panels import new_figure
from ..topology.births import symmetrize
from ..topology.nulls import null_births
from .answers import Explorer, Filtration, top_images, unit_facts


def filtration_figure(image: np.ndarray, filtration: Filtration, level: int):
    """One map at one level of its filtration (Fig. 1, 2A).

    Panels: the image, the map with the level's top set framed, the complex with the open hole in thick lines,
    and the Betti numbers.
    """
    # A slider redraws this. Margins are fixed and letters are plain, because layout takes as long as drawing.
    figure, axes = new_figure(
        [["image", "map", "complex", "betti"]], figsize=(9, 2.5), width_ratios=[1, 1, 1.1, 1.4], layout="none"
    )
    figure.subplots_adjust(left=0.01, right=0.985, top=0.88, bottom=0.2, wspace=0.1)
    v, (components, holes) = filtration.present[level], filtration.betti[level]
    edges = [(i, j) for i, j in filtration.edges(level).tolist()]
    panels.draw_image(axes["image"], image, "image")
    panels.draw_top_set(axes["map"], symmetrize(filtration.fmap), edges, "Fₛ, top set framed")
    title = f"v = {v}: β₀ = {components}, β₁ = {holes}"
    panels.draw_complex(axes["complex"], len(filtration.fmap), edges, title, filtration.hole(level))
    draw_betti_numbers(axes["betti"], filtration.present, filtration.betti, v)
    return figure


def unit_figure(explorer: Explorer, unit: int):
    """One unit: its births against those of structureless maps, its places by all scores, and the images to
    which it answers most, with their maps.
    """
    tops = top_images(explorer, unit)
    rows = [[f"{kind} {i}" for i in range(len(tops))] for kind in ("top", "map")]
    # A slider redraws this, too: fixed margins.
    figure, axes = new_figure(
        [["births"] * 3 + ["places"] * 3, *rows], figsize=(9, 6), height_ratios=[1.6, 1, 1], layout="none"
    )
    figure.subplots_adjust(left=0.07, right=0.985, top=0.95, bottom=0.02, wspace=0.12, hspace=0.28)
    facts = unit_facts(explorer, unit)
    null = null_births(explorer.maps.shape[1])
    panels.draw_births(
        axes["births"], explorer.births[:, unit], f"unit {unit}: rate {facts['rate']:.2f}", null
    )
    axes["births"].legend()
    _make_room(axes)
    _draw_places(axes["places"], {"E (the paper)": facts["place"], **facts["places"]}, explorer.n_units)
    for number, index in enumerate(tops):
        panels.draw_image(axes[f"top {number}"], explorer.sample.images[index], f"image {index}")
        panels.draw_image(axes[f"map {number}"], explorer.maps[index, :, :, unit], "")
    return figure


def _make_room(axes) -> None:
    """Space for axis labels below the upper row, and for the names of the scores."""
    for name, left, width in (("births", 0.07, 0.38), ("places", 0.62, 0.365)):
        axes[name].set_position([left, 0.64, width, 0.31])


def _draw_places(axes, places: dict[str, int], n_units: int) -> None:
    names = list(places)[::-1]
    axes.scatter(
        [places[name] for name in names], np.arange(len(names)), s=24, color=panels.COLOURS["rank"], zorder=3
    )
    axes.set_yticks(np.arange(len(names)), names, fontsize=7)
    axes.set(
        xlabel="place in the rank", title="Its place by each score (left is best)", xlim=(0, n_units + 1)
    )


def png(figure) -> bytes:
    """A figure as the bytes of a PNG, for a widget; the figure is closed."""
    import matplotlib.pyplot as plt

    written = io.BytesIO()
    figure.savefig(written, format="png", dpi=100, metadata={"Software": None})
    plt.close(figure)
    return written.getvalue()
