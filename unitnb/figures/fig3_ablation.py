"""Fig. 3: accuracy and loss while units are removed, in the order of the rank and in reverse (Sec. 3.4)."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from . import panels


def _ablation_panel(axes, curve, test_curve, random, metric: str, kind: str, title: str) -> None:
    panels.draw_random(axes, np.array([getattr(other, metric) for other in random]))
    thin: dict = {"linewidth": 1.0, "alpha": 0.8, "dashes": (2, 1.5)}
    panels.draw_curve(axes, getattr(test_curve, metric), kind, "test images", **thin)
    panels.draw_curve(axes, getattr(curve, metric), kind, "training images", curve.band(metric))
    panels.label_curves(axes, metric, title)


def ablation_figure(
    removed, reverse, random: Sequence, test_removed, test_reverse, by_class: Mapping[str, tuple]
):
    """Fig. 3: curves in the order of the rank (A) and in reverse (B), and every class in both orders (C).

    Parameters
    ----------
    removed, reverse : Curve
        In the order of the rank and in reverse, on training images.
    random : sequence of Curve
        In random orders.
    test_removed, test_reverse : Curve
        As the first two, on test images.
    by_class : (Curve, Curve) by class
        In the order of the rank and in reverse.
    """
    import matplotlib.pyplot as plt

    n_rows = -(-len(by_class) // 5)
    panels.use_style()
    figure = plt.figure(figsize=(8, 4.6 + 1.5 * n_rows))
    parts: Any = figure.subfigures(2, 1, height_ratios=[4.6, 1.5 * n_rows])
    upper, lower = parts
    axes = upper.subplots(2, 3)
    for row, kind, title, curve, test in (
        (0, "rank", "A  Most effective first", removed, test_removed),
        (1, "reverse", "B  Reverse order", reverse, test_reverse),
    ):
        for column, metric in enumerate(panels.METRICS):
            place = axes[row, column]
            place.set_label(f"{'AB'[row]} {metric}")
            _ablation_panel(place, curve, test, random, metric, kind, title if column == 0 else "")
    upper.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside upper right", ncols=3)
    _class_panels(lower, by_class, n_rows)
    return figure


def _class_panels(figure, by_class: Mapping[str, tuple], n_rows: int) -> None:
    axes = figure.subplots(n_rows, 5, sharex=True, sharey=True, squeeze=False)
    for place in axes.flat[len(by_class) :]:
        place.axis("off")
    for number, (place, (name, (best, worst))) in enumerate(zip(axes.flat, by_class.items(), strict=False)):
        panels.draw_curve(place, best.accuracy, "rank", "most effective first", best.band(n_boot=200))
        panels.draw_curve(place, worst.accuracy, "reverse", "reverse order", worst.band(n_boot=200))
        place.set(title=f"C  {name}" if number == 0 else name, ylim=(-0.05, 1.05), label=f"C {name}")
    figure.supxlabel("units removed", fontsize=9.5)
    figure.supylabel("accuracy", fontsize=9.5)
    figure.legend(*axes.flat[0].get_legend_handles_labels(), loc="outside lower right", ncols=2)
