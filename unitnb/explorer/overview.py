"""Writes README's first picture from the embedded profile: ``python -m unitnb.explorer.overview``."""

from pathlib import Path

import numpy as np

from ..ablation.cumulative import ablation_curve
from ..figures.overview import overview_figure
from ..files import store
from ..networks.trained import open_layer
from ..profiles import project_root
from ..topology.barcodes import hole_at
from .answers import open_explorer, unit_at

N_RANDOM = 10  # random orders beside the curve


def clearest_image(maps: np.ndarray, births: np.ndarray) -> int:
    """The first image whose map (images, n, n) has the largest hole at its birth (images,) without crossings.

    Vertices are drawn round a circle, so a hole whose vertices follow each other on it is a plain polygon.
    """
    sizes = [_plain(hole_at(fmap, birth)) if birth else 0 for fmap, birth in zip(maps, births, strict=True)]
    return int(np.argmax(sizes))


def _plain(hole) -> int:
    """The number of vertices of a hole that is a plain polygon, else 0."""
    turns = np.sign(np.diff([*hole, hole[0]]))
    return len(hole) if min(np.sum(turns > 0), np.sum(turns < 0)) == 1 else 0


def save_overview() -> Path:
    """Write ``figures/overview.png``; returns its path."""
    import matplotlib.pyplot as plt

    opened = open_explorer("shapes")
    unit, labels = unit_at(opened, place=1), opened.sample.labels
    image = clearest_image(opened.maps[..., unit], opened.births[:, unit])
    split, rng = open_layer(opened.profile, "A"), np.random.default_rng(0)
    orders = [opened.order, *(rng.permutation(opened.n_units) for _ in range(N_RANDOM))]
    curves = [ablation_curve(split, opened.maps, labels, order).accuracy for order in orders]
    figure = overview_figure(
        opened.map_of(image, unit),
        int(opened.births[image, unit]),
        opened.effectiveness,
        unit,
        curves[0],
        np.array(curves[1:]),
    )
    path = project_root() / "figures" / "overview.png"
    with store.atomic_path(path) as temporary:
        figure.savefig(temporary, metadata={"Software": None})
    plt.close(figure)
    return path


if __name__ == "__main__":
    print(save_overview())
