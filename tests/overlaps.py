"""Words of a figure that lie over one another, or that its edge cuts."""

from collections.abc import Iterator
from itertools import combinations
from unittest import mock

import numpy as np
from matplotlib.legend import Legend
from matplotlib.text import Text

SLACK = 1.0  # points by which boxes may touch: a box has a margin that its letters do not fill


def overlaps(figure) -> list[str]:
    """A line for each pair of words, or of words and a legend, that overlap in a matplotlib figure.

    And for words that reach beyond the figure's edge. Only what is drawn counts: hidden words do not.
    """
    texts, legends = _drawn(figure)
    within = {id(text): legend for legend in legends for text in legend.findobj(Text)}
    boxes = [(text.get_text(), _corners(text), within.get(id(text))) for text in texts]
    boxes += [("legend", _frame(legend), legend) for legend in legends]
    width, height = figure.canvas.get_width_height()
    found = [f"{name!r} is cut by the edge" for name, box, _ in boxes if _is_cut(box, width, height)]
    for (first, box, legend), (second, other, another) in combinations(boxes, 2):
        inside = legend is not None and legend is another and "legend" in (first, second)
        if not inside and _touch(box, other):
            found.append(f"{first!r} overlaps {second!r}")
    return found


def _drawn(figure) -> tuple[list[Text], list[Legend]]:
    texts: list[Text] = []
    legends: list[Legend] = []
    with _recorded(Text, texts), _recorded(Legend, legends):
        figure.canvas.draw()
    kept = {id(text): text for text in texts if text.get_visible() and text.get_text().strip()}
    return list(kept.values()), list({id(legend): legend for legend in legends}.values())


def _recorded(kind, found):
    draw = kind.draw

    def recording(artist, renderer, *given, **named):
        found.append(artist)
        return draw(artist, renderer, *given, **named)

    return mock.patch.object(kind, "draw", recording)


def _corners(text: Text) -> np.ndarray:
    """The four corners of the words, (4, 2): a rectangle turned about its middle by the words' rotation."""
    hull, turn = Text.get_window_extent(text), text.get_rotation()
    text.set_rotation(0)
    upright = Text.get_window_extent(text)
    text.set_rotation(turn)
    angle = np.deg2rad(turn)
    matrix = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    middle = np.array([(hull.x0 + hull.x1) / 2, (hull.y0 + hull.y1) / 2])
    size = np.maximum([upright.width / 2 - SLACK, upright.height / 2 - SLACK], 0.1)
    return middle + (matrix @ (size * _SIGNS).T).T


_SIGNS = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]])


def _frame(legend: Legend) -> np.ndarray:
    box = legend.get_frame().get_window_extent().padded(-SLACK)
    return np.array([[box.x0, box.y0], [box.x1, box.y0], [box.x1, box.y1], [box.x0, box.y1]])


def _is_cut(box, width, height) -> bool:
    return bool((box < 0).any() or (box > [width, height]).any())


def _touch(first, second) -> bool:
    """Whether two convex shapes overlap: no side of either separates them."""
    return all(
        (first @ normal).max() > (second @ normal).min() and (second @ normal).max() > (first @ normal).min()
        for shape in (first, second)
        for normal in _normals(shape)
    )


def _normals(shape) -> Iterator[np.ndarray]:
    for side in np.roll(shape, -1, axis=0)[:2] - shape[:2]:
        yield np.array([-side[1], side[0]])
