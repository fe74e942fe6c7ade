"""Further tables of ``06_controls``: the paper's operating points, units of noise by kind, other networks.

``results[class]`` is a ClassResult, of ``class_result``.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from ..controls.experiments import by_area, on_set
from ..controls.scores import PAPER
from ..units.intervals import mean_interval
from .words import interval_text, table

# Share of the units, and whether these stay (in the reverse of the rank the others go) or go, the best first.
OPERATING_POINTS = (
    (0.035, "kept"),
    (20 / 512, "kept"),
    (0.033, "removed"),
    (20 / 512, "removed"),
    (0.1, "removed"),
)
# Recall and balanced accuracy of the whole layer and at each of these points, as others have printed them.
QUOTED = {
    "quoted: the paper, hognose snake, 512 units": ("0.58 / –", "0.92 / –", "", "0.09 / –", "", ""),
    "quoted: Bau et al. 2020, ski resort, 512 units": ("– / 0.81", "", "– / 0.78", "", "– / 0.54", ""),
    "quoted: Bau et al. 2020, mean of 365 classes": (
        "",
        "",
        "3.6 points below the whole",
        "",
        "– / 0.53",
        "",
    ),
}


def operating_table(results: Mapping) -> str:
    """Recall and balanced accuracy on test images where the paper reads its curves, for every score.

    In Markdown, means over the classes: with 3.5% of the units kept, with 3.3% and 10% removed, and with
    20 of 512 kept or removed, as in Bau et al., *Understanding the role of individual units in a deep neural
    network*, PNAS 117 (2020), who rank the units of the same layer of VGG16, trained on Places365, by their
    effect on one class. Their numbers and the paper's are quoted below. A curve with few points is read at
    the nearest one; the header has the number of units.
    """
    tests = on_set(results, "test")
    first = tests[0][PAPER]
    places = [_place(first.points, *point) for point in OPERATING_POINTS]
    header = ["score", "whole layer"]
    for (share, kind), place in zip(OPERATING_POINTS, places, strict=True):
        removed = int(first.points[place])
        units = removed if kind == "removed" else int(first.points[-1]) - removed
        header.append(f"{share:.1%} {kind}: {units} units")
    rows = [[name, *_operating_cells([test[name] for test in tests], places)] for name in by_area(results)]
    return table(header, [*rows, *([name, *cells] for name, cells in QUOTED.items())])


def _place(points, share, kind) -> int:
    """Where a curve of removals has the point nearest to this share of the units kept or removed."""
    count = round(share * points[-1])
    return int(np.argmin(np.abs(points - (count if kind == "removed" else points[-1] - count))))


def _operating_cells(curves: Sequence, places: Sequence[int]) -> list[str]:
    sides = ["best_curve" if kind == "removed" else "worst_curve" for _, kind in OPERATING_POINTS]
    found = [np.mean([c.best_curve[:, 0] for c in curves], axis=0)]
    for side, place in zip(sides, places, strict=True):
        found.append(np.mean([getattr(c, side)[:, place] for c in curves], axis=0))
    return [f"{recall:.2f} / {(recall + others) / 2:.2f}" for recall, others in found]


def noise_table(results: Mapping) -> str:
    """Where inserted units of pure noise stand in the rank, by kind of noise, in Markdown.

    The share in the first tenth of the rank by E, its interval over the classes, and the median places (0 the
    head, 1 the end) by E and by birth information.
    """
    kinds = list(next(iter(results.values())).noise)
    header = [
        "noise, share of positive pixels",
        "in the first tenth by E",
        "median place by E",
        "by birth information",
    ]
    return table(header, [_noise_cells(results, kind) for kind in kinds])


def _noise_cells(results, kind):
    places = np.array([result.noise[kind] for result in results.values()])  # classes, copies, two scores
    middles = np.median(places, axis=(0, 1))
    share = interval_text(mean_interval((places[..., 0] < 0.1).mean(axis=1)))
    return [kind, share, *(f"{middle:.2f}" for middle in middles)]


def rivals_table(known: tuple[list[str], list[str], np.ndarray]) -> str:
    """Area of every rival minus that of E on each network, mean over the classes, in Markdown.

    In balanced accuracy on test images, with intervals over the classes; and over the seeds of the first
    recipe the least and the greatest mean. ``known`` is of ``known_rivals``.
    """
    models, scores, areas = known
    gains = areas[..., 1] - areas[:, :, [scores.index(PAPER)], 1]  # models, classes, scores
    seeds = [i for i, model in enumerate(models) if model.rstrip("0123456789") == models[0]]
    header = ["score", *models, f"{', '.join(models[i] for i in seeds)}: least to greatest mean"]
    order = np.argsort(-gains[seeds].mean(axis=(0, 1)), kind="stable")
    rows = []
    for score in order:
        means = gains[seeds, :, score].mean(axis=1)
        cells = [interval_text(mean_interval(gains[i, :, score])) for i in range(len(models))]
        rows.append(
            [
                scores[score],
                *cells,
                " to ".join(f"{round(m, 2) + 0:+.2f}" for m in (means.min(), means.max())),
            ]
        )
    return table(header, [row for row in rows if row[0] != PAPER])
