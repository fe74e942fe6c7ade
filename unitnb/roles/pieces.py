"""Curves cut into linear pieces: the best cut by dynamic programming, and how many pieces a curve needs."""

import numpy as np

LEAST = 2  # intervals between knots in a piece


def best_bounds(curves, knots, counts, image) -> np.ndarray:
    """Bounds of the best fit of curves by linear pieces, (pieces + 1,) of the knots.

    The curves are cut at the same knots. The squared residuals of least-squares lines, summed over pieces and
    curves, are least; an information criterion chooses the number of pieces.

    Parameters
    ----------
    curves : (c, u + 1)
    knots : (k + 1,) int, ascending
        Where a piece may begin and end; it is at least two intervals long.
    counts : numbers of pieces to choose from
        Those for which there are too few knots are left out; one piece if that leaves none.
    image : (c,)
        What a single image counts in each curve.
    """
    counts = [count for count in counts if LEAST * count < len(knots)]
    if not counts:
        return np.unique(knots[[0, -1]])
    size = curves[:, knots[0] : knots[-1] + 1].size
    cuts = best_cuts(line_costs(curves, knots), max(counts))
    cost, places = min((cuts[count - 1] for count in counts), key=lambda cut: _criterion(cut, image, size))
    return knots[places]


def line_costs(curves, knots) -> np.ndarray:
    """Squared residuals of the least-squares line from one knot to another, summed over the curves.

    (k + 1, k + 1) float64; [i, j] is of the points knots[i] to knots[j], both included, for i < j.
    """
    first, last = np.meshgrid(knots, knots, indexing="ij")
    n = np.maximum(last - first + 1, 2)
    s_y, s_my, s_yy = (
        _sums(v, first, last) for v in (curves, np.arange(curves.shape[1]) * curves, curves**2)
    )
    s_xy = s_my - (first + last) / 2 * s_y
    residual = s_yy - s_y**2 / n - s_xy**2 / (n * (n**2 - 1.0) / 12)
    return np.maximum(residual.sum(axis=0), 0)


def _sums(values, first, last):
    total = np.pad(np.cumsum(values, axis=1), ((0, 0), (1, 0)))
    return total[:, last + 1] - total[:, first]


def best_cuts(costs, most, least=LEAST) -> list[tuple[float, list[int]]]:
    """The cut of least cost into 1, 2, ..., ``most`` pieces of at least ``least`` intervals.

    ``costs`` is (k + 1, k + 1), as of ``line_costs``. Each cut is (cost, places of its bounds); it ends the
    list where no further piece fits. Of equal cuts the one whose last bounds come first is taken.

    >>> cost = np.array([[0, 0, 9, 9, 9], [9, 0, 0, 9, 9], [9, 9, 0, 0, 1], [9, 9, 9, 0, 0], [9, 9, 9, 9, 0]])
    >>> best_cuts(cost, 3)
    [(9.0, [0, 4]), (10.0, [0, 2, 4])]
    """
    places = np.arange(len(costs))
    allowed = np.where(places[None] - places[:, None] >= least, costs, np.inf)
    total = allowed[0]
    before: list[np.ndarray] = []
    cuts: list[tuple[float, list[int]]] = []
    while np.isfinite(total[-1]) and len(cuts) < most:
        cuts.append((float(total[-1]), _traced(before, len(costs) - 1)))
        sums = total[:, None] + allowed
        before.append(sums.argmin(axis=0))
        total = sums.min(axis=0)
    return cuts


def _traced(before, end) -> list[int]:
    """Bounds of the best cut up to ``end``; ``before[i]`` has the bound before each, in i + 2 pieces."""
    bounds = [end]
    for last in reversed(before):
        bounds.insert(0, int(last[bounds[0]]))
    return [0, *bounds]


def _criterion(cut, image, size) -> float:
    # Accuracy moves in steps of one image: residuals below half a step are no reason for another piece.
    cost, bounds = cut
    pieces, variance = len(bounds) - 1, max(cost / size, np.mean((image / 2) ** 2))
    # A level and a slope for each piece and curve, and the change points.
    free = (2 * image.size + 1) * pieces - 1
    return size * np.log(variance) + free * np.log(size)
