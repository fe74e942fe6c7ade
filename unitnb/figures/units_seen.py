"""What units see: their strongest photographs with maps, their births, their places by every score."""

from collections.abc import Mapping, Sequence

import numpy as np

from ..controls.scores import PAPER
from ..topology.nulls import null_births
from ..units.entropy import feature_entropy, importance_rank, selective_rate
from . import panels

RIVAL = "mean activation"
SHOWN = (
    PAPER,
    RIVAL,
    "single ablation",
    "selectivity",
    "Taylor",
    "L1 of the filter",
    "rate only",
    "1/H only",
)


def places(scores: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The place of each unit by each score, (units,) int by score, 1 for the most important.

    >>> places({"E": np.array([0.2, 0.9, 0.5])})["E"].tolist()
    [3, 1, 2]
    """
    return {name: np.argsort(importance_rank(values)) + 1 for name, values in scores.items()}


def telling_units(scores: Mapping[str, np.ndarray], count: int = 5) -> dict[str, list[int]]:
    """The ``count`` most and least effective units, and as many whose places by E and ``RIVAL`` differ most.

    A unit of the first two groups is not in the third. ``scores`` holds (units,) by score.
    """
    order, place = importance_rank(scores[PAPER]), places(scores)
    ends = order[:count].tolist(), order[-count:].tolist()
    apart = np.argsort(-np.abs(place[PAPER] - place[RIVAL]), kind="stable").tolist()
    differing = [unit for unit in apart if unit not in ends[0] + ends[1]][:count]
    return {"most effective": ends[0], "least effective": ends[1], f"{RIVAL} differs": differing}


def seen_figure(
    images: np.ndarray,
    maps: np.ndarray,
    births: np.ndarray,
    scores: Mapping[str, np.ndarray],
    groups: Mapping[str, Sequence[int]],
    n_images: int = 4,
):
    """A row a unit: its place by every score, its births over chance, its strongest images with their maps.

    Parameters
    ----------
    images : (n, H, W, 3) uint8
    maps : (n, h, w, u) float
        Of these images. A unit's strongest images have the largest sums of its map.
    births : (n, u) int
    scores : (u,) by score
        Those in ``SHOWN`` are written.
    groups : units by the name of their group, as ``telling_units`` gives them
    n_images : int
        Photographs a unit.
    """
    units = [(name, unit) for name, members in groups.items() for unit in members]
    height = 0.95 * len(units)
    # Margins as fractions of the figure, since a constrained layout of so many panels takes seconds.
    margins = {"left": 0.005, "right": 0.995, "top": 1 - 0.25 / height, "bottom": 0.5 / height}
    figure, axes = panels.new_figure(
        [[f"{column} of {unit}" for column in ("words", "births", "images")] for _, unit in units],
        figsize=(8, height),
        width_ratios=[2.7, 1.4, 2.2 + 0.8 * (2 * n_images - 2)],
        gridspec_kw=margins | {"wspace": 0.06, "hspace": 0.5},
    )
    figure.set_layout_engine("none")
    place, null = places(scores), null_births(maps.shape[1])
    first = {members[0]: name for name, members in groups.items() if len(members)}
    for _, unit in units:
        _write_places(axes[f"words of {unit}"], unit, place, births, first.get(unit, ""))
        _draw_histogram(axes[f"births of {unit}"], births[:, unit], null)
        strongest = np.argsort(-maps[..., unit].sum(axis=(1, 2)), kind="stable")[:n_images]
        pairs: dict[str, np.ndarray] = {}
        for i, index in enumerate(strongest):
            pairs |= {f"image {i} of {unit}": images[index], f"map {i} of {unit}": maps[index, :, :, unit]}
        panels.draw_strip(axes[f"images of {unit}"], pairs)
    axes[f"births of {units[-1][1]}"].set_xlabel("birth point", fontsize=7)
    return figure


def _write_places(axes, unit, place, births, title) -> None:
    axes.axis("off")
    rate, entropy = selective_rate(births)[unit], feature_entropy(births)[unit]
    shown = [f"{name.split(' (')[0]} {place[name][unit]}" for name in SHOWN if name in place]
    pairs = [", ".join(shown[i : i + 2]) for i in range(0, len(shown), 2)]
    text = "\n".join([f"unit {unit}: rate {rate:.2f}, H {entropy:.2f}", *pairs])
    axes.text(0, 0.5, text, fontsize=6, va="center", transform=axes.transAxes)
    axes.set_title(title.capitalize() if title else "", fontsize=8)


def _draw_histogram(axes, births, null) -> None:
    share = np.bincount(births[births > 0], minlength=len(null)) / max((births > 0).sum(), 1)
    panels.draw_null_births(axes, null)
    axes.bar(
        np.arange(len(share)), share, width=0.9, color=panels.COLOURS["train"], label="_images with a birth"
    )
    axes.set(xlim=(3, 25), ylim=(0, None))
    axes.tick_params(labelsize=6)
