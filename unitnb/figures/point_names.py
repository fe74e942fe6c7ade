"""Names beside the points of a figure, each at a place that is free."""

from collections.abc import Sequence

import numpy as np


def name_points(axes, names: Sequence[str], points: np.ndarray) -> None:
    """Write the names of points (m, 2) beside them, where they cover neither a point nor another name.

    The figure must have been drawn, so that its layout is final. A name for which no place is free stands
    farthest away, and a thin line leads from each that stands apart to its point.
    """
    renderer = axes.figure.canvas.get_renderer()
    taken: list[tuple] = [(x - 4, y - 4, x + 4, y + 4) for x, y in axes.transData.transform(points)]
    for name, point in zip(names, points, strict=True):
        line = {"arrowstyle": "-", "linewidth": 0.5, "color": "#999999", "shrinkA": 0, "shrinkB": 3}
        look: dict = {"textcoords": "offset points", "fontsize": 8, "ha": "center", "va": "center"}
        text = axes.annotate(name, point, xytext=(0, 0), arrowprops=line, **look)
        for distance in (9, 14, 20, 28, 38):
            turns = np.pi / 4 * np.arange(8)
            places = distance * np.stack([np.cos(turns), np.sin(turns)], axis=1)
            free = [place for place in places if not _covers(text, place, taken, axes, renderer)]
            text.set_position(free[0] if free else places[0])
            if free:
                break
        taken.append(_box(text, renderer))


def _box(text, renderer) -> tuple:
    from matplotlib.text import Text

    text.update_positions(renderer)
    return Text.get_window_extent(text, renderer).extents  # of the words alone, without the line


def _covers(text, place, taken, axes, renderer) -> bool:
    text.set_position(place)
    left, low, right, high = _box(text, renderer)
    within = axes.bbox.x0 <= left and right <= axes.bbox.x1 and axes.bbox.y0 <= low and high <= axes.bbox.y1
    return not within or any(left < x1 and x0 < right and low < y1 and y0 < high for x0, y0, x1, y1 in taken)
