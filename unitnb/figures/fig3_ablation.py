"""Fig. 3: accuracy and loss while units are removed, in the order of the rank and in reverse (Sec. 3.4)."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from . import panels
from .words import steps_label

THIN: dict[str, Any] = {"linewidth": 1.0, "alpha": 0.8, "dashes": (2, 1.5)}  # curves on test images


def _ablation_panel(axes, curve, test_curve, random, metric: str, kind: str, title: str) -> None:
    at = curve.evaluated
    panels.draw_random(axes, np.array([getattr(other, metric) for other in random]), at)
    panels.draw_curve(axes, getattr(test_curve, metric), kind, "test images", at=at, **THIN)
    panels.draw_curve(axes, getattr(curve, metric), kind, "training images", curve.band(metric), at)
    panels.label_curves(axes, metric, title, steps_label("units removed", curve))


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
    figure = plt.figure(figsize=(8, 5 + 1.5 * n_rows))
    parts: Any = figure.subfigures(2, 1, height_ratios=[5, 1.5 * n_rows])
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
    for place in axes[0]:
        place.set_xlabel("")
    upper.legend(**_key(len(random)), loc="outside upper center", ncols=3)
    _class_panels(lower, by_class, n_rows)
    return figure


def _class_panels(figure, by_class: Mapping[str, tuple], n_rows: int) -> None:
    axes = figure.subplots(n_rows, 5, sharex=True, sharey=True, squeeze=False)
    for place in axes.flat[len(by_class) :]:
        place.axis("off")
    for number, (place, (name, (best, worst))) in enumerate(zip(axes.flat, by_class.items(), strict=False)):
        for curve, kind, words in (
            (best, "rank", "most effective first"),
            (worst, "reverse", "reverse order"),
        ):
            panels.draw_curve(place, curve.accuracy, kind, words, curve.band(n_boot=200), curve.evaluated)
        place.set(title=f"C  {name}" if number == 0 else name, ylim=(-0.05, 1.05), label=f"C {name}")
    figure.supxlabel(steps_label("units removed", worst), fontsize=9.5)
    figure.supylabel("accuracy", fontsize=9.5)


def _key(n_random: int) -> dict[str, Any]:
    """Handles and labels for all panels: both orders, test images, random orders, and the two bands."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    orders = [
        Line2D([], [], color=panels.COLOURS[kind], linestyle=panels.STYLES.get(kind, "-"))
        for kind in ("rank", "reverse")
    ]
    shades = [panels.COLOURS["rank"], panels.COLOURS["reverse"]]
    bands = tuple(Patch(facecolor=shade, alpha=0.3) for shade in shades)
    tests = tuple(Line2D([], [], color=shade, **THIN) for shade in shades)
    grey = panels.COLOURS["random"]
    by_chance = (Patch(facecolor=grey, alpha=0.25), Line2D([], [], color=grey, linewidth=1.0))
    words = ["most effective first", "reverse order", "test images, thin", "95% band over the images"]
    return {
        "handles": [*orders, tests, bands, by_chance],
        "labels": [*words, f"{n_random} random orders: median, range"],
        "handler_map": {tests: panels.side_by_side(), bands: panels.side_by_side()},
    }
