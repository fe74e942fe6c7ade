"""The numbers behind a figure as one tidy table, read from what its axes hold when it is saved.

A series is what one label names: a curve with its band, points, bars, the entries of a matrix. A label that
begins with "_" names a series and stays out of the legend, as always in matplotlib. So a panel that draws
something new needs a label there and no line here.
"""

import csv
import io
from collections.abc import Iterator, Sequence

import numpy as np
from matplotlib.collections import FillBetweenPolyCollection, LineCollection, PathCollection
from matplotlib.container import BarContainer, ErrorbarContainer
from matplotlib.patches import Rectangle, StepPatch
from matplotlib.ticker import FixedLocator, FuncFormatter

HEADER = ("panel", "series", "x", "y", "low", "high")
LARGEST = 300_000  # bytes of a table
LONG = 64  # rows of a series that is thinned last
Points = Sequence[tuple]  # (x, y, low, high), None where there is none
Series = tuple[str, Points]


def figure_numbers(figure) -> tuple[str, int]:
    """The numbers of a figure as CSV with the columns ``HEADER``, and which rows of long series are kept.

    The text has at most ``LARGEST`` bytes: if all rows take more, only every second, fourth, ... row of a
    series of more than 64 is kept, and its last; if that is not enough, of shorter series, too. The second
    number is that step, 1 if all are there.

    A row is a point of a series. low and high are the ends of its band or interval; a row with only these is
    a span. A panel is named by its label, else by its title; an image with a label is a panel of its own.
    Where one axis shows names, as of scores, x is the name. In a matrix x is the column and the series is the
    row. Photographs, drawings without axes, text, and guide lines and frames without a label have no rows.
    Numbers have six significant digits.
    """
    found = []
    for panel, axes in _panels(figure):
        found += [(panel, *series) for series in _series_of(axes)]
        for image in axes.images:
            found += [(_name(image, "") or panel, *series) for series in _of_image(axes, image)]
    for step, length in _thinnings(max((len(points) for *_, points in found), default=0)):
        if len(text := _csv(found, step, length)) <= LARGEST:
            return text, step
    raise ValueError(f"{len(found)} series are too many for a table of {LARGEST} bytes; name fewer")


def _thinnings(longest: int) -> Iterator[tuple[int, int]]:
    """Steps, and the lengths that a series keeps whole, from no thinning to the strongest."""
    yield 1, LONG
    for length in (LONG, LONG // 4, LONG // 16):
        step = 2
        while longest > length and step < longest:
            yield step, length
            step *= 2


def _csv(found, step, length) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(HEADER)
    for panel, series, points in found:
        writer.writerows(
            [panel, series, *map(_number, point)] for point in _thinned(list(points), step, length)
        )
    return text.getvalue()


def _thinned(points, step, length):
    return points if len(points) <= length else [*points[:-1][::step], points[-1]]


def _number(value) -> str:
    if value is None or isinstance(value, str):
        return value or ""
    return "" if np.isnan(value) else f"{float(value) + 0:.6g}"


def _panels(figure) -> Iterator[tuple]:
    for number, axes in enumerate((axes for axes in figure.axes if axes.axison), start=1):
        if axes.get_label() != "<colorbar>":
            title = axes.get_title() or axes.get_title(loc="left")
            yield axes.get_label() or title or f"panel {number}", axes


# ---- one panel ----


def _series_of(axes) -> list[Series]:
    """The series of a panel but for its images, those of a band joined to the line of the same name."""
    held = {id(artist) for container in axes.containers for artist in _artists(container)}
    found = [_of_container(container) for container in axes.containers]
    lines = [_of_line(axes, line) for line in axes.lines if id(line) not in held]
    bands: list[Series] = []
    others = [_of_patch(axes, patch) for patch in axes.patches if id(patch) not in held]
    for collection in axes.collections:
        if id(collection) not in held:
            kind = bands if isinstance(collection, FillBetweenPolyCollection) else others
            kind.append(_of_collection(collection))
    kept = [series for series in [*found, *_joined(lines, bands), *others] if series]
    return [(name, _with_names(axes, points)) for name, points in kept]


def _joined(lines, bands) -> list:
    left = list(bands)
    for number, line in enumerate(lines):
        for band in left:
            if line and line[0] == band[0] and [p[0] for p in line[1]] == [p[0] for p in band[1]]:
                pairs = zip(line[1], band[1], strict=True)
                lines[number] = (line[0], [(x, y, *ends[2:]) for (x, y, *_), ends in pairs])
                left.remove(band)
                break
    return [*lines, *left]


def _name(artist, kind: str) -> str:
    label = str(artist.get_label() or "")
    if label.strip("_") and not label.startswith(("_child", "_nolegend")):
        return label.lstrip("_")
    return kind and f"unnamed {kind}"


def _artists(container) -> list:
    if isinstance(container, ErrorbarContainer):
        line, caps, bars = container.lines
        return [*filter(None, [line]), *caps, *bars]
    return list(container)


def _of_container(container) -> Series:
    name = _name(container, "bars")
    if isinstance(container, BarContainer):
        boxes = [bar.get_bbox() for bar in container]
        if container.orientation == "horizontal":
            return name, [(box.x1, (box.y0 + box.y1) / 2, None, None) for box in boxes]
        return name, [((box.x0 + box.x1) / 2, box.y1, None, None) for box in boxes]
    line, _, (bars, *_) = container.lines
    along = 0 if container.has_xerr else 1
    segments = bars.get_segments()
    places = line.get_xydata() if line else [s.mean(axis=0) for s in segments]
    return name, [(*place, *s[:, along]) for place, s in zip(places, segments, strict=True)]


def _of_line(axes, line) -> Series | None:
    if line.get_transform() != axes.transData:  # a guide: one number, over the whole panel
        (x, *_), (y, *_) = line.get_data()
        upright = line.get_transform() == axes.get_xaxis_transform(which="grid")
        name = _name(line, "")
        return (name, [(x, None, None, None) if upright else (None, y, None, None)]) if name else None
    points = [(x, y, None, None) for x, y in line.get_xydata()]
    return (_name(line, "line"), points) if points else None


def _of_collection(collection) -> Series:
    if isinstance(collection, FillBetweenPolyCollection):
        return _name(collection, "band"), _band(collection)
    if isinstance(collection, LineCollection):
        middles = [segment.mean(axis=0) for segment in collection.get_segments()]
        return _name(collection, "marks"), [(x, y, None, None) for x, y in middles]
    places = (
        np.asarray(collection.get_offsets()) if isinstance(collection, PathCollection) else np.empty((0, 2))
    )
    return _name(collection, "points"), [(x, y, None, None) for x, y in places]


def _band(collection) -> Points:
    """Places with the lower and the upper edge: the outline goes along one and back along the other."""
    found: dict[float, list[float]] = {}
    for path in collection.get_paths():
        for x, y in path.vertices:
            found.setdefault(float(x), []).append(float(y))
    return [(x, None, min(ys), max(ys)) for x, ys in sorted(found.items())]


def _of_patch(axes, patch) -> Series | None:
    if isinstance(patch, StepPatch):
        values, edges, _ = patch.get_data()
        middles = (edges[:-1] + edges[1:]) / 2
        return _name(patch, "steps"), [(x, y, None, None) for x, y in zip(middles, values, strict=True)]
    if isinstance(patch, Rectangle):
        ends, name = np.sort(patch.get_bbox().get_points(), axis=0), _name(patch, "")
        upright = patch.get_data_transform() == axes.get_xaxis_transform(which="grid")
        return (name, [(None, None, *ends[:, 0 if upright else 1])]) if name else None
    return _name(patch, "area"), [(x, y, None, None) for x, y in patch.get_xy()]


# ---- names in place of numbers ----


def _names(axis) -> dict[float, str]:
    """The words that an axis shows, by place; none where it shows its numbers."""
    formatter, locator = axis.get_major_formatter(), axis.get_major_locator()
    if not (isinstance(formatter, FuncFormatter) and isinstance(locator, FixedLocator)):
        return {}
    return {place: str(formatter(place, i)).replace("\n", " ") for i, place in enumerate(locator())}


def _with_names(axes, points) -> Points:
    columns, rows = _names(axes.xaxis), _names(axes.yaxis)
    if rows and not columns:
        return [(_nearest(rows, y), x, low, high) for x, y, low, high in points]
    return [(_nearest(columns, x) if columns else x, *rest) for x, *rest in points]


def _nearest(names, place):
    return None if place is None else names[min(names, key=lambda tick: abs(tick - place))]


def _of_image(axes, image) -> Iterator[Series]:
    values = np.asarray(image.get_array())
    columns, rows = _names(axes.xaxis), _names(axes.yaxis)
    for row, line in enumerate(values) if values.ndim == 2 else ():
        points = [(columns.get(column, column), value, None, None) for column, value in enumerate(line)]
        yield rows.get(row, f"row {row}"), points
